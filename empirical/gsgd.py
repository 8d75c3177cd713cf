"""G-SGD: gradient descent on the path values of a network instead of its weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, overload

import numpy as np
import torch
from torch import Tensor

from dynamics.errors import ProblemError
from dynamics.path_space import Skeleton, path_step
from dynamics.validation import validate_count, validate_real


class GSGD(torch.optim.Optimizer):
    """Stochastic gradient descent in path space, for bias-free networks with a homogeneous activation.

    Multiplying the weights into a hidden unit by c > 0 and dividing those out of it by c^h changes neither the
    function nor, up to rounding, anything that this optimiser does to the function: it descends along the values of
    basis paths, which the rescaling leaves alone. Plain SGD follows another curve for each such copy.

    Parameters
    ----------
    params : iterable of Tensor
        Weight matrices ([S,] n_l, n_{l−1}) from the first layer to the last, as `parameters()` of a sequence of
        `torch.nn.Linear(…, bias=False)` gives them. With an axis S an ensemble shares one skeleton.
    lr : float
        Learning rate η of the path values.
    degree : int
        Degree of homogeneity h of the activation: 1 for ReLU, leaky ReLU, |z| and linear networks, 2 for z².
    skeleton : Skeleton or {"strongest", "diagonal"}
        Edges through which every hidden unit is measured (see `dynamics.path_space.Skeleton`). "strongest" keeps
        skeleton path values as far from zero as the initial weights allow, "diagonal" is the choice of Meng et al.
    free_layer : int
        Layer 1 … L whose skeleton weights take up the change of skeleton path values; the others are kept as they
        are. It decides how the weights are scaled, never what the network computes.

    Raises
    ------
    ProblemError
        If the parameters are not a sequence of weight matrices, or a gradient does not respect the rescaling
        (a bias, weight decay in the loss, an activation of another degree).
    SkeletonCrossing
        By `step`, if a skeleton path value would pass zero; it carries step and unit, and no weight has changed.

    Examples
    --------
    >>> import torch
    >>> network = torch.nn.Sequential(
    ...     torch.nn.Linear(3, 8, bias=False), torch.nn.ReLU(), torch.nn.Linear(8, 1, bias=False)
    ... )
    >>> optimizer = GSGD(network.parameters(), lr=1e-3)
    >>> _ = network(torch.ones(1, 3)).square().sum().backward()
    >>> optimizer.step()

    Notes
    -----
    Meng et al., *G-SGD: Optimizing ReLU neural networks in its positively scale-invariant space* (ICLR 2019), for
    equally wide hidden layers; the formulas used here hold for any widths, depth and degree and are those of
    `dynamics.path_space.path_step`.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        *,
        degree: int = 1,
        skeleton: Skeleton | str = "strongest",
        free_layer: int = 1,
    ) -> None:
        weights = list(params)
        widths = _widths(weights)
        validate_count("free_layer", free_layer)
        if free_layer > len(weights):
            raise ProblemError(f"`free_layer` is {free_layer}, but the network has {len(weights)} layers.")
        degree = validate_count("degree", degree)
        chosen = _choose(skeleton, weights, widths, degree)
        defaults = {
            "lr": validate_real("lr", lr, positive=True),
            "degree": degree,
            "free_layer": free_layer,
            # Lists and numbers only, so that a saved state can be loaded with weights_only=True.
            "into": [edges.tolist() for edges in chosen.into],
            "out": [edges.tolist() for edges in chosen.out],
            "steps_done": 0,
        }
        self._skeleton = chosen
        super().__init__(weights, defaults)

    @property
    def skeleton(self) -> Skeleton:
        """The skeleton in use."""
        return self._skeleton

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Refuse a second group: a network's layers belong together."""
        if self.param_groups:
            raise ProblemError("G-SGD takes all layers of one network in one parameter group.")
        super().add_param_group(param_group)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore learning rate, skeleton and step count."""
        super().load_state_dict(state_dict)
        group = self.param_groups[0]
        self._skeleton = Skeleton(_widths(group["params"]), group["into"], group["out"])

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One step v ← v − η ∂L/∂v; returns what the closure returns."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        group = self.param_groups[0]
        weights: list[Tensor] = group["params"]
        gradients = [W.grad for W in weights if W.grad is not None]
        if len(gradients) < len(weights):
            raise ProblemError(
                f"Only {len(gradients)} of {len(weights)} layers have a gradient: call backward() first."
            )
        if group["steps_done"] == 0:
            _check_invariance(weights, gradients, group["degree"])
        moved = path_step(
            weights,
            gradients,
            self._skeleton,
            group["lr"],
            degree=group["degree"],
            free_layer=group["free_layer"],
            number=group["steps_done"],
        )
        for W, new in zip(weights, moved, strict=True):
            W.copy_(new)
        group["steps_done"] += 1
        return loss


def _widths(weights: list[Tensor]) -> tuple[int, ...]:
    """Widths (n_0, …, n_L) of a sequence of weight matrices."""
    if len(weights) < 2:
        raise ProblemError(f"G-SGD got {len(weights)} weight matrices, but needs at least two layers.")
    for l, W in enumerate(weights, start=1):
        if not isinstance(W, Tensor) or W.ndim not in (2, 3):
            shape = tuple(W.shape) if isinstance(W, Tensor) else type(W).__name__
            raise ProblemError(
                f"Parameter {l} is {shape}, but G-SGD takes weight matrices only: the network must have no biases."
            )
    for l, (W, V) in enumerate(pairwise(weights), start=1):
        if V.shape[-1] != W.shape[-2] or V.shape[:-2] != W.shape[:-2]:
            raise ProblemError(
                f"Layers {l} and {l + 1} have shapes {tuple(W.shape)} and {tuple(V.shape)}, which do not follow "
                "each other: give the weights from the first layer to the last."
            )
    return (weights[0].shape[-1], *(W.shape[-2] for W in weights))


def _choose(
    skeleton: Skeleton | str, weights: list[Tensor], widths: tuple[int, ...], degree: int
) -> Skeleton:
    """The skeleton that was asked for, if none of its weights is zero."""
    arrays = [W.detach().cpu().numpy() for W in weights]
    if isinstance(skeleton, Skeleton):
        if skeleton.widths != widths:
            raise ProblemError(f"`skeleton` has the widths {skeleton.widths}, but the network {widths}.")
    elif skeleton == "diagonal":
        skeleton = Skeleton.diagonal(widths)
    elif skeleton == "strongest":
        skeleton = Skeleton.strongest(arrays, degree)
    else:
        raise ProblemError(f"`skeleton` is {skeleton!r}, but must be a Skeleton, strongest or diagonal.")
    for l, (into, out) in enumerate(zip(skeleton.into, skeleton.out, strict=True)):
        units = np.arange(len(into))
        zero = (arrays[l][..., units, into] == 0) | (arrays[l + 1][..., out, units] == 0)
        if zero.any():
            raise ProblemError(
                f"A skeleton weight of unit {int(zero.argmax()) % len(into)} of hidden layer {l + 1} is zero, but "
                "G-SGD measures the unit by it: take another skeleton or other initial weights."
            )
    return skeleton


def _check_invariance(weights: list[Tensor], gradients: list[Tensor], degree: int) -> None:
    """Refuse gradients of a loss that rescaling a hidden unit would change: Σ_in w ∂L/∂w = h Σ_out w ∂L/∂w."""
    flows = [W * g for W, g in zip(weights, gradients, strict=True)]
    tolerance = torch.finfo(weights[0].dtype).eps ** 0.5
    for l, (below, above) in enumerate(pairwise(flows), start=1):
        excess = float((below.sum(-1) - degree * above.sum(-2)).abs().max())
        scale = float((below.abs().sum(-1) + degree * above.abs().sum(-2)).max())
        if excess > tolerance * scale:
            raise ProblemError(
                f"The loss changes when hidden layer {l} is rescaled (by {excess / scale:.1e} of its gradient), but "
                f"G-SGD needs a bias-free network with an activation homogeneous of degree {degree} and no weight "
                "decay in the loss."
            )
