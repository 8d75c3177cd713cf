"""A jump: a drop of the loss from one plateau of a staircase to the next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dynamics.curves.variables import LOSS_UNIT, TIME_UNIT

Modes = tuple[int, ...]

JUMPS = {
    "time": ("time of each jump", TIME_UNIT),
    "mode": ("number of the mode that is learned", ""),
    "loss_before": ("height of the plateau before", LOSS_UNIT),
    "loss_after": ("height of the plateau after", LOSS_UNIT),
}


@dataclass(frozen=True)
class Jump:
    """A drop of the loss from one plateau to the next.

    Parameters
    ----------
    time : float
        Of the flow (`dynamics.clock.Clock` counts them in steps of a descent).
    unit : int or None
        Hidden unit that jumps, of several the one with the largest part; None where all move together (second layer
        fixed).
    mode : int
        Mode that is learned: its place among all d eigenvalues, descending, as in the catalogue of fixed points.
    learned_modes : tuple of int
        All modes learned after the jump.
    loss_before, loss_after : float
        Heights of the two plateaus.
    units : tuple of int
        All units that share the jump, by number; empty where all move together.
    uncertainty : float or None
        Estimated absolute error of the time; inf if even the order of the jumps is uncertain, or under decay whether
        this one comes at all; None if not estimated (second layer fixed).
    sensitivity : float or None
        −d ln t/d ln ε, by how many per cent the jump comes earlier from a start that is larger by one per cent; None
        without decay (where it is about 1), or with the second layer fixed.
    """

    time: float
    unit: int | None
    mode: int
    learned_modes: Modes
    loss_before: float
    loss_after: float
    units: tuple[int, ...] = ()
    uncertainty: float | None = None
    sensitivity: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """One of the jumps that `quadflow staircase --json` prints; an uncertainty without bound is null."""
        keys = ("time", "unit", "units", "mode", "learned_modes", "loss_before", "loss_after")
        found = {key: getattr(self, key) for key in keys} | {"uncertainty": _finite(self.uncertainty)}
        return found if self.sensitivity is None else found | {"sensitivity": _finite(self.sensitivity)}

    def in_time(self, gamma: float) -> Jump:
        """From the clock of L/γ to that of L: a time γ times as short, losses γ times as high."""
        return replace(
            self,
            time=self.time / gamma,
            loss_before=gamma * self.loss_before,
            loss_after=gamma * self.loss_after,
            uncertainty=None if self.uncertainty is None else self.uncertainty / gamma,
        )


def _finite(value: float | None) -> float | None:
    """The value, None if it has no bound."""
    return value if value is not None and np.isfinite(value) else None
