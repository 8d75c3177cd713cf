"""Staircase: all jumps and plateaus after a small initialisation, without integrating the flow.

Trainable second layer. On a plateau every unit that is still small moves under a constant G, which has an explicit
solution (`dynamics.saddle_to_saddle.frozen_unit`). The first unit to blow up is captured by the mode along which it
runs away; G changes; the others go on from where they are. Plateaus last of the order of 1/ε, jumps of the order of
1, so that the blow-up times are jump times up to a relative error of the order of ε ln(1/ε).

Second layer fixed at one value α. All units grow together, ‖W_j‖² = e^{2α∫g_j dt} for the column W_j of mode j, and
plateaus last of the order of ln(1/ε). Here even the constant is known: see
`dynamics.saddle_to_saddle.collective_growth`.

The plateaus are those of theory: "fixed points"; equations derived here (theory: "saddle to saddle").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.atlas.levels import Level
from dynamics.errors import ComputationError, ProblemError
from dynamics.problem import Problem
from dynamics.saddle_to_saddle.collective_growth import CollectiveGrowth
from dynamics.saddle_to_saddle.eigenframe import SAME, EigenFrame, eigenframe
from dynamics.saddle_to_saddle.frozen_unit import FrozenUnit, invariant

Array = NDArray[np.float64]
Modes = tuple[int, ...]

SMALL = 0.1  # of the teacher: a start above this is far from the small-initialisation limit
EVERYTHING_LEARNED = "Everything is learned."
NO_COMPONENT = 1e-12  # parts of a vector below this, relative to the whole, are rounding errors


@dataclass(frozen=True)
class Jump:
    """A drop of the loss from one plateau to the next.

    Parameters
    ----------
    time : float
        In units of learning rate × steps.
    unit : int or None
        Hidden unit that jumps; None where all move together (second layer fixed).
    mode : int
        Mode that is learned: its place among all d eigenvalues, descending, as in the catalogue of fixed points.
    learned_modes : tuple of int
        All modes learned after the jump.
    loss_before, loss_after : float
        Heights of the two plateaus.
    """

    time: float
    unit: int | None
    mode: int
    learned_modes: Modes
    loss_before: float
    loss_after: float


@dataclass(frozen=True, eq=False)
class Staircase:
    """Predicted plateaus and jumps.

    Parameters
    ----------
    levels : tuple of Level
        Plateaus in order of time, one more than jumps; learned modes are numbered as in the jumps.
    jumps : tuple of Jump
    law : str
        How jump times scale with the size ε of the initial weights: "1/ε" or "ln(1/ε)".
    end : str
        Why no jump follows the last one.
    warnings : tuple of str
    """

    levels: tuple[Level, ...]
    jumps: tuple[Jump, ...]
    law: str
    end: str
    warnings: tuple[str, ...] = ()

    def loss(self, times: ArrayLike) -> Array:
        """Height of the plateau at given times."""
        heights = np.array([level.loss for level in self.levels])
        return heights[np.searchsorted([j.time for j in self.jumps], np.asarray(times), side="right")]

    def as_dict(self) -> dict[str, Any]:
        """What `quadflow staircase --json` prints."""
        keys = ("time", "unit", "learned_modes", "loss_before", "loss_after")
        return {
            "jumps": [{key: getattr(jump, key) for key in keys} for jump in self.jumps],
            "law": self.law,
            "end": self.end,
            "warnings": list(self.warnings),
        }

    def summary(self) -> str:
        """One line per plateau and jump."""
        lines = [f"plateau  loss {self.levels[0].loss:.6g}"]
        for jump in self.jumps:
            who = "" if jump.unit is None else f"  unit {jump.unit}"
            lines.append(f"t = {jump.time:.6g}{who}  learns mode {jump.mode}  loss {jump.loss_after:.6g}")
        return "\n".join([*lines, self.end, *self.warnings])

    def __repr__(self) -> str:
        return f"Staircase ({self.law})\n  " + self.summary().replace("\n", "\n  ")


def staircase(problem: Problem) -> Staircase:
    """Predict all jump times and plateau heights from the problem's initial state.

    The state is small, or small apart from units that have already been captured (a state on a later plateau).

    Parameters
    ----------
    problem : Problem
        One output; quadratic or centred activation; Σ commuting with M*; second layer trainable or fixed at
        one common value.

    Returns
    -------
    Staircase

    Raises
    ------
    ProblemError
        If the problem is of another kind, or its initial state neither small nor near a plateau.
    ComputationError
        If the prediction breaks down on the way.
    """
    frame = eigenframe(problem)
    if problem.student.trainable:
        return _unit_by_unit(frame)
    if np.ptp(frame.a) > 0:
        raise ProblemError(
            f"`a` is fixed at values from {frame.a.min():g} to {frame.a.max():g}, but jump times with a fixed"
            " second layer are known only if all values are equal."
        )
    return _all_together(frame)


# --- Trainable second layer -------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Plateau:
    """A state on a plateau: `captured` maps units to their modes; the others are small.

    `invariants` are the c_k = ‖w_k‖² − 2a_k² of all units.
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

    def dormant(self) -> dict[int, FrozenUnit]:
        """The small units, under the constant G of this plateau."""
        rates = self.frame.rates(self.learned)
        rows = zip(self.frame.W, self.frame.a, self.invariants, strict=True)
        return {
            k: FrozenUnit(w, float(a), rates, c) for k, (w, a, c) in enumerate(rows) if k not in self.captured
        }


