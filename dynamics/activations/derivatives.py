"""Derivatives of φ from its expansion in a polynomial and smoothed kinks: no activation writes its own.

With u = z/a, n the Gaussian density and P = Φ(u) − ½ (derived here),

    ∫S̃_a = ½ z²P + ½ az n + ½ a²P,   S̃_a = zP + a n,   S̃_a′ = P,   S̃_a″ = n/a,   S̃_a‴ = −u n/a²,   S̃_a⁗ = (u² − 1) n/a³

and for a = 0 z|z|/4, |z|/2, sign(z)/2 and zeros. At a kink the derivative is the one that automatic differentiation
takes: for φ with comparisons z > 0 that from the left, for |z| the mean of both sides.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.special import erf

from dynamics.activations.polynomial import polynomial_terms
from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.population.expansion import Component, Expansion

ROOT = np.sqrt(2 * np.pi)


class Differentiable(Protocol):
    """What is asked of an activation, see `dynamics.activations.base.Activation`."""

    @property
    def name(self) -> str:
        """As on the command line."""

    @property
    def parity(self) -> int | None:
        """φ(−z) = ±φ(z), or neither."""

    @property
    def expansion(self) -> Expansion | None:
        """φ as a polynomial and smoothed kinks."""

    @property
    def uses_variance(self) -> bool:
        """Whether φ depends on the variance of z."""

    @property
    def phi(self) -> object:
        """φ(z, q)."""


def is_differentiable(activation: Differentiable) -> bool:
    """Whether φ is a function of z alone of which `derivative` knows the derivatives."""
    if activation.uses_variance:
        return False
    return activation.expansion is not None or polynomial_terms(activation.phi) is not None  # type: ignore[arg-type]


def derivative(activation: Differentiable, order: int, z: Array) -> Array:
    """φ′ (order 1) or φ″ (order 2) at an array of pre-activations, of its shape.

    Raises
    ------
    ProblemError
        If φ has no expansion, or depends on the variance of z.
    """
    if not is_differentiable(activation):
        raise ProblemError(
            f"`activation` is {activation.name!r}, of which no derivatives are known: it has no expansion in z."
        )
    expansion = activation.expansion
    if expansion is None:
        terms = polynomial_terms(activation.phi)  # type: ignore[arg-type]
        assert terms is not None
        expansion = Expansion([terms.get((n, 0), 0.0) for n in range(1 + max(n for n, _ in terms))])
    at_kink = -1.0 if activation.parity is None else 0.0
    total = np.polynomial.Polynomial(expansion.polynomial or (0.0,)).deriv(order)(z) + np.zeros_like(z)
    for component in expansion.components:
        total += _derivative(component, order, z, at_kink)
    return np.asarray(total)


def _derivative(component: Component, order: int, z: Array, at_kink: float) -> Array:
    """Derivative of Σ_j e_j (op S̃)_{a_j} of an order."""
    total = np.zeros_like(z)
    for a, e in component.sizes:
        for m, p, c in component.operation.terms:
            if a or not p:
                total += e * c * a ** (2 * p) * smoothed_kink(order + m, z, a, at_kink)
    return total


def smoothed_kink(order: int, z: Array, a: float, at_kink: float = 0.0) -> Array:
    """S̃_a⁽ᵐ⁾(z), m = −1 … 4; for a = 0 the sign of zero is `at_kink`."""
    if a == 0:
        sign = np.where(z == 0, at_kink, np.sign(z))
        return np.asarray({-1: z * np.abs(z) / 4, 0: np.abs(z) / 2, 1: sign / 2}.get(order, np.zeros_like(z)))
    u = z / a
    if order >= 2:
        n = np.exp(-u * u / 2) / ROOT
        return np.asarray((1.0, -u, u * u - 1)[order - 2] * n / a ** (order - 1))
    P = erf(u / np.sqrt(2)) / 2
    if order == 1:
        return np.asarray(P)
    n = np.exp(-u * u / 2) / ROOT
    return np.asarray(z * P + a * n if order == 0 else (z * z * P + a * z * n + a * a * P) / 2)
