"""What a loss of the weights is, and the capabilities that some losses have and others lack.

Whoever needs more of a loss than its value and derivatives asks for a capability, never for a class: a capability that
a loss lacks is None.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from dynamics.aliases import Array
from dynamics.integration.contract import Kernel
from dynamics.population.ways import Slope, Way, cheapest

if TYPE_CHECKING:
    from dynamics.population.flow_shape import FlowShape


class Population(ABC):
    """A loss L of first-layer weights W (K, d) and second-layer weights A (O, K), with two derivatives.

    Attributes
    ----------
    trace_coupling : float or None
        κ where the loss is L = Σ_o [tr(D_oΣD_oΣ) + ½ κ tr(D_oΣ)²], the population loss of quadratic networks; None for
        every other loss.
    force : callable (W, A) → (O, d, d), or None
        G_o = −2 ∂L/∂M_o where L depends on the forms M_o = Σ_k A_ok w_k w_kᵀ alone: then ẇ_k = Σ_o A_ok G_o w_k.
    pull_on : callable (W, A, output) → Pull, or None
        What a further, infinitely small unit would feel, where φ has a kink at zero.
    smooth : bool
        Whether the gradient is continuous.
    """

    trace_coupling: float | None = None
    force: Callable[[Array, Array], Array] | None = None
    pull_on: Callable[[Array, Array, Array], Pull] | None = None
    smooth: bool = True

    @abstractmethod
    def loss(self, W: Array, A: Array) -> float:
        """Loss L = ½ E‖f* − f‖², in squared units of the output."""

    def losses(self, W: Array, A: Array) -> Array:
        """Losses (T,) of many weights, W (T, K, d) and A (T, O, K)."""
        return np.array([self.loss(w, a) for w, a in zip(W, A, strict=True)])

    @abstractmethod
    def velocity(self, W: Array, A: Array) -> tuple[Array, Array]:
        """Minus the gradient: (−∂L/∂W, −∂L/∂A), (K, d) and (O, K)."""

    @abstractmethod
    def hessian_vector(self, W: Array, A: Array, dW: Array, dA: Array) -> tuple[Array, Array]:
        """Hessian of L applied to the direction (dW, dA)."""

    @abstractmethod
    def hessian(self, W: Array, A: Array) -> Array:
        """Dense Hessian of L over θ = (W, A), flattened row by row, (Kd + OK, Kd + OK)."""

    def slope(self, hidden: int, outputs: int, trainable: bool) -> Slope:
        """The velocity of K units and O outputs, written in place, by the way that costs least.

        It may keep buffers: one thread at a time may call it.
        """
        sizes = hidden, outputs, trainable
        if sizes not in self._builders:
            ways = self.ways(*sizes)
            self._builders[sizes] = cheapest(ways).build if ways else self._slope_by_velocity
        return self._builders[sizes]()

    def compiled_slope(self, A: Array, inputs: int, trainable: bool) -> Kernel | None:
        """The velocity at θ = (W, A), or at θ = W where A (O, K) is fixed, for compiled code; None if there is none."""
        return None

    def ways(self, hidden: int, outputs: int, trainable: bool) -> Sequence[Way]:
        """All ways to compute the slope in place; none of a loss that has nothing to gain, or is made of others."""
        return ()

    @cached_property
    def _builders(self) -> dict[tuple[int, int, bool], Callable[[], Slope]]:
        """What gives the slope for each size that was asked for."""
        return {}

    def _slope_by_velocity(self) -> Slope:
        def write(W: Array, A: Array, vW: Array, vA: Array | None) -> None:
            vW[...], pull = self.velocity(W, A)
            if vA is not None:
                vA[...] = pull

        return write

    def invariants(self, W: Array, A: Array) -> Array:
        """Numbers (m,) that tell different functions apart and that rotations of the inputs do not change."""
        return np.array([self.loss(W, A)])

    @property
    def forms(self) -> FormLoss | None:
        """The loss as one of the forms M_o; None if it is none."""
        return None if self.force is None else cast(FormLoss, self)

    def taylor_shape(self, W: Array, A: Array, trainable: bool) -> FlowShape | None:
        """Shape of the flow as a polynomial, for Taylor's method; W (…, K, d), A (…, O, K). None if it is none."""
        return None


class FormLoss(Protocol):
    """A loss with a force."""

    def force(self, W: Array, A: Array) -> Array:
        """G_o = −2 ∂L/∂M_o, (O, d, d)."""


class Pull(Protocol):
    """The function r m(ŵ) of a direction, in which a small unit w grows or shrinks."""

    def force(self, X: Array) -> Array:
        """Gradient at several directions (m, d), (m, d); the value is its product with the direction."""

    @property
    def stiffness(self) -> float:
        """Bound on the curvature on the unit sphere, hence on the force itself too."""
