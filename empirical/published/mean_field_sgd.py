"""Five thousand quadratic units learn one: a stored run of SGD beside its mean and its predicted spread."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from empirical.published.entry import Entry, Ours, Series, Tolerance
from empirical.published.sources import DIMENSIONLESS, at

HIDDEN, INPUTS, SEED = 5000, 3, 0
CLOCK = HIDDEN * INPUTS  # steps per unit of time: their γ is 1
STEPS = (1, 90, 270, 900, 2700, 7200, 18000, 45000, 90000, 270000, 810000, 1800000)
RISKS = (
    *(0.65546513, 0.62749609, 0.564995743, 0.441962363, 0.211604636, 0.0523517908, 0.0110491731),
    *(0.00195172055, 0.00050890299, 5.69380392e-05, 6.43016859e-06, 1.30650373e-06),
)  # fmt: skip


def start() -> tuple[np.ndarray, np.ndarray]:
    """The teacher's direction (3,) and the student's matrix M = Σ w wᵀ/5000, drawn as they were there.

    Steps of SGD multiply all units by one matrix, w ← (I − c x xᵀ) w with the same c as long as the second layer is
    fixed and equal. So three units with the same M run through the same losses, sample by sample.
    """
    rng = np.random.default_rng(SEED)
    teacher = rng.normal(size=INPUTS)
    W = rng.normal(size=(HIDDEN, INPUTS)) / np.sqrt(INPUTS)
    return teacher / np.linalg.norm(teacher), W.T @ W / HIDDEN


def compute(series: Sequence[Series], quick: bool) -> list[Ours]:
    """Mean over seeds of SGD with batch 1, and the standard deviation of a single run."""
    from dynamics.problem import Problem, Student, Teacher
    from dynamics.sgd.fluctuations import FluctuatingSGD

    v, M0 = start()
    student = Student(np.linalg.cholesky(M0).T, np.ones((1, INPUTS)), trainable=False)
    sgd = FluctuatingSGD(Problem(Teacher(v[None], np.ones(1)), student), step=1 / CLOCK, batch=1)
    times = np.array(series[0].at)
    more = np.geomspace(1e-3, times[-1], 40)
    every = np.unique(np.concatenate([[0.0], times, more]))
    run = sgd.integrate(times=every)
    assert run.loss_std is not None
    at = np.searchsorted(every, times)
    return [Ours.of(run.loss[at], run.loss_std[at], curve=(every[1:], run.loss[1:]))]


ENTRY = Entry(
    name="mean-field-sgd",
    claim="One-pass SGD of 5000 quadratic units that learn one: the loss of a stored run, from its regenerated start.",
    source=at(
        DIMENSIONLESS,
        "computation-database/mean-field/square/sim/03355be5e48fb24aefa4337496cc8cdf.yaml (steps, risks); start "
        "as in how_to_mean-field.ipynb, seed 0",
    ),
    series=(
        Series(
            quantity="loss",
            values=RISKS,
            at=tuple((n - 1) / CLOCK for n in STEPS),
            along="time t",
            tolerance=Tolerance(
                "One run of theirs, so three of the standard deviations over seeds that the theory of fluctuations "
                "predicts; 1e-8 for the start.",
                absolute=1e-8,
                errors=3.0,
            ),
            few=(0, 2, 4, 6),
        ),
    ),
    command="quadflow simulate --teacher teacher.npz --init-file start.npz --second-layer fixed --sgd --step 6.67e-5 "
    "--batch 1 --t-end 120",
    compute=compute,
    files="teacher.npz: V = the regenerated direction, b = 1; start.npz: W with WᵀW = M of the regenerated "
    "start, a = 1.",
    found="Not only the mean agrees: the predicted spread of a single run, 6 % of the loss at t = 0.1 and 0.4 % at "
    "t = 120, is what the stored run shows.",
    scales=("log", "log"),
)
