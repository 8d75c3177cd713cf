"""Quadratic neurons as a PyTorch layer, the ReLinear ways of training them, and ordinary networks turned into them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from dynamics.errors import ProblemError
from dynamics.neuron.problem import Rates
from dynamics.validation import validate_count, validate_real

Activation = Callable[[Tensor], Tensor]


class QuadraticLayer(nn.Module):
    """Layer σ((W^r x + b^r) ⊙ (W^g x + b^g) + W^b (x ⊙ x) + c) of quadratic neurons.

    It starts as `relinear_` leaves it: an ordinary layer, W^r and b^r as PyTorch initialises `torch.nn.Linear`.

    Parameters
    ----------
    inputs, units : int
    activation : callable, optional
        σ, such as `torch.relu` or an `nn.Module`; the identity if left out.
    dtype, device
        As for every PyTorch module.

    Attributes
    ----------
    weight_r, weight_g, weight_b : (units, inputs) Parameter
    bias_r, bias_g, bias_b : (units,) Parameter
        b^r, b^g and c.

    Examples
    --------
    >>> import torch
    >>> layers = QuadraticLayer(4, 8, torch.relu), QuadraticLayer(8, 8, torch.relu), torch.nn.Linear(8, 1)
    >>> network = torch.nn.Sequential(*layers)
    >>> optimizer = torch.optim.SGD(parameter_groups(network, 0.1, Rates(g=0.1, b=0.1)))
    >>> tuple(network(torch.ones(5, 4)).shape)
    (5, 1)

    Notes
    -----
    Fan et al., *On Expressivity and Trainability of Quadratic Networks* (a reconstruction).
    """

    def __init__(
        self,
        inputs: int,
        units: int,
        activation: Activation | None = None,
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        d, K = validate_count("inputs", inputs), validate_count("units", units)
        ordinary = nn.Linear(d, K, dtype=dtype, device=device)
        self.weight_r, self.bias_r = ordinary.weight, ordinary.bias
        self.weight_g, self.weight_b = (nn.Parameter(torch.zeros_like(ordinary.weight)) for _ in "gb")
        self.bias_g, self.bias_b = (nn.Parameter(torch.zeros_like(ordinary.bias)) for _ in "gb")
        self.activation = activation
        relinear_(self)

    @classmethod
    def from_linear(cls, layer: nn.Linear, activation: Activation | None = None) -> QuadraticLayer:
        """The quadratic layer that computes what an ordinary layer computes; a missing bias becomes one of 0."""
        K, d = layer.weight.shape
        new = cls(d, K, activation, dtype=layer.weight.dtype, device=layer.weight.device)
        with torch.no_grad():
            new.weight_r.copy_(layer.weight)
            new.bias_r.zero_() if layer.bias is None else new.bias_r.copy_(layer.bias)
        return new

    def forward(self, x: Tensor) -> Tensor:
        """Outputs (…, units) for inputs (…, inputs)."""
        q = quadratic_units(
            x, self.weight_r, self.bias_r, self.weight_g, self.bias_g, self.weight_b, self.bias_b
        )
        return q if self.activation is None else self.activation(q)

    def extra_repr(self) -> str:
        """Sizes, for PyTorch's `repr`."""
        return f"inputs={self.weight_r.shape[1]}, units={self.weight_r.shape[0]}"


def quadratic_units(
    x: Tensor, W_r: Tensor, b_r: Tensor, W_g: Tensor, b_g: Tensor, W_b: Tensor, c: Tensor
) -> Tensor:
    """(W^r x + b^r) ⊙ (W^g x + b^g) + W^b (x ⊙ x) + c.

    Parameters
    ----------
    x : (…, d) tensor
        Or (S, B, d) for an ensemble.
    W_r, W_g, W_b : (K, d) or (S, K, d) tensor
    b_r, b_g, c : (K,) or (S, K) tensor

    Returns
    -------
    (…, K) or (S, B, K) tensor
    """
    return _affine(x, W_r, b_r) * _affine(x, W_g, b_g) + _affine(x.square(), W_b, c)


