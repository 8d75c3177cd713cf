"""Weight decay without label noise: what it costs, and how well labels are fitted."""

from __future__ import annotations

from collections.abc import Sequence

from empirical.published.entry import Entry, Ours, Series
from empirical.published.sources import QUADRATIC, at
from empirical.published.symmetric_noise import FIRST_ORDER, errors_then_losses, regression

WIDTH, TEACHER_WIDTH = 0.7, 0.5
ALPHA = (0.091379, 0.193103, 0.294828, 0.396552, 0.498276, 0.6)
PENALTIES = (0.5, 0.1, 0.05)
ERRORS = (
    (2.2715, 1.3255, 0.78991, 0.5399, 0.41545, 0.33646),
    (2.2684, 1.1753, 0.46957, 0.17031, 0.077688, 0.04423),
    (2.2692, 1.1607, 0.4157, 0.1064, 0.033372, 0.015469),
)
ERRORS_STD = (
    (0.025038, 0.02084, 0.01458, 0.0063143, 0.0044021, 0.0046265),
    (0.02291, 0.02125, 0.009686, 0.0030562, 0.00091944, 0.00060512),
    (0.02251, 0.021143, 0.0088438, 0.002408, 0.00046375, 0.00020951),
)
TRAINING = (
    (0.014799, 0.03917, 0.054554, 0.062323, 0.064951, 0.065243),
    (0.00065201, 0.0022984, 0.0044444, 0.0053257, 0.0050862, 0.0045938),
    (0.00016513, 0.00061748, 0.0013969, 0.0017944, 0.0015874, 0.0013366),
)
TRAINING_STD = (
    (0.00013583, 0.00017606, 0.00036077, 0.00020618, 0.00038196, 0.00047024),
    (6.0155e-06, 1.1267e-05, 5.9729e-05, 3.1552e-05, 2.1787e-05, 3.8334e-05),
    (1.5292e-06, 3.4031e-06, 2.2064e-05, 1.2911e-05, 7.0979e-06, 1.0622e-05),
)


def compute(series: Sequence[Series], quick: bool) -> list[Ours]:
    """Test errors and training losses, penalty after penalty."""
    return errors_then_losses([regression(TEACHER_WIDTH, WIDTH, penalty) for penalty in PENALTIES], series)


ENTRY = Entry(
    name="weight-decay",
    claim="Networks of width 0.7 d with weight decay learn a teacher of width 0.5 d without label noise, d = 100.",
    source=at(
        QUADRATIC,
        "GDSimulations/postprocess/Fig2 (MSE.pt, loss.pt, alpha.pt; mean and standard error of 10 runs)",
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
    command="quadflow sample-size --teacher marchenko-pastur:0.5 --alpha 0.09:0.6:6 --weight-decay-order 1 --width 0.7",
    compute=compute,
    scales=("linear", "log"),
)
