"""What one step of training does to a conserved quantity: exactly for descent, in the mean for sampling noise.

The argument is in `dynamics.conserved.drift`, which adds the steps up.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.conserved.quantities import QuadraticQuantity
from dynamics.conserved.sample_gradients import gradient_second_moments
from dynamics.problem import Problem
from dynamics.validation import validate_count, validate_real


def descent_change(
    quantities: Sequence[QuadraticQuantity],
    dW: ArrayLike,
    dA: ArrayLike,
    step: float,
    rates: Sequence[float] = (1.0, 1.0),
) -> Array:
    """Exact change η² q(Rg) of conserved quantities in one step of gradient descent, (…, Q).

    With weight decay it comes on top of what decays, see `decayed_step`.

    Parameters
    ----------
    quantities : sequence of QuadraticQuantity
        Made with the same `rates`.
    dW, dA : (…, K, d) and (…, O, K) arrays
        Gradients ∂L/∂W and ∂L/∂A.
    step : float
        η.
    rates : (η_w, η_a)
        Learning rates of the layers in units of η.
    """
    eta = validate_real("step", step, positive=True)
    eta_w, eta_a = (validate_real("rates", rate, positive=True) for rate in rates)
    moved = (eta_w * np.asarray(dW), eta_a * np.asarray(dA))
    return np.stack([eta**2 * q(*moved) for q in quantities], axis=-1)


def decayed_step(
    quantities: Sequence[QuadraticQuantity],
    values: ArrayLike,
    dW: ArrayLike,
    dA: ArrayLike,
    step: float,
    decay: float,
    rates: Sequence[float] = (1.0, 1.0),
) -> Array:
    """Values of conserved quantities after one step of gradient descent with weight decay, exactly, (…, Q).

    θ ← (1 − ηρ)θ − ηRg makes of q = θᵀSθ, with θᵀSRg = 0, exactly (1 − ηρ)² q + η² q(Rg): coupled and decoupled decay
    are the same without momentum (derived here).

    Parameters
    ----------
    quantities : sequence of QuadraticQuantity
        Made with the same `rates`.
    values : (…, Q) array
        Before the step.
    dW, dA : (…, K, d) and (…, O, K) arrays
        Gradients of the loss without the penalty.
    step : float
        η.
    decay : float
        ρ = η_wρ_w = η_aρ_a, the rate at which both layers fall.
    rates : (η_w, η_a)
    """
    rho = validate_real("decay", decay, nonnegative=True)
    change = descent_change(quantities, dW, dA, step, rates)
    return np.asarray((1 - step * rho) ** 2 * np.asarray(values) + change)


def noise_rate(
    quantities: Sequence[QuadraticQuantity],
    problem: Problem,
    W: Array,
    A: Array,
    *,
    batch: int = 1,
    label_noise: float = 0.0,
    rates: Sequence[float] = (1.0, 1.0),
) -> Array:
    """tr(SC) of the noise in the gradient of a batch of fresh samples, (Q,): its rate of drift per η.

    Zero is the balance to which the noise drives the weights: at a perfect fit, Σ = I and one output,
    (d + 2) · 2a_k² = 3‖w_k‖², for centred units (d + 1) a_k² = ‖w_k‖²; see `dynamics.closed_forms.noise_balance`.

    Parameters
    ----------
    quantities : sequence of QuadraticQuantity
    problem : Problem
    W, A : (K, d) and (O, K) arrays
    batch : int
        B.
    label_noise : float
        Variance Δ.
    rates : (η_w, η_a)
    """
    B = validate_count("batch", batch)
    eta_w, eta_a = rates
    first, second = gradient_second_moments(problem, W, A, label_noise)
    dW, dA = problem.population.velocity(W, A)
    first, second = first - dW @ dW.T, second - dA.T @ dA
    return (
        np.array(
            [
                sum(p * eta_w**2 * first[k, l] for k, l, p in q.first)
                + sum(r * eta_a**2 * second[k, l] for k, l, r in q.second)
                for q in quantities
            ]
        )
        / B
    )
