"""Problems whose loss is a quadratic form in M: laws of the inputs, and data sets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dynamics.problem import Problem, Student, Teacher


@pytest.fixture
def under() -> Callable[..., Problem]:
    """A teacher with given eigenvalues and K units under a law."""

    def build(eigenvalues: list[float], law: str = "gaussian", hidden: int | None = None, **how) -> Problem:
        d = len(eigenvalues)
        student = Student.initialise(d if hidden is None else hidden, d, scale=1.0)
        return Problem(Teacher.from_eigenvalues(eigenvalues), student, distribution=law, **how)

    return build


@pytest.fixture
def labelled() -> Callable[..., Problem]:
    """Labels of no teacher on random inputs of mean other than zero."""

    def build(d: int, hidden: int, activation: str = "quadratic", samples: int = 80, **how) -> Problem:
        rng = np.random.default_rng(d)
        X = rng.exponential(size=(samples, d)) - 0.5
        student = Student.initialise(hidden, d, scale=1.0, seed=1, **how)
        return Problem(None, student, activation, data=(X, rng.standard_normal(samples) + X[:, 0] ** 2))

    return build
