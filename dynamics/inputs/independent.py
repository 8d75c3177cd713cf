"""Independent symmetric coordinates of variance 1 with one excess kurtosis κ: uniform, signs, and any κ ≥ −2.

Their fourth moment is C[D] = 2D + tr(D) I + κ diag D (derived here). It singles the coordinate axes out: flows leave
the span of teacher and weights, but not a subspace spanned by axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.inputs.base import Family, InputLaw, Source, register, register_family, shortest
from dynamics.inputs.fourth_moment import FourthMoment, IndependentMoment
from dynamics.inputs.moments import form_loss, is_form, mapped
from dynamics.validation import validate_real

if TYPE_CHECKING:
    from dynamics.population.base import Population
    from dynamics.problem.problem import Problem

UNIFORM, SIGNS = -1.2, -2.0  # κ of the uniform law and of ±1


@dataclass(frozen=True)
class Independent(InputLaw):
    """Independent coordinates, each of them the one of 0, ±√(κ + 3) that differs from 0 with probability 1/(κ + 3).

    Parameters
    ----------
    excess : float
        κ = E x⁴ − 3 ≥ −2.
    """

    projects: ClassVar[bool] = False

    excess: float

    @property
    def name(self) -> str:
        """As on the command line."""
        return f"independent:{shortest(self.excess)}"

    @property
    def kurtosis(self) -> float:
        """κ."""
        return self.excess

    def knows(self, problem: Problem) -> bool:
        """Of quadratic networks: the fourth moment is all they need."""
        return is_form(problem)

    @property
    def known(self) -> str:
        """Of which activations."""
        return "quadratic and centred units, of student and teacher alike"

    def fourth_moment(self, covariance: Array | None, inputs: int) -> FourthMoment:
        """C."""
        return mapped(IndependentMoment(inputs, self.excess), covariance)

    def loss(self, problem: Problem) -> Population:
        """Loss through the fourth moment."""
        return form_loss(problem, self.fourth_moment(problem.covariance, problem.inputs))

    def closure(self, problem: Problem, rows: Array) -> Array | None:
        """The axes that teacher or weights have a part in, where inputs are uncorrelated."""
        used = (rows != 0).any(axis=0)
        if problem.covariance is not None or used.all():
            return None
        return np.eye(len(used))[:, used]

    def draw(self, source: Source, count: int, inputs: int) -> Any:
        """The three-point law."""
        u, share = source.uniform(count, inputs), 1 / (self.excess + 3)
        return ((u < share / 2) * 1.0 - ((u >= share / 2) & (u < share)) * 1.0) * (self.excess + 3) ** 0.5


@dataclass(frozen=True)
class Uniform(Independent):
    """Independent coordinates, uniform on ±√3."""

    excess: float = UNIFORM

    @property
    def name(self) -> str:
        """As on the command line."""
        return "uniform"

    def draw(self, source: Source, count: int, inputs: int) -> Any:
        """Uniform numbers."""
        return (2 * source.uniform(count, inputs) - 1) * 3**0.5


@dataclass(frozen=True)
class Rademacher(Independent):
    """Independent signs."""

    excess: float = SIGNS

    @property
    def name(self) -> str:
        """As on the command line."""
        return "rademacher"


def _member(text: str) -> Independent:
    """The law of an excess given as text."""
    try:
        kurtosis = float(text)
    except ValueError:
        kurtosis = float("nan")
    if not kurtosis >= SIGNS or kurtosis == float("inf"):
        raise ProblemError(
            f"`distribution` is 'independent:{text}', but KAPPA must be a finite number of at least -2, the excess"
            " kurtosis of signs."
        )
    return Independent(validate_real("distribution", kurtosis))


register(Uniform())
register(Rademacher())
register_family(Family("independent", "KAPPA", _member))
