"""Quadratic neurons at several rates: the flow of each, and the networks of the same rate beside it."""

import numpy as np

from dynamics.neuron import Neurons, QuadraticTarget, Rates
from empirical import train_neurons
from empirical.experiments.neuron_rates import neuron_rates

TARGET, START = QuadraticTarget.random(2, seed=1), Neurons.initialise(2, 2, seed=1)
HOW = {"step": 0.02, "batch": 8, "seed": 4}


def test_each_rate_is_followed_and_trained():
    """The networks are those of `train_neurons` at rates 1, γ, γ for t_end / step steps."""
    curves = neuron_rates(TARGET, START, [0.5, 2.0], t_end=0.2, seeds=3, shrink=0.1, **HOW)
    for curve, gamma in zip(curves, (0.5, 2.0), strict=True):
        rates = Rates(1.0, gamma, gamma)
        assert (curve.trajectory.rates, curve.trajectory.shrink) == (rates, 0.1)
        assert curve.trajectory.times[-1] == 0.2
        again = train_neurons(TARGET, START, rates=rates, steps=10, seeds=3, shrink=0.1, **HOW)
        np.testing.assert_array_equal(curve.run.loss, again.loss)


def test_without_quadratic_weights_affine_functions_are_all():
    """γ = 0 from ReLinear's start: the loss never falls below that of the best affine function, and gets near it."""
    (curve,) = neuron_rates(TARGET, START, [0.0], t_end=20.0, seeds=0, **HOW)
    assert curve.run is None
    assert curve.trajectory.loss.min() >= TARGET.best_affine_loss * (1 - 1e-9)
    assert curve.trajectory.loss[-1] < 1.01 * TARGET.best_affine_loss
