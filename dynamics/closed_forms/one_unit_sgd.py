"""One hidden unit under stochastic gradient descent: stationary risk, largest step, balance under label noise.

One unit with a fixed second-layer weight a and a teacher λ v vᵀ, ‖v‖ = 1, aλ > 0 (raw activation), fits it at
w = √(λ/a) v. A sample x moves the deviation u = w − √(λ/a) v, to first order in u and in the label noise ξ, by

    −4ηaλ z²(u·x) x + 2η√(aλ) ξ z x,   z = v·x,

and the loss is 2Q + 6V with Q = aλ E‖u_⊥‖², V = aλ E u_v² across and along v. Moments of x up to the eighth make of
these two a map that is closed at every d, B and η (derived here; with x = ηaλ, y = x/B):

    Q' = (1 − 8x + 16Px²) Q + 240(d − 1)xy V + 4(d − 1)xyΔ,     P = 1 + (3d + 2)/B
    V' = (1 − 24x + 48Rx²) V + 240xy Q + 12xyΔ,                 R = 3 + 32/B.

Its fixed point is the stationary risk, to leading order in Δ; at the step where it ceases to be stable mean squares of
deviations grow. For many inputs V is negligible: at fixed ηd, with X = ηaλd and B = 1,

    risk = XΔ/(1 − 6X) [1 + (2 + 36X + 48X²)/((1 − 6X) d) + O(d⁻²)],   largest step → 1/(6daλ),

the first factor being where the mean dynamics of `dynamics.sgd.mean_sgd` rests. Large batches are limited by the
length of w, which relaxes at the rate 12aλ and overshoots for ever at x = 1/6.
"""

from __future__ import annotations

from math import sqrt

from dynamics.activations import Activation
from dynamics.errors import ProblemError
from dynamics.validation import validate_count, validate_real


def one_unit_risk(
    step: float, inputs: int, label_noise: float, *, batch: int = 1, eigenvalue: float = 1.0, a: float = 1.0
) -> float:
    """Stationary mean loss of one unit with the quadratic activation, to leading order in the label noise.

    Parameters
    ----------
    step, inputs, label_noise, batch
        η, d, Δ and B.
    eigenvalue, a : float
        Eigenvalue λ of the teacher and fixed second-layer weight, of equal sign.

    Raises
    ------
    ProblemError
        If the step is too large, so that there is no stationary state, or an argument is not usable.
    """
    eta = validate_real("step", step, positive=True)
    Delta = validate_real("label_noise", label_noise, nonnegative=True)
    largest = one_unit_largest_step(inputs, batch=batch, eigenvalue=eigenvalue, a=a)
    if eta >= largest:
        raise ProblemError(f"`step` is {eta:g}, but must be below {largest:g}: SGD diverges otherwise.")
    d, (P, R) = inputs, _bends(inputs, batch)
    x = eta * a * eigenvalue
    y = x / batch
    across, along = 1 - 2 * P * x, 1 - 2 * R * x  # what damps Q and V, over 8x and 24x
    noise = (d - 1) * along + 3 * across + 60 * (d - 1) * y
    return y * Delta * noise / (across * along - 300 * (d - 1) * y**2)


def one_unit_largest_step(inputs: int, *, batch: int = 1, eigenvalue: float = 1.0, a: float = 1.0) -> float:
    """Step beyond which mean squares of deviations from the minimum grow; 1/(6dλa) for large d and B = 1.

    Parameters
    ----------
    inputs, batch
        d and B.
    eigenvalue, a : float
        Eigenvalue λ of the teacher and fixed second-layer weight, of equal sign.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    d, B = validate_count("inputs", inputs), validate_count("batch", batch)
    strength = validate_real("a", a) * validate_real("eigenvalue", eigenvalue)
    if strength <= 0:
        raise ProblemError(
            f"`a`·`eigenvalue` is {strength:g}, but must be positive: the mode is not learned else."
        )
    P, R = _bends(d, B)
    # The map is non-negative, so its largest multiplier is real: the smallest x with (1 − 2Px)(1 − 2Rx) = 300(d − 1)y².
    return 1 / (strength * (P + R + sqrt((P - R) ** 2 + 300 * (d - 1) / B**2)))


def _bends(d: int, B: int) -> tuple[float, float]:
    """P and R: the quadratic terms in the step, of the deviations across and along the teacher's direction."""
    return 1 + (3 * d + 2) / B, 3 + 32 / B


def noise_balance(inputs: int, activation: Activation | str = "quadratic") -> float:
    """The ratio ‖w_k‖²/a_k² towards which label noise drives every unit of one output at zero loss.

    Gradient flow conserves c_k = ‖w_k‖² − 2a_k². A step on pure label noise changes its mean by η²(E‖g_w‖² − 2E g_a²),
    with E‖g_w‖² = 4a²Δ(d + 2)‖w‖² and E g_a² = 3Δ‖w‖⁴ (centred: (d + 1) and 2), which vanishes at
    ‖w‖²/a² = 2(d + 2)/3 (centred: d + 1). Derived here.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    d = validate_count("inputs", inputs)
    coupling = Activation.parse(activation).coupling_for("the balance of label noise")
    return 2 * (d + 1 + coupling) / (2 + coupling)
