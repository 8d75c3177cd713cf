"""G-SGD on data: descent on path values against SGD, from one start and from rescaled copies of it."""

from __future__ import annotations

from empirical.neuron.architectures import Architecture, Mlp, SmallCnn
from empirical.studies.contenders import PathContender
from empirical.studies.study import Settings, Study, choose_network

NETWORKS: dict[str, Architecture] = {"mlp": Mlp((32, 32)), "cnn": SmallCnn((6, 12))}
RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
QUICK_RATES = (0.01, 0.1)
PATHS_UNIT = 0.01  # path values take smaller steps than weights, see `empirical.gsgd.GSGD`
SPREAD = 1.0  # of the logarithms of the factors by which units are rescaled


def gsgd_study(settings: Settings) -> Study:
    """SGD and G-SGD with best rates for both; of fully connected networks, rescaled copies too."""
    network = choose_network(settings, NETWORKS)
    contenders = [PathContender("SGD", network), PathContender("G-SGD", network, paths=True, unit=PATHS_UNIT)]
    pairs = [("G-SGD", "SGD")]
    if settings.network == "mlp":
        contenders += [
            PathContender("SGD, rescaled start", network, spread=SPREAD),
            PathContender("G-SGD, rescaled start", network, paths=True, unit=PATHS_UNIT, spread=SPREAD),
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
