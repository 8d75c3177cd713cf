"""What each command can do for a network of one's own: a sentence each, for all commands of two-layer networks.

A command that is not in the table knows two-layer networks only: it has no ``--network``.
"""

from __future__ import annotations

from collections.abc import Callable

from dynamics.networks.laws import SEARCHED
from dynamics.networks.network import LARGEST_SYMBOLIC
from dynamics.networks.problem import NetworkProblem
from dynamics.problem.verbs import EXACT, NUMERICAL, SECOND_ORDER, TRAINING, UNKNOWN, VERBS, Coverage

Reason = Callable[[NetworkProblem], Coverage]
TWO_LAYERS = "known only for two-layer networks"
SAMPLED = "means over draws, with error bars"


def network_scope(problem: NetworkProblem) -> list[Coverage]:
    """What each command can do for a network of one's own, in the order in which `quadflow scope` lists them."""
    return [
        KNOWN[verb.command](problem) if verb.command in KNOWN else Coverage(verb.command, UNKNOWN, TWO_LAYERS)
        for verb in VERBS
    ]


def _derive(problem: NetworkProblem) -> Coverage:
    if problem.network.size > LARGEST_SYMBOLIC:
        return Coverage("derive", UNKNOWN, f"formulas have at most {LARGEST_SYMBOLIC} parameters")
    return Coverage("derive", EXACT, "loss and flow, symbolically, from the moments of the inputs")


def _simulate(problem: NetworkProblem) -> Coverage:
    if problem.expectation.samples:
        return Coverage("simulate", NUMERICAL, SAMPLED)
    return Coverage(
        "simulate", EXACT, f"backpropagation on the grid ({problem.means}), integrated to the tolerance"
    )


def _modified(problem: NetworkProblem) -> Coverage:
    name = "simulate --correction modified"
    return Coverage(name, SECOND_ORDER, "by Hessian-vector products; error O(η²) over finite times")


def _points(problem: NetworkProblem) -> Coverage:
    return Coverage("fixed-points", NUMERICAL, "found by --search, with index, nullity and symmetries")


def _conserved(problem: NetworkProblem) -> Coverage:
    network = problem.network
    if network.expressions is None:
        return Coverage("conserved", EXACT, "balances between layers, as matrices where units can be mixed")
    if network.size > SEARCHED:
        return Coverage("conserved", UNKNOWN, f"expressions are searched up to {SEARCHED} parameters")
    return Coverage("conserved", EXACT, "all polynomial laws up to the second degree")


def _train(problem: NetworkProblem) -> Coverage:
    return Coverage("train", TRAINING, "PyTorch trains; nothing is predicted")


def _compare(problem: NetworkProblem) -> Coverage:
    return Coverage("compare", SECOND_ORDER, "step and finite data by theory, sampling noise by training")


KNOWN: dict[str, Reason] = {
    "derive": _derive,
    "simulate": _simulate,
    "simulate --correction modified": _modified,
    "fixed-points": _points,
    "conserved": _conserved,
    "train": _train,
    "compare": _compare,
}
