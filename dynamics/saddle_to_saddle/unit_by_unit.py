"""From jump to jump with a trainable second layer: which units are captured when, and what the others do meanwhile.

On a plateau every small unit moves under a constant G (`frozen_unit`). The first to blow up, and those that tie with
it (`shared_mode`), are captured by a mode. The state after the jump is that of the frozen units a time R before the
blow-up, when the captured ones have just their final size: by then the growth ∫g dt of every direction is what the
real jump leaves of it, exactly so where the modes do not influence each other (centred activation) and on the first
plateau (derived here). Later jumps move the modes learned before as well, which shifts everything by a time of the
order of R: `stretch` varies R, to see how much that matters.

Under weight decay small units follow the law of `dynamics.saddle_to_saddle.decaying_unit` with the G of the decayed
plateaus, on which learned modes keep a force. Nobody can learn those again before the end of all times s = 1/ρ: the
holder has grown at the same rate from larger weights. A jump itself is short, and knows no decay.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import beta

from dynamics.aliases import Array
from dynamics.errors import ComputationError, ProblemError
from dynamics.problem.levels import Level
from dynamics.saddle_to_saddle.decaying_unit import GrowingUnit, growing_unit
from dynamics.saddle_to_saddle.eigenframe import SAME, EigenFrame
from dynamics.saddle_to_saddle.growing_unit import invariant
from dynamics.saddle_to_saddle.shared_mode import companions, parting, time_left

Modes = tuple[int, ...]

SMALL = 0.1  # of the teacher: a start above this is far from the small-initialisation limit
NO_COMPONENT = 1e-12  # parts of a vector below this, relative to the whole, are rounding errors
SHARE = 1e-3  # units that hold less than this of a mode are still dormant: their own growth is that of frozen units


@dataclass(frozen=True, eq=False)
class Plateau:
    """A state on a plateau: `captured` maps units to their modes; the others are small.

    `invariants` are the c_k = ‖w_k‖² − 2a_k² of all units, which decay if these do. A mode may have several units.
    """

    frame: EigenFrame
    invariants: tuple[float, ...]
    captured: dict[int, int]

    @property
    def learned(self) -> Modes:
        return tuple(sorted(set(self.captured.values())))

    @property
    def level(self) -> Level:
        return self.frame.level(self.learned)

    @cached_property
    def dormant(self) -> dict[int, GrowingUnit]:
        """The small units, under the constant G of this plateau."""
        rates = self.frame.rates(self.learned)
        rows = zip(self.frame.W, self.frame.a, self.invariants, strict=True)
        return {
            k: growing_unit(w, float(a), rates, self.frame.decay, c)
            for k, (w, a, c) in enumerate(rows)
            if k not in self.captured
        }

    @property
    def next_to_grow(self) -> int | None:
        """The dormant unit that blows up first; None if none does."""
        times = {
            k: unit.blow_up_time
            for k, unit in self.dormant.items()
            if np.isfinite(unit.blow_up_time) and unit.blow_up_mode not in self.learned
        }
        return min(times, key=times.__getitem__, default=None)

    def aged(self, time: float) -> Plateau:
        """The same with the invariants as they are so much later."""
        left = float(np.exp(-2 * self.frame.decay.first * time))
        return replace(self, invariants=tuple(c * left for c in self.invariants))

    def scaled(self, factor: float) -> Plateau:
        """The same with larger or smaller dormant units."""
        plateau = self.with_weights({k: (factor * u.w, factor * u.a) for k, u in self.dormant.items()})
        c = [c if k in self.captured else c * factor**2 for k, c in enumerate(self.invariants)]
        return replace(plateau, invariants=tuple(c))

    def with_weights(self, rows: dict[int, tuple[Array, float]]) -> Plateau:
        """The same with other weights (w, a) of some units."""
        W, a = self.frame.W.copy(), self.frame.a.copy()
        for k, (w, value) in rows.items():
            W[k], a[k] = w, value
        return replace(self, frame=replace(self.frame, W=W, a=a))


@dataclass(frozen=True, eq=False)
class Event:
    """A jump.

    Parameters
    ----------
    time : float
    unit : int
        The one that jumps; of several, the one with the largest part.
    units : tuple of int
        All that share the jump, by number.
    mode : int
        Index in the frame of `plateau`.
    plateau : Plateau
        After the jump.
    resumes : float
        Time at which the state of `plateau` belongs.
    blur : float
        Time that the jump itself takes, about: R.
    """

    time: float
    unit: int
    units: tuple[int, ...]
    mode: int
    plateau: Plateau
    resumes: float
    blur: float


def events(start: Plateau, stretch: float = 1.0) -> list[Event]:
    """All jumps from a plateau on, event by event: first blow-up, capture, new G.

    Parameters
    ----------
    start : Plateau
    stretch : float
        Factor on the times by which every plateau ends before its blow-up: 1, or another to vary them.
    """
    found: list[Event] = []
    plateau, clock = start, 0.0
    while (event := _next(plateau, clock, stretch)) is not None:
        if found:  # resuming before the blow-up must not put a jump before the last one
            event = replace(event, time=max(event.time, found[-1].time))
        found.append(event)
        plateau, clock = event.plateau, event.resumes
    return found


def _next(plateau: Plateau, clock: float, stretch: float) -> Event | None:
    """The next jump: a blow-up of a dormant unit, or the parting of units that share a mode, whichever is first."""
    units = plateau.dormant
    first = plateau.next_to_grow
    captured = list(plateau.captured)
    W, a = plateau.frame.W[captured], plateau.frame.a[captured]
    until = np.inf if first is None else units[first].blow_up_time
    part = parting(plateau.frame, W, a, plateau.learned, until)
    if part is not None:
        rows = zip(part.W, part.a, strict=True)
        plateau = plateau.with_weights({k: (w, float(v)) for k, (w, v) in zip(captured, rows, strict=True)})
        if part.mode is not None:
            return _parted(plateau, units, clock, part.time, part.mode)
    if first is None or not plateau.frame.holds((*plateau.learned, units[first].blow_up_mode)):  # type: ignore[arg-type]
        return None
    return _capture(plateau, units, first, clock, stretch)


def _parted(plateau: Plateau, units: dict[int, GrowingUnit], clock: float, time: float, mode: int) -> Event:
    """The jump in which captured units that share their modes learn one more together."""
    plateau = plateau.with_weights({k: unit.after(time) for k, unit in units.items()}).aged(time)
    holders = list(plateau.captured.values())
    parts = {
        k: float(
            plateau.frame.a[k] * plateau.frame.W[k, mode] ** 2 * plateau.frame.residual(plateau.learned)[mode]
        )
        for k, i in plateau.captured.items()
        if holders.count(i) > 1
    }
    lead, sharing = _shared(parts)
    frame, mode = _turned_to(plateau.frame, lead, mode, plateau.learned)
    after = replace(plateau, frame=frame, captured=plateau.captured | {lead: mode})
    now = clock + time
    return Event(now, lead, sharing, mode, _without_wrong_signs(plateau, after), now, 0.0)


def _capture(
    plateau: Plateau, units: dict[int, GrowingUnit], first: int, clock: float, stretch: float
) -> Event:
    """The jump in which the unit `first` blows up, with all that tie with it."""
    lead, delays = units[first], companions(units, first)
    total, growing = lead.blow_up_time, lead.blow_up_mode
    assert growing is not None  # it blows up
    level = plateau.frame.level((*plateau.learned, growing))
    value = abs(float(level.values[level.learned.index(growing)]))
    alone = time_left(
        list(delays.values()), abs(float(lead.rates[growing])), plateau.frame.variances[growing], value
    )
    left = min(stretch * alone, total)
    states = {
        k: unit.before(min(left + delays[k], unit.blow_up_time)) if k in delays else unit.after(total - left)
        for k, unit in units.items()
    }
    mode = _captured_mode(plateau, lead, first)
    turns = mode in plateau.frame.alike(growing)
    frame, mode = _turned_to(plateau.with_weights(states).frame, first, mode, plateau.learned)
    along = mode if turns else growing
    unit, sharing = _shared({k: float(abs(frame.a[k]) * frame.W[k, along] ** 2) for k in delays})
    moved = replace(plateau, frame=frame)
    coupling = _turning(moved, first, along, stretch)
    moved = moved.with_weights(
        {k: _kicked(frame.W[k], float(frame.a[k]), along, coupling) for k in units if k not in sharing}
    )
    after = replace(moved, captured=plateau.captured | dict.fromkeys(sharing, mode)).aged(total - left)
    resumes = clock + total - left
    return Event(clock + total, unit, sharing, mode, _without_wrong_signs(plateau, after), resumes, alone)


def _shared(parts: dict[int, float]) -> tuple[int, tuple[int, ...]]:
    """The unit that holds most of a mode, and all that hold a part worth naming, by number."""
    most = max(parts.values())
    sharing = tuple(sorted(k for k, part in parts.items() if part >= SHARE * most))
    return next(k for k in sharing if parts[k] >= most * (1 - SHARE)), sharing


def _turning(plateau: Plateau, unit: int, mode: int, stretch: float = 1.0) -> Array:
    """Integral over a jump of the entries G_ij that couple its mode j to others while the unit still turns to it, (r,).

    With s = ∫ a dt the unit's w_j grows as e^{g_j s} to its learned size, (w_j/w_∞)³ = 1/(1 + e^{−3g_j s}), and w_i as
    e^{g_i s}, until on the next plateau w_i decays with κ = 4σ_i (μ_j − λ̃_i). In between w_i w_j follows
    e^{−κs} (1 + e^{−3g_j s})^{−(g_i + g_j + κ)/3g_j}, exactly so for Σ = I without trace coupling, and the integral of
    M_ij dt = w_i w_j ds is w_i w_j of the frozen unit at the end of its plateau (s = 0, here the state of `plateau`)
    times B(κ/3g_j, (g_i + g_j)/3g_j) / 3g_j. (Other losses have another stiffness in place of 4, here that of the next
    plateau.) A stretched R is undone in the former, R^(−(g_i + g_j)/g_j), and stretches
    the whole, so that it varies by the same factor.
    """
    frame = plateau.frame
    w, sign = frame.W[unit], np.sign(frame.a[unit])
    after = (*plateau.learned, mode)
    stiffness, lead, share = frame.turning(after, mode)
    g = sign * frame.rates(plateau.learned)
    kappa = sign * stiffness * frame.variances * lead
    free = (w != 0) & (kappa > 0) & (g + g[mode] > 0)
    free[[*after, *frame.alike(mode)]] = False
    integral = np.zeros_like(w)
    integral[free] = beta(kappa[free] / (3 * g[mode]), 1 / 3 + g[free] / (3 * g[mode])) / (3 * g[mode])
    integral *= stretch ** (2 + g / g[mode])
    answer = share * stiffness * frame.variances * frame.variances[mode]
    return -answer * sign * w * w[mode] * integral


def _kicked(w: Array, a: float, mode: int, coupling: Array) -> tuple[Array, float]:
    """A small unit after a jump to the mode j in which the entries G_ij had these integrals."""
    others = float(coupling @ w)
    moved = w + a * coupling * w[mode]
    moved[mode] += a * others
    return moved, a + w[mode] * others


def _captured_mode(plateau: Plateau, unit: GrowingUnit, number: int) -> int:
    """The largest effective eigenvalue of the unit's sign.

    For Σ = I it is the direction of the blow-up itself. In other inputs a smaller eigenvalue may grow faster, but
    its mode does not hold the unit: having learned μ_i < λ̃_j it turns towards j within a time of order ln(1/ε).
    """
    growth = unit.sign * plateau.frame.residual(plateau.learned)
    mode = int(np.argmax(np.where(unit.w != 0, growth, -np.inf)))
    largest = int(np.argmax(growth))
    if growth[mode] >= growth[largest] * (1 - SAME):
        return mode
    for w in plateau.frame.W:  # an aligned state stays aligned: then nothing turns a unit away from its mode
        own = plateau.frame.alike(int(np.argmax(np.abs(w))))
        if np.delete(w, own).any():
            raise ComputationError(
                f"The prediction breaks down: unit {number + 1} is captured by mode {mode + 1} because it has no"
                f" component along the larger mode {largest + 1}, but other units give it one; start with a component"
                " along every mode, or with each unit along a single one."
            )
    return mode


def _turned_to(frame: EigenFrame, unit: int, mode: int, learned: Modes) -> tuple[EigenFrame, int]:
    """For a repeated eigenvalue, eigenvectors of which the first points along the unit's part in the eigenspace."""
    free = np.setdiff1d(frame.alike(mode), learned)
    if len(free) == 1:
        return frame, mode
    Q = np.linalg.qr(np.column_stack([frame.W[unit, free], np.eye(len(free))]))[0]
    return frame.rotated(free, Q.T), int(free[0])


