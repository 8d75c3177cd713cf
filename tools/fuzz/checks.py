"""One call in this process, with both streams kept, and what is wrong with how it ended."""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from tools.fuzz.calls import Call
from tools.fuzz.values import FOLDER

MEMORY = 12 << 30  # bytes of address space; what needs more must be refused, not tried
DEFAULT_OUTPUTS = ("report.html", "explorer.html", "sweep.nc", "quadflow.toml")
QUIET = (
    DeprecationWarning,
    PendingDeprecationWarning,
    ImportWarning,
    ResourceWarning,
)  # Python shows these to nobody


class TooLong(BaseException):
    """The time of a call is over; no `except Exception` keeps it."""


@dataclass(frozen=True)
class Ending:
    """How a call ended."""

    status: Any
    out: str
    err: str
    warned: tuple[str, ...]
    seconds: float
    crash: str = ""


def end(call: Call, limit: float) -> Ending:
    """Make the call; beyond `limit` seconds it is broken off."""
    from quadflow.cli import run
    from quadflow.streams import degrade_streams

    begin, status, crash = time.process_time(), None, ""
    with _streams() as streams, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            degrade_streams()  # as the program does before it runs
            with _limits(limit):
                status = run([*call.command.split(), *call.arguments])
        except TooLong as error:
            crash = f"longer than {limit:g} s, in {_place(error)}"
        except BaseException as error:  # whatever it is: it would have reached people
            crash = f"{type(error).__name__} in {_place(error)}: {str(error)[:60]}"
    warned = {f"{w.category.__name__}: {w.message}" for w in caught if not issubclass(w.category, QUIET)}
    out, err = streams
    return Ending(status, out, err, tuple(sorted(warned)), time.process_time() - begin, crash)


def faults(call: Call, ending: Ending) -> list[str]:
    """What is wrong, a line each; empty if nothing is."""
    if ending.crash:
        return [ending.crash]
    found = [f"a library's warning: {text.splitlines()[0]}" for text in ending.warned]
    lines = ending.err.splitlines()
    if ending.status not in (0, 1, 2):
        found.append(f"status {ending.status!r}")
    if ending.status and len(lines) != 1:
        found.append(f"{len(lines)} lines on standard error with status {ending.status}")
    for sign in ("Traceback", "internal error", "Warning", "Error:"):
        if sign in ending.err:
            found.append(f"{sign!r} on standard error")
    if any(word in ending.out + ending.err for word in ("lsoda--", "intdy--")):
        found.append("LSODA speaks")
    if ending.status == 0 and "--json" in call.arguments:
        found += _json_faults(ending.out)
    return found


def _json_faults(text: str) -> list[str]:
    def refuse(token: str) -> None:
        raise ValueError(f"bare {token}")

    try:
        value = json.loads(text, parse_constant=refuse)
    except ValueError as error:
        return [f"JSON: {error}"]
    return [] if isinstance(value, dict) else ["JSON, but no object"]


class Guard:
    """The files of a folder, and what a call did to them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / FOLDER).mkdir(exist_ok=True)
        self.before = self._state()

    def _state(self) -> dict[str, tuple[int, int]]:
        state = {}
        for root, folders, files in os.walk(self.folder):
            if Path(root) == self.folder:
                folders[:] = [name for name in folders if name != FOLDER]
            for name in files:
                found = os.stat(os.path.join(root, name))
                state[os.path.join(root, name)] = (found.st_mtime_ns, found.st_size)
        return state

    def harm(self) -> list[str]:
        """Files changed, lost or left behind where they do not belong; what the call wrote is removed."""
        shutil.rmtree(self.folder / FOLDER)
        (self.folder / FOLDER).mkdir()
        after = self._state()
        found = [f"{name} is gone" for name in self.before.keys() - after.keys()]
        found += [
            f"{name} was changed"
            for name in self.before
            if after.get(name, self.before[name]) != self.before[name]
        ]
        for name in after.keys() - self.before.keys():
            os.unlink(name)
            if Path(name).name not in DEFAULT_OUTPUTS:
                found.append(f"{Path(name).name} was left behind")
        return found


@contextlib.contextmanager
def _streams() -> Iterator[list[str]]:
    """Standard output and error as files, below Python too: Fortran and C write there."""
    texts: list[str] = []
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        kept = [(number, os.dup(number)) for number in (1, 2)]
        streams = sys.stdout, sys.stderr
        for stream in streams:
            stream.flush()
        try:
            for number, file in zip((1, 2), (out, err), strict=True):
                os.dup2(file.fileno(), number)
            sys.stdout, sys.stderr = (
                io.TextIOWrapper(io.FileIO(n, "w", closefd=False), "utf-8", write_through=True)
                for n in (1, 2)
            )
            yield texts
        finally:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(ValueError):  # closed when the reader has gone
                    stream.flush()
            sys.stdout, sys.stderr = streams
            for number, copy in kept:
                os.dup2(copy, number)
                os.close(copy)
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))


@contextlib.contextmanager
def _limits(seconds: float) -> Iterator[None]:
    """An alarm after seconds of this processor's time, or thirty times as many of waiting, and a bound on memory."""
    armed = True

    def ring(_: int, __: FrameType | None) -> None:
        if armed:
            raise TooLong

    def hook(unraisable: Any) -> None:  # where Python cannot raise it; the next alarm will
        if unraisable.exc_type is not TooLong:
            hook_before(unraisable)

    hook_before, sys.unraisablehook = sys.unraisablehook, hook
    memory = resource.getrlimit(resource.RLIMIT_AS)
    handlers = {number: signal.signal(number, ring) for number in (signal.SIGPROF, signal.SIGALRM)}
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, memory[1]))
    signal.setitimer(signal.ITIMER_PROF, seconds, 0.5)  # again and again: a callback of C can lose one
    signal.setitimer(signal.ITIMER_REAL, 30 * seconds, 0.5)
    try:
        yield
    finally:
        armed = False
        for timer in (signal.ITIMER_PROF, signal.ITIMER_REAL):
            signal.setitimer(timer, 0)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        resource.setrlimit(resource.RLIMIT_AS, memory)
        sys.unraisablehook = hook_before


def _place(error: BaseException) -> str:
    """Where the code of the command was; the alarm of this file rings within it."""
    ours = [
        f
        for f in traceback.extract_tb(error.__traceback__)
        if not ("site-packages" in f.filename or "/lib/" in f.filename or f.filename == __file__)
    ]
    return f"{'/'.join(Path(ours[-1].filename).parts[-2:])}:{ours[-1].lineno}" if ours else "a library"
