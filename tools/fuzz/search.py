"""Many calls, the faults among them, and each fault's shortest call."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tools.fuzz.calls import Call, calls
from tools.fuzz.checks import Guard, end, faults
from tools.fuzz.files import write_files, write_results


@dataclass
class Found:
    """What a search has seen: calls per command, endings, faults with the call that shows them."""

    calls: Counter[str] = field(default_factory=Counter)
    statuses: Counter[object] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    faults: dict[str, Call] = field(default_factory=dict)


def search(
    folder: Path,
    count: int,
    number: int,
    limit: float = 20.0,
    tell: Callable[[str], None] = lambda text: None,
) -> Found:
    """`count` calls drawn from a seed, in a folder of files; each new fault is told as a line to be pasted."""
    found = Found()
    names = sorted([*write_files(folder), *write_results(folder)])
    with contextlib.chdir(folder):
        guard = Guard(folder)

        def try_call(call: Call) -> list[str]:
            ending = end(call, limit)
            found.statuses[ending.status] += 1
            found.seconds[call.command.split()[0]] += ending.seconds  # type: ignore[assignment]
            return [*faults(call, ending), *guard.harm()]

        def shows(fault: str, call: Call) -> bool:
            return _kind(fault) in map(_kind, try_call(call))

        @seed(number)
        @settings(
            max_examples=count,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(calls(names))
        def one(call: Call) -> None:
            found.calls[call.command] += 1
            for fault in try_call(call):
                if _kind(fault) not in {_kind(known) for known in found.faults}:
                    endless = fault.startswith("longer than")  # every try would take as long
                    found.faults[fault] = call if endless else shorten(call, partial(shows, fault))
                    tell(f"{fault}\n    {command_line(found.faults[fault])}")

        one()
    return found


def _kind(fault: str) -> str:
    """A fault without its details: the type and the place of an exception, or the words without numbers."""
    return fault.split(": ")[0] if " in " in fault else re.sub(r"\d+", "#", fault)


def shorten(call: Call, shows: Callable[[Call], bool]) -> Call:
    """Leave out arguments, one or two neighbours at a time, as long as the fault shows."""
    size = 2
    while size:
        place = 0
        while place < len(call.arguments):
            rest = Call(call.command, call.arguments[:place] + call.arguments[place + size :])
            if shows(rest):
                call = rest
            else:
                place += 1
        size -= 1
    return call


def command_line(call: Call) -> str:
    """The call for a shell."""
    words = [w if w.isprintable() else "$" + ascii(w) for w in call.arguments]
    quoted = [w if w.startswith("$'") else shlex.quote(w) for w in words]
    return os.fsencode(" ".join(["quadflow", call.command, *quoted])).decode(errors="backslashreplace")
