"""Heights of plateaus under every law that has them, against the flow and against each other."""

from __future__ import annotations

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.problem.decayed_levels import level_under_decay
from dynamics.problem.plateaus import plateaus

LAMBDA = np.array([4.0, 2.0, 1.0])
TEACHER = Teacher.from_eigenvalues(LAMBDA)
STUDENT = Student.initialise(3, 3, scale=1e-3, seed=1)


def test_stages_of_a_flow_know_their_levels() -> None:
    """κ = 1: the integrated flow from ε = 1e-3 rests at 56, 10.875 and 1.8 (within 1 %) as modes are learned in turn.

    Weights along the axes, as other starts are led off them.
    """
    start = Student(1e-3 * np.diag([1.0, 0.9, 0.8]), 1e-3 * np.ones(3))
    flow = GradientFlow(Problem(TEACHER, start, distribution="independent:1"))
    stages = flow.integrate(t_end=400, samples=4000, max_evaluations=20_000).stages
    found = {stage.learned_modes: stage for stage in stages if stage.level is not None}
    for learned, height in (((), 56), ((0,), 10.875), ((0, 1), 1.8)):
        assert found[learned].level.loss == pytest.approx(height)
        assert found[learned].loss == pytest.approx(height, rel=0.01)


def test_gaussian_levels_are_those_of_the_decay() -> None:
    problem = Problem(TEACHER, STUDENT, weight_decay=0.1)
    level = plateaus(problem)
    assert level is not None
    expected = level_under_decay(problem, LAMBDA, [0], trace_coupling=1.0)
    assert level(LAMBDA, [0]).loss == expected.loss != 8


@pytest.mark.parametrize(
    "how",
    [
        {"distribution": "rademacher"},
        {"distribution": "sphere", "activation": "centred"},
        {"distribution": "uniform", "weight_decay": 0.1},
        {"covariance": np.diag([1.0, 2.0, 3.0])},
        {"activation": "relu"},
        {"data": (np.eye(3), np.ones(3))},
    ],
)
def test_where_they_have_no_closed_form(how: dict) -> None:
    assert plateaus(Problem(TEACHER, STUDENT, **how)) is None


def test_teachers_off_the_axes() -> None:
    turned = Teacher.from_matrix(np.array([[2.0, 0.5, 0], [0.5, 1.0, 0], [0, 0, 1]]))
    assert plateaus(Problem(turned, STUDENT, distribution="uniform")) is None
    assert plateaus(Problem(turned, STUDENT, distribution="sphere")) is not None
    two = Teacher.from_eigenvalues(LAMBDA, outputs=2)
    assert plateaus(Problem(two, Student.initialise(3, 3, outputs=2))) is None
