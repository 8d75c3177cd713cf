"""Population loss of quadratic neurons, its gradient and Hessian, in closed form for x ~ N(0, I).

Network and target are quadratic forms in x̃ = (x, 1), so their difference is x̃ᵀDx̃ with

    D = T − Σ_k a_k [sym(r_k g_kᵀ) + diag(b_k)],   sym(A) = (A + Aᵀ)/2,   t = tr D = E[x̃ᵀDx̃].

By Isserlis' theorem the loss is a quadratic form in D, and so its gradient Γ = ∂L/∂D linear in D. With D_xx, D_x1, D_11
the blocks of D

    L = ½E[(x̃ᵀDx̃)²] = ‖D_xx‖² + 2‖D_x1‖² + ½t² = ½⟨D, Γ⟩,   Γ = [[2D_xx + tI, 2D_x1], [2D_1x, t]],
    −∂L/∂r_k = a_k Γg_k,   −∂L/∂g_k = a_k Γr_k,   −∂L/∂b_k = a_k diag Γ,   −∂L/∂a_k = r_kᵀΓg_k + b_k·diag Γ.

Derived here; `dynamics.neuron.derivation` derives the same from moments, and the tests hold the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dynamics.aliases import Array
from dynamics.neuron.problem import Neurons, QuadraticTarget

Groups = tuple[Array, Array, Array, Array]


@dataclass(frozen=True, eq=False)
class NeuronPopulation:
    """Loss L = ½E(f* − f)² of quadratic neurons with output weights, over weights R, G, B (K, d + 1) and a (K,).

    Parameters
    ----------
    target : QuadraticTarget
    """

    target: QuadraticTarget

    def residual(self, R: Array, G: Array, B: Array, a: Array) -> Array:
        """D, target minus network, (d + 1, d + 1)."""
        S = (R.T * a) @ G
        D = self.target.homogeneous - (S + S.T) / 2
        D[np.diag_indices_from(D)] -= a @ B
        return D

    def loss(self, R: Array, G: Array, B: Array, a: Array) -> float:
        """L, in squared units of the output."""
        D = self.residual(R, G, B, a)
        return float(np.sum(D[:-1, :-1] ** 2) + 2 * np.sum(D[:-1, -1] ** 2) + np.trace(D) ** 2 / 2)

    def gamma(self, R: Array, G: Array, B: Array, a: Array) -> Array:
        """Γ = ∂L/∂D, (d + 1, d + 1)."""
        return _gamma(self.residual(R, G, B, a))

    def velocity(self, R: Array, G: Array, B: Array, a: Array) -> Groups:
        """Minus the gradient, for R, G, B and a."""
        Gamma = self.gamma(R, G, B, a)
        RGamma, GGamma, diagonal = R @ Gamma, G @ Gamma, np.diagonal(Gamma)
        column = a[:, None]
        return (
            column * GGamma,
            column * RGamma,
            column * diagonal,
            np.einsum("ki,ki->k", R, GGamma) + B @ diagonal,
        )

    def hessian(self, R: Array, G: Array, B: Array, a: Array) -> Array:
        """Dense Hessian over θ = (R, G, B, a), each row by row, (K(3d + 4),) squared.

        JᵀQJ − ⟨Γ, ∂²S⟩, where J = ∂S/∂θ and Q is the linear map D → Γ.
        """
        K, n = R.shape
        Gamma = self.gamma(R, G, B, a)
        J = self._jacobian(R, G, B, a)  # (p, n, n)
        H = np.einsum("pij,qij->pq", J, self._gammas(J), optimize=True)
        units, entries = np.arange(K), np.arange(n)
        group = K * n
        r = units[:, None] * n + entries  # (K, n), where r_k stands in θ
        g, b, last = r + group, r + 2 * group, 3 * group + units
        curvature = np.zeros_like(H)
        for k in units:
            curvature[np.ix_(r[k], g[k])] = a[k] * Gamma
            curvature[r[k], last[k]] = Gamma @ G[k]
            curvature[g[k], last[k]] = Gamma @ R[k]
            curvature[b[k], last[k]] = np.diagonal(Gamma)
        return H - curvature - curvature.T

    def hessian_vector(self, weights: Groups, direction: Groups) -> Groups:
        """Hessian times a direction: minus the directional derivative of the velocity."""
        (R, G, B, a), (dR, dG, dB, da) = weights, direction
        Gamma = self.gamma(R, G, B, a)
        S = (R.T * da) @ G + (dR.T * a) @ G + (R.T * a) @ dG
        dD = -(S + S.T) / 2
        dD[np.diag_indices_from(dD)] -= da @ B + a @ dB
        dGamma = _gamma(dD)
        diagonal, ddiagonal = np.diagonal(Gamma), np.diagonal(dGamma)
        column, dcolumn = a[:, None], da[:, None]
        return (
            -(dcolumn * (G @ Gamma) + column * (dG @ Gamma + G @ dGamma)),
            -(dcolumn * (R @ Gamma) + column * (dR @ Gamma + R @ dGamma)),
            -(dcolumn * diagonal + column * ddiagonal),
            -(
                np.einsum("ki,ki->k", dR, G @ Gamma)
                + np.einsum("ki,ki->k", R, dG @ Gamma + G @ dGamma)
                + dB @ diagonal
                + B @ ddiagonal
            ),
        )

    def _jacobian(self, R: Array, G: Array, B: Array, a: Array) -> Array:
        """∂S/∂θ for S = Σ_k a_k [sym(r_k g_kᵀ) + diag(b_k)], (p, n, n)."""
        n = R.shape[1]
        E = np.eye(n)
        by_r = np.einsum("k,im,kj->kimj", a, E, G)
        by_g = np.einsum("k,im,kj->kimj", a, E, R)
        by_b = np.einsum("k,im,ij->kimj", a, E, E)
        by_a = np.einsum("km,kj->kmj", R, G) + np.einsum("km,mj->kmj", B, E)
        J = np.concatenate([x.reshape(-1, n, n) for x in (by_r, by_g, by_b, by_a)])
        return (J + J.transpose(0, 2, 1)) / 2

    @cached_property
    def _identity(self) -> Array:
        return np.eye(self.target.inputs + 1)

    def _gammas(self, J: Array) -> Array:
        """Q applied to every matrix of a stack, (p, n, n)."""
        Gammas = 2 * J
        Gammas[:, -1, -1] = 0
        return Gammas + np.trace(J, axis1=1, axis2=2)[:, None, None] * self._identity


def _gamma(D: Array) -> Array:
    """Γ = [[2D_xx + tI, 2D_x1], [2D_1x, t]]."""
    Gamma = 2 * D
    Gamma[-1, -1] = 0.0
    Gamma[np.diag_indices_from(Gamma)] += np.trace(D)
    return Gamma


def pack(R: Array, G: Array, B: Array, a: Array) -> Array:
    """θ = (R, G, B, a) as one vector, each row by row."""
    return np.concatenate([R.ravel(), G.ravel(), B.ravel(), a])


def unpack(theta: Array, hidden: int) -> Groups:
    """R, G, B (…, K, d + 1) and a (…, K) of parameter vectors (…, K(3d + 4))."""
    lead, group = theta.shape[:-1], (theta.shape[-1] - hidden) // 3
    R, G, B = (
        theta[..., i * group : (i + 1) * group].reshape(*lead, hidden, group // hidden) for i in range(3)
    )
    return R, G, B, theta[..., 3 * group :]


def theta_of(neurons: Neurons) -> Array:
    """θ of a network, (K(3d + 4),)."""
    return pack(neurons.R, neurons.G, neurons.B, neurons.a)
