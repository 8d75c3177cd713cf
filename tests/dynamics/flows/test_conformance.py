"""What every flow promises, one body each, looped over all flows: a new one is tested by a line in the table.

A flow that is integrated knows the same arguments, meets them in the same way, ends with a status that says how, and
keeps what it computed where it fails. Every activation is a flow of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from dynamics import (
    FiniteDataFlow,
    FluctuatingSGD,
    GradientFlow,
    MeanSGD,
    ModifiedFlow,
    Problem,
    ProblemError,
    Student,
    Teacher,
)
from dynamics.activations import ACTIVATIONS
from dynamics.errors import IntegrationError
from dynamics.flows.adam import AdamFlow, RMSPropFlow
from dynamics.flows.arc_length import ArcLengthFlow
from dynamics.flows.base import Flow
from dynamics.flows.endings import CONVERGED, NOT_CONVERGED, OF_ITS_OWN, STATIONARY, TARGET
from dynamics.flows.muon import MuonFlow
from dynamics.flows.natural_gradient import NaturalGradientFlow
from dynamics.flows.path_space import PathFlow
from dynamics.flows.steered import SteeredFlow
from dynamics.integration import Stop
from dynamics.neuron import NeuronFlow, Neurons, QuadraticTarget, Rates

STEP = 1e-5  # of central differences: an error of 1e-10 of third derivatives, 1e-11 of rounding
SIGMA = np.array([[2.0, 0.3], [0.3, 0.7]])
DIRECTIONS = [[1.0, 0.2], [-0.3, 0.9]]
DATA = np.random.default_rng(4).standard_normal((12, 2))


def problem(activation="quadratic", trainable=True, covariance=None, outputs=1) -> Problem:
    rng = np.random.default_rng(1)
    V, B = DIRECTIONS, np.array([[1.0, 0.7], [0.4, -0.8]])
    student = Student(0.6 * rng.standard_normal((2, 2)), 0.6 * rng.standard_normal((outputs, 2)), trainable)
    return Problem(Teacher(V, B[:outputs]), student, activation, covariance)


def near_teacher(activation="quadratic") -> Problem:
    """A student that reaches its teacher before any skeleton path value reaches zero."""
    rng = np.random.default_rng(0)
    W, A = 0.3 * rng.standard_normal((2, 3)), 0.3 * rng.standard_normal((2, 2))
    W[[0, 1], [0, 1]], A[0] = [1.0, -1.1], [0.9, -1.0]
    V, B = W + 0.2 * rng.standard_normal(W.shape), A + 0.2 * rng.standard_normal(A.shape)
    return Problem(Teacher(V, B), Student(W, A), activation)


def one_unit() -> Problem:
    student = Student([[0.5, 0.2, 0, 0, 0]], [0.7], trainable=False)
    return Problem(Teacher.from_eigenvalues([1.0], 5), student)


def neurons(rates: Rates, shrink: float) -> NeuronFlow:
    return NeuronFlow(QuadraticTarget.random(1, seed=3), Neurons.initialise(1, 1, seed=4), rates, shrink)


@dataclass(frozen=True)
class Case:
    """A flow, a time by which its loss has fallen, and how it ends where it is left to itself."""

    make: Callable[[], Flow[Any]]
    t_end: float = 0.3
    end: str = CONVERGED


SLOW = ("elu", "silu", "softplus")  # many components; GELU and tanh are of their kind
CASES = {
    **{name: Case(lambda name=name: GradientFlow(problem(name))) for name in ACTIVATIONS if name not in SLOW},
    "two outputs": Case(lambda: GradientFlow(problem(outputs=2))),
    "second layer fixed": Case(lambda: GradientFlow(problem("centred", trainable=False))),
    "covariance": Case(lambda: GradientFlow(problem(covariance=SIGMA))),
    "modified": Case(lambda: ModifiedFlow(problem(), 0.02)),
    "momentum": Case(lambda: ModifiedFlow(GradientFlow(problem()), 0.005, 0.3)),
    "finite data": Case(lambda: FiniteDataFlow(problem(), DATA, DATA[:, 0] ** 2 - 0.5 * DATA[:, 1])),
    "arc length": Case(lambda: ArcLengthFlow(problem())),
    "natural gradient": Case(lambda: NaturalGradientFlow(problem(), 0.1)),
    "adamw": Case(lambda: AdamFlow(problem(), 0.01, (0.9, 0.97), 0.3, (1.0, 0.8)), 1.0),
    "rmsprop": Case(lambda: RMSPropFlow(problem(), 1e-4, (0.99,), 1e-2)),
    "muon": Case(lambda: MuonFlow(problem(trainable=False), 1e-2)),
    "path space": Case(lambda: PathFlow(near_teacher())),
    "path space, relu": Case(lambda: PathFlow(near_teacher("relu"))),
    "neurons": Case(lambda: neurons(Rates(), 0.0)),
    "neurons that shrink": Case(lambda: neurons(Rates(0.5, 0.3, 0.2, 2.0), 0.1), end=NOT_CONVERGED),
    "mean SGD": Case(lambda: MeanSGD(one_unit(), 0.001, 50, 0.2), end=STATIONARY),
    "fluctuating SGD": Case(lambda: FluctuatingSGD(one_unit(), 0.001, 50, 0.2), end=STATIONARY),
}


@pytest.fixture(params=CASES)
def case(request) -> Case:
    return CASES[request.param]


@pytest.fixture
def flow(case) -> Flow[Any]:
    return case.make()


@cache
def reference(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Loss at four times, by SciPy's DOP853 with tolerances of its own and the right-hand side alone."""
    flow, t_end = CASES[name].make(), CASES[name].t_end
    times = t_end * np.array([0.0, 0.1, 0.5, 1.0])
    states = solve_ivp(flow, (0, t_end), flow.theta0, "DOP853", times, rtol=1e-13, atol=1e-15).y.T
    return times, np.array([flow.loss(theta) for theta in flow.observed(times, states)])


