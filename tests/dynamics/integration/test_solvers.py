"""The contract of solvers, one body over the whole table; and a solver that is handed in."""

import importlib.util
from dataclasses import dataclass

import numpy as np
import pytest

from dynamics.errors import ProblemError
from dynamics.integration import (
    FAILED,
    FINISHED,
    METHODS,
    SOLVERS,
    Method,
    Sampling,
    Stop,
    VectorField,
    choose_method,
    integrate,
)
from dynamics.integration.contract import RUNNING
from dynamics.integration.methods import BY_TURNS
from dynamics.integration.switching import SwitchingSolver
from oracles.compiled_decay import decay_kernel

RTOL = 1e-9
NEEDED = {
    name: "heyoka" if name == "Taylor" else "numba" for name in SOLVERS if "numba" in name or name == "Taylor"
}


def parameter(name):
    """A method, skipped where the library that it needs is not installed."""
    library = NEEDED.get(name)
    missing = library is not None and importlib.util.find_spec(library) is None
    return pytest.param(name, marks=pytest.mark.skipif(missing, reason=f"{library} is not installed"))


NAMES = [parameter(name) for name in SOLVERS]


BEGIN_EXPLICITLY = ("LSODA", *(method.name for method in BY_TURNS.values()))


@dataclass(frozen=True)
class DecayProgram:
    """θ̇ = −pθ for heyoka."""

    unknowns: int

    def right_hand_side(self):
        import heyoka as hy

        names = [hy.expression(f"y_{i}") for i in range(self.unknowns)]
        return [(y, -hy.par[0] * y) for y in names]


class CountedDecay(VectorField):
    """θ̇ = −θ, solved by θ₀ e^{−t}; it counts how often it is asked."""

    def __init__(self):
        self.calls, self.compiled = {"f": 0, "jacobian": 0}, decay_kernel()

    @property
    def evaluations(self):
        return self.calls["f"] + self.compiled.numbers[1]

    def __call__(self, t, theta):
        self.calls["f"] += 1
        return -theta

    def kernel(self):
        return self.compiled

    def jacobian(self, t, theta):
        self.calls["jacobian"] += 1
        return -np.eye(theta.size)

    def curvature(self):
        def product(theta, v):
            self.calls["jacobian"] += 1
            return v.copy()

        return product

    def polynomial(self):
        return DecayProgram(2), np.ones(1)


def solver_of(name, field, t_end=2.0, rtol=RTOL):
    return SOLVERS[name].create(field, np.array([1.0, 2.0]), t_end, rtol, rtol)


def test_the_table_has_every_name_once():
    assert METHODS[0] == "auto" and METHODS[1:] == tuple(SOLVERS)
    assert all(name == method.name for name, method in SOLVERS.items())


@pytest.mark.parametrize("name", NAMES)
def test_the_contract_of_solvers(name):
    """It runs to its end, is within each step where e^{−t} is, and starts again where it is put down.

    The bound is 1000 tolerances per step: errors of e^{−t} shrink, and SciPy's implicit interpolants lose that much.
    """
    solver = solver_of(name, CountedDecay())
    assert (solver.t, solver.t_bound, solver.status) == (0.0, 2.0, RUNNING)
    np.testing.assert_array_equal(solver.y, [1, 2])
    reached, steps = [0.0], 0
    while solver.status == RUNNING:
        assert solver.step() == ""
        step = solver.within_step()
        assert (step.t_old, step.t) == (reached[-1], solver.t)
        for t in (step.t_old, 0.3 * step.t_old + 0.7 * step.t, step.t):
            np.testing.assert_allclose(step(t), np.exp(-t) * np.array([1, 2]), rtol=1e3 * RTOL)
        np.testing.assert_allclose(step(step.t), solver.y, rtol=1e-13)
        reached.append(solver.t)
        steps += 1
    assert (solver.t, solver.status) == (2.0, FINISHED)
    assert 1 < steps <= solver.nfev
    assert (np.diff(reached) > 0).all()
    spent = solver.nfev
    solver.restart(1.5, np.array([3.0, 4.0]))
    assert (solver.t, solver.status) == (1.5, RUNNING)
    np.testing.assert_array_equal(solver.y, [3, 4])
    while solver.status == RUNNING:
        solver.step()
    np.testing.assert_allclose(solver.y, np.exp(-0.5) * np.array([3, 4]), rtol=1e3 * RTOL)
    assert solver.nfev > spent
    solver.restart(2.0, np.array([5.0, 6.0]))
    assert (solver.t, solver.status) == (2.0, FINISHED)


