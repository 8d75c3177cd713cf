"""What is followed beside a predicted staircase: the flow and networks, beyond the last jump."""

import numpy as np
import pytest

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.saddle_to_saddle.staircase import staircase
from empirical import train
from empirical.experiments.staircase import staircase_curves

PROBLEM = Problem(Teacher.from_eigenvalues([2, 1], 3), Student.initialise(2, 3, scale=0.3, seed=5))
HOW = {"step": 0.02, "batch": 8, "seed": 4}


def test_flow_and_networks_cover_the_last_jump():
    """Up to 1.3 times its predicted time; the networks are those that a training of this length gives."""
    curves = staircase_curves(PROBLEM, seeds=3, **HOW)
    last = staircase(PROBLEM).jumps[-1].time
    assert curves.prediction.jumps[-1].time == last
    assert curves.trajectory.problem is PROBLEM
    np.testing.assert_allclose(curves.trajectory.times, np.linspace(0, 1.3 * last, 1000), rtol=1e-12)
    run = train(PROBLEM, steps=round(1.3 * last / 0.02), seeds=3, **HOW)
    np.testing.assert_array_equal(curves.run.loss, run.loss)


def test_where_decay_stops_it_the_plateau_is_shown():
    """Two times 1/ρ beyond the last jump, by which nothing happens."""
    student = Student.initialise(4, 2, scale=0.01, seed=1)
    curves = staircase_curves(
        Problem(Teacher.from_eigenvalues([3, 1]), student, weight_decay=0.07), seeds=0, **HOW
    )
    assert curves.prediction.missing > 1
    assert curves.trajectory.times[-1] == pytest.approx(curves.prediction.jumps[-1].time + 2 / 0.07)
    assert curves.trajectory.loss[-1] == pytest.approx(curves.prediction.levels[-1].loss, rel=1e-6)


def test_theory_alone():
    assert staircase_curves(PROBLEM, seeds=0, **HOW).run is None


def test_without_a_jump_there_is_nothing_to_follow():
    """One unit with a < 0 that cannot learn λ > 0."""
    stuck = Problem(Teacher.from_eigenvalues([1]), Student([[0.01]], [-0.5]))
    with pytest.raises(ProblemError, match="from these initial weights no jump follows"):
        staircase_curves(stuck, seeds=1, **HOW)
