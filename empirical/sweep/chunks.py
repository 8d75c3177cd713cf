"""Which runs of a sweep are computed together: one task holds those that differ in little.

It follows from the plan alone, so that a sweep that is continued computes the same runs together again.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from empirical.sweep.grid import Run, SweepPlan

SHARES = 8  # tasks of each kind at least, where there are so many runs: cores share them, and a bar moves on


@dataclass(frozen=True)
class Chunking:
    """How runs become tasks; by default each is one.

    Parameters
    ----------
    most : dict
        Runs that are computed together at most, by kind; 1 where none is given.
    alike : collection of str
        Options that may differ among them without harm; replicates always do.
    """

    most: Mapping[str, int] = field(default_factory=dict)
    alike: Container[str] = ()

    def size(self, plan: SweepPlan, kind: str) -> int:
        """Runs of a kind that are computed together at most."""
        share = math.ceil(len(plan) / len(plan.kinds) / SHARES)
        return max(1, min(self.most.get(kind, 1), share))

    def chunks(self, plan: SweepPlan, done: Container[int] = ()) -> Iterator[list[Run]]:
        """All runs that are not done, in tasks."""
        for numbers in self._numbers(plan):
            rest = [n for n in numbers.tolist() if n not in done]
            if rest:
                yield list(plan.runs(rest))

    def _numbers(self, plan: SweepPlan) -> Iterator[NDArray[np.int64]]:
        """Numbers of the runs of each task."""
        names = plan.dimensions
        differ = [i for i, name in enumerate(names) if name not in self.alike and name != "replicate"]
        order = [*differ, *(i for i in range(len(names)) if i not in differ)]
        places = np.arange(math.prod(plan.shape)).reshape(plan.shape).transpose(order)
        block = math.prod(places.shape[len(differ) :])  # of runs that are alike
        for i, kind in enumerate(plan.kinds):
            size = self.size(plan, kind)
            numbers = places.ravel() * len(plan.kinds) + i
            blocks = max(1, size // block)  # whole ones in a task, if they are small
            for part in np.array_split(numbers, range(blocks * block, len(numbers), blocks * block)):
                yield from np.array_split(part, math.ceil(len(part) / size))
