"""A mutant against the tests that execute it."""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.mutants.coverage_map import CoverageMap
from tools.mutants.hook import sitecustomize
from tools.mutants.operators import Mutation
from tools.mutants.processes import (
    OPTIONS,
    PASSED,
    TIMEOUT,
    Selected,
    Task,
    fresh_cache,
    hook_environment,
    plain_hypothesis,
    run_all,
)
from tools.mutants.sampling import Exclusions

NO_TESTS = 5  # pytest's exit status
NOTICED = ("killed", "timeout")
MISSED = ("survived", "untested")


@dataclass(frozen=True)
class Result:
    """How a mutant fared: "killed", "timeout" (noticed as well), "survived", "untested" or "equivalent"."""

    mutation: Mutation
    outcome: str
    tests: int
    reason: str = ""


def describe(result: Result) -> str:
    """Where a mutant is, what became of it, and what it changed."""
    mutation = result.mutation
    where = f"{mutation.file}:{mutation.line}, {mutation.function or 'top level'}"
    return f"\n{where}: {result.outcome} ({result.tests} tests)\n    {mutation.text}\n    {mutation.change}\n"


def try_all(
    root: Path,
    mutants: list[Mutation],
    known: CoverageMap,
    exclusions: Exclusions,
    jobs: int,
    timeout: float,
    budget: float,
) -> Iterator[Result]:
    """Results in the order in which they end; on standard output a point per mutant and each survivor at once."""
    tasks, tests = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for number, mutation in enumerate(mutants):
            reason = exclusions.reason(mutation)
            chosen = [] if reason else known.choose(mutation.file, mutation.function, budget)
            if not chosen:
                yield Result(mutation, "equivalent" if reason else "untested", 0, reason or "")
                continue
            tests[mutation] = chosen
            path = Path(folder, f"{number}.py")
            path.write_bytes(mutation.apply((root / mutation.file).read_bytes()))
            limit = timeout or 30 + 5 * sum(known.seconds[test] for test in chosen)
            tasks.append(Task(mutation, _trial(root, mutation, path, chosen), limit))
        for task, status in run_all(tasks, jobs):
            outcome = {PASSED: "survived", NO_TESTS: "untested", TIMEOUT: "timeout"}.get(status, "killed")
            result = Result(task.name, outcome, len(tests[task.name]))
            print(
                describe(result) if result.outcome in MISSED else "t" if outcome == "timeout" else ".", end=""
            )
            sys.stdout.flush()
            yield result
    print()


def _trial(root: Path, mutation: Mutation, text: Path, tests: list[str]) -> Callable[[], int]:
    def work() -> int:
        original = str(root / mutation.file)
        hook_environment(sitecustomize.MUTANT, [original, str(text)])
        sitecustomize.replace(original, text.read_bytes())
        if sitecustomize.COMPILERS.search(text.read_text()):
            fresh_cache(text.with_suffix(".cache"))
        random.seed(0)
        plain_hypothesis()
        files = sorted({test.split("::")[0] for test in tests}, key=[t.split("::")[0] for t in tests].index)
        return int(pytest.main([*OPTIONS, "-x", *files], plugins=[Selected(tests)]))

    return work
