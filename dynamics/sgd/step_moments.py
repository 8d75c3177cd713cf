"""Mean of one step of stochastic gradient descent, whatever the units are: what its equations need of them.

The step of plain SGD on B fresh samples moves w_k by η times the mean over the batch of g_k = Σ_o A_ok e_o ∇_w φ_k, and
A_ok by η times that of e_oφ_k, with errors e_o = f*_o + ξ_o − f_o. With U = [W; V] all expectations are functions of
the Gram matrix Ω = UUᵀ and of A. `dynamics.sgd.closures` has one implementation for each kind of units.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from dynamics.aliases import Array


class StepMoments(Protocol):
    """Moments of one step from one state or a stack of states (the leading axes), analytic in Ω, C and A."""

    @property
    def loss(self) -> Array:
        """Population loss ½ Σ_o E (f*_o − f_o)², (…)."""

    @property
    def speed(self) -> Array:
        """E g_k·u_j, (…, K, n)."""

    @property
    def lifts(self) -> Array:
        """E e_oφ_k, (…, O, K)."""

    def squares(self, batch: int) -> Array:
        """E ḡ_k·ḡ_l of the mean ḡ over a batch, (…, K, K)."""


StepMaker: TypeAlias = Callable[[Array, Array, Array, int, float], StepMoments]
"""From Ω (…, n, n), C (…, O, n), A (…, O, K), inputs d and label noise Δ."""
