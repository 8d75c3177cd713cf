"""Which moments of a step belong to a problem, by its kind: a new kind of units is a function here and a line below."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from dynamics.activations.base import Activation
from dynamics.activations.polynomial import polynomial_terms
from dynamics.aliases import Array
from dynamics.problem import Problem
from dynamics.problem.one_pass import closure
from dynamics.sgd.gradient_moments import GradientMoments
from dynamics.sgd.kinked_units import KinkedUnits
from dynamics.sgd.polynomial_units import PolynomialUnits
from dynamics.sgd.quadratic_step import QuadraticStep
from dynamics.sgd.step_moments import StepMaker
from dynamics.sgd.tilted_units import Steps, TiltedUnits
from dynamics.sgd.unit_step import UnitMoments, UnitStep


def quadratic_step(
    kappa: float, Omega: Array, C: Array, A: Array, inputs: int, label_noise: float
) -> QuadraticStep:
    """Moments of a step of quadratic or centred units."""
    return QuadraticStep(GradientMoments(Omega, C, kappa, inputs, label_noise), A)


def _forms(problem: Problem) -> StepMaker:
    kappa = problem.activation.coupling_for("the dynamics of order parameters")
    return partial(quadratic_step, kappa)


def polynomial_units(problem: Problem) -> PolynomialUnits:
    """Units that are polynomials in their pre-activations."""
    return PolynomialUnits(
        _coefficients(problem.activation), _coefficients(problem.teacher_activation), problem.student.hidden
    )


def _coefficients(phi: Activation) -> tuple[float, ...]:
    terms = polynomial_terms(phi.phi)
    assert terms is not None
    powers = {n: p for (n, _), p in terms.items()}
    return tuple(powers.get(n, 0.0) for n in range(max(powers) + 1))


def tilted_units(problem: Problem) -> TiltedUnits:
    """Units that are sums of steps."""
    ours, theirs = problem.activation.expansion, problem.teacher_activation.expansion
    assert ours is not None and theirs is not None
    return TiltedUnits(Steps.of(ours), Steps.of(theirs), problem.student.hidden)


def kinked_units(problem: Problem) -> KinkedUnits:
    """Units with a kink."""
    ours, theirs = problem.activation.kink, problem.teacher_activation.kink
    assert ours is not None and theirs is not None
    return KinkedUnits(ours, theirs, problem.student.hidden)


def _of(units: Callable[[Problem], UnitMoments]) -> Callable[[Problem], StepMaker]:
    return lambda problem: partial(UnitStep, units(problem))


CLOSURES: dict[str, Callable[[Problem], StepMaker]] = {
    "forms": _forms,
    "polynomials": _of(polynomial_units),
    "steps": _of(tilted_units),
    "kinks": _of(kinked_units),
}
"""Moments of a step by the kinds of `dynamics.problem.one_pass.KINDS`."""


def step_maker(problem: Problem) -> StepMaker:
    """What makes the moments of a step of the problem; it must be of one of the kinds."""
    kind = closure(problem)
    assert kind is not None
    return CLOSURES[kind](problem)
