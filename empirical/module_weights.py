"""The two layers of anybody's module."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dynamics.errors import ProblemError

Weights = tuple[Tensor, Tensor]


def find_weights(model: nn.Module, second_layer_value: float | None = None) -> Weights:
    """W and the second layer of a module without biases.

    They are its attributes `W` and `A` or `a`, its two `torch.nn.Linear` layers, or a layer (or parameter matrix) and
    a parameter (K,). A single layer takes `second_layer_value` for every a_k.

    Raises
    ------
    ProblemError
        If the weights are not found, or the second layer is missing.
    """
    W, A, a = (t if isinstance(t := getattr(model, name, None), Tensor) else None for name in ("W", "A", "a"))
    second = a if A is None else A
    if W is not None and second is not None:
        return W, second
    matrices = [layer.weight for layer in model.modules() if isinstance(layer, nn.Linear)]
    if not matrices:
        matrices = [p for p in model.parameters() if p.ndim == 2]
    vectors = [p for name, p in model.named_parameters() if p.ndim == 1 and "bias" not in name]
    if second is None and len(matrices) == 1 and len(vectors) == 1:
        second = vectors[0]
    layers = matrices if second is None else [*matrices, second]
    foreign = {id(p) for p in model.parameters()} - {id(layer) for layer in layers}
    if len(layers) == 2 and not foreign:
        return layers[0], layers[1]
    if len(layers) == 1 and not foreign:
        if second_layer_value is None:
            raise ProblemError(
                f"{type(model).__name__} has a first layer only: give `second_layer_value`, 1 if it adds its units up "
                "or 1/K if it takes their mean."
            )
        return layers[0], torch.full_like(layers[0][:, 0], second_layer_value)
    raise ProblemError(
        f"The weights of {type(model).__name__} are not found: it has neither attributes W and A (or a) nor exactly "
        "two bias-free layers; pass weights=lambda model: (W, A)."
    )
