"""Every combination of ingredients, every theory: it honours what the problem has, or refuses it in one sentence.

Whether a theory honours a problem is seen by its result: held against the population loss of that problem, whose own
test holds it against the network itself.
"""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pytest

from dynamics import (
    GradientFlow,
    ModifiedFlow,
    Problem,
    ProblemError,
    Student,
    Teacher,
    diagnose,
    fixed_points,
    gaussian_comparison,
)
from dynamics.activations import ACTIVATIONS, Activation
from dynamics.closed_forms import riccati_solution
from dynamics.conserved import decayed_quantities
from dynamics.conserved.sample_gradients import gradient_second_moments
from dynamics.escape.prediction import escape_time
from dynamics.flows.finite_data import FiniteDataFlow
from dynamics.flows.path_space import PathFlow
from dynamics.inputs.laws import Mixture
from dynamics.problem.scope import THEORIES, require
from dynamics.problem.verbs import EXACT, NUMERICAL, SECOND_ORDER, TRAINING, UNKNOWN, VERBS, scope
from dynamics.saddle_to_saddle.staircase import staircase
from dynamics.sgd.mean_sgd import MeanSGD
from dynamics.sgd.sphere_sgd import SphereSGD
from empirical import train


@dataclass
class NumbersOfNumPy:
    """What a law draws from."""

    seed: int

    def __post_init__(self):
        self.rng = np.random.default_rng(self.seed)

    def normal(self, *shape):
        return self.rng.standard_normal(shape)

    def uniform(self, *shape):
        return self.rng.random(shape)

    def gamma(self, shape_parameter, *shape):
        return self.rng.standard_gamma(shape_parameter, shape)

    def array(self, value):
        return value


HERMITE_3 = Activation("he3", "φ(w·x) = z³ − 3zq", lambda z, q: z**3 - 3 * z * q, degree=3, parity=-1)
MIXED = Activation("mixed", "φ(w·x) = z + z²/2", lambda z, q: z + 0.5 * z**2, degree=None, parity=None)
SLOW = {"elu", "silu"}  # many components; what they need of theories is what softplus and GELU do
PHI = [*(phi for phi in ACTIVATIONS.values() if phi.name not in SLOW), HERMITE_3, MIXED]
SIGMAS = {"white": None, "commuting": np.diag([2.0, 1.0]), "mixing": np.array([[1.5, 0.4], [0.4, 0.8]])}
LAYERS = {"trained": True, "fixed": False}
T_END = 0.05
TIMES = np.linspace(0, T_END, 4)
COMBINATIONS = [
    *product(PHI, SIGMAS, (1, 2), LAYERS, (0.0,)),
    *product(PHI, ("white",), (1, 2), LAYERS, (0.3,)),  # weight decay
]
NAMES = [f"{phi}-{sigma}-{O}-{layer}{'-decay' * bool(rho)}" for phi, sigma, O, layer, rho in COMBINATIONS]


def problem_of(phi, sigma, O, layer, rho=0.0):
    teacher = Teacher.from_eigenvalues([2, 1], outputs=O)
    W = Student.initialise(3, 2, scale=0.3, seed=4).W
    A = np.full((O, 3), 0.4)
    return Problem(teacher, Student(W, A, trainable=LAYERS[layer]), phi, SIGMAS[sigma], rho)


def flow(problem):
    """The objective falls at the rate of the squared gradient."""
    f = GradientFlow(problem)
    W, A = problem.student.W, problem.student.A
    dW, dA = problem.objective.velocity(W, A)
    speed = np.sum(dW**2) + (np.sum(dA**2) if problem.student.trainable else 0)
    h = 1e-5
    curve = f.integrate(times=[0, h])
    before, after = curve.loss if curve.objective is None else curve.objective
    assert before == pytest.approx(problem.objective.loss(W, A), rel=1e-12)
    assert (before - after) / h == pytest.approx(speed, rel=1e-3)


def modified_flow(problem):
    """As the flow, up to the order of the step."""
    step = 1e-8
    plain = GradientFlow(problem).integrate(times=TIMES, rtol=1e-8).loss
    ours = ModifiedFlow(problem, step).integrate(times=TIMES, rtol=1e-8).loss
    np.testing.assert_allclose(ours, plain, rtol=1e-5)


