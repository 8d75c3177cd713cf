"""The flow of Muon with a fixed second layer: Ẇ = P(−∇R), P the polar factor.

With the singular value decomposition −∇R = U diag(σ) Vᵀ it is U diag(σ/√(σ² + ε²)) Vᵀ: for ε → 0 the polar factor U
Vᵀ of those directions that have a gradient at all. Derived here (theory: "normalised, sign, Adam, Muon, natural
gradient"):

* With equal a_k, −∇R = a W G and hence P lie within the span of the columns of W, in the space of units: that is
  conserved. (With others it is the span of the columns of diag(a) W, which nothing keeps.) Rotations of the inputs
  rotate the flow.
* Every singular value grows at the rate 1 whatever its mode: small modes are done first, mode i at the time √λ_i of a
  small start with a_k = 1, and plateaus vanish.
* At a constant G the flow is a straight line, W(t) = W₀ + t P(W₀G), as long as no singular value of W G reaches zero.

Where a mode is done its σ is zero, and in the limit the flow slides along; ε > 0 makes that smooth, and stiff.
"""

from __future__ import annotations

import numpy as np

from dynamics.aliases import Array
from dynamics.flows.steered import SteeredFlow
from dynamics.problem import Problem
from dynamics.problem.scope import require
from dynamics.validation import validate_real


def polar_factor(M: Array, epsilon: float = 0.0) -> Array:
    """U diag(σ/√(σ² + ε²)) Vᵀ of a matrix U diag(σ) Vᵀ; of singular values that are rounding nothing is left."""
    U, sigma, Vt = np.linalg.svd(M, full_matrices=False)
    kept = sigma > max(M.shape) * np.finfo(float).eps * sigma[:1]
    return np.asarray((U[:, kept] * (sigma[kept] / np.hypot(sigma[kept], epsilon))) @ Vt[kept])


def polar_derivative(M: Array, changes: Array, epsilon: float) -> Array:
    """Derivative of the regularised polar factor of M (K, d) along several changes (m, K, d), of the same shape.

    Between singular vectors i and j the part of UᵀdM V that is symmetric is multiplied by the difference quotient
    (f_i − f_j)/(σ_i − σ_j) of f(σ) = σ/√(σ² + ε²), and the antisymmetric one by (f_i + f_j)/(σ_i + σ_j), as for every
    odd function of singular values (derived here); rows or columns of zeros make the matrix square.
    """
    (K, d), n = M.shape, max(M.shape)
    square = np.pad(M, [(0, n - K), (0, n - d)])
    U, sigma, Vt = np.linalg.svd(square)
    E = U.T @ np.pad(changes, [(0, 0), (0, n - K), (0, n - d)]) @ Vt.T
    root = np.hypot(sigma, epsilon)
    # (σ_i ∓ σ_j) times the quotients, without differences of what is nearly equal
    with np.errstate(divide="ignore", invalid="ignore"):
        added, crossed = np.add.outer(sigma, sigma), np.outer(sigma, root) + np.outer(root, sigma)
        same = epsilon**2 * added / (np.outer(root, root) * crossed)
        other = np.add.outer(sigma / root, sigma / root) / added
        same, other = (np.where(added == 0, 1 / epsilon, quotient) for quotient in (same, other))
    turned = E.transpose(0, 2, 1)
    inner = same * (E + turned) / 2 + other * (E - turned) / 2
    return np.asarray((U @ inner @ Vt)[:, :K, :d])


class MuonFlow(SteeredFlow):
    """Flow of the first layer along polar factors of the gradient.

    Parameters
    ----------
    problem : Problem
        Its second layer must be fixed.
    epsilon : float
        ε; a gradient that is small against it is followed as it is.
    decay : (ρ_w, ρ_a)
        Decoupled weight decay, which is no part of the objective.

    Raises
    ------
    ProblemError
        If the second layer is trained, or ε negative.
    """

    default_rtol = 1e-10

    def __init__(
        self, problem: Problem, epsilon: float = 1e-6, decay: tuple[float, float] = (0.0, 0.0)
    ) -> None:
        require("Muon flow", problem)
        super().__init__(problem)
        self.epsilon = validate_real("epsilon", epsilon, nonnegative=True)
        self.decay = self.rates(decay)

    def __call__(self, t: float, theta: Array) -> Array:
        """Right-hand side: the polar factor of minus the gradient, and decay."""
        W, _ = self.unpack(theta)
        return polar_factor(-self.slope(theta).reshape(W.shape), self.epsilon).ravel() - self.decay * theta

    def jacobian(self, t: float, theta: Array) -> Array:
        """Jacobian of the right-hand side, (n, n)."""
        W, _ = self.unpack(theta)
        pull, H = -self.slope(theta).reshape(W.shape), self.hessian(theta)
        turned = polar_derivative(
            pull, -H.reshape(-1, *W.shape), self.epsilon
        )  # of each weight, by symmetry of H
        return turned.reshape(len(H), -1).T - np.diag(self.decay)