def differences(flow: Flow[Any], theta: np.ndarray) -> np.ndarray:
    """Jacobian of a right-hand side by central differences, (n, n)."""
    shifts = STEP * np.eye(theta.size)
    return np.stack([(flow(0.0, theta + e) - flow(0.0, theta - e)) / (2 * STEP) for e in shifts], axis=1)


def test_written_in_place_the_right_hand_side_is_the_same(flow):
    """To rounding, wherever it is asked for and in whatever order: buffers keep nothing of the state before."""
    write, out = flow.in_place(), np.full(flow.theta0.size, np.nan)
    rng = np.random.default_rng(3)
    for t in (0.0, 0.1, 0.0):
        theta = flow.theta0 * (1 + 0.05 * rng.standard_normal(flow.theta0.size))
        before = theta.copy()
        write(t, theta, out)
        expected = flow(t, theta)
        np.testing.assert_allclose(out, expected, rtol=0, atol=1e-13 * np.abs(expected).max())
        np.testing.assert_array_equal(theta, before)


COMPILED = ("quadratic", "centred", "second layer fixed")  # of one output without covariance and decay


@pytest.mark.parametrize("name", CASES)
def test_compiled_the_right_hand_side_is_the_same(name, monkeypatch):
    """To rounding, of the flows that offer it: those of the table, where the teacher's directions are axes."""
    assert CASES[name].make().kernel() is None
    monkeypatch.setitem(globals(), "DIRECTIONS", [[1.1, 0.0], [0.0, -0.8]])
    kernel = CASES[name].make().kernel()
    assert (kernel is not None) == (name in COMPILED)
    if kernel is None:
        return
    pytest.importorskip("numba")
    from dynamics.integration.compiled_steps import evaluate

    flow, rng = CASES[name].make(), np.random.default_rng(3)
    room, out = np.full(kernel.room, np.nan), np.full(flow.theta0.size, np.nan)
    assert flow.stretches() is None
    for _ in range(3):
        theta = flow.theta0 * (1 + 0.05 * rng.standard_normal(flow.theta0.size))
        evaluate(kernel.load().address, 0.0, theta, out, kernel.numbers, np.array(kernel.sizes), room)
        expected = flow(0.0, theta)
        np.testing.assert_allclose(out, expected, rtol=0, atol=1e-13 * np.abs(expected).max())


def test_a_gradient_is_one_and_its_hessian_is_minus_the_jacobian(flow):
    """Who offers products with a Hessian has a symmetric Jacobian by differences; they are those of its Jacobian."""
    curvature = flow.curvature()
    if curvature is None:
        assert not isinstance(flow, GradientFlow) or isinstance(flow, SteeredFlow)
        return
    J = differences(flow, flow.theta0)
    np.testing.assert_allclose(J, J.T, atol=1e-7 * np.abs(J).max())
    v = np.random.default_rng(5).standard_normal(flow.theta0.size)
    np.testing.assert_allclose(curvature(flow.theta0, v), -J @ v, atol=1e-6 * np.abs(J).max())


