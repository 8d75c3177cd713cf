"""Which hidden units are dormant at rest, and when the first of them will have grown.

Where the flow of a quadratic network hardly moves, the force G on every unit is constant until a unit that is still too
small to matter has grown: that unit obeys the frozen-unit law (`dynamics.saddle_to_saddle.growing_unit`). With several
outputs a unit (w, A) climbs the cubic form Φ = ½ Σ_o A_o wᵀG_o w, dy/dt = ∇Φ(y). With y = ρu, |u| = 1, and dτ = ρ dt
the direction u obeys an equation of its own (derived here),

    du/dτ = ∇Φ(u) − 3Φ(u) u,   d ln ρ/dτ = 3Φ(u),   dt/dτ = 1/ρ,

and Φ(u) never falls: once it is positive, the unit runs away in a finite time.

Weight decay adds −Λy, Λ = diag(ρ_w, …, ρ_a, …): the law of one output is that of
`dynamics.saddle_to_saddle.decaying_unit`, in the other du/dτ gets −(Λu − (uᵀΛu)u)/ρ and d ln ρ/dτ gets −uᵀΛu/ρ. A unit
that does not escape decays, and no small change of it would: it is no direction down from a saddle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from dynamics.aliases import Array
from dynamics.problem.weight_decay import NO_DECAY, WeightDecay
from dynamics.saddle_to_saddle.decaying_unit import GrowingUnit, growing_unit
from dynamics.saddle_to_saddle.growing_unit import FrozenUnit

UNNOTICED = 1e-3  # dormant units together change the force by no more than this, relative to it
KERNEL = 1e-6  # rates below this, relative to the largest, are what is left of the motion of learned modes
GROWN = 20.0  # ln ρ gained by which a unit has run away: what is left of its time is e^(−20) of it
CLOSE_CALL = (
    1e-3  # a unit that would escape from weights larger by this may: the law of a frozen force is not exact
)
STEEPEST = 3**-0.5  # bound of 3Φ(u) for |G| = 1
LONGEST = 1e6  # natural times after which the direction of a unit has settled


@dataclass(frozen=True)
class Growth:
    """What dormant units will do.

    Parameters
    ----------
    unit : int or None
        The first to grow.
    wait : float
        Time until it has grown; inf if none does.
    possible : bool
        Whether one could grow if its weights were changed a little: then the state is a saddle.
    """

    unit: int | None
    wait: float
    possible: bool


def dormant_units(influence: Array, force: float) -> NDArray[np.intp]:
    """The smallest units, as many as together change the force by at most `UNNOTICED` of it; (K,) influences."""
    order = np.argsort(influence)
    return np.sort(order[np.cumsum(influence[order]) <= UNNOTICED * force])


def growth(
    W: Array,
    A: Array,
    G: Array,
    units: NDArray[np.intp],
    invariants: Array | None = None,
    decay: WeightDecay = NO_DECAY,
) -> Growth:
    """Growth of some units of a network W (K, d), A (O, K) under the force G (O, d, d).

    The invariants c_k (K,) of one output are worth handing on from the start: those of units that have shrunk could not
    be told from rounding errors any more.
    """
    waits, possible = {}, False
    for k in map(int, units):
        if len(G) == 1:
            waits[k], could = _one_output(
                W[k], float(A[0, k]), G[0], None if invariants is None else invariants[k], decay
            )
        else:
            waits[k], could = _several_outputs(W[k], A[:, k], G, decay)
        possible |= could
    first = min(waits, key=waits.__getitem__, default=None)
    if first is None or np.isinf(waits[first]):
        return Growth(None, np.inf, possible)
    return Growth(first, waits[first], True)


def _one_output(w: Array, a: float, G: Array, c: float | None, decay: WeightDecay) -> tuple[float, bool]:
    """Waiting time, and whether a nearby unit could grow: one whose a can get the sign of a rate."""
    g, E = _rates(G)
    if decay:
        return _decaying(w @ E, a, g, c, decay)
    unit = FrozenUnit(w @ E, a, g, c)
    if unit.blow_up_mode is not None:
        return unit.blow_up_time, True
    # Everything that moves decays, and a² ends at ½(‖w‖² − c) with the w that is left; where that is 0, with either
    # sign ahead.
    rest = 0.5 * (float(np.sum(unit.w[g == 0] ** 2)) - unit.c)
    return np.inf, bool((g * unit.sign > 0).any() if rest > KERNEL * a**2 else g.any())


def _decaying(w: Array, a: float, g: Array, c: float | None, decay: WeightDecay) -> tuple[float, bool]:
    """Waiting time of a unit that decays, that of a slightly larger one if that alone escapes; whether it may grow."""
    wait = growing_unit(w, a, g, decay, c).blow_up_time
    if np.isinf(wait):
        f = 1 + CLOSE_CALL
        wait = growing_unit(f * w, f * a, g, decay, None if c is None else f**2 * c).blow_up_time
    if np.isfinite(wait):
        return wait, True
    # Of the states that one decay alone leaves alone, w = 0 or a = 0, some grow when disturbed.
    return np.inf, bool((a * g > decay.first).any() if decay.second == 0 else decay.first == 0 and g.any())


def _several_outputs(w: Array, A: Array, G: Array, decay: WeightDecay) -> tuple[float, bool]:
    """Waiting time by integration, and whether a nearby unit could grow: one with any direction of Φ > 0."""
    y = np.concatenate([w, A])
    rho, size = float(np.linalg.norm(y)), float(np.abs(np.linalg.eigvalsh(G)).max())
    if size == 0 or rho == 0:
        return np.inf, size > 0 and not decay
    Lambda = np.repeat([decay.first, decay.second], [len(w), len(A)]) / (size * rho)
    lost = min(decay.first, decay.second) / (
        STEEPEST * float(np.linalg.norm(np.linalg.norm(G, 2, (1, 2)))) * rho
    )

    def field(tau: float, state: Array) -> Array:
        u = state[:-2] / np.linalg.norm(state[:-2])
        wu, Au = u[: len(w)], u[len(w) :]
        Gw = G @ wu / size  # (O, d)
        slope = np.concatenate([Au @ Gw, 0.5 * Gw @ wu])
        slope -= Lambda * u * np.exp(-state[-2])
        height = float(slope @ u)  # 3Φ, less the decay
        return np.concatenate([slope - height * u, [height, np.exp(-state[-2])]])

    def grown(tau: float, state: Array) -> float:
        return float(state[-2] - GROWN)

    def decayed(tau: float, state: Array) -> float:
        return float(np.exp(min(state[-2], GROWN)) - lost)

    grown.terminal = decayed.terminal = True  # type: ignore[attr-defined]
    if lost >= 1:
        return np.inf, False
    start = np.concatenate([y / rho, [0.0, 0.0]])
    way = solve_ivp(field, (0.0, LONGEST), start, "LSODA", events=[grown, decayed], rtol=1e-8, atol=1e-14)
    end = way.y[:, -1]
    if len(way.t_events[0]):
        return float(end[-1]) / (size * rho), True
    if decay:
        return np.inf, False
    A_end = end[len(w) : -2]
    if np.linalg.norm(A_end) <= KERNEL:
        return np.inf, True
    return np.inf, bool(np.linalg.eigvalsh(np.tensordot(A_end, G, 1))[-1] > KERNEL * size)


@dataclass(frozen=True, eq=False)
class Plateau:
    """A state of one output at rest but for its dormant units, which move by the frozen-unit law.

    Parameters
    ----------
    W : (K, d) array
    A : (1, K) array
    basis : (d, d) array
        Eigenvectors of G as columns.
    units : dict of int to GrowingUnit
        The dormant ones, in that basis.
    """

    W: Array
    A: Array
    basis: Array
    units: dict[int, GrowingUnit]

    def after(self, time: float) -> tuple[Array, Array]:
        """Weights (W, A) at a later time.

        Raises
        ------
        ComputationError
            If the law of a unit cannot be inverted there.
        """
        W, A = self.W.copy(), self.A.copy()
        for k, unit in self.units.items():
            w, A[0, k] = unit.after(time)
            W[k] = self.basis @ w
        return W, A


def plateau(
    W: Array,
    A: Array,
    G: Array,
    units: NDArray[np.intp],
    invariants: Array | None = None,
    decay: WeightDecay = NO_DECAY,
) -> Plateau:
    """The plateau of a network W (K, d), A (1, K) under the force G (1, d, d), on which some units are dormant."""
    g, E = _rates(G[0])
    c = [None] * len(W) if invariants is None else invariants
    frozen = {k: growing_unit(W[k] @ E, float(A[0, k]), g, decay, c[k]) for k in map(int, units)}
    return Plateau(W, A, E, frozen)


def _rates(G: Array) -> tuple[Array, Array]:
    """Eigenvalues of a force, zero in its kernel, and eigenvectors as columns."""
    g, E = np.linalg.eigh(G)
    g[np.abs(g) <= KERNEL * np.abs(g).max(initial=0.0)] = 0.0
    return g, E
