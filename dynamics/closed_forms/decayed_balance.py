"""Balance of one unit at its fit, under label noise and weight decay.

At a perfect fit of a single mode λ, an = λ with n = ‖w‖², one step of SGD moves c = n − 2a² in the mean, to leading
order in the step (fluctuations about the fit are neglected; that this is the leading order is not proven), by

    E[Δc]/η = −2ρ(n − 2a²) + (ηΔ/B)[4(d + 1 + κ)a²n − 2(2 + κ)n²],

κ = 1 for quadratic units, 0 for centred ones. Without decay the bracket vanishes at `noise_balance`; without noise c
goes to zero. Both pull against each other: the balance depends on ηΔ/(Bρ) and on λ. Derived here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from dynamics.activations import Activation
from dynamics.errors import ProblemError
from dynamics.validation import validate_count, validate_label_noise, validate_real


@dataclass(frozen=True)
class UnitBalance:
    """One unit at its fit.

    Parameters
    ----------
    a : float
        Second-layer weight.
    norm : float
        n = ‖w‖².
    """

    a: float
    norm: float

    @property
    def conserved(self) -> float:
        """c = ‖w‖² − 2a²."""
        return self.norm - 2 * self.a**2


def decayed_balance(
    eigenvalue: float,
    inputs: int,
    *,
    step: float,
    label_noise: float,
    weight_decay: float,
    batch: int = 1,
    activation: Activation | str = "quadratic",
) -> UnitBalance:
    """The balance at which c of an aligned unit stands still.

    Parameters
    ----------
    eigenvalue : float
        λ that the unit fits, aλ > 0.
    inputs, step, label_noise, batch
        d, η, Δ and B.
    weight_decay : float
        ρ of both layers; it or the label noise must be positive.
    activation : Activation or str
        "quadratic" or "centred".

    Raises
    ------
    ProblemError
        If an argument is not usable, or neither noise nor decay says where the balance is.
    """
    lam, d = validate_real("eigenvalue", eigenvalue), validate_count("inputs", inputs)
    rho = validate_real("weight_decay", weight_decay, nonnegative=True)
    eta, B = validate_real("step", step, positive=True), validate_count("batch", batch)
    kick = eta * validate_label_noise(label_noise) / B
    kappa = Activation.parse(activation).coupling_for("the balance of label noise")
    if lam == 0:
        raise ProblemError("`eigenvalue` is 0, but a unit that fits nothing has no balance.")
    if not (rho or kick):
        raise ProblemError(
            "`label_noise` and `weight_decay` are 0, but without both every c stays what it is."
        )

    def pull(ratio: float) -> float:
        """E[Δc]/(ηa²) at n/a² = ratio, where a³ = |λ|/ratio: falling in the ratio."""
        a2 = (abs(lam) / ratio) ** (2 / 3)
        noise = 4 * (d + 1 + kappa) * ratio - 2 * (2 + kappa) * ratio**2
        return -2 * rho * (ratio - 2) + kick * a2 * noise

    # at the ratio 2 of c = 0 only noise pulls, at that of noise alone only decay does
    ends = sorted((2.0, 2 * (d + 1 + kappa) / (2 + kappa)))
    ratio = ends[0] if ends[0] == ends[1] or pull(ends[0]) == 0 else ends[1]
    if pull(ends[0]) * pull(ends[1]) < 0:
        ratio = brentq(pull, *ends, xtol=1e-15 * ends[1])
    a = float(np.cbrt(lam / ratio))
    return UnitBalance(a, ratio * a**2)
