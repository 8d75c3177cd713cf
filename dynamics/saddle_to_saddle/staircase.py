"""Staircase: all jumps and plateaus after a small initialisation, without integrating the flow.

Trainable second layer. On a plateau every unit that is still small moves under a constant G, which has an explicit
solution (`dynamics.saddle_to_saddle.growing_unit`). The first unit to blow up, or several at once (`shared_mode`), is
captured by the mode along which it runs away; G changes; the others go on from where they are (`unit_by_unit`).
Plateaus last of the order of 1/ε, jumps of the order of 1, so that the blow-up times are jump times up to a relative
error of the order of ε, which is estimated for every jump.

Second layer fixed at one value α. All units grow together, ‖W_j‖² = e^{2α∫g_j dt} for the column W_j of mode j, and
plateaus last of the order of ln(1/ε). Here even the constant is known: see
`dynamics.saddle_to_saddle.collective_growth`.

Weight decay, second layer trained: a dormant unit also decays, and escapes only if without decay it would have blown up
within s = 1/ρ (`dynamics.saddle_to_saddle.decaying_unit`), so that the staircase stops at the first jump that would
come later. Close to that, t = −ln(1 − ρs)/ρ makes jump times as sensitive as 1/(1 − ρs): every jump says how much.
Second layer fixed: decay weakens the modes, and no size of the start matters.

The plateaus are those of theory: "fixed points"; equations derived here (theory: "saddle to saddle").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.curves.variables import LOSS_UNIT, TIME_UNIT, Variable, Variables, measured_in
from dynamics.errors import ComputationError, ProblemError
from dynamics.problem import Problem
from dynamics.problem.levels import Level
from dynamics.saddle_to_saddle.collective_growth import CollectiveGrowth
from dynamics.saddle_to_saddle.decaying_unit import smallest_factor
from dynamics.saddle_to_saddle.eigenframe import EigenFrame, eigenframe
from dynamics.saddle_to_saddle.growing_unit import FrozenUnit
from dynamics.saddle_to_saddle.jump import JUMPS, Jump
from dynamics.saddle_to_saddle.jump_errors import NUDGE, copies_part, sensitivities, uncertainties
from dynamics.saddle_to_saddle.unit_by_unit import SMALL, Plateau, events, first_plateau
from dynamics.words import listed

SENSITIVE = (
    0.01 / NUDGE
)  # relative changes of a jump time, in those of the size of the start, above which a warning says so
UNCERTAIN = 0.02  # relative errors of jump times above this are said in a warning
EVERYTHING_LEARNED = "Everything is learned."
GROWS = "The labels are separated: the loss falls to zero, while the weights grow for ever."


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
    missing : float or None
        Where weight decay stops the staircase: the factor, larger than 1, on the start (with unequal decay: on what is
        left of it on the last plateau) from which on one more jump follows; None where no factor is enough.
    unit : str
        Of the loss.
    """

    levels: tuple[Level, ...]
    jumps: tuple[Jump, ...]
    law: str
    end: str
    warnings: tuple[str, ...] = ()
    missing: float | None = None
    unit: str = LOSS_UNIT

    def loss(self, times: ArrayLike) -> Array:
        """Height of the plateau at given times."""
        heights = np.array([level.loss for level in self.levels])
        return heights[np.searchsorted([j.time for j in self.jumps], np.asarray(times), side="right")]

    def as_dict(self) -> dict[str, Any]:
        """What `quadflow staircase --json` prints."""
        return {
            "jumps": [jump.as_dict() for jump in self.jumps],
            "law": self.law,
            "end": self.end,
            "warnings": list(self.warnings),
        } | ({} if self.missing is None else {"missing": self.missing})

    def variables(self) -> Variables:
        """Jumps, and the heights of the plateaus between them."""
        found = {
            name: Variable(("jump",), [getattr(jump, name) for jump in self.jumps], meaning, unit)
            for name, (meaning, unit) in JUMPS.items()
        }
        heights = [level.loss for level in self.levels]
        # NaN: not estimated; inf: no bound
        errors = [np.nan if j.uncertainty is None else j.uncertainty for j in self.jumps]
        found |= {
            "uncertainty": Variable(("jump",), errors, "estimated error of the time", TIME_UNIT),
            "level": Variable(("plateau",), heights, "height of each plateau", LOSS_UNIT),
        }
        return measured_in(self.unit, found)

    def summary(self) -> str:
        """One line per plateau and jump."""
        lines = [f"plateau  loss {self.levels[0].loss:.6g}"]
        for jump in self.jumps:
            who = (
                "" if jump.unit is None else f"  unit{'s' * (len(jump.units) > 1)} {listed(jump.units, 'd')}"
            )
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
        one common value; inputs of a law that rotations leave as it is.

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
        return replace(_in_time(_unit_by_unit(frame), frame.clock), unit=problem.loss.unit)
    if np.ptp(frame.a) > 0:
        raise ProblemError(
            f"`a` is fixed at values from {frame.a.min():g} to {frame.a.max():g}, but jump times with a fixed"
            " second layer are known only if all values are equal."
        )
    return _in_time(_all_together(frame), frame.clock)


