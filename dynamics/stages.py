"""Plateaus on any learning curve, computed or measured, and what has been learned on each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Stage:
    """A plateau of the loss.

    Parameters
    ----------
    start, end : float
        First and last sample time on the plateau.
    loss : float
        Height: the median of the loss over the plateau.
    learned_modes : tuple of int
        Indices, in the order of `modes`, of the teacher modes that are more than half learned.
    """

    start: float
    end: float
    loss: float
    learned_modes: tuple[int, ...]


def find_stages(
    times: Array,
    loss: Array,
    modes: Array,
    targets: Array,
    *,
    flatness: float = 0.05,
    contrast: float = 5.0,
    floor: float = 1e-3,
) -> tuple[Stage, ...]:
    """Plateaus of a learning curve, in order of time.

    A plateau is an interval of at least three samples over which the logarithm of the loss changes by no
    more than `flatness`, and on average at least `contrast` times more slowly than somewhere before it and
    somewhere after it. (The second condition keeps steady decay, such as a power law, from being cut into plateaus.)

    Parameters
    ----------
    times, loss : (T,) array
        Any learning curve. One that is not monotone (measured, noisy) is replaced by its decreasing
        isotonic regression first.
    modes : (T, m) array
    targets : (m,) array
        Teacher eigenvalues that the modes approach.
    flatness : float
        Largest change of log(loss) over a plateau.
    contrast : float
        Least ratio between the rates of change beside and on a plateau.
    floor : float
        Losses below this fraction of the initial loss count as zero: the last plateau is "all learned".

    Returns
    -------
    tuple of Stage
    """
    if len(times) < 3 or not np.isfinite(loss).all() or loss[0] <= 0:
        return ()
    curve = loss if (np.diff(loss) <= 0).all() else isotonic_regression(loss, increasing=False).x
    log_loss = np.log(np.maximum(curve, floor * curve[0]))
    windows = sorted(_flat_windows(times, log_loss, flatness))
    stages = []
    for n, (i, j) in enumerate(windows):
        before = (windows[n - 1][1] if n else 0, i)
        after = (j, windows[n + 1][0] if n + 1 < len(windows) else len(times) - 1)
        on = (log_loss[i] - log_loss[j]) / (times[j] - times[i])
        beside = [_steepest(times, log_loss, *side) for side in (before, after) if side[1] > side[0]]
        # A curve that is flat from end to end is one plateau.
        if all(rate > contrast * on and rate > 0 for rate in beside):
            progress = np.median(modes[i : j + 1], axis=0) / targets
            learned = tuple(int(m) for m in np.flatnonzero(progress > 0.5))
            height = float(np.median(loss[i : j + 1]))
            stages.append(Stage(float(times[i]), float(times[j]), height, learned))
    return tuple(stages)


def _steepest(times: Array, log_loss: Array, i: int, j: int) -> float:
    """Largest rate of decrease of log(loss) between samples i and j."""
    return float(np.max(-np.diff(log_loss[i : j + 1]) / np.diff(times[i : j + 1])))


def _flat_windows(times: Array, log_loss: Array, flatness: float) -> list[tuple[int, int]]:
    """Disjoint windows [i, j] of a decreasing curve that change by at most `flatness`, longest first."""
    free = [(0, len(times) - 1)]
    windows = []
    while free:
        lo, hi = free.pop()
        if hi - lo < 2:
            continue
        starts = np.arange(lo, hi + 1)
        # log_loss decreases: the window from i ends where it first falls below log_loss[i] − flatness
        ends = np.searchsorted(-log_loss[lo : hi + 1], flatness - log_loss[starts], side="right") - 1 + lo
        best = int(np.argmax(np.where(ends - starts >= 2, times[ends] - times[starts], -1.0)))
        i, j = int(starts[best]), int(ends[best])
        if j - i < 2:
            continue
        windows.append((i, j))
        free += [(lo, i - 1), (j + 1, hi)]
    return windows