def path_flow(problem):
    """It starts at the loss of the problem and goes down."""
    curve = PathFlow(problem).integrate(t_end=1e-6)
    assert curve.loss[0] == pytest.approx(problem.population.loss(problem.student.W, problem.student.A))
    assert curve.loss[-1] < curve.loss[0]


def data_flow(problem):
    """On 4,000 samples it starts with the gradient of the population, within 5 standard errors of each entry."""
    X = problem.law.draw(NumbersOfNumPy(0), 4000, 2)
    if problem.covariance is not None:
        X = X @ np.linalg.cholesky(problem.covariance).T
    Sigma = np.eye(2) if problem.second_moment is None else problem.second_moment
    phi, V, B = problem.activation.phi, problem.teacher.V, problem.teacher.B
    Y = phi(X @ V.T, np.einsum("md,de,me->m", V, Sigma, V)) @ B.T
    Y = problem.labels.expected(Y - problem.bias.teacher)
    W, A = problem.student.W, problem.student.A
    parts = [FiniteDataFlow(problem, X[i::20], Y[i::20]).objective.velocity(W, A)[0] for i in range(20)]
    mean, error = np.mean(parts, axis=0), np.std(parts, axis=0, ddof=1) / np.sqrt(20)
    rounding = 1e-14  # where every sample gives the same
    assert (np.abs(mean - problem.objective.velocity(W, A)[0]) < 5 * error + rounding).all()


def mean_sgd(problem):
    """For a step to zero it is the flow."""
    mean = MeanSGD(problem, step=1e-7, batch=100).integrate(times=TIMES, rtol=1e-8).loss
    np.testing.assert_allclose(mean, GradientFlow(problem).integrate(times=TIMES, rtol=1e-8).loss, rtol=1e-4)


def mean_sgd_on_the_sphere(problem):
    """The same, many inputs apart, which for a step to zero do not matter."""
    mean = SphereSGD(problem, step=1e-9).integrate(times=TIMES, rtol=1e-8).loss
    np.testing.assert_allclose(mean, GradientFlow(problem).integrate(times=TIMES, rtol=1e-8).loss, rtol=1e-4)


def catalogue(problem):
    """At a representative of every point the gradient of the population loss vanishes."""
    found = fixed_points(problem)
    for point in found.feasible:
        student = found.representative(point, seed=0)
        here = replace(problem, student=student)
        dW, dA = here.objective.velocity(student.W, student.A)
        assert np.abs(dW).max() < 1e-9
        assert not student.trainable or np.abs(dA).max() < 1e-9
        assert here.population.loss(student.W, student.A) == pytest.approx(point.loss, rel=1e-9, abs=1e-12)


def jumps(problem):
    """The first plateau is the loss of a student that is zero."""
    small = Student(1e-4 * problem.student.W, 1e-4 * problem.student.A, True)
    if not problem.student.trainable:
        small = Student(1e-4 * problem.student.W, problem.student.A, False)
    start = replace(problem, student=small)
    at_zero = problem.population.loss(0 * problem.student.W, problem.student.A)
    found = staircase(start)
    if not found.jumps:  # weights that decay before they have grown: the flow ends there
        assert problem.weight_decay
        assert GradientFlow(start).integrate().loss[-1] == pytest.approx(at_zero, rel=1e-6)
        return
    assert found.jumps[0].loss_before == pytest.approx(at_zero, rel=1e-6)


def outcome(problem):
    """What is predicted is where the flow ends."""
    verdict = diagnose(problem)
    assert verdict.predicted_loss is not None
    end = GradientFlow(problem).integrate().loss[-1]
    assert end == pytest.approx(verdict.predicted_loss, abs=1e-6)


def balances(problem):
    """Along the flow nothing of them changes, beside their decay."""
    if THEORIES["flow"].gap(problem):
        return  # they hold in training too, which nothing follows exactly
    trajectory = GradientFlow(problem).integrate(t_end=T_END)
    quantities = decayed_quantities(problem)
    for decayed in quantities:
        values, deviation = decayed.quantity(trajectory), decayed.deviation(trajectory.times, trajectory)
        assert np.ptp(deviation) < 1e-8 * max(1.0, np.abs(values).max())
    assert len(quantities) or not problem.student.trainable


