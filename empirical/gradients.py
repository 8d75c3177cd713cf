"""How the gradients of two-layer networks are taken: written out, or by automatic differentiation, the reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import Tensor

from dynamics.activations import Activation
from dynamics.errors import ProblemError
from dynamics.losses import SQUARE, Loss
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
    """What is trained: the layers from the first to the last, and the output bias."""
    return [p for p in (network.W, network.A, network.beta) if p is not None and p.requires_grad]


def batch_gradient(network: QuadraticNetwork, data: TrainingData, gradients: str) -> Gradient:
    """Losses and gradients of every network on its batch of step n, taken as `gradients` says."""
    batches = data.weighted_batches(network.W.dtype, network.W.device)
    return gradient_on(network, batches, gradients, data.problem.loss)


def gradient_on(
    network: QuadraticNetwork, batches: Iterator[Batch], gradients: str, loss: Loss = SQUARE
) -> Gradient:
    """Likewise on the next of some batches, whose inputs may be those of all networks, (B, d)."""
    if gradients == "autograd":
        return gradient_of(_losses_on(network, batches, loss), trained_weights(network))
    take = FusedGradient(network, loss)
    return lambda n: take(*next(batches))


def batch_losses(network: QuadraticNetwork, data: TrainingData) -> Callable[[int], Tensor]:
    """Mean of Σ_o ℓ(f_o, y_o) of every network on its batch of step n, (S,)."""
    batches = data.weighted_batches(network.W.dtype, network.W.device)
    return _losses_on(network, batches, data.problem.loss)


def _losses_on(network: QuadraticNetwork, batches: Iterator[Batch], loss: Loss) -> Callable[[int], Tensor]:
    """The same on the next of some batches."""

    def losses(n: int) -> Tensor:
        x, y, weights = next(batches)
        errors = loss.value(network(x), y).sum(-1)  # (S, B)
        return errors.mean(-1) if weights is None else (weights * errors).sum(-1)

    return losses
