"""Compiled steps: the same as those by NumPy, from the beginning or from where they pay, and never without numba."""

import sys

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.errors import ProblemError
from dynamics.integration import SOLVERS, Sampling, Stop, VectorField, integrate
from dynamics.integration.contract import FAILED, RUNNING
from dynamics.integration.runge_kutta import STEPS
from oracles.compiled_decay import decay_kernel

pytest.importorskip("numba")
PLAIN = ("Tsit5", "DOP853")


class Power(VectorField):
    """θ̇ = −pθⁿ."""

    def __init__(self, rate=1.0, power=1, operations=1):
        self.rate, self.power, self.told = rate, power, decay_kernel(rate, power, operations)

    def __call__(self, t, theta):
        return -self.rate * theta**self.power

    def jacobian(self, t, theta):
        return np.diag(-self.rate * self.power * theta ** (self.power - 1))

    def kernel(self):
        return self.told


def sampling(t_end, samples):
    return Sampling.create(t_end, None, samples, False, 0.0)


def large_flow():
    """402 unknowns, two saddles."""
    return GradientFlow(
        Teacher.from_eigenvalues([3.0, 1.0], 30), Student.initialise(20, 30, scale=0.05, seed=1)
    )


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("samples", [2, 40])
def test_compiled_steps_are_the_same(name, samples):
    """Evaluations to the last one, states to what rounding grows to: 10⁶ of it by the saddles.

    What is computed in Python alone, samples included, is the oracle.
    """
    plain, fast = (
        large_flow().integrate(3.0, samples=samples, method=method, rtol=1e-8)
        for method in (name, f"{name}-numba")
    )
    assert plain.solver.evaluations == fast.solver.evaluations > 200
    assert (plain.solver.method, fast.solver.method) == (name, f"{name}-numba")
    np.testing.assert_allclose(fast.W, plain.W, rtol=0, atol=1e-10)
    np.testing.assert_allclose(fast.A, plain.A, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", PLAIN)
def test_strides_are_single_steps_one_after_another(name):
    """They end where they are told to: behind a time, after a number of evaluations, or after `STEPS`.

    Lengths of steps are good to the rounding of error estimates, 1e-16 of 1e-9.
    """
    solvers = [
        SOLVERS[method].create(Power(), np.array([1.0, 2.0]), 900.0, 1e-9, 1e-9)
        for method in (name, f"{name}-numba", f"{name}-numba")
    ]
    one = solvers[2]
    for stop in ({"until": 0.7}, {"until": 800.0, "allowed": 500}, {"until": np.inf}):
        for solver in solvers[:2]:
            before = solver.steps
            assert solver.stride(**stop) == ""
            assert solver.steps - before <= STEPS
        while one.steps < solvers[1].steps:
            one.step()
        assert {solver.steps for solver in solvers} == {one.steps}
        assert {solver.nfev for solver in solvers} == {one.nfev}
        for solver in solvers[:2]:
            np.testing.assert_allclose(
                [solver.t, solver.t_old, *solver.y], [one.t, one.t_old, *one.y], rtol=1e-6
            )
        assert one.t >= 0.7 > one.t_old or "allowed" in stop or stop["until"] == np.inf


@pytest.mark.parametrize("name", PLAIN)
def test_the_end_is_met(name):
    """e^{−2} at t = 2, in one stride and with the time given exactly; nothing is evaluated after that."""
    field = Power()
    solver = SOLVERS[f"{name}-numba"].create(field, np.ones(3), 2.0, 1e-10, 1e-10)
    while solver.status == RUNNING:
        assert solver.stride(np.inf) == ""
    assert (solver.t, solver.status) == (2.0, "finished")
    np.testing.assert_allclose(solver.y, np.exp(-2), rtol=1e-9)
    plain = SOLVERS[name].create(Power(), np.ones(3), 2.0, 1e-10, 1e-10)
    while plain.status == RUNNING:
        plain.step()
    assert solver.nfev == plain.nfev == field.told.numbers[1]


@pytest.mark.parametrize("name", PLAIN)
def test_code_is_compiled_where_it_pays(name, monkeypatch):
    """After 10¹⁰ multiplications: a third of the evaluations here, to the next sample. The solution is the exact one.

    Only its own count: what comes out of an integration does not depend on others of the process.
    """
    exact = 2 * np.exp(-np.linspace(0, 30, 61))
    field = Power()
    plain = integrate(field, np.full(3, 2.0), sampling(30.0, 61), method=name, rtol=1e-10)[2]
    assert field.told.numbers[1] == 0
    field = Power(operations=3 * 10**10 // plain.evaluations)
    _, states, report = integrate(field, np.full(3, 2.0), sampling(30.0, 61), method=name, rtol=1e-10)
    assert (report.method, report.evaluations) == (name, plain.evaluations)
    assert 0.5 < field.told.numbers[1] / plain.evaluations < 0.7
    np.testing.assert_allclose(states[:, 0], exact, rtol=1e-7, atol=1e-9)
    field = Power()
    integrate(field, np.full(3, 2.0), sampling(30.0, 61), method=name, rtol=1e-10)
    assert field.told.numbers[1] == 0
    monkeypatch.setitem(sys.modules, "dynamics.integration.compiled_steps", None)
    field = Power(operations=10**10)
    integrate(field, np.full(3, 2.0), sampling(30.0, 61), method=name, rtol=1e-10)
    assert field.told.numbers[1] == 0


@pytest.mark.parametrize("name", PLAIN)
def test_methods_by_turns_stride_as_they_step(name):
    """Through the time at which implicit steps begin; a stop that never comes asks for every single step."""
    never = Stop("never", lambda t, theta: 1.0)
    strides, steps = (
        large_flow().integrate(20.0, samples=2, method=f"{name}/BDF", rtol=1e-6, stops=stops)
        for stops in ((), (never,))
    )
    assert strides.solver.evaluations == steps.solver.evaluations
    assert strides.solver.jacobian_evaluations == steps.solver.jacobian_evaluations > 0
    np.testing.assert_allclose(strides.W, steps.W, rtol=0, atol=1e-7)


def test_without_numba_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "dynamics.integration.compiled_steps", None)
    with pytest.raises(ProblemError, match=r"needs numba.*quadflow\[fast\].*'DOP853'"):
        integrate(Power(), np.ones(1), sampling(1.0, 2), method="DOP853-numba")


def test_a_field_without_a_kernel_is_refused():
    problem = Problem(Teacher.from_eigenvalues([1.0]), Student.initialise(2, 1), "relu")
    with pytest.raises(ProblemError, match=r"quadratic networks.*choose 'Tsit5'"):
        GradientFlow(problem).integrate(1.0, method="Tsit5-numba")


@pytest.mark.parametrize("name", PLAIN)
def test_stops_and_limits_hold_in_compiled_code(name):
    """θ = e^{−t} is ½ at ln 2; more evaluations than are allowed by less than a step, as by NumPy."""
    stop = Stop("half", lambda t, theta: theta[0] - 0.5)
    method = f"{name}-numba"
    times, states, report = integrate(
        Power(), np.ones(1), sampling(5.0, 3), method=method, rtol=1e-11, stops=[stop]
    )
    assert report.status == "half"
    assert times[-1] == pytest.approx(np.log(2), rel=1e-9)
    assert states[-1, 0] == pytest.approx(0.5, rel=1e-9)
    limited = [
        integrate(Power(), np.ones(1), sampling(50.0, 2), method=m, rtol=1e-10, max_evaluations=60)[2]
        for m in (name, method)
    ]
    for report in limited:
        assert report.status == FAILED
        assert "more than 60 evaluations" in report.message
    assert limited[0].evaluations == limited[1].evaluations <= 72
    assert limited[0].time_reached == pytest.approx(limited[1].time_reached, rel=1e-6)


@pytest.mark.parametrize("name", PLAIN)
def test_explosions_end_in_failure(name):
    """θ̇ = θ² from 1 is infinite at t = 1: steps fall below the spacing of numbers, or the state leaves the numbers."""
    report = integrate(Power(-1.0, 2), np.ones(1), sampling(3.0, 2), method=f"{name}-numba", rtol=1e-8)[2]
    assert report.status == FAILED
    assert report.time_reached == pytest.approx(1, abs=1e-6)
