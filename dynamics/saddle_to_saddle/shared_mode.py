"""Units that blow up together: how they share the mode, and how they part again.

Sharing. Shortly before a unit blows up, only its component along the mode counts and w² = 2a² up to terms of the size
of the start. Then ȧ = g a² with the same g(t) for every such unit, however g falls while the mode is learned, so that

    1/a_k − 1/a_l = g (T_k − T_l)

is conserved through the whole jump: g and the blow-up times T are those of the plateau before. The jump ends when the
units together hold the learned value, σ Σ_k 2a_k³ = |μ|, which leaves one equation for the time R that the first unit
was away from its blow-up when it had its final size,

    2σ Σ_k [g (R + T_k − T_first)]⁻³ = |μ|.

Units tie if g (T_k − T_first) is of the order of 1/a = (2σ/|μ|)^⅓ or below, that is if they start equal up to a
relative difference of the order of ε: a copy takes half, a unit that is ten times 1/a late 1/1331.

Parting. A mode held by n > 1 different units is a saddle with n − 1 directions of descent for every mode that is left:
along them the units turn apart in their common weights. The rate is of order 1, unlike that of dormant units, so
that the next mode is learned by the same units after a time of order ln(1/ε), from the difference between them.
Where they do so is integrated here, without the units that are small. Exact copies never part, but rounding errors
grow as any difference does: after a time ln(10¹⁶)/rate nobody can say (`rounding_time`).

Derived here; tested against the integrated flow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from dynamics.aliases import Array
from dynamics.errors import ComputationError
from dynamics.saddle_to_saddle.decaying_unit import GrowingUnit
from dynamics.saddle_to_saddle.eigenframe import SAME, EigenFrame

COPY = 1e-15  # units that differ by less, relative to their size, are copies of each other
E_FOLDINGS = 700.0  # from the smallest number to 1: what has not parted by then has nothing to part from
FADED = 1e-40  # absolute tolerance of the flow of captured units, relative to the largest weight


def companions(units: Mapping[int, GrowingUnit], first: int) -> dict[int, float]:
    """Delays T_k − T_first of all units that run away along the same eigenvalue, hence with the same sign of a."""
    lead = units[first]
    assert lead.blow_up_mode is not None  # it blows up
    rate = lead.rates[lead.blow_up_mode]
    delays = {}
    for k, unit in units.items():
        mode = unit.blow_up_mode
        if mode is None or abs(unit.rates[mode] - rate) > SAME * abs(rate):
            continue
        copy = _differ(lead.w, lead.a, unit.w, unit.a) <= COPY  # not a matter of rounding in T
        delays[k] = 0.0 if copy else unit.blow_up_time - lead.blow_up_time
    return delays


def time_left(delays: Sequence[float], rate: float, variance: float, value: float) -> float:
    """R: how far the first unit is from its blow-up when the units together have reached the learned value.

    Parameters
    ----------
    delays : sequence of float
        T_k − T_first ≥ 0 of all units that take part, the first included.
    rate : float
        |g| of the mode on the plateau before.
    variance : float
        σ of the mode.
    value : float
        |μ|, its learned value in whitened inputs.
    """
    alone = (2 * variance / value) ** (1 / 3)
    late = rate * np.asarray(delays) / alone  # in units of 1/a of a unit that is alone
    together = len(delays) ** (1 / 3) * (1 + SAME)
    root = brentq(lambda u: float(np.sum((u + late) ** -3.0)) - 1, 1 - SAME, together, xtol=1e-15)
    return alone * root / rate


def _differ(w: Array, a: float, v: Array, b: float) -> float:
    """Largest difference of two units, relative to the size of the first."""
    return float(max(np.abs(w - v).max(initial=0.0), abs(a - b)) / max(np.abs(w).max(initial=0.0), abs(a)))


def _copies(W: Array, a: Array) -> list[list[int]]:
    """Places of the units (w_k, a_k), copies of one another together."""
    groups: list[list[int]] = []
    for k in range(len(a)):
        same = (g for g in groups if _differ(W[g[0]], a[g[0]], W[k], a[k]) <= COPY)
        group = next(same, None)
        if group is None:
            groups.append([k])
        else:
            group.append(k)
    return groups


@dataclass(frozen=True, eq=False)
class Parting:
    """The flow of the captured units alone: after `time` they have learned half of one more mode, or it is over.

    Parameters
    ----------
    time : float
    mode : int or None
        The mode; None if they rest until the end.
    W : (n, r) array
        Weights of the units by then.
    a : (n,) array
    """

    time: float
    mode: int | None
    W: Array
    a: Array


def parting(frame: EigenFrame, W: Array, a: Array, learned: Sequence[int], until: float) -> Parting | None:
    """How captured units leave a plateau together within a time `until`; None if they cannot.

    A mode i counts as half learned when that holds for its part beyond the span of the learned ones, the Schur
    complement M_ii − M_iS (M_SS)⁻¹ M_Si: a single unit on its way to its mode has none.
    """
    copies = _copies(W, a)
    residual = frame.residual(learned)
    free = [i for i in np.flatnonzero(residual) if np.any((W[:, i] != 0) & (a * residual[i] > 0))]
    free = [i for i in free if frame.holds((*learned, int(i)))]
    if len(copies) <= len(learned) or not free or until <= 0:
        return None
    growth = np.outer(a, frame.rates(learned)[free]) - frame.decay.first
    if not (growth > 0).any():
        return None
    if frame.landscape is not None and frame.forces is None:
        raise ComputationError(
            f"The prediction breaks down: {len(a)} units hold {len(learned)} modes, and how they part is not known"
            " beside a trained bias, or where inputs are not Gaussian; start with smaller or more different units."
        )
    until = min(until, E_FOLDINGS / growth[growth > 0].min())
    first = [group[0] for group in copies]
    flow = _CapturedFlow(frame, np.array([len(group) for group in copies], dtype=float))
    half = flow.learns([int(i) for i in free], list(learned))
    y0 = flow.pack(W[first], a[first])
    already = half(y0) >= 0
    if already.any():
        return Parting(0.0, int(free[np.argmax(already)]), W, a)

    def next_mode(t: float, y: Array) -> float:
        return float(half(y).max())

    next_mode.terminal, next_mode.direction = True, 1.0  # type: ignore[attr-defined]
    solution = solve_ivp(
        flow,
        (0.0, until),
        y0,
        "LSODA",
        rtol=1e-9,
        atol=FADED * np.abs(y0).max(),
        jac=flow.jacobian if frame.forces is None else None,
        events=next_mode,
    )
    if not solution.success:
        raise ComputationError(f"The units that share a mode were not followed: {solution.message}")
    (times,) = solution.t_events
    time, mode = float(until), None
    if len(times):
        time, mode = float(times[0]), int(free[np.argmax(half(solution.y[:, -1]))])
    end = solution.y[:, -1]
    rows = np.empty(len(a), dtype=int)
    for n, group in enumerate(copies):
        rows[group] = n
    W_end, a_end = flow.unpack(end)
    return Parting(time, mode, W_end[rows], a_end[rows])


def rounding_time(
    frame: EigenFrame, W: Array, a: Array, learned: Sequence[int]
) -> tuple[float, tuple[int, ...]]:
    """Time after which rounding errors may have parted captured copies, and their places; inf if none can part."""
    earliest: tuple[float, tuple[int, ...]] = np.inf, ()
    for group in _copies(W, a):
        growth = np.where(W[group[0]] != 0, a[group[0]] * frame.rates(learned), 0.0).max(initial=0.0)
        if len(group) > 1 and growth > 0:
            earliest = min(earliest, (float(-np.log(np.finfo(float).eps) / growth), tuple(group)))
    return earliest


class _CapturedFlow:
    """ẇ = a G w − ρ_w w, ȧ = ½ wᵀGw − ρ_a a, G = 4ΣDΣ + 2κτΣ, in the eigenbasis; some units count several times."""

    def __init__(self, frame: EigenFrame, multiplicity: Array) -> None:
        self.frame, self.multiplicity = frame, multiplicity
        self.teacher = frame.eigenvalues / frame.variances
        self.inputs = len(frame.eigenvalues)

    def pack(self, W: Array, a: Array) -> Array:
        return np.append(W.ravel(), a)

    def unpack(self, y: Array) -> tuple[Array, Array]:
        n = len(self.multiplicity)
        return y[: n * self.inputs].reshape(n, self.inputs), y[n * self.inputs :]

    def student(self, y: Array) -> Array:
        """M = Σ_k a_k w_k w_kᵀ, (r, r)."""
        W, a = self.unpack(y)
        return (W.T * (self.multiplicity * a)) @ W

    def force(self, y: Array) -> Array:
        """G (r, r)."""
        if self.frame.forces is not None:
            W, a = self.unpack(y)
            return np.asarray(self.frame.forces(W, (self.multiplicity * a)[None])[0])
        D = np.diag(self.teacher) - self.student(y)
        sigma = self.frame.variances
        tau = self.frame.trace_coupling * float(D.diagonal() @ sigma)
        return 4 * D * np.outer(sigma, sigma) + np.diag(2 * tau * sigma)

    def __call__(self, t: float, y: Array) -> Array:
        W, a = self.unpack(y)
        GW, decay = W @ self.force(y), self.frame.decay
        return self.pack(a[:, None] * GW - decay.first * W, 0.5 * np.sum(W * GW, axis=1) - decay.second * a)

    def jacobian(self, t: float, y: Array) -> Array:
        """Second derivatives (derived here), with u_k = Σw_k, c_kl = w_k·u_l and m_l copies of unit l.

        ∂(Gw_k)/∂w_l = δ_kl G − 4 m_l a_l (c_kl Σ + u_l u_kᵀ + κ u_k u_lᵀ),
        ∂(Gw_k)/∂a_l = −m_l (4 c_kl u_l + 2κ c_ll u_k).
        """
        (W, a), G, kappa = self.unpack(y), self.force(y), self.frame.trace_coupling
        (n, r), m, decay = W.shape, self.multiplicity, self.frame.decay
        U, GW, unit, axis = W * self.frame.variances, W @ G, np.arange(n), np.arange(r)
        C = W @ U.T
        by_w = np.einsum("li,kj->kilj", U, U) + kappa * np.einsum("ki,lj->kilj", U, U)
        by_w[:, axis, :, axis] += C * self.frame.variances[:, None, None]
        by_w *= -4 * (m * a)[:, None]
        by_w[unit, :, unit, :] += G
        by_a = -m * (4 * np.einsum("kl,li->kil", C, U) + 2 * kappa * np.einsum("l,ki->kil", C.diagonal(), U))
        ww, wa = a[:, None, None, None] * by_w, a[:, None, None] * by_a
        ww[unit[:, None], axis, unit[:, None], axis] -= decay.first
        wa[unit, :, unit] += GW
        aw, aa = 0.5 * np.einsum("ki,kilj->klj", W, by_w), 0.5 * np.einsum("ki,kil->kl", W, by_a)
        aw[unit, unit] += 0.5 * GW
        aa[unit, unit] -= decay.second
        N = n * r
        return np.block([[ww.reshape(N, N), wa.reshape(N, n)], [aw.reshape(n, N), aa]])

    def learns(self, modes: list[int], learned: list[int]) -> Callable[[Array], Array]:
        """What is learned of each of the modes beyond the learned ones, as part of its value and less one half."""
        levels = [self.frame.level((*learned, mode)) for mode in modes]
        values = [
            level.values[level.learned.index(mode)] / self.frame.variances[mode]
            for level, mode in zip(levels, modes, strict=True)
        ]

        def beyond(y: Array) -> Array:
            M = self.student(y)
            across = M[np.ix_(learned, modes)]
            inner = np.linalg.solve(M[np.ix_(learned, learned)], across)
            return np.asarray((M[modes, modes] - np.sum(across * inner, axis=0)) / values - 0.5)

        return beyond
