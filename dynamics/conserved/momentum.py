"""What momentum makes of conserved quantities: exact recursions along a run, and the balance over the whole of it.

Let q(θ) = B(θ, θ) be a quadratic quantity that gradient flow conserves, B(θ, ∇L) = 0 (for c_k, B is w·w' − h a a'), and
F = −∇L − ρθ, so that B(θ, F) = −ρq. Heavy ball v ← βv + F, θ ← θ + ηv moves q and b = B(θ, v) by exactly

    b½ = βb − ρq,   q' = q + 2η b½ + η²B(v', v'),   b' = b½ + ηB(v', v'),

with the new velocity v' on the right. Nesterov's form in PyTorch, v' = βv + F, u = F + βv', θ' = θ + ηu, does by

    q' = q + 2η[β²b − (1 + β)ρq] + η²B(u, u),   b' = βb − ρq + ηB(u, v').

No scaling symmetry is an isometry, so that Noether's theorem gives no law here: q drifts, by what the squares of the
velocities say. Summed up from rest, without decay, heavy ball goes over N steps by exactly

    q_N − q_0 = η² (1 + β)/(1 − β) Σ_n B(v_n, v_n) − 2ηβ/(1 − β) b_N,

the last term being zero when it has come to rest. Where q = 0, B(F, F) ≥ 0 for quadratic units: momentum and finite
steps push c_k up. Derived here; Hermitian forms of any degree and several outputs included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.conserved.quantities import QuadraticQuantity
from dynamics.validation import validate_momentum, validate_real

Layers = tuple[Array, Array]


@dataclass(frozen=True, eq=False)
class MomentumCurves:
    """Quantities along a run with momentum, by their recursion.

    Parameters
    ----------
    values : (N + 1, Q) array
        q_n.
    products : (N + 1, Q) array
        b_n = B(θ_n, v_n).
    """

    values: Array
    products: Array


def product_of(quantity: QuadraticQuantity, one: Layers, other: Layers) -> Array:
    """B(x, y), the symmetric form of a quantity, by polarisation; x and y are pairs (…, K, d), (…, O, K), (…)."""
    plus, minus = (tuple(x + sign * y for x, y in zip(one, other, strict=True)) for sign in (1, -1))
    return np.asarray((quantity.of(*plus) - quantity.of(*minus)) / 4)


def heavy_ball_curves(
    quantities: Sequence[QuadraticQuantity],
    start: ArrayLike,
    V: Array,
    U: Array,
    step: float,
    momentum: float,
    decay: float = 0.0,
) -> MomentumCurves:
    """Quantities after each step of heavy ball from rest, from its velocities alone.

    Parameters
    ----------
    quantities : sequence of QuadraticQuantity
    start : (Q,) array
        Their initial values.
    V, U : (N, K, d) and (N, O, K) arrays
        Velocities v of the two layers in steps 1 … N, in the sense of v ← βv + F, θ ← θ + ηv; U is zero where the
        second layer is fixed.
    step, momentum : float
        η and β.
    decay : float
        ρ, coupled: part of F.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    squares = np.stack([q.of(V, U) for q in quantities], axis=-1)  # (N, Q)
    eta, beta, rho = _constants(step, momentum, decay)
    q, b = [np.asarray(start, dtype=float)], [np.zeros(len(quantities))]
    for square in squares:
        half = beta * b[-1] - rho * q[-1]
        q.append(q[-1] + 2 * eta * half + eta**2 * square)
        b.append(half + eta * square)
    return MomentumCurves(np.array(q), np.array(b))


def nesterov_curves(
    quantities: Sequence[QuadraticQuantity],
    start: ArrayLike,
    V: Array,
    U: Array,
    moved: Layers,
    step: float,
    momentum: float,
    decay: float = 0.0,
) -> MomentumCurves:
    """Quantities after each step of Nesterov's descent (PyTorch's) from rest, from its velocities and moves.

    Parameters
    ----------
    quantities, start, V, U, step, momentum, decay
        As for `heavy_ball_curves`.
    moved : arrays (N, K, d) and (N, O, K)
        u = F + βv' of the two layers: θ' = θ + ηu.
    """
    squares = np.stack([q.of(*moved) for q in quantities], axis=-1)
    crossed = np.stack([product_of(q, moved, (V, U)) for q in quantities], axis=-1)
    eta, beta, rho = _constants(step, momentum, decay)
    q, b = [np.asarray(start, dtype=float)], [np.zeros(len(quantities))]
    for square, cross in zip(squares, crossed, strict=True):
        change = 2 * eta * (beta**2 * b[-1] - (1 + beta) * rho * q[-1]) + eta**2 * square
        b.append(beta * b[-1] - rho * q[-1] + eta * cross)
        q.append(q[-1] + change)
    return MomentumCurves(np.array(q), np.array(b))


def heavy_ball_total(
    quantities: Sequence[QuadraticQuantity],
    V: Array,
    U: Array,
    step: float,
    momentum: float,
    product: ArrayLike = 0.0,
) -> Array:
    """Exact change of quantities over a whole run of heavy ball from rest, without decay, (Q,).

    Parameters
    ----------
    quantities, V, U, step, momentum
        As for `heavy_ball_curves`.
    product : (Q,) array
        b_N = B(θ_N, v_N) at the end of the run; 0 where it has come to rest.
    """
    eta, beta, _ = _constants(step, momentum, 0.0)
    squares = np.stack([q.of(V, U) for q in quantities], axis=-1).sum(axis=0)
    return np.asarray((eta**2 * (1 + beta) * squares - 2 * eta * beta * np.asarray(product)) / (1 - beta))


def _constants(step: float, momentum: float, decay: float) -> tuple[float, float, float]:
    """η, β and ρ, checked."""
    eta, beta = validate_real("step", step, positive=True), validate_momentum(momentum)
    return eta, beta, validate_real("decay", decay, nonnegative=True)