def _unit_by_unit(frame: EigenFrame) -> Staircase:
    """Event by event: first blow-up, capture, new G."""
    plateau = _first_plateau(frame)
    share = _start_size(frame, [k for k in range(len(frame.a)) if k not in plateau.captured])
    levels, jumps, now = [frame.named(plateau.learned)], list[Jump](), 0.0
    while True:
        units = plateau.dormant()
        times = {k: unit.blow_up_time for k, unit in units.items()}
        first = min(times, key=times.__getitem__, default=None)
        if first is None or np.isinf(times[first]):
            break
        now += times[first]
        plateau, mode = _after_capture(plateau, units, first)
        levels.append(frame.named(plateau.learned))
        name = int(frame.numbers[mode])
        jumps.append(Jump(now, first, name, levels[-1].learned, levels[-2].loss, levels[-1].loss))
    if not plateau.frame.residual(plateau.learned).any():
        end = EVERYTHING_LEARNED
    elif units:
        end = "No unit that is left can grow: the loss stays at this height."
    else:
        end = "Every unit is captured: the loss stays at this height."
    return Staircase(tuple(levels), tuple(jumps), "1/ε", end, _size_warnings(share))


def _after_capture(plateau: _Plateau, units: dict[int, FrozenUnit], first: int) -> tuple[_Plateau, int]:
    """The next plateau, when the unit `first` blows up, and the mode it learns."""
    time = units[first].blow_up_time
    W, a = plateau.frame.W.copy(), plateau.frame.a.copy()
    for k, unit in units.items():
        if k != first:
            W[k], a[k] = unit.after(time)
    mode = _captured_mode(plateau, units[first], first)
    frame, mode = _turned_to(replace(plateau.frame, W=W, a=a), first, mode, plateau.learned)
    after = replace(plateau, frame=frame, captured={**plateau.captured, first: mode})
    return _without_wrong_signs(plateau, after), mode


def _captured_mode(plateau: _Plateau, unit: FrozenUnit, number: int) -> int:
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
        if np.linalg.norm(np.delete(w, own)) > NO_COMPONENT * np.linalg.norm(w):
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


def _without_wrong_signs(before: _Plateau, plateau: _Plateau) -> _Plateau:
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


