"""The law of the initial weights of quadratic neurons, as the docstring of `Neurons.initialise` states it."""

import numpy as np
import pytest

from dynamics.neuron import Neurons, QuadraticTarget

K, D, SCALE = 4000, 5, 0.6


def is_normal(x, variance):
    """Mean, variance and fourth moment within 5 standard errors: σ/√n, σ²√(2/n), σ⁴√(96/n) for a normal law."""
    n, x = x.size, x.ravel() / np.sqrt(variance)
    assert abs(x.mean()) < 5 / np.sqrt(n)
    assert abs(np.mean(x**2) - 1) < 5 * np.sqrt(2 / n)
    assert abs(np.mean(x**4) - 3) < 5 * np.sqrt(96 / n)


def test_random_starts_are_normal():
    """Entries of R, G and B have the variance ε²/d, biases included; those of a have 1/K; all are independent."""
    start = Neurons.initialise(K, D, init="random", scale=SCALE, seed=3)
    for part in (start.R, start.G, start.B):
        assert part.shape == (K, D + 1)
        is_normal(part, SCALE**2 / D)
        is_normal(part[:, -1], SCALE**2 / D)
    is_normal(start.a, 1 / K)
    columns = np.column_stack([start.R, start.G, start.B, start.a])
    correlations = np.corrcoef(columns.T)[np.triu_indices(columns.shape[1], 1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(K)


@pytest.mark.parametrize("seed", [0, 7])
def test_relinear_starts_are_ordinary_neurons_with_the_same_first_factor(seed):
    """x·w^r + b^r alone: the second factor is 1 and the third vanishes; R and a are those of the random start."""
    start, other = (
        Neurons.initialise(6, D, init=name, scale=SCALE, seed=seed) for name in ("relinear", "random")
    )
    np.testing.assert_array_equal(start.R, other.R)
    np.testing.assert_array_equal(start.a, other.a)
    np.testing.assert_array_equal(start.G, np.tile([0.0] * D + [1.0], (6, 1)))
    assert not start.B.any()
    assert not np.array_equal(start.R, Neurons.initialise(6, D, seed=seed + 1, scale=SCALE).R)


def test_random_targets_have_parts_in_the_stated_ratio():
    """Entries of A and v with variances 1 : d, M* = (A + Aᵀ)/2, drawn here anew: the same mean share of 2‖M*‖².

    The expectations are 2E‖M*‖² = (d + 1)/d and E‖v‖² = 1. Each target is scaled to 2‖M*‖² + ‖v‖² = 1 and centred by
    e = −tr M*, exactly, and the direction of v is isotropic, with variance 1/d in each coordinate.
    """
    targets = [QuadraticTarget.random(D, deviation=1.0, seed=s) for s in range(3000)]
    quadratic = np.array([2 * np.sum(t.M**2) for t in targets])
    linear = np.array([t.v @ t.v for t in targets])
    np.testing.assert_allclose(quadratic + linear, 1, rtol=1e-12)
    np.testing.assert_allclose([t.e + np.trace(t.M) for t in targets], 0, atol=1e-12)
    directions = np.array([t.v / np.sqrt(t.v @ t.v) for t in targets])
    assert np.abs(directions.mean(axis=0)).max() < 5 / np.sqrt(D * len(targets))
    rng = np.random.default_rng(0)
    A, v = rng.standard_normal((40_000, D, D)) / D, rng.standard_normal((40_000, D)) / np.sqrt(D)
    q, l = 2 * np.sum((0.5 * (A + A.swapaxes(1, 2))) ** 2, axis=(1, 2)), np.sum(v**2, axis=1)
    assert abs(q.mean() - (D + 1) / D) < 5 * q.std() / np.sqrt(len(q))
    share = q / (q + l)
    error = np.hypot(share.std() / np.sqrt(len(share)), quadratic.std() / np.sqrt(len(targets)))
    assert abs(quadratic.mean() - share.mean()) < 5 * error
