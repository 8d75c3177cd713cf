"""Late-time laws: theory curves reach them, trained networks stay on the curves."""

import numpy as np
import pytest

from dynamics import ProblemError
from empirical.late_time import late_time


def test_curves_reach_their_laws_and_networks_follow():
    """Flow and Riccati curves against the law: corrections are relative O(log t/t), a fifth at t = 100 of those at 10.

    Networks: batches of 512 scatter the loss by some per cent, the step by η × sharpness = 4 %; 15 % allowed.
    """
    curves = late_time([2, 1], 4, trained_until=4.0)
    assert [c.tail.exponent for c in curves] == [2, 1.5, 2]
    for c in curves:
        early, late = (
            np.interp(t, c.times, c.loss / c.tail(np.maximum(c.times, 1e-9))) - 1 for t in (10, 100)
        )
        assert abs(late) < abs(early) / 4
        assert abs(early) < 1
        on_curve = np.exp(np.interp(np.log(c.trained_times[1:]), np.log(c.times[1:]), np.log(c.loss[1:])))
        inside = c.trained_times[1:] >= c.times[1]
        np.testing.assert_allclose(c.trained_loss[1:][inside], on_curve[inside], rtol=0.15)


@pytest.mark.parametrize("eigenvalues", [[2, -1], [1, 1, 1]])
def test_bad_teachers(eigenvalues):
    with pytest.raises(ProblemError):
        late_time(eigenvalues, 3)
