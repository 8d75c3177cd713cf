"""Laws that rotations leave as they are: the sphere and the multivariate Student law.

Such an input is a Gaussian one of another length, x = R u with u uniform on the unit sphere. Expectations of functions
of degree 2h in x are those of Gaussian inputs times (derived here)

    γ_h = E R^{2h} / [d(d + 2) ⋯ (d + 2h − 2)],

so a student of degree h that learns a teacher of degree h has the Gaussian loss times γ_h: its flow is the Gaussian one
by a clock γ_h times as fast. Sphere (R² = d): γ_2 = d/(d + 2). Student's law with ν degrees of freedom, scaled to unit
covariance: γ_2 = (ν − 2)/(ν − 4). In the pair kernels of polynomials every product of powers has its own γ_h, as in
those of centred units, φ = z² − wᵀΣw, whose variances are numbers: their loss keeps the part 1 − 1/γ_2 of the trace
coupling.

Student's law is a mixture of Gaussian ones too, x = s g, and any function of w·x alone has the mean over s of its
Gaussian losses for s²Σ (derived here): `dynamics.inputs.lengths`.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

from dynamics.activations.polynomial import highest_power
from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.inputs.base import InputLaw, LawFamily, Source, register, register_family, shortest
from dynamics.inputs.lengths import growth, lengths, mean_over_lengths
from dynamics.inputs.moments import is_form, mapped
from dynamics.inputs.setting import Setting
from dynamics.inputs.subspaces import basis_of, krylov_closure
from dynamics.population.fourth_moment import FourthMoment, IndependentMoment, ScaledMoment
from dynamics.validation import validate_real

if TYPE_CHECKING:
    from dynamics.population.base import Population


class Rotational(InputLaw):
    """A law that rotations leave as it is, of unit covariance."""

    @abstractmethod
    def radial(self, h: int) -> Fraction | None:
        """γ_h; None where the moment of order 2h is infinite."""

    @property
    def clock(self) -> float:
        """γ_2; infinite where there is no fourth moment."""
        gamma = self.radial(2)
        return float("inf") if gamma is None else float(gamma)

    def knows(self, problem: Setting) -> bool:
        """Of polynomials, and where student and teacher are homogeneous of one degree; with finite moments."""
        phi, psi = problem.activation, problem.teacher_activation
        h = _shared_degree(problem)
        if h is None and phi.is_polynomial and psi.is_polynomial:
            h = max(highest_power(phi.phi), highest_power(psi.phi))
        return h is not None and self.radial(h) is not None

    def fourth_moment(self, covariance: Array | None, inputs: int) -> FourthMoment:
        """C = γ (2ΣDΣ + tr(DΣ)Σ).

        Raises
        ------
        ProblemError
            If it is infinite.
        """
        if self.radial(2) is None:
            raise ProblemError(
                f"`distribution` is {self.name!r}, of which the fourth moment is infinite: NU must be above 4."
            )
        return mapped(ScaledMoment(IndependentMoment(inputs), self.clock), covariance)

    def loss(self, problem: Setting) -> Population:
        """The Gaussian loss by another clock, or pair kernels of polynomials by several."""
        from dynamics.activations.pairing import radial_loss
        from dynamics.population.quadratic import QuadraticPopulation
        from dynamics.population.scaled import ScaledPopulation

        phi, psi, Sigma = problem.activation, problem.teacher_activation, problem.covariance
        V, B = problem.teacher.V, problem.teacher.B
        if phi.trace_coupling == 0 and is_form(problem):
            return ScaledPopulation(QuadraticPopulation(V, B, Sigma, 1 - 1 / self.clock), self.clock)
        h = _shared_degree(problem)
        if h is not None:
            return ScaledPopulation(phi.loss(V, B, Sigma, psi), self._factor(h))
        return radial_loss(phi, psi, V, B, Sigma, self._factor)

    def _factor(self, h: int) -> float:
        """γ_h, which is finite."""
        gamma = self.radial(h)
        assert gamma is not None
        return float(gamma)

    def closure(self, problem: Setting, rows: Array) -> Array | None:
        """The span itself, made invariant under Σ."""
        return krylov_closure(basis_of(rows), problem.covariance)


def _shared_degree(problem: Setting) -> int | None:
    """h where student and teacher are homogeneous functions of the inputs of one degree."""
    phi, psi = problem.activation, problem.teacher_activation
    return None if phi.degree != psi.degree or phi.uses_variance or psi.uses_variance else phi.degree


@dataclass(frozen=True)
class Sphere(Rotational):
    """Uniform on the sphere of radius √d.

    Parameters
    ----------
    dimension : int, optional
        d, which a problem says.
    """

    dimension: int | None = None

    known: ClassVar[str] = "polynomials, and homogeneous activations of one degree in student and teacher"

    @property
    def name(self) -> str:
        """As on the command line."""
        return "sphere"

    def bound(self, inputs: int) -> Sphere:
        """The sphere in so many dimensions; a part of its coordinates stays one."""
        return replace(self, dimension=max(inputs, self.dimension or 0))

    def radial(self, h: int) -> Fraction:
        """γ_h = d^h / [d(d + 2) ⋯ (d + 2h − 2)].

        Raises
        ------
        ProblemError
            If no problem has said what d is.
        """
        d = self.dimension
        if d is None:
            raise ProblemError("A sphere without a dimension has no moments: `bound(inputs)` gives it one.")
        return prod((Fraction(d, d + 2 * j) for j in range(h)), start=Fraction(1))

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

    Raises
    ------
    ProblemError
        If it is not, or not finite.
    """

    known: ClassVar[str] = (
        "polynomials and homogeneous activations of one degree, for NU above twice the degree, and other functions of"
        " w·x alone, for NU of at least 1 plus twice the power of w·x that they grow like, as moments are infinite"
        " otherwise"
    )

    freedom: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "freedom", validate_real("freedom", self.freedom))
        if self.freedom <= 2:
            raise ProblemError(f"`freedom` is {self.freedom:g}, but there is a covariance above 2 only.")

    @property
    def name(self) -> str:
        """As on the command line."""
        return f"student-t:{shortest(self.freedom)}"

    def radial(self, h: int) -> Fraction | None:
        """γ_h = (ν − 2)^h / [(ν − 2)(ν − 4) ⋯ (ν − 2h)], infinite for ν ≤ 2h."""
        nu = Fraction(shortest(self.freedom))
        if nu <= 2 * h:
            return None
        return prod(((nu - 2) / (nu - 2 * j) for j in range(1, h + 1)), start=Fraction(1))

    def knows(self, problem: Setting) -> bool:
        """Of functions of w·x alone too, if moments are finite by a margin."""
        return super().knows(problem) or self._mixed(problem) is not None

    def loss(self, problem: Setting) -> Population:
        """The Gaussian loss by other clocks, or the mean of Gaussian losses over the lengths."""
        if super().knows(problem):
            return super().loss(problem)
        power = self._mixed(problem)
        assert power is not None
        return mean_over_lengths(problem, *lengths(self.freedom, power))

    def any_loss(self, problem: Setting) -> Population | None:
        """Of quadratic networks the mean over the lengths, if moments are finite by a margin."""
        from dynamics.inputs.spectral import spectral_mean

        found = self.gaussian_lengths(problem)
        return None if found is None else spectral_mean(problem, *found)

    def gaussian_lengths(self, problem: Setting) -> tuple[Array, Array] | None:
        """Nodes of the mean over the lengths."""
        from dynamics.inputs.spectral import power_of

        power = power_of(problem.loss)
        known = is_form(problem) and problem.activation.trace_coupling == 1 and self.freedom >= 2 * power + 1
        return lengths(self.freedom, power) if known else None

    def _mixed(self, problem: Setting) -> int | None:
        """Power that the activations grow like, where the law can be mixed over its lengths for them."""
        powers = [growth(phi) for phi in (problem.activation, problem.teacher_activation)]
        if None in powers:
            return None
        power = max(p for p in powers if p is not None)
        return power if self.freedom >= 2 * power + 1 else None

    def draw(self, source: Source, count: int, inputs: int) -> Any:
        """Normal numbers, and one length for each sample."""
        chi_square = 2 * source.gamma(self.freedom / 2, count)
        return source.normal(count, inputs) * (((self.freedom - 2) / chi_square) ** 0.5)[..., None]


def _member(text: str) -> StudentT:
    """The law of a number of degrees of freedom given as text."""
    try:
        return StudentT(float(text))
    except (ValueError, ProblemError):
        raise ProblemError(
            f"`distribution` is 'student-t:{text}', but NU must be a finite number above 2, below which there is no"
            " covariance."
        ) from None


register(Sphere())
register_family(LawFamily("student-t", "NU", _member))