@pytest.mark.parametrize("name", CASES)
def test_evaluated_in_bulk_the_right_hand_side_is_the_same(name):
    """Of all flows that are polynomials, with the loss that they watch: so they can be integrated together."""
    flow = CASES[name].make()
    polynomial = flow.polynomial()
    if polynomial is None:
        assert name not in ("quadratic", "centred", "two outputs", "second layer fixed", "covariance")
        return
    program, numbers = polynomial
    bulk = program.in_bulk(np.stack([numbers, numbers], axis=1))
    states = np.stack([flow.theta0, 1.1 * flow.theta0], axis=1)
    slope, losses = np.empty_like(states), bulk.losses(states)
    bulk(states, slope)
    for i, theta in enumerate(states.T):
        expected = flow(0.0, theta)
        np.testing.assert_allclose(slope[:, i], expected, rtol=0, atol=1e-13 * np.abs(expected).max())
        assert losses[i] == pytest.approx(flow.loss(theta), rel=1e-12)


# of one it is exact up to couplings, see below; that of the other is infinite at the start: `test_adam.py` has it later
ELSEWHERE = ("fluctuating SGD", "rmsprop")


@pytest.mark.parametrize("name", [name for name in CASES if name not in ELSEWHERE])
def test_the_jacobian_is_the_derivative(name):
    """A wrong one changes no result: it only makes an implicit solver slow, or lets it give up."""
    flow = CASES[name].make()
    expected = differences(flow, flow.theta0)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(flow.jacobian(0.0, flow.theta0), expected, atol=1e-7 * np.abs(expected).max())


def test_the_jacobian_of_fluctuations_is_the_derivative_but_for_couplings_that_change_no_eigenvalue():
    """Of m, μ and Σ each by itself it is exact; what is left out lies on one side of the diagonal."""
    flow = CASES["fluctuating SGD"].make()
    u, n = len(flow.order.start), flow.theta0.size
    theta = flow.theta0 + 0.1 * np.random.default_rng(1).standard_normal(n)
    J, expected = flow.jacobian(0.0, theta), differences(flow, theta)
    parts = [slice(0, u), slice(u, 2 * u), slice(2 * u, n)]
    for part in parts:
        np.testing.assert_allclose(J[part, part], expected[part, part], atol=1e-7 * np.abs(expected).max())
        J[part, part] = 0
    assert not J.any()
    order = [*range(u), *range(2 * u, n), *range(u, 2 * u)]  # m alone; Σ by m; μ by both
    left_out = expected[np.ix_(order, order)]
    assert np.abs(np.triu(left_out[:u], u)).max() == 0
    assert np.abs(left_out[u : n - u, n - u :]).max() == 0


@pytest.mark.parametrize("name", CASES)
def test_tolerances_are_kept(name):
    """Loss at given times within 1000 rtol of the initial one; a loose tolerance costs less."""
    times, loss = reference(name)
    flow, spent = CASES[name].make(), []
    for method in ("auto", "DOP853"):
        for rtol in (1e-5, 1e-8):
            curve = flow.integrate(times=times, rtol=rtol, method=method)
            np.testing.assert_array_equal(curve.times, times)
            np.testing.assert_allclose(curve.loss, loss, atol=1e3 * rtol * loss[0])
            spent.append(curve.solver.evaluations)
    assert loss[-1] < loss[0]
    assert spent[0] < spent[1]
    assert spent[2] <= spent[3]  # four short steps may be enough for either
    assert curve.solver.method == "DOP853"


@pytest.mark.parametrize("name", CASES)
def test_the_default_tolerance_is_that_of_the_flow(name):
    times, loss = reference(name)
    flow = CASES[name].make()
    curve = flow.integrate(times=times)
    assert curve.solver.rtol == flow.default_rtol
    assert curve.solver.atol == flow.default_rtol * flow.scale
    np.testing.assert_allclose(curve.loss, loss, atol=1e3 * flow.default_rtol * loss[0])


@pytest.mark.parametrize("name", CASES)
def test_between_samples_a_curve_is_as_accurate_as_at_them(name):
    """At times between two samples, against the independent solver, within the bound of the samples themselves.

    A curve asked again at its own samples gives the same; one time alone is a curve of one sample; so is the start.
    """
    times, loss = reference(name)
    flow = CASES[name].make()
    bound = 1e3 * flow.default_rtol * loss[0]
    curve = flow.integrate(times[-1], samples=2)
    between = curve.at(times)
    assert type(between) is type(curve)
    assert (between.solver.method, between.solver.atol) == (curve.solver.method, curve.solver.atol)
    np.testing.assert_array_equal(between.times, times)
    np.testing.assert_allclose(between.loss, loss, atol=bound)
    np.testing.assert_allclose(curve.at(curve.times).loss, curve.loss, atol=bound)
    assert curve.at(times[2]).loss == pytest.approx(loss[[2]], abs=bound)
    assert curve.at(0.0).loss.tolist() == curve.loss[:1].tolist()


