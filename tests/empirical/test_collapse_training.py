"""Networks trained with weight decay jump, and rest, where the staircase and the verdict on their start say."""

import numpy as np
import pytest

from dynamics import Problem, Student, Teacher
from dynamics.outcome.diagnosis import diagnose
from dynamics.saddle_to_saddle.staircase import staircase
from empirical import train

W, A = np.array([[1, 0.3, 0.2], [0.2, 0.8, -0.4], [-0.3, 0.1, 0.7]]), np.array([0.7, 0.5, 0.4])


def crossings(run, prediction):
    """When each network first is below the middle of each predicted drop, (S, jumps)."""
    middles = [0.5 * (jump.loss_before + jump.loss_after) for jump in prediction.jumps]
    return np.array([[run.times[np.flatnonzero(loss < m)[0]] for m in middles] for loss in run.loss])


def test_a_trap_of_one_mode():
    """λ = (2, 1), ρ = .1, ε ~ .02: the second mode stays behind, as the verdict on the start says.

    Of all minima the one that is predicted is nearest, in loss, to where every network ends (halfway is the bound).
    """
    student = Student.initialise(3, 2, scale=0.017, seed=1)
    problem = Problem(Teacher.from_eigenvalues([2, 1]), student, weight_decay=0.1)
    verdict = diagnose(problem, follow=False)
    assert (verdict.verdict, verdict.resting_modes) == ("fails", (0,))
    run = train(problem, steps=12_000, step=5e-3, batch=64, seeds=3, seed=1)
    levels = np.array([minimum.level.loss for minimum in verdict.minima])
    nearest = np.abs(run.loss[:, -1:] - levels).argmin(axis=1)
    assert [verdict.minima[n].learned for n in nearest] == [(0,)] * 3


@pytest.mark.slow
@pytest.mark.parametrize(("rho", "t_end", "modes"), [(0.006, 400.0, (0, 1)), (0.0025, 420.0, (0, 1, 2))])
def test_the_example_of_the_theory(rho, t_end, modes):
    """λ = (4, 2, 1), ε = 1e-3 (theory 14.6): rests on {0, 1}, L = 1.25, or the third jump at 389.99, within 2 %.

    Times of crossings are those of records half a unit of time apart, 1 % of the first.
    """
    problem = Problem(Teacher.from_eigenvalues([4, 2, 1]), Student(1e-3 * W, 1e-3 * A), weight_decay=rho)
    verdict, prediction = diagnose(problem, follow=False), staircase(problem)
    assert verdict.resting_modes == modes
    run = train(
        problem, steps=round(t_end / 4e-3), step=4e-3, batch=64, seeds=3, seed=0, records=801, dtype="float64"
    )
    times = [jump.time for jump in prediction.jumps]
    np.testing.assert_allclose(crossings(run, prediction), np.tile(times, (3, 1)), rtol=0.02)
    levels = np.array([minimum.level.loss for minimum in verdict.minima])
    nearest = np.abs(run.loss[:, -1:] - levels).argmin(axis=1)
    assert [verdict.minima[n].learned for n in nearest] == [modes] * 3
    if len(modes) == 3:
        assert times[2] == pytest.approx(389.99, rel=2e-3)
