"""A training that is asked for, so that networks of many runs can be trained as one tensor."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dynamics.problem import Problem
from dynamics.requests import attempt
from empirical.memory import training_memory
from empirical.optimizers import find_optimizer
from empirical.training import train
from empirical.training_ensemble import train_ensemble
from empirical.training_run import TrainingRun

EACH = ("step", "seed")  # arguments in which runs may differ that are trained together
ALONE = ("seeds", "test_samples")  # arguments that only `train` has, and their only values of interest here
PLAIN = (1, 0)
LARGE = 2**24  # bytes of a training that fills the processor on its own


@dataclass(frozen=True, eq=False)
class Training:
    """A request for the training of a network; see `dynamics.requests`.

    Parameters
    ----------
    problem : Problem
    arguments : dict
        Of `empirical.training.train`.
    """

    problem: Problem
    arguments: Mapping[str, Any]

    def alone(self) -> TrainingRun:
        """Train it."""
        return train(self.problem, **self.arguments)

    def kin(self) -> Hashable | None:
        """All but start, step and seed. None of several networks, or where they share more, or learn a data set."""
        problem, arguments = self.problem, self.arguments
        shared = find_optimizer(arguments.get("optimizer", "sgd")).shared
        plain = all(arguments.get(name, value) == value for name, value in zip(ALONE, PLAIN, strict=True))
        if shared or not plain or problem.data is not None or self._size() > LARGE:
            return None
        student, teacher = problem.student, problem.teacher
        arrays = (teacher.V, teacher.B, problem.covariance, student.A if not student.trainable else None)
        return (
            student.W.shape,
            student.trainable,
            problem.activation,
            problem.teacher_activation,
            problem.weight_decay,
            problem.constraint,
            (problem.loss, problem.labels, problem.bias),
            problem.distribution.name,
            tuple(map(_plain, arrays)),
            tuple((name, _plain(value)) for name, value in sorted(arguments.items()) if name not in EACH),
        )

    def _size(self) -> int:
        """Bytes that it takes; of what cannot be trained at all no matter."""
        given = {name: self.arguments.get(name, 0) for name in ("batch", "samples", "records")}
        whole = {name: value if isinstance(value, int) else 0 for name, value in given.items()}
        return training_memory(self.problem, **whole, itemsize=8).total

    def together(self, requests: Sequence[Training]) -> list[Any]:
        """Runs, or what went wrong. One that diverges is trained alone, up to there: the error is that of `train`."""
        shared = {name: value for name, value in self.arguments.items() if name not in (*EACH, *ALONE)}
        runs = train_ensemble(
            [request.problem for request in requests],
            step=[request.arguments["step"] for request in requests],
            seed=[request.arguments.get("seed", 0) for request in requests],
            **shared,
        )
        return [
            run if run.about["diverged_at"] is None else attempt(request.alone)
            for run, request in zip(runs, requests, strict=True)
        ]


def _plain(value: Any) -> Hashable:
    """Something that is equal where the values are."""
    if isinstance(value, np.ndarray):
        return value.shape, value.tobytes()
    return tuple(value) if isinstance(value, list) else value
