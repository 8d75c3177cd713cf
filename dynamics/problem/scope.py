"""Which theory covers which problem, and why not: the one guard, in one table of sentences.

Every theory asks `require` before it computes; `dynamics.problem.verbs` says the same of all commands at once. A new
ingredient of the problem is a new need (`dynamics.problem.needs`): of some theories here, or of all that do not say
that they go beyond it (`ORDINARY`).
"""

from __future__ import annotations

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
    FINITE,
    FIXED,
    FIXED_BIAS,
    FORM_LOSS,
    FORMS,
    FREE,
    GAUSSIAN,
    GAUSSIAN_DECAY,
    GAUSSIAN_LOSS,
    HOMOGENEOUS,
    KNOWN_LAW,
    KNOWN_LOSS,
    LAYERED,
    MODERATE,
    MOMENTS,
    NO_VANISHING_FORM,
    ONE_DIRECTION,
    ONE_MODE,
    ONE_OUTPUT,
    ONE_SIGN,
    ONE_UNIT,
    POLYNOMIAL,
    RAW,
    ROTATIONAL,
    SAME,
    SEPARABLE,
    SHORT_KERNELS,
    SPHERE,
    SQUARE_LOSS,
    STORED,
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

ORDINARY = (SQUARE_LOSS, FREE)
"""What every theory needs that does not say otherwise: ingredients that most have not taken in."""


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
    beyond : tuple of Need
        Needs of `ORDINARY` that it does without.
    """

    subject: str
    needs: tuple[Need, ...] = ()
    remedy: str = ""
    beyond: tuple[Need, ...] = ()

    def gap(self, problem: Problem) -> str:
        """Why the theory does not cover the problem, in one sentence; empty if it does."""
        ordinary = tuple(need for need in ORDINARY if need not in self.beyond)
        for need in ordinary + self.needs:
            if not need.met(problem):
                remedy = f": {self.remedy}" if self.remedy else ""
                only = need.needed(problem)
                return f"{need.found(problem)}, but {self.subject} is known only for {only}{remedy}."
        return ""


ORDER_PARAMETERS = (
    GAUSSIAN,
    CLOSED_STEPS,
    FEW_KINKS,
    sums_of(MOST_TERMS, "some tenths of a second each"),
    WHITE,
    FINITE,
)
"""What the equations of order parameters need."""

RESTING_LOSSES = (KNOWN_LOSS, GAUSSIAN_LOSS, UNDECAYED_LOSS)
"""Losses under which states at rest are known."""

RESTING_CLASSES = (BIAS_OF_CLASSES, MODERATE, BOTH_LABELS)
"""And labels, where they are classes."""

ALIGNED_FORMS = (FORMS, SAME, ROTATIONAL, KNOWN_LAW, NO_VANISHING_FORM, ONE_OUTPUT)
"""Networks whose states at rest are aligned with the teacher, whatever its axes."""

THEORIES: dict[str, Theory] = {
    "start by order parameters": Theory(
        "a start by order parameters", (ROTATIONAL, WHITE), beyond=(SQUARE_LOSS, FREE)
    ),
    "start by a form": Theory("a start by its form", (FORMS, FIXED, EQUAL), beyond=(SQUARE_LOSS,)),
    "mean-field limit": Theory(
        "the limit of infinitely many units", (FORMS, FIXED, EQUAL), beyond=(SQUARE_LOSS,)
    ),
    "derivation": Theory("the symbolic flow of given sizes", (POLYNOMIAL, MOMENTS, UNMIXED, STORED, FINITE)),
    "index-free form": Theory("the index-free form", (GAUSSIAN, SHORT_KERNELS)),
    "flow": Theory(
        "the gradient flow", (KNOWN_LAW, KNOWN_LOSS), "train networks instead", beyond=(SQUARE_LOSS, FREE)
    ),
    "modified flow": Theory("the flow of a finite step", (KNOWN_LAW, KNOWN_LOSS), beyond=(SQUARE_LOSS,)),
    "path flow": Theory(
        "the flow in path space", (KNOWN_LAW, HOMOGENEOUS, TRAINED, UNDECAYED, STORED, FINITE)
    ),
    "Muon flow": Theory("the flow of Muon", (KNOWN_LAW, FIXED, STORED, FINITE)),
    "sign flow": Theory(
        "the sign flow", (GAUSSIAN, CENTRED, SAME, ONE_OUTPUT, WHITE, UNDECAYED, STORED, FINITE)
    ),
    "data flow": Theory(
        "the flow on a data set", (KNOWN_LAW, KNOWN_LOSS, DIFFERENTIABLE, STORED), beyond=(SQUARE_LOSS, FREE)
    ),
    "mean SGD": Theory(
        "the mean dynamics of SGD",
        ORDER_PARAMETERS,
        "train networks instead",
    ),
    "mean SGD on the sphere": Theory(
        "the mean dynamics of SGD on the sphere",
        (*ORDER_PARAMETERS, SPHERE),
        "train networks instead",
        beyond=(FREE,),
    ),
    "best rates": Theory(
        "the best rate of a schedule",
        (
            GAUSSIAN,
            CLOSED_STEPS,
            FEW_KINKS,
            sums_of(FEW_TERMS, "as it takes a hundred of them for every step"),
            WHITE,
            STORED,
            FINITE,
        ),
    ),
    "spread of SGD": Theory("the spread of SGD over seeds", (GAUSSIAN, FORMS, SAME, WHITE, FINITE)),
    "gap": Theory(
        "the theory of the gap",
        (GAUSSIAN, FORMS, SAME, WHITE, STORED, FINITE),
        "it is measured by training",
    ),
    "annealing": Theory(
        "the optimal annealing",
        (
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
            STORED,
            FINITE,
        ),
    ),
    "catalogue": Theory(
        "the catalogue of stationary points",
        (
            *RESTING_LOSSES,
            *RESTING_CLASSES,
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
            STORED,
            FINITE,
        ),
        "use the numerical search",
        beyond=(SQUARE_LOSS,),
    ),
    "catalogue on the sphere": Theory(
        "the catalogue of stationary points on the sphere",
        (*ALIGNED_FORMS, WHITE, ONE_SIGN, STORED, SPHERE),
        "use the numerical search",
        beyond=(FREE,),
    ),
    "critical subspaces": Theory(
        "the search for critical subspaces",
        (KNOWN_LAW, FORM_LOSS, ONE_OUTPUT, UNDECAYED, STORED, FINITE),
    ),
    "staircase": Theory(
        "the prediction of plateaus and jumps",
        (
            *RESTING_LOSSES,
            TRAINED_LOSS,
            *RESTING_CLASSES,
            *ALIGNED_FORMS,
            GAUSSIAN_DECAY,
            COMMUTING,
            STORED,
            FINITE,
        ),
        beyond=(SQUARE_LOSS,),
    ),
    "outcome": Theory(
        "the verdict on a start",
        (
            *RESTING_LOSSES,
            *RESTING_CLASSES,
            *ALIGNED_FORMS,
            GAUSSIAN_DECAY,
            DECAYED_AT_REST,
            STORED,
            FINITE,
        ),
        beyond=(SQUARE_LOSS,),
    ),
    "growth law": Theory(
        "the law of weights that grow for ever",
        (
            KNOWN_LOSS,
            GAUSSIAN,
            FORMS,
            SAME,
            SEPARABLE,
            BOTH_LABELS,
            UNDECAYED,
            ENOUGH_UNITS,
            EQUAL_SIZES,
            STORED,
            FINITE,
        ),
        beyond=(SQUARE_LOSS,),
    ),
    "escape time": Theory(
        "the escape time",
        (GAUSSIAN, ONE_OUTPUT, ONE_UNIT, ONE_DIRECTION, WHITE, UNDECAYED, TWO_INPUTS, STORED, FINITE),
        beyond=(FREE,),
    ),
    "balances": Theory("a conserved quantity", (HOMOGENEOUS, LAYERED, FINITE), beyond=(SQUARE_LOSS,)),
    "gradient noise": Theory("the noise of the gradient", (GAUSSIAN, FORMS, SAME, STORED, FINITE)),
    "closed form": Theory("the closed form", (GAUSSIAN, FORMS, SAME, FIXED, WHITE, ONE_OUTPUT, EQUAL)),
    "gaussian theory": Theory(
        "what Gaussian inputs would have given", (KNOWN_LAW, FORMS, SAME, STORED, FINITE)
    ),
    "ensemble of flows": Theory(
        "an ensemble of flows", (STORED, FINITE, FIXED_BIAS), beyond=(SQUARE_LOSS, FREE)
    ),
    "other optimisers": Theory(
        "the flow of another optimiser than gradient descent", (FINITE,), beyond=(SQUARE_LOSS,)
    ),
    "natural gradient": Theory("the flow of the natural gradient", (FIXED_BIAS,), beyond=(SQUARE_LOSS, FREE)),
    "tangent kernel": Theory("the spectrum of the tangent kernel"),
    "second derivatives": Theory(
        "the matrix of second derivatives over all weights", (FINITE,), beyond=(SQUARE_LOSS,)
    ),
    "training": Theory("the training of networks", (STORED, FINITE), beyond=(SQUARE_LOSS, FREE)),
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
