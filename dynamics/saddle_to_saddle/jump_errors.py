"""How far to trust the jumps of a history: errors of their times, sensitivity to the size of the start, copies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dynamics.errors import ComputationError
from dynamics.saddle_to_saddle.growing_unit import ACCURACY
from dynamics.saddle_to_saddle.shared_mode import rounding_time
from dynamics.saddle_to_saddle.unit_by_unit import Event, Plateau, events

STRETCHES = (0.5, 2.0)  # of the time R, to estimate errors
MARGIN = 2.0  # then the flow is within the error of 98 % of random jumps (365 of a sample of 372)
NUDGE = 1e-3  # relative change of a start that tells how sensitive it is


def uncertainties(start: Plateau, found: Sequence[Event]) -> list[float]:
    """Estimated absolute errors of the times of `events(start)`; inf where even the order of jumps is uncertain.

    A jump takes a time (`blur`) that the frozen picture leaves out, and what it does to the units that are still small
    is known to first order. The same plateaus with other ends show how much both matter to later jumps: little,
    unless a unit that was about to blow up itself is the next to jump, or one whose a passes close to 0 and either
    changes its sign or does not.
    """
    others = []
    for stretch in STRETCHES:
        try:
            others.append(events(start, stretch))
        except ComputationError:  # this history breaks down where that of `found` does not
            others.append([])
    limit, _ = copies_part(start, found)
    errors, blur, known, rho = [], 0.0, True, start.frame.decay.first
    for n, event in enumerate(found):
        # what moves s by ds moves t = −ln(1 − ρs)/ρ by e^{ρt} ds
        blur *= float(np.exp(rho * (event.time - (found[n - 1].time if n else 0.0))))
        there = [other[n] for other in others if n < len(other)]
        known &= len(there) == len(others) and all(_alike(event, other) for other in there)
        known &= event.time < limit
        blur = max(blur, event.blur)
        spread = max(abs(other.time - event.time) for other in there) if known else np.inf
        error = float(MARGIN * (spread + blur) + ACCURACY * event.time)
        # from an error of the remaining s on, e^{−ρt}/ρ, the jump may as well never come
        errors.append(error if rho * error < 1 else np.inf)
    return errors


def sensitivities(start: Plateau, found: Sequence[Event]) -> list[float]:
    """−d ln t/d ln ε of the times of `events(start)`: 1 for a time of 1/ε, the more the closer decay is to stopping it.

    Of a start that is larger by `NUDGE`: there are at least as many jumps.
    """
    larger = events(start.scaled(1 + NUDGE))
    return [
        float(np.log(event.time / other.time) / np.log1p(NUDGE)) if _alike(event, other) else np.inf
        for event, other in zip(found, larger, strict=False)
    ] + [np.inf] * (len(found) - len(larger))


def _alike(event: Event, other: Event) -> bool:
    """Whether two histories have the same jump here; of units that share it, either may have the larger part."""
    return event.mode == other.mode and (event.unit in other.units or other.unit in event.units)


def copies_part(start: Plateau, found: Sequence[Event]) -> tuple[float, tuple[int, ...]]:
    """When rounding errors may part units that the equations keep equal for ever, and which; inf if never."""
    begins = [0.0, *(event.resumes for event in found)]
    ends = [*(event.time for event in found), np.inf]
    for plateau, begin, end in zip([start, *(event.plateau for event in found)], begins, ends, strict=True):
        units = list(plateau.captured)
        W, a = plateau.frame.W[units], plateau.frame.a[units]
        time, places = rounding_time(plateau.frame, W, a, plateau.learned)
        if begin + time < end:
            return begin + time, tuple(sorted(units[i] for i in places))
    return np.inf, ()