def _without_wrong_signs(before: Plateau, plateau: Plateau) -> Plateau:
    """Let go of units whose mode would need a learned value of the other sign than their a.

    Learned values μ_i shift with every capture. With random weights they keep their signs (each sign learns its
    modes in order of size); aligned units may learn in any order, and lose what they learned.
    """
    while True:
        values = dict(zip(plateau.learned, plateau.level.values, strict=True))
        signs = dict(zip(before.learned, np.sign(before.level.values), strict=True))
        wrong = [i for i, sign in signs.items() if i in values and values[i] * sign <= 0]
        if not wrong:
            return plateau
        mode = min(wrong, key=lambda i: values[i] * signs[i])
        if plateau.frame.decay:
            raise ComputationError(f"The prediction breaks down: mode {mode + 1} is unlearned again.")
        owners = [k for k, i in plateau.captured.items() if i == mode]
        if len(owners) > 1:
            raise ComputationError(
                f"The prediction breaks down: mode {mode + 1}, shared by {len(owners)} units, is unlearned again."
            )
        k = owners[0]
        W, a = plateau.frame.W.copy(), plateau.frame.a.copy()
        mu = before.level.values[before.learned.index(mode)]
        a[k] = _settled(mu / plateau.frame.variances[mode], plateau.invariants[k])
        W[k] = 0.0
        W[k, mode] = np.sqrt(plateau.invariants[k] + 2 * a[k] ** 2)
        captured = {unit: i for unit, i in plateau.captured.items() if unit != k}
        plateau = replace(plateau, frame=replace(plateau.frame, W=W, a=a), captured=captured)


