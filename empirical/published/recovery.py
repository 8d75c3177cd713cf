"""From how many samples on descent without regularisation recovers a teacher without label noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from empirical.published.entry import Entry, Ours, Series, Tolerance
from empirical.published.sources import QUADRATIC, at

TEACHERS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0)  # κ*; students are as wide as their inputs


def compute(series: Sequence[Series], quick: bool) -> list[Ours]:
    """Where S ⪰ 0 and the labels leave the teacher alone."""
    from dynamics.sample_size.marchenko_pastur import MarchenkoPastur
    from dynamics.sample_size.thresholds import cone_threshold

    more = np.linspace(min(series[0].at), max(series[0].at), 61)
    values, curve = ([cone_threshold(MarchenkoPastur(kappa)) for kappa in at] for at in (series[0].at, more))
    return [Ours.of(values, curve=(more, curve))]


ENTRY = Entry(
    name="recovery",
    claim="Gradient descent without regularisation recovers a teacher of width κ*d from labels without noise above a "
    "number of samples, students as wide as their inputs, d = 100.",
    source=at(
        QUADRATIC,
        "GDSimulations/postprocess/Fig20 (MSE.pt, alpha.pt, κ = 1): where the mean falls below 0.01, interpolated in "
        "its logarithm",
    ),
    series=(
        Series(
            quantity="threshold α",
            at=TEACHERS,
            along="κ*",
            values=(0.30955, 0.34711, 0.3804, 0.43369, 0.46796, 0.49136),
            tolerance=Tolerance(
                "At d = 100 the error falls from 0.05 to 0.001 within 0.02 of α, and from where on it is small is a "
                "matter of taste.",
                absolute=0.015,
            ),
        ),
    ),
    command="quadflow sample-size --teacher marchenko-pastur:0.5 --alpha 0.44 --weight-decay-order 0",
    compute=compute,
)
