"""Taylor's method on one trajectory: its right-hand side, its accuracy, stops and refusals."""

import sys

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.closed_forms import SingleMode
from dynamics.flows.modified import ModifiedFlow
from dynamics.integration.taylor import integrator

hy = pytest.importorskip("heyoka")

VARIANTS = [
    {},
    {"O": 2},
    {"activation": "centred"},
    {"trainable": False},
    {"covariance": True},
    {"activation": "centred", "covariance": True, "O": 3},
    {"covariance": True, "trainable": False, "O": 2},
    {"d": 9, "K": 2},
]


def named(variant):
    return ",".join(f"{k}={v}" for k, v in variant.items()) or "plain"


@pytest.mark.parametrize("variant", VARIANTS, ids=named)
def test_compiled_polynomial_is_the_right_hand_side(make_problem, rng, variant):
    """heyoka's expressions, evaluated as they are, against minus the gradient in closed form, at a random state."""
    flow = GradientFlow(make_problem(rng, **variant))
    shape, parameters = flow.polynomial()
    pairs = shape.right_hand_side()
    function = hy.cfunc([f for _, f in pairs], vars=[v for v, _ in pairs], compact_mode=True)
    theta = rng.standard_normal(shape.unknowns)
    expected = flow(0.0, theta)
    np.testing.assert_allclose(
        function(theta, pars=parameters), expected, rtol=1e-12, atol=1e-12 * abs(expected).max()
    )


@pytest.mark.parametrize("variant", VARIANTS, ids=named)
def test_accuracy_is_that_of_the_default(make_problem, rng, variant):
    """Loss to 1e-8 (relative) and weights to 1e-9 against DOP853 at 1e-13."""
    flow = GradientFlow(make_problem(rng, scale=0.3, **variant))
    ours = flow.integrate(0.5, samples=6, method="Taylor")
    reference = solve_ivp(flow, (0, 0.5), flow.theta0, "DOP853", ours.times, rtol=1e-13, atol=1e-15)
    loss = np.array([flow.loss(theta) for theta in reference.y.T])
    np.testing.assert_allclose(ours.loss, loss, rtol=1e-8)
    W, A = flow.unpack(reference.y.T)
    np.testing.assert_allclose(ours.coordinates, W, atol=1e-9)
    np.testing.assert_allclose(ours.A, A, atol=1e-9)
    assert ours.solver.method == "Taylor"


def test_saddles_from_a_small_start():
    """Through two saddles, where errors grow like the solution: loss to 1e-8, and c_k to 1e-13."""
    flow = GradientFlow(Teacher.from_eigenvalues([4, 2, 1], 6), Student.initialise(8, 6, scale=0.01, seed=0))
    ours = flow.integrate(14, samples=29, method="Taylor")
    reference = solve_ivp(flow, (0, 14), flow.theta0, "DOP853", ours.times, rtol=1e-13, atol=1e-18)
    np.testing.assert_allclose(ours.loss, [flow.loss(theta) for theta in reference.y.T], rtol=1e-8)
    assert ours.conserved_drift < 1e-13


def test_single_mode_follows_its_closed_form():
    """Theory section 5: time as a quadrature over a."""
    flow = GradientFlow(Teacher.from_eigenvalues([1.5]), Student([[0.6]], [0.2]))
    ours = flow.integrate(times=[0.1, 0.4, 1.0], method="Taylor")
    p, a = SingleMode(1.5, 0.6, 0.2).weights([0.1, 0.4, 1.0])
    np.testing.assert_allclose(ours.W[:, 0, 0], p, rtol=1e-11)
    np.testing.assert_allclose(ours.a[:, 0], a, rtol=1e-11)


def test_stops_and_convergence_as_with_other_methods():
    """The stop's own condition; the time of convergence against LSODA's, which decays to noise at another place."""
    flow = GradientFlow(Teacher.from_eigenvalues([2, 1]), Student.initialise(3, 2, scale=0.3, seed=2))
    t = flow.integrate(10.0, until_loss=0.5, method="Taylor")
    assert t.loss[-1] == pytest.approx(0.5, rel=1e-12)
    assert t.solver.status == "target loss reached"
    assert t.times[-1] == pytest.approx(flow.integrate(10.0, until_loss=0.5).times[-1], rel=1e-9)
    ends = [flow.integrate(method=m).solver for m in ("Taylor", "LSODA")]
    assert ends[0].status == ends[1].status == "converged"
    assert ends[0].time_reached == pytest.approx(ends[1].time_reached, rel=0.02)


def test_failures_keep_what_was_computed():
    """Too few steps; the message says at which time, and the samples before it are right."""
    flow = GradientFlow(Teacher.from_eigenvalues([2, 1]), Student.initialise(3, 2, scale=0.3, seed=2))
    t = flow.integrate(10.0, samples=101, method="Taylor", max_evaluations=5, throw=False)
    assert t.solver.status == "failed"
    assert "more than 5 evaluations" in t.solver.message
    np.testing.assert_allclose(t.loss, flow.integrate(times=t.times).loss, rtol=1e-8)


def test_a_state_that_overflows_is_a_failure():
    student = Student([[1e16]], [1e16])  # finite loss; its derivatives of high order are not
    t = GradientFlow(Teacher.from_eigenvalues([1.0]), student).integrate(
        1.0, samples=3, method="Taylor", throw=False
    )
    assert t.solver.status == "failed"
    assert "finite" in t.solver.message
    assert np.isfinite(t.loss).all()


def test_programs_are_used_again_but_states_are_not_shared():
    flow = GradientFlow(Teacher.from_eigenvalues([2, 1]), Student.initialise(2, 2, scale=0.3))
    shape, _ = flow.polynomial()
    with integrator(shape, 1e-10, 2.1e-12) as one, integrator(shape, 1e-10, 2.9e-12) as two:
        assert one is not two
        assert one.order == two.order
    with integrator(shape, 1e-10, 2.1e-12) as three, integrator(shape, 1e-10, 1e-8) as coarse:
        assert three is one or three is two
        assert coarse.order < three.order


def test_other_flows_are_refused(make_problem, rng):
    problem = make_problem(rng)
    with pytest.raises(ProblemError, match="quadratic networks"):
        ModifiedFlow(problem, step=1e-3).integrate(1.0, method="Taylor")


def test_without_heyoka_the_error_says_what_to_install(make_problem, rng, monkeypatch):
    monkeypatch.setitem(sys.modules, "heyoka", None)
    problem = Problem(
        Teacher.from_eigenvalues([3.0]), Student([[0.123]] * 7, [0.1] * 7)
    )  # a shape of its own
    with pytest.raises(ProblemError, match=r"quadflow\[fast\]"):
        GradientFlow(problem).integrate(1.0, method="Taylor")


def test_a_plateau_is_leapt_over():
    """Plateaus of some 10⁵ units of time, each crossed in a leap, end when they do for LSODA."""
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    teacher = Teacher.from_matrix(turn @ np.diag([4.0, 2.0, 1.0]) @ turn.T)
    start = Student.initialise(4, 3, scale=1e-7, seed=3)
    flow = GradientFlow(Problem(teacher, Student(start.W, np.abs(start.A))))
    ours, other = (flow.integrate(until_loss=1.0, method=m).solver for m in ("Taylor", "LSODA"))
    assert ours.status == other.status == "target loss reached"
    assert ours.time_reached == pytest.approx(other.time_reached, rel=1e-8)
    assert ours.evaluations < 0.1 * ours.time_reached
