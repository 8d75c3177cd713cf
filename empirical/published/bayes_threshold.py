"""How many samples the Bayes-optimal estimate needs to recover a network without label noise."""

from __future__ import annotations

from collections.abc import Sequence

from empirical.published.entry import Entry, Ours, Series, Tolerance
from empirical.published.sources import BAYES, at

WIDTHS = (0.05, 0.1, 0.2, 0.3, 0.33, 0.5, 0.66, 1.0, 2.0, 5.0)
LAST = (0.04875, 0.095, 0.18, 0.255, 0.27555, 0.375, 0.4422, 0.5, 0.5, 0.5)


def compute(series: Sequence[Series], quick: bool) -> list[Ours]:
    """Where the error of the Bayes-optimal estimate vanishes."""
    from dynamics.sample_size.bayes import bayes_threshold
    from dynamics.sample_size.marchenko_pastur import MarchenkoPastur

    return [Ours.of([bayes_threshold(MarchenkoPastur(kappa)) for kappa in series[0].at])]


ENTRY = Entry(
    name="bayes-threshold",
    claim="The Bayes-optimal test error without noise vanishes at n/d² = κ* − κ*²/2, and at ½ for κ* ≥ 1.",
    source=at(BAYES, "data_theory/line_no_noise_KAPPA.csv (the last alpha, where gen_error is small)"),
    series=(
        Series(
            quantity="threshold α",
            at=WIDTHS,
            along="κ*",
            values=LAST,
            tolerance=Tolerance("Closed form.", absolute=1e-9),
        ),
    ),
    command="quadflow sample-size --teacher marchenko-pastur:0.5 --alpha 0.3 --bayes",
    compute=compute,
)
