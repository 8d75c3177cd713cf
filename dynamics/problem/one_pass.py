"""What of one sample's gradient has a closed form: by the activations of student and teacher, and their numbers.

The mean of a step of stochastic gradient descent takes E[φ′_kφ′_l u_iu_j] over all hidden units k, l and all units u_i,
u_j of student and teacher. `dynamics.sgd.closures` computes it for the kinds that are told apart here.
"""

from __future__ import annotations

from collections.abc import Callable

from dynamics.activations.base import Activation
from dynamics.activations.polynomial import polynomial_terms
from dynamics.population.expansion import STEP
from dynamics.problem.problem import Problem

MOST_TERMS = 10_000_000  # of the sum that a mean step is: some tenths of a second each


def polynomial(phi: Activation) -> bool:
    """Whether φ is a polynomial in z alone."""
    return not phi.uses_variance and polynomial_terms(phi.phi) is not None


def stepped(phi: Activation) -> bool:
    """Whether φ is a constant and a sum of erf(z/(√2 a)), a > 0, so that φ′ is a sum of Gaussians."""
    expansion = phi.expansion
    if expansion is None or not expansion.components or any(expansion.polynomial[1:]):
        return False
    return all(c.operation is STEP and (c.widths > 0).all() for c in expansion.components)


def kinked(phi: Activation) -> bool:
    """Whether φ(z) = αz + β|z|."""
    return phi.kink is not None


def _both(kind: Callable[[Activation], bool]) -> Callable[[Problem], bool]:
    return lambda p: kind(p.activation) and kind(p.teacher_activation)


KINDS: dict[str, Callable[[Problem], bool]] = {
    "forms": lambda p: p.trace_coupling is not None,
    "polynomials": _both(polynomial),
    "steps": _both(stepped),
    "kinks": _both(kinked),
}
"""Kinds of problems, the first that holds counts."""


def closure(problem: Problem) -> str | None:
    """The kind of a problem, of `KINDS`; None if its mean step has no closed form."""
    return next((name for name, holds in KINDS.items() if holds(problem)), None)


def mean_step_terms(problem: Problem) -> int:
    """How many terms a mean step of SGD is a sum of, about; 0 where they are so few that nobody needs to count."""
    count = COUNTS.get(closure(problem) or "")
    K, R = problem.student.hidden, len(problem.teacher.V)
    return 0 if count is None else K * (K + 1) // 2 * count(problem, K, R)


def _pairings(problem: Problem, K: int, R: int) -> int:
    """Ways to pair the factors of φ′_kφ′_l u_iu_j of degree h with one another: about (h + 1)⁶/50, as counted."""
    h = max(
        n
        for phi in (problem.activation, problem.teacher_activation)
        for n, _ in polynomial_terms(phi.phi) or {}
    )
    return (K + R) * (K + R + 1) // 2 * ((h + 1) ** 6 // 50 + 1)


def _mixtures(problem: Problem, K: int, R: int) -> int:
    """Σ over pairs i ≤ j of the products of numbers of components, times those of φ′_kφ′_l."""
    ours, theirs = (_components(phi) for phi in (problem.activation, problem.teacher_activation))
    products = K * (K + 1) // 2 * ours**2 + K * R * ours * theirs + R * (R + 1) // 2 * theirs**2
    return ours**2 * products


def _components(phi: Activation) -> int:
    assert phi.expansion is not None
    return sum(len(c.sizes) for c in phi.expansion.components)


COUNTS: dict[str, Callable[[Problem, int, int], int]] = {"polynomials": _pairings, "steps": _mixtures}
