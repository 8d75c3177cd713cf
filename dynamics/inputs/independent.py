"""Independent symmetric coordinates of variance 1 with one excess kurtosis κ: uniform, signs, and any κ ≥ −2.

Their fourth moment is C[D] = 2D + tr(D) I + κ diag D (derived here). It singles the coordinate axes out: flows leave
the span of teacher and weights, but not a subspace spanned by axes that Σ maps into itself.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.inputs.base import InputLaw, LawFamily, Source, register, register_family, shortest
from dynamics.inputs.moments import form_loss, is_form, mapped
from dynamics.inputs.setting import Setting
from dynamics.population.fourth_moment import FourthMoment, IndependentMoment
from dynamics.validation import validate_real

if TYPE_CHECKING:
    from dynamics.population.base import Population

UNIFORM, SIGNS = -1.2, -2.0  # κ of the uniform law and of ±1


class Coordinates(InputLaw):
    """Independent symmetric coordinates of variance 1."""

    projects: ClassVar[bool] = False
    known: ClassVar[str] = "quadratic and centred units, of student and teacher alike"

    @property
    @abstractmethod
    def kurtosis(self) -> float:
        """κ."""

    @abstractmethod
    def coordinate_moment(self, order: int, kappa: Any) -> Any:
        """E xⁿ of one coordinate for an even n ≥ 2."""

    def knows(self, problem: Setting) -> bool:
        """Of quadratic networks: the fourth moment is all they need."""
        return is_form(problem)

    def fourth_moment(self, covariance: Array | None, inputs: int) -> FourthMoment:
        """C."""
        return mapped(IndependentMoment(inputs, self.kurtosis), covariance)

    def loss(self, problem: Setting) -> Population:
        """Loss through the fourth moment."""
        return form_loss(problem, self.fourth_moment(problem.covariance, problem.inputs))

    def closure(self, problem: Setting, rows: Array) -> Array | None:
        """The axes that teacher or weights have a part in, where no other input is correlated with these."""
        used = (rows != 0).any(axis=0)
        Sigma = problem.covariance
        if used.all() or (Sigma is not None and Sigma[np.ix_(used, ~used)].any()):
            return None
        return np.eye(len(used))[:, used]


@dataclass(frozen=True)
class Independent(Coordinates):
    """Independent coordinates, each of them the one of 0, ±√(κ + 3) that differs from 0 with probability 1/(κ + 3).

    Parameters
    ----------
    excess : float
        κ = E x⁴ − 3 ≥ −2.

    Raises
    ------
    ProblemError
        If it is less, or not finite.
    """

    excess: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "excess", validate_real("excess", self.excess))
        if self.excess < SIGNS:
            raise ProblemError(f"`excess` is {self.excess:g}, but no law has an excess kurtosis below -2.")

    @property
    def name(self) -> str:
        """As on the command line."""
        return f"independent:{shortest(self.excess)}"

    @property
    def kurtosis(self) -> float:
        """κ."""
        return self.excess

    def coordinate_moment(self, order: int, kappa: Any) -> Any:
        """(κ + 3)^{n/2 − 1}."""
        return (kappa + 3) ** (order // 2 - 1)

    def draw(self, source: Source, count: int, inputs: int) -> Any:
        """The three-point law."""
        u, share = source.uniform(count, inputs), 1 / (self.excess + 3)
        return ((u < share / 2) * 1.0 - ((u >= share / 2) & (u < share)) * 1.0) * (self.excess + 3) ** 0.5


@dataclass(frozen=True)
class Rademacher(Independent):
    """Independent signs."""

    excess: float = field(default=SIGNS, init=False)

    @property
    def name(self) -> str:
        """As on the command line."""
        return "rademacher"


@dataclass(frozen=True)
class Uniform(Coordinates):
    """Independent coordinates, uniform on ±√3."""

    @property
    def name(self) -> str:
        """As on the command line."""
        return "uniform"

    @property
    def kurtosis(self) -> float:
        """κ = −6/5."""
        return UNIFORM

    def coordinate_moment(self, order: int, kappa: Any) -> Any:
        """3^{n/2}/(n + 1)."""
        return Fraction(3 ** (order // 2), order + 1)

    def draw(self, source: Source, count: int, inputs: int) -> Any:
        """Uniform numbers."""
        return (2 * source.uniform(count, inputs) - 1) * 3**0.5


def _member(text: str) -> Independent:
    """The law of an excess given as text."""
    try:
        return Independent(float(text))
    except (ValueError, ProblemError):
        raise ProblemError(
            f"`distribution` is 'independent:{text}', but KAPPA must be a finite number of at least -2, the excess"
            " kurtosis of signs."
        ) from None


register(Uniform())
register(Rademacher())
register_family(LawFamily("independent", "KAPPA", _member))
