"""Networks of equal second layer trained to a minimum on a data set: by L-BFGS, or by gradient descent.

What `empirical.proximal_gradient` minimises over forms, these minimise over weights: W with M = a WᵀW = S/√d, a =
1/(K√d), so that S = WᵀW/K has eigenvalues of order one where the entries of W have. Of K ≥ d units the minimum with
weight decay is the same; of fewer, or where many networks fit the data, it depends on the start. From small weights
gradient descent ends near the one of the least trace; L-BFGS, whose steps are no descent in this sense, does less so.
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

LOOSE = 1e3  # times the tolerance: a gradient that rounding keeps from it
STABLE, MOMENTUM = 2.0, 0.9
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
    # of an abnormal end, at the limit of rounding, the gradient tells
    if not np.isfinite(found.fun) or found.nit >= limit or np.abs(found.jac).max() > LOOSE * tolerance:
        raise ComputationError(
            f"L-BFGS has not converged after {found.nit} iterations: raise `max_iterations`."
        )
    return _estimate(data, found.x.reshape(K, d), int(found.nit))


def descend(
    data: FormData,
    hidden: int,
    *,
    scale: float = 1e-3,
    seed: int = 0,
    tolerance: float = 1e-6,
    max_iterations: int = 20_000,
) -> FormEstimate:
    """Gradient descent with momentum from small weights, until labels are fitted.

    Parameters
    ----------
    data : FormData
        Labels that can be fitted.
    hidden : int
        K.
    scale : float
        Entries of W start as N(0, scale²).
    seed : int
    tolerance : float
        Of the mean of (y − f)², as a part of that of y².
    max_iterations : int

    Raises
    ------
    ProblemError
        If an argument is not usable.
    ComputationError
        If labels are not fitted after so many iterations.
    """
    n, K = len(data.X), validate_count("hidden", hidden)
    W = validate_real("scale", scale, positive=True) * np.random.default_rng(seed).standard_normal(
        (K, data.X.shape[1])
    )
    velocity, enough = np.zeros_like(W), tolerance * float((data.y**2).mean())
    # the Hessian at a fit S is 4 times that of the form, times the largest eigenvalue of S: trace of y's size at most
    rate = STABLE / (data.curvature() * data.X.shape[1] * np.sqrt((data.y**2).mean()))
    for iteration in range(validate_count("max_iterations", max_iterations)):
        residual = data.outputs(W.T @ W / K) - data.y
        if (residual**2).mean() <= enough:
            return _estimate(data, W, iteration)
        velocity = MOMENTUM * velocity - rate * 2 * W @ data.pulled_back(residual) / n
        W = W + velocity
    raise ComputationError(f"Gradient descent has not fitted the labels after {max_iterations} iterations.")


def _estimate(data: FormData, W: Array, iterations: int) -> FormEstimate:
    S = W.T @ W / len(W)
    return FormEstimate(S, float(((data.outputs(S) - data.y) ** 2).mean()), iterations)
