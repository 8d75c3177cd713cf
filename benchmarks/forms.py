"""Right-hand sides of the flow, written in operators that NumPy, PyTorch and JAX share.

Each makes a function of (t, θ) out of an array module, the shape and numbers of the teacher; θ is W row by row, then A
row by row. The dense forms are the formulas as one writes them down, the Gram forms the cheapest that we know without
changing the unknowns:

    ẇ_k = Σ_o A_ok G_o w_k,  Ȧ_ok = ½ w_kᵀG_o w_k,  G_o = 4D_o + 2 tr(D_o) I,  D_o = M*_o − Σ_k A_ok w_k w_kᵀ.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Side = Callable[[Any, Any], Any]


def dense(xp: Any, K: int, d: int, M: Any) -> Side:
    """One output, through the matrix D (d, d)."""

    def rhs(t: Any, theta: Any) -> Any:
        W, a = theta[: K * d].reshape(K, d), theta[K * d :]
        D = M - (W.T * a) @ W
        WG = 4 * (W @ D) + 2 * xp.trace(D) * W
        return xp.concatenate([(a[:, None] * WG).reshape(-1), 0.5 * (WG * W).sum(1)])

    return rhs


def gram(xp: Any, K: int, d: int, eigenvalues: Any) -> Side:
    """One output and M* = diag(eigenvalues), (d,), zeros included: through the products w_k·w_l, (K, K)."""
    total = eigenvalues.sum()

    def rhs(t: Any, theta: Any) -> Any:
        W, a = theta[: K * d].reshape(K, d), theta[K * d :]
        S = W @ W.T
        tau = total - a @ xp.diagonal(S)
        WG = W * (4 * eigenvalues + 2 * tau) - (4 * a * S) @ W
        return xp.concatenate([(a[:, None] * WG).reshape(-1), 0.5 * (WG * W).sum(1)])

    return rhs


def dense_outputs(xp: Any, K: int, d: int, M: Any) -> Side:
    """Several outputs, through the matrices D_o, (O, d, d)."""
    O = len(M)

    def rhs(t: Any, theta: Any) -> Any:
        W, A = theta[: K * d].reshape(K, d), theta[K * d :].reshape(O, K)
        D = M - (W.T * A[:, None, :]) @ W
        tau = xp.diagonal(D, 0, 1, 2).sum(1)
        WG = 4 * (W @ D) + 2 * tau[:, None, None] * W
        dW, dA = xp.einsum("ok,oki->ki", A, WG), 0.5 * (WG * W).sum(2)
        return xp.concatenate([dW.reshape(-1), dA.reshape(-1)])

    return rhs


def gram_outputs(xp: Any, K: int, d: int, V: Any, B: Any) -> Side:
    """Several outputs and M*_o = Σ_m B_om v_m v_mᵀ: through w_k·v_m, (K, R), and w_k·w_l, (K, K)."""
    O, total = len(B), B @ (V * V).sum(1)

    def rhs(t: Any, theta: Any) -> Any:
        W, A = theta[: K * d].reshape(K, d), theta[K * d :].reshape(O, K)
        P, S = W @ V.T, W @ W.T
        norms = xp.diagonal(S)
        tau = total - A @ norms
        dW = 4 * ((A.T @ B * P) @ V - (A.T @ A * S) @ W) + 2 * (tau @ A)[:, None] * W
        dA = 2 * (B @ (P * P).T - A @ (S * S)) + tau[:, None] * norms
        return xp.concatenate([dW.reshape(-1), dA.reshape(-1)])

    return rhs
