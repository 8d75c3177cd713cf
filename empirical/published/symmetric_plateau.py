"""Two erf units on the sphere learn two, in batches: down to the plateau on which they are alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from empirical.published.entry import Entry, Ours, Series, Source, Tolerance

INPUTS, BATCH, NOISE = 10_000, 100, 0.01
BETWEEN = (
    0.0030531847337720427  # w₁·w₂ at the start, drawn as in the notebook; nothing is shared with the teacher
)
RATES = (0.08, 0.001)  # γ of "Saad&Solla" and of "Population Flow"
STEPS = ((0, 1, 10, 30, 100, 200, 300, 1000, 3000), (0, 10, 100, 300, 1000, 2000, 3000, 5000, 7000, 10000))
ERRORS = (
    (
        0.0884548157,
        0.0877032619,
        0.0808950182,
        0.0673424338,
        0.040578764,
        0.0270269056,
        0.0217547766,
        0.018420111,
        0.018412769,
    ),
    (
        0.0884548157,
        0.0882827543,
        0.0865858315,
        0.0828785829,
        0.0707020377,
        0.0555661073,
        0.0434613484,
        0.0271654942,
        0.0182901711,
        0.0121912609,
    ),
)
SMALL = 4  # inputs of our problem: the equations know the rate times inputs over batch, and the overlaps


def start() -> np.ndarray:
    """Two unit weights (2, 4) with the overlap of theirs, orthogonal to the teacher's units, the first two axes."""
    return np.array([[0.0, 0.0, 1.0, 0.0], [0.0, 0.0, BETWEEN, np.sqrt(1 - BETWEEN**2)]])


def compute(series: Sequence[Series], quick: bool) -> list[Ours]:
    """Mean SGD of large d. Their test error is (loss + noise)/2: their integral of two erf is half of what it is."""
    from dynamics.problem import Problem, Student, Teacher
    from dynamics.sgd.sphere_sgd import SphereSGD

    student = Student(start(), np.full((1, 2), 0.5), trainable=False)
    teacher = Teacher(np.eye(2, SMALL), np.full(2, 0.5))
    problem = Problem(teacher, student, activation="erf", constraint="sphere")
    found = []
    for rate, s in zip(RATES, series, strict=True):
        sgd = SphereSGD(problem, step=rate * INPUTS / BATCH / SMALL, label_noise=NOISE)
        steps = np.array(s.at)
        more = np.unique(np.concatenate([[0.0], steps, np.linspace(0, steps[-1], 3 if quick else 101)]))
        error = (sgd.integrate(times=rate * more).loss + NOISE) / 2
        found.append(Ours.of(error[np.searchsorted(more, steps)], curve=(more[1:], error[1:])))
    return found


ENTRY = Entry(
    name="symmetric-plateau",
    claim="Two erf units on the sphere learn two by SGD in batches of 100, d = 10 000: with a large step down to the "
    "symmetric plateau, which its noise makes higher, and with a small one along the flow.",
    source=Source(
        paper="Online Learning and Information Exponents: On The Importance of Batch size, and "
        "Time/Complexity Tradeoffs",
        address="github.com/IdePHICS/batch-size-time-complexity-tradeoffs",
        place="data/warm_start (the .npz of Saad&Solla and of Population Flow, 10 001 test errors each), set up in "
        "exact-asymptotic.ipynb",
        commit="debe4db56d05f23285603415684445f395d8950d",
    ),
    series=tuple(
        Series(
            quantity="test error",
            case=case,
            at=tuple(map(float, steps)),
            along="step n",
            values=errors,
            tolerance=tolerance,
            few=(0, 3, 6),
        )
        for case, steps, errors, tolerance in zip(
            ("large step", "small step"),
            STEPS,
            ERRORS,
            (
                Tolerance(
                    "One run; corrections of the order of batch over dimension, and of the step, are not in the limit "
                    "of large d.",
                    relative=0.03,
                ),
                Tolerance("One run of a step that is not infinitely small.", relative=5e-3),
            ),
            strict=True,
        )
    ),
    command="quadflow simulate --constraint sphere --activation erf --teacher teacher.npz --init-file start.npz "
    "--second-layer fixed --second-layer-value 0.5 --sgd --step 0.08 --batch 100 --label-noise 0.01 --t-end 240",
    compute=compute,
    files="teacher.npz: V = the first two unit vectors of 10 000 dimensions, b = (0.5, 0.5); start.npz: two unit "
    "weights W orthogonal to them with overlap 0.0030532, a = (0.5, 0.5).",
    found="Stored test errors are (loss + noise)/2, to all digits at the start: their integral of two erf has 1/π "
    "where it is 2/π. After 3000 steps the stored run leaves the plateau, by its noise, which equations of the mean do "
    "not.",
)
