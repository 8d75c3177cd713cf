"""Flows evaluated at once against the losses of each: every shape, and every column by itself."""

import itertools

import numpy as np
import pytest

from dynamics.population.decayed import DecayedLoss
from dynamics.population.quadratic import QuadraticPopulation

RATES = (0.1, 0.2)


def stacked(rng, N, O, covariance, trainable, decayed, coupling):
    """N losses, the flows of all of them at once, and a state of each, W (N, K, d) and A (N, O, K), also as columns."""
    K, d, R = 3, 4, 2
    F = rng.standard_normal((d, d))
    S = F @ F.T if covariance else None
    plain = [
        QuadraticPopulation(rng.standard_normal((R, d)), rng.standard_normal((O, R)), S, coupling)
        for _ in range(N)
    ]
    second = RATES[1] if trainable else 0.0
    losses = [DecayedLoss(p, RATES[0], second) for p in plain] if decayed else plain
    W, A = rng.standard_normal((N, K, d)), rng.standard_normal((N, O, K))
    shape = losses[0].taylor_shape(W[0], A[0], trainable)
    M = np.stack([np.einsum("om,mi,mj->oij", p.B, p.V, p.V) for p in plain])
    bulk = shape.in_bulk(shape.parameters(M, A, S, RATES).T)
    blocks = [W.reshape(N, -1), A.reshape(N, -1)] if trainable else [W.reshape(N, -1)]
    return plain, losses, bulk, W, A, np.ascontiguousarray(np.concatenate(blocks, axis=1).T)


VARIANTS = list(itertools.product((1, 2), (False, True), (True, False), (False, True), (1.0, 0.5, 0.0)))


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_slopes_and_losses_are_those_of_each(rng, variant):
    """From `QuadraticPopulation`, which its own tests hold against the definition."""
    trainable = variant[2]
    plain, losses, bulk, W, A, theta = stacked(rng, 5, *variant)
    slope, values = np.empty_like(theta), bulk.losses(theta)
    bulk(theta, slope)
    for i in range(5):
        vW, vA = losses[i].velocity(W[i], A[i])
        expected = np.append(vW, vA) if trainable else vW.ravel()
        np.testing.assert_allclose(slope[:, i], expected, rtol=1e-11, atol=1e-11 * np.abs(expected).max())
        assert values[i] == pytest.approx(plain[i].loss(W[i], A[i]), rel=1e-12)


@pytest.mark.parametrize("variant", [VARIANTS[0], VARIANTS[-2], VARIANTS[30]], ids=str)
def test_a_column_depends_on_itself_alone(rng, variant):
    """Bit for bit, whoever stands beside it."""
    *_, bulk, _, _, theta = stacked(rng, 9, *variant)
    whole, values = np.empty_like(theta), bulk.losses(theta)
    bulk(theta, whole)
    for columns in ([3, 3], [8, 0, 3], [*range(8, -1, -1)]):
        some = np.ascontiguousarray(theta[:, columns])
        slope, kept = np.empty_like(some), bulk.kept(np.array(columns))
        kept(some, slope)
        np.testing.assert_array_equal(slope, whole[:, columns])
        np.testing.assert_array_equal(kept.losses(some), values[columns])
