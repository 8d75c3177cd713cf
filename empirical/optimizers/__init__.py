"""The optimisers, by name; a new one is a file here and a line in `OPTIMIZERS`.

The table is read by commands that only print their help: its files import PyTorch and NumPy where they use them.
"""

from __future__ import annotations

from collections.abc import Mapping

from empirical.optimizers.adaptive import ADAM, ADAMW, RMSPROP
from empirical.optimizers.base import Optimizer
from empirical.optimizers.heavy_ball import MOMENTUM, NESTEROV, SGD
from empirical.optimizers.muon import MUON
from empirical.optimizers.natural import NATURAL
from empirical.optimizers.normalised import NORMALISED
from empirical.optimizers.path_space import GSGD
from empirical.optimizers.sign import SIGN

TABLE = (SGD, MOMENTUM, NESTEROV, ADAM, ADAMW, RMSPROP, NORMALISED, SIGN, MUON, NATURAL, GSGD)
OPTIMIZERS: dict[str, Optimizer] = {entry.name: entry for entry in TABLE}


def find_optimizer(name: str) -> Optimizer:
    """The optimiser of a name.

    Raises
    ------
    ProblemError
        If there is none.
    """
    from dynamics.validation import validate_choice

    return OPTIMIZERS[validate_choice("optimizer", name, OPTIMIZERS)]


def default_betas(optimizers: Mapping[str, Optimizer]) -> str:
    """Default memories of all that have some, in words."""
    found: dict[str, list[str]] = {}
    for name, entry in optimizers.items():
        if entry.betas:
            found.setdefault(",".join(f"{beta:g}" for beta in entry.betas), []).append(name)
    return "; ".join(f"{betas} with {' and '.join(names)}" for betas, names in found.items())


def default_momenta(optimizers: Mapping[str, Optimizer]) -> str:
    """Default momentum β of all, in words."""
    found: dict[float, list[str]] = {}
    for name, entry in optimizers.items():
        if entry.momentum:
            found.setdefault(entry.momentum, []).append(name)
    return ", or ".join(["0", *(f"{beta:g} with {' and '.join(names)}" for beta, names in found.items())])