def _affine(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    if W.ndim == 2:
        return nn.functional.linear(x, W, b)
    return x @ W.mT + b.unsqueeze(-2)


def quadratic_layers(module: nn.Module) -> Iterator[QuadraticLayer]:
    """All quadratic layers in a module, at any depth."""
    return (m for m in module.modules() if isinstance(m, QuadraticLayer))


@torch.no_grad()
def relinear_(module: nn.Module) -> nn.Module:
    """Reset every quadratic layer to an ordinary one: W^g = 0, b^g = 1, W^b = 0, c = 0; returns the module."""
    return shrink_(module, 1.0)


@torch.no_grad()
def shrink_(module: nn.Module, amount: float) -> nn.Module:
    """Draw the quadratic groups of every quadratic layer towards W^g = 0, b^g = 1, W^b = 0, c = 0.

    The shrinking-weights variant of ReLinear: called after every optimiser step, with ηλ for the rate λ of
    `dynamics.neuron.NeuronFlow`.

    Parameters
    ----------
    module : nn.Module
    amount : float
        Part of the distance that is removed, in [0, 1].

    Raises
    ------
    ProblemError
        If the amount is outside.
    """
    part = validate_real("amount", amount, nonnegative=True)
    if part > 1:
        raise ProblemError(f"`amount` is {part:g}, but at most 1, the whole distance, can be removed.")
    for layer in quadratic_layers(module):
        for weights in (layer.weight_g, layer.weight_b, layer.bias_b):
            weights.mul_(1 - part)
        layer.bias_g.lerp_(torch.ones_like(layer.bias_g), part)
    return module


def parameter_groups(module: nn.Module, step: float, rates: Rates) -> list[dict[str, Any]]:
    """Parameter groups for an optimiser: every group of weights with its own learning rate.

    Parameters
    ----------
    module : nn.Module
    step : float
        Overall learning rate η.
    rates : Rates
        Of (W^r, b^r), (W^g, b^g) and (W^b, c) of all quadratic layers; `rates.a` is that of everything else.

    Returns
    -------
    list of dict
        Each with "params", "lr" and "name"; a rate of 0 freezes a group.
    """
    eta = validate_real("step", step, positive=True)
    members: dict[str, list[nn.Parameter]] = {name: [] for name in "rgba"}
    for layer in quadratic_layers(module):
        for group in "rgb":
            members[group] += [getattr(layer, f"weight_{group}"), getattr(layer, f"bias_{group}")]
    quadratic = {id(p) for group in "rgb" for p in members[group]}
    members["a"] = [p for p in module.parameters() if id(p) not in quadratic]
    return [
        {"params": parameters, "lr": eta * getattr(rates, name), "name": name}
        for name, parameters in members.items()
        if parameters
    ]


def to_quadratic(module: nn.Module) -> nn.Module:
    """Copy of a network in which every `torch.nn.Linear`, at any depth, is a quadratic layer that computes the same.

    A trained ordinary network becomes the start of a quadratic one. The original stays as it is.

    Raises
    ------
    ProblemError
        If the network has no `torch.nn.Linear` layer.
    """
    new = copy.deepcopy(module)
    replaced: dict[nn.Module, QuadraticLayer] = {}  # a layer that is used twice stays one layer
    for path, child in list(new.named_modules(remove_duplicate=False)):
        if type(child) is nn.Linear:
            layer = replaced.setdefault(child, QuadraticLayer.from_linear(child))
            if child is new:
                return layer
            parent, _, name = path.rpartition(".")
            setattr(new.get_submodule(parent), name, layer)
    if not replaced:
        raise ProblemError(
            f"{type(module).__name__} has no torch.nn.Linear layer that could become quadratic."
        )
    return new
