"""Networks of equal second layer trained to the minimum of a data set, by L-BFGS.

What `empirical.proximal_gradient` minimises over forms, these minimise over weights: W with M = a WᵀW = S/√d, a =
1/(K√d), so that S = WᵀW/K has eigenvalues of order one where the entries of W have. Of K ≥ d units the minimum with
weight decay is the same; of fewer, or where many networks fit the data, it depends on the start.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import minimize

from dynamics.aliases import Array
from dynamics.errors import ComputationError
from dynamics.problem import Student
from dynamics.validation import validate_count, validate_real
from empirical.networks import QuadraticNetwork
from empirical.proximal_gradient import FormData, FormEstimate

MEMORY = 30  # past steps that L-BFGS keeps
STEPS_AHEAD = 3  # evaluations a step takes at most, on average


def train_to_minimum(
    data: FormData,
    decay: float,
    hidden: int,
    *,
    scale: float = 1.0,
    seed: int = 0,
    tolerance: float = 1e-9,
    max_iterations: int = 20_000,
) -> FormEstimate:
    """Train one network until no entry of the gradient is larger than a tolerance.

    Parameters
    ----------
    data : FormData
        Its labels, and whether its units are raw.
    decay : float
        ℓ: the weight decay is ρ = 2aℓ/√d.
    hidden : int
        K.
    scale : float
        Entries of W start as N(0, scale²).
    seed : int
    tolerance : float
        Of the gradient by the entries of W, times K.
    max_iterations : int

    Raises
    ------
    ProblemError
        If an argument is not usable.
    ComputationError
        If it has not converged after so many iterations.
    """
    d, K = data.X.shape[1], validate_count("hidden", hidden)
    a = 1 / (K * d**0.5)
    rho = 2 * a * validate_real("decay", decay, nonnegative=True) / d**0.5
    size = validate_real("scale", scale, positive=True)
    W = size * np.random.default_rng(seed).standard_normal((K, d))
    student = Student(W, np.full((1, K), a), trainable=False)
    network = QuadraticNetwork.from_student(student, activation="quadratic" if data.raw else "centred")
    X, y = torch.from_numpy(data.X), torch.from_numpy(data.y)

    def objective(weights: Array) -> tuple[float, Array]:
        with torch.no_grad():
            network.W.copy_(torch.from_numpy(weights.reshape(K, d)))
        residual = network(X)[:, 0] - y
        value = K * ((residual**2).mean() / 2 + rho / 2 * (network.W**2).sum())
        (gradient,) = torch.autograd.grad(value, network.W)
        return value.item(), gradient.numpy().ravel()

    limit = validate_count("max_iterations", max_iterations)
    options = {
        "maxiter": limit,
        "maxfun": STEPS_AHEAD * limit,
        "gtol": tolerance,
        "ftol": 0.0,
        "maxcor": MEMORY,
    }
    found = minimize(objective, W.ravel(), jac=True, method="L-BFGS-B", options=options)
    if not np.isfinite(found.fun) or found.nit >= limit:
        raise ComputationError(
            f"L-BFGS has not converged after {found.nit} iterations: raise `max_iterations`."
        )
    W = found.x.reshape(K, d)
    S = W.T @ W / K
    return FormEstimate(S, float(((data.outputs(S) - data.y) ** 2).mean()), int(found.nit))
