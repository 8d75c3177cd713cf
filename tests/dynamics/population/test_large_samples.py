"""Losses on very many samples: the same in chunks as at once, in memory that does not grow with their number."""

import tracemalloc

import numpy as np
import pytest

from dynamics.activations import Activation
from dynamics.inputs.data_set import DataSet
from dynamics.population import samples
from dynamics.population.fourth_moment import SampleMoment
from dynamics.population.on_samples import sample_loss

d, K, O = 6, 6, 2


def case(rng, n, name):
    X, Y = rng.standard_normal((n, d)), rng.standard_normal((n, O))
    W, A, dW, dA = (rng.standard_normal(shape) for shape in ((K, d), (O, K), (K, d), (O, K)))
    phi = Activation.parse(name)
    variance = X.T @ X / n if phi.uses_variance else None
    loss = sample_loss(X, Y, phi, variance, K, "samples")
    calls = {
        "loss": lambda: loss.loss(W, A),
        "velocity": lambda: loss.velocity(W, A),
        "hessian_vector": lambda: loss.hessian_vector(W, A, dW, dA),
        "hessian": lambda: loss.hessian(W, A),
        "moment": lambda: SampleMoment(X)(A[:, 0, None, None] * np.eye(d)),
    }
    return calls | ({"force": lambda: loss.force(W, A)} if loss.force else {})


def flat(value):
    return np.concatenate([np.ravel(part) for part in (value if isinstance(value, tuple) else (value,))])


@pytest.mark.parametrize("name", ["quadratic", "centred", "tanh"])
def test_chunks_add_up(name, rng, monkeypatch):
    """Chunks of 7 samples, the last one shorter, against one chunk: sums of 50 numbers in another order."""
    calls = case(rng, 50, name)
    whole = {key: flat(call()) for key, call in calls.items()}
    monkeypatch.setattr(samples, "CHUNK", 7)
    for key, call in calls.items():
        np.testing.assert_allclose(
            flat(call()), whole[key], atol=1e-13 * np.abs(whole[key]).max(), err_msg=key
        )


def test_few_rows_are_held_where_much_comes_of_each(monkeypatch):
    monkeypatch.setattr(samples, "LARGEST_CHUNK", 100)
    X = np.arange(10.0)[:, None]
    assert [len(rows) for (rows,) in samples.batches(X, width=30)] == [3, 3, 3, 1]
    assert [len(rows) for (rows,) in samples.batches(X, width=1000)] == [1] * 10
    assert [len(rows) for (rows,) in samples.batches(X)] == [10]


@pytest.mark.parametrize("name", ["quadratic", "centred", "tanh"])
def test_memory_does_not_grow_with_the_samples(name, rng):
    """50000 samples, of which an array (n, K) alone takes 2.4 MB: what the docstring promises, 8 · 4096 (d + 16K + 4O)
    bytes, and for a Hessian four arrays of slopes, here of 4096 × 48 numbers.
    """
    calls = case(rng, 50_000, name)
    promised = 8 * 4096 * (d + 16 * K + 4 * O)
    for key, call in calls.items():
        tracemalloc.start()
        call()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < (promised if key != "hessian" else 4 * 8 * 4096 * K * (d + O)), key


def test_a_data_set_of_very_many_samples_is_labelled_in_place_of_a_copy_of_all(rng):
    """What a problem holds of 100000 samples: X and Y, each once."""
    X = rng.standard_normal((100_000, d))
    tracemalloc.start()
    data = DataSet(X, X[:, :O])
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert kept < 1.1 * (X.nbytes + X[:, :O].nbytes)
    np.testing.assert_array_equal(data.X, X)