def _first_plateau(frame: EigenFrame) -> _Plateau:
    """The plateau on which the initial state lies: as many captured units as are consistent with one.

    Raises
    ------
    ProblemError
        If the state is neither small nor near a plateau.
    """
    scale = np.abs(frame.eigenvalues).max(initial=0.0)
    sizes = np.abs(frame.a) * np.sum(frame.variances * frame.W**2, axis=1)  # parts of the learned values
    largest_first = np.argsort(-sizes, kind="stable")
    for n in range(int(np.sum(sizes > 1e-3 * scale)), -1, -1):
        plateau = _with_captured(frame, largest_first[:n])
        if sizes[largest_first[n:]].sum() <= SMALL * scale and _is_settled(plateau):
            return plateau
    raise ProblemError(
        f"The initial state is neither small nor near a plateau (one unit has |a|‖w‖² = {sizes.max():.3g}, the largest"
        f" eigenvalue is {scale:.3g}), but jumps are predicted only from there: lower the size of the weights."
    )


def _with_captured(frame: EigenFrame, units: NDArray[np.int64]) -> _Plateau:
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
    return _Plateau(frame, invariants, captured)


def _is_settled(plateau: _Plateau) -> bool:
    """Whether the captured units hold their modes at the learned values of the plateau, to 5 %."""
    frame, learned = plateau.frame, list(plateau.learned)
    units = list(plateau.captured)
    W = frame.W[units] * np.sqrt(frame.variances)
    M = (W.T * frame.a[units]) @ W
    wanted = np.zeros_like(M)
    wanted[learned, learned] = plateau.level.values
    return bool(
        np.abs(M - wanted).max(initial=0.0) <= 0.05 * np.abs(plateau.level.values).min(initial=np.inf)
    )


def _start_size(frame: EigenFrame, units: Sequence[int]) -> float:
    """Σ |a_k| ‖w_k‖² of some units, in units of the largest eigenvalue."""
    k = list(units)
    size = np.sum(np.abs(frame.a[k])[:, None] * frame.variances * frame.W[k] ** 2)
    return float(size / np.abs(frame.eigenvalues).max(initial=np.finfo(float).tiny))


def _size_warnings(share: float) -> tuple[str, ...]:
    """What a reader should know who starts from weights that are not very small."""
    if share < 0.01:
        return ()
    return (
        f"the small units start at {share:.1%} of the largest eigenvalue: jumps are not short compared with plateaus,"
        " and their times are rough",
    )


# --- Second layer fixed at one value ----------------------------------------------------------------------


def _all_together(frame: EigenFrame) -> Staircase:
    """Jump by jump; a negative value α learns the negative eigenvalues, as −α learns those of −M*."""
    alpha = float(frame.a[0])
    mirror = -1.0 if alpha < 0 else 1.0
    growth = CollectiveGrowth(replace(frame, eigenvalues=mirror * frame.eigenvalues), abs(alpha))
    share = _start_size(frame, range(len(frame.a)))
    if share > SMALL:
        raise ProblemError(
            f"The initial state has α‖W‖² = {share:.3g} times the largest eigenvalue, but jumps are predicted only from"
            f" at most {SMALL:g}: lower the size of the weights."
        )
    levels, jumps, now = [frame.named(())], list[Jump](), 0.0
    while (event := growth.next()) is not None:
        now, growth = max(now, event[0]), event[1]
        levels.append(frame.named(growth.learned))
        name = int(frame.numbers[growth.learned[-1]])
        jumps.append(Jump(now, None, name, levels[-1].learned, levels[-2].loss, levels[-1].loss))
        if (levels[-1].values * mirror <= 0).any():
            raise ComputationError(
                f"The prediction breaks down after t = {now:.6g}: a learned mode is unlearned again."
            )
    if not frame.residual(growth.learned).any():
        end = EVERYTHING_LEARNED
    elif len(growth.learned) == len(frame.a) and _is_optimal(growth):
        end = "As many modes are learned as there are units: the loss stays at this height."
    elif len(growth.learned) == len(frame.a):
        end = "As many modes are learned as there are units, but a larger one will replace one of them: no time known."
    else:
        end = "No mode that is left can grow: the loss stays at this height."
    return Staircase(tuple(levels), tuple(jumps), "ln(1/ε)", end, _size_warnings(share))


def _is_optimal(growth: CollectiveGrowth) -> bool:
    """Whether no mode that is left is larger than a learned one (for Σ = I the largest are learned first)."""
    left = growth.frame.residual(growth.learned).max()
    return bool(left <= growth.frame.level(growth.learned).values.min())
