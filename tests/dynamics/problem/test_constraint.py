"""Weights on the sphere: what a problem makes of its start, what it refuses, and what files keep of it."""

from dataclasses import replace

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher, Trajectory
from dynamics.problem.constraint import CONSTRAINTS, NONE, SPHERE, Constraint

TEACHER = Teacher.from_eigenvalues([3, 2, 1, 0.3])


def student(K=3, seed=0, trainable=False):
    W = np.random.default_rng(seed).standard_normal((K, 4))
    return Student(W, np.ones(K), trainable)


def test_the_start_is_put_on_the_sphere():
    """Directions stay, norms become 1; what has norm 1 stays to the last bit, so that a stored start is the same."""
    given = student()
    problem = Problem(TEACHER, given, constraint="sphere")
    W = problem.student.W
    np.testing.assert_allclose(np.linalg.norm(W, axis=1), 1, rtol=1e-15)
    np.testing.assert_allclose(W, given.W / np.linalg.norm(given.W, axis=1)[:, None], rtol=1e-15)
    again = replace(problem, activation="centred")
    assert again.constraint is SPHERE and (again.student.W == W).all()
    tiny = Problem(TEACHER, Student(1e-200 * given.W, np.ones(3), False), constraint=SPHERE)
    np.testing.assert_allclose(tiny.student.W, W, rtol=1e-14)
    assert (Problem(TEACHER, given).student.W == given.W).all()


def test_what_is_refused():
    with pytest.raises(ProblemError, match="second layer is trainable: fix it"):
        Problem(TEACHER, student(trainable=True), constraint="sphere")
    with pytest.raises(
        ProblemError, match=r"`weight_decay` is 0\.1,0, but `constraint` 'sphere' keeps the norms"
    ):
        Problem(TEACHER, student(), weight_decay=0.1, constraint="sphere")
    with pytest.raises(ProblemError, match="zeros alone in row 1"):
        W = student().W.copy()
        W[1] = 0
        Problem(TEACHER, Student(W, np.ones(3), False), constraint="sphere")
    with pytest.raises(ProblemError, match=r"`constraint` is 'spere' .did you mean 'sphere'"):
        Problem(TEACHER, student(), constraint="spere")


def test_names_and_words():
    assert list(CONSTRAINTS) == ["none", "sphere"] and not NONE and SPHERE
    assert Constraint.of("none") is NONE and str(SPHERE) == "sphere"
    problem = Problem(TEACHER, student(), constraint="sphere")
    assert "constraint=sphere" in repr(problem) and "constraint" not in repr(Problem(TEACHER, student()))
    assert "every ‖w_k‖ = 1" in problem._repr_html_() and r"\lVert w_k \rVert" in problem._repr_latex_()


def test_files_keep_it(tmp_path):
    """A stored curve is on the sphere as it was; one without a constraint says nothing of it."""
    curve = GradientFlow(Problem(TEACHER, student(), constraint="sphere")).integrate(t_end=0.5, samples=5)
    curve.save(tmp_path / "run.npz")
    found = Trajectory.load(tmp_path / "run.npz")
    assert found.problem.constraint is SPHERE
    assert (found.problem.student.W == curve.problem.student.W).all()
    assert found.attributes()["constraint"] == "sphere"