def gradient_noise(problem):
    """Their trace is at least that of the mean gradient, as second moments are."""
    W, A = problem.student.W, problem.student.A
    first, second = gradient_second_moments(problem, W, A, 0.0)
    dW, dA = problem.population.velocity(W, A)
    assert np.trace(first) > np.sum(dW**2) and np.trace(second) > np.sum(dA**2)


def closed_form(problem):
    """The closed form is the flow."""
    ours = riccati_solution(problem, TIMES).loss
    np.testing.assert_allclose(ours, GradientFlow(problem).integrate(times=TIMES).loss, rtol=1e-8)


def gaussian_theory(problem):
    """Of Gaussian inputs it is the flow itself; the exact curve beside it always is."""
    found = gaussian_comparison(problem, times=[0, T_END])
    if problem.law.gaussian:
        assert found.gaussianity.bound < 1e-12
        np.testing.assert_allclose(found.gaussian, found.loss, rtol=1e-9)
    np.testing.assert_allclose(found.loss, GradientFlow(problem).integrate(times=[0, T_END]).loss, rtol=1e-9)


HONOURS = {
    "flow": flow,
    "modified flow": modified_flow,
    "path flow": path_flow,
    "data flow": data_flow,
    "mean SGD": mean_sgd,
    "mean SGD on the sphere": mean_sgd_on_the_sphere,
    "catalogue": catalogue,
    "catalogue on the sphere": catalogue,
    "staircase": jumps,
    "outcome": outcome,
    "balances": balances,
    "gradient noise": gradient_noise,
    "closed form": closed_form,
    "gaussian theory": gaussian_theory,
}
CALLS = {
    "path flow": PathFlow,
    "data flow": lambda p: FiniteDataFlow(p, np.eye(2), np.ones((2, p.teacher.outputs))),
    "mean SGD": lambda p: MeanSGD(p, step=1e-3),
    "mean SGD on the sphere": lambda p: SphereSGD(p, step=1e-3),
    "catalogue": fixed_points,
    "catalogue on the sphere": fixed_points,
    "staircase": staircase,
    "escape time": escape_time,
    "gradient noise": lambda p: gradient_second_moments(p, p.student.W, p.student.A, 0.0),
    "closed form": lambda p: riccati_solution(p, [0.0, 1.0]),
    "gaussian theory": lambda p: gaussian_comparison(p, 1.0),
    "training": lambda p: train(p, steps=1, step=1e-3),
}


@pytest.mark.parametrize(("phi", "sigma", "O", "layer", "rho"), COMBINATIONS, ids=NAMES)
def test_every_theory_honours_a_problem_or_refuses_it(phi, sigma, O, layer, rho):
    honours_or_refuses(problem_of(phi, sigma, O, layer, rho))


def honours_or_refuses(problem):
    for name, theory in THEORIES.items():
        reason = theory.gap(problem)
        if not reason and name in HONOURS:
            HONOURS[name](problem)
        elif reason:
            assert reason.endswith(".") and "\n" not in reason and theory.subject in reason
            with pytest.raises(ProblemError) as refused:
                require(name, problem)
            assert str(refused.value) == reason
            if name in CALLS and not (name.startswith("catalogue") and of_the_other_kind(name, problem)):
                with pytest.raises(ProblemError) as refused:
                    CALLS[name](problem)
                assert str(refused.value) == reason


def of_the_other_kind(name, problem):
    """Whether `fixed_points` takes the other catalogue: that of a problem on the sphere, or of one that is not."""
    return name.endswith("on the sphere") != bool(problem.constraint)


CLUSTERS = Mixture(np.array([0.4, 0.6]), np.array([[0.5, 0.1], [-0.3, 0.2]]), np.stack([np.eye(2)] * 2))
INPUTS = ["sphere", "student-t:9", "uniform", "rademacher", "independent:1.5", CLUSTERS, "data"]


