"""The clock: what a step counts, and the steps that belong to a time."""

import numpy as np
import pytest

from dynamics import ProblemError
from dynamics.clock import Clock


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
def test_a_step_counts_what_heavy_ball_goes_in_it(beta):
    """On a slope ∇L = 1, v ← βv + 1, θ ← θ − ηv: the way of a late step, when the velocity has caught up, is its time.

    What is still missing of it after n steps is βⁿ of it.
    """
    clock, v, way = Clock(0.25, beta), 0.0, []
    for _ in range(400):
        v = beta * v + 1
        way.append(0.25 * v)
    tick = np.diff(clock.times([399, 400]))[0]
    assert way[-1] == pytest.approx(tick, rel=1e-12)
    np.testing.assert_allclose(way[:5], tick * (1 - beta ** np.arange(1, 6)), rtol=1e-13)


@pytest.mark.parametrize("beta", [0.0, 0.3, 0.9])
def test_times_and_steps_are_inverse(beta):
    clock, steps = Clock(7e-4, beta), np.array([[0, 1, 17], [400, 123456, 10**9]])
    assert clock.times(0) == 0
    np.testing.assert_allclose(clock.steps(clock.times(steps)), steps, rtol=1e-15)
    assert clock.steps_at(clock.times([3, 5, 8])).tolist() == [0, 3, 5, 8]
    assert [clock.steps_until(t) for t in clock.times([3, 5, 8])] == [3, 5, 8]


@pytest.mark.parametrize(
    ("time", "step", "beta", "least", "count"),
    [
        (1.0, 0.1, 0.0, 1, 10),
        (0.24, 0.1, 0.0, 1, 2),
        (0.26, 0.1, 0.0, 1, 3),
        (0.0, 0.1, 0.0, 1, 1),
        (0.1, 1.0, 0.0, 2, 2),
        (9e18, 1.0, 0.0, 1, 9 * 10**18),
        (0.5, 1e-3, 0.9, 1, 50),
        (0.5, 1e-3, 0.5, 1, 250),
    ],
)
def test_steps_up_to_a_time(time, step, beta, least, count):
    """t(1 − β)/η by hand."""
    assert Clock(step, beta).steps_until(time, least=least) == count


@pytest.mark.parametrize(
    ("time", "step", "words"),
    [
        (1.0, 0.0, "`step` is 0, but must be positive"),
        (1.0, float("nan"), "`step` is nan"),
        (1.0, 1e51, "`step` is 1e\\+51, but must be at most 1e\\+50"),
        (-1.0, 1.0, "`t_end` is -1"),
        (1e308, 1e-320, "more than 2\\^63 − 1 steps"),
        (1e19, 1.0, "`t_end` is 1e\\+19 and `step` 1"),
    ],
)
def test_times_that_no_number_of_steps_reaches(time, step, words):
    with pytest.raises(ProblemError, match=words):
        Clock(step).steps_until(time)


@pytest.mark.parametrize(("beta", "words"), [(1.0, "below 1"), (-0.1, "negative"), (float("nan"), "finite")])
def test_momentum_is_below_one(beta, words):
    with pytest.raises(ProblemError, match=words):
        Clock(0.1, beta)


def test_the_time_after_any_number_of_steps_is_a_number():
    """The largest step, the largest momentum below 1 and the largest number of steps: 10⁵⁰ · 2⁶³ · 2⁵³."""
    time = Clock(1e50, 1 - 2.0**-53).times(2**63 - 1)
    assert time == pytest.approx(1e50 * 2.0**116, rel=1e-12)


def test_steps_nearest_to_times():
    """Rounded, each once, the first always among them, and no number too large for one."""
    assert Clock(0.1).steps_at([0.04, 0.06, 0.1, 0.34, 1e17]).tolist() == [0, 1, 3, 10**18]
    assert Clock(1e-300).steps_at([1e308]).tolist() == [0, 2**62]
    with pytest.raises(ProblemError, match="increasing"):
        Clock(0.1).steps_at([1, 0.5])