def _in_time(found: Staircase, gamma: float) -> Staircase:
    """From the clock of L/γ to that of L: times γ times as short, losses γ times as high."""
    if gamma == 1:
        return found
    return replace(
        found,
        levels=tuple(replace(level, loss=gamma * level.loss) for level in found.levels),
        jumps=tuple(jump.in_time(gamma) for jump in found.jumps),
    )


# --- Trainable second layer -------------------------------------------------------------------------------


def _unit_by_unit(frame: EigenFrame) -> Staircase:
    """Event by event: first blow-up, capture, new G."""
    start = first_plateau(frame)
    share = _start_size(frame, [k for k in range(len(frame.a)) if k not in start.captured])
    found = events(start)
    errors = uncertainties(start, found)
    how_sensitive = sensitivities(start, found) if frame.decay else [None] * len(found)
    levels, jumps = [frame.named(start.learned)], list[Jump]()
    for event, error, sensitivity in zip(found, errors, how_sensitive, strict=True):
        levels.append(frame.named(event.plateau.learned))
        name = int(frame.numbers[event.mode])
        jumps.append(
            Jump(
                event.time,
                event.unit,
                name,
                levels[-1].learned,
                levels[-2].loss,
                levels[-1].loss,
                event.units,
                error,
                sensitivity,
            )
        )
    warnings = (
        *_size_warnings(share),
        *_copy_warnings(frame.clock, *copies_part(start, found)),
        *_time_warnings(jumps),
        *_decay_warnings(frame, jumps),
        *_bias_warnings(frame),
    )
    resumes = found[-1].resumes if found else 0.0
    end, missing = _end(found[-1].plateau if found else start, resumes)
    return Staircase(tuple(levels), tuple(jumps), "1/ε", end, warnings, missing)


def _end(last: Plateau, resumes: float) -> tuple[str, float | None]:
    """Why no jump follows the plateau `last`, whose state belongs to the time `resumes`, and the factor missing."""
    frame = last.frame
    if frame.decay and set(np.flatnonzero(frame.eigenvalues)) <= set(last.learned):
        return EVERYTHING_LEARNED, None
    if frame.grows(last.learned):
        return GROWS, None
    if not frame.residual(last.learned).any():
        return EVERYTHING_LEARNED, None
    if not last.dormant:
        return "Every unit is captured: the loss stays at this height.", None
    if frame.decay and (stopped := _stopped_by_decay(last, resumes)) is not None:
        return stopped
    return "No unit that is left can grow: the loss stays at this height.", None


