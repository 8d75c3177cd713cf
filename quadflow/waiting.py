"""What people see on a terminal while a command works: that it does, for how long, and that it will take minutes.

Work whose length is known shows bars of its own (`dynamics.progress`). A thread beside the command keeps the clocks of
these running, and says what is going on where there is no bar. Once, from the rate of the first seconds, it says that
there are minutes to come, and what would make them fewer. In a pipe nothing of it is there.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from dynamics.progress import Bar

TICK = 0.25  # seconds between two looks
SILENCE = 1.2  # seconds without a sign before there is one
SECOND = 1.0  # between two positions of a clock
OBSERVED = 3.0  # seconds of work from which its rest is estimated
LONG = 60.0  # seconds that are worth a warning

_watch: Watch | None = None  # of the command that is running


@contextlib.contextmanager
def waiting(command: str) -> Iterator[None]:
    """Watch over a command while it runs; only a terminal sees anything, and only the outermost command is watched."""
    global _watch
    if _watch is not None or sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    _watch, stdout = Watch(command), sys.stdout
    if stdout is not None and stdout.isatty():
        sys.stdout = Clearing(stdout, _watch)
    from dynamics.progress import making_room

    _watch.start()
    try:
        with making_room(_watch.clear):
            yield
    finally:
        _watch.end()
        sys.stdout, _watch = stdout, None


class Clearing:
    """A text stream on the same terminal as the line of a watch, which makes room for what is written."""

    def __init__(self, stream: TextIO, watch: Watch) -> None:
        self._stream, self._watch = stream, watch

    def write(self, text: str) -> int:
        """Write where the line was."""
        self._watch.clear()
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Watch(threading.Thread):
    """The thread beside a command.

    Parameters
    ----------
    command : str
        What people typed, "quadflow simulate".
    """

    def __init__(self, command: str) -> None:
        super().__init__(name="waiting", daemon=True)
        self._command, self._over, self._lock = command, threading.Event(), threading.RLock()
        self._line = ""  # of words, where the cursor is
        self._begun = self._signed = time.monotonic()
        self._refreshed, self._warned = 0.0, False

    def run(self) -> None:
        """Look until the command is over."""
        while not self._over.wait(TICK):
            with self._lock:
                if not self._over.is_set():
                    self._look()

    def end(self) -> None:
        """The command is over: nothing is left on the terminal."""
        self._over.set()
        self.clear()
        self.join()

    def clear(self) -> None:
        """Take the line away; it returns after some silence."""
        with self._lock:
            self._signed = time.monotonic()
            if self._line:
                self._write("")

    def _look(self) -> None:
        """Show that work goes on, by the innermost bar or by words."""
        from dynamics.progress import shown_bars

        bars = shown_bars()
        if bars:
            self.clear()
            if time.monotonic() > self._refreshed + SECOND:
                bars[-1].refresh()
                self._refreshed = time.monotonic()
            self._warn(bars)
        elif time.monotonic() - self._signed > SILENCE:
            self._say()

    def _say(self) -> None:
        """Words, and the time since the command began."""
        from dynamics.progress import current_stage

        seconds = int(time.monotonic() - self._begun)
        words = f"{self._command}: {current_stage() or 'working'} [{seconds // 60:02}:{seconds % 60:02}]"
        words = words[: shutil.get_terminal_size().columns - 1]
        if words != self._line:
            self._write(words)

    def _write(self, words: str) -> None:
        """Words in place of those that stood in the line, and the cursor before the next ones."""
        with contextlib.suppress(OSError, ValueError):  # the terminal has gone
            sys.stderr.write(f"\r{words.ljust(len(self._line))}" + ("" if words else "\r"))
            sys.stderr.flush()
        self._line = words

    def _warn(self, bars: tuple[Bar, ...]) -> None:
        """Say once that the work of a bar will take minutes, and what helps."""
        from tqdm import tqdm

        for bar in bars:
            left = bar.left
            if self._warned or left is None or left < LONG or time.monotonic() - bar.started < OBSERVED:
                continue
            self._warned = True
            what, remedy = bar.desc.rstrip(": ") or "this", bar.remedy
            advice = f": {remedy} to wait less" if remedy else ""
            tqdm.write(f"{self._command}: {what} will take about {in_words(left)} more{advice}.", sys.stderr)


def in_words(seconds: float) -> str:
    """A span of time to the accuracy of an estimate: "2 minutes", "5 hours"."""
    for name, length in (("day", 86400.0), ("hour", 3600.0)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.0f} {name}s"
    return f"{max(1, round(seconds / 60))} minute{'s' if seconds >= 90 else ''}"
