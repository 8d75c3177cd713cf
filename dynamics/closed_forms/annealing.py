"""The best learning rates for one unit near its fit: a law in closed form, and optimal control.

For many inputs the risk r = 2Q of `dynamics.closed_forms.one_unit_sgd` obeys r' = r − 8xr + 8x²(2P̂r + (d/B)Δ) with
x = ηaλ and P̂ = 1 − 1/B + 3d/B. Since r' grows with r, the best rate of each step is the one that makes its own r'
smallest (derived here):

    x = r/(4P̂r + 2(d/B)Δ),   r' = r − 4xr,

for B = 1: x = r/(2d(6r + Δ)). It is 1/(12d), half of the step at which SGD diverges, while r is far above Δ, and ends
as 1/(4n): r → dΔ/(2n), what no estimator of d parameters from n noisy labels can beat (Cramér and Rao). With few
inputs, or large batches, SGD diverges at less: the rates can be bounded, by `largest_rate` for instance.

Exactly, with V beside Q, the rates that make the last risk smallest solve a two-point problem: with costates
p_n = (∂r_N/∂Q_n, ∂r_N/∂V_n), which the transposed map carries backwards from p_N = (2, 6), each η_n minimises the
quadratic function p_{n+1} · (Q_{n+1}, V_{n+1}). Sweeps forwards and backwards in turn find them, and none makes the
risk larger, since each rate is improved with the improved costate of those after it. For many inputs, in runs long
enough to anneal, the law is as good: 0.11 % above them in the risk at d = 30, Δ = ½, r₀ = .012, N = 2000.
"""

from __future__ import annotations

import numpy as np

from dynamics.aliases import Array
from dynamics.closed_forms.one_unit_sgd import OneUnitSGD, one_unit_largest_step
from dynamics.errors import ComputationError
from dynamics.validation import validate_count, validate_real

SWEEPS = 100  # forwards and backwards at most; a handful is the rule
SETTLED = 1e-10  # relative change of the last risk between sweeps at which they end
SAFE = 0.5  # of the step at which SGD diverges: the largest rate that is tried


def annealed_rates(unit: OneUnitSGD, steps: int, start_risk: float, largest: float = np.inf) -> Array:
    """Learning rates of the law, (N,).

    Parameters
    ----------
    unit : OneUnitSGD
    steps : int
        N.
    start_risk : float
        r₀, the risk at the start, where the fit is near.
    largest : float
        Rate that none exceeds; the risk of the law then is that of the rates as they are.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    N, r = validate_count("steps", steps), validate_real("start_risk", start_risk, positive=True)
    d, B, D = unit.inputs, unit.batch, unit.label_noise
    P = 1 - 1 / B + 3 * d / B
    highest = largest * unit.strength
    x = np.empty(N)
    for n in range(N):
        x[n] = min(r / (4 * P * r + 2 * d * D / B), highest) if r > 0 else 0.0
        r += -8 * x[n] * r + 8 * x[n] ** 2 * (2 * P * r + d * D / B)
    return x / unit.strength


def largest_rate(unit: OneUnitSGD) -> float:
    """Half of the largest stable step of SGD near the fit: beyond it single runs may diverge."""
    return SAFE * one_unit_largest_step(unit.inputs, batch=unit.batch, eigenvalue=unit.eigenvalue, a=unit.a)


def optimal_rates(unit: OneUnitSGD, steps: int, start_risk: float) -> Array:
    """Learning rates that make the risk of the exact map after N steps smallest, (N,).

    Parameters
    ----------
    unit, steps, start_risk
        As for `annealed_rates`, from whose rates, none above `largest_rate`, the sweeps start.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    ComputationError
        If the sweeps do not settle.
    """
    eta = annealed_rates(unit, steps, start_risk, largest_rate(unit))
    best = np.inf
    for _ in range(SWEEPS):
        Q, V = _forwards(unit, eta, start_risk)
        risk = 2 * Q[-1] + 6 * V[-1]
        if abs(best - risk) <= SETTLED * risk:
            return eta
        best = risk
        eta = _improved(unit, Q, V)
    raise ComputationError(f"The best rates did not settle in {SWEEPS} sweeps.")


def _forwards(unit: OneUnitSGD, eta: Array, start_risk: float) -> tuple[Array, Array]:
    """Q_n and V_n before every step and after the last one, (N + 1,)."""
    (a, b, c, e), (q, v) = _entries(unit, eta), (start_risk / 2, 0.0)
    source_q, source_v = (eta**2 * source for source in unit.quadratic(0 * eta, 0 * eta))
    Q, V = [q], [v]
    rows = zip(*(x.tolist() for x in (a, b, c, e, source_q, source_v)), strict=True)
    for a_n, b_n, c_n, e_n, f_n, g_n in rows:
        q, v = a_n * q + b_n * v + f_n, c_n * q + e_n * v + g_n
        Q.append(q)
        V.append(v)
    return np.array(Q), np.array(V)


def _improved(unit: OneUnitSGD, Q: Array, V: Array) -> Array:
    """Rates (N,), each the best for the rates of all earlier steps and the improved ones of all later steps.

    They are found from the last one backwards. The last risk is quadratic in each of them, so that it can only fall.
    """
    silent = OneUnitSGD(unit.inputs, 0.0, unit.batch, unit.eigenvalue, unit.a)
    p, s, found = 2.0, 6.0, []
    moves = (*unit.linear(Q[:-1], V[:-1]), *unit.quadratic(Q[:-1], V[:-1]))
    for q1, v1, q2, v2 in zip(*(x[::-1].tolist() for x in moves), strict=True):
        eta = -(p * q1 + s * v1) / (2 * (p * q2 + s * v2))
        found.append(eta)
        (a, c), (b, e) = silent.step(eta, 1.0, 0.0), silent.step(eta, 0.0, 1.0)
        p, s = a * p + c * s, b * p + e * s
    return np.array(found[::-1])


def _entries(unit: OneUnitSGD, eta: Array) -> tuple[Array, Array, Array, Array]:
    """The matrices [[a, b], [c, e]] of the steps, each entry (N,)."""
    silent = OneUnitSGD(unit.inputs, 0.0, unit.batch, unit.eigenvalue, unit.a)
    one, nothing = np.ones_like(eta), np.zeros_like(eta)
    a, c = silent.step(eta, one, nothing)
    b, e = silent.step(eta, nothing, one)
    return a, b, c, e