def _settled(value: float, c: float) -> float:
    """Second-layer weight of a unit that alone holds a mode: the root of a (2a² + c) = value with 2a² + c > 0."""
    roots = np.roots([2.0, 0.0, c, -value])
    real = roots[np.abs(roots.imag) <= 1e-8 * np.abs(roots)].real
    return float(real[np.argmax(real * np.sign(value))])


def first_plateau(frame: EigenFrame) -> Plateau:
    """The plateau on which the initial state lies: as many captured units as are consistent with one.

    Raises
    ------
    ProblemError
        If the state is neither small nor near a plateau.
    """
    scale = np.abs(frame.eigenvalues).max(initial=0.0)
    sizes = np.abs(frame.a) * np.sum(frame.variances * frame.W**2, axis=1)  # parts of the learned values
    largest_first = np.argsort(-sizes, kind="stable")
    others = sizes.sum() - np.append(0.0, np.cumsum(sizes[largest_first]))  # without the n largest
    for n in range(int(np.sum(sizes > 1e-3 * scale)), -1, -1):
        if others[n] > SMALL * scale:
            break  # of thousands of units that are neither small nor alone none is captured
        plateau = _with_captured(frame, largest_first[:n])
        if _is_settled(plateau):
            return plateau
    raise ProblemError(
        f"The initial state is neither small nor near a plateau (one unit has |a|‖w‖² = {sizes.max():.3g}, the largest"
        f" eigenvalue is {scale:.3g}), but jumps are predicted only from there: lower the size of the weights."
    )


