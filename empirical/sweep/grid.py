"""What a sweep is: kinds of runs, the grid of their options, replicates; and the single runs that follow from it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.budget import check_number
from dynamics.errors import ProblemError
from dynamics.validation import validate_count

SWEPT = ("simulate", "train", "compare", "diagnose")  # commands that `quadflow sweep` runs
KINDS = (*SWEPT, "study")
LARGEST_SWEEP = 1_000_000  # runs: at a thousand a second, which is fast, a quarter of an hour
RESERVED = ("replicate", "mode", "unit", "network", "teacher_direction")  # dimensions of every result


@dataclass(frozen=True)
class Axis:
    """One varied option.

    Parameters
    ----------
    name : str
        Of the option, as in Python (``init_scale``).
    values : tuple of int, float or str
        Different from each other.
    """

    name: str
    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ProblemError(f"`vary` gives no values for {self.name!r}, but needs at least one.")
        if len(set(self.values)) < len(self.values):
            raise ProblemError(f"`vary` gives a value of {self.name!r} twice, but they must be different.")


@dataclass(frozen=True)
class Run:
    """One run: everything a worker must know.

    Parameters
    ----------
    index : int
        Number of the run in its sweep.
    kind : str
    options : dict
        All options by name, the run's own seed included.
    """

    index: int
    kind: str
    options: dict[str, Any]


@dataclass(frozen=True)
class SweepPlan:
    """All runs of a sweep: every kind at every point of the grid, `replicates` times.

    Parameters
    ----------
    kinds : tuple of str
        Kinds of runs, such as "simulate" and "diagnose".
    options : dict
        Options shared by all runs; values must be fit for JSON.
    axes : tuple of Axis
        The grid; may be empty.
    replicates : int
        Runs with different seeds at every point.
    seed : int
        Seeds them all: each run's own is spawned from it by its place in the grid, so it is the same in whichever
        order, and in however many sittings, the runs are computed.
    same_seeds : bool
        Give replicate r the same seed at every point, so that points differ by their options alone.
    files : dict
        Digest of every file the options name: part of what the sweep is.

    Raises
    ------
    ProblemError
        If a kind or an axis comes twice, or an axis has a name that results need for themselves.
    """

    kinds: tuple[str, ...]
    options: Mapping[str, Any]
    axes: tuple[Axis, ...] = ()
    replicates: int = 1
    seed: int = 0
    same_seeds: bool = False
    files: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        validate_count("replicates", self.replicates)
        validate_count("seed", self.seed, minimum=0)
        names = [axis.name for axis in self.axes]
        for label, found in (("kinds", self.kinds), ("vary", names)):
            twice = {name for name in found if list(found).count(name) > 1}
            if twice:
                raise ProblemError(f"`{label}` names {min(twice)!r} twice.")
        if not self.kinds:
            raise ProblemError(f"`kinds` is empty, but must name some of: {', '.join(SWEPT)}.")
        for name in names:
            if name in RESERVED:
                raise ProblemError(f"`vary` names {name!r}, which is a dimension of every result.")
        if "seed" in names:
            raise ProblemError("`vary` names the seed: ask for `replicates`, each has a seed of its own.")
        check_number(
            "The sweep, every kind at every point of the grid with all its `replicates`,",
            math.prod(self.shape) * len(self.kinds),  # len() ends at 2⁶³
            LARGEST_SWEEP,
            "runs",
            "vary fewer values, or make several sweeps of it",
        )

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Names of the varied options, then "replicate"."""
        return (*(axis.name for axis in self.axes), "replicate")

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions."""
        return (*(len(axis.values) for axis in self.axes), self.replicates)

    def __len__(self) -> int:
        return math.prod(self.shape) * len(self.kinds)

    def seeds(self) -> NDArray[np.int64]:
        """Seed of every place in the grid, of the shape `shape`; below 2⁵³, so that every format can hold it."""
        return self._seeds.copy()

    @cached_property
    def _seeds(self) -> NDArray[np.int64]:
        found = np.empty(self.shape, dtype=np.int64)
        for flat, place in enumerate(np.ndindex(self.shape)):
            cell, replicate = divmod(flat, self.replicates)
            key = (replicate,) if self.same_seeds else (cell, replicate)
            state = np.random.SeedSequence(self.seed, spawn_key=key).generate_state(1, np.uint64)[0]
            found[place] = int(state) >> 11
        return found

    def runs(self, numbers: Iterable[int] | None = None) -> Iterator[Run]:
        """The runs of these numbers; all of them by default, the last axis fastest, then the kinds."""
        seeds = self._seeds.ravel()
        for number in range(len(self)) if numbers is None else numbers:
            kind, place = self.place(number)
            values = {axis.name: axis.values[n] for axis, n in zip(self.axes, place, strict=False)}
            seed = int(seeds[number // len(self.kinds)])
            yield Run(number, kind, {**self.options, **values, "seed": seed})

    def place(self, index: int) -> tuple[str, tuple[int, ...]]:
        """Kind and place in the grid of the run of this number."""
        flat, i = divmod(index, len(self.kinds))
        return self.kinds[i], tuple(int(n) for n in np.unravel_index(flat, self.shape))

    def definition(self) -> str:
        """The sweep as JSON: two sweeps are the same if this text is."""
        return json.dumps(
            {
                "kinds": list(self.kinds),
                "options": dict(self.options),
                "vary": [
                    [axis.name, list(axis.values)] for axis in self.axes
                ],  # a list: the order gives the seeds
                "replicates": self.replicates,
                "seed": self.seed,
                "same_seeds": self.same_seeds,
                "files": dict(self.files),
            },
            sort_keys=True,
        )


def difference(one: str, two: str) -> str:
    """What differs between two definitions, in words."""
    a, b = json.loads(one), json.loads(two)
    names = [name for name in sorted({*a, *b} - {"options"}) if a.get(name) != b.get(name)]
    x, y = a.get("options", {}), b.get("options", {})
    names += [name for name in sorted({*x, *y}) if x.get(name) != y.get(name)]
    return ", ".join(name.replace("_", "-") for name in names)
