"""Losses other than the square of quadratic networks: of Gaussian inputs, and of mixtures of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dynamics.aliases import Array
from dynamics.population.label_moments import LabelMoments
from dynamics.population.scaled import ScaledPopulation
from dynamics.population.spectral import SpectralPopulation
from dynamics.population.sum import SumPopulation

if TYPE_CHECKING:
    from dynamics.inputs.setting import Setting
    from dynamics.losses import Loss
    from dynamics.population.base import Population

NEAR, FAR = 1e3, 1e6  # residuals between which the growth of ℓ is measured


def spectral_loss(problem: Setting, covariance: Array | None) -> SpectralPopulation | None:
    """Loss of a quadratic or centred network, x ~ N(0, Σ); None where the moments of its labels are not known."""
    labels, teacher, bias = problem.labels, problem.teacher, problem.bias
    moments = None
    if labels.classes:
        if labels.link is None and labels.threshold is None:
            return None
        moments = LabelMoments(labels.link, labels.threshold, labels.flip)
    targets = np.stack([(teacher.V.T * b) @ teacher.V for b in teacher.B])
    return SpectralPopulation(
        targets,
        problem.loss,
        covariance,
        problem.activation.coupling_for("this loss"),
        bias.start,
        bias.teacher,
        bias.trainable,
        moments,
    )


def spectral_mean(problem: Setting, squares: Array, weights: Array) -> Population | None:
    """The mean of the Gaussian losses for s²Σ over the lengths s, of quadratic units."""
    Sigma = np.eye(problem.inputs) if problem.covariance is None else problem.covariance
    losses = [spectral_loss(problem, s2 * Sigma) for s2 in squares]
    parts = [
        ScaledPopulation(loss, float(p)) for loss, p in zip(losses, weights, strict=True) if loss is not None
    ]
    return SumPopulation(tuple(parts)) if len(parts) == len(losses) else None


def power_of(loss: Loss) -> int:
    """The least power of the output that ℓ grows like, at least 1."""
    near, far = (np.abs(loss.value(x * np.array([-1.0, 1.0]), 0.0)).max() for x in (NEAR, FAR))
    return max(1, int(np.ceil(np.log(far / near) / np.log(FAR / NEAR) - 0.05)))