class StiffDecay(CountedDecay):
    """θ̇₁ = −θ₁, θ̇₂ = −1000 θ₂: stability limits the steps of explicit methods."""

    def __call__(self, t, theta):
        return np.array([-1.0, -1000.0]) * theta

    def kernel(self):
        return None


@pytest.mark.parametrize("name", ["RK23", "RK45", "Tsit5", "DOP853"])
def test_an_explicit_method_is_within_a_step_as_accurate_as_at_its_end(name):
    """Below the tolerance or twice the error at the ends, where θ₂ is at the edge of stability.

    SciPy's interpolant of DOP853 is off by 26 of the tolerance there.
    """
    rtol = 1e-5
    solver, errors = solver_of(name, StiffDecay(), rtol=rtol, t_end=0.5), []
    while solver.status == RUNNING:
        solver.step()
        step = solver.within_step()
        t = np.array([step.t_old, *np.linspace(step.t_old, step.t, 6)[1:-1], step.t])
        exact = np.stack([np.exp(-t), 2 * np.exp(-1000 * t)], axis=1)
        scale = rtol * (1 + np.maximum(np.abs(exact[0]), np.abs(exact[-1])))
        states = np.stack([step(x) for x in t])
        errors.append(np.sqrt(np.mean(((states - exact) / scale) ** 2, axis=1)))
    assert np.max(errors) < max(1, 2 * np.max(np.stack(errors)[:, [0, -1]]))


@pytest.mark.parametrize("name", [parameter(m.name) for m in SOLVERS.values() if m.sample is None])
def test_evaluations_add_up_over_restarts(name):
    """Counted by the functions themselves; only an implicit method asks for the Jacobian."""
    field, method = CountedDecay(), SOLVERS[name]
    solver = method.create(field, np.ones(2), 10.0, 1e-3, 1e-6)
    for restart in (1.0, 2.0, 3.0):
        solver.step()
        solver.restart(restart, np.ones(2))
    solver.step()
    assert solver.nfev == field.evaluations > 8
    assert solver.njev == field.calls["jacobian"]
    if method.name not in BEGIN_EXPLICITLY:
        assert (solver.njev > 0) == method.implicit


class EulerSolver:
    """Explicit Euler with steps of √rtol, written against the contract alone."""

    njev = 0

    def __init__(self, field, theta0, t_end, rtol, atol):
        self.field, self.h, self.t_bound, self.nfev = field, rtol**0.5, t_end, 0
        self.restart(0.0, theta0)

    @property
    def status(self):
        return FINISHED if self.t >= self.t_bound else RUNNING

    def restart(self, t, y):
        self.t, self.y = t, y

    def step(self):
        self.last = self.t, self.y
        t = min(self.t + self.h, self.t_bound)
        self.y = self.y + (t - self.t) * self.field(self.t, self.y)
        self.t, self.nfev = t, self.nfev + 1
        return ""

    def within_step(self):
        return Line(*self.last, self.t, self.y)


@dataclass(frozen=True, eq=False)
class Line:
    t_old: float
    before: np.ndarray
    t: float
    after: np.ndarray

    def __call__(self, t):
        share = (t - self.t_old) / (self.t - self.t_old)
        return self.before + share * (self.after - self.before)


