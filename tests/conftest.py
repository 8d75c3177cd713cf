"""Shared by all tests: one thread per worker, and random problems."""

import ast
import inspect
import os
import pkgutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import FrameType, ModuleType

# Before NumPy and PyTorch are imported: the test workers share the cores between them.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np
import pytest

from dynamics import Problem, ProblemError, Student, Teacher

ROOT = Path(__file__).parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """No test is named after a set, which each worker writes in an order of its own (they could not share tests)."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        for name, value in callspec.params.items() if callspec else ():
            if isinstance(value, set | frozenset) and len(value) > 1 and str(value) in item.name:
                raise pytest.UsageError(
                    f"{item.nodeid}: {name} is a set, whose order differs from worker to worker"
                )


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator with a fixed seed."""
    return np.random.default_rng(20240611)


def random_problem(
    rng, *, d=3, K=4, R=2, O=1, activation="quadratic", covariance=False, trainable=True, scale=1.0
) -> Problem:
    """Random teacher network and student of order `scale`."""
    teacher = Teacher(rng.standard_normal((R, d)), rng.standard_normal((O, R)))
    student = Student(
        scale * rng.standard_normal((K, d)), scale * rng.standard_normal((O, K)), trainable=trainable
    )
    Sigma = None
    if covariance:
        F = rng.standard_normal((d, d))
        Sigma = F @ F.T / d + 0.5 * np.eye(d)
    return Problem(teacher, student, activation, Sigma)


def callers_in(package: ModuleType, functions: Sequence[Callable]) -> set[str]:
    """Where the text of a package calls functions by their names: "module.py: function that does"."""
    names, root = {function.__name__ for function in functions}, Path(package.__path__[0])
    found = set()
    for path in root.rglob("*.py"):
        for scope in ast.walk(ast.parse(path.read_text())):
            if isinstance(scope, ast.FunctionDef):
                called = {getattr(n.func, "id", "") for n in ast.walk(scope) if isinstance(n, ast.Call)}
                found |= {f"{path.relative_to(root)}: {scope.name}" for _ in called & names}
    return found


def callers_while(calls: Iterable[Callable[[], object]], functions: Sequence[Callable]) -> set[str]:
    """Who calls functions while others run, as `callers_in` names them; what is raised meanwhile is nobody's matter."""
    codes, found = {function.__code__ for function in functions}, set()

    def watch(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code in codes and frame.f_back is not None:
            code = frame.f_back.f_code
            found.add(f"{Path(*Path(code.co_filename).relative_to(ROOT).parts[1:])}: {code.co_name}")

    sys.settrace(watch)  # calls of Python functions alone
    try:
        for call in calls:
            with suppress(ProblemError):
                call()
    finally:
        sys.settrace(None)
    return found


def defaults_besides(package: ModuleType, everywhere: dict[str, object]) -> dict[str, dict[str, object]]:
    """Defaults of all functions and methods of a package, without None and empty ones and those of `everywhere`.

    An entry of `everywhere` that no function has is an error.
    """
    found: dict[str, dict[str, object]] = {}
    seen = set()
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        module = import_module(info.name)
        for function in _functions(module):
            if function.__module__ != module.__name__:
                continue
            name = f"{function.__module__}.{function.__qualname__}".removeprefix(f"{package.__name__}.")
            for given in inspect.signature(function).parameters.values():
                value = given.default
                if value in (given.empty, None, (), "") or not isinstance(
                    value, bool | int | float | str | tuple
                ):
                    continue
                if given.name in everywhere and everywhere[given.name] == value:
                    seen.add(given.name)
                else:
                    found.setdefault(name.removesuffix(".__init__"), {})[given.name] = value
    assert seen == set(everywhere)
    return found


def _functions(module: ModuleType) -> Iterator[Callable[..., object]]:
    """Functions and methods that a module defines, but for constructors that `dataclass` writes."""
    for value in vars(module).values():
        if inspect.isclass(value) and value.__module__ == module.__name__:
            members = [getattr(value, name) for name in vars(value)]
            yield from (m.__func__ if inspect.ismethod(m) else m for m in members if inspect.isroutine(m))
        elif inspect.isfunction(value):
            yield value


@pytest.fixture
def every_default() -> Callable[[ModuleType, dict[str, object]], dict[str, dict[str, object]]]:
    """The function `defaults_besides`."""
    return defaults_besides


@pytest.fixture
def make_problem():
    """The function `random_problem`."""
    return random_problem
