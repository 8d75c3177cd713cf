"""How well a network tells two classes: how often it is right, and whether its probabilities are what they say.

The network answers 1 where f > 0, and says that with the probability σ(f). With labels of the mean m = E[y | x]

    accuracy = E[m 1{f > 0} + (1 − m) 1{f ≤ 0}],   calibration error = Σ_b |E[(σ(f) − m) 1{σ(f) ∈ b}]|

over ten bins b of equal width (the expected calibration error of the literature, of the class 1). On a data set the
means are those of its samples. Under a law of the inputs they are integrals over as many dimensions as the reduced
problem has, in which the answer jumps. The accuracy of quadratic and centred units under Gaussian inputs is an integral
over two variables, whatever the dimension (`dynamics.population.agreement`), with an estimate of its error. All else is
taken by randomised quasi-Monte-Carlo points (Sobol's, scrambled eight times, with fixed seeds), of laws other than the
Gaussian by draws, and the spread over the eight gives standard errors.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dynamics.activations.functions import sigmoid
from dynamics.aliases import Array
from dynamics.covariance import covariance_factor, symmetric_root
from dynamics.errors import ProblemError
from dynamics.inputs.moments import is_form
from dynamics.losses import LOGISTIC
from dynamics.population.agreement import accuracies
from dynamics.population.biased import biases
from dynamics.population.label_moments import LabelMoments
from dynamics.problem.outputs import network_outputs
from dynamics.problem.problem import Problem

BINS = 10
REPLICATES, POINTS = 8, 4096
SEED = 20_200
LARGEST = 16  # inputs of the integral: there some 15 milliseconds a state


@dataclass(frozen=True, eq=False)
class Skill:
    """How well networks tell two classes, at T states.

    Parameters
    ----------
    accuracy, calibration : (T,) arrays
        Share of right answers, and the expected calibration error.
    accuracy_error, calibration_error : (T,) arrays or None
        Standard errors of means over points, and of an accuracy that is an integral the estimate of its error; None
        where the means are exact, those over samples.
    """

    accuracy: Array
    calibration: Array
    accuracy_error: Array | None = None
    calibration_error: Array | None = None


def accuracy(f: Array, y: Array) -> float:
    """Share of right answers of outputs f (n,) for labels y (n,), classes or their probabilities."""
    return float(np.mean(np.where(f > 0, y, 1 - y)))


def calibration_error(f: Array, y: Array) -> float:
    """The expected calibration error of outputs f (n,) for labels y (n,)."""
    p = sigmoid(f)
    bins = np.minimum((p * BINS).astype(np.intp), BINS - 1)
    return float(np.abs(np.bincount(bins, weights=p - y, minlength=BINS)).sum() / len(f))


def skill(
    problem: Problem,
    W: Array,
    A: Array,
    *,
    held_out: bool = False,
    sets: int = REPLICATES,
    by_points: bool = False,
) -> Skill:
    """Accuracy and calibration error of networks W (T, K, d) and A (T, 1, K), or (T, 1, K + 1) with a trained bias.

    Parameters
    ----------
    problem : Problem
    W, A : arrays
    held_out : bool
        Whether to measure on the samples of a data set that were held out.
    sets : int
        How many of the eight sets of points to use: of one alone there are no standard errors.
    by_points : bool
        Whether points take the accuracy too where it is a known integral: less exact, and faster of many networks.

    Raises
    ------
    ProblemError
        If the loss is not of two classes, or nothing was held out.

    Examples
    --------
    >>> from dynamics import Problem, Student, Teacher
    >>> from dynamics.problem.classification import skill
    >>> problem = Problem(Teacher.from_eigenvalues([2, -1]), Student.initialise(2, 2), loss="logistic", labels="hard")
    >>> float(skill(problem, problem.teacher.V[None], problem.teacher.B[None]).accuracy[0])
    1.0
    """
    if not problem.loss.classifies:
        raise ProblemError(
            f"`loss` is {problem.loss.name!r}, but accuracy is of the logistic loss, of two classes."
        )
    samples = _samples(problem, held_out, sets)
    found = np.empty((len(W), len(samples), 2))
    for t, (w, a) in enumerate(zip(W, A, strict=True)):
        for s, (X, y) in enumerate(samples):
            f = _outputs(problem, w, a, X)
            found[t, s] = accuracy(f, y), calibration_error(f, y)
    right, off = found.mean(axis=1).T
    right_error, off_error = None, None
    if len(samples) > 1:
        right_error, off_error = found.std(axis=1, ddof=1).T / np.sqrt(len(samples))
    if not by_points and integrable(problem):
        value, error = _by_integral(problem, W, A)
        known = np.isfinite(value)  # of weights that did not diverge
        right = np.where(known, value, right)
        right_error = np.where(known, error, np.nan if right_error is None else right_error)
    return Skill(right, off, right_error, off_error)


def integrable(problem: Problem) -> bool:
    """Whether the accuracy is the integral of `dynamics.population.agreement`: of two forms in few Gaussian inputs."""
    labels = problem.labels
    forms = problem.data is None and problem.law.gaussian and is_form(problem)
    return forms and problem.inputs <= LARGEST and (labels.threshold is not None or labels.link == LOGISTIC)


def _by_integral(problem: Problem, W: Array, A: Array) -> tuple[Array, Array]:
    """Accuracy and estimates of its error, (T,) each."""
    labels, Sigma = problem.labels, problem.covariance
    F = np.eye(problem.inputs) if Sigma is None else covariance_factor(Sigma)
    units, beta = biases(W, A, problem.bias.start)
    centred = 1 - problem.activation.coupling_for("this integral")
    target = F.T @ problem.teacher.matrix() @ F
    with np.errstate(over="ignore", invalid="ignore"):
        w = W @ F
        M = (w.mT * units) @ w
        return accuracies(
            (M + M.mT) / 2,
            beta[:, 0] + centred * np.trace(M, axis1=1, axis2=2),
            (target + target.T) / 2,
            problem.bias.teacher + centred * float(np.trace(target)),
            LabelMoments(labels.link, labels.threshold, labels.flip),
        )


def _outputs(problem: Problem, W: Array, A: Array, X: Array) -> Array:
    """f of inputs (n, d), (n,)."""
    units, beta = biases(W, A, problem.bias.start)
    return network_outputs(W, units, X, problem.activation, problem.variance)[:, 0] - beta[0]


def _samples(problem: Problem, held_out: bool, count: int) -> list[tuple[Array, Array]]:
    """Inputs (n, d) and means of their labels (n,), in independent sets."""
    data = problem.data
    if data is not None:
        X, Y = (data.X_test, data.Y_test) if held_out else (data.X, data.Y)
        if X is None or Y is None:
            raise ProblemError("`data` has no samples that were held out.")
        return [(X, Y[:, 0])]
    sets = []
    for X in inputs(problem, count):
        f = problem.teacher(X, problem.teacher_activation, problem.variance)[:, 0] - problem.bias.teacher
        sets.append((X, problem.labels.expected(f)))
    return sets


def inputs(problem: Problem, sets: int = REPLICATES) -> list[Array]:
    """Independent sets of inputs (n, d) that represent the law of a problem."""
    d, law, seeds = problem.inputs, problem.law, range(SEED, SEED + sets)
    if law.gaussian:
        drawn = [_normal_points(d, seed) for seed in seeds]
    else:
        drawn = [law.draw(_Numbers(seed), POINTS, d) for seed in seeds]
    if problem.covariance is None:
        return drawn
    root = symmetric_root(problem.covariance)
    return [X @ root for X in drawn]


def _normal_points(d: int, seed: int) -> Array:
    """Scrambled Sobol points as standard normal numbers, (n, d)."""
    from scipy.special import ndtri
    from scipy.stats.qmc import Sobol

    return np.asarray(ndtri(Sobol(d, rng=np.random.default_rng(seed)).random(POINTS)))


@dataclass(frozen=True)
class _Numbers:
    """Random numbers for a law of the inputs (`dynamics.inputs.base.Source`)."""

    seed: int
    rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rng", np.random.default_rng(self.seed))

    def normal(self, *shape: int) -> Any:
        return self.rng.standard_normal(shape)

    def uniform(self, *shape: int) -> Any:
        return self.rng.random(shape)

    def gamma(self, shape_parameter: float, *shape: int) -> Any:
        return self.rng.standard_gamma(shape_parameter, shape)

    def array(self, value: Array) -> Any:
        return value
