"""Where PyTorch computes, and with which numbers."""

from __future__ import annotations

import torch

from dynamics.errors import ProblemError
from dynamics.problem.weight_decay import NO_DECAY, WeightDecay

DTYPES = {"float32": torch.float32, "float64": torch.float64}


def validate_device(device: str) -> str:
    """A device PyTorch knows and this machine has."""
    try:
        torch.zeros(1, device=device).item()  # "meta" has shapes only, no numbers
    except (RuntimeError, AssertionError):
        has = "cpu, cuda" if torch.cuda.is_available() else "cpu"
        raise ProblemError(f"`device` is {device!r}, but PyTorch can use here: {has}.") from None
    return str(device)


def validate_rates(dtype: torch.dtype, step: float, weight_decay: WeightDecay = NO_DECAY) -> None:
    """A learning rate, and rates of decay, that the numbers of the network can hold."""
    largest = torch.finfo(dtype).max
    for name, rate in (("step", step), *(("weight_decay", rho) for rho in weight_decay.rates)):
        if rate > largest:
            kind = str(dtype).removeprefix("torch.")
            raise ProblemError(
                f"`{name}` is {rate:g}, but numbers of the type {kind} end at {largest:.2g}: lower it."
            )
