"""Laws that rotations leave as they are: the sphere and the multivariate Student law.

Such an input is a Gaussian one of another length, x = R u with u uniform on the unit sphere. Expectations of functions
of degree 2h in x are those of Gaussian inputs times (derived here)

    γ_h = E R^{2h} / [d(d + 2) ⋯ (d + 2h − 2)],

so a student of degree h that learns a teacher of degree h has the Gaussian loss times γ_h: its flow is the Gaussian one
by a clock γ_h times as fast. Sphere (R² = d): γ_2 = d/(d + 2). Student's law with ν degrees of freedom, scaled to unit
covariance: γ_2 = (ν − 2)/(ν − 4). Centred units φ = z² − wᵀΣw lose E f less: their loss keeps the part 1 − 1/γ_2 of the
trace coupling.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from math import isinf, prod
from typing import TYPE_CHECKING, Any, ClassVar

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.inputs.base import Family, InputLaw, Source, register, register_family, shortest
from dynamics.inputs.fourth_moment import FourthMoment, IndependentMoment, ScaledMoment
from dynamics.inputs.gaussian import basis_of, krylov_closure
from dynamics.inputs.moments import mapped

if TYPE_CHECKING:
    from dynamics.population.base import Population
    from dynamics.problem.problem import Problem


class Rotational(InputLaw):
    """A law that rotations leave as it is, of unit covariance."""

    @abstractmethod
    def radial(self, h: int) -> float:
        """γ_h; infinite where the moment does not exist."""

    @property
    def clock(self) -> float:
        """γ_2."""
        return self.radial(2)

    def knows(self, problem: Problem) -> bool:
        """Where student and teacher are homogeneous of one degree, and the moment of that order exists."""
        h = problem.activation.degree
        return h is not None and h == problem.teacher_activation.degree and not isinf(self.radial(h))

    def fourth_moment(self, covariance: Array | None, inputs: int) -> FourthMoment:
        """C = γ (2ΣDΣ + tr(DΣ)Σ)."""
        return mapped(ScaledMoment(IndependentMoment(inputs), self.clock), covariance)

    def loss(self, problem: Problem) -> Population:
        """The Gaussian loss by another clock."""
        from dynamics.population.quadratic import QuadraticPopulation
        from dynamics.population.scaled import ScaledPopulation

        phi, teacher, Sigma = problem.activation, problem.teacher, problem.covariance
        gamma = self.radial(phi.degree or 0)
        if phi.trace_coupling == 0 and problem.realisable:
            return ScaledPopulation(QuadraticPopulation(teacher.V, teacher.B, Sigma, 1 - 1 / gamma), gamma)
        gaussian = phi.loss(teacher.V, teacher.B, Sigma, problem.teacher_activation)
        return ScaledPopulation(gaussian, gamma)

    def closure(self, problem: Problem, rows: Array) -> Array | None:
        """The span itself, made invariant under Σ."""
        return krylov_closure(basis_of(rows), problem.covariance)


@dataclass(frozen=True)
class Sphere(Rotational):
    """Uniform on the sphere of radius √d.

    Parameters
    ----------
    dimension : int, optional
        d, which a problem says.
    """

    dimension: int | None = None

    known: ClassVar[str] = "homogeneous activations, of one degree in student and teacher"

    @property
    def name(self) -> str:
        """As on the command line."""
        return "sphere"

    def bound(self, inputs: int) -> Sphere:
        """The sphere in so many dimensions; a part of its coordinates stays one."""
        return replace(self, dimension=max(inputs, self.dimension or 0))

    def radial(self, h: int) -> float:
        """γ_h = d^h / [d(d + 2) ⋯ (d + 2h − 2)]."""
        d = self.dimension
        return float("nan") if d is None else prod(d / (d + 2 * j) for j in range(h))

    def draw(self, source: Source, count: int, inputs: int) -> Any:
        """Normal numbers, scaled to length √d."""
        d = max(inputs, self.dimension or 0)
        x = source.normal(count, d)
        return (x * (d / (x * x).sum(-1)[..., None]) ** 0.5)[..., :inputs]


@dataclass(frozen=True)
class StudentT(Rotational):
    """The multivariate Student law x = g √((ν − 2)/χ²_ν), of unit covariance.

    Parameters
    ----------
    freedom : float
        ν > 2.
    """

    freedom: float

    @property
    def name(self) -> str:
        """As on the command line."""
        return f"student-t:{shortest(self.freedom)}"

    @property
    def known(self) -> str:
        """Of which activations."""
        return (
            "homogeneous activations, of one degree h in student and teacher, and NU > 2h: the moment of order 2h is"
            " infinite otherwise"
        )

    def radial(self, h: int) -> float:
        """γ_h = (ν − 2)^h / [(ν − 2)(ν − 4) ⋯ (ν − 2h)]."""
        nu = self.freedom
        return prod((nu - 2) / (nu - 2 * j) for j in range(1, h + 1)) if nu > 2 * h else float("inf")

    def draw(self, source: Source, count: int, inputs: int) -> Any:
        """Normal numbers, and one length for each sample."""
        chi_square = 2 * source.gamma(self.freedom / 2, count)
        return source.normal(count, inputs) * (((self.freedom - 2) / chi_square) ** 0.5)[..., None]


def _member(text: str) -> StudentT:
    """The law of a number of degrees of freedom given as text."""
    try:
        nu = float(text)
    except ValueError:
        nu = float("nan")
    if not 2 < nu < float("inf"):
        raise ProblemError(
            f"`distribution` is 'student-t:{text}', but NU must be a finite number above 2, below which there is no"
            " covariance."
        )
    return StudentT(nu)


register(Sphere())
register_family(Family("student-t", "NU", _member))