def test_times_are_met_as_they_are_given(case, flow):
    """Late ones and an end beyond the last of them; evenly spaced and logarithmic ones by their definition."""
    given = case.t_end * np.array([0.3, 0.31, 0.9])
    curve = flow.integrate(case.t_end, times=given)
    np.testing.assert_array_equal(curve.times, given)
    assert curve.solver.time_reached == case.t_end
    even = flow.integrate(case.t_end, samples=4)
    np.testing.assert_array_equal(even.times, np.linspace(0, case.t_end, 4))
    late = flow.integrate(case.t_end, samples=4, log_times=True)
    np.testing.assert_allclose(late.times, case.t_end * np.array([0, 1e-4, 1e-2, 1]), rtol=1e-12)
    assert late.loss[-1] == pytest.approx(even.loss[-1], rel=1e4 * flow.default_rtol)
    assert {len(c.loss) for c in (even, late)} == {4}


def test_an_open_end_is_an_end_of_its_own(case, flow):
    """What the table says; until twice the time the loss stays what it is."""
    curve = flow.integrate(samples=3)
    assert curve.solver.status == case.end
    assert case.end in OF_ITS_OWN
    assert curve.times[-1] == curve.solver.time_reached > case.t_end
    later = flow.integrate(times=[2 * curve.times[-1]])
    assert later.loss[-1] == pytest.approx(curve.loss[-1], abs=1e-6 * curve.loss[0])


def test_an_open_end_that_is_not_reached_says_so(case, flow, monkeypatch):
    """Given a time alone, the same is simply finished."""
    monkeypatch.setattr(type(flow), "horizon", lambda self, explicit=False: case.t_end)
    curve = flow.integrate(samples=3)
    assert (curve.solver.status, curve.times[-1]) == (NOT_CONVERGED, case.t_end)
    assert flow.integrate(case.t_end, samples=3).solver.status == "finished"


def test_failure_keeps_what_was_computed(case, flow):
    """Some steps, and then too many: the curve up to there is that of the same flow, in the error or as the result."""
    arguments = {"t_end": case.t_end, "samples": 51, "max_evaluations": 40}
    with pytest.raises(IntegrationError, match="more than 40 evaluations") as caught:
        flow.integrate(**arguments)
    kept = flow.integrate(**arguments, throw=False)
    for curve in (caught.value.trajectory, kept):
        assert curve.solver.status == "failed"
        assert "more than 40 evaluations" in curve.solver.message
        assert 0 < curve.times[-1] == curve.solver.time_reached < case.t_end
        whole = flow.integrate(times=curve.times)
        np.testing.assert_allclose(curve.loss, whole.loss, rtol=1e4 * flow.default_rtol)
    assert str(caught.value) == kept.solver.message


def test_it_stops_at_a_loss(case, flow):
    """Halfway down: the loss is that, and earlier samples are above."""
    start, end = flow.integrate(case.t_end, samples=2).loss
    goal = (start + end) / 2
    for options in ({"t_end": case.t_end}, {}):
        curve = flow.integrate(**options, until_loss=goal, samples=5)
        assert curve.solver.status == TARGET
        assert curve.loss[-1] == pytest.approx(goal, rel=1e4 * flow.default_rtol)
        assert (curve.loss[:-1] > goal).all()
        assert 0 < curve.times[-1] == curve.solver.time_reached < case.t_end


def test_it_stops_where_it_is_told(case, flow):
    """At a time that a stop names; a name of one's own is the status."""
    stop = Stop("halfway", lambda t, theta: case.t_end / 2 - t)
    curve = flow.integrate(case.t_end, stops=[stop], samples=3)
    assert curve.solver.status == "halfway"
    np.testing.assert_allclose(curve.times, case.t_end * np.array([0, 0.25, 0.5]), rtol=1e-12)
    at_once = flow.integrate(case.t_end, stops=[Stop("now", lambda t, theta: -1.0)])
    assert (at_once.solver.status, at_once.times.tolist()) == ("now", [0.0])


def test_progress_is_silent_in_a_pipe(case, flow, capfd):
    flow.integrate(case.t_end, samples=2, progress=True)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"t_end": 0}, "`t_end`.*positive"),
        ({"t_end": 1, "times": [0, 2]}, "only 1"),
        ({"times": [1, 0]}, "increasing"),
        ({"samples": 1}, "at least 2"),
        ({"until_loss": -1}, "`until_loss`.*positive"),
        ({"method": "Euler"}, "LSODA"),
        ({"rtol": 1e-16}, "1e-13"),
        ({"atol": 0}, "positive"),
    ],
)
def test_bad_arguments_are_refused(flow, arguments, words):
    with pytest.raises(ProblemError, match=words):
        flow.integrate(**arguments)
