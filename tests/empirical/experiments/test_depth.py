"""Plateaus of chains: theory and practice of the figure of depth."""

import numpy as np
import pytest

from dynamics import ProblemError
from dynamics.networks import LinearChain, QuadraticChain
from empirical.experiments import depth
from empirical.experiments.depth import depth_curves, first_time


def test_networks_end_their_plateaus_when_theory_says():
    """One quadratic and two linear layers: within 3 %, a step's share of T (1/400), noise of 4·256 samples."""
    curves = depth_curves([1], [2], steps=400, batch=256, seeds=4)
    for curve in curves:
        theory = np.exp(np.interp(np.log(curve.trained_sizes), np.log(curve.sizes), np.log(curve.times)))
        assert curve.trained_times == pytest.approx(theory, rel=0.03)
        assert curve.sampled
    assert [curve.exponent for curve in curves] == [-1, 0]
    assert [curve.name for curve in curves] == ["1 quadratic layer", "2 linear layers"]


def test_three_layers_descend_without_samples():
    """x^8 is too heavy-tailed to be sampled; descent of some hundred steps errs by some per cent at the end."""
    (curve,) = depth_curves([3], [], steps=700)
    assert not curve.sampled and curve.exponent == -13
    theory = np.exp(np.interp(np.log(curve.trained_sizes), np.log(curve.sizes), np.log(curve.times)))
    assert curve.trained_times == pytest.approx(theory, rel=0.06)
    slope = np.polyfit(np.log(curve.trained_sizes), np.log(curve.trained_times), 1)[0]
    assert slope == pytest.approx(-13, abs=0.5)


def test_theory_is_the_closed_form():
    """Half of the target in terms of the chains' own formulas: c = λ/2, u = s/2."""
    assert depth.half_time(QuadraticChain(2), True, 0.1) == QuadraticChain(2).time(0.1, 0.5)
    assert depth.half_time(LinearChain(3, 2.0), False, 0.1) == LinearChain(3, 2.0).time(1e-3, 1.0)


def test_when_a_loss_first_falls_to_a_level():
    times, loss = np.array([0.0, 1.0, 2.0, 3.0]), np.array([4.0, 3.0, 1.0, 2.0])
    assert first_time(times, loss, 2.0) == 1.5
    assert first_time(times, loss, 5.0) == 0.0
    assert np.isnan(first_time(times, loss, 0.5))


@pytest.mark.parametrize(
    "arguments", [{"steps": 10}, {"quadratic": [], "linear": []}, {"quadratic": [9]}, {"linear": [1]}]
)
def test_what_is_no_chain_is_refused(arguments):
    with pytest.raises(ProblemError):
        depth_curves(**arguments)
