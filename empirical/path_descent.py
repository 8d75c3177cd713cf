"""A step in path space of layers of weights, for whoever drives it: an optimiser of PyTorch, or a rule of ours.

PyTorch's base class of optimisers imports its compiler when the first one is made, which takes longer than most
trainings of small networks; what is here needs neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from dynamics.errors import ProblemError
from dynamics.path_space import RebasedStep, Skeleton, Wiring, path_step, rebased_step
from empirical.path_layers import PathLayer, wiring_of


def step_in_paths(
    layers: Sequence[PathLayer],
    gradients: Sequence[Tensor],
    skeleton: Skeleton,
    step: float,
    *,
    degree: int,
    free_layer: int = 1,
    number: int = 0,
    rebase: bool = True,
    below: float = 0.0,
) -> RebasedStep:
    """One step v ← v − η ∂L/∂v of path values, written into the layers.

    Parameters
    ----------
    layers : sequence of PathLayer
    gradients : sequence of tensors
        Of the matrices of the layers, in their shapes.
    skeleton : Skeleton
        In use so far.
    step : float
        η.
    degree, free_layer, below
        See `empirical.gsgd.GSGD`, where `below` is `rebase_below`.
    number : int
        Of the step; before the first one, 0, it is checked that the gradients are those of a loss which rescaling
        leaves alone.
    rebase : bool
        Whether a unit is measured through other edges where its path value would pass zero.

    Raises
    ------
    ProblemError
        If the loss changes when a hidden layer is rescaled.
    SkeletonCrossing
        If no step is defined; no weight has changed then.
    """
    weights, gradients = [layer.matrix() for layer in layers], list(gradients)
    if number == 0:
        _check_invariance(weights, gradients, skeleton.wiring, degree)
    now = weights, gradients, skeleton, step
    if rebase:
        done = rebased_step(*now, degree=degree, free_layer=free_layer, number=number, below=below)
    else:
        moved = path_step(*now, degree=degree, free_layer=free_layer, number=number)
        done = RebasedStep(moved, skeleton, 0)
    for layer, new in zip(layers, done.weights, strict=True):
        layer.write(new)
    return done


def choose_skeleton(skeleton: Skeleton | str, layers: Sequence[PathLayer], degree: int) -> Skeleton:
    """The skeleton that was asked for: one of one's own, "strongest" or "diagonal".

    Raises
    ------
    ProblemError
        If it is none of the network, or one of its weights is zero.
    """
    arrays, wiring = [layer.matrix().cpu().numpy() for layer in layers], wiring_of(layers)
    if isinstance(skeleton, Skeleton):
        if skeleton.wiring.shapes != wiring.shapes or skeleton.widths != wiring.widths:
            raise ProblemError(
                f"`skeleton` has the widths {skeleton.widths}, but the network {wiring.widths}."
            )
    elif skeleton == "diagonal":
        skeleton = Skeleton.diagonal(wiring.widths, wiring)
    elif skeleton == "strongest":
        skeleton = Skeleton.strongest(arrays, degree, wiring)
    else:
        raise ProblemError(f"`skeleton` is {skeleton!r}, but must be a Skeleton, strongest or diagonal.")
    for l, (into, out, via) in enumerate(zip(skeleton.into, skeleton.out, skeleton.via, strict=True)):
        zero = (arrays[l][..., np.arange(len(into)), into] == 0) | (arrays[l + 1][..., out, via] == 0)
        if zero.any():
            raise ProblemError(
                f"A skeleton weight of unit {int(zero.argmax()) % len(into)} of hidden layer {l + 1} is zero, but "
                "G-SGD measures the unit by it: take another skeleton or other initial weights."
            )
    return skeleton


def _check_invariance(
    weights: Sequence[Tensor], gradients: Sequence[Tensor], wiring: Wiring, degree: int
) -> None:
    """Refuse gradients of a loss that rescaling a hidden unit would change: Σ_in w ∂L/∂w = h Σ_out w ∂L/∂w."""
    flows = [W * g for W, g in zip(weights, gradients, strict=True)]
    tolerance = torch.finfo(weights[0].dtype).eps ** 0.5
    for l, (below, above) in enumerate(pairwise(flows), start=1):
        out, size = (_by_source(f, wiring, l) for f in (above, above.abs()))
        excess = float((below.sum(-1) - degree * out).abs().max())
        scale = float((below.abs().sum(-1) + degree * size).max())
        if excess > tolerance * scale:
            raise ProblemError(
                f"The loss changes when hidden layer {l} is rescaled (by {excess / scale:.1e} of its gradient), but "
                f"G-SGD needs a network that is homogeneous of degree {degree} in the weights into each hidden unit and"
                " no weight decay in the loss."
            )


def _by_source(flow: Tensor, wiring: Wiring, l: int) -> Tensor:
    """Sums ([S,] n_l) over the edges out of each unit of hidden layer l."""
    columns = flow.sum(-2)
    sources = torch.from_numpy(wiring.sources[l]).to(flow.device)
    sums = columns.new_zeros(*columns.shape[:-1], wiring.widths[l])
    return sums.index_add(-1, sources[sources >= 0], columns[..., sources >= 0])
