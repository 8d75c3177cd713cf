"""Without regularisation the error has a peak where the labels can just be fitted: double descent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from empirical.published.entry import Entry, Ours, Series
from empirical.published.sources import QUADRATIC, at
from empirical.published.symmetric_noise import FIRST_ORDER, regression

WIDTH, TEACHER_WIDTH, NOISE = 0.7, 0.5, 0.5
ALPHA = (0.374615, 0.394872, 0.415128, 0.455641, 0.496154, 0.577179, 0.658205, 0.739231, 0.8)
ERRORS = (1.5846, 1.2906, 1.0337, 0.78433, 0.6092, 0.42771, 0.3228, 0.25769, 0.22751)
ERRORS_STD = (0.02309, 0.016407, 0.012014, 0.0090428, 0.0049415, 0.0044306, 0.0035822, 0.0018881, 0.0021411)
TRAINING = (0.0053189, 0.0084776, 0.013175, 0.020549, 0.027709, 0.039505, 0.04864, 0.057055, 0.061397)
TRAINING_STD = (
    0.00022024,
    0.00023804,
    0.00026461,
    0.00026062,
    0.00040403,
    0.00044886,
    0.00032244,
    0.00034931,
    0.00039621,
)


def compute(series: Sequence[Series], quick: bool) -> list[Ours]:
    """State evolution with the correction for symmetric noise of dimension 100."""
    theory = regression(TEACHER_WIDTH, WIDTH, label_noise=NOISE)
    at = series[0].at
    more = () if quick else tuple(np.linspace(at[0], at[-1], 31))
    points = {alpha: theory.solve(alpha) for alpha in sorted({*at, *more})}
    errors = {alpha: point.mse for alpha, point in points.items()}
    losses = {alpha: point.training_error / 4 for alpha, point in points.items()}
    return [
        Ours.of([values[alpha] for alpha in s.at], curve=(list(values), list(values.values())))
        for s, values in zip(series, (errors, losses), strict=True)
    ]


ENTRY = Entry(
    name="double-descent",
    claim="Networks trained without regularisation on noisy labels: beyond the interpolation threshold the error falls "
    "with the number of samples; κ* = 0.5, width 0.7 d, d = 100.",
    source=at(
        QUADRATIC,
        "GDSimulations/postprocess/Fig10 (MSE.pt, loss.pt, alpha.pt; first start, mean and standard error of 20 runs)",
    ),
    series=(
        Series(
            quantity="MSE",
            at=ALPHA,
            along="n/d²",
            values=ERRORS,
            errors=ERRORS_STD,
            tolerance=FIRST_ORDER,
            few=(4, 8),
        ),
        Series(
            quantity="training loss",
            at=ALPHA,
            along="n/d²",
            values=TRAINING,
            errors=TRAINING_STD,
            tolerance=FIRST_ORDER,
            few=(4, 8),
        ),
    ),
    command="quadflow sample-size --teacher marchenko-pastur:0.5 --label-noise 0.5 --width 0.7 --alpha "
    + ",".join(map(repr, ALPHA)),
    compute=compute,
    found="At large d ours is 1 to 5 % below the stored errors: they are those of d = 100. Our own minima at d = 50 "
    "say the same (n/d² = 0.8, 0.496, 0.415; 20 draws): 0.226 ± 0.004, 0.624 ± 0.013, 1.08 ± 0.03, where the corrected "
    "curve has 0.230, 0.631, 1.10 and that of large d 0.223, 0.599, 1.02. Below the threshold, 0.32, the stored error "
    "depends on the size of the start, and is not compared.",
)
