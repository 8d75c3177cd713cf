"""Plateaus that samples are too far apart to show are warned of, and no others."""

import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.curves.passing import passed_unseen


def curve(t_end, samples, **more):
    start = Student.initialise(6, 3, scale=0.01, seed=3)
    return GradientFlow(Problem(Teacher.from_eigenvalues([4, 2, 1]), start, **more)).integrate(
        t_end, samples=samples
    )


def test_a_plateau_with_one_sample_is_warned_of():
    """L of nothing learned is tr E² + ½(tr E)² = 21 + 24.5: the first sample is on it, the next far below."""
    assert "waits at the loss 45.5 at t = 0:" in passed_unseen(curve(400, 41))


@pytest.mark.parametrize(("t_end", "samples"), [(60, 400), (0.5, 5)])
def test_nothing_is_said_where_the_samples_tell(t_end, samples):
    """Neither where every plateau is found nor where the curve never leaves the first."""
    assert passed_unseen(curve(t_end, samples)) is None


def test_a_curve_that_passes_without_waiting_is_not_warned_of():
    """From weights of order one the loss falls through 8 and 1.25 smoothly."""
    start = Student.initialise(6, 3, scale=0.5, seed=3)
    flow = GradientFlow(Problem(Teacher.from_eigenvalues([4, 2, 1]), start))
    assert passed_unseen(flow.integrate(2.0, samples=400)) is None
