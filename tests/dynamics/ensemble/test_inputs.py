"""Ensembles under other laws of the inputs and on data sets: member by member the flow of its problem."""

import io

import numpy as np
import pytest

from dynamics import FlowEnsemble, GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.ensemble.trajectory import EnsembleTrajectory
from dynamics.inputs.data_set import DataSet
from oracles.sample_losses import skewed_samples

RNG = np.random.default_rng(0)
W, A = 0.4 * RNG.standard_normal((3, 2, 6)), 0.4 * RNG.standard_normal((3, 2))
X, Y = skewed_samples(40, 6)
DATA = DataSet(X[:30], Y[:30], X[30:], Y[30:], "made up")
TWO = Teacher.from_eigenvalues([2.0, 1.0], 6)
ONE = Teacher.from_eigenvalues([1.5], 6)
CASES = {
    "labels": (None, {"data": DATA}),
    "one teacher": (TWO, {"data": DATA}),
    "several teachers": ([TWO, ONE, TWO], {"data": DATA}),
    "tanh": (None, {"data": DATA, "activation": "tanh"}),
    "uniform": (TWO, {"distribution": "uniform"}),
    "sphere": (TWO, {"distribution": "sphere"}),  # six dimensions, also if five could hold all vectors
    "student": (TWO, {"distribution": "student-t:9", "covariance": np.diag([1, 2, 0.5, 1, 1, 1.0])}),
}


def problems(name):
    teacher, how = CASES[name]
    teachers = teacher if isinstance(teacher, list) else [teacher] * 3
    return [Problem(t, Student(w, a), **how) for t, w, a in zip(teachers, W, A, strict=True)]


@pytest.mark.parametrize("name", CASES)
def test_each_member_is_a_flow_of_its_own(name):
    """Losses of both kinds and norms, against `GradientFlow`; also from problems, and from a file."""
    teacher, how = CASES[name]
    ensemble = FlowEnsemble.from_weights(teacher, W, A, **how)
    found = ensemble.integrate(1.0, samples=3)
    for i, problem in enumerate(problems(name)):
        alone = GradientFlow(problem).integrate(1.0, samples=3)
        np.testing.assert_allclose(found.loss[i], alone.loss, rtol=1e-7)
        np.testing.assert_allclose(found.norms[i], alone.norms, rtol=1e-7)
        if "data" in how:
            np.testing.assert_allclose(found.test_loss[i], alone.test_loss, rtol=1e-7)
    assert ("test_loss" in found.variables()) == ("data" in how)
    assert {"overlaps", "modes"}.isdisjoint(found.variables()) == (teacher is None)
    together = FlowEnsemble(problems(name)).integrate(1.0, samples=3)
    np.testing.assert_array_equal(together.loss, found.loss)
    file = io.BytesIO()
    found.save(file)
    file.seek(0)
    again = EnsembleTrajectory.load(file)
    np.testing.assert_array_equal(again.loss, found.loss)
    assert again.variables().keys() == found.variables().keys()


def test_members_share_their_inputs():
    """Another law, another data set, other labels or a teacher beside none are refused; other teachers are not."""
    student = Student(W[0], A[0])
    moved = DataSet(X[:30] + 1e-9, Y[:30])
    pairs = [
        (Problem(TWO, student, distribution="uniform"), Problem(TWO, student)),
        (
            Problem(TWO, student, distribution="student-t:9"),
            Problem(TWO, student, distribution="student-t:8"),
        ),
        (Problem(None, student, data=DATA), Problem(None, student, data=DataSet(X[:30], Y[:30]))),
        (Problem(None, student, data=DATA), Problem(TWO, student, data=DATA)),
        (Problem(TWO, student, data=DATA), Problem(TWO, student, data=moved)),
        (Problem(TWO, student, data=DATA), Problem(TWO, student)),
    ]
    for pair in pairs:
        with pytest.raises(ProblemError, match="Problem 1 differs from problem 0 in activation, inputs"):
            FlowEnsemble(pair)
    FlowEnsemble([Problem(TWO, student, data=DATA), Problem(ONE, student, data=DATA)])
