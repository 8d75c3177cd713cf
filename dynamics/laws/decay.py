"""What becomes of conservation laws under weight decay.

With the penalty ½ Σ_j ρ_jθ_j² gradient flow moves a law h, which is conserved without it, by ḣ = −Σ_j ρ_jθ_j ∂h/∂θ_j,
whatever target and loss are. A law of degree m in weights that all decay at the rate ρ therefore is h(0) e^{−mρt}
(Euler's identity; derived here): balances, m = 2, fall; column spaces, m = 0, stay; the clocks of units in one
dimension, m = −1, grow. With learning rates η_j the rates are η_jρ_j.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from dynamics.laws.law import Law

POINTS, STRETCH, SAME = (
    4,
    1.75,
    1e-8,
)  # points, factor of the weights, and what of a degree counts as rounding


@dataclass(frozen=True)
class DecayedLaw:
    """A law and its motion under weight decay.

    Parameters
    ----------
    law : Law
    rate : float or None
        h(t) = h(0) e^{−rate t}; None if the law has no equation of its own.
    velocity : sympy.Expr
        ḣ in the weights.
    """

    law: Law
    rate: float | None
    velocity: sympy.Expr

    @property
    def constant(self) -> str | None:
        """What stays constant, as an expression in the weights and the time t; None if nothing does."""
        if self.rate is None:
            return None
        t = sympy.Symbol("t")
        return str(self.law.expression * sympy.exp(_exact(self.rate) * t))


def decayed_laws(laws: Sequence[Law], decay: Callable[[sympy.Symbol], float]) -> tuple[DecayedLaw, ...]:
    """What becomes of laws.

    Parameters
    ----------
    laws : sequence of Law
    decay : callable parameter → float
        Rate at which the parameter decays.

    Examples
    --------
    >>> from dynamics.laws import count_laws, quadratic
    >>> for law in decayed_laws(count_laws(quadratic(2, 1)).laws, lambda parameter: 0.1):
    ...     print(law.rate, "|", law.constant)
    0.2 | (-2*a_0**2 + w_0_0**2 + w_0_1**2)*exp(t/5)
    """
    return tuple(_decayed(law, decay) for law in laws)


def _decayed(law: Law, decay: Callable[[sympy.Symbol], float]) -> DecayedLaw:
    """One law: the degree in the weights of each common rate times that rate."""
    inside = sorted(law.expression.free_symbols, key=str)
    groups: dict[float, list[Any]] = {}
    for symbol in inside:
        groups.setdefault(decay(symbol), []).append(symbol)
    degrees = {rho: homogeneity(law, symbols) for rho, symbols in groups.items() if rho}
    known = [rho * m for rho, m in degrees.items() if m is not None]
    rate = float(sum(known)) if len(known) == len(degrees) else None
    velocity = sympy.Add(*(-_exact(decay(s)) * s * sympy.diff(law.expression, s) for s in inside))
    return DecayedLaw(law, rate, velocity if rate is None else -_exact(rate) * law.expression)


def homogeneity(law: Law, weights: Sequence[sympy.Symbol] | None = None) -> int | None:
    """Degree m of a law in some of its parameters, by default all: h(sθ) = s^m h(θ) for s > 0; None if it has none.

    Compared at random points, to rounding.
    """
    stretched = [weights is None or symbol in weights for symbol in law.parameters]
    theta = np.random.default_rng(0).normal(size=(POINTS, len(law.parameters)))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = law(np.where(stretched, STRETCH, 1.0) * theta) / law(theta)
        degrees = np.log(ratio) / np.log(STRETCH)
    nearest = np.round(degrees[0]) if np.isfinite(degrees).all() else np.nan
    return int(nearest) if np.abs(degrees - nearest).max() < SAME else None


def is_second_layer(parameter: sympy.Symbol) -> bool:
    """Whether a parameter leaves a hidden unit, by its name: a_0, a_0_1, …"""
    return parameter.name.startswith("a_")


def _exact(rate: float) -> sympy.Expr:
    """The rate as the short decimal that it is."""
    return sympy.Rational(repr(rate))
