"""The one way in which long work shows how far it is: bars on standard error, if that is a terminal.

Whoever loops for long over something known asks for a `progress_bar`, and says with it what makes the work smaller.
Bars know of each other, and of the stages between them (`stage`): so the command line can keep their clocks running,
say what is going on where there is no bar, and warn of minutes to come (`quadflow.waiting`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from shutil import get_terminal_size
from typing import Any

from tqdm import tqdm

STANDING = "{desc}: t = {n:.4g}{postfix} [{elapsed}]"  # of work whose end nobody knows
GOING = (
    "{desc}: {bar}| t = {n:.4g} of {total:.4g}{postfix} [{elapsed}]"  # time of a flow is no measure of work
)
INTERVAL = 0.1  # seconds between two looks at what takes long to say

_shown: list[Bar] = []  # bars on the terminal now, the innermost last
_stages: list[str] = []  # what is going on, the innermost last
_before: list[Callable[[], None]] = []  # called before a bar appears


class Bar(tqdm):
    """A progress bar that knows what would make its work smaller.

    Attributes
    ----------
    remedy : str
        As an imperative, "lower `steps`"; empty where nobody can choose.
    started : float
        On the clock of `time.monotonic`, in seconds.
    """

    def __init__(self, *args: Any, remedy: str = "", **settings: Any) -> None:
        for make_room in _before:
            make_room()
        # a terminal that says it has no rows has some, and tqdm would show nothing there
        super().__init__(*args, nrows=get_terminal_size().lines, **settings)
        self.remedy, self.started, self.looked = remedy, time.monotonic(), 0.0
        if not self.disable:
            _shown.append(self)

    def close(self) -> None:
        """Take the bar from the terminal."""
        if self in _shown:
            _shown.remove(self)
        super().close()

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = tqdm.__hash__

    @property
    def due(self) -> bool:
        """Whether it is time to say something that takes a while to find out; at most so often as it is seen."""
        if self.disable or time.monotonic() < self.looked + INTERVAL:
            return False
        self.looked = time.monotonic()
        return True

    @property
    def left(self) -> float | None:
        """Seconds that are left at the better of the average rate and the recent one, as the first steps may be slow.

        None while nothing is done, or where no end is known.
        """
        if self.disable or not self.total or self.n <= self.initial or self.bar_format is not None:
            return None
        average = (self.n - self.initial) / (time.monotonic() - self.started)
        recent = self.format_dict.get("rate") or average
        return float((self.total - self.n) / max(average, recent))


def progress_bar(
    items: Iterable[Any] | None = None,
    what: str = "",
    total: float | None = None,
    *,
    shown: bool,
    remedy: str = "",
    unit: str = "it",
    initial: int = 0,
) -> Bar:
    """A bar for a loop over `items`, or one to be updated by hand, with the time that is left.

    Parameters
    ----------
    items : iterable, optional
    what : str
        Name of the work.
    total : int, optional
        How many items there are; by default their length.
    shown : bool
        Show it if standard error is a terminal.
    remedy : str
        What makes the work smaller, as an imperative.
    unit : str
    initial : int
        How many are done before.
    """
    return Bar(
        items,
        what,
        total,
        leave=False,
        disable=None if shown else True,  # None: on a terminal, not in a pipe
        unit=unit,
        initial=initial,
        remedy=remedy,
    )


def flow_bar(t_end: float | None, what: str, *, shown: bool) -> Bar:
    """A bar for the time of a flow, up to `t_end` or, if that is None, to an end that nobody knows."""
    return Bar(
        None,
        what,
        t_end,
        leave=False,
        disable=None if shown else True,
        bar_format=STANDING if t_end is None else GOING,
    )


@contextmanager
def stage(what: str) -> Iterator[None]:
    """Work that is of one piece, by its name: "compiling the flow"."""
    _stages.append(what)
    try:
        yield
    finally:
        _stages.remove(what)


@contextmanager
def making_room(make_room: Callable[[], None]) -> Iterator[None]:
    """Call a function before every bar: it clears the line on which the bar will be."""
    _before.append(make_room)
    try:
        yield
    finally:
        _before.remove(make_room)


def shown_bars() -> tuple[Bar, ...]:
    """Bars on the terminal now, the innermost last."""
    return tuple(_shown)


def current_stage() -> str:
    """What is going on, or the empty text."""
    return _stages[-1] if _stages else ""
