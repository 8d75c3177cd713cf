"""Laws of a known decay along recorded weights, of several runs and any homogeneous activation."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.conserved.decay_records import decay_along_records
from dynamics.conserved.decaying import CommonDecay
from dynamics.conserved.weight_log import InferredQuantity


def records(activation="quadratic", decay=0.3, a=None):
    """W (2, T, 2, 3), A (2, T, 1, 2) of flows from two starts, and their times."""
    times, paths = np.linspace(0.5, 1.5, 21), []
    for seed in (0, 1):
        student = Student.initialise(2, 3, scale=0.6, seed=seed)
        if a is not None:
            student = Student(student.W, a, trainable=False)
        problem = Problem(Teacher(np.eye(2, 3), [1.5, -0.8]), student, activation, weight_decay=decay)
        paths.append(GradientFlow(problem).integrate(times=times))
    return np.stack([p.W for p in paths]), np.stack([p.A for p in paths]), times


@pytest.mark.parametrize(("activation", "degree"), [("quadratic", 2), ("relu", 1)])
def test_balances_of_several_runs(activation, degree):
    """From the first record on, at t = 0.5, every run by itself: to the accuracy of the flow."""
    W, A, times = records(activation)
    found = decay_along_records(W, A, times, 0.3, activation)
    assert [law.rate for law in found] == [0.6, 0.6]
    c = np.sum(W[:, :, 0] ** 2, axis=2) - degree * A[:, :, 0, 0] ** 2
    np.testing.assert_allclose(found[0].values, c, rtol=1e-13)
    np.testing.assert_allclose(found[0].expected, c[:, :1] * np.exp(-0.6 * (times - 0.5)), rtol=1e-12)
    assert max(law.deviation for law in found) < 1e-9
    assert all(law.uncertainty == 0 for law in found)


def test_a_layer_that_never_moves_is_fixed():
    """Products of opposite units; a decay of the second layer is refused."""
    W, A, times = records(a=[1.0, -1.0])
    (law,) = decay_along_records(W[0], A[0], times, 0.3)
    assert law.constant == "(w_0·w_1) e^(0.6t)"
    assert law.deviation < 1e-9
    with pytest.raises(ProblemError, match="fixed"):
        decay_along_records(W, A, times, (0.3, 0.1))


def test_times_that_do_not_fit():
    W, A, times = records()
    with pytest.raises(ProblemError, match="20 entries"):
        decay_along_records(W, A, times[:-1], 0.3)
    with pytest.raises(ProblemError, match="have no times"):
        decay_along_records(W, A, None, 0.3)


def test_what_could_not_move_says_nothing_about_the_rate():
    """Two laws, 3 e^{−t/2} and one of weights that stood still: only the first falls, at its own rate."""
    times = np.linspace(0, 4, 30)
    falling = np.exp(-0.5 * times)[None]
    laws = [
        InferredQuantity(n, n, {}, np.ones(1), 0.0, movement, 0.0) for n, movement in (("p", 1.0), ("q", 0.0))
    ]
    with np.errstate(all="raise"):
        (found,) = CommonDecay(times).judge(laws, [3 * falling, 2 + 0 * falling], 1e-3)
    assert found.formula == "p"
    assert found.rate == pytest.approx(0.5, rel=1e-6)
