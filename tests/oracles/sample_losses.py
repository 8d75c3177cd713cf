"""Losses of networks on samples, written out one by one: nothing of the library in them."""

import numpy as np


def sample_loss(W, A, X, Y, phi=np.square):
    """½ mean ‖f(x) − y‖² of f_o = Σ_k A_ok φ(w_k·x), at many states: W (…, K, d), A (…, O, K), X (n, d), Y (n, O)."""
    f = np.einsum("...ok,...kn->...no", A, phi(np.einsum("...kd,nd->...kn", W, X)))
    return 0.5 * np.mean(np.sum((f - Y) ** 2, axis=-1), axis=-1)


def skewed_samples(n, d, seed=0):
    """Inputs (n, d) that are neither Gaussian nor centred, and labels (n,) that no network of units gives."""
    rng = np.random.default_rng(seed)
    X = rng.exponential(1.0, (n, d)) - 0.7
    X[:, 0] *= 1.5
    return X, np.sin(2 * X[:, 0]) + X[:, -1] ** 2 / 2 + 0.3 * rng.standard_normal(n)