def _with_captured(frame: EigenFrame, units: NDArray[np.int64]) -> Plateau:
    """Read these units as captured, each by the direction in which it is largest."""
    W = np.where(
        np.abs(frame.W) > NO_COMPONENT * np.linalg.norm(frame.W, axis=1, keepdims=True), frame.W, 0.0
    )
    frame = replace(frame, W=W)
    captured: dict[int, int] = {}
    for k in map(int, units):
        mode = int(np.argmax(frame.W[k] ** 2 * frame.variances))
        if mode not in captured.values():
            frame, mode = _turned_to(frame, k, mode, tuple(captured.values()))
        captured[k] = mode
    invariants = tuple(invariant(w, float(a)) for w, a in zip(frame.W, frame.a, strict=True))
    return Plateau(frame, invariants, captured)


def _is_settled(plateau: Plateau) -> bool:
    """Whether the captured units hold their modes at the learned values of the plateau, to 5 %."""
    frame, learned = plateau.frame, list(plateau.learned)
    if not frame.holds(learned):
        return False
    units = list(plateau.captured)
    W = frame.W[units] * np.sqrt(frame.variances)
    M = (W.T * frame.a[units]) @ W
    wanted = np.zeros_like(M)
    wanted[learned, learned] = plateau.level.values
    return bool(
        np.abs(M - wanted).max(initial=0.0) <= 0.05 * np.abs(plateau.level.values).min(initial=np.inf)
    )
