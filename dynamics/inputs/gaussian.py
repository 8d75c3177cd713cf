"""Gaussian inputs with mean zero: the law of which everything is known."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dynamics.aliases import Array
from dynamics.inputs.base import InputLaw, Source, register
from dynamics.inputs.moments import is_form, mapped
from dynamics.inputs.setting import Setting
from dynamics.inputs.subspaces import basis_of, krylov_closure
from dynamics.population.fourth_moment import FourthMoment, IndependentMoment

if TYPE_CHECKING:
    from dynamics.population.base import Population


@dataclass(frozen=True)
class Gaussian(InputLaw):
    """x ~ N(0, Σ)."""

    gaussian: ClassVar[bool] = True
    known: ClassVar[str] = "all activations"

    @property
    def name(self) -> str:
        """As on the command line."""
        return "gaussian"

    @property
    def clock(self) -> float:
        """γ = 1."""
        return 1.0

    @property
    def kurtosis(self) -> float:
        """κ = 0."""
        return 0.0

    def radial(self, h: int) -> Fraction:
        """γ_h = 1."""
        return Fraction(1)

    def knows(self, problem: Setting) -> bool:
        """Always."""
        return True

    def loss(self, problem: Setting) -> Population:
        """The population loss."""
        V, B = problem.teacher.V, problem.teacher.B
        return problem.activation.loss(V, B, problem.covariance, problem.teacher_activation)

    def any_loss(self, problem: Setting) -> Population | None:
        """Of quadratic and centred networks, with labels of which the moments are known."""
        from dynamics.inputs.spectral import spectral_loss

        return spectral_loss(problem, problem.covariance) if is_form(problem) else None

    def gaussian_lengths(self, problem: Setting) -> tuple[Array, Array] | None:
        """Itself."""
        return np.ones(1), np.ones(1)

    def metric(self, problem: Setting, W: Array, A: Array) -> Array:
        """E JᵀJ, with no teacher to be validated."""
        return problem.activation.loss(W, A, problem.covariance).hessian(W, A)

    def fourth_moment(self, covariance: Array | None, inputs: int) -> FourthMoment:
        """C[D] = 2ΣDΣ + tr(DΣ)Σ."""
        return mapped(IndependentMoment(inputs), covariance)

    def closure(self, problem: Setting, rows: Array) -> Array | None:
        """The span itself, made invariant under Σ."""
        return krylov_closure(basis_of(rows), problem.covariance)

    def draw(self, source: Source, count: int, inputs: int) -> Any:
        """Standard normal numbers."""
        return source.normal(count, inputs)


GAUSSIAN = register(Gaussian())