def _stopped_by_decay(last: Plateau, resumes: float) -> tuple[str, float | None] | None:
    """Which jump would follow without decay of the dormant units, and the factor missing; None if none would."""
    frame, rates = last.frame, last.frame.rates(last.learned)
    held = last.next_to_grow
    if held is not None:
        mode = frame.numbers[last.dormant[held].blow_up_mode]
        return f"Unit {held} grows next, but decay leaves too little of mode {mode} for it to hold.", None
    free = {k: FrozenUnit(u.w, u.a, rates) for k, u in last.dormant.items()}
    times = {
        k: u.blow_up_time
        for k, u in free.items()
        if u.blow_up_mode not in last.learned and u.blow_up_time < np.inf
    }
    if not times:
        return None
    k = min(times, key=times.__getitem__)
    mode = frame.numbers[free[k].blow_up_mode]
    who = f"Weight decay ends the staircase: unit {k} would learn mode {mode} next, but decays faster than it grows"
    if not frame.decay.equal:
        return f"{who}.", smallest_factor([(u.w, u.a) for u in free.values()], rates, frame.decay)
    # in the time s of the whole staircase, which a start that is larger by a factor makes shorter by that factor
    rho = frame.decay.first
    spent = -np.expm1(-rho * resumes) + np.exp(-rho * resumes) * rho * times[k]
    return f"{who}; from a start larger by a factor {spent:.4g} it would.", float(spent)


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


def _copy_warnings(clock: float, time: float, units: tuple[int, ...]) -> tuple[str, ...]:
    """What a reader should know whose start has equal units."""
    if not units:
        return ()
    return (
        f"units {listed(units, 'd')} are copies of each other: the equations never part them, but rounding"
        f" errors may from t = {time / clock:.3g} on, and then they learn the next modes themselves",
    )


def _bias_warnings(frame: EigenFrame) -> tuple[str, ...]:
    """What a reader should know of a bias that is trained."""
    balance = frame.balance(())
    if balance is None or balance.bias is None:
        return ()
    return (
        f"the trained bias first settles at {balance.bias:.4g}, and after every jump anew: jump times leave these"
        " times of order 1 out",
    )


def _time_warnings(jumps: Sequence[Jump]) -> tuple[str, ...]:
    """Which jump times are less certain than a few per cent."""
    said = []
    for n, jump in enumerate(jumps, start=1):
        error = np.inf if jump.uncertainty is None else jump.uncertainty
        if np.isinf(error) and jump.sensitivity is not None and jump.sensitivity > SENSITIVE:
            break  # said by `_decay_warnings`
        if np.isinf(error):
            said.append(
                f"jump {n} is uncertain: which unit learns which mode then hangs by details that are left out"
            )
            break
        if error > UNCERTAIN * jump.time:
            said.append(f"the time of jump {n} is uncertain by about {error / jump.time:.1%}")
    return tuple(said)


def _decay_warnings(frame: EigenFrame, jumps: Sequence[Jump]) -> tuple[str, ...]:
    """Which jumps decay has almost stopped."""
    said = []
    for n, jump in enumerate(jumps, start=1):
        if jump.sensitivity is None or jump.sensitivity <= SENSITIVE:
            continue
        close = ""
        if frame.decay.equal:
            close = (
                f" at ρs = {-np.expm1(-frame.decay.first * jump.time):.4g} of the 1 from which on none comes,"
            )
        text = f"jump {n} comes{close} so late that a start larger by {NUDGE:.1%} brings it"
        text += f" {-np.expm1(-jump.sensitivity * NUDGE):.1%} earlier"
        if jump.uncertainty is not None and np.isinf(jump.uncertainty):
            text += "; whether it comes at all hangs by details that are left out"
        said.append(text)
        break
    return tuple(said)


# --- Second layer fixed at one value ----------------------------------------------------------------------


def _all_together(frame: EigenFrame) -> Staircase:
    """Jump by jump; a negative value α learns the negative eigenvalues, as −α learns those of −M*."""
    alpha = float(frame.a[0])
    mirror = -1.0 if alpha < 0 else 1.0
    mirrored = replace(frame, eigenvalues=mirror * frame.eigenvalues, a=mirror * frame.a)
    growth = CollectiveGrowth(mirrored, abs(alpha))
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
    elif frame.decay and not (growth.frame.residual(growth.learned) > 0).any():
        end = "Weight decay holds back what is left of the other modes: the loss stays at this height."
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
