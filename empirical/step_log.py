"""Learning rates of an optimiser of PyTorch, step by step."""

from __future__ import annotations

from array import array
from typing import Any

import torch


class StepLog:
    """Learning rates of every step of an optimiser, as its schedulers set them, and whether anything else changed.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Asked before each of its steps from now on.
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer
        self.resumed = bool(optimizer.state)  # it has made steps before, and remembers them
        self.options = tuple(name for name in optimizer.defaults if name != "lr")
        self.changed_at: int | None = None
        self.begin()
        optimizer.register_step_pre_hook(self._before_step)

    def begin(self) -> None:
        """Take the groups as they are now for those of the start."""
        self.rates = [array("d") for _ in self.optimizer.param_groups]
        self.momenta = [array("d") for _ in self.optimizer.param_groups]
        self.signature = self._signature()

    @property
    def steps(self) -> int:
        """Number of steps so far."""
        return len(self.rates[0])

    def _before_step(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        if self.changed_at is None and self._signature() != self.signature:
            self.changed_at = self.steps
        for rates, momenta, group in zip(self.rates, self.momenta, optimizer.param_groups, strict=False):
            rates.append(float(group["lr"]))
            momenta.append(float(group.get("momentum", 0.0)))

    def _signature(self) -> tuple[Any, ...]:
        """Everything in the groups but learning rates, and which parameters are frozen."""
        groups = self.optimizer.param_groups
        options = tuple(tuple(group.get(name) for name in self.options) for group in groups)
        return options, tuple(tuple(p.requires_grad for p in group["params"]) for group in groups)
