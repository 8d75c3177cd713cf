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

The map is that of the moment's η: iterated along a schedule it gives the risk after it, exactly to the leading order
(`OneUnitSGD.risks`). What the best schedule is, `dynamics.closed_forms.annealing` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from dynamics.activations import Activation
from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.validation import validate_count, validate_label_noise, validate_real

Real = TypeVar("Real", float, Array)


@dataclass(frozen=True)
class OneUnitSGD:
    """The map of (Q, V), mean squares of the deviation across and along the teacher's direction, by one step.

    Parameters
    ----------
    inputs : int
        d.
    label_noise : float
        Δ.
    batch : int
        B.
    eigenvalue, a : float
        Eigenvalue λ of the teacher and fixed second-layer weight, of equal sign.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """

    inputs: int
    label_noise: float = 0.0
    batch: int = 1
    eigenvalue: float = 1.0
    a: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", validate_count("inputs", self.inputs))
        object.__setattr__(self, "batch", validate_count("batch", self.batch))
        noise = validate_label_noise(self.label_noise)
        object.__setattr__(self, "label_noise", noise)
        if self.strength <= 0:
            raise ProblemError(
                f"`a`·`eigenvalue` is {self.strength:g}, but must be positive: the mode is not learned else."
            )

    @cached_property
    def strength(self) -> float:
        """aλ, to which all rates are relative."""
        return validate_real("a", self.a) * validate_real("eigenvalue", self.eigenvalue)

    @cached_property
    def _quadratic(self) -> tuple[float, float, float, float, float, float]:
        """Coefficients of Q, V and 1 in Q' and in V', of what is quadratic in η."""
        d, B, D = self.inputs, self.batch, self.label_noise
        P, R = _bends(d, B)
        across = 16 * P, 240 * (d - 1) / B, 4 * (d - 1) * D / B
        along = 240 / B, 48 * R, 12 * D / B
        q, v, one, q_, v_, one_ = (self.strength**2 * c for c in (*across, *along))
        return q, v, one, q_, v_, one_

    def linear(self, Q: Real, V: Real) -> tuple[Real, Real]:
        """What is linear in η: (Q' − Q, V' − V)/η as η → 0."""
        return -8 * self.strength * Q, -24 * self.strength * V

    def quadratic(self, Q: Real, V: Real) -> tuple[Real, Real]:
        """What is quadratic in η: the rest of (Q' − Q, V' − V), over η²."""
        q, v, one, q_, v_, one_ = self._quadratic
        return q * Q + v * V + one, q_ * Q + v_ * V + one_

    def step(self, eta: Real, Q: Real, V: Real) -> tuple[Real, Real]:
        """(Q', V') after a step of learning rate η; of any shape."""
        (q1, v1), (q2, v2) = self.linear(Q, V), self.quadratic(Q, V)
        return Q + eta * (q1 + eta * q2), V + eta * (v1 + eta * v2)

    def risks(self, rates: ArrayLike, start_risk: float) -> Array:
        """Mean loss 2Q + 6V before each step and after the last one, from Q = r₀/2, V = 0.

        Parameters
        ----------
        rates : (N, …) array
            Learning rates η_n, of one run or of many.
        start_risk : float
            r₀.

        Returns
        -------
        (N + 1, …) array
            Infinite or NaN where it outgrows the numbers.
        """
        eta = np.asarray(rates, dtype=float)
        Q, V = np.full(eta.shape[1:], self._start(start_risk)), np.zeros(eta.shape[1:])
        found = [2 * Q + 6 * V]
        with np.errstate(over="ignore", invalid="ignore"):
            for rate in eta:
                Q, V = self.step(rate, Q, V)
                found.append(2 * Q + 6 * V)
        return np.array(found)

    def final_risks(self, factors: Array, rates: ArrayLike, start_risk: float) -> Array:
        """Risk after the last of N steps with rates η s_n, for some schedules s and some η each.

        Parameters
        ----------
        factors : (F, N) array
            s_n.
        rates : (F, G) array
            η.
        start_risk : float
            r₀.
        """
        eta = np.asarray(rates, dtype=float)
        Q, V = np.full(eta.shape, self._start(start_risk)), np.zeros(eta.shape)
        with np.errstate(over="ignore", invalid="ignore"):
            for s in factors.T:
                Q, V = self.step(s[:, None] * eta, Q, V)
            return np.asarray(2 * Q + 6 * V)

    @staticmethod
    def _start(start_risk: float) -> float:
        return validate_real("start_risk", start_risk, positive=True) / 2


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
    unit = OneUnitSGD(inputs, label_noise, batch, eigenvalue, a)
    largest = one_unit_largest_step(inputs, batch=batch, eigenvalue=eigenvalue, a=a)
    if eta >= largest:
        raise ProblemError(f"`step` is {eta:g}, but must be below {largest:g}: SGD diverges otherwise.")
    d, Delta, (P, R) = unit.inputs, unit.label_noise, _bends(inputs, batch)
    x = eta * unit.strength
    y = x / unit.batch
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
    unit = OneUnitSGD(inputs, batch=batch, eigenvalue=eigenvalue, a=a)
    d, B, strength = unit.inputs, unit.batch, unit.strength
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
