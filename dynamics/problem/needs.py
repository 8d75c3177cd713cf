"""What theories need of a problem, each need with the words that say what a problem has instead.

A new ingredient of the problem is a new `Need` here, which the theories that cannot go on without it name in
`dynamics.problem.scope`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dynamics.activations.base import ELEMENTARY, POLYNOMIALS, QUADRATICS
from dynamics.problem.aligned_loss import aligned_loss, along_axes
from dynamics.problem.landscapes import (
    LARGEST,
    RARE,
    largest_logit,
    rarer_class,
    separates,
    whitened_eigenvalues,
)
from dynamics.problem.one_pass import closure, mean_step_terms
from dynamics.problem.problem import ANY_LOSS, Problem
from dynamics.problem.reduction import in_range
from dynamics.words import counted

COMMUTE = 1e-9  # relative size of ΣM − MΣ below which the two have a common eigenbasis


@dataclass(frozen=True)
class Need:
    """What a theory needs of a problem.

    Parameters
    ----------
    met : callable problem → bool
    found : callable problem → str
        What the problem has instead, naming the option.
    only : str or callable problem → str
        What it needs: "… only for {only}".
    """

    met: Callable[[Problem], bool]
    found: Callable[[Problem], str]
    only: str | Callable[[Problem], str]

    def needed(self, problem: Problem) -> str:
        """What it needs, in words."""
        return self.only if isinstance(self.only, str) else self.only(problem)


GAUSSIAN = Need(lambda p: p.law.gaussian, lambda p: _inputs(p), "Gaussian inputs")
SQUARE_LOSS = Need(lambda p: p.loss.is_square, lambda p: f"`loss` is {p.loss.name!r}", "the square loss")
KNOWN_LOSS = Need(
    lambda p: p.loss.is_square or p.law.any_loss(p) is not None,
    lambda p: f"`loss` is {p.loss.name!r}, {_inputs(p)} and {_units(p)}",
    ANY_LOSS,
)
GAUSSIAN_LOSS = Need(
    lambda p: p.loss.is_square or p.law.gaussian_lengths(p) is not None,
    lambda p: f"`loss` is {p.loss.name!r} and {_inputs(p)}",
    "Gaussian inputs, and Student's law of finite moments for quadratic units, where the loss is not square",
)
UNDECAYED_LOSS = Need(
    lambda p: p.loss.is_square or not p.weight_decay,
    lambda p: f"`loss` is {p.loss.name!r} beside `weight_decay`",
    "the square loss where weights decay",
)
TRAINED_LOSS = Need(
    lambda p: p.loss.is_square or p.student.trainable,
    lambda p: f"`loss` is {p.loss.name!r} and the second layer is fixed",
    "a trained second layer where the loss is not square",
)
BIAS_OF_CLASSES = Need(
    lambda p: p.loss.classifies or not p.bias.trainable,
    lambda p: f"`bias` is {str(p.bias)!r} and `loss` is {p.loss.name!r}",
    "a bias that is not trained where the loss is one of the residual",
)
BOTH_LABELS = Need(
    lambda p: not p.loss.classifies or rarer_class(p) >= RARE,
    lambda p: _one_sided(p),
    f"labels of both classes, the rarer one with a share of at least {RARE:g}",
)
MODERATE = Need(
    lambda p: largest_logit(p) <= LARGEST,
    lambda p: f"`loss` is {p.loss.name!r} and outputs of the teacher are of the size {largest_logit(p):.3g}",
    f"eigenvalues and biases of up to {LARGEST:g}, beyond which rounding swallows the loss of classes",
)
SEPARABLE = Need(
    lambda p: separates(p),
    lambda p: f"`loss` is {p.loss.name!r} with labels {p.labels.name!r}" + (", flipped" if p.flip else ""),
    "hard labels of the logistic loss that nothing flips, with a trained bias or their boundary where f* = 0 = β",
)
ENOUGH_UNITS = Need(
    lambda p: _enough_units(p),
    lambda p: f"`hidden` is {p.student.hidden}",
    "as many units of either sign as the teacher has modes",
)
EQUAL_SIZES = Need(
    lambda p: p.student.trainable or (bool(p.student.A[0, 0]) and not np.ptp(np.abs(p.student.A))),
    lambda p: f"The second layer is {p.student.A.tolist()}",
    "a trained second layer, or one of equal sizes |a_k|",
)
FIXED_BIAS = Need(
    lambda p: not p.bias.trainable, lambda p: f"`bias` is {str(p.bias)!r}", "a bias that is not trained"
)
MOMENTS = Need(
    lambda p: p.law.kurtosis is not None or (p.law.clock is not None and p.law.knows(p)),
    lambda p: f"{_inputs(p)} and {_units(p)}",
    "laws that rotations leave as they are, with finite moments, and independent coordinates",
)
UNMIXED = Need(
    lambda p: p.law.clock is not None or p.covariance is None,
    lambda p: f"{_inputs(p)} and `covariance` is given",
    "uncorrelated independent coordinates",
)
KNOWN_LAW = Need(lambda p: p.law.knows(p), lambda p: f"{_inputs(p)} and {_units(p)}", lambda p: p.law.known)
FORMS = Need(
    lambda p: p.activation.trace_coupling is not None,
    lambda p: f"`activation` is {p.activation.name!r}",
    QUADRATICS,
)
ALIGNED = Need(
    lambda p: aligned_loss(p.activation, p.law) is not None,
    lambda p: _inputs(p),
    "Gaussian inputs, laws that rotations leave as they are, and independent coordinates",
)
AXES = Need(
    lambda p: p.law.clock is not None or along_axes(p),
    lambda p: (
        "`teacher` is not diagonal" if p.covariance is None else f"`covariance` is given and {_inputs(p)}"
    ),
    "uncorrelated inputs and a teacher along the axes, where coordinates are independent",
)
NO_VANISHING_FORM = Need(
    lambda p: _forms_matter(p),
    lambda p: f"{_inputs(p)} and {_units(p)}, so that some forms vanish for all inputs",
    "inputs on which none does",
)
GAUSSIAN_DECAY = Need(
    lambda p: not p.weight_decay or p.law.gaussian,
    lambda p: f"{_inputs(p)} beside `weight_decay`",
    "Gaussian inputs where weights decay",
)
ROTATIONAL = Need(
    lambda p: p.law.clock is not None,
    lambda p: _inputs(p),
    "Gaussian inputs and laws that rotations leave as they are",
)
FORM_LOSS = Need(
    lambda p: p.population.forms is not None,
    lambda p: _units(p),
    "losses that depend on the forms Σ a_k w_k w_kᵀ alone: quadratic and centred units of student and teacher, or of a "
    "student on data",
)
SAME = Need(
    lambda p: p.realisable,
    lambda p: f"`teacher_activation` is {p.teacher_activation.name!r}",
    "a teacher of the student's activation",
)
DIFFERENTIABLE = Need(
    lambda p: p.activation.trace_coupling is not None or p.activation.is_differentiable,
    lambda p: f"`activation` is {p.activation.name!r}",
    "activations with derivatives in closed form",
)
HOMOGENEOUS = Need(
    lambda p: p.activation.degree is not None,
    lambda p: f"`activation` is {p.activation.name!r}",
    "homogeneous activations",
)
POLYNOMIAL = Need(
    lambda p: p.activation.is_polynomial and p.teacher_activation.is_polynomial,
    lambda p: _units(p),
    POLYNOMIALS,
)
SHORT_KERNELS = Need(
    lambda p: p.activation.is_elementary and p.teacher_activation.is_elementary,
    lambda p: _units(p),
    ELEMENTARY,
)
ONE_OUTPUT = Need(
    lambda p: p.teacher.outputs == 1, lambda p: f"`outputs` is {p.teacher.outputs}", "one output"
)
WHITE = Need(lambda p: p.covariance is None, lambda p: "`covariance` is given", "uncorrelated inputs")
UNDECAYED = Need(
    lambda p: not p.weight_decay,
    lambda p: f"`weight_decay` is {p.weight_decay}",
    "problems without weight decay",
)
FREE = Need(
    lambda p: not p.constraint,
    lambda p: f"`constraint` is {p.constraint.name!r}",
    "weights without a constraint",
)
SPHERE = Need(
    lambda p: bool(p.constraint), lambda p: f"`constraint` is {p.constraint.name!r}", "units on the sphere"
)
ONE_SIGN = Need(
    lambda p: bool((p.student.A > 0).all() or (p.student.A < 0).all()),
    lambda p: f"The second layer is {p.student.A.tolist()}",
    "second-layer weights of one sign",
)
CENTRED = Need(
    lambda p: p.activation.trace_coupling == 0,
    lambda p: f"`activation` is {p.activation.name!r}",
    "centred quadratic units",
)
ALL_DECAY = Need(
    lambda p: bool(p.weight_decay.first) == bool(p.weight_decay.second) or not p.student.trainable,
    lambda p: f"`weight_decay` is {p.weight_decay}, so that no unit rests anywhere but where it adds nothing",
    "decay of both trained layers",
)
WHITE_DECAY = Need(
    lambda p: not p.weight_decay or p.covariance is None,
    lambda p: "`covariance` is given beside `weight_decay`",
    "uncorrelated inputs where weights decay",
)
DECAYED_AT_REST = Need(
    lambda p: not p.weight_decay or _rests_under_decay(p),
    lambda p: (
        f"`weight_decay` is {p.weight_decay}" + ("" if p.covariance is None else " and `covariance` is given")
    ),
    "uncorrelated inputs and a decay of all that is trained, a fixed second layer having equal weights",
)
LAYERED = Need(
    lambda p: p.student.trainable or p.activation.trace_coupling is not None,
    lambda p: f"The second layer is fixed and `activation` is {p.activation.name!r}",
    "a trained second layer, or quadratic and centred units",
)
TRAINED = Need(lambda p: p.student.trainable, lambda p: "The second layer is fixed", "a trained second layer")
FIXED = Need(
    lambda p: not p.student.trainable, lambda p: "The second layer is trainable", "a fixed second layer"
)
RAW = Need(
    lambda p: p.activation.trace_coupling == 1,
    lambda p: f"`activation` is {p.activation.name!r}",
    "quadratic units",
)
ONE_UNIT = Need(
    lambda p: p.student.hidden == 1, lambda p: f"`hidden` is {p.student.hidden}", "one hidden unit"
)
ONE_MODE = Need(
    lambda p: len(p.teacher.eigen[0][0]) == 1 and p.teacher.eigen[0][0][0] * p.student.A[0, 0] > 0,
    lambda p: f"`teacher` has the eigenvalues {p.teacher.eigen[0][0].tolist()}",
    "one teacher mode of the sign of a",
)
ONE_DIRECTION = Need(
    lambda p: len(p.teacher.V) == 1,
    lambda p: f"`teacher` has {len(p.teacher.V)} directions",
    "one teacher direction",
)
TWO_INPUTS = Need(lambda p: p.inputs > 1, lambda p: f"`inputs` is {p.inputs}", "two inputs or more")
EQUAL = Need(
    lambda p: bool(p.student.A[0, 0]) and not np.ptp(p.student.A),
    lambda p: f"The second layer is {p.student.A.tolist()}",
    "equal second-layer weights other than zero",
)
STORED = Need(
    lambda p: p.dimension is None,
    lambda p: f"`dimension` is {p.dimension} and weights are stored in {counted(p.inputs, 'input')}",
    "weights that are stored in all inputs, as those of `problem.whole` are",
)
FINITE = Need(
    lambda p: not p.student.infinite,
    lambda p: "The student is the limit of infinitely many hidden units",
    "finite numbers of them",
)
CLOSED_STEPS = Need(
    lambda p: closure(p) is not None,
    lambda p: _units(p),
    "students and teachers that are both quadratic, polynomials in w·x, sums of erf such as tanh and sigmoid, or "
    "single units with a kink",
)
FEW_KINKS = Need(
    lambda p: closure(p) != "kinks" or p.student.hidden == len(p.teacher.V) == 1,
    lambda p: f"{_units(p)} with {_numbers(p)}",
    "one hidden and one teacher unit of this activation",
)


def _one_sided(p: Problem) -> str:
    """That labels are the same for almost all inputs, naming the options."""
    share, bias = rarer_class(p), f" and `bias` is {str(p.bias)!r}" if p.bias else ""
    of = f"all inputs but a share of {share:.2g}" if share else "every input"
    return f"`labels` is {p.labels.name!r}{bias}, which gives {of} the same label"


def _enough_units(p: Problem) -> bool:
    """Whether units can hold all modes of the teacher."""
    lam, a = whitened_eigenvalues(p), p.student.A[0]
    if p.student.trainable:
        return len(lam) <= p.student.hidden
    return bool(np.sum(lam > 0) <= np.sum(a > 0) and np.sum(lam < 0) <= np.sum(a < 0))


def _inputs(p: Problem) -> str:
    """Law of the inputs, naming the option."""
    return f"`{p.law.option}` is {p.law.name!r}"


def _units(p: Problem) -> str:
    """Activations, naming the options."""
    taught = "" if p.realisable else f" and `teacher_activation` is {p.teacher_activation.name!r}"
    return f"`activation` is {p.activation.name!r}{taught}"


def _numbers(p: Problem) -> str:
    """Numbers of hidden and teacher units."""
    return f"{p.student.hidden} hidden and {counted(len(p.teacher.V), 'teacher unit')}"


def sums_of(most: int, why: str) -> Need:
    """Mean steps of SGD that are sums of so many terms or fewer."""
    return Need(
        lambda p: mean_step_terms(p) <= most,
        lambda p: (
            f"{_units(p)} with {_numbers(p)}, so that every mean step is a sum of {mean_step_terms(p):.2g} terms"
        ),
        f"sums of {most:.2g} terms or fewer, {why}",
    )


def _forms_matter(p: Problem) -> bool:
    """Whether no form xᵀMx, of centred units less its mean, vanishes on all inputs of a law that keeps alignment.

    Signs have diagonal ones, x_i² − x_j², and the sphere has ‖x‖² − d.
    """
    aligned = aligned_loss(p.activation, p.law)
    return aligned is None or (aligned.scale > 0 and aligned.coupling >= 0)


def _rests_under_decay(p: Problem) -> bool:
    """Whether the minima of a decayed loss are known: where only one of two layers decays there are none."""
    decay = p.weight_decay
    alike = bool(decay.second) if p.student.trainable else bool(p.student.A[0, 0]) and not np.ptp(p.student.A)
    return p.covariance is None and bool(decay.first) and alike


def _commutes(p: Problem) -> bool:
    """Whether Σ and M* have a common eigenbasis."""
    p = in_range(p)
    if p.covariance is None:
        return True
    M = p.teacher.matrix()
    product = p.covariance @ M
    return bool(np.abs(product - product.T).max() <= COMMUTE * np.abs(product).max(initial=0.0))


COMMUTING = Need(
    _commutes,
    lambda p: "`covariance` mixes eigenvectors of the teacher",
    "a covariance that commutes with the teacher",
)
