"""What a population loss is: a protocol, and the capabilities that some of them have."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from dynamics.aliases import Array


class PopulationLoss(Protocol):
    """What the flow needs to know of a population loss; weights W (K, d) and A (O, K)."""

    def loss(self, W: Array, A: Array) -> float:
        """Loss L = ½ E‖f* − f‖²."""

    def velocity(self, W: Array, A: Array) -> tuple[Array, Array]:
        """Minus the gradient: (−∂L/∂W, −∂L/∂A)."""

    def hessian_vector(self, W: Array, A: Array, dW: Array, dA: Array) -> tuple[Array, Array]:
        """Hessian of L applied to the direction (dW, dA)."""

    def hessian(self, W: Array, A: Array) -> Array:
        """Dense Hessian of L over θ = (W, A), flattened row by row."""


@runtime_checkable
class FormLoss(Protocol):
    """What a loss of the forms M_o = Σ_k A_ok w_k w_kᵀ alone can also say: the force on a unit, ẇ = Σ_o A_o G_o w."""

    def force(self, W: Array, A: Array) -> Array:
        """G_o = −2∂L/∂M_o, (O, d, d); affine in the forms if the loss is quadratic in them."""
