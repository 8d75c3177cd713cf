"""Hard labels that are learned for ever: the laws of loss and norms, the flow, and trained networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.clock import Clock
from dynamics.closed_forms import GrowthLaw, growth_law
from dynamics.flows.gradient import GradientFlow
from dynamics.problem import Problem, Student, Teacher
from dynamics.validation import validate_array, validate_count, validate_real
from empirical.training import train

START, NOISE = 0.5, 0.05  # size of the |a_k|, and of random first-layer weights beside one unit a mode
RECORDS = 25  # of the networks
SAMPLES = 60  # of the flow


@dataclass(frozen=True, eq=False)
class Growth:
    """Loss and norm of one kind of network that never comes to rest.

    Parameters
    ----------
    name : str
        Which kind.
    law : GrowthLaw
        For late times.
    times, loss, norm : (T,) arrays
        Of the flow: L and ‖W‖.
    trained_times : (T',) array
    trained_loss, trained_norm : (S, T') arrays
        Of S trained networks.
    """

    name: str
    law: GrowthLaw
    times: Array
    loss: Array
    norm: Array
    trained_times: Array
    trained_loss: Array
    trained_norm: Array


def growth(
    eigenvalues: ArrayLike,
    *,
    t_end: float = 1e4,
    trained_until: float = 100.0,
    step: float = 0.05,
    batch: int = 512,
    seeds: int = 4,
    seed: int = 0,
    progress: bool = False,
) -> list[Growth]:
    """Two networks on hard labels 1{f* > 0} under the logistic loss: second layer trained, and fixed.

    One unit stands near every mode, |a_k| = ½.

    Parameters
    ----------
    eigenvalues : (r,) array
        Of the teacher, of both signs, three or more.
    t_end : float
        End of flow and laws.
    trained_until : float
        End of the training.
    step, batch, seeds, seed
        As for `empirical.training.train`.

    Raises
    ------
    ProblemError
        If an argument is not usable, or no law is known (`dynamics.closed_forms.growth_law`).
    """
    teacher = Teacher.from_eigenvalues(validate_array("eigenvalues", eigenvalues, 1))
    end, until = (
        validate_real(n, v, positive=True) for n, v in (("t_end", t_end), ("trained_until", trained_until))
    )
    validate_count("seeds", seeds)
    lam, vectors = teacher.eigen[0]
    noise = NOISE * np.random.default_rng(validate_count("seed", seed, minimum=0)).standard_normal(
        vectors.shape
    )
    times, steps = np.append(0.0, np.geomspace(0.1, end, SAMPLES)), Clock(step).steps_until(until)
    found = []
    for name, trainable in (("trained $a_k$", True), ("fixed $a_k$", False)):
        student = Student(np.sqrt(2) * START * vectors + noise, START * np.sign(lam), trainable)
        problem = Problem(teacher, student, loss="logistic", labels="hard")
        law = growth_law(problem)
        flow = GradientFlow(problem).integrate(times=times, progress=progress)
        run = train(
            problem,
            steps=steps,
            step=step,
            batch=batch,
            seeds=seeds,
            seed=seed,
            records=RECORDS,
            log_times=True,
            progress=progress,
        )
        assert run.W is not None  # of so few weights all are kept
        found.append(Growth(name, law, times, flow.loss, _norm(flow.W), run.times, run.loss, _norm(run.W)))
    return found


def _norm(W: Array) -> Array:
    """‖W‖ of weights (…, K, d)."""
    return np.asarray(np.sqrt(np.sum(W**2, axis=(-2, -1))))
