"""Message passing at d = 200 beside the Bayes-optimal curve."""

from __future__ import annotations

from collections.abc import Sequence

from empirical.published.entry import Entry, Ours, Series, Tolerance
from empirical.published.sources import BAYES, at

KAPPA = 0.5
ALPHA = (0.075, 0.1, 0.15, 0.2, 0.25, 0.3)
CLEAN = (0.82210808, 0.7479743, 0.5783095, 0.40276931, 0.25160638, 0.13296976)
CLEAN_STD = (0.01337018, 0.01990651, 0.00715049, 0.01283067, 0.00251387, 0.00712779)
NOISY_ALPHA = (0.075, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
NOISY = (
    0.87125392,
    0.65146486,
    0.5381041,
    0.42911303,
    0.34856489,
    0.28205384,
    0.23707682,
    0.19816081,
    0.17288389,
)
NOISY_STD = (
    0.02186757,
    0.01663247,
    0.00930508,
    0.005512,
    0.00342146,
    0.00355737,
    0.00299934,
    0.00206682,
    0.00296389,
)
FINITE = Tolerance(
    "d is 200 there, with a spread over runs whose number is not said: 5 % and two of these.",
    relative=0.05,
    errors=2.0,
)


def compute(series: Sequence[Series], quick: bool) -> list[Ours]:
    """The Bayes-optimal curve of large d."""
    from dynamics.sample_size.bayes import bayes_mse
    from dynamics.sample_size.marchenko_pastur import MarchenkoPastur

    law = MarchenkoPastur(KAPPA)
    return [
        Ours.of([KAPPA * bayes_mse(law, alpha, noise) for alpha in s.at])
        for s, noise in zip(series, (0.0, 0.5), strict=True)
    ]


ENTRY = Entry(
    name="amp",
    claim="Approximate message passing at d = 200 comes near the Bayes-optimal error, κ* = 0.5.",
    source=at(BAYES, "AMP_200_0.5_0.0.csv, AMP_200_0.5_0.25.csv (alpha, AMP_mean, AMP_std)"),
    series=(
        Series(
            quantity="test error",
            case="no noise",
            at=ALPHA,
            along="n/d²",
            values=CLEAN,
            errors=CLEAN_STD,
            tolerance=FINITE,
            few=(2,),
        ),
        Series(
            quantity="test error",
            case="label noise",
            at=NOISY_ALPHA,
            along="n/d²",
            values=NOISY,
            errors=NOISY_STD,
            tolerance=FINITE,
            few=(4,),
        ),
    ),
    command="quadflow sample-size --teacher marchenko-pastur:0.5 --alpha 0.075,0.1,0.15,0.2,0.25,0.3 --bayes",
    compute=compute,
)
