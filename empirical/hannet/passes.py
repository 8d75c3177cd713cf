"""Gradients of HanNets and dense networks with passes forward and backward that are written out.

What automatic differentiation computes, operation by operation and to the last bit, without keeping its books, which
take most of the time of networks this small; the tests hold it against that. With v = −2u/‖u‖² a Han layer is

    h = |z|,  z = x + b + (x·u) v,    g_z = g_h sgn z,    g_x = g_z + (g_z·v) u,    g_b = Σ g_z,
    g_v = Σ (x·u) g_z,    g_u = Σ (g_z·v) x − 2 g_v/‖u‖² + 4 (g_v·u) u/‖u‖⁴

(derived here), sums being over samples; the last two terms are taken for all Han layers at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from empirical.hannet.layers import Absolute, HanLayer


class Pass(Protocol):
    """A layer in both directions: what it needs on the way back, it keeps on the way there."""

    def forward(self, x: Tensor) -> Tensor:
        """Outputs (B, n) for inputs (B, m)."""

    def backward(self, g: Tensor) -> Tensor:
        """Gradient by the inputs from that by the outputs, which may be written over."""

    def gradients(self) -> Sequence[Tensor]:
        """Of the parameters of the layer, after the way back."""


class _Linear:
    def __init__(self, layer: nn.Linear) -> None:
        self.weight, self.bias = layer.weight.detach(), layer.bias.detach()

    def forward(self, x: Tensor) -> Tensor:
        self.x = x
        return torch.addmm(self.bias, x, self.weight.t())

    def backward(self, g: Tensor) -> Tensor:
        self.found = g.t().mm(self.x), g.sum(0)
        return g.mm(self.weight)

    def gradients(self) -> Sequence[Tensor]:
        return self.found


class _Absolute:
    def __init__(self, layer: Absolute) -> None:
        pass

    def forward(self, x: Tensor) -> Tensor:
        self.sign = x.sgn()
        return x.abs()

    def backward(self, g: Tensor) -> Tensor:
        return g.mul_(self.sign)

    def gradients(self) -> Sequence[Tensor]:
        return ()


class _Relu:
    def __init__(self, layer: nn.ReLU) -> None:
        pass

    def forward(self, x: Tensor) -> Tensor:
        self.h = x.clamp_min(0)
        return self.h

    def backward(self, g: Tensor) -> Tensor:
        return g.mul_(self.h > 0)

    def gradients(self) -> Sequence[Tensor]:
        return ()


class _Reflections:
    """What the Han layers of a network have to compute from their u alone, of all of them at once."""

    def __init__(self) -> None:
        self.layers: list[_Han] = []

    def begin(self) -> None:
        """v of every layer, from its u."""
        self.u = torch.stack([layer.u for layer in self.layers])  # (layers, n)
        self.inverse = self.u.square().sum(1).reciprocal()
        self.scale = self.inverse * -2
        for layer, v in zip(self.layers, self.u * self.scale.unsqueeze(1), strict=True):
            layer.v = v

    def end(self) -> None:
        """Gradients by u, from those by v and the part that does not pass through it."""
        gv = torch.stack([layer.gv for layer in self.layers])
        direct = torch.stack([layer.direct for layer in self.layers])
        by_scale = (gv * self.u).sum(1) * -2
        by_square = -by_scale * (self.inverse * self.inverse)
        total = gv * self.scale.unsqueeze(1) + by_square.unsqueeze(1) * (2 * self.u) + direct
        for layer, gu in zip(self.layers, total, strict=True):
            layer.gu = gu


class _Han:
    def __init__(self, layer: HanLayer) -> None:
        self.u, self.b = layer.u.detach(), layer.b.detach()
        self.v = self.gv = self.gu = self.direct = torch.empty(0)

    def forward(self, x: Tensor) -> Tensor:
        self.x, self.along = x, x.mv(self.u)
        z = torch.addr(x + self.b, self.along, self.v)
        self.sign = z.sgn()
        return z.abs_()

    def backward(self, g: Tensor) -> Tensor:
        g.mul_(self.sign)
        by_along = g.mv(self.v)
        self.gv, self.gb = g.t().mv(self.along), g.sum(0)
        self.direct = self.x.t().mv(by_along)
        return g.add_(torch.outer(by_along, self.u))

    def gradients(self) -> Sequence[Tensor]:
        return self.gu, self.gb


PASSES: dict[type[nn.Module], Callable[..., Pass]] = {
    nn.Linear: _Linear,
    nn.ReLU: _Relu,
    Absolute: _Absolute,
    HanLayer: _Han,
}


class Passes:
    """Mean squared error of a network, and its gradient by all parameters in their order.

    Parameters
    ----------
    network : nn.Sequential
        Of the layers in `PASSES`. Between calls its parameters may be moved, in place.
    """

    def __init__(self, network: nn.Sequential) -> None:
        self.passes = [PASSES[type(layer)](layer) for layer in network]
        self.reflections = _Reflections()
        self.reflections.layers = [step for step in self.passes if isinstance(step, _Han)]

    @torch.no_grad()
    def __call__(self, x: Tensor, y: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Loss and gradients for inputs (B, d) and labels (B, O)."""
        if self.reflections.layers:
            self.reflections.begin()
        for step in self.passes:
            x = step.forward(x)
        error = x - y
        g = torch.full_like(error, 1.0).div_(error.numel()).mul_(2 * error)
        for step in reversed(self.passes):
            g = step.backward(g)
        if self.reflections.layers:
            self.reflections.end()
        return error.square().mean(), [gradient for step in self.passes for gradient in step.gradients()]
