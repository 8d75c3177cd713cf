"""The population loss of a student of one activation that learns a teacher of another: which closed form holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from dynamics.activations.polynomial import pair_kernel, polynomial_terms
from dynamics.errors import ProblemError
from dynamics.population.base import Population
from dynamics.population.component_kernel import ComponentKernel
from dynamics.population.expansion import Component, ComponentMeans, Expansion, PolynomialMeans
from dynamics.population.gram_pairs import PairKernel, SumKernel
from dynamics.population.hermite_kernel import HermiteKernel
from dynamics.population.kernels import Kernel
from dynamics.population.pair_kernel import PairPopulation
from dynamics.population.piecewise_linear import PiecewiseLinearPopulation
from dynamics.population.series_kernel import SeriesKernel
from dynamics.population.shifted_pair import ShiftedPopulation
from dynamics.population.sum import SumPopulation

Terms = dict[tuple[int, int], float]


class Activation(Protocol):
    """What is asked of an activation, see `dynamics.activations.base.Activation`."""

    @property
    def name(self) -> str:
        """As on the command line."""

    @property
    def phi(self) -> Callable[[Any, Any], Any]:
        """φ(z, q)."""

    @property
    def population(self) -> Callable[..., Population] | None:
        """The loss for a teacher of the same activation, if that has a form of its own."""

    @property
    def quadrature(self) -> bool:
        """Whether its expectations are taken by quadrature."""

    @property
    def uses_variance(self) -> bool:
        """Whether φ depends on q."""

    @property
    def expansion(self) -> Expansion | None:
        """φ as a polynomial and smoothed kinks."""

    @property
    def kink(self) -> tuple[float, float] | None:
        """(α, β) where φ(z) = αz + β|z|."""


def population_loss(
    student: Activation, teacher: Activation, V: Any, B: Any, covariance: Any, mean: Any = None
) -> Population:
    """Population loss against the teacher f*_o = Σ_m B_om ψ(v_m·x), x ~ N(μ, Σ).

    Raises
    ------
    ProblemError
        If there is no closed form for the two activations.
    """
    if mean is not None:
        pairs = (student, student), (student, teacher), (teacher, teacher)
        kernels = (kernel_of(*pair, shifted=True) for pair in pairs)
        return ShiftedPopulation(V, B, covariance, mean, *kernels)
    if student == teacher and student.population is not None:
        return student.population(V, B, covariance)
    if student.kink is not None and teacher.kink is not None:
        return PiecewiseLinearPopulation(
            V,
            B,
            covariance,
            _folded(student, student),
            _folded(student, teacher),
            _folded(teacher, teacher),
        )
    cross, own = kernel_of(student, teacher), kernel_of(teacher, teacher)
    if student.kink is not None and student.kink[1]:  # its pairs have no second derivatives one by one
        alone = PiecewiseLinearPopulation(V[:0], B[:, :0], covariance, _folded(student, student))
        return SumPopulation((alone, PairPopulation(V, B, covariance, None, cross, own)))
    kernel = cross if student == teacher else kernel_of(student, student)
    return PairPopulation(V, B, covariance, kernel, cross, own)


def radial_loss(
    student: Activation,
    teacher: Activation,
    V: Any,
    B: Any,
    covariance: Any,
    radial: Callable[[int], float],
) -> Population:
    """Loss of polynomials for inputs that rotations leave as they are, but for Σ; `radial` gives their γ_h."""
    left, right = _parts(student)[0], _parts(teacher)[0]
    kernels = (pair_kernel(*pair, radial) for pair in ((left, left), (left, right), (right, right)))
    return PairPopulation(V, B, covariance, *kernels)


def _folded(one: Activation, other: Activation) -> Kernel:
    """κ of φ = αz + β|z| and ψ = γz + δ|z|: αγ u·v + βδ E|u·z||v·z|."""
    assert one.kink is not None and other.kink is not None
    return Kernel(one.kink[0] * other.kink[0], one.kink[1] * other.kink[1])


def kernel_of(one: Activation, other: Activation, shifted: bool = False) -> PairKernel:
    """The pair kernel κ = E φ(z_1) ψ(z_2), for pre-activations without means or, `shifted`, with them.

    Raises
    ------
    ProblemError
        If there is no closed form.
    """
    if one.quadrature or other.quadrature:
        if one.uses_variance or other.uses_variance:
            raise ProblemError(
                f"{one.name!r} beside {other.name!r} has no population loss: quadrature is known only for functions of"
                " z alone."
            )
        return HermiteKernel(one.phi, other.phi, (one.name, other.name))
    (p, components), (r, others) = _parts(one), _parts(other)
    parts: list[PairKernel] = []
    if (p and r) or not (components or others):
        parts.append(SeriesKernel(PolynomialMeans(p), PolynomialMeans(r)) if shifted else pair_kernel(p, r))
    if p and others:
        parts.append(SeriesKernel(PolynomialMeans(p), ComponentMeans(others)))
    if r and components:
        parts.append(SeriesKernel(ComponentMeans(components), PolynomialMeans(r)))
    for x in components:
        for y in others:
            if shifted or x.operation.parity == y.operation.parity:  # else it vanishes
                parts.append(ComponentKernel(x, y))
    return parts[0] if len(parts) == 1 else SumKernel(tuple(parts))


def _parts(phi: Activation) -> tuple[Terms, tuple[Component, ...]]:
    """Polynomial terms and components."""
    if phi.expansion is not None:
        return phi.expansion.terms, phi.expansion.components
    terms = polynomial_terms(phi.phi)
    if terms is None:
        raise ProblemError(
            f"The activation {phi.name!r} has no closed form beside another one: give it an expansion."
        )
    return terms, ()
