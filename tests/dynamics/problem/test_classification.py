"""Accuracy and calibration of classifiers, counted and predicted."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.inputs.data_set import DataSet
from dynamics.labels import Labels
from dynamics.population.exceedance import exceedance
from dynamics.problem.classification import accuracy, calibration_error, integrable, skill

TEACHER = Teacher.from_eigenvalues([2, -1, 0.5])


def weights(M):
    """A network with the form M, as states of one time."""
    values, vectors = np.linalg.eigh(M)
    return vectors.T[None], values[None, None]


def test_by_hand():
    """Three of four right; σ in the bins [.5, .6), [.7, .8), [.1, .2) twice."""
    f, y = np.array([0.1, 1.0, -2.0, -2.1]), np.array([1.0, 0.0, 0.0, 0.0])
    assert accuracy(f, y) == 0.75
    p = 1 / (1 + np.exp(-f))
    assert calibration_error(f, y) == pytest.approx(((1 - p[0]) + p[1] + p[2] + p[3]) / 4)
    assert accuracy(np.array([0.0]), np.array([0.25])) == 0.75  # at zero the answer is 0


def test_labels_of_the_network_itself():
    """Hard labels: always right. Probabilities: calibrated, and right as often as max(σ, 1 − σ) says."""
    W, A = TEACHER.V[None], TEACHER.B[None]
    hard = Problem(TEACHER, Student(W[0], A[0]), loss="logistic", labels="hard", bias=0.4)
    assert skill(hard, W, A).accuracy[0] == 1.0
    drawn = Problem(TEACHER, Student(W[0], A[0]), loss="logistic", bias=0.4)
    found = skill(drawn, W, A)
    assert found.calibration[0] == pytest.approx(0.0, abs=1e-15)
    z = np.random.default_rng(7).standard_normal((400_000, 3))
    sure = 0.5 + 0.5 * np.abs(np.tanh((z**2 @ np.array([2, -1, 0.5]) - 0.4) / 2))
    error = 4 * sure.std() / np.sqrt(len(z)) + found.accuracy_error[0]
    assert abs(found.accuracy[0] - sure.mean()) < error


def test_a_constant_answer_is_right_as_often_as_its_class():
    """1 − ȳ and ȳ of the labels, in closed form; of points within five standard errors (t of eight scrambles)."""
    start = Student(np.zeros((1, 3)), np.zeros((1, 1)))
    problem = Problem(TEACHER, start, loss="logistic", labels="hard:0.3", bias=0.4, flip=0.1)
    mean = 0.1 + 0.8 * exceedance(np.array([2, -1, 0.5]), 0.7)[0]
    found = skill(problem, start.W[None], start.A[None])
    points = skill(problem, start.W[None], start.A[None], by_points=True)
    assert found.accuracy[0] == pytest.approx(1 - mean, abs=1e-13)
    assert abs(points.accuracy[0] - (1 - mean)) < 5 * points.accuracy_error[0] < 5e-3
    changed = np.array([[[0.0, -5.0]]])  # β = −5
    assert skill(problem, start.W[None], changed).accuracy[0] == pytest.approx(mean, abs=1e-13)
    always = skill(problem, start.W[None], changed, by_points=True)
    assert abs(always.accuracy[0] - mean) < 5 * points.accuracy_error[0]


@pytest.mark.parametrize("labels", ["bernoulli", "hard", "hard:0.3"])
@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize(
    "covariance", [None, [[1.0, 0.4, 0.0], [0.4, 0.8, 0.1], [0.0, 0.1, 1.5]], np.diag([1, 2, 0])]
)
def test_the_integral_is_the_mean_over_points(labels, activation, covariance):
    """Of networks on their way, with a trained bias: within five standard errors of the points (t of eight)."""
    problem = Problem(
        TEACHER,
        Student.initialise(4, 3, scale=0.7, seed=1),
        activation,
        covariance,
        loss="logistic",
        labels=labels,
        flip=0.1,
        bias="trainable:0.4",
    )
    rng = np.random.default_rng(9)
    W, A = rng.standard_normal((6, 4, 3)), rng.standard_normal((6, 1, 5))
    found, points = skill(problem, W, A), skill(problem, W, A, by_points=True)
    assert (np.abs(found.accuracy - points.accuracy) < 5 * points.accuracy_error + found.accuracy_error).all()
    assert (found.accuracy_error < 1e-5).all()
    assert (points.accuracy_error > 1e-5).all()
    np.testing.assert_array_equal(found.calibration, points.calibration)
    alone = skill(problem, W, A, sets=1)
    np.testing.assert_array_equal(alone.accuracy, found.accuracy)
    assert alone.calibration_error is None


def test_what_the_integral_is_known_of():
    """Forms in few Gaussian inputs, and labels with a threshold or the logistic link; points take all else."""
    student = Student.initialise(4, 3, scale=0.7, seed=1)

    def problem(**parts):
        return Problem(TEACHER, student, **({"loss": "logistic"} | parts))

    own = Labels("twice", "y ~ Bernoulli(σ(2f*))", lambda f: 1 / (1 + np.exp(-2 * f)))
    assert integrable(problem())
    assert integrable(problem(activation="centred", labels="hard:0.2", flip=0.1))
    rows = np.random.default_rng(0).standard_normal((9, 3))
    others = [
        {"labels": own},
        {"distribution": "student-t:7"},
        {"activation": "tanh"},
        {"teacher_activation": "tanh"},
        {"data": (rows, np.zeros(9))},
    ]
    assert not any(integrable(problem(**other)) for other in others)
    wide = Problem(
        Teacher.from_eigenvalues([1], 17), Student.initialise(2, 17, scale=1.0, seed=1), loss="logistic"
    )
    assert not integrable(wide)
    found = skill(wide, wide.student.W[None], np.array([[[1.0, -1.0]]]))
    assert found.accuracy_error[0] > 1e-5


def test_weights_that_diverged_are_taken_by_points():
    problem = Problem(TEACHER, Student.initialise(2, 3), loss="logistic")
    W, A = np.full((1, 2, 3), 1e200), np.ones((1, 1, 2))
    with np.errstate(over="ignore", invalid="ignore"):
        found, points = (skill(problem, W, A, by_points=way) for way in (False, True))
    np.testing.assert_array_equal(found.accuracy, points.accuracy)
    np.testing.assert_array_equal(found.accuracy_error, points.accuracy_error)


@pytest.mark.parametrize("inputs", [{}, {"distribution": "student-t:7"}, {"covariance": True}])
def test_against_draws(inputs):
    """Of a network that is another than the teacher, within four standard errors of both."""
    rng = np.random.default_rng(3)
    if inputs.get("covariance"):
        inputs = {"covariance": np.array([[1.0, 0.4, 0.0], [0.4, 0.8, 0.1], [0.0, 0.1, 1.5]])}
    M = np.array([[1.5, 0.4, 0.0], [0.4, -0.5, 0.2], [0.0, 0.2, -0.3]])
    W, A = weights(M)
    problem = Problem(TEACHER, Student(W[0], A[0]), loss="logistic", bias=0.4, flip=0.05, **inputs)
    found = skill(problem, W, A)
    X = rng.standard_normal((400_000, 3))
    if "distribution" in inputs:
        X *= np.sqrt(5 / rng.chisquare(7, len(X)))[:, None]
    if "covariance" in inputs:
        X = X @ np.linalg.cholesky(inputs["covariance"]).T
    f = np.einsum("ni,ij,nj->n", X, M, X) - 0.4
    m = problem.labels.expected(TEACHER(X)[:, 0] - 0.4)
    right = np.where(f > 0, m, 1 - m)
    error = np.hypot(right.std() / np.sqrt(len(X)), found.accuracy_error[0])  # of points, or far smaller
    assert abs(right.mean() - found.accuracy[0]) < 4 * error
    assert calibration_error(f, m) == pytest.approx(found.calibration[0], abs=6e-3)


def test_on_data_they_are_counted():
    rng = np.random.default_rng(5)
    X, held_out = rng.standard_normal((30, 3)), rng.standard_normal((10, 3))
    y, y_out = (X[:, 0] > 0) * 1.0, (held_out[:, 0] > 0) * 1.0
    data = DataSet(X, y, held_out, y_out)
    problem = Problem(
        None, Student.initialise(4, 3, scale=1.0, seed=2), data=data, loss="logistic", bias="trainable"
    )
    curve = GradientFlow(problem).integrate(t_end=5.0, samples=3)
    f = curve.outputs(X)[-1, :, 0]
    np.testing.assert_allclose(f, curve.student_at(-1)(X)[:, 0] - curve.bias[-1, 0])
    assert curve.accuracy[-1] == np.mean((f > 0) == (y > 0))
    assert curve.calibration[-1] == pytest.approx(calibration_error(f, y))
    out = curve.outputs(held_out)[-1, :, 0]
    assert curve.skills["test_"].accuracy[-1] == np.mean((out > 0) == (y_out > 0))
    said = curve.variables()
    assert {"accuracy", "calibration", "test_accuracy", "test_calibration", "bias"} <= said.keys()
    assert "accuracy_error" not in said
    assert "accuracy on the samples held out" in curve.summary()


def test_losses_of_the_residual_have_none():
    problem = Problem(TEACHER, Student.initialise(2, 3), loss="log-cosh")
    curve = GradientFlow(problem).integrate(t_end=0.1, samples=2)
    assert curve.accuracy is None
    assert curve.calibration is None
    assert "accuracy" not in curve.variables()
    with pytest.raises(ProblemError, match="accuracy is of the logistic loss"):
        skill(problem, curve.W, curve.A)
    classes = Problem(None, problem.student, data=(np.eye(3), [0, 1, 1]), loss="logistic")
    with pytest.raises(ProblemError, match="no samples that were held out"):
        skill(classes, curve.W, curve.A, held_out=True)
