"""Weight decay and a student narrower than its inputs."""

from __future__ import annotations

from collections.abc import Sequence

from empirical.published.entry import Entry, Ours, Series
from empirical.published.sources import QUADRATIC, at
from empirical.published.symmetric_noise import FIRST_ORDER, errors_then_losses, regression

WIDTH, TEACHER_WIDTH = 0.3, 0.2
ALPHA = (0.080345, 0.15069, 0.221034, 0.267931, 0.314828, 0.35)
PENALTIES = (0.1, 0.05)
ERRORS = (
    (3.841, 1.5115, 0.27309, 0.065921, 0.025471, 0.016511),
    (3.8429, 1.4986, 0.20932, 0.026418, 0.0076448, 0.0046248),
)
ERRORS_STD = (
    (0.10721, 0.044052, 0.006844, 0.0035084, 0.00060057, 0.00056893),
    (0.10742, 0.043805, 0.0065994, 0.0015901, 0.00020307, 0.00017121),
)
TRAINING = (
    (0.00056346, 0.00164, 0.0027819, 0.002507, 0.0021162, 0.0019037),
    (0.00014221, 0.00043193, 0.00086108, 0.00072389, 0.00056675, 0.00049845),
)
TRAINING_STD = (
    (1.0384e-05, 1.5662e-05, 2.1827e-05, 3.4774e-05, 1.8908e-05, 2.503e-05),
    (2.6334e-06, 4.3386e-06, 6.3631e-06, 1.1844e-05, 5.4262e-06, 6.9545e-06),
)


def compute(series: Sequence[Series], quick: bool) -> list[Ours]:
    """Test errors and training losses, penalty after penalty."""
    return errors_then_losses([regression(TEACHER_WIDTH, WIDTH, penalty) for penalty in PENALTIES], series)


ENTRY = Entry(
    name="narrow-student",
    claim="Networks of width 0.3 d with weight decay learn a teacher of width 0.2 d without label noise, d = 100.",
    source=at(
        QUADRATIC,
        "GDSimulations/postprocess/Fig7 (MSE.pt, loss.pt, alpha.pt; mean and standard error of 10 runs)",
    ),
    series=tuple(
        Series(
            quantity=quantity,
            case=f"λ = {penalty:g}",
            at=ALPHA,
            along="n/d²",
            values=values,
            errors=spread,
            tolerance=FIRST_ORDER,
            few=(2,),
        )
        for quantity, rows, spreads in (
            ("MSE", ERRORS, ERRORS_STD),
            ("training loss", TRAINING, TRAINING_STD),
        )
        for penalty, values, spread in zip(PENALTIES, rows, spreads, strict=True)
    ),
    command="quadflow sample-size --teacher marchenko-pastur:0.2 --alpha 0.08:0.35:6 --weight-decay-order 0.2 "
    "--width 0.3",
    compute=compute,
    scales=("linear", "log"),
)
