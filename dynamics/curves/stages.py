"""Plateaus and drops of any learning curve, computed or measured, and what has been learned on each plateau.

A plateau is where a curve spends its time. With y = log(loss), made decreasing, the *dwell* of a level is the time
that y takes to cross a narrow band around it. It is constant for exponential decay, grows steadily for a power law
and does not know how the curve was sampled; a plateau is a band of long dwell with bands of much shorter dwell
closely above and below. Two neighbours that differ by few bands blur each other: between plateaus narrower bands are
tried as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from dynamics.aliases import Array
from dynamics.problem.levels import Level, plateau_level
from dynamics.problem.mode_numbers import mode_set

REACH = 0.5  # how far above and below, in log(loss), a plateau must have its edges
END_REACH = 0.25  # the same for the last plateau, which has one edge only
FINER = (0.5, 0.25)  # of a band: of what lies between plateaus, two neighbours with little fall in between
NOISE_MARGIN = 6.0  # a band is at least this many standard deviations of the noise wide
MISMATCH = 0.2  # a plateau further than this from a predicted height, in log(loss), is none of that level


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
        The teacher modes that are learned: their places in `modes` as `find_stages` finds them, their numbers
        (`dynamics.problem.mode_numbers`) in the `stages` of a trajectory.
    level : Level or None
        The stationary point that the plateau belongs to, if levels were given and one fits.
    deviation : float or None
        (loss − level.loss) / level.loss; relative to the initial loss if the level has none.
    """

    start: float
    end: float
    loss: float
    learned_modes: tuple[int, ...]
    level: Level | None = None
    deviation: float | None = None


@dataclass(frozen=True)
class Drop:
    """The fall of the loss between two plateaus.

    Parameters
    ----------
    time : float
        Where the loss has fallen by half of `size` (interpolated between samples).
    size : float
        Height of the plateau before minus height of the plateau after.
    learned_modes : tuple of int
        Modes learned after but not before.
    """

    time: float
    size: float
    learned_modes: tuple[int, ...]


def find_stages(
    times: Array,
    loss: Array,
    modes: Array | None = None,
    targets: Array | None = None,
    *,
    levels: Sequence[Level] = (),
    flatness: float = 0.05,
    contrast: float = 5.0,
    floor: float = 1e-3,
) -> tuple[Stage, ...]:
    """Plateaus of a learning curve, in order of time.

    A plateau is a stretch of at least three samples over which log(loss) falls by no more than `flatness`, and
    which takes at least `contrast` times as long as a fall by `flatness` takes somewhere closely before it and
    somewhere closely after it, in linear and in logarithmic time (so that neither end of a power law is one).
    Falls are measured from height to height, the levels half-way in time: where samples are dense, a plateau takes
    parts of the falls beside it. Of a whole curve that falls by less than twice `flatness` nothing stands out.
    Between the plateaus so found others are looked for with a half and with a quarter of `flatness`, as far as noise
    allows: of two neighbours that differ by few bands the longer would hide the other, and which is the longer depends
    on the end of the curve.
    What follows the last plateau below `floor` is a plateau too, "learned", if it is longer than the fall to there.

    Parameters
    ----------
    times, loss : (T,) array
        Any learning curve, however sampled. One that is not monotone (measured, noisy) is replaced by the
        decreasing isotonic regression of its logarithm, after a running mean over at most a fortieth of the
        samples; `flatness` is raised to six times the noise that is left.
    modes : (T, m) array, optional
        Learned part of each teacher mode; without it plateaus are told apart by their heights alone.
    targets : (m,) array, optional
        Teacher eigenvalues that the modes approach; needed with `modes`.
    levels : sequence of Level, optional
        Stationary points to match the plateaus with: by modes if these are given, else by height.
    flatness : float
        Largest change of log(loss) over a plateau.
    contrast : float
        Least ratio between the dwell on a plateau and beside it.
    floor : float
        Losses below this fraction of the initial loss count as zero.

    Returns
    -------
    tuple of Stage
    """
    if len(times) < 3 or not np.isfinite(loss).all() or loss[0] <= 0:
        return ()
    bottom = float(np.log(loss[0] * floor))
    y, noise = _decreasing_log(loss, bottom, flatness)
    curve = _Curve(np.asarray(times, dtype=float), y, max(flatness, NOISE_MARGIN * noise))
    windows: list[tuple[int, int]] = []
    for window in curve.flat_windows():
        if curve.stands_out(window, windows, contrast):
            windows.append(window)
    clear = NOISE_MARGIN * _noise(np.log(loss[loss > np.exp(bottom)]))
    for finer in (replace(curve, band=share * flatness) for share in FINER if share * flatness >= clear):
        for window in finer.flat_windows(_between(windows)):
            if finer.stands_out(window, windows, contrast, ends=False):
                windows.append(window)
    stages = []
    for i, j in curve.with_learned(sorted(windows), bottom):
        on = slice(i, j + 1)
        height = float(np.median(loss[on]))
        progress = None if modes is None else np.median(modes[on], axis=0)
        learned: tuple[int, ...] = ()
        if progress is not None and targets is not None:
            learned = tuple(int(m) for m in np.flatnonzero(progress / targets > 0.5))
        stage = Stage(float(times[i]), float(times[j]), height, learned)
        stages.append(_matched(stage, progress, levels, float(loss[0]), floor))
    return tuple(stages)


