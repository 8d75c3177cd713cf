"""Shared by all tests: one thread per worker, and random problems."""

import inspect
import os
from collections.abc import Callable

# Before NumPy and PyTorch are imported: the test workers share the cores between them.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np
import pytest

from dynamics import Problem, Student, Teacher


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


def defaults_of(function: Callable[..., object]) -> dict[str, object]:
    """Arguments that may be left out and what they are then, as documented for users; `progress` is always off."""
    given = inspect.signature(function).parameters.values()
    found = {p.name: p.default for p in given if p.default is not p.empty}
    assert found.pop("progress", False) is False
    return found


@pytest.fixture
def defaults() -> Callable[[Callable[..., object]], dict[str, object]]:
    """The function `defaults_of`."""
    return defaults_of


@pytest.fixture
def make_problem():
    """The function `random_problem`."""
    return random_problem
