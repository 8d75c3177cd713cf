"""What quadratic layers of every shape share: their groups of weights, their start, the formula of their units."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

Activation = Callable[[Tensor], Tensor]


class QuadraticUnits(nn.Module):
    """Units σ((W^r x + b^r) ⊙ (W^g x + b^g) + W^b (x ⊙ x) + c), for a product W x that a subclass names.

    They start with W^g = 0, b^g = 1, W^b = 0, c = 0: as the ordinary layer whose weights they take over.

    Parameters
    ----------
    ordinary : nn.Linear or nn.Conv2d
        W^r and b^r are copies of its weight and bias; a missing bias becomes one of 0.
    activation : callable, optional
        σ; the identity if left out.

    Attributes
    ----------
    weight_r, weight_g, weight_b : Parameter, shaped like the weight of the ordinary layer
    bias_r, bias_g, bias_b : (units,) Parameter
        b^r, b^g and c.
    """

    def __init__(self, ordinary: nn.Linear | nn.Conv2d, activation: Activation | None = None) -> None:
        super().__init__()
        W = ordinary.weight.detach()
        b = W.new_zeros(len(W))
        self.weight_r, self.bias_r = nn.Parameter(W.clone()), nn.Parameter(b.clone())
        self.weight_g, self.bias_g = nn.Parameter(torch.zeros_like(W)), nn.Parameter(torch.ones_like(b))
        self.weight_b, self.bias_b = nn.Parameter(torch.zeros_like(W)), nn.Parameter(b.clone())
        self.activation = activation
        self.take_(ordinary)

    @torch.no_grad()
    def take_(self, ordinary: nn.Linear | nn.Conv2d) -> None:
        """Copy weight and bias of an ordinary layer into W^r and b^r."""
        self.weight_r.copy_(ordinary.weight)
        self.bias_r.zero_() if ordinary.bias is None else self.bias_r.copy_(ordinary.bias)

    def affine(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """The product W x + b of this kind of layer."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Outputs of the units."""
        q = self.affine(x, self.weight_r, self.bias_r) * self.affine(x, self.weight_g, self.bias_g)
        q = q + self.affine(x.square(), self.weight_b, self.bias_b)
        return q if self.activation is None else self.activation(q)

    def group(self, name: str) -> tuple[nn.Parameter, nn.Parameter]:
        """Weight and bias of group "r", "g" or "b"."""
        return getattr(self, f"weight_{name}"), getattr(self, f"bias_{name}")

    @torch.no_grad()
    def shrink_(self, part: float) -> None:
        """Remove a part of the distance to W^g = 0, b^g = 1, W^b = 0, c = 0."""
        for weights in (self.weight_g, self.weight_b, self.bias_b):
            weights.mul_(1 - part)
        self.bias_g.lerp_(torch.ones_like(self.bias_g), part)


def quadratic_layers(module: nn.Module) -> Iterator[QuadraticUnits]:
    """All quadratic layers in a module, at any depth."""
    return (m for m in module.modules() if isinstance(m, QuadraticUnits))
