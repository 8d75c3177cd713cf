"""Minima of networks on matrices of symmetric noise in place of xxᵀ − I, as QuadraticNets has them, in our units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from empirical.published.entry import Ours, Series, Tolerance

if TYPE_CHECKING:
    from dynamics.sample_size.equations import Regression

INPUTS = 100  # d of their runs
FIRST_ORDER = Tolerance(
    "Our correction for d = 100 is of first order: 2 %, and two of their standard errors.",
    relative=0.02,
    errors=2.0,
)


def regression(
    teacher_width: float, width: float, penalty: float = 0.0, label_noise: float = 0.0
) -> Regression:
    """State evolution with the width cut and the correction for symmetric noise; ℓ is twice their λ."""
    from dynamics.sample_size.design import SymmetricNoise
    from dynamics.sample_size.equations import Regression
    from dynamics.sample_size.marchenko_pastur import MarchenkoPastur

    law, design = MarchenkoPastur(teacher_width), SymmetricNoise(inputs=INPUTS)
    return Regression(law, decay=2 * penalty, label_noise=label_noise, width=width, design=design)


def errors_then_losses(regressions: Sequence[Regression], series: Sequence[Series]) -> list[Ours]:
    """Test errors of every regression at the n/d² of its series, then training losses, which are a quarter of ours."""
    points = [[r.solve(alpha) for alpha in s.at] for r, s in zip(regressions, series, strict=False)]
    errors = [Ours.of([point.mse for point in row]) for row in points]
    return errors + [Ours.of([point.training_error / 4 for point in row]) for row in points]
