"""Which theory covers which problem, and why not: the one guard, in one table of sentences.

Every theory asks `require` before it computes; `scope` says the same of all commands at once. A new ingredient of the
problem is a new need (`dynamics.problem.needs`) of some theories here; the others go on without it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dynamics.errors import ProblemError
from dynamics.problem.needs import (
    ALIGNED,
    ALL_DECAY,
    AXES,
    BIAS_OF_CLASSES,
    BOTH_LABELS,
    CENTRED,
    CLOSED_STEPS,
    COMMUTING,
    DECAYED_AT_REST,
    DIFFERENTIABLE,
    ENOUGH_UNITS,
    EQUAL,
    EQUAL_SIZES,
    FEW_KINKS,
    FIXED,
    FORM_LOSS,
    FORMS,
    GAUSSIAN,
    GAUSSIAN_DECAY,
    GAUSSIAN_LOSS,
    HOMOGENEOUS,
    KNOWN_LAW,
    KNOWN_LOSS,
    LAYERED,
    MOMENTS,
    NO_VANISHING_FORM,
    ONE_DIRECTION,
    ONE_MODE,
    ONE_OUTPUT,
    ONE_UNIT,
    POLYNOMIAL,
    RAW,
    ROTATIONAL,
    SAME,
    SEPARABLE,
    SHORT_KERNELS,
    SQUARE_LOSS,
    TRAINED,
    TRAINED_LOSS,
    TWO_INPUTS,
    UNDECAYED,
    UNDECAYED_LOSS,
    UNMIXED,
    WHITE,
    WHITE_DECAY,
    Need,
    sums_of,
)
from dynamics.problem.one_pass import FEW_TERMS, MOST_TERMS
from dynamics.problem.problem import Problem

EXACT, SECOND_ORDER, NUMERICAL, TRAINING, UNKNOWN = (
    "exact",
    "second order",
    "numerical",
    "training only",
    "not known",
)


@dataclass(frozen=True)
class Theory:
    """A theory, and what it needs.

    Parameters
    ----------
    subject : str
        What it is, in the singular: "the catalogue of stationary points".
    needs : tuple of Need
    remedy : str
        What to do where it does not cover a problem.
    """

    subject: str
    needs: tuple[Need, ...] = ()
    remedy: str = ""

    def gap(self, problem: Problem) -> str:
        """Why the theory does not cover the problem, in one sentence; empty if it does."""
        for need in self.needs:
            if not need.met(problem):
                remedy = f": {self.remedy}" if self.remedy else ""
                only = need.needed(problem)
                return f"{need.found(problem)}, but {self.subject} is known only for {only}{remedy}."
        return ""


THEORIES: dict[str, Theory] = {
    "derivation": Theory("the symbolic flow of given sizes", (SQUARE_LOSS, POLYNOMIAL, MOMENTS, UNMIXED)),
    "index-free form": Theory("the index-free form", (SQUARE_LOSS, GAUSSIAN, SHORT_KERNELS)),
    "flow": Theory("the gradient flow", (KNOWN_LAW, KNOWN_LOSS), "train networks instead"),
    "modified flow": Theory("the flow of a finite step", (KNOWN_LAW, KNOWN_LOSS)),
    "path flow": Theory("the flow in path space", (SQUARE_LOSS, KNOWN_LAW, HOMOGENEOUS, TRAINED, UNDECAYED)),
    "Muon flow": Theory("the flow of Muon", (SQUARE_LOSS, KNOWN_LAW, FIXED)),
    "sign flow": Theory(
        "the sign flow", (SQUARE_LOSS, GAUSSIAN, CENTRED, SAME, ONE_OUTPUT, WHITE, UNDECAYED)
    ),
    "data flow": Theory("the flow on a data set", (SQUARE_LOSS, KNOWN_LAW, DIFFERENTIABLE)),
    "mean SGD": Theory(
        "the mean dynamics of SGD",
        (
            SQUARE_LOSS,
            GAUSSIAN,
            CLOSED_STEPS,
            FEW_KINKS,
            sums_of(MOST_TERMS, "some tenths of a second each"),
            WHITE,
        ),
        "train networks instead",
    ),
    "best rates": Theory(
        "the best rate of a schedule",
        (
            SQUARE_LOSS,
            GAUSSIAN,
            CLOSED_STEPS,
            FEW_KINKS,
            sums_of(FEW_TERMS, "as it takes a hundred of them for every step"),
            WHITE,
        ),
    ),
    "spread of SGD": Theory("the spread of SGD over seeds", (SQUARE_LOSS, GAUSSIAN, FORMS, SAME, WHITE)),
    "gap": Theory(
        "the theory of the gap", (SQUARE_LOSS, GAUSSIAN, FORMS, SAME, WHITE), "it is measured by training"
    ),
    "annealing": Theory(
        "the optimal annealing",
        (
            SQUARE_LOSS,
            GAUSSIAN,
            RAW,
            SAME,
            FIXED,
            WHITE,
            ONE_OUTPUT,
            ONE_UNIT,
            ONE_MODE,
            TWO_INPUTS,
            UNDECAYED,
        ),
    ),
    "catalogue": Theory(
        "the catalogue of stationary points",
        (
            KNOWN_LOSS,
            GAUSSIAN_LOSS,
            UNDECAYED_LOSS,
            BIAS_OF_CLASSES,
            BOTH_LABELS,
            FORMS,
            SAME,
            ALIGNED,
            KNOWN_LAW,
            NO_VANISHING_FORM,
            AXES,
            ONE_OUTPUT,
            GAUSSIAN_DECAY,
            ALL_DECAY,
            WHITE_DECAY,
        ),
        "use the numerical search",
    ),
    "critical subspaces": Theory(
        "the search for critical subspaces", (SQUARE_LOSS, KNOWN_LAW, FORM_LOSS, ONE_OUTPUT, UNDECAYED)
    ),
    "staircase": Theory(
        "the prediction of plateaus and jumps",
        (
            KNOWN_LOSS,
            GAUSSIAN_LOSS,
            UNDECAYED_LOSS,
            TRAINED_LOSS,
            BIAS_OF_CLASSES,
            BOTH_LABELS,
            FORMS,
            SAME,
            ROTATIONAL,
            KNOWN_LAW,
            NO_VANISHING_FORM,
            ONE_OUTPUT,
            GAUSSIAN_DECAY,
            COMMUTING,
        ),
    ),
    "outcome": Theory(
        "the verdict on a start",
        (
            KNOWN_LOSS,
            GAUSSIAN_LOSS,
            UNDECAYED_LOSS,
            BIAS_OF_CLASSES,
            BOTH_LABELS,
            FORMS,
            SAME,
            ROTATIONAL,
            KNOWN_LAW,
            NO_VANISHING_FORM,
            ONE_OUTPUT,
            GAUSSIAN_DECAY,
            DECAYED_AT_REST,
        ),
    ),
    "growth law": Theory(
        "the law of weights that grow for ever",
        (KNOWN_LOSS, GAUSSIAN, FORMS, SAME, SEPARABLE, BOTH_LABELS, UNDECAYED, ENOUGH_UNITS, EQUAL_SIZES),
    ),
    "escape time": Theory(
        "the escape time",
        (SQUARE_LOSS, GAUSSIAN, ONE_OUTPUT, ONE_UNIT, ONE_DIRECTION, WHITE, UNDECAYED, TWO_INPUTS),
    ),
    "balances": Theory("a conserved quantity", (HOMOGENEOUS, LAYERED)),
    "gradient noise": Theory("the noise of the gradient", (SQUARE_LOSS, GAUSSIAN, FORMS, SAME)),
    "closed form": Theory(
        "the closed form", (SQUARE_LOSS, GAUSSIAN, FORMS, SAME, FIXED, WHITE, ONE_OUTPUT, EQUAL)
    ),
    "gaussian theory": Theory("what Gaussian inputs would have given", (SQUARE_LOSS, KNOWN_LAW, FORMS, SAME)),
    "training": Theory("the training of networks"),
}


def require(theory: str, problem: Problem) -> None:
    """Refuse a problem that a theory does not cover.

    Raises
    ------
    ProblemError
        In one sentence: what the problem has, and what the theory needs.
    """
    reason = THEORIES[theory].gap(problem)
    if reason:
        raise ProblemError(reason)


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
    """

    command: str
    theory: str
    status: str
    means: str | Callable[[Problem], str]
    otherwise: str = UNKNOWN

    def coverage(self, problem: Problem) -> Coverage:
        """What it can do for a problem."""
        gap = THEORIES[self.theory].gap(problem)
        if gap:
            return Coverage(self.command, self.otherwise, gap)
        means = self.means if isinstance(self.means, str) else self.means(problem)
        return Coverage(self.command, self.status, means)


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
    Verb("simulate --sgd", "mean SGD", SECOND_ORDER, "mean over seeds, closed in the order parameters"),
    Verb(
        "schedule", "best rates", NUMERICAL, "the best rate of every schedule; optimal annealing of one unit"
    ),
    Verb("fixed-points", "catalogue", EXACT, lambda p: _listed(p), NUMERICAL),
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
    Verb("compare", "flow", EXACT, "the flow beside trained networks"),
    Verb("compare --gap theory", "gap", SECOND_ORDER, "noise and step to second order", TRAINING),
)


def scope(problem: Problem) -> tuple[Coverage, ...]:
    """What every command can do for a problem, in the order of the table."""
    return tuple(verb.coverage(problem) for verb in VERBS)
