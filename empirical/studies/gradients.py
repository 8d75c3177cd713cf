"""How large gradients are through the depth of a network, while it is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from dynamics.aliases import Array

MOMENTS = (0.0, 0.5, 1.0)  # shares of the steps of training
PROBE = 64  # samples, the first ones to train on


def gradient_norms(
    module: nn.Module,
    layers: Sequence[nn.Module],
    x: Tensor,
    y: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
) -> Array:
    """‖∂ℓ/∂h_l‖ of the outputs h_l of layers, root mean square over samples, relative to that of the last one.

    Parameters
    ----------
    module : nn.Module
        Its gradients are left as they are.
    layers : sequence of L nn.Module
        Parts of it, from the first to the last.
    x, y : Tensor
        Samples and labels.
    loss : callable
        (outputs, labels) → loss of every sample.

    Returns
    -------
    (L,) array
        NaN where that of the last layer is zero or not finite.
    """
    outputs: dict[nn.Module, Tensor] = {}
    hooks = [
        layer.register_forward_hook(lambda part, _, output: outputs.__setitem__(part, output))
        for layer in layers
    ]
    try:
        with torch.enable_grad():
            total = loss(module(x), y).sum()
            gradients = torch.autograd.grad(total, [outputs[layer] for layer in layers])
    finally:
        for hook in hooks:
            hook.remove()
    norms = np.array([g.double().square().flatten(1).sum(1).mean().sqrt().item() for g in gradients])
    usable = np.isfinite(norms[-1]) and norms[-1] > 0
    return np.asarray(norms / norms[-1]) if usable else np.full(len(norms), np.nan)


class GradientWatch:
    """Called after every step of training, it measures gradients at the `MOMENTS`.

    Parameters
    ----------
    layers : sequence of L nn.Module
    x, y, loss
        See `gradient_norms`.
    steps : int
        Of the whole training.

    Attributes
    ----------
    norms : (M, L) array
        NaN at moments that were not reached.
    """

    def __init__(
        self,
        layers: Sequence[nn.Module],
        x: Tensor,
        y: Tensor,
        loss: Callable[[Tensor, Tensor], Tensor],
        steps: int,
    ) -> None:
        self._measured = (layers, x, y, loss)
        self._at = {round(share * steps): m for m, share in enumerate(MOMENTS)}
        self._done = -1
        self.norms = np.full((len(MOMENTS), len(layers)), np.nan)

    def __call__(self, module: nn.Module) -> None:
        """Count a step; the first call is for the initial weights."""
        self._done += 1
        if self._done in self._at:
            self.norms[self._at[self._done]] = gradient_norms(module, *self._measured)
