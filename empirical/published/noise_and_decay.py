"""A little weight decay and more and more label noise."""

from __future__ import annotations

from collections.abc import Sequence

from empirical.published.entry import Entry, Ours, Series
from empirical.published.sources import QUADRATIC, at
from empirical.published.symmetric_noise import FIRST_ORDER, errors_then_losses, regression

WIDTH, TEACHER_WIDTH, PENALTY = 0.4, 0.3, 0.01
ALPHA = (0.134211, 0.258421, 0.382632, 0.506842, 0.6)
NOISES = (0.1, 0.25, 0.5, 1.0)
ERRORS = (
    (2.0465, 0.52297, 0.20338, 0.084333, 0.057881),
    (2.1345, 0.82368, 0.50327, 0.20945, 0.14417),
    (2.281, 1.3129, 0.96695, 0.41067, 0.28542),
    (2.5594, 2.3093, 1.7972, 0.79246, 0.55978),
)
ERRORS_STD = (
    (0.060364, 0.013297, 0.0044252, 0.0012977, 0.0008114),
    (0.0643, 0.01926, 0.0095808, 0.0030779, 0.0020592),
    (0.068048, 0.029058, 0.016963, 0.0052629, 0.0040623),
    (0.07237, 0.055828, 0.024254, 0.0061706, 0.0086458),
)


def compute(series: Sequence[Series], quick: bool) -> list[Ours]:
    """Test errors, noise after noise."""
    regressions = [regression(TEACHER_WIDTH, WIDTH, PENALTY, noise) for noise in NOISES]
    return errors_then_losses(regressions, series)[: len(NOISES)]


ENTRY = Entry(
    name="noise-and-decay",
    claim="Networks of width 0.4 d with weak weight decay and label noise, teacher of width 0.3 d, d = 100.",
    source=at(
        QUADRATIC, "GDSimulations/postprocess/Fig6 (MSE1.pt, alpha1.pt; mean and standard error of 10 runs)"
    ),
    series=tuple(
        Series(
            quantity="MSE",
            case=f"Δ = {noise:g}",
            at=ALPHA,
            along="n/d²",
            values=values,
            errors=spread,
            tolerance=FIRST_ORDER,
            few=(3,),
        )
        for noise, values, spread in zip(NOISES, ERRORS, ERRORS_STD, strict=True)
    ),
    command="quadflow sample-size --teacher marchenko-pastur:0.3 --alpha 0.13:0.6:5 --weight-decay-order 0.02 "
    "--label-noise 0.25 --width 0.4",
    compute=compute,
    scales=("linear", "log"),
)
