"""G-SGD on data: descent on path values against SGD, from one start and from rescaled copies of it."""

from __future__ import annotations

from dynamics.validation import validate_choice
from empirical.neuron.architectures import Architecture, Mlp, SmallCnn
from empirical.studies.contenders import PathContender
from empirical.studies.study import Settings, Study

NETWORKS: dict[str, Architecture] = {"mlp": Mlp((32, 32)), "cnn": SmallCnn((6, 12))}
RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
QUICK_RATES = (0.01, 0.1)
SPREAD = 1.0  # of the logarithms of the factors by which units are rescaled


def gsgd_study(settings: Settings) -> Study:
    """SGD and G-SGD with best rates for both; of fully connected networks, rescaled copies too."""
    network = NETWORKS[validate_choice("network", settings.network, NETWORKS)]
    contenders = [PathContender("SGD", network), PathContender("G-SGD", network, paths=True)]
    pairs = [("G-SGD", "SGD")]
    if settings.network == "mlp":
        contenders += [
            PathContender("SGD, rescaled start", network, spread=SPREAD),
            PathContender("G-SGD, rescaled start", network, paths=True, spread=SPREAD),
        ]
        pairs += [("SGD, rescaled start", "SGD"), ("G-SGD, rescaled start", "G-SGD")]
    return Study(
        "gsgd",
        "Descent on path values against SGD",
        settings,
        tuple(contenders),
        tuple(pairs),
        QUICK_RATES if settings.quick else RATES,
    )
