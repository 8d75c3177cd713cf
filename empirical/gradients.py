"""How the gradients of two-layer networks are taken: written out, or by automatic differentiation, the reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import Tensor

from dynamics.activations import Activation
from dynamics.errors import ProblemError
from dynamics.validation import validate_choice
from empirical.data import TrainingData
from empirical.fused_gradient import FusedGradient
from empirical.networks import QuadraticNetwork
from empirical.trainer import Gradient, gradient_of

GRADIENTS = ("fused", "autograd")

Batch = tuple[Tensor, Tensor, Tensor | None]
"""Inputs ([S,] B, d), labels ([S,] B, O), and weights (S, B) with which samples enter the mean; None: all alike."""


def choose_gradients(gradients: str | None, activation: Activation) -> str:
    """How gradients are taken: as asked for, or by default fused where the activation has slopes.

    Raises
    ------
    ProblemError
        If they cannot be taken so.
    """
    if gradients is None:
        return "fused" if activation.has_slopes else "autograd"
    if validate_choice("gradients", gradients, GRADIENTS) == "fused" and not activation.has_slopes:
        raise ProblemError(
            f"`gradients` is 'fused', but the activation {activation.name!r} does not say its `slope`: take 'autograd'."
        )
    return gradients


def trained_weights(network: QuadraticNetwork) -> list[Tensor]:
    """The layers that are trained, from the first to the last."""
    return [p for p in (network.W, network.A) if p.requires_grad]


def batch_gradient(network: QuadraticNetwork, data: TrainingData, gradients: str) -> Gradient:
    """Losses and gradients of every network on its batch of step n, taken as `gradients` says."""
    return gradient_on(network, data.weighted_batches(network.W.dtype, network.W.device), gradients)


def gradient_on(network: QuadraticNetwork, batches: Iterator[Batch], gradients: str) -> Gradient:
    """Likewise on the next of some batches, whose inputs may be those of all networks, (B, d)."""
    if gradients == "autograd":
        return gradient_of(_losses_on(network, batches), trained_weights(network))
    take = FusedGradient(network)
    return lambda n: take(*next(batches))


def batch_losses(network: QuadraticNetwork, data: TrainingData) -> Callable[[int], Tensor]:
    """½ mean ‖f − y‖² of every network on its batch of step n, (S,)."""
    return _losses_on(network, data.weighted_batches(network.W.dtype, network.W.device))


def _losses_on(network: QuadraticNetwork, batches: Iterator[Batch]) -> Callable[[int], Tensor]:
    """The same on the next of some batches."""

    def losses(n: int) -> Tensor:
        x, y, weights = next(batches)
        errors = 0.5 * (network(x) - y).square().sum(-1)  # (S, B)
        return errors.mean(-1) if weights is None else (weights * errors).sum(-1)

    return losses
