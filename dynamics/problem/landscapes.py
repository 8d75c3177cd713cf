"""Which landscape of aligned states a problem has: how its learned modes balance, whatever its loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.aliases import Array
from dynamics.covariance import covariance_factor
from dynamics.population.label_moments import LabelMoments
from dynamics.population.slope_rules import SlopeRule
from dynamics.problem.aligned_loss import aligned_loss
from dynamics.problem.balance import Landscape
from dynamics.problem.class_landscape import ClassLandscape
from dynamics.problem.expectations import Expect, GaussianExpectations, MeanExpectations
from dynamics.problem.problem import Problem
from dynamics.problem.residual_landscape import ResidualLandscape
from dynamics.problem.teacher import Teacher

LARGEST = (
    1e6  # eigenvalue or bias m of classes, the loss of which is of the order of 1/m and good to some 1e-15 m
)
RARE = 1e-6  # of the rarer class: with less, moments good to some 1e-14 say little about learned values


def landscape_of(problem: Problem) -> Landscape | None:
    """The landscape of a problem; None where states do not stay aligned, or nothing is derived for them."""
    if problem.loss.is_square:
        return aligned_loss(problem.activation, problem.law)
    coupling, lengths = problem.activation.trace_coupling, problem.law.gaussian_lengths(problem)
    if coupling is None or lengths is None:
        return None
    expect: Expect = GaussianExpectations(SlopeRule(problem.loss), coupling)
    squares, weights = lengths
    if len(squares) > 1:
        expect = MeanExpectations(expect, squares, weights)
    if problem.loss.of_residual:
        return None if problem.bias.trainable else ResidualLandscape(expect)
    labels = _label_moments(problem, *lengths)
    if labels is None or labels.rarer < RARE or largest_logit(problem) > LARGEST:
        return None
    return ClassLandscape(
        expect,
        labels.eigenvalues,
        labels.moments - (1 - coupling) * labels.mean,
        labels.mean,
        None if problem.bias.trainable else problem.bias.start,
        separates(problem),
        _teaches(problem),
    )


@dataclass(frozen=True, eq=False)
class _Labels:
    """B_i = E y z_i² on each eigenvalue of the teacher, zero the last of them, and ȳ = E y."""

    eigenvalues: Array
    moments: Array
    mean: float

    @property
    def rarer(self) -> float:
        """How often the class comes that is the rarer one."""
        return max(0.0, min(self.mean, 1 - self.mean))


def _label_moments(problem: Problem, squares: Array, weights: Array) -> _Labels | None:
    """Moments of classes, for inputs of these lengths; None where they are not known."""
    labels, coupling = problem.labels, problem.activation.trace_coupling
    if coupling is None or (labels.link is None and labels.threshold is None):
        return None
    lam = np.append(whitened_eigenvalues(problem), 0.0)
    moments = LabelMoments(labels.link, labels.threshold, labels.flip)
    shift = problem.bias.teacher + (1 - coupling) * float(lam.sum())
    parts = [moments.of(np.diag(s2 * lam), shift) for s2 in squares]
    B = np.tensordot(weights * squares, np.array([part[0].diagonal() for part in parts]), 1)
    return _Labels(lam, B, float(weights @ [part[1] for part in parts]))


def rarer_class(problem: Problem) -> float:
    """How often the class comes that is the rarer one, of labels of which that is known; ½ of all others."""
    lengths = problem.law.gaussian_lengths(problem) if problem.loss.classifies else None
    if lengths is None or problem.labels.given:
        return 0.5
    boundary = boundary_of(problem)
    if boundary is not None and boundary.one_sided:
        return 0.0
    labels = _label_moments(problem, *lengths)
    return 0.5 if labels is None else labels.rarer


def largest_logit(problem: Problem) -> float:
    """Size of what probabilities of classes are made of: bias, and eigenvalues of the teacher unless it votes."""
    if not problem.loss.classifies:
        return 0.0
    lam = whitened_eigenvalues(problem) if problem.labels.link is not None else np.zeros(0)
    return max(abs(problem.bias.teacher), float(np.abs(lam).max(initial=0.0)))


def _teaches(problem: Problem) -> float | None:
    """β* where the labels are those of a student that is the teacher itself; None where they are not."""
    labels = problem.labels
    return problem.bias.teacher if labels.link == problem.loss and not labels.flip else None


def separates(problem: Problem) -> bool:
    """Whether some student has the labels of all inputs right: see `dynamics.problem.class_landscape`."""
    boundary = boundary_of(problem)
    return boundary is not None and (problem.bias.trainable or boundary.threshold == 0)


def whitened_eigenvalues(problem: Problem) -> Array:
    """Eigenvalues of the whitened teacher that are not zero, descending."""
    teacher, Sigma = problem.teacher, problem.covariance
    white = teacher if Sigma is None else Teacher(teacher.V @ covariance_factor(Sigma), teacher.B)
    return np.asarray(white.eigen[0][0])


@dataclass(frozen=True, eq=False)
class Boundary:
    """Where hard labels change: y = 1{h > c}, h = xᵀM*x, of centred units xᵀM*x − tr M*.

    Parameters
    ----------
    eigenvalues : (r,) array
        Of the whitened teacher.
    threshold : float
        c, the threshold of the labels and the bias of the teacher.
    form : float
        The value of xᵀM*x there.
    """

    eigenvalues: Array
    threshold: float
    form: float

    @property
    def one_sided(self) -> bool:
        """Whether all inputs are on one side."""
        above, below = (self.eigenvalues > 0).any(), (self.eigenvalues < 0).any()
        return bool((self.form >= 0 and not above) or (self.form <= 0 and not below))


def boundary_of(problem: Problem) -> Boundary | None:
    """The boundary of hard labels that nothing turns round; None of other labels."""
    threshold = problem.labels.threshold
    if threshold is None or problem.labels.flip or not problem.loss.classifies:
        return None
    lam = whitened_eigenvalues(problem)
    c = threshold + problem.bias.teacher
    return Boundary(lam, c, c + (1 - (problem.activation.trace_coupling or 0.0)) * float(lam.sum()))