def find_drops(times: Array, loss: Array, stages: Sequence[Stage]) -> tuple[Drop, ...]:
    """Drops between consecutive plateaus of a learning curve."""
    drops = []
    for above, below in pairwise(stages):
        inside = np.flatnonzero((times >= above.end) & (times <= below.start))
        curve = np.minimum.accumulate(loss[inside])
        middle = 0.5 * (above.loss + below.loss)
        time = np.interp(-middle, -curve, times[inside])
        gained = tuple(m for m in below.learned_modes if m not in above.learned_modes)
        drops.append(Drop(float(time), above.loss - below.loss, gained))
    return tuple(drops)


def levels_passed(
    modes: Array,
    eigenvalues: Array,
    trace_coupling: float = 1.0,
    level: Callable[[Sequence[int]], Level | None] | None = None,
) -> tuple[Level, ...]:
    """Stationary points that a learning curve may have come by: each set of modes that was ever learned.

    A mode counts as learned beyond a tenth, a quarter or half of its eigenvalue (learned values differ from it, by
    the trace of what is not learned).

    Parameters
    ----------
    modes : (T, m) array
    eigenvalues : (m,) array
    trace_coupling : float
        1 for the quadratic activation, 0 for the centred one.
    level : callable, optional
        Level of a set of modes, None if there is no such plateau; by default that of a loss without decay.
    """
    sets = {
        tuple(int(i) for i in np.flatnonzero(row))
        for share in (0.1, 0.25, 0.5)
        for row in np.unique(modes / eigenvalues > share, axis=0)
    }
    of = level or partial(plateau_level, eigenvalues, trace_coupling=trace_coupling)
    return tuple(found for S in sorted(sets) if (found := of(S)) is not None)


def called(stages: Sequence[Stage], numbers: NDArray[np.int64]) -> tuple[Stage, ...]:
    """The same stages, and their levels, with the modes called by their numbers instead of their places in `modes`."""

    def named(modes: Sequence[int]) -> tuple[int, ...]:
        return tuple(int(numbers[m]) for m in modes)

    return tuple(
        replace(
            stage,
            learned_modes=named(stage.learned_modes),
            level=None if stage.level is None else replace(stage.level, learned=named(stage.level.learned)),
        )
        for stage in stages
    )


