"""The exact laws of decaying quantities along recorded weights, whose decay is known: how well they were kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.conserved.decay import decayed_quantities
from dynamics.conserved.quantities import weights
from dynamics.errors import ProblemError
from dynamics.problem import Problem, Student, Teacher
from dynamics.problem.weight_decay import WeightDecay
from dynamics.validation import validate_array


@dataclass(frozen=True, eq=False)
class DecayAlong:
    """One quantity along the records of R runs, and its law.

    Parameters
    ----------
    name, constant : str
        The quantity, and what its law keeps constant (or its rate of change).
    rate : float
        Of the law, in 1/time.
    values, expected : (R, T) arrays
        The quantity; and by its law, from the first record of each run on.
    uncertainty : float
        Largest error of a law that is an integral along the records, estimated; 0 of the others.
    """

    name: str
    constant: str
    rate: float
    values: Array
    expected: Array
    uncertainty: float

    @property
    def deviation(self) -> float:
        """Largest difference from the law."""
        return float(np.abs(self.values - self.expected).max())


def decay_along_records(
    W: ArrayLike,
    A: ArrayLike,
    times: ArrayLike | None,
    weight_decay: WeightDecay | float | Sequence[float],
    activation: str = "quadratic",
) -> tuple[DecayAlong, ...]:
    """Hold recorded weights against the laws of a decay.

    Parameters
    ----------
    W : (T, K, d) or (R, T, K, d) array
        First layer at T records, of R runs.
    A : (T, O, K) or (R, T, O, K) array, or without the axis O
        Second layer; fixed if it never moves.
    times : (T,) array
        Of the flow, at the records.
    weight_decay : float, (ρ_w, ρ_a) or WeightDecay
    activation : str

    Raises
    ------
    ProblemError
        If an argument is not usable, or no times are given.
    """
    W_, A_ = weights(W, A)
    if W_.ndim == 3:
        W_, A_ = W_[None], A_[None]
    if times is None:
        raise ProblemError(
            "`weight_decay` is given, but the records have no times, in which laws of decay are written: take one"
            " `.npz` file with an array `times`."
        )
    t = validate_array("times", times, 1)
    if len(t) != W_.shape[1]:
        raise ProblemError(f"`times` has {len(t)} entries, but there are {W_.shape[1]} records.")
    trainable = bool((A_[:, :1] != A_).any())
    # laws do not depend on what is learned: any teacher does
    teacher = Teacher(np.eye(1, W_.shape[-1]), np.ones((A_.shape[2], 1)))
    problem = Problem(teacher, Student(W_[0, 0], A_[0, 0], trainable), activation)
    decay = WeightDecay.of(weight_decay, trainable)
    found = []
    for law in decayed_quantities(problem, decay):
        expected = [law.expected(t, W_run, A_run) for W_run, A_run in zip(W_, A_, strict=True)]
        found.append(
            DecayAlong(
                law.name,
                law.constant,
                law.law.rate,
                law.quantity(W_, A_),
                np.stack([values for values, _ in expected]),
                max(error for _, error in expected),
            )
        )
    return tuple(found)
