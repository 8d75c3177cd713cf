"""pytest in forked processes that have the libraries loaded, a few at a time, each with a time limit."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

HOOK = Path(__file__).parent / "hook"
LIBRARIES = [
    "numpy",
    "scipy.integrate",
    "scipy.optimize",
    "sympy",
    "torch",
    "matplotlib.pyplot",
    "click",
    "hypothesis",
]
OPTIONS = [
    "-q",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
]
MEMORY = 8 << 30  # bytes of address space: a mutant may ask for everything
PASSED, FAILED, TIMEOUT = 0, 1, -1


@dataclass(frozen=True)
class Task:
    """What a forked process does: `work()` returns its exit status."""

    name: Any
    work: Callable[[], int]
    limit: float  # seconds of the processor; ten times as many may pass on a busy machine


def load_libraries() -> None:
    """Import once what every test needs; the packages under test must not be among them."""
    for library in LIBRARIES:
        with contextlib.suppress(ImportError):
            import_module(library)


def run_all(tasks: Iterable[Task], jobs: int) -> Iterator[tuple[Task, int]]:
    """Run tasks beside each other and give each with its exit status, or TIMEOUT, when it ends."""
    waiting, running = list(tasks)[::-1], dict[int, tuple[Task, float]]()
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                task = waiting.pop()
                running[_fork(task)] = task, time.monotonic() + 10 * task.limit
            for process, (task, deadline) in list(running.items()):
                ended, status = os.waitpid(process, os.WNOHANG)
                late = time.monotonic() > deadline
                if ended or late:
                    del running[process]
                    _end(process, wait=not ended)
                    code = os.waitstatus_to_exitcode(status) if ended else TIMEOUT
                    yield task, TIMEOUT if code == -signal.SIGXCPU else code
            time.sleep(0.02)
    finally:
        for process in running:
            _end(process, wait=True)


def _end(group: int, *, wait: bool) -> None:
    """End a process and those that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    if wait:
        os.waitpid(group, 0)


def _fork(task: Task) -> int:
    sys.stdout.flush()
    process = os.fork()
    if process:
        with contextlib.suppress(OSError):
            os.setpgid(process, process)
        return process
    status, stderr = 70, os.fdopen(os.dup(2), "w")
    try:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        seconds = int(task.limit) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        status = task.work()
    except BaseException:  # whatever it was, this process ends here
        traceback.print_exc(file=stderr)
        stderr.flush()
    finally:
        os._exit(status)


def hook_environment(variable: str, value: list[Any]) -> None:
    """Make every Python started from here import through the hook, told what to do by a variable."""
    paths = [str(HOOK), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ |= {
        variable: json.dumps(value),
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def fresh_cache(folder: Path) -> None:
    """Let numba compile anew: it knows what it kept on disk by the file and the operations, without their constants.

    It reads this when it is imported, which no library above does.
    """
    os.environ["NUMBA_CACHE_DIR"] = str(folder)


def plain_hypothesis() -> None:
    """Neither shrink a counterexample nor keep it: a mutant's faults are not the project's."""
    from hypothesis import Phase, settings

    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutants", database=None, derandomize=True, phases=phases, deadline=None)
    settings.load_profile("mutants")


class Selected:
    """A plugin of pytest: only these tests, in this order."""

    def __init__(self, tests: list[str]) -> None:
        self.place = {test: i for i, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Drop the others."""
        chosen = [item for item in items if item.nodeid in self.place]
        items[:] = sorted(chosen, key=lambda item: self.place[item.nodeid])
