"""How the networks of a run were trained, and on which data: read off the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from dynamics.aliases import Array
from dynamics.problem import Problem
from dynamics.schedules import CONSTANT, Schedule
from empirical.data import TrainingData
from empirical.optimizers import find_optimizer
from empirical.optimizers.base import Chosen
from empirical.training_run import TrainingRun


@dataclass(frozen=True)
class Practice:
    """How the networks of a run were trained, as far as the corrections depend on it.

    Parameters
    ----------
    step, momentum, batch, samples, label_noise, seeds, seed, optimizer, steps, schedule, device
        As for `empirical.training.train`.
    betas, epsilon, damping, decoupled
        Likewise; None is what the optimiser has by default.
    """

    step: float
    momentum: float
    batch: int
    samples: int
    label_noise: float
    seeds: int
    seed: int
    optimizer: str = "sgd"
    steps: int | None = None
    schedule: Schedule = CONSTANT
    betas: Sequence[float] | None = None
    epsilon: float | None = None
    damping: float | None = None
    decoupled: bool | None = None
    device: str = "cpu"

    @classmethod
    def of(cls, run: TrainingRun, schedule: Schedule | None = None) -> Practice:
        """Read off what a run recorded about itself; its schedule where that has no name.

        What its optimiser does not take is not there.
        """
        said = {name: run.about[name] for name in cls.__dataclass_fields__ if name in run.about}
        return cls(**said | {"schedule": schedule or Schedule.of(said.get("schedule", CONSTANT))})

    @property
    def chosen(self) -> Chosen:
        """The optimiser with its parameters."""
        entry = find_optimizer(self.optimizer)
        settings = entry.choose(self.momentum, self.betas, self.epsilon, self.damping, self.decoupled)
        return Chosen(entry, settings, self.step, self.schedule, self.steps)

    @property
    def rates(self) -> dict[str, Any]:
        """What every theory of a schedule takes."""
        return {"schedule": self.schedule, "steps": self.steps}

    @property
    def whole_set(self) -> bool:
        """Whether every step uses all of the data."""
        return self.samples > 0 and self.batch in (0, self.samples)

    def followed_by(self, theory: str) -> bool:
        """Whether a theory follows the optimiser."""
        return theory in find_optimizer(self.optimizer).theories


def data_sets(problem: Problem, practice: Practice) -> tuple[Array, Array]:
    """The finite data sets of the networks, X (S, N, d) and Y (S, N, O), drawn where they were trained."""
    data = TrainingData(problem, 0, practice.samples, practice.label_noise, practice.seeds, practice.seed)
    X, Y = next(data.batches(torch.float64, practice.device))
    return X.cpu().numpy(), Y.cpu().numpy()
