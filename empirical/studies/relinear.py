"""ReLinear on data: quadratic neurons from random starts and from ordinary ones, with slow or shrinking parts."""

from __future__ import annotations

from empirical.neuron.architectures import Architecture, Mlp, SmallCnn
from empirical.neuron.kinds import OrdinaryNeurons, QuadraticNeurons
from empirical.neuron.models import Model
from empirical.studies.contenders import NeuronContender
from empirical.studies.study import Settings, Study, choose_network

NETWORKS: dict[str, Architecture] = {"mlp": Mlp((16, 16)), "cnn": SmallCnn((6, 12))}
RATES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
QUICK_RATES = (0.03, 0.3)
GAMMAS = (1.0, 0.1, 0.01)
SHRINK = 0.1
REFERENCE = "ordinary, equal parameters"


def relinear_study(settings: Settings) -> Study:
    """Random start, ReLinear with several γ, shrinking weights, and ordinary networks."""
    network = choose_network(settings, NETWORKS)
    kinds = [
        QuadraticNeurons("random"),
        *(QuadraticNeurons("relinear", gamma=gamma) for gamma in GAMMAS),
        QuadraticNeurons("relinear", shrink=SHRINK),
    ]
    quadratic = [NeuronContender(kind.label, Model(network, kind)) for kind in kinds]
    others = [
        NeuronContender(REFERENCE, quadratic[0].model, equal=True),
        NeuronContender("ordinary, equal widths", Model(network, OrdinaryNeurons())),
    ]
    if settings.quick:
        quadratic, others = quadratic[:2], others[:1]
    random, relinear = quadratic[0].label, quadratic[1].label
    pairs = (
        (relinear, random),
        *((contender.label, REFERENCE) for contender in quadratic),
    )
    return Study(
        "relinear",
        "Quadratic neurons from random starts and by ReLinear",
        settings,
        (*quadratic, *others),
        pairs,
        QUICK_RATES if settings.quick else RATES,
    )
