"""Growth for ever: the three curves of one figure are of one problem, and agree where they should."""

import numpy as np
import pytest

from dynamics.errors import ProblemError
from empirical.experiments.growth import growth


@pytest.fixture(scope="module")
def curves():
    return growth([2, -1, 0.5], t_end=2e3, trained_until=20.0, step=0.1, batch=256, seeds=2, seed=1)


def test_the_flow_is_on_its_law_in_the_end(curves):
    """Within 3 % at s of some 50, where the law errs by s^(−½) times a small number and by the shift of the time."""
    for curve in curves:
        assert curve.loss[-1] == pytest.approx(float(curve.law.loss(curve.times[-1])), rel=0.03)
        assert curve.norm[-1] == pytest.approx(float(curve.law.weight_norm(curve.times[-1])), rel=0.06)
        assert np.all(np.diff(curve.loss) < 0) and np.all(np.diff(curve.norm[1:]) > 0)


def test_networks_are_on_the_flow(curves):
    """Same start, same time: a step of .1 and batches of 256 keep medians within 3 % of it."""
    for curve in curves:
        for trained, flow in ((curve.trained_loss, curve.loss), (curve.trained_norm, curve.norm)):
            assert trained[0, 0] == pytest.approx(flow[0], rel=1e-6) and trained.shape[0] == 2
            there = np.interp(curve.trained_times, curve.times, flow)
            np.testing.assert_allclose(np.median(trained, axis=0), there, rtol=0.03)
        assert curve.trained_times[-1] == pytest.approx(20.0)


def test_the_second_layer_decides_the_power(curves):
    assert [curve.law.scale_exponent for curve in curves] == [3 / 5, 1 / 2]
    assert [curve.law.second_layer for curve in curves] == [None, 0.5]


def test_refusals():
    with pytest.raises(ProblemError, match="the same label"):
        growth([2, 1, 0.5])
    with pytest.raises(ProblemError, match="`seeds` is 0"):
        growth([2, -1, 0.5], seeds=0)
