"""Brute force for everything about a single step of stochastic gradient descent: exact quadrature over its samples."""

import itertools

import numpy as np
import pytest


def gauss_hermite(dimension, degree):
    """Nodes (n, dimension) and weights (n,) that integrate polynomials of a degree exactly against N(0, I)."""
    x, w = np.polynomial.hermite_e.hermegauss(degree // 2 + 1)
    grid = np.array(list(itertools.product(x, repeat=dimension)))
    weights = np.prod(list(itertools.product(w / w.sum(), repeat=dimension)), axis=1)
    return grid, weights


def sample_gradients(problem, X, noise):
    """Minus the gradients of each sample's loss, (n, K, d) and (n, O, K), straight from the definition."""
    W, A, V, B = problem.student.W, problem.student.A, problem.teacher.V, problem.teacher.B
    Z, t = X @ W.T, float(problem.activation.name == "centred")
    features = Z**2 - t * np.sum(W**2, axis=1)
    labels = ((X @ V.T) ** 2 - t * np.sum(V**2, axis=1)) @ B.T + noise
    e = labels - features @ A.T
    dW = 2 * np.einsum("no,ok,nk,ni->nki", e, A, Z, X) - 2 * t * np.einsum("no,ok,ki->nki", e, A, W)
    return dW, np.einsum("no,nk->nok", e, features)


def one_step(problem, step, batch, label_noise, degree):
    """Weights (n, K, d), (n, O, K) after one step on every batch of quadrature nodes, and the probabilities (n,).

    Exact for polynomials of the given degree in inputs and label noise together.
    """
    d, O = problem.inputs, problem.teacher.outputs
    nodes, probabilities = gauss_hermite(d + O, degree)
    dW, dA = sample_gradients(problem, nodes[:, :d], np.sqrt(label_noise) * nodes[:, d:])
    batches = np.array(list(itertools.product(range(len(nodes)), repeat=batch)))
    W = problem.student.W + step * dW[batches].mean(axis=1)
    A = problem.student.A + step * problem.student.trainable * dA[batches].mean(axis=1)
    return W, A, probabilities[batches].prod(axis=1)


@pytest.fixture
def quadrature():
    """The function `gauss_hermite`."""
    return gauss_hermite


@pytest.fixture
def brute_force_step():
    """The function `one_step`."""
    return one_step
