"""The ReLinear ways of training quadratic layers, and ordinary networks turned into quadratic ones."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from dynamics.errors import ProblemError
from dynamics.neuron.problem import Rates
from dynamics.validation import validate_real
from empirical.neuron.convolution import QuadraticConv2d
from empirical.neuron.layer import QuadraticLayer
from empirical.neuron.units import QuadraticUnits, quadratic_layers


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
        layer.shrink_(part)
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
            members[group] += layer.group(group)
    quadratic = {id(p) for group in "rgb" for p in members[group]}
    members["a"] = [p for p in module.parameters() if id(p) not in quadratic]
    return [
        {"params": parameters, "lr": eta * getattr(rates, name), "name": name}
        for name, parameters in members.items()
        if parameters
    ]


@torch.no_grad()
def random_(module: nn.Module, scale: float = 1.0) -> nn.Module:
    """Make new quadratic layers start at random: W^g, b^g, W^b and c are drawn like W^r and b^r; returns the module.

    The start that ReLinear is proposed against. Entries are uniform within ± scale/√n, n being the inputs of a unit,
    which is the law of ordinary weights of PyTorch times `scale`; W^r and b^r, which have that law, are multiplied.

    Parameters
    ----------
    module : nn.Module
    scale : float
    """
    size = validate_real("scale", scale, positive=True)
    for layer in quadratic_layers(module):
        bound = size / math.sqrt(layer.weight_r[0].numel())
        for weights in layer.group("r"):
            weights.mul_(size)
        for weights in (*layer.group("g"), *layer.group("b")):
            weights.uniform_(-bound, bound)
    return module


def to_quadratic(module: nn.Module) -> nn.Module:
    """Copy of a network in which every linear layer and convolution is a quadratic one that computes the same.

    Replaced are `torch.nn.Linear` and `torch.nn.Conv2d`, at any depth. A trained ordinary network becomes the start
    of a quadratic one. The original stays as it is.

    Raises
    ------
    ProblemError
        If the network has no such layer, or a convolution that pads by anything but zeros.
    """
    new = copy.deepcopy(module)
    replaced: dict[nn.Module, QuadraticUnits] = {}  # a layer that is used twice stays one layer
    for path, child in list(new.named_modules(remove_duplicate=False)):
        convert = CONVERSIONS.get(type(child))
        if convert is None:
            continue
        layer = replaced.setdefault(child, convert(child))
        if child is new:
            return layer
        parent, _, name = path.rpartition(".")
        setattr(new.get_submodule(parent), name, layer)
    if not replaced:
        raise ProblemError(
            f"{type(module).__name__} has no torch.nn.Linear or torch.nn.Conv2d that could become quadratic."
        )
    return new


CONVERSIONS: dict[type, Callable[..., QuadraticUnits]] = {
    nn.Linear: QuadraticLayer.from_linear,
    nn.Conv2d: QuadraticConv2d.from_conv2d,
}
