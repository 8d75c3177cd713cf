"""One hidden unit under stochastic gradient descent: stationary risk, largest step, balance under label noise.

For one unit with a fixed second-layer weight a and a teacher λ v vᵀ, ‖v‖ = 1, aλ > 0, the mean dynamics of
`dynamics.sgd.mean_sgd` is stationary at w·w = λ/a, whatever its direction. With the weight that points elsewhere,
‖w‖² − (w·v)² = (λ/a) ρ, and L = 2λ²ρ, it reads (derived here, with x = ηaλ; raw activation)

    ρ̇/(8aλ) = −ρ [1 − 6x(d + 6)/B − 2x(1 − 1/B)] + x(d + 2)Δ/(2λ²B),

so the stationary risk is x(d + 2)Δ/B over the bracket, for large d and B = 1 ηdaλΔ/(1 − 6ηdaλ), and at the step where
the bracket vanishes SGD diverges. The length of w relaxes at the rate 12aλ, which large batches feel first: it
overshoots for ever at x = 1/6.
"""

from __future__ import annotations

from dynamics.activations import Activation
from dynamics.errors import ProblemError
from dynamics.validation import validate_count, validate_real


def one_unit_risk(
    step: float, inputs: int, label_noise: float, *, batch: int = 1, eigenvalue: float = 1.0, a: float = 1.0
) -> float:
    """Stationary mean loss of one unit with the quadratic activation.

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
    x = eta * a * eigenvalue
    return x * (inputs + 2) * Delta / batch / (1 - x * _growth(inputs, batch))


def one_unit_largest_step(inputs: int, *, batch: int = 1, eigenvalue: float = 1.0, a: float = 1.0) -> float:
    """Step beyond which the mean dynamics of one unit leaves the minimum, 1/(6dλa) for large d and B = 1.

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
    d, B = validate_count("inputs", inputs, minimum=2), validate_count("batch", batch)
    strength = validate_real("a", a) * validate_real("eigenvalue", eigenvalue)
    if strength <= 0:
        raise ProblemError(
            f"`a`·`eigenvalue` is {strength:g}, but must be positive: the mode is not learned else."
        )
    return 1 / (strength * max(_growth(d, B), 6.0))


def _growth(d: int, B: int) -> float:
    """6(d + 6)/B + 2(1 − 1/B): how a step, in units of 1/(aλ), drives the error of the direction."""
    return 6 * (d + 6) / B + 2 * (1 - 1 / B)


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