@pytest.mark.parametrize("phi", ["quadratic", "centred", pytest.param("relu", marks=pytest.mark.slow)])
@pytest.mark.parametrize("inputs", INPUTS, ids=lambda law: getattr(law, "name", law))
def test_every_theory_honours_the_inputs_or_refuses_them(inputs, phi):
    plain = problem_of(phi, "white", 1, "trained")
    if inputs == "data":
        X = np.random.default_rng(1).uniform(-2, 2, (60, 2))
        problem = replace(plain, data=(X, np.zeros(60)))
    else:
        problem = replace(plain, distribution=inputs)
    honours_or_refuses(problem)


LOSSES_OF_ALL_KINDS = {
    "log-cosh": {"loss": "log-cosh"},
    "huber": {"loss": "huber:1.5", "bias": 0.4},
    "logistic": {"loss": "logistic", "bias": 0.4},
    "hard labels": {"loss": "logistic", "labels": "hard:0.2", "flip": 0.1},
}


@pytest.mark.parametrize("phi", ["quadratic", "centred", "tanh"])
@pytest.mark.parametrize("learned", LOSSES_OF_ALL_KINDS.values(), ids=LOSSES_OF_ALL_KINDS)
def test_every_theory_honours_the_loss_or_refuses_it(learned, phi):
    """Of units that are not quadratic the population is not known either, and the sentence names the loss."""
    problem = replace(problem_of(phi, "white", 1, "trained"), **({"labels": None} | learned))
    honours_or_refuses(problem)
    if phi == "tanh":
        assert f"`loss` is {problem.loss.name!r}" in THEORIES["flow"].gap(problem)
    honours_or_refuses(
        replace(problem, data=(np.random.default_rng(1).uniform(-2, 2, (60, 2)), np.zeros(60)))
    )


@pytest.mark.parametrize(
    "phi", [phi for phi in PHI if phi.name in ("quadratic", "centred", "relu", "tanh", "he3")]
)
@pytest.mark.parametrize(("sigma", "O"), [("white", 1), ("mixing", 1), ("white", 2)])
def test_every_theory_honours_the_sphere_or_refuses_it(phi, sigma, O):
    honours_or_refuses(replace(problem_of(phi, sigma, O, "fixed"), constraint="sphere"))


def test_diagnosis_says_why_it_does_not_know():
    for combination in COMBINATIONS:
        problem = problem_of(*combination)
        reason = THEORIES["outcome"].gap(problem)
        if reason:
            verdict = diagnose(problem)
            assert (verdict.verdict, verdict.reason) == ("undecided", reason)


def test_rows_of_the_table():
    """Statuses where everything is known, and where an activation takes some of it away."""
    known = {
        row.command: row.status for row in scope(problem_of(ACTIVATIONS["quadratic"], "white", 1, "trained"))
    }
    assert known == {
        "derive": EXACT,
        "derive --format tensor": EXACT,
        "simulate": EXACT,
        "simulate --correction modified": SECOND_ORDER,
        "simulate --sgd": SECOND_ORDER,
        "schedule": NUMERICAL,
        "fixed-points": EXACT,
        "conserved": EXACT,
        "staircase": EXACT,
        "diagnose": EXACT,
        "escape": UNKNOWN,  # three units
        "gaussianity": EXACT,
        "train": TRAINING,
        "compare": EXACT,
        "compare --gap theory": SECOND_ORDER,
    }
    relu = {row.command: row for row in scope(problem_of(ACTIVATIONS["relu"], "mixing", 2, "fixed"))}
    assert {name: row.status for name, row in relu.items()} == {
        "derive": UNKNOWN,
        "derive --format tensor": EXACT,
        "simulate": EXACT,
        "simulate --correction modified": SECOND_ORDER,
        "simulate --sgd": UNKNOWN,
        "schedule": UNKNOWN,
        "fixed-points": NUMERICAL,
        "conserved": UNKNOWN,
        "staircase": UNKNOWN,
        "diagnose": UNKNOWN,
        "escape": UNKNOWN,
        "gaussianity": UNKNOWN,
        "train": TRAINING,
        "compare": EXACT,
        "compare --gap theory": TRAINING,
    }
    assert relu["fixed-points"].reason == (
        "`activation` is 'relu', but the catalogue of stationary points is known only for quadratic and centred units:"
        " use the numerical search."
    )
    assert [verb.command for verb in VERBS] == list(known)
