"""Which calls would keep an accelerator waiting for the processor: found on the processor, where they cost nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

# Python asks for numbers, or hands some over: each of these copies between the two memories.
COPIES = {
    Tensor.cpu, Tensor.cuda, Tensor.numpy, Tensor.__array__, Tensor.tolist, Tensor.item, Tensor.__bool__,
    Tensor.__float__, Tensor.__int__, Tensor.__index__, Tensor.new_tensor, Tensor.nonzero, Tensor.__contains__,
    torch.tensor, torch.as_tensor, torch.asarray, torch.nonzero, torch.allclose, torch.equal,
}  # fmt: skip
# Operations that wait: for a number, for how many there are, or for whether a factorisation went well.
WAITS = (
    *("_local_scalar_dense", "nonzero", "masked_select", "_unique2", "equal", "_linalg_check_errors"),
    *("_linalg_svd", "linalg_eigh", "linalg_lstsq"),
)


class _Copies(TorchFunctionMode):
    def __init__(self, found: Counter[str]) -> None:
        super().__init__()
        self.found = found

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in COPIES:
            self.found[func.__name__] += 1
        return func(*args, **(kwargs or {}))


class _Waits(TorchDispatchMode):
    def __init__(self, found: Counter[str]) -> None:
        super().__init__()
        self.found = found

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name.removeprefix("aten::")
        by_mask = name == "index" and any(t is not None and t.dtype == torch.bool for t in args[1])
        if name in WAITS or by_mask:
            self.found[name] += 1
        return func(*args, **(kwargs or {}))


def synchronising(call: Callable[[], object]) -> Counter[str]:
    """How often a call does what waits, by name; operations of a backward pass included, libraries' own excluded."""
    found: Counter[str] = Counter()
    from_numpy = torch.from_numpy  # which modes do not see

    def counted(array: Any) -> Tensor:
        found["from_numpy"] += 1
        return from_numpy(array)

    with _Copies(found), _Waits(found), patch.object(torch, "from_numpy", counted):
        call()
    return found
