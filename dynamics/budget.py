"""What a computation may take of the machine, memory and cores: sizes are refused before they are tried.

A computation that outgrows the machine ends in a process killed without a word, or in a machine that answers nobody.
Whoever allocates by the user's numbers therefore says first how much it will be (`check_memory`), or how many things
(`check_number`), and what helps.
"""

from __future__ import annotations

import math
import os
from contextlib import suppress
from pathlib import Path

from dynamics.errors import ProblemError

SHARE = 0.5  # of the machine's memory; the rest is for temporary arrays, and for others
FALLBACK = 2**32  # bytes of a machine that does not say how much it has
LEAST = 2**26  # bytes below which nobody asks the machine
CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")  # of containers and batch systems, on Linux
UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")


def physical_memory() -> float:
    """Bytes of memory that this machine has; infinite where it does not tell."""
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf, others may not have these names
        return math.inf
    return total if total > 0 else math.inf


def memory_budget() -> float:
    """Bytes that one computation may take: a share of the machine's memory, or of the container's."""
    total = physical_memory()
    if math.isinf(total):
        total = FALLBACK
    with suppress(OSError, ValueError):  # no container, or one without a limit ("max")
        total = min(total, int(CONTAINER_LIMIT.read_text(encoding="ascii")))
    return SHARE * total


def usable_cores() -> int:
    """Cores on which this process may run; of the machine where the system does not know the process's own."""
    if hasattr(os, "sched_getaffinity"):  # Linux: batch systems and containers allow some cores only
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_memory(what: str, nbytes: float, remedy: str) -> None:
    """Refuse what would take more memory than the machine has to give.

    Parameters
    ----------
    what : str
        Subject of the sentence, with the numbers that make it large: "A data set of 10⁹ samples in 4 dimensions".
    nbytes : float
        Estimate; exact Python integers, however large, are fine.
    remedy : str
        What helps, as an imperative: "lower `samples`".

    Raises
    ------
    ProblemError
    """
    if nbytes <= LEAST:
        return
    allowed = memory_budget()
    if nbytes > allowed:
        raise ProblemError(
            f"{what} would take about {format_bytes(nbytes)} of memory, but at most {format_bytes(allowed)} are "
            f"allowed on this machine: {remedy}."
        )


def check_number(what: str, number: int, limit: int, things: str, remedy: str) -> None:
    """Refuse what would be more things than anybody can wait for; `what` and `remedy` as for `check_memory`.

    Raises
    ------
    ProblemError
    """
    if number > limit:
        raise ProblemError(
            f"{what} means {format_count(number)} {things}, but at most {format_count(limit)} are allowed: {remedy}."
        )


def format_bytes(nbytes: float) -> str:
    """Two digits and a unit: "3.4 GB"."""
    power = 0
    while nbytes >= 999.5 and power < len(UNITS) - 1:
        nbytes, power = nbytes / 1000, power + 1
    return (
        f"{nbytes:.2g} {UNITS[power]}" if nbytes < 99.5 else f"{format_count(round(nbytes))} {UNITS[power]}"
    )


def format_count(number: int) -> str:
    """A whole number as people read it: "20,000", and "3e+30" where digits tell nothing."""
    return (
        f"{number:,}"
        if number < 10**12
        else f"{number / 10 ** (len(str(number)) - 1):.0f}e+{len(str(number)) - 1}"
    )
