"""One unit in the mean dynamics of SGD, in which the order parameters are replaced by their means.

For one unit with a fixed second-layer weight a and a teacher λ v vᵀ, ‖v‖ = 1, aλ > 0 (raw activation), the mean
dynamics is stationary at w·w = λ/a, whatever its direction. With the weight that points elsewhere,
‖w‖² − (w·v)² = (λ/a) ρ, and L = 2λ²ρ, it reads (derived here, with x = ηaλ)

    ρ̇/(8aλ) = −ρ [1 − 6x(d + 6)/B − 2x(1 − 1/B)] + x(d + 2)Δ/(2λ²B).

The length of w relaxes at the rate 12aλ, which large batches feel first: it overshoots for ever at x = 1/6.
"""


def mean_field_risk(x, d, Delta, B=1):
    """Loss at which the bracket balances the noise; x = ηaλ."""
    return x * (d + 2) * Delta / B / (1 - x * growth(d, B))


def mean_field_largest_step(d, B=1):
    """Smallest x = ηaλ at which the direction, or the length, is not stable."""
    return 1 / max(growth(d, B), 6.0)


def growth(d, B):
    """How a step, in units of 1/(aλ), drives the error of the direction."""
    return 6 * (d + 6) / B + 2 * (1 - 1 / B)
