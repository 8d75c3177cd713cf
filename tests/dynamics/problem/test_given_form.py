"""Starts by the form M₀, and the limit of infinitely many units: the flow of M, whatever its factors are."""

import numpy as np
import pytest

from dynamics import (
    FlowEnsemble,
    GradientFlow,
    ModifiedFlow,
    Problem,
    ProblemError,
    Student,
    Teacher,
    Trajectory,
)
from dynamics.closed_forms import riccati_solution
from dynamics.problem.given_form import form_factor
from dynamics.problem.scope import THEORIES

TIMES = [0.0, 0.05, 0.2, 0.6]


def form_of(trajectory):
    """M(t), (T, d, d)."""
    return np.einsum("tok,tki,tkj->tij", trajectory.A, trajectory.W, trajectory.W)


@pytest.mark.parametrize("a", [0.4, -0.4])
@pytest.mark.parametrize("hidden", [None, 4, 9])
def test_the_form_is_that_of_the_weights(a, hidden):
    """Of rank 3 in 5 inputs; the flow of M from it is that of seven units which have the same form."""
    rng = np.random.default_rng(4)
    W = rng.standard_normal((7, 3)) @ rng.standard_normal((3, 5))
    M = a * W.T @ W
    start = Student.from_form(M, a, hidden=hidden)
    assert start.hidden == (hidden or 3) and not start.trainable
    np.testing.assert_allclose(form_of_student(start), M, atol=1e-12)
    teacher = Teacher.from_eigenvalues([2, -1, 0.5], 5)
    curves = [
        GradientFlow(Problem(teacher, student)).integrate(times=TIMES, rtol=1e-11)
        for student in (start, Student(W, np.full(7, a), False))
    ]
    np.testing.assert_allclose(form_of(curves[0]), form_of(curves[1]), rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(curves[0].loss, curves[1].loss, rtol=1e-8)


def form_of_student(student):
    return np.einsum("ok,ki,kj->ij", student.A, student.W, student.W)


@pytest.mark.parametrize(
    ("M", "how", "message"),
    [
        (
            np.diag([1.0, -0.2]),
            {},
            "`init_form` has the eigenvalue -0.2, but Σ a w wᵀ with a = 1 has no negative",
        ),
        (
            np.diag([1.0, 2.0]),
            {"second_layer_value": -0.5},
            "the eigenvalue 2, but .* a = -0.5 has no positive one",
        ),
        (np.eye(3), {"hidden": 2}, "has rank 3, but `hidden` is 2"),
        (np.eye(2), {"second_layer_value": 0.0}, "`second_layer_value` is 0"),
        ([[1.0, 0.5], [0.0, 1.0]], {}, "`init_form` is not symmetric"),
        (np.ones(3), {}, "axes"),
    ],
)
def test_what_is_no_form_of_such_units_is_refused(M, how, message):
    with pytest.raises(ProblemError, match=message):
        Student.from_form(M, **how)


def test_rounding_is_no_unit():
    """An eigenvalue of −1e-17 is left out; one of a single-precision matrix too, and that is said."""
    assert Student.from_form(np.diag([1.0, -1e-17])).hidden == 1
    W, notes = form_factor(np.diag([1.0, -1e-9]).astype(np.float32), 1.0)
    assert len(W) == 1 and "treated as 0" in notes[0]


PROBLEM = {"teacher": Teacher.from_eigenvalues([2, 1, 0.5], 4)}
SCALE = 0.2  # s = scale²/d = 0.01


def limit(activation="quadratic", **more):
    """The example of the theory of the flow in M: λ = (2, 1, ½, 0), s = 0.01, a = 1."""
    return Problem(**PROBLEM, student=Student.mean_field(4, SCALE), activation=activation, **more)


def test_the_limit_of_the_theory():
    """L(¼) = .42394 there (checked by 30 networks of up to 10⁴ units, and 6 digits by the closed form)."""
    loss = GradientFlow(limit()).integrate(times=[0, 0.25]).loss[-1]
    assert loss == pytest.approx(0.42394, abs=5e-6)
    assert loss == pytest.approx(riccati_solution(limit(), [0.25]).loss[0], rel=1e-8)


def test_centred_modes_have_the_logistic_closed_form():
    """m_j = s e^{8λ_jt}/(1 + s(e^{8λ_jt} − 1)/λ_j), the isotropic start of the matrix Riccati equation."""
    lam, s, t = np.array([2, 1, 0.5]), 0.01, np.array(TIMES)[:, None]
    grown = np.exp(8 * lam * t)
    modes = GradientFlow(limit("centred")).integrate(times=TIMES, rtol=1e-11).modes
    np.testing.assert_allclose(modes, s * grown / (1 + s * (grown - 1) / lam), rtol=1e-8)


def finite(K, seed):
    """L(¼) of K units of f = (1/K) Σ φ(w·x), w ~ N(0, sI), in time over K."""
    rng = np.random.default_rng([K, seed])
    W = SCALE / 2 * rng.standard_normal((K, 4))
    problem = Problem(**PROBLEM, student=Student(W, np.full(K, 1 / K), False))
    return GradientFlow(problem).integrate(times=[0, 0.25 * K]).loss[-1]


@pytest.mark.parametrize(
    ("K", "mean", "std"), [(10, 0.345, 0.244), (100, 0.031, 0.052), (1000, 0.0018, 0.0175)]
)
def test_networks_approach_the_limit(K, mean, std):
    """30 networks each: the theory's table has their mean excess and its spread, which fall as 1/K and K^{−1/2}.

    Both are of 30 draws: means differ by up to 4σ√(2/30), and logarithms of the spreads by 4√(2/(2·29)).
    """
    excess = np.array([finite(K, seed) for seed in range(30)]) - 0.423940
    assert abs(excess.mean() - mean) < 4 * std * np.sqrt(2 / 30)
    assert abs(np.log(excess.std(ddof=1) / std)) < 4 * np.sqrt(2 / (2 * 29))


def test_a_finite_step_and_decay_are_those_of_the_mean_field():
    """K = 2,000 units: a step η over K, and decay ρ/K; fluctuations are some 2 % of the modes then."""
    K, rho, eta = 2000, 0.3, 0.02
    rng = np.random.default_rng(1)
    W = SCALE / 2 * rng.standard_normal((K, 4))
    W -= W.mean(axis=0)
    W = W @ np.linalg.inv(np.linalg.cholesky(W.T @ W / K).T) * SCALE / 2  # the same M₀ exactly
    student = Student(W, np.full(K, 1 / K), False)
    many = Problem(**PROBLEM, student=student, weight_decay=rho / K)
    one = ModifiedFlow(limit(weight_decay=rho), eta).integrate(times=[0, 0.3])
    other = ModifiedFlow(many, eta * K).integrate(times=[0, 0.3 * K])
    np.testing.assert_allclose(one.loss, other.loss, rtol=1e-6)
    np.testing.assert_allclose(one.modes, other.modes, rtol=1e-6)


def test_the_limit_has_no_single_units(tmp_path):
    """What looks at them refuses by its needs; the flow, that of a finite step and the closed form go on."""
    problem = limit()
    honouring = {name for name, theory in THEORIES.items() if "infinitely many" not in theory.gap(problem)}
    refusing = set(THEORIES) - honouring
    assert {"flow", "modified flow", "data flow", "closed form", "mean-field limit"} <= honouring
    assert {"mean SGD", "catalogue", "staircase", "outcome", "balances", "training", "gap"} <= refusing
    assert "hidden=∞" in repr(problem) and r"\lim_{K \to \infty} \tfrac1K" in problem._repr_latex_()
    assert ">∞<" in problem._repr_html_()
    curve = GradientFlow(problem).integrate(times=[0, 0.1])
    assert curve.conserved is None and curve.student_at(1).infinite
    with pytest.raises(ProblemError, match="an ensemble of flows is known only for finite numbers"):
        FlowEnsemble([problem, problem])
    again = Trajectory.load(curve.save(tmp_path / "run.npz") or tmp_path / "run.npz")
    assert again.problem.student.infinite and again.attributes()["hidden"] == "infinite"


@pytest.mark.parametrize(
    ("activation", "message"), [("relu", "quadratic and centred units"), ("quadratic", ""), ("centred", "")]
)
def test_only_forms_have_this_limit(activation, message):
    assert message in THEORIES["mean-field limit"].gap(limit(activation))
    assert bool(message) == bool(THEORIES["mean-field limit"].gap(limit(activation)))


@pytest.mark.parametrize(
    "how", [{"loss": "log-cosh"}, {"loss": "logistic", "bias": 0.4}], ids=lambda how: how["loss"]
)
def test_the_limit_holds_for_every_loss(how):
    """Of 4 units of a = ¼ with the same M₀ = sI, in time over K: the flow of M knows nothing else (derived here)."""
    student = Student(SCALE * np.eye(4), np.full(4, 0.25), False)
    many = GradientFlow(Problem(**PROBLEM, student=student, **how)).integrate(times=[0, 2.0], rtol=1e-11)
    one = GradientFlow(limit(**how)).integrate(times=[0, 0.5], rtol=1e-11)
    assert one.loss[1] < 0.98 * one.loss[0]
    np.testing.assert_allclose(one.loss, many.loss, rtol=1e-9)
    np.testing.assert_allclose(one.modes, many.modes, rtol=1e-8)
