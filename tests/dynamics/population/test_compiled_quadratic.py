"""Compiled slopes of quadratic units against those by NumPy, and the products they are made of against matmul."""

import numpy as np
import pytest

from dynamics.population.quadratic import QuadraticPopulation

pytest.importorskip("numba")

from dynamics.integration.compiled_steps import evaluate
from dynamics.population.compiled_products import COLUMNS, LARGEST, ROWS, padded, product

EPS = np.finfo(float).eps


@pytest.mark.parametrize("shape", [(1, 1, 1), (4, 1, 16), (5, 7, 17), (50, 53, 50), (52, 50, 53)])
def test_products(shape):
    """To the rounding of a sum of `depth` terms; what lies beyond the whole tiles stays as it was."""
    rows, depth, columns = shape
    rng = np.random.default_rng(1)
    A = rng.standard_normal((padded(rows, ROWS), depth + 2))
    B = rng.standard_normal((depth + 1, padded(columns, COLUMNS) + 8))
    C = np.full((padded(rows, ROWS) + 1, B.shape[1]), np.nan)
    product(A, B, C, rows, depth, columns)
    size = np.abs(A[:rows, :depth]) @ np.abs(B[:depth, :columns])
    found, expected = C[:rows, :columns], A[:rows, :depth] @ B[:depth, :columns]
    assert (np.abs(found - expected) <= 2 * depth * EPS * size).all()
    assert np.isnan(C[-1]).all() and np.isnan(C[:, padded(columns, COLUMNS) :]).all()


def compiled(population, W, A, trainable):
    """Velocity (K, d) and (1, K) or None by the kernel, in a room of exactly the size it asks for."""
    kernel = population.compiled_slope(A, W.shape[1], trainable)
    theta = np.concatenate([W.ravel(), A.ravel()]) if trainable else W.ravel().copy()
    room, out = np.zeros(kernel.room), np.full(theta.size, np.nan)
    for _ in range(2):  # the room is full of what was there before
        evaluate(kernel.load().address, 0.0, theta, out, kernel.numbers, np.array(kernel.sizes), room)
    return out[: W.size].reshape(W.shape), out[W.size :].reshape(1, -1) if trainable else None


def axes(R, d, rng):
    V = np.zeros((R, d))
    V[np.arange(R), np.arange(R)] = rng.uniform(0.5, 1.5, R)
    return V


@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.parametrize("kappa", [1.0, 0.0])
def test_slopes_of_all_sizes(trainable, kappa):
    """Forty shapes of 1 … 60 units and inputs, to the rounding of the velocity that NumPy computes by another way."""
    rng = np.random.default_rng(2)
    for _ in range(40):
        K, d = rng.integers(1, 61, 2)
        R = rng.integers(1, d + 1)
        population = QuadraticPopulation(axes(R, d, rng), rng.standard_normal((1, R)), None, kappa)
        W, A = rng.standard_normal((K, d)), rng.standard_normal((1, K))
        vW, vA = population.velocity(W, A)
        found_W, found_A = compiled(population, W, A, trainable)
        np.testing.assert_allclose(found_W, vW, rtol=0, atol=1e-13 * np.abs(vW).max())
        if trainable:
            np.testing.assert_allclose(found_A, vA, rtol=0, atol=1e-13 * np.abs(vA).max())


@pytest.mark.parametrize("shape", [(40, 1800), (300, 20)])
def test_slopes_of_large_networks(shape):
    """Beyond the size of tiles, where products are those of BLAS."""
    K, d = shape
    rng = np.random.default_rng(3)
    assert max(K, d) * K > LARGEST
    population = QuadraticPopulation(axes(3, d, rng), np.ones((1, 3)))
    W, A = rng.standard_normal((K, d)) / 10, rng.standard_normal((1, K))
    vW, vA = population.velocity(W, A)
    found_W, found_A = compiled(population, W, A, True)
    np.testing.assert_allclose(found_W, vW, rtol=0, atol=1e-12 * np.abs(vW).max())
    np.testing.assert_allclose(found_A, vA, rtol=0, atol=1e-12 * np.abs(vA).max())


def test_what_has_no_kernel():
    """Several outputs, directions that are no axes, and inputs with a covariance."""
    rng = np.random.default_rng(4)
    A = np.ones((1, 3))
    assert QuadraticPopulation(np.eye(2), np.ones((1, 2))).compiled_slope(A, 2, True) is not None
    assert QuadraticPopulation(np.eye(2), np.ones((2, 2))).compiled_slope(np.ones((2, 3)), 2, True) is None
    assert (
        QuadraticPopulation(rng.standard_normal((2, 2)), np.ones((1, 2))).compiled_slope(A, 2, True) is None
    )
    assert (
        QuadraticPopulation(np.eye(2), np.ones((1, 2)), np.diag([1.0, 2.0])).compiled_slope(A, 2, True)
        is None
    )
