"""The convex problem behind wide networks of equal second layer, solved by accelerated proximal gradient.

    min_{S ⪰ 0} (1/2n) Σ (y − f_S(x))² + (ℓ/d) tr S,   f_S(x) = tr S(xxᵀ − I)/√d, of raw units tr S xxᵀ/√d

A network of K ≥ d units with M = aWᵀW = S/√d and weight decay ρ = 2aℓ/√d has the same minimum. The step is the inverse
of the largest eigenvalue of the data, by power iteration: that of d → ∞ is too large for d ≤ 30, where it diverges.
Momentum as of Beck and Teboulle (FISTA, not consulted), started again whenever the objective rises.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ComputationError
from dynamics.validation import validate_count, validate_real

POWER_STEPS = 50
SAFETY = 1.02  # of the largest eigenvalue, which power iteration finds from below


@dataclass(frozen=True, eq=False)
class FormData:
    """Samples of a quadratic form: y = f_{S*}(x) + √Δ ξ.

    Parameters
    ----------
    X : (n, d) array
    y : (n,) array
    raw : bool
        Whether units are z², not z² − 1.
    """

    X: Array
    y: Array
    raw: bool

    @classmethod
    def draw(
        cls,
        S: Array,
        samples: int,
        label_noise: float = 0.0,
        *,
        raw: bool = False,
        seed: int | Sequence[int] = 0,
    ) -> FormData:
        """Gaussian inputs, and labels of S (d, d) with noise of variance Δ."""
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((samples, len(S)))
        clean = cls(X, np.zeros(samples), raw)
        return cls(X, clean.outputs(S) + np.sqrt(label_noise) * rng.standard_normal(samples), raw)

    def outputs(self, S: Array) -> Array:
        """f_S of the inputs, (n,)."""
        form = np.einsum("ni,ni->n", self.X @ S, self.X)
        return np.asarray((form if self.raw else form - np.trace(S)) / np.sqrt(self.X.shape[1]))

    def pulled_back(self, residual: Array) -> Array:
        """Σ_i r_i ∂f/∂S at input i, (d, d)."""
        form = (self.X.T * residual) @ self.X
        if not self.raw:
            form -= residual.sum() * np.eye(len(form))
        return np.asarray(form / np.sqrt(len(form)))

    def curvature(self, seed: int = 0) -> float:
        """Largest eigenvalue of the Hessian of (1/2n) Σ (y − f_S)²."""
        n, d = self.X.shape
        S = np.random.default_rng(seed).standard_normal((d, d))
        S = S + S.T + np.eye(d) * d * self.raw
        size = 0.0
        for _ in range(POWER_STEPS):
            S = self.pulled_back(self.outputs(S / np.linalg.norm(S))) / n
            size = float(np.linalg.norm(S))
        return size


@dataclass(frozen=True, eq=False)
class FormEstimate:
    """The minimum.

    Parameters
    ----------
    S : (d, d) array
    training_error : float
        Mean of (y − f)².
    iterations : int
    """

    S: Array
    training_error: float
    iterations: int

    def mse(self, S: Array) -> float:
        """‖Ŝ − S*‖²/d, which is half of the expected squared error of centred units."""
        return float(((self.S - S) ** 2).sum() / len(S))

    @property
    def rank_fraction(self) -> float:
        """Part of the eigenvalues that are not zero."""
        lam = np.linalg.eigvalsh(self.S)
        return float((lam > 1e-6 * max(lam[-1], 1e-300)).mean())


def proximal_gradient(
    data: FormData, decay: float, *, tolerance: float = 1e-9, max_iterations: int = 20_000
) -> FormEstimate:
    """Minimise over S ⪰ 0, from S = 0, until a step moves S by less than a part of its size.

    Parameters
    ----------
    data : FormData
    decay : float
        ℓ.
    tolerance : float
    max_iterations : int

    Raises
    ------
    ProblemError
        If an argument is not usable.
    ComputationError
        If it has not converged after so many iterations.
    """
    decay = validate_real("decay", decay, nonnegative=True)
    n, d = data.X.shape
    step = 1 / (SAFETY * data.curvature())
    S = ahead = np.zeros((d, d))
    momentum = 1.0
    for iteration in range(1, validate_count("max_iterations", max_iterations) + 1):
        residual = data.outputs(ahead) - data.y
        lam, E = np.linalg.eigh(ahead - step * data.pulled_back(residual) / n)
        moved = (E * np.maximum(lam - step * decay / d, 0.0)) @ E.T
        if ((ahead - moved) * (moved - S)).sum() > 0:  # momentum points uphill
            momentum = 1.0
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        change = moved - S
        ahead, S, momentum = moved + (momentum - 1) / following * change, moved, following
        if np.linalg.norm(change) <= tolerance * np.linalg.norm(S) and iteration > 10:
            error = data.outputs(S) - data.y
            return FormEstimate(S, float((error**2).mean()), iteration)
    raise ComputationError(
        f"Proximal gradient has not converged after {max_iterations} iterations: raise `max_iterations`."
    )