def test_a_solver_can_be_handed_in():
    """(1 − h)ⁿ at t = nh, Euler's own solution; stops and samples as with any other. Its error against ½ is O(h)."""
    euler, sampling = Method("Euler", False, EulerSolver), Sampling.create(1.0, None, 3, False, 0.0)
    assert choose_method(euler, 7) is euler
    times, theta, report = integrate(CountedDecay(), np.ones(2), sampling, method=euler, rtol=1e-4)
    np.testing.assert_array_equal(times, [0, 0.5, 1])
    np.testing.assert_allclose(theta[1:, 0], [0.99**50, 0.99**100], rtol=1e-12)
    assert (report.method, report.evaluations, report.status) == ("Euler", 100, FINISHED)
    stop = Stop("half", lambda t, y: y[0] - 0.5)
    times, theta, report = integrate(
        CountedDecay(), np.ones(2), sampling, method=euler, rtol=1e-4, stops=[stop]
    )
    assert report.status == "half"
    assert theta[-1, 0] == pytest.approx(0.5, abs=1e-12)
    assert times[-1] == pytest.approx(np.log(2), rel=0.01)


class Mirror:
    """Wherever θ₁ falls to ½ it is put back to 1."""

    def __init__(self, most=10):
        self.most = most

    def distance(self, theta):
        return theta[0] - 0.5

    def switched(self, theta):
        return np.array([1.0, theta[1]])


class Bouncing(CountedDecay):
    def switching(self, atol):
        return Mirror()


@pytest.mark.parametrize("name", NAMES)
def test_switches_are_met_by_every_solver(name):
    """θ₁ = e^{−(t mod ln 2)}, θ₂ = e^{−t}: put back twice until t = 1.5."""
    sampling = Sampling.create(None, [0.5, 1.0, 1.5], 2, False, 0.0)
    _, theta, report = integrate(Bouncing(), np.ones(2), sampling, method=name, rtol=RTOL)
    times = np.array([0.5, 1.0, 1.5])
    np.testing.assert_allclose(theta[:, 0], np.exp(-(times % np.log(2))), rtol=1e3 * RTOL)
    np.testing.assert_allclose(theta[:, 1], np.exp(-times), rtol=1e3 * RTOL)
    assert report.status == FINISHED


def test_switches_without_end_are_a_failure():
    solver = SwitchingSolver(solver_of("RK45", CountedDecay(), t_end=50.0), Mirror(most=2))
    reasons = []
    while solver.status == RUNNING:
        reasons.append(solver.step())
    assert solver.status == FAILED
    assert "without end" in reasons[-1] and not any(reasons[:-1])
    assert solver.t == pytest.approx(2 * np.log(2), rel=1e-8)
    solver = SwitchingSolver(solver_of("RK45", CountedDecay()), Mirror())
    solver.restart(1.9, np.array([0.9, 1.0]))
    assert solver.t == 1.9
    solver.step()
    assert solver.y[0] == pytest.approx(0.9 * np.exp(1.9 - solver.t), rel=1e-8)


def test_taylor_needs_a_polynomial():
    class Rational(CountedDecay):
        def polynomial(self):
            return None

    sampling = Sampling.create(1.0, None, 3, False, 0.0)
    for stops in ([], [Stop("half", lambda t, y: y[0] - 0.5)]):
        with pytest.raises(ProblemError, match="quadratic networks"):
            integrate(Rational(), np.ones(2), sampling, method="Taylor", stops=stops)


class Explosion(CountedDecay):
    """θ̇ = 10¹⁶⁰ θ²."""

    def __call__(self, t, theta):
        return 1e160 * theta * theta

    def kernel(self):
        return None


def test_a_solution_that_explodes_within_a_step_warns_of_nothing():
    """From 10¹⁵⁰: the stages of a step within the step overflow, and no warning of NumPy is heard."""
    solver = SOLVERS["DOP853"].create(Explosion(), np.full(1, 1e150), 1.0, RTOL, RTOL)
    with np.errstate(all="ignore"):
        solver.step()
        solver.t_old, solver.t = 0.0, 1.0
        within = solver.within_step()
    with np.errstate(all="raise"):
        assert [within(t).shape for t in (0.1, 0.5, 0.9)] == 3 * [(1,)]
