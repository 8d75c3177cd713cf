"""Loss, labels, flips and bias as parts of a problem: what goes together, what is stored, what is shown."""

from dataclasses import replace

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher, Trajectory
from dynamics.inputs.data_set import DataSet
from dynamics.labels import LABELS
from dynamics.losses import LOSSES
from dynamics.problem.bias import Bias

TEACHER = Teacher.from_eigenvalues([2, -1])
STUDENT = Student.initialise(3, 2, scale=0.3, seed=1)
X = np.random.default_rng(0).standard_normal((20, 2))


def problem_of(teacher=TEACHER, **parts):
    return Problem(teacher, STUDENT, **parts)


def test_what_goes_without_saying():
    assert problem_of().loss is LOSSES["square"]
    assert problem_of(loss="log-cosh").labels is LABELS["exact"]
    assert problem_of(loss="logistic").labels == LABELS["bernoulli"]
    assert problem_of(None, data=(X, X[:, 0])).labels is LABELS["data"]
    assert not problem_of().bias
    assert Bias.of("trainable:0.4") == Bias(0.4, 0.0, True)
    assert Bias.of("-0.3") == Bias.of(-0.3) == Bias(-0.3, -0.3)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"loss": "logistic", "labels": "exact"},
            "`labels` is 'exact', but `loss` is 'logistic', which needs classes",
        ),
        (
            {"loss": "log-cosh", "labels": "hard"},
            "`labels` is 'hard', but `loss` is 'log-cosh', which needs numbers",
        ),
        ({"loss": "logistic", "labels": "data"}, "`labels` is 'data', but the teacher gives them"),
        ({"loss": "log-cosh", "flip": 0.1}, "`flip` is 0.1, but there are no classes to flip"),
        ({"bias": 0.4}, "`bias` is '0.4', but `loss` is 'square'"),
        ({"bias": "trainable"}, "`bias` is 'trainable', but `loss` is 'square'"),
        ({"loss": "logistic", "bias": "x"}, "`bias` is 'x', but must be a number, 'trainable'"),
        ({"loss": "logistic", "bias": "trainable:x"}, "`bias` is 'trainable:x', but must be"),
        ({"loss": "logistic", "bias": "0.4:1"}, "`bias` is '0.4:1', but must be"),
        ({"loss": "logistic", "bias": np.inf}, "bias"),
        ({"loss": "logistic", "bias": 1e60}, "`bias` is 1e\\+60, but must be at most 1e\\+20"),
        (
            {"loss": "logistic", "bias": Bias(0.4, 0.0, True), "flip": 0.6},
            "`flip` is 0.6, but must be below 0.5",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(parts, message):
    with pytest.raises(ProblemError, match=message):
        problem_of(**parts)


def test_a_fixed_bias_is_the_same_in_both():
    with pytest.raises(ProblemError, match="a fixed one is the same in both"):
        Bias(0.4, 0.1)


def test_shapes_that_have_no_classes():
    two = Teacher(TEACHER.V, np.vstack([TEACHER.B, TEACHER.B]))
    with pytest.raises(
        ProblemError, match="`outputs` is 2, but `loss` is 'logistic', of two classes: it has one"
    ):
        Problem(two, Student.initialise(3, 2, outputs=2), loss="logistic")
    fixed = Student.initialise(3, 2, second_layer="fixed")
    with pytest.raises(ProblemError, match="the second layer is fixed, to which it belongs"):
        Problem(TEACHER, fixed, loss="logistic", bias="trainable")


def test_classes_of_a_data_set():
    """−1 and +1 are 0 and 1; probabilities stay what they are; other labels are refused."""
    signs = np.sign(X[:, 0])
    held_out = problem_of(None, data=(X, signs), loss="logistic").data
    np.testing.assert_array_equal(held_out.Y[:, 0], signs > 0)
    soft = np.linspace(0, 1, 20)
    np.testing.assert_array_equal(problem_of(None, data=(X, soft), loss="logistic").data.Y[:, 0], soft)
    with pytest.raises(ProblemError, match="`data` has labels from -1 to 2, but `loss` is of two classes"):
        problem_of(None, data=(X, np.where(signs > 0, 2.0, -1.0)), loss="logistic")
    np.testing.assert_array_equal(problem_of(None, data=(X, signs)).data.Y[:, 0], signs)  # the square loss


@pytest.mark.parametrize("others", [(0.0, 2.0), (0.0, 1.5), (-0.5, 1.0), (-1.0, 0.5)])
@pytest.mark.parametrize("where", ["fitted", "held out"])
def test_labels_a_little_beyond_those_of_two_classes_are_refused(others, where):
    """On both sides, of both parts, beside labels that are right."""
    good, bad = np.resize([0.0, 1.0], 20), np.resize(others, 20)
    fitted, held_out = (bad, good) if where == "fitted" else (good, bad)
    with pytest.raises(ProblemError, match="but `loss` is of two classes: 0 and 1, or −1 and \\+1"):
        problem_of(None, data=DataSet(X, fitted, X, held_out), loss="logistic")


def test_a_teacher_labels_data_by_the_mean_of_its_labels():
    """σ(f* − β*), p + (1 − 2p)1{f* − β* > θ}, f* − β*; and once more they stay what they are."""
    f = TEACHER(X)[:, 0] - 0.4
    given = {"loss": "logistic", "bias": "trainable:0.4", "data": (X, f)}
    np.testing.assert_allclose(problem_of(**given).data.Y[:, 0], 1 / (1 + np.exp(-f)), rtol=1e-14)
    hard = problem_of(**given, labels="hard:0.2", flip=0.1)
    np.testing.assert_allclose(hard.data.Y[:, 0], 0.1 + 0.8 * (f > 0.2))
    np.testing.assert_array_equal(replace(hard, weight_decay=0.1).data.Y, hard.data.Y)
    shifted = problem_of(loss="log-cosh", bias=0.4, data=(X, f))
    np.testing.assert_allclose(shifted.data.Y[:, 0], f)
    # the student has the same bias, so that it is right where its units are the teacher's
    assert shifted.population.loss(TEACHER.V, TEACHER.B) == 0.0


@pytest.mark.parametrize(
    "parts",
    [
        {"loss": "huber:1.5"},
        {"loss": "logistic", "labels": "hard:0.25", "flip": 0.125, "bias": "trainable:0.5"},
        {"loss": "log-cosh", "bias": "trainable"},
        {"loss": "logistic", "bias": -0.5},
    ],
    ids=lambda parts: parts["loss"],
)
def test_a_file_brings_it_back(parts, tmp_path):
    """Loss, labels, flips, bias, and the bias along the curve."""
    curve = GradientFlow(problem_of(**parts)).integrate(t_end=1.0, samples=5)
    curve.save(tmp_path / "run.npz")
    found = Trajectory.load(tmp_path / "run.npz")
    for name in ("loss", "labels", "flip", "bias"):
        assert getattr(found.problem, name) == getattr(curve.problem, name)
    np.testing.assert_array_equal(found.loss, curve.loss)
    beta = curve.problem.bias.start if curve.bias is None else curve.bias[-1, 0]
    np.testing.assert_allclose(found.outputs(X)[-1], curve.student_at(-1)(X) - beta, rtol=1e-13)
    np.testing.assert_allclose(found.outputs(X[0])[-1], found.outputs(X)[-1, 0], rtol=1e-13)
    assert (found.bias is None) == (not curve.problem.bias.trainable)
    if found.bias is not None:
        np.testing.assert_array_equal(found.bias, curve.bias)
    if found.skills:
        np.testing.assert_array_equal(found.accuracy, curve.accuracy)


def test_what_people_see():
    problem = problem_of(loss="logistic", labels="hard", flip=0.1, bias=0.4)
    assert "loss=logistic, labels=hard, flip=0.1, bias=0.4" in repr(problem)
    assert "loss" not in repr(problem_of())
    assert "flipped with probability 0.1" in problem._repr_html_()
    assert r"\tfrac12 \mathbb{E} \lVert f^* - f \rVert^2" in problem_of()._repr_latex_()
    assert r"\mathbb{E}\, \ell(f, y)" in problem._repr_latex_()
