"""Late-time laws of teachers of low rank: closed forms, flows and trained networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.clock import Clock
from dynamics.closed_forms import PowerTail, aligned_tail, fixed_layer_tail, riccati_solution
from dynamics.errors import ProblemError
from dynamics.flows.gradient import GradientFlow
from dynamics.problem import Problem, Student, Teacher
from dynamics.validation import validate_array, validate_count, validate_real
from empirical.training import train

START = 0.5  # size of the initial second layer, and of the first one where the second is fixed
BALANCE = -0.5  # c of the start that is not balanced


@dataclass(frozen=True, eq=False)
class LateTime:
    """Loss of one kind of network, whose late decay is a power of time.

    Parameters
    ----------
    name : str
        Which kind.
    times, loss : (T,) arrays
        Closed form (fixed second layer) or flow.
    tail : PowerTail
        The law, prefactor · t^(−exponent).
    trained_times, trained_loss : (T',) arrays
        One trained network.
    """

    name: str
    times: Array
    loss: Array
    tail: PowerTail
    trained_times: Array
    trained_loss: Array


def late_time(
    eigenvalues: ArrayLike,
    inputs: int,
    *,
    t_end: float = 100.0,
    trained_until: float = 20.0,
    step: float = 2e-3,
    batch: int = 512,
    seed: int = 0,
    progress: bool = False,
) -> list[LateTime]:
    """Three networks of d units that learn fewer than d modes: fixed second layer; c = 0; c < 0.

    The first layer starts as a multiple of the identity. With the second layer fixed the curve is the matrix Riccati
    solution.

    Parameters
    ----------
    eigenvalues : (m,) array
        Of the teacher, positive, m < d.
    inputs : int
        d.
    t_end : float
        End of the theory curves.
    trained_until : float
        End of the training.
    step, batch, seed
        As for `empirical.training.train`.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    lam, d = validate_array("eigenvalues", eigenvalues, 1), validate_count("inputs", inputs)
    end, until = (
        validate_real(n, v, positive=True) for n, v in (("t_end", t_end), ("trained_until", trained_until))
    )
    eta = validate_real("step", step, positive=True)
    if (lam <= 0).any():
        raise ProblemError(f"`eigenvalues` are {lam.tolist()}, but must all be positive.")
    teacher, eye, ones = Teacher.from_eigenvalues(lam, d), np.eye(d), np.ones(d)
    cases = {
        "fixed $a_k = 1$": (Student(START * eye, ones, trainable=False), fixed_layer_tail(d, len(lam))),
        "trained $a_k$, $c = 0$": (
            Student(START * np.sqrt(2) * eye, START * ones),
            aligned_tail(lam, d, 0.0),
        ),
        f"trained $a_k$, $c = {BALANCE:g}$": (
            Student(np.sqrt(BALANCE + 2 * START**2 + 0.5) * eye, np.sqrt(START**2 + 0.25) * ones),
            aligned_tail(lam, d, BALANCE),
        ),
    }
    times = np.append(0.0, np.geomspace(1e-2, end, 60))
    results = []
    for name, (student, tail) in cases.items():
        problem = Problem(teacher, student)
        if student.trainable:
            loss = GradientFlow(problem).integrate(times=times, progress=progress).loss
        else:
            loss = riccati_solution(problem, times).loss
        run = train(
            problem,
            steps=Clock(eta).steps_until(until),
            step=eta,
            batch=batch,
            seed=seed,
            records=30,
            log_times=True,
            progress=progress,
        )
        assert isinstance(tail, PowerTail)  # c > 0, the exponential one, is not among the cases
        results.append(LateTime(name, times, loss, tail, run.times, run.loss[0]))
    return results
