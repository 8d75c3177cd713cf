"""The one training loop: take a gradient, step, record, look at the losses.

What is trained on what, by which rule and for how long, is handed in: the gradient comes from a closure, the rule from
`empirical.optimizers`, a record is whatever the caller keeps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.errors import ComputationError
from dynamics.progress import progress_bar
from empirical.memory import DOUBLE
from empirical.optimizers.base import Rule

Gradient = Callable[[int], tuple[Tensor | None, Sequence[Tensor]]]
"""Step n ↦ losses of the networks on the data of this step (None: not computed), and gradients of the parameters.

The gradients may be written over in the next step; the losses are kept.
"""

Rate = float | Tensor | Callable[[int], float | Tensor]
"""Learning rate: one, one for each network (S,), or a schedule of such rates η_n."""

CHECK_EVERY = 50  # steps between looks at the losses; the step at which one exploded is named all the same
EXPLOSION = 1e6  # a loss of this many times the first one is a divergence
NEVER = np.iinfo(np.int64).max  # step at which nothing exploded
SMALL_STEP = 10_000_000  # multiplications in the first layer below which one thread serves best


class TrainingDiverged(ComputationError):
    """Training exploded; `run` holds what was recorded before, `step` the step at which it happened."""

    def __init__(self, message: str, run: Any, step: int) -> None:
        super().__init__(message)
        self.run = run
        self.step = step


@dataclass(frozen=True)
class Outcome:
    """How a descent went.

    Parameters
    ----------
    diverged_at : (S,) integer array
        Step at which the loss of each network exploded, or `NEVER`; of no entries where losses were not looked at.
    seconds : float
    """

    diverged_at: NDArray[np.int64]
    seconds: float

    @property
    def first(self) -> int | None:
        """Step at which the first network exploded, if one did."""
        first = int(self.diverged_at.min(initial=NEVER))
        return None if first == NEVER else first


def gradient_of(loss: Callable[[int], Tensor], parameters: Sequence[Tensor]) -> Gradient:
    """Gradient by automatic differentiation of losses (…), one for each network, at step n."""

    def gradient(n: int) -> tuple[Tensor, Sequence[Tensor]]:
        with torch.enable_grad():
            losses = loss(n)
            # networks do not interact: each gets the gradient of its own loss
            return losses.detach(), torch.autograd.grad(losses.sum(), parameters)

    return gradient


def descend(
    gradient: Gradient,
    rule: Rule,
    rate: Rate,
    steps: int,
    *,
    record: Callable[[int], object] = lambda n: None,
    stop: Callable[[NDArray[np.bool_]], Any] | None = np.any,
    by_its_own: bool = False,
    what: str = "training",
    progress: bool = False,
) -> Outcome:
    """Train, while PyTorch records operations only where a gradient asks it to.

    Parameters
    ----------
    gradient : callable
        See `Gradient`; called once for every step, in order.
    rule : Rule
        Moves the parameters.
    rate : float, (S,) tensor or callable
        See `Rate`.
    steps : int
    record : callable n
        Called before step n = 0, 1, … and after the last one, unless training stopped.
    stop : callable or None
        Says by which networks have exploded, (S,) booleans, whether to stop: `np.any`, `np.all`. None: losses are not
        looked at.
    by_its_own : bool
        A loss explodes where it is NaN, infinite or more than `EXPLOSION` times the first one: that of the same
        network, or else the largest of all.
    what : str
        Name of the progress bar.
    progress : bool
        Show it on standard error if that is a terminal.
    """
    watch = None if stop is None else _Watch(by_its_own)
    start = time.perf_counter()
    bar = progress_bar(
        range(steps), what, shown=progress, remedy="lower `steps` (or the end time), `batch` or `seeds`"
    )
    with torch.no_grad():  # once for all: entering it takes as long as a small product
        for n in bar:
            record(n)
            losses, gradients = gradient(n)
            rule(gradients, rate(n) if callable(rate) else rate)
            if watch is not None and losses is not None:
                watch.recent.append(losses)
                due = len(watch.recent) == CHECK_EVERY or n in (0, steps - 1)
                if due and stop is not None and stop(watch.look(n) < NEVER):
                    break
        else:
            record(steps)
    failed = np.full(0, NEVER) if watch is None else watch.failed
    return Outcome(failed, time.perf_counter() - start)


class _Watch:
    """Finds the step at which the loss of each network explodes; looking often would keep a GPU waiting."""

    def __init__(self, by_its_own: bool) -> None:
        self.by_its_own = by_its_own
        self.recent: list[Tensor] = []  # losses (S,) since the last look
        self.failed: NDArray[np.int64] = np.full(0, NEVER)
        self.limit: Array | None = None

    def look(self, n: int) -> NDArray[np.int64]:
        """Step (S,) at which each network exploded, up to step n, the last of the recent ones."""
        checked = torch.stack(self.recent).cpu().numpy()  # (n, S)
        if self.limit is None:
            first = checked[0] if self.by_its_own else checked[0].max()
            self.limit = EXPLOSION * np.maximum(first, np.finfo(float).tiny)
            self.failed = np.full(checked.shape[1:], NEVER)
        # NaN compares false; of an infinite first loss, infinite ones are no multiple
        exploded = ~(checked <= self.limit) | np.isinf(checked)
        at = n - len(checked) + 1 + exploded.argmax(axis=0)
        self.failed = np.where(exploded.any(axis=0), np.minimum(self.failed, at), self.failed)
        self.recent.clear()
        return self.failed


def record_steps(steps: int, records: int, log_times: bool = False) -> NDArray[np.int64]:
    """Steps at which to record: 0 … steps, evenly spaced in the step or in its logarithm."""
    if log_times:
        check_memory(f"Spacing {records} records", 4 * DOUBLE * records, "lower `records`")
        late = np.geomspace(1, steps, records - 1)
        return np.unique(np.append(0, np.round(late).astype(int)))
    count = min(records, steps + 1)  # more than there are steps are all of them
    check_memory(f"Recording {count} times", 4 * DOUBLE * count, "lower `records`")
    return np.unique(np.round(np.linspace(0, steps, count)).astype(int))


@contextmanager
def few_threads(work: int) -> Iterator[None]:
    """One thread where a step is small: waiting for each other costs threads more than they gain.

    On two cores the gain was below 20 % at 10⁶ multiplications a step, the loss on a busy machine a factor 10.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1 if work < SMALL_STEP else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
