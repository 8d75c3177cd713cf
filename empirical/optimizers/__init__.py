"""The optimisers, by name; a new one is a file here and a line in `OPTIMIZERS`.

The table is read by commands that only print their help: its files import PyTorch and NumPy where they use them.
"""

from __future__ import annotations

from collections.abc import Mapping

from empirical.optimizers.base import Optimizer
from empirical.optimizers.heavy_ball import MOMENTUM, SGD
from empirical.optimizers.path_space import GSGD

OPTIMIZERS: dict[str, Optimizer] = {entry.name: entry for entry in (SGD, MOMENTUM, GSGD)}


def find_optimizer(name: str) -> Optimizer:
    """The optimiser of a name.

    Raises
    ------
    ProblemError
        If there is none.
    """
    from dynamics.validation import validate_choice

    return OPTIMIZERS[validate_choice("optimizer", name, OPTIMIZERS)]


def default_momenta(optimizers: Mapping[str, Optimizer]) -> str:
    """Default momentum β of all, in words."""
    others = [f"{entry.momentum:g} with {name}" for name, entry in optimizers.items() if entry.momentum]
    return ", or ".join(["0", *others])
