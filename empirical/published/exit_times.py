"""How much the time to find a direction varies from run to run of SGD."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from empirical.published.entry import Entry, Ours, Series, Tolerance
from empirical.published.escape_equation import FRACTIONS, INPUTS, NOISE, STEP, start
from empirical.published.sources import MEDIOCRITY, at

RUNS = 10
# Mean and standard deviation of ten runs, and of ten solutions of their stochastic equation: to both fractions.
MEANS = ((2.7004, 1.3262), (2.3988, 0.94167))
DEVIATIONS = ((0.849, 0.838), (0.374, 0.316))
PROBABILITIES = (np.arange(2000) + 0.5) / 2000  # for the fourth moment of the law
SAMPLING = Tolerance(
    "Ten runs each: two standard errors of the mean and of the deviation of ten draws from our law.",
    errors=2.0,
)


def compute(series: Sequence[Series], quick: bool) -> list[Ours]:
    """Mean and standard deviation of the law of exit times from the stored start, and how far those of ten runs are."""
    from dynamics.escape.prediction import escape_time
    from dynamics.problem import Problem, Student, Teacher

    W = start(1)
    m = float(W[0, 0])
    student = Student(np.pad(W, ((0, 0), (0, INPUTS - 3))), np.ones((1, 1)), trainable=False)
    problem = Problem(Teacher(np.eye(1, INPUTS), np.ones(1)), student, constraint="sphere")
    means, deviations, mean_errors, deviation_errors = [], [], [], []
    for fraction in FRACTIONS:
        reached = float(np.sqrt(1 - fraction * (1 - m**2)))
        law = escape_time(
            problem, overlap=reached, overlap_at_start=m, step=STEP / INPUTS, label_noise=NOISE
        ).exit_law
        assert law is not None
        draws = np.array([law.quantile(p) for p in PROBABILITIES])
        kurtosis = float(np.mean((draws - draws.mean()) ** 4) / draws.var() ** 2)
        means.append(law.mean)
        deviations.append(law.deviation)
        mean_errors.append(law.deviation / np.sqrt(RUNS))
        deviation_errors.append(law.deviation * np.sqrt((kurtosis - 1) / (4 * RUNS)))
    return [Ours.of(means, mean_errors)] * 2 + [Ours.of(deviations, deviation_errors)] * 2


ENTRY = Entry(
    name="exit-times",
    claim="Ten runs of SGD on the sphere, d = 3000, and ten solutions of a stochastic equation, from one start: mean "
    "and spread of the times to half, and to 99 %, of the first risk.",
    source=at(
        MEDIOCRITY,
        "computation-database/time-measure/sim and sde, the ten files of p = 1 in each: steps or times, and risks, "
        "interpolated",
    ),
    series=tuple(
        Series(
            quantity=quantity,
            case=case,
            names=("half of the risk", "99 % of the risk"),
            values=values,
            tolerance=SAMPLING,
        )
        for quantity, rows in (("mean time", MEANS), ("deviation", DEVIATIONS))
        for case, values in zip(("runs", "equation"), rows, strict=True)
    ),
    command="quadflow escape --constraint sphere --teacher 1 --inputs 3000 --step 3.3333333e-5 --label-noise 1e-4 "
    "--overlap-at-start 0.018478679 --overlap 0.707227477",
    compute=compute,
    found="The abstract says that the role of stochasticity may be minimal. Of the mean that is so. The spread does "
    "not shrink with d: by our law it is π/(2√2 μ) from a random start, μ the rate of growth, 0.69 here at every d.",
)
