"""The two layers of anybody's module, and its output bias."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dynamics.errors import ProblemError

Weights = tuple[Tensor, Tensor] | tuple[Tensor, Tensor, Tensor]
"""W and A; and β of f = … − β, where there is one."""


def find_weights(model: nn.Module, second_layer_value: float | None = None) -> Weights:
    """W and the second layer of a module without biases, but for one of the output, which follows with its sign turned.

    They are its attributes `W` and `A` or `a`, its two `torch.nn.Linear` layers, or a layer (or parameter matrix) and
    a parameter (K,). A single layer takes `second_layer_value` for every a_k. The output bias is its attribute `beta`,
    or the bias of the second `torch.nn.Linear`, −β.

    Raises
    ------
    ProblemError
        If the weights are not found, or the second layer is missing.
    """
    W, A, a, beta = (
        t if isinstance(t := getattr(model, name, None), Tensor) else None for name in ("W", "A", "a", "beta")
    )
    second = a if A is None else A
    if W is not None and second is not None:
        return (W, second) if beta is None else (W, second, beta)
    linear = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    matrices = [layer.weight for layer in linear]
    above = linear[-1].bias if len(linear) == 2 else None
    if not matrices:
        matrices = [p for p in model.parameters() if p.ndim == 2]
    vectors = [p for name, p in model.named_parameters() if p.ndim == 1 and "bias" not in name]
    if second is None and len(matrices) == 1 and len(vectors) == 1:
        second = vectors[0]
    layers = matrices if second is None else [*matrices, second]
    foreign = {id(p) for p in model.parameters()} - {id(layer) for layer in layers}
    if len(layers) == 2 and foreign <= {id(above)}:
        return (layers[0], layers[1]) if above is None else (layers[0], layers[1], -above)
    if len(layers) == 1 and not foreign:
        if second_layer_value is None:
            raise ProblemError(
                f"{type(model).__name__} has a first layer only: give `second_layer_value`, 1 if it adds its units up "
                "or 1/K if it takes their mean."
            )
        return layers[0], torch.full_like(layers[0][:, 0], second_layer_value)
    raise ProblemError(
        f"The weights of {type(model).__name__} are not found: it has neither attributes W and A (or a) nor exactly "
        "two layers without a bias of the first; pass weights=lambda model: (W, A)."
    )
