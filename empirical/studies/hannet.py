"""HanNets on data: Householder-absolute layers against dense ones over a grid of sizes."""

from __future__ import annotations

from empirical.neuron.architectures import SmallCnn
from empirical.studies.contenders import DepthContender
from empirical.studies.depth import DenseHead, DenseStack, HanHead, HanStack
from empirical.studies.study import Settings, Study, choose_network

LAYERS = 8  # of a HanNet, five of them Han layers
SHALLOW = 3  # of a dense network that has as many dense layers before its outputs as the HanNet
WIDTHS = (6, 10, 16, 26, 42)
CONVOLUTIONS = SmallCnn((6, 12))
HEADS = (1, 2, 4)  # layers before the classifier
RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
QUICK_RATES = (0.3, 1.0)


def hannet_study(settings: Settings) -> Study:
    """Networks with Han layers, and with dense ones in their place."""
    contenders, pairs = choose_network(settings, {"mlp": _stacks, "cnn": _heads})(settings.quick)
    return Study(
        "hannet",
        "Householder-absolute layers against dense ones",
        settings,
        contenders,
        pairs,
        QUICK_RATES if settings.quick else RATES,
        along="parameters",
    )


Parts = tuple[tuple[DepthContender, ...], tuple[tuple[str, str], ...]]


def _stacks(quick: bool) -> Parts:
    """HanNets of five sizes, and dense networks with as many parameters, as deep ones and shallow ones."""
    han: list[DepthContender] = []
    shallow: list[DepthContender] = []
    deep: list[DepthContender] = []
    for width in WIDTHS[:2] if quick else WIDTHS:
        stack = HanStack(width, LAYERS)
        han.append(DepthContender(f"HanNet {width}", "HanNet", stack))
        for layers, found in ((SHALLOW, shallow), (LAYERS, deep)):
            family = f"dense, {layers} layers"
            found.append(DepthContender(f"{family}, as HanNet {width}", family, DenseStack(stack, layers)))
    pairs = [(a.label, b.label) for others in (shallow, deep) for a, b in zip(han, others, strict=True)]
    return (*han, *shallow, *deep), tuple(pairs)


def _heads(quick: bool) -> Parts:
    """A small convolutional network without and with layers before its classifier."""
    plain = DepthContender("CNN", "CNN", HanHead(CONVOLUTIONS, 0))
    numbers = HEADS[:1] if quick else HEADS
    han = [DepthContender(f"CNN, {n} Han", "CNN, Han layers", HanHead(CONVOLUTIONS, n)) for n in numbers]
    dense = [
        DepthContender(f"CNN, {n} dense", "CNN, dense layers", DenseHead(CONVOLUTIONS, n)) for n in numbers
    ]
    pairs = [(a.label, b.label) for a, b in zip(han, dense, strict=True)] + [
        (a.label, plain.label) for a in han
    ]
    return (plain, *han, *dense), tuple(pairs)
