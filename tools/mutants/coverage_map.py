"""Which test calls which function: measured once per test file, and again when that file changes."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections import defaultdict
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

from tools.mutants.hook import sitecustomize
from tools.mutants.processes import OPTIONS, Task, hook_environment, plain_hypothesis, run_all

LEFT_OUT = ("tests/test_docs.py", "tests/test_readme.py", "tests/quadflow/test_fuzz.py", "tests/tools/")
LIMIT = 1800.0  # seconds for one test file
NEAR = 0.75  # share of the seconds of a mutant that the nearest tests may take


class CoverageMap:
    """Tests that pass, what they cost, and what they call.

    Parameters
    ----------
    files
        Test file → {"digest": str, "seconds": {test: float}, "calls": {test: [function, ...]}}, where a function is
        "dynamics/flows/gradient.py::GradientFlow.velocity", or the import of a module in which functions are
        compiled, "dynamics/integration/compiled_steps.py::". The setup of a test counts for all tests of its file, as
        fixtures do.
    """

    def __init__(self, files: dict[str, dict[str, Any]]) -> None:
        self.seconds: dict[str, float] = {}
        self.by_function: defaultdict[str, set[str]] = defaultdict(set)
        self.by_module: defaultdict[str, set[str]] = defaultdict(set)
        self.by_file: dict[str, list[str]] = {}
        for file, entry in files.items():
            self.seconds |= entry["seconds"]
            self.by_file[file] = list(entry["seconds"])
            names = entry["functions"]
            for test, numbers in entry["calls"].items():
                for name in (names[number] for number in numbers):
                    self.by_function[name].add(test)
                    module, _, function = name.partition("::")
                    # of what is compiled only the import is seen, by the first test: all of its file may call it
                    self.by_module[module].update([test] if function else entry["seconds"])

    def choose(self, module: str, function: str, budget: float) -> list[str]:
        """Tests for a change in a function (or at the top level, ""), the nearest and cheapest first, within seconds.

        First those that call it, in the mirrored file, in its folder, elsewhere; then, since a value computed by one
        test can be kept for another (fixtures, caches), the rest of the mirrored file; and what reads the signatures
        of all functions of the package without a call. Nobody calls the top level: there the whole mirrored file is
        as near as any test of the module.
        """
        mirrored = f"tests/{module.rpartition('/')[0]}/test_{module.rpartition('/')[2]}"
        folder = mirrored.rpartition("/")[0] + "/"

        def order(test: str) -> tuple[int, float]:
            near = 0 if test.startswith(mirrored) else 1 if test.startswith(folder) else 2
            return near, self.seconds[test]

        callers = self.by_function.get(f"{module}::{function}") or self.by_module.get(module, set())
        readers = f"tests/{module.partition('/')[0]}/test_defaults.py"
        if not function:
            callers = callers | {*self.by_file.get(mirrored, ())}
        rest = {*self.by_file.get(mirrored, ()), *self.by_file.get(readers, ())} - callers
        ordered = [*sorted(callers, key=order), *sorted(rest, key=order)]
        chosen: dict[str, None] = {}
        spent = 0.0
        # The nearest leave something for cheap ones elsewhere, such as those that count sizes by hand.
        for tests, allowed in (
            (ordered, NEAR * budget),
            (sorted(ordered, key=self.seconds.__getitem__), budget),
        ):
            for test in tests:
                if test not in chosen and (not chosen or spent + self.seconds[test] <= allowed):
                    chosen[test] = None
                    spent += self.seconds[test]
        return [*chosen]


def measure(root: Path, packages: list[str], store: Path, jobs: int, tell: Any = print) -> CoverageMap:
    """Read the map from its file, after measuring the test files that are new or changed."""
    known: dict[str, Any] = json.loads(store.read_text()) if store.exists() else {}
    digests = {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((root / "tests").rglob("test_*.py"))
        if not str(path.relative_to(root)).startswith(LEFT_OUT)
    }
    known = {file: entry for file, entry in known.items() if file in digests}
    stale = [file for file, digest in digests.items() if known.get(file, {}).get("digest") != digest]
    with tempfile.TemporaryDirectory() as folder:
        answers = {file: Path(folder, f"{number}.json") for number, file in enumerate(stale)}
        tasks = [
            Task(file, _watcher(root, packages, file, answer), LIMIT) for file, answer in answers.items()
        ]
        for done, (task, status) in enumerate(run_all(tasks, jobs), 1):
            tell(f"measuring what the tests call: {done}/{len(stale)} {task.name}")
            if not answers[task.name].exists():
                tell(f"  {task.name} cannot be measured (status {status}); its tests are left out")
                continue
            known[task.name] = {"digest": digests[task.name], **json.loads(answers[task.name].read_text())}
            _save(known, store)
    return CoverageMap(known)


def _save(known: dict[str, Any], store: Path) -> None:
    store.parent.mkdir(exist_ok=True, parents=True)
    fresh = store.with_suffix(".new")
    fresh.write_text(json.dumps(known))
    fresh.replace(store)


def _watcher(root: Path, packages: list[str], file: str, answer: Path) -> Any:
    def work() -> int:
        with tempfile.TemporaryDirectory() as folder:
            hook_environment(sitecustomize.WATCHED, [str(root), packages, folder])
            sitecustomize.watch(str(root), packages)
            plain_hypothesis()
            times = _Times()
            status = pytest.main([*OPTIONS, str(root / file)], plugins=[times])
            calls = [sitecustomize.calls, *(json.loads(path.read_text()) for path in Path(folder).iterdir())]
        answer.write_text(json.dumps(_condense(times, calls)))
        return int(status)

    return work


class _Times:
    """A plugin of pytest that notes what passed, and the processor's time it took, whatever else the machine does."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Setup, call and teardown, with the processes they start."""
        begin = sum(os.times()[:4])
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] = sum(os.times()[:4]) - begin

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test that fails or is skipped without a mutation says nothing about one."""
        if report.failed or report.skipped:
            self.failed.add(report.nodeid)


def _condense(times: _Times, calls: Iterable[dict[str, Iterable[str]]]) -> dict[str, Any]:
    """Calls per passed test, the setup's for all; functions by number, since each is called by many."""
    seconds = {test: round(s, 3) for test, s in times.seconds.items() if test not in times.failed}
    by_test: dict[str, set[str]] = {test: set() for test in seconds}
    for part in calls:
        for key, names in part.items():
            test, _, phase = key.rpartition(" (")
            for chosen in by_test if phase.startswith("setup") or not key else [test]:
                by_test.setdefault(chosen, set()).update(names)
    functions = sorted(set().union(*by_test.values())) if by_test else []
    number = {name: i for i, name in enumerate(functions)}
    numbered = {test: sorted(number[n] for n in by_test[test]) for test in seconds}
    return {"seconds": seconds, "functions": functions, "calls": numbered}
