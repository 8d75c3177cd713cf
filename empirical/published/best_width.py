"""The width that learns best from given samples is far below the number of inputs."""

from __future__ import annotations

from collections.abc import Sequence

from empirical.published.entry import Entry, Ours, Series, Tolerance
from empirical.published.power_law import decay_order, power_law
from empirical.published.sources import WIDTH, at

INPUTS, EXPONENT, NOISE, SAMPLES, PENALTY = 400, 1.25, 0.1, 160000, 0.1
RANKS = (1, 2, 4, 8, 14, 20, 26, 35, 55, 87, 153, 400)
PREDICTED = (
    *(0.25527362, 0.1236102, 0.05266734, 0.021427947, 0.011188688, 0.008490471),
    *(0.007927933, 0.0085393043, 0.010681455, 0.013151175, 0.014642215, 0.014417637),
)  # fmt: skip
TRAINED_RANKS = (1, 2, 4, 6, 9, 14, 23, 35, 55, 86, 135, 210, 328, 512)
TRAINED = (
    *(0.255333, 0.123638, 0.0527081, 0.0311375, 0.0184579, 0.0112562, 0.00809869),
    *(0.00865075, 0.0107767, 0.0132966, 0.0145736, 0.0145186, 0.0145299, 0.0145506),
)  # fmt: skip
SPREAD = (
    *(4.06e-06, 3.35e-05, 3.3e-05, 2.3e-05, 3.84e-05, 3.63e-05, 2.36e-05),
    *(0.000138, 7.41e-05, 0.000199, 0.000186, 0.000121, 3.44e-05, 3.61e-06),
)  # fmt: skip


def compute(series: Sequence[Series], quick: bool) -> list[Ours]:
    """The state evolution with the width cut."""
    from dynamics.sample_size.atoms import Atoms
    from dynamics.sample_size.equations import Regression

    law, alpha = Atoms(power_law(EXPONENT, INPUTS)), SAMPLES / INPUTS**2
    decay = decay_order(PENALTY, alpha)

    def error(rank: float) -> float:
        width = min(rank / INPUTS, 1.0)
        return float(Regression(law, decay=decay, label_noise=NOISE, width=width).solve(alpha).mse)

    known = {rank: error(rank) for rank in sorted({r for s in series for r in s.at})}
    curve = list(known), list(known.values())
    return [Ours.of([known[rank] for rank in s.at], curve=curve) for s in series]


ENTRY = Entry(
    name="best-width",
    claim="Mean squared error against the width of the network, n = d² = 160 000 samples, teacher with eigenvalues ∝ "
    "j^(−1.25): the best width is near 24, far below d = 400.",
    source=at(
        WIDTH,
        "data_final/SE_rank_d400_n160000.0_gamma1.25_noise0.1_lregtilde0.1.csv (rank, mse), EXP_rank_… (rank, "
        "mse_mean, mse_std)",
    ),
    series=(
        Series(
            quantity="MSE",
            case="state evolution",
            at=tuple(map(float, RANKS)),
            along="width K",
            values=PREDICTED,
            tolerance=Tolerance("They average draws of noise of dimension 400.", relative=0.01),
            few=(4,),
        ),
        Series(
            quantity="MSE",
            case="trained networks",
            at=tuple(map(float, TRAINED_RANKS)),
            along="width K",
            values=TRAINED,
            errors=SPREAD,
            tolerance=Tolerance(
                "Networks of d = 400 against large d, and two standard deviations of their few runs.",
                relative=0.02,
                errors=2.0,
            ),
            few=(5,),
        ),
    ),
    command="quadflow sample-size --teacher spectrum.npy --alpha 1 --weight-decay-order 0.05 --label-noise 0.1 "
    "--width 0.065",
    compute=compute,
    files="spectrum.npy: the diagonal matrix of eigenvalues ∝ j^(−1.25), j = 1 … 400, of squares that sum "
    "up to 1.",
    found="The cut of the width is a conjecture, since descent on few units has local minima; trained networks "
    "follow it.",
    scales=("log", "log"),
)
