"""The best learning rates for one unit near its fit: a law in closed form, and optimal control.

For many inputs the risk r = 2Q of `dynamics.closed_forms.one_unit_sgd` obeys r' = r − 8xr + 8x²(2P̂r + (d/B)Δ) with
x = ηaλ and P̂ = 1 − 1/B + 3d/B. Since r' grows with r, the best rate of each step is the one that makes its own r'
smallest (derived here):

    x = r/(4P̂r + 2(d/B)Δ),   r' = r − 4xr,

for B = 1: x = r/(2d(6r + Δ)). It is 1/(12d), half of the step at which SGD diverges, while r is far above Δ, and ends
as 1/(4n): r → dΔ/(2n), what no estimator of d parameters from n noisy labels can beat (Cramér and Rao).

Exactly, with V beside Q, the rates that make the last risk smallest solve a two-point problem: with costates
p_n = (∂r_N/∂Q_n, ∂r_N/∂V_n), which the transposed map carries backwards from p_N = (2, 6), each η_n minimises the
quadratic function p_{n+1} · (Q_{n+1}, V_{n+1}). Sweeps forwards and backwards in turn find them. For many inputs, in
runs long enough to anneal, the law is as good: 0.11 % above them in the risk at d = 30, Δ = ½, r₀ = .012, N = 2000.
"""

from __future__ import annotations

import numpy as np

from dynamics.aliases import Array
from dynamics.closed_forms.one_unit_sgd import OneUnitSGD
from dynamics.errors import ComputationError
from dynamics.validation import validate_count, validate_real

SWEEPS = 100  # forwards and backwards at most; a handful is the rule
SETTLED = 1e-10  # relative change of the last risk between sweeps at which they end


def annealed_rates(unit: OneUnitSGD, steps: int, start_risk: float) -> Array:
    """Learning rates of the law, (N,).

    Parameters
    ----------
    unit : OneUnitSGD
    steps : int
        N.
    start_risk : float
        r₀, the risk at the start, where the fit is near.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    N, r = validate_count("steps", steps), validate_real("start_risk", start_risk, positive=True)
    d, B, D = unit.inputs, unit.batch, unit.label_noise
    P = 1 - 1 / B + 3 * d / B
    x = np.empty(N)
    for n in range(N):
        x[n] = r / (4 * P * r + 2 * d * D / B) if r > 0 else 0.0
        r -= 4 * x[n] * r
    return x / unit.strength


def optimal_rates(unit: OneUnitSGD, steps: int, start_risk: float) -> Array:
    """Learning rates that make the risk of the exact map after N steps smallest, (N,).

    Parameters
    ----------
    unit, steps, start_risk
        As for `annealed_rates`, from whose rates the sweeps start.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    ComputationError
        If the sweeps do not settle.
    """
    eta = annealed_rates(unit, steps, start_risk)
    best = np.inf
    for _ in range(SWEEPS):
        Q, V = _forwards(unit, eta, start_risk)
        risk = 2 * Q[-1] + 6 * V[-1]
        if abs(best - risk) <= SETTLED * risk:
            return eta
        best = risk
        p, s = _backwards(unit, eta)
        (q1, v1), (q2, v2) = unit.linear(Q[:-1], V[:-1]), unit.quadratic(Q[:-1], V[:-1])
        eta = -(p * q1 + s * v1) / (2 * (p * q2 + s * v2))
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


def _backwards(unit: OneUnitSGD, eta: Array) -> tuple[Array, Array]:
    """Costates of Q and V after every step, (N,)."""
    p, s, found = 2.0, 6.0, []
    rows = zip(*(x[::-1].tolist() for x in _entries(unit, eta)), strict=True)
    for a_n, b_n, c_n, e_n in rows:
        found.append((p, s))
        p, s = a_n * p + c_n * s, b_n * p + e_n * s
    after = np.array(found[::-1])
    return after[:, 0], after[:, 1]


def _entries(unit: OneUnitSGD, eta: Array) -> tuple[Array, Array, Array, Array]:
    """The matrices [[a, b], [c, e]] of the steps, each entry (N,)."""
    silent = OneUnitSGD(unit.inputs, 0.0, unit.batch, unit.eigenvalue, unit.a)
    one, nothing = np.ones_like(eta), np.zeros_like(eta)
    a, c = silent.step(eta, one, nothing)
    b, e = silent.step(eta, nothing, one)
    return a, b, c, e
