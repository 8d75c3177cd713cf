"""The Jacobian of the dense form with one output, for implicit solvers: in NumPy's operators, and in loops for numba.

With g_k = G w_k and S = W Wᵀ, by differentiating the formulas of `benchmarks.forms` (derived here, held against
differences in tests/benchmarks/test_forms.py):

    ∂g_ki/∂w_lm = δ_kl G_im − 4a_l (δ_im S_lk + w_li w_km + w_lm w_ki),  ∂g_ki/∂a_l = −4 w_li S_lk − 2 S_ll w_ki,
    ∂ȧ_k/∂a_l = −2 S_lk² − S_ll S_kk,  and ∂ȧ_l/∂w_ki = ∂ẇ_ki/∂a_l, as of every gradient.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dynamics.aliases import Array

Jacobian = Callable[[float, Array], Array]


def dense(K: int, d: int, M: Array) -> Jacobian:
    """In NumPy's operators, (n, n)."""
    I, units = np.eye(d), np.arange(K)

    def jacobian(t: float, theta: Array) -> Array:
        W, a = theta[: K * d].reshape(K, d), theta[K * d :]
        D, S = M - (W.T * a) @ W, W @ W.T
        G, norms = 4 * D + 2 * np.trace(D) * I, S.diagonal()
        # [k, i, l, m]
        J = S[:, None, :, None] * I[None, :, None, :]
        J += W.T[None, :, :, None] * W[:, None, None, :] + W[:, :, None, None] * W[None, None, :, :]
        J *= -4 * a[:, None]
        J[units, :, units, :] += G
        J *= a[:, None, None, None]
        # [k, i, l]
        cross = -4 * S[:, None, :] * W.T[None] - 2 * W[:, :, None] * norms
        cross *= a[:, None, None]
        cross[units, :, units] += W @ G
        cross = cross.reshape(K * d, K)
        return np.block([[J.reshape(K * d, K * d), cross], [cross.T, -2 * S**2 - np.outer(norms, norms)]])

    return jacobian


def compiled(K: int, d: int, M: Array) -> Jacobian:
    """The same by numba, for a few units and inputs."""
    import numba

    @numba.njit
    def jacobian(t: float, theta: Array) -> Array:
        W, a, n = theta[: K * d].reshape(K, d), theta[K * d :], K * d
        G, S, J = 4 * M, np.zeros((K, K)), np.zeros((n + K, n + K))
        tau = 0.0
        for i in range(d):
            tau += M[i, i]
            for j in range(d):
                for k in range(K):
                    G[i, j] -= 4 * a[k] * W[k, i] * W[k, j]
        for k in range(K):
            for l in range(K):
                for i in range(d):
                    S[k, l] += W[k, i] * W[l, i]
            tau -= a[k] * S[k, k]
        for i in range(d):
            G[i, i] += 2 * tau
        for k in range(K):
            for l in range(K):
                for i in range(d):
                    for m in range(d):
                        entry = W[l, i] * W[k, m] + W[l, m] * W[k, i]
                        if i == m:
                            entry += S[l, k]
                        entry *= -4 * a[l]
                        if k == l:
                            entry += G[i, m]
                        J[k * d + i, l * d + m] = a[k] * entry
                    entry = -a[k] * (4 * W[l, i] * S[l, k] + 2 * S[l, l] * W[k, i])
                    if k == l:
                        for m in range(d):
                            entry += G[i, m] * W[k, m]
                    J[k * d + i, n + l] = J[n + l, k * d + i] = entry
                J[n + k, n + l] = -2 * S[l, k] ** 2 - S[l, l] * S[k, k]
        return J

    return jacobian
