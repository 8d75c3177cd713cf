"""Our numbers beside the published ones, and the verdict."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.errors import ComputationError
from dynamics.progress import progress_bar, stage
from dynamics.words import counted
from empirical.published.entry import Entry, Ours, Series


@dataclass(frozen=True, eq=False)
class Reproduction:
    """A published result beside ours.

    Parameters
    ----------
    entry : Entry
    series : tuple of Series
        Those of the entry, or its few of a quick comparison.
    ours : tuple of Ours
        For each of them.
    seconds : float
        That ours took.
    quick : bool
        Whether this was a quick comparison.
    """

    entry: Entry
    series: tuple[Series, ...]
    ours: tuple[Ours, ...]
    seconds: float
    quick: bool

    @property
    def published(self) -> Array:
        """All published numbers, one series after the other."""
        return np.concatenate([np.asarray(s.values, dtype=float) for s in self.series])

    @property
    def published_errors(self) -> Array:
        """Their standard errors; zero where the source gives none."""
        return np.concatenate([_errors(s) for s in self.series])

    @property
    def values(self) -> Array:
        """Our numbers."""
        return np.concatenate([o.values for o in self.ours])

    @property
    def errors(self) -> Array:
        """Our standard errors."""
        return np.concatenate([o.errors for o in self.ours])

    @property
    def allowed(self) -> Array:
        """Largest deviation that the tolerances allow."""
        return np.concatenate(
            [
                s.tolerance.allowed(np.asarray(s.values, dtype=float), _errors(s), o.errors)
                for s, o in zip(self.series, self.ours, strict=True)
            ]
        )

    @property
    def within(self) -> NDArray[np.bool_]:
        """Which numbers agree; one that is not finite does not."""
        return np.abs(self.values - self.published) <= self.allowed

    @property
    def agrees(self) -> bool:
        """Whether all of them do."""
        return bool(self.within.all())

    @property
    def largest(self) -> float:
        """Largest deviation, in units of what is allowed; infinite where none is and there is one."""
        deviation, allowed = np.abs(self.values - self.published), self.allowed
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(deviation == 0.0, 0.0, deviation / allowed)
        return float(ratio.max())

    def as_dict(self) -> dict[str, Any]:
        """The keys that the interface promises, and more."""
        entry, source = self.entry, self.entry.source
        return {
            "name": entry.name,
            "claim": entry.claim,
            "source": str(source),
            "paper": source.paper,
            "url": source.url,
            "commit": source.commit,
            "read_as": source.read_as,
            "quantities": [label for s in self.series for label in s.labels],
            "published": self.published,
            "published_errors": self.published_errors,
            "ours": self.values,
            "our_errors": self.errors,
            "tolerance": self.allowed,
            "reasons": list(dict.fromkeys(s.tolerance.reason for s in self.series)),
            "agrees": self.agrees,
            "largest_deviation": self.largest,
            "reproduced_by": entry.command,
            "files": entry.files,
            "found": entry.found,
            "quick": self.quick,
            "seconds": self.seconds,
        }

    def line(self) -> str:
        """Verdict in one line."""
        verdict = "agrees" if self.agrees else "disagrees"
        numbers = counted(len(self.values), "number")
        return f"{verdict:10}{self.entry.name:24}{numbers:>12}, off by at most {self.largest:.2g} of the tolerance"

    def summary(self) -> str:
        """Source, numbers and verdict."""
        entry = self.entry
        names = [label for s in self.series for label in s.labels]
        width = max(map(len, names))
        rows = [
            f"{name:{width}}  {_number(p, dp):>20} {_number(o, do):>20} {t:>10.2g}{'' if w else '  disagrees'}"
            for name, p, dp, o, do, t, w in zip(
                names,
                self.published,
                self.published_errors,
                self.values,
                self.errors,
                self.allowed,
                self.within,
                strict=True,
            )
        ]
        reasons = dict.fromkeys(s.tolerance.reason for s in self.series)
        return "\n".join(
            [
                f"{entry.name}: {entry.claim}",
                f"source     {entry.source} ({entry.source.read_as})",
                f"paper      {entry.source.paper}",
                f"command    {entry.command}",
                *([f"files      {entry.files}"] if entry.files else []),
                *(f"tolerance  {reason}" for reason in reasons),
                *([f"found      {entry.found}"] if entry.found else []),
                f"{'':{width}}  {'published':>20} {'ours':>20} {'tolerance':>10}",
                *rows,
                self.line(),
            ]
        )


def _errors(series: Series) -> Array:
    return np.asarray(series.errors or (0.0,) * len(series.values), dtype=float)


def _number(value: float, error: float) -> str:
    return f"{value:.7g} ± {error:.1g}" if error else f"{value:.7g}"


def reproduce(entry: Entry, quick: bool = False) -> Reproduction:
    """Compute our numbers for a published result.

    Parameters
    ----------
    entry : Entry
    quick : bool
        The few numbers, and the little work, that already tell whether we agree.

    Raises
    ------
    ComputationError
        If our computation fails.
    """
    series = tuple(s.quick() for s in entry.series) if quick else entry.series
    before = time.perf_counter()
    with stage(f"reproducing {entry.name}"):
        ours = tuple(entry.compute(series, quick))
    for s, o in zip(series, ours, strict=True):
        if len(o.values) != len(s.values):
            raise ComputationError(
                f"{entry.name}: {counted(len(o.values), 'number')} of ours for {len(s.values)} of {s.quantity}."
            )
    return Reproduction(entry, series, ours, time.perf_counter() - before, quick)


def reproduce_all(
    entries: Sequence[Entry], quick: bool = False, progress: bool = False
) -> list[Reproduction]:
    """Compute our numbers for several published results, one after the other."""
    return [reproduce(entry, quick) for entry in progress_bar(entries, "published results", shown=progress)]
