"""Quadratic neurons as a convolution."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dynamics.errors import ProblemError
from dynamics.validation import validate_count
from empirical.neuron.units import Activation, QuadraticUnits


class QuadraticConv2d(QuadraticUnits):
    """Convolution σ((W^r * x + b^r) ⊙ (W^g * x + b^g) + W^b * (x ⊙ x) + c) of quadratic neurons.

    Every patch of the input goes through the same `QuadraticLayer`. It starts as `relinear_` leaves it: an ordinary
    convolution, W^r and b^r as PyTorch initialises `torch.nn.Conv2d`.

    Parameters
    ----------
    channels, units : int
        Channels of the input and of the output.
    kernel : int or (int, int)
        Size of the patches.
    activation : callable, optional
        σ; the identity if left out.
    stride, padding, dilation, groups
        As for `torch.nn.Conv2d`; what is padded is 0.
    dtype, device
        As for every PyTorch module.

    Attributes
    ----------
    weight_r, weight_g, weight_b : (units, channels/groups, height, width) Parameter
        Of the kernel.
    bias_r, bias_g, bias_b : (units,) Parameter
        b^r, b^g and c.

    Examples
    --------
    >>> import torch
    >>> layer = QuadraticConv2d(3, 8, 3, torch.relu, padding=1)
    >>> tuple(layer(torch.ones(5, 3, 10, 10)).shape)
    (5, 8, 10, 10)

    Notes
    -----
    The convolutional networks of Fan et al., *On Expressivity and Trainability of Quadratic Networks* (a
    reconstruction), are built of such layers.
    """

    def __init__(
        self,
        channels: int,
        units: int,
        kernel: int | tuple[int, int],
        activation: Activation | None = None,
        *,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] | str = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        C, K = validate_count("channels", channels), validate_count("units", units)
        ordinary = nn.Conv2d(
            C, K, kernel, stride, padding, dilation, groups, dtype=dtype, device=device
        )  # fmt: skip
        super().__init__(ordinary, activation)
        self.channels, self.groups = C, groups
        self.stride, self.padding, self.dilation = stride, padding, dilation

    @classmethod
    def from_conv2d(cls, layer: nn.Conv2d, activation: Activation | None = None) -> QuadraticConv2d:
        """The quadratic convolution that computes what an ordinary one computes; a missing bias becomes one of 0.

        Raises
        ------
        ProblemError
            If the layer pads by anything but zeros.
        """
        if layer.padding_mode != "zeros":
            raise ProblemError(
                f"A convolution has `padding_mode` {layer.padding_mode!r}, but a quadratic one can only pad by zeros."
            )
        new = cls(
            layer.in_channels,
            layer.out_channels,
            layer.kernel_size,  # type: ignore[arg-type]
            activation,
            stride=layer.stride,  # type: ignore[arg-type]
            padding=layer.padding,  # type: ignore[arg-type]
            dilation=layer.dilation,  # type: ignore[arg-type]
            groups=layer.groups,
            dtype=layer.weight.dtype,
            device=layer.weight.device,
        )
        new.take_(layer)
        return new

    def affine(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """W * x + b, (B, units, height, width) for inputs (B, channels, height, width)."""
        return nn.functional.conv2d(x, weight, bias, self.stride, self.padding, self.dilation, self.groups)

    def extra_repr(self) -> str:
        """Sizes, for PyTorch's `repr`."""
        units, _, *kernel = self.weight_r.shape
        return f"channels={self.channels}, units={units}, kernel={tuple(kernel)}, stride={self.stride}"
