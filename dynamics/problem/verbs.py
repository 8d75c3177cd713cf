"""What every command can do for a problem: exactly, to some order, numerically, or not at all.

Each command stands on one theory of `dynamics.problem.scope`; `quadflow scope` prints the table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dynamics.problem.problem import Problem
from dynamics.problem.scope import THEORIES

EXACT, SECOND_ORDER, NUMERICAL, TRAINING, UNKNOWN = (
    "exact",
    "second order",
    "numerical",
    "training only",
    "not known",
)


@dataclass(frozen=True)
class Coverage:
    """What a command can do for a problem.

    Parameters
    ----------
    command : str
    status : str
        "exact", "second order" (in the step size), "numerical", "training only" or "not known".
    reason : str
    """

    command: str
    status: str
    reason: str


@dataclass(frozen=True)
class Verb:
    """A command, the theory behind it, and what is left where that does not hold.

    Parameters
    ----------
    command, theory, status : str
        Where the theory covers the problem, its status.
    means : str or callable problem → str
        What that means.
    otherwise : str
        Status where it does not.
    also : tuple of str
        Further theories without which there is nothing left.
    constrained : str
        The theory of weights under a constraint, where that is another one.
    """

    command: str
    theory: str
    status: str
    means: str | Callable[[Problem], str]
    otherwise: str = UNKNOWN
    also: tuple[str, ...] = ()
    constrained: str = ""

    def coverage(self, problem: Problem) -> Coverage:
        """What it can do for a problem."""
        for theory in self.also:
            if missing := THEORIES[theory].gap(problem):
                return Coverage(self.command, UNKNOWN, missing)
        theory = self.constrained if problem.constraint and self.constrained else self.theory
        gap = THEORIES[theory].gap(problem)
        if gap:
            return Coverage(self.command, self.otherwise, gap)
        means = self.means if isinstance(self.means, str) else self.means(problem)
        return Coverage(self.command, self.status, means)


def _mean(p: Problem) -> str:
    """Of which order the mean of SGD is."""
    known = "mean over seeds, closed in the order parameters"
    return f"{known}, of leading order in the input dimension" if p.constraint else known


def _listed(p: Problem) -> str:
    """Which stationary points a catalogue lists."""
    if p.law.clock is not None:
        return "all of them, with index and kind"
    return "those on the axes, with index and kind; a search looks for others"


VERBS: tuple[Verb, ...] = (
    Verb("derive", "derivation", EXACT, "loss and flow, symbolically, from the moments of the inputs"),
    Verb("derive --format tensor", "index-free form", EXACT, "the same for all sizes"),
    Verb("simulate", "flow", EXACT, "closed-form loss and gradient, integrated to the tolerance"),
    Verb("simulate --correction modified", "modified flow", SECOND_ORDER, "error O(η²) over finite times"),
    Verb(
        "simulate --sgd",
        "mean SGD",
        SECOND_ORDER,
        lambda p: _mean(p),
        constrained="mean SGD on the sphere",
    ),
    Verb(
        "schedule", "best rates", NUMERICAL, "the best rate of every schedule; optimal annealing of one unit"
    ),
    Verb(
        "fixed-points",
        "catalogue",
        EXACT,
        lambda p: _listed(p),
        NUMERICAL,
        constrained="catalogue on the sphere",
    ),
    Verb(
        "conserved", "balances", EXACT, "of every unit, or of pairs of units where the second layer is fixed"
    ),
    Verb("staircase", "staircase", EXACT, "in the limit of a small initial scale"),
    Verb("diagnose", "outcome", EXACT, "from conserved signs and the levels of the stationary points"),
    Verb(
        "escape",
        "escape time",
        EXACT,
        "one unit on the sphere, its second layer fixed: an integral over the overlap",
    ),
    Verb(
        "gaussianity",
        "gaussian theory",
        EXACT,
        "the flow beside that of Gaussian inputs, and a bound on their difference",
    ),
    Verb("train", "training", TRAINING, "PyTorch trains; nothing is predicted"),
    Verb("compare", "flow", EXACT, "the flow beside trained networks", also=("training",)),
    Verb(
        "compare --gap theory",
        "gap",
        SECOND_ORDER,
        "noise and step to second order",
        TRAINING,
        also=("training",),
    ),
)


def scope(problem: Problem) -> tuple[Coverage, ...]:
    """What every command can do for a problem, in the order of the table."""
    return tuple(verb.coverage(problem) for verb in VERBS)
