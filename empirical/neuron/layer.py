"""Quadratic neurons as a PyTorch layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dynamics.validation import validate_count
from empirical.neuron.units import Activation, QuadraticUnits


class QuadraticLayer(QuadraticUnits):
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
    >>> from empirical.neuron.relinear import parameter_groups
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
        d, K = validate_count("inputs", inputs), validate_count("units", units)
        super().__init__(nn.Linear(d, K, dtype=dtype, device=device), activation)

    @classmethod
    def from_linear(cls, layer: nn.Linear, activation: Activation | None = None) -> QuadraticLayer:
        """The quadratic layer that computes what an ordinary layer computes; a missing bias becomes one of 0."""
        K, d = layer.weight.shape
        new = cls(d, K, activation, dtype=layer.weight.dtype, device=layer.weight.device)
        new.take_(layer)
        return new

    def affine(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """W x + b, (…, units) for inputs (…, inputs)."""
        return nn.functional.linear(x, weight, bias)

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