def plateau_rows(stages: Sequence[Stage], with_modes: bool = True) -> list[tuple[str, ...]]:
    """Texts of a table of plateaus: from when to when, loss, predicted loss, learned modes where there are modes."""
    return [
        (
            f"{s.start:.4g} … {s.end:.4g}",
            f"{s.loss:.6g}",
            "" if s.level is None else f"{s.level.loss:.6g}",
            mode_set(s.learned_modes) if with_modes else "",
        )
        for s in stages
    ]


def _matched(
    stage: Stage, progress: Array | None, levels: Sequence[Level], initial: float, floor: float
) -> Stage:
    """The stage with the level that fits it best, if one does; that level also says which modes are learned."""
    if not levels:
        return stage
    if progress is None:
        heights = np.array([max(level.loss, floor * initial) for level in levels])
        distances = np.abs(np.log(max(stage.loss, floor * initial) / heights))
    else:
        values = np.zeros((len(levels), len(progress)))
        for row, level in zip(values, levels, strict=True):
            row[list(level.learned)] = level.values
        distances = np.linalg.norm(values - progress, axis=1)
    level = levels[int(np.argmin(distances))]
    zero = floor * initial
    if abs(np.log(max(stage.loss, zero) / max(level.loss, zero))) > MISMATCH:
        return stage
    deviation = (stage.loss - level.loss) / (level.loss if level.loss > zero else initial)
    return replace(stage, learned_modes=level.learned, level=level, deviation=float(deviation))


