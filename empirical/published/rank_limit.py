"""As many samples as one likes: what a network of few units cannot represent."""

from __future__ import annotations

from collections.abc import Sequence

from empirical.published.entry import Entry, Ours, Series, Tolerance
from empirical.published.power_law import decay_order, power_law
from empirical.published.sources import WIDTH, at

INPUTS, NOISE, SAMPLES, PENALTY = 800, 0.5, 409600000000, 800**1.2
EXPONENTS = (0.6, 1.0, 1.25, 2.0)
RANKS = (1.0, 2.0, 4.0, 10.0, 25.0, 48.0)
ERRORS = (
    (0.7662722829, 0.6645363868, 0.5577122859, 0.4232270118, 0.304548686, 0.2307799406),
    (0.3916108696, 0.2395135888, 0.1338904801, 0.05713817701, 0.0230953886, 0.01178376214),
    (0.2545423494, 0.1227628113, 0.05164613336, 0.01456401889, 0.003836602367, 0.001449429839),
    (0.07606159887, 0.01831545086, 0.003299674041, 0.0002648690638, 1.861524086e-05, 2.805217756e-06),
)


def compute(series: Sequence[Series], quick: bool) -> list[Ours]:
    """The level at which the first modes are learned, of centred units, over d, and what decay takes from them."""
    from dynamics.problem.levels import plateau_level

    alpha = SAMPLES / INPUTS**2
    threshold = decay_order(PENALTY, alpha) / 2  # by which every learned eigenvalue falls short
    found = []
    for exponent, s in zip(EXPONENTS, series, strict=True):
        eigenvalues = power_law(exponent, INPUTS)
        levels = [plateau_level(eigenvalues, range(int(r)), trace_coupling=0.0).loss for r in s.at]
        short = [int(r) * threshold**2 for r in s.at]
        found.append(
            Ours.of([(level + missing) / INPUTS for level, missing in zip(levels, short, strict=True)])
        )
    return found


ENTRY = Entry(
    name="rank-limit",
    claim="With 4·10¹¹ samples the error of a network of few units is what so few units cannot represent: the "
    "eigenvalues of the teacher beyond them.",
    source=at(
        WIDTH, "data_final/SE_samples_d800_n409600000000.0_gammaG_noise0.5_lregexp_1.20.csv (rank, mse)"
    ),
    series=tuple(
        Series(
            quantity="MSE",
            case=f"exponent {exponent:g}",
            at=RANKS,
            along="width K",
            values=errors,
            tolerance=Tolerance(
                "Their number of samples is finite, and there is label noise.",
                relative=1e-6,
                absolute=5e-8,
            ),
        )
        for exponent, errors in zip(EXPONENTS, ERRORS, strict=True)
    ),
    command="quadflow sample-size --teacher spectrum.npy --alpha 640000 --weight-decay-order 0.00238 --label-noise 0.5 "
    "--width 0.005",
    compute=compute,
    files="spectrum.npy: the diagonal matrix of eigenvalues ∝ j^(−1.25), j = 1 … 800, of squares that sum "
    "up to 1.",
    scales=("log", "log"),
)
