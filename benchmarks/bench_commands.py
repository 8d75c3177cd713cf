"""(9) Whole commands, as users wait for them: those of README and tour, and every figure; each in its own process."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.one_thread import VARIABLES
from benchmarks.report import Table
from benchmarks.shown_commands import all_chains, blocks_before
from dynamics.budget import usable_cores

GOAL = 20  # seconds that a command may take on two idle cores


def commands() -> list[Table]:
    """Both tables, the longest command first."""
    with TemporaryDirectory() as folder:
        shown = all_chains()
        for block in {block for chain in shown for block in blocks_before(chain)}:
            subprocess.run([sys.executable, "-c", block], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        readme = measured([command for chain in shown for command, _ in chain], Path(folder))
        figures = measured([f"figure {name}" for name in figure_names()], Path(folder))
    note = (
        f"Each in a process of its own, imports included, on {usable_cores()} cores: seconds of the clock on the wall "
        f"and of the processor, largest memory. The goal is {GOAL} s on two idle cores."
    )
    return [
        Table("commands", "(9) Every command of README and tour", note, readme),
        Table("figures", "(9) Every figure of the gallery", note, figures),
    ]


def figure_names() -> list[str]:
    """Subcommands of `quadflow figure`."""
    from quadflow.commands.figure import command

    return sorted(command.commands)


def measured(lines: Sequence[str], folder: Path) -> list[dict[str, Any]]:
    """One row for each command line of quadflow, run in order in one folder, whose files later ones may read."""
    rows = []
    for line in lines:
        print(f"    quadflow {line}", file=sys.stderr)
        rows.append(run(shlex.split(line), folder) | {"command": f"quadflow {line}"})
    rows = [{"command": row["command"], **row} for row in rows]
    return sorted(rows, key=lambda row: -row["processor [s]"])


def run(words: Sequence[str], folder: Path) -> dict[str, Any]:
    """Times of one command, its children included, and its exit status."""
    environment = {name: value for name, value in os.environ.items() if VARIABLES.get(name) != value}
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "quadflow", *words],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return {
        "wall [s]": time.perf_counter() - start,
        "processor [s]": used.ru_utime + used.ru_stime,
        "memory [MB]": used.ru_maxrss / 1024,
        "exit status": process.returncode,
    }
