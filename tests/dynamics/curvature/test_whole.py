"""Eigenvalues over all weights, from the reduced problem, against the dense Hessian over all weights.

The latter is of the problem that nothing was reduced of, at the lifted weights.
"""

from dataclasses import replace

import numpy as np
import pytest

from dynamics import ComputationError, GradientFlow, MeanSGD, Problem, ProblemError, Student, Teacher
from dynamics.curvature import hessian_spectrum
from dynamics.curvature.whole import Whole
from dynamics.inputs.mixture import Mixture

D, K = 7, 2


def blocks(rng):
    """Correlations among the first three inputs, and others among the rest."""
    S = np.zeros((D, D))
    for block in (slice(0, 3), slice(3, D)):
        B = rng.standard_normal((block.stop - block.start, 9))
        S[block, block] = B @ B.T / 9
    return S


def problem(rng, outputs=1, second_layer="trainable", activation="quadratic", teacher=None, **more):
    student = Student.initialise(K, D, scale=0.8, seed=3, outputs=outputs, second_layer=second_layer)
    teacher = teacher or Teacher(rng.standard_normal((2, D)), rng.standard_normal((outputs, 2)))
    return Problem(teacher, student, activation, **more)


def on_axes(student):
    """A student that sees the first two inputs alone."""
    return replace(student, W=student.W * (np.arange(D) < 2))


def cases(rng):
    data = (rng.standard_normal((2, D)), rng.standard_normal(2))
    yield "quadratic", problem(rng)
    yield "centred", problem(rng, activation="centred", weight_decay=0.3)
    yield "several outputs", problem(rng, outputs=3)
    yield "fixed", problem(rng, second_layer="fixed", weight_decay=0.2)
    yield "erf", problem(rng, activation="erf")
    yield "relu", problem(rng, activation="relu", second_layer="fixed")
    yield "another teacher", problem(rng, activation="tanh", teacher_activation="relu")
    yield "sphere", problem(rng, distribution="sphere")
    yield "student-t", problem(rng, distribution="student-t:9", weight_decay=(0.1, 0.4))
    yield "data", problem(rng, teacher=Teacher(rng.standard_normal((1, D)), [[1.0]]), data=data)
    S = np.stack([np.eye(D), np.diag([2.0, 1, 1, 1, 1, 2, 3])])
    clusters = Mixture([0.3, 0.7], np.eye(2, D) * 0.5, S)
    axes = problem(rng, teacher=Teacher.from_eigenvalues([2, 1], D), distribution="independent:2")
    yield "axes", replace(axes, student=on_axes(axes.student))
    one = Student(on_axes(axes.student).W[:1], [[0.5]])
    yield "clusters", Problem(Teacher.from_eigenvalues([2], D), one, distribution=clusters)
    for name, Sigma in (("low rank", np.diag([2.0, 1, 1, 0.5, 0.3, 0.3, 0])), ("blocks", blocks(rng))):
        yield name, Problem(Teacher.from_eigenvalues([2], D), one, covariance=Sigma, weight_decay=0.1)


NAMES = [name for name, _ in cases(np.random.default_rng(0))]


@pytest.mark.parametrize("name", NAMES)
def test_every_eigenvalue_is_there_as_often_as_it_occurs(name):
    """Nothing of the spectrum is lost by the reduction, for every law of the inputs and every kind of student."""
    p = dict(cases(np.random.default_rng(0)))[name]
    curve = GradientFlow(p).integrate(0.05, samples=3)
    assert curve.basis is not None
    found = hessian_spectrum(curve).at(-1)
    full = p.population.hessian(curve.W_at(-1), curve.A[-1])
    rates = np.repeat(p.weight_decay.rates, [p.student.W.size, p.student.A.size])
    n = p.student.W.size + p.student.A.size * p.student.trainable
    dense = np.linalg.eigvalsh((full + np.diag(rates))[:n, :n])[::-1]
    np.testing.assert_allclose(found, dense, rtol=0, atol=1e-9 * np.abs(dense).max())
    bare = hessian_spectrum(curve, penalty=False).at(-1)
    np.testing.assert_allclose(
        bare, np.linalg.eigvalsh(full[:n, :n])[::-1], rtol=0, atol=1e-9 * np.abs(dense).max()
    )


def test_what_the_reduction_cannot_tell_is_looked_at_whole():
    """Of clusters all d inputs; of others one more than the subspace has."""
    for name, p in cases(np.random.default_rng(0)):
        curve = GradientFlow(p).integrate(0.01, samples=2)
        whole = Whole.of(curve)
        assert whole.problem.inputs == (D if name == "clusters" else curve.basis.shape[1] + 1), name


def test_the_block_of_products():
    """Products with the K directions of the last input give its block of the dense Hessian."""
    p = problem(np.random.default_rng(1))
    curve = GradientFlow(p).integrate(0.01, samples=2)
    whole = Whole.of(curve)
    rng, n = np.random.default_rng(2), whole.unknowns
    H = rng.standard_normal((n, n))
    H = H + H.T
    np.testing.assert_allclose(whole.block(lambda v: H @ v), H[np.ix_(whole.outer, whole.outer)])
    assert sorted([*whole.inner, *whole.outer]) == list(range(n))


def test_what_overflows_has_no_eigenvalues():
    whole = Whole.of(GradientFlow(problem(np.random.default_rng(1))).integrate(0.01, samples=2))
    with pytest.raises(ComputationError, match="Second derivatives overflow"):
        whole.eigenvalues(np.full((whole.unknowns, whole.unknowns), np.inf))


def test_a_curve_without_weights_is_refused():
    sgd = MeanSGD(problem(np.random.default_rng(1)), 0.01).integrate(0.01, samples=2)
    with pytest.raises(ProblemError, match="of the kind 'SGD trajectory', has no weights of the problem"):
        hessian_spectrum(sgd)
