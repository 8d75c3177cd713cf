"""HanNets on data: Householder-absolute layers against dense ones over a grid of sizes."""

from __future__ import annotations

from empirical.studies.contenders import DepthContender
from empirical.studies.study import Settings, Study

LAYERS = 8  # of a HanNet, five of them Han layers
DENSE_LAYERS = 3
HAN_WIDTHS = (6, 10, 16, 26, 42)
DENSE_WIDTHS = (7, 12, 18, 28, 44)  # of about as many parameters each, for ten inputs
RATES = (0.03, 0.1, 0.3, 1.0, 3.0)
QUICK_RATES = (0.3, 1.0)


def hannet_study(settings: Settings) -> Study:
    """HanNets and dense networks of five sizes each."""
    sizes = list(zip(HAN_WIDTHS, DENSE_WIDTHS, strict=True))
    if settings.quick:
        sizes = sizes[:2]
    han = [DepthContender(width, LAYERS, han=True) for width, _ in sizes]
    dense = [DepthContender(width, DENSE_LAYERS) for _, width in sizes]
    return Study(
        "hannet",
        "Householder-absolute networks against dense ones",
        settings,
        (*han, *dense),
        tuple((a.label, b.label) for a, b in zip(han, dense, strict=True)),
        QUICK_RATES if settings.quick else RATES,
        along="parameters",
    )
