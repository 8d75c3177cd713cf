"""Where PyTorch computes, and with which numbers."""

from __future__ import annotations

import torch

from dynamics.errors import ProblemError

DTYPES = {"float32": torch.float32, "float64": torch.float64}


def validate_device(device: str) -> str:
    """A device PyTorch knows and this machine has."""
    try:
        torch.zeros(1, device=device).item()  # "meta" has shapes only, no numbers
    except (RuntimeError, AssertionError):
        has = "cpu, cuda" if torch.cuda.is_available() else "cpu"
        raise ProblemError(f"`device` is {device!r}, but PyTorch can use here: {has}.") from None
    return str(device)


def validate_step(eta: float, dtype: torch.dtype) -> None:
    """A step that the numbers of the network can hold."""
    largest = torch.finfo(dtype).max
    if eta > largest:
        name = str(dtype).removeprefix("torch.")
        raise ProblemError(
            f"`step` is {eta:g}, but numbers of the type {name} end at {largest:.2g}: lower it."
        )
