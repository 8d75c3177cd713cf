"""The Bayes-optimal test error with label noise."""

from __future__ import annotations

from collections.abc import Sequence

from empirical.published.entry import Entry, Ours, Series, Tolerance
from empirical.published.sources import BAYES, at

KAPPA, NOISE = 0.5, 0.5
ALPHA = (
    0.04029133858,
    0.118874015748,
    0.1974566929,
    0.2760393701,
    0.354622047244,
    0.4332047244,
    0.49214173228,
)
ERRORS = (0.918570334, 0.719437059, 0.523553089, 0.371857441, 0.268769673, 0.202035971, 0.167724886)


def compute(series: Sequence[Series], quick: bool) -> list[Ours]:
    """Their test error is κ* times the mean squared error of the matrix."""
    from dynamics.sample_size.bayes import bayes_mse
    from dynamics.sample_size.marchenko_pastur import MarchenkoPastur

    law = MarchenkoPastur(KAPPA)
    return [Ours.of([KAPPA * bayes_mse(law, alpha, NOISE) for alpha in series[0].at])]


ENTRY = Entry(
    name="bayes-noise",
    claim="Bayes-optimal test error of quadratic networks with label noise, κ* = 0.5.",
    source=at(BAYES, "data_theory/line_noise_0.5_0.25.csv (alpha, gen_error)"),
    series=(
        Series(
            quantity="test error",
            at=ALPHA,
            along="n/d²",
            values=ERRORS,
            tolerance=Tolerance("Their integrals of ρ³ are solved to 1e-4.", relative=1e-4),
            few=(2, 5),
        ),
    ),
    command="quadflow sample-size --teacher marchenko-pastur:0.5 --label-noise 0.5 --bayes --alpha "
    + ",".join(map(repr, ALPHA)),
    compute=compute,
    found="The name of the file says 0.25. Its curve is that of labels with noise of variance Δ = 0.5, in units in "
    "which f* has variance 2m₂; neither Δ = 0.25 nor Δ = 2σ²(2 + σ²)/κ* with σ = 0.25, as in a script there, gives it.",
)
