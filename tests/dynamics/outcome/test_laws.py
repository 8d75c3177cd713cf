"""Verdicts under laws that rotations leave alone: levels are those of the flow's own loss."""

from __future__ import annotations

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.outcome import diagnose

TEACHER = Teacher.from_eigenvalues([2, -1.9])


@pytest.mark.parametrize(
    ("law", "activation"), [("sphere", "quadratic"), ("student-t:6", "quadratic"), ("student-t:6", "centred")]
)
def test_where_one_negative_unit_ends(law: str, activation: str) -> None:
    """A frozen sign (c < 0): it fails at the predicted loss, where the integrated flow rests to 1e-8."""
    problem = Problem(TEACHER, Student([[0.3, 0.4]], [-0.8]), activation, distribution=law)
    verdict = diagnose(problem)
    assert verdict.verdict == "fails" and verdict.decided_at == 0
    flow = GradientFlow(problem).integrate(t_end=60.0, max_evaluations=20_000)
    assert verdict.predicted_loss == pytest.approx(flow.loss[-1], rel=1e-8)


def test_a_loss_below_every_other_level_succeeds() -> None:
    """L < γ min λ² with enough units: decided without following the flow, at the scale of the law's losses."""
    W, a = np.array([[1.9**0.5, 0.0], [0.0, 1.9**0.5]]), np.array([1.0, -1.0])
    verdict = diagnose(Problem(TEACHER, Student(W, a), distribution="student-t:6"))
    assert verdict.verdict == "succeeds" and "already below" in verdict.reason
    assert verdict.predicted_loss == 0


def test_what_no_verdict_is_known_for() -> None:
    verdict = diagnose(Problem(TEACHER, Student([[0.3, 0.4]], [0.8]), distribution="uniform"))
    assert verdict.verdict == "undecided" and "laws that rotations leave as they are" in verdict.reason