def _decreasing_log(loss: Array, bottom: float, flatness: float) -> tuple[Array, float]:
    """log(loss), smoothed as far as it is noisy, made decreasing and cut off at the bottom; and the noise left."""
    raw = np.maximum(np.log(np.maximum(loss, np.finfo(float).tiny)), bottom)
    if (np.diff(raw) <= 0).all():
        return raw, 0.0
    noise = _noise(raw[raw > bottom])
    size = int(np.clip((NOISE_MARGIN * noise / flatness) ** 2, 1, max(1, len(raw) // 40)))
    smooth = raw if size <= 2 else _running_mean(raw, size // 2)
    return np.maximum(isotonic_regression(smooth, increasing=False).x, bottom), noise / np.sqrt(size)


def _between(windows: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """What lies between neighbouring windows."""
    return [(above[1] + 1, below[0] - 1) for above, below in pairwise(sorted(windows))]


def _running_mean(raw: Array, reach: int) -> Array:
    """Mean of so many values on either side, which continues as a straight line at both ends."""
    from scipy.signal import savgol_filter  # slow to import, and few curves are noisy

    return np.asarray(savgol_filter(raw, 2 * reach + 1, 1))


def _noise(raw: Array) -> float:
    """Standard deviation of what is not a smooth decreasing curve, fast or slow, from medians.

    Fast noise shows in second differences, slow noise in the distance from the decreasing regression.
    """
    if len(raw) < 5:
        return 0.0
    fast = np.median(np.abs(np.diff(raw, 2))) / np.sqrt(6)
    slow = np.median(np.abs(raw - isotonic_regression(raw, increasing=False).x))
    return 1.4826 * float(max(fast, slow))


@dataclass(frozen=True, eq=False)
class _Curve:
    """A decreasing curve y(t) = log(loss) and the width of a band."""

    t: Array
    y: Array
    band: float

    def flat_windows(self, spans: Sequence[tuple[int, int]] | None = None) -> list[tuple[int, int]]:
        """Disjoint windows [i, j] of at least three samples that fall by at most one band, longest first.

        Within `spans`; by default anywhere.
        """
        free = [(0, len(self.t) - 1)] if spans is None else list(spans)
        windows = []
        while free:
            lo, hi = free.pop()
            if hi - lo < 2:
                continue
            starts = np.arange(lo, hi + 1)
            last = np.searchsorted(-self.y[lo : hi + 1], self.band - self.y[starts], side="right") - 1 + lo
            lengths = np.where(last - starts >= 2, self.t[last] - self.t[starts], -1.0)
            # The first of several that are equally long up to rounding.
            best = int(np.argmax(lengths >= lengths.max() * (1 - np.sign(lengths.max()) * 1e-9)))
            i, j = int(starts[best]), int(last[best])
            if j - i >= 2:
                windows.append((i, j))
                free += [(lo, i - 1), (j + 1, hi)]
        return sorted(windows, key=lambda w: self.t[w[0]] - self.t[w[1]])

    def stands_out(
        self,
        window: tuple[int, int],
        longer: Sequence[tuple[int, int]],
        contrast: float,
        ends: bool = True,
    ) -> bool:
        """Whether the curve crosses some band closely before and after the window much faster than the window.

        `longer` are the plateaus found so far: the search for edges does not go beyond them. At the ends of the curve
        one edge is enough, unless `ends` is false.
        """
        i, j = window
        above = [self._height(w) for w in longer if w[1] < i]
        below = [self._height(w) for w in longer if w[0] > j]
        top, bottom = min(above, default=self.y[0]), max(below, default=self.y[-1])
        height = self._height(window)
        at_start = not above and top - height < 2 * self.band
        at_end = not below and height - bottom < 2 * self.band
        if (at_start or at_end) and not ends:
            return False
        if at_start and at_end:  # a curve that is flat from end to end is one plateau
            return bool(self.y[0] - self.y[-1] <= 0.75 * self.band)
        first_tick = self.t[self.t > 0].min(initial=np.inf)
        for clock in (self.t, np.log(np.maximum(self.t, first_tick))):
            limit = (clock[j] - clock[i]) / contrast
            upper = min(top, self.y[i] + max(END_REACH if at_end else REACH, 3 * self.band))
            lower = max(bottom, self.y[j] - max(REACH, 3 * self.band))
            if not at_start and self._fastest(clock, height, upper) > limit:
                return False
            if not at_end and self._fastest(clock, lower, height) > limit:
                return False
            if at_start:
                break  # t = 0 has no logarithm
        return True

    def _height(self, window: tuple[int, int]) -> float:
        """Level half-way in time, to which the falls beside the window do not belong."""
        i, j = window
        return float(np.interp(0.5 * (self.t[i] + self.t[j]), self.t[i : j + 1], self.y[i : j + 1]))

    def with_learned(self, windows: list[tuple[int, int]], floor: float) -> list[tuple[int, int]]:
        """The windows, the last one replaced by all samples at the floor if that is a plateau of its own."""
        bottom = np.flatnonzero(self.y <= floor + self.band)
        if bottom.size < 3:
            return windows
        start, end = int(bottom[0]), len(self.t) - 1
        higher = [w for w in windows if w[1] < start]
        if not higher or self.t[end] - self.t[start] < self.t[start] - self.t[higher[-1][1]]:
            return higher
        return [*higher, (start, end)]

    def _fastest(self, clock: Array, low: float, high: float) -> float:
        """Shortest time in which a whole band between two levels is crossed; inf if none fits between them."""
        lower = np.arange(high - self.band, low - 1e-9, -0.25 * self.band)
        if lower.size == 0:
            return np.inf
        return float((self._arrival(clock, lower) - self._departure(clock, lower + self.band)).min())

    def _arrival(self, clock: Array, level: Array) -> Array:
        """When the curve first is as low as a level."""
        n = np.searchsorted(-self.y, -level, side="left").clip(1, len(self.y) - 1)
        return self._between(clock, n - 1, level)

    def _departure(self, clock: Array, level: Array) -> Array:
        """When the curve last is as high as a level."""
        n = np.searchsorted(-self.y, -level, side="right").clip(1, len(self.y) - 1)
        return self._between(clock, n - 1, level)

    def _between(self, clock: Array, n: NDArray[np.int64], level: Array) -> Array:
        """Clock at a level between samples n and n + 1."""
        fall = self.y[n] - self.y[n + 1]
        part = np.divide(self.y[n] - level, fall, out=np.zeros_like(level), where=fall > 0)
        return clock[n] + part.clip(0, 1) * (clock[n + 1] - clock[n])
