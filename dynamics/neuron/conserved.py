"""What the gradient flow of quadratic neurons conserves, whatever the target.

With relative rates γ every unit keeps

    Q1 = γ_g ‖r‖² − γ_r ‖g‖²                               for every outer activation σ,
    Q2 = γ_a γ_b ‖r‖² + γ_a γ_r ‖b‖² − γ_r γ_b a²         for σ homogeneous of degree 1, such as the identity.

Divided by the rates these are ‖r‖²/γ_r − ‖g‖²/γ_g and ‖r‖²/γ_r + ‖b‖²/γ_b − a²/γ_a; multiplied through they hold for
rates of 0 too, where the group stands still. If that group is b, and b = 0, more is true: the term that Q2 balances
against the motion of b is absent, and

    Q2 = γ_a ‖r‖² − γ_r a²                                 for γ_b = 0, b = 0

is conserved, the balance of an ordinary network. Derived here, from q being homogeneous of degree 1 in r, in g and in
(r, b): r·∂L/∂r = g·∂L/∂g, and r·∂L/∂r + b·∂L/∂b = a ∂L/∂a. Shrinking towards the start breaks both laws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.aliases import Array
from dynamics.neuron.problem import Neurons, Rates


@dataclass(frozen=True)
class NeuronLaws:
    """Q1 and Q2 of every unit, for given rates.

    Parameters
    ----------
    rates : Rates
    without_b : bool
        Whether γ_b = 0 and b = 0, so that Q2 takes its second form.
    """

    rates: Rates
    without_b: bool = False

    @classmethod
    def along(cls, rates: Rates, start: Neurons) -> NeuronLaws:
        """The laws of a flow that starts from these weights."""
        return cls(rates, without_b=rates.b == 0 and not start.B.any())

    def __call__(self, R: Array, G: Array, B: Array, a: Array) -> dict[str, Array]:
        """Values (…, K) of Q1 and Q2 for R, G, B (…, K, d + 1) and a (…, K)."""
        rates = self.rates
        r, g, b = (np.sum(np.asarray(X) ** 2, axis=-1) for X in (R, G, B))
        Q1 = rates.g * r - rates.r * g
        if self.without_b:
            return {"Q1": Q1, "Q2": rates.a * r - rates.r * a**2}
        return {
            "Q1": Q1,
            "Q2": rates.a * rates.b * r + rates.a * rates.r * b - rates.r * rates.b * a**2,
        }

    def drift(self, R: Array, G: Array, B: Array, a: Array) -> dict[str, float]:
        """Largest |Q(t) − Q(0)| of both laws over the units, for weights along a path (T, K, …)."""
        return {name: float(np.abs(Q - Q[0]).max()) for name, Q in self(R, G, B, a).items()}
