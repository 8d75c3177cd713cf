"""Explicit and implicit steps by turns: never much dearer than the first, and far cheaper late."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.integration import FINISHED, SOLVERS
from dynamics.integration.alternation import STRETCH
from dynamics.integration.contract import RUNNING


def flow(scale=0.05):
    """Two modes, six units, eight inputs: what is left to learn at the end is learned like 1/t."""
    return GradientFlow(
        Problem(Teacher.from_eigenvalues([2, 1], 8), Student.initialise(6, 8, scale=scale, seed=1))
    )


def run(name, t_end, rtol, field=None):
    field = flow() if field is None else field
    solver = SOLVERS[name].create(field, field.theta0, t_end, rtol, rtol * field.scale)
    while solver.status == RUNNING:
        assert solver.step() == ""
    assert (solver.t, solver.status) == (t_end, FINISHED)
    return solver


def spent(solver):
    """Evaluations, and products with the Hessian for 2.5 of them."""
    return solver.nfev + 2.5 * solver.njev


@pytest.mark.parametrize(("name", "rtol"), [("DOP853", 1e-12), ("DOP853", 1e-6), ("Tsit5", 1e-6)])
def test_while_it_learns_it_costs_little_more(name, rtol):
    """Some trials in vain; the solution is as accurate, against DOP853 at 1e-13."""
    t_end, exact = 6.0, run("DOP853", 6.0, 1e-13).y
    alone, turns = run(name, t_end, rtol), run(f"{name}/BDF", t_end, rtol)
    assert spent(turns) < 1.3 * spent(alone)
    assert np.abs(turns.y - exact).max() < 3 * np.abs(alone.y - exact).max() + rtol


@pytest.mark.parametrize(("name", "rtol"), [("DOP853", 1e-10), ("Tsit5", 1e-6)])
def test_late_it_costs_far_less(name, rtol):
    """Ten times the time to learn, and more: the price of the last part falls by more than four."""
    early, late = 100.0, 600.0
    alone, turns = (
        spent(run(method, late, rtol)) - spent(run(method, early, rtol)) for method in (name, f"{name}/BDF")
    )
    assert turns < 0.25 * alone
    end, exact = run(f"{name}/BDF", 100.0, rtol).y, run("LSODA", 100.0, 1e-13).y
    np.testing.assert_allclose(end, exact, rtol=0, atol=1e3 * rtol)


def test_trials_in_vain_become_rare(monkeypatch):
    """Where implicit steps are never cheap enough, twice as many explicit ones as the time before come between."""
    monkeypatch.setattr("dynamics.integration.alternation.WORTHWHILE", 0.0)
    field, gaps, explicit = flow(), [], 0
    solver = SOLVERS["DOP853/BDF"].create(field, field.theta0, 1000.0, 1e-6, 1e-6 * field.scale)
    while solver.status == RUNNING and len(gaps) < 6:
        before = solver._solver
        assert solver.step() == ""
        explicit += solver._solver is solver._explicit
        if solver._solver is solver._implicit and before is solver._explicit:
            gaps.append(explicit / STRETCH)
            explicit = 0
    assert gaps[1:] == [4, 8, 16, 32, 32]


def test_strides_are_single_steps_one_after_another():
    """They stop behind a time, or after a number of evaluations; what is chosen, and when, is the same."""
    field, tolerances = flow(), (1e-6, 1e-6 * flow().scale)
    one, strides = (SOLVERS["DOP853/BDF"].create(field, field.theta0, 300.0, *tolerances) for _ in range(2))
    for until, allowed in ((1.0, 10**6), (50.0, 400), (300.0, 10**6)):
        while strides.status == RUNNING and strides.t < until and strides.nfev <= allowed:
            assert strides.stride(until, allowed) == ""
        step = strides.within_step()
        assert step.t_old < until or strides.nfev > allowed
        while one.steps < strides.steps:
            one.step()
        assert (one.t, one.nfev, one.njev) == (strides.t, strides.nfev, strides.njev)
        np.testing.assert_array_equal(one.y, strides.y)
    assert strides.status == FINISHED and strides.njev > 0


def test_it_starts_again_with_explicit_steps():
    """After a restart, as where units vanish, nothing is kept of the solution before."""
    field = flow()
    solver = SOLVERS["DOP853/BDF"].create(field, field.theta0, 2000.0, 1e-6, 1e-6 * field.scale)
    while solver.njev == 0 or solver.t < 1000:
        solver.step()
    before = solver.njev
    solver.restart(0.0, field.theta0)
    np.testing.assert_array_equal(solver.y, field.theta0)
    first = [solver.step() or solver.t for _ in range(STRETCH)]
    other = SOLVERS["DOP853"].create(field, field.theta0, 2000.0, 1e-6, 1e-6 * field.scale)
    assert first == [other.step() or other.t for _ in range(STRETCH)]
    assert solver.njev == before


def test_where_implicit_steps_fail_explicit_ones_go_on(monkeypatch):
    """Whatever the reason: the step is made by the other method, from the same state."""
    field = flow()
    solver = SOLVERS["DOP853/BDF"].create(field, field.theta0, 2000.0, 1e-6, 1e-6 * field.scale)
    while solver._solver is not solver._implicit:
        solver.step()
    t = solver.t
    monkeypatch.setattr(solver._implicit, "step", lambda: "no way")
    assert solver.step() == ""
    assert solver.t > t and solver.status == RUNNING
    assert solver._solver is solver._explicit
    step = solver.within_step()
    assert (step.t_old, step.t) == (t, solver.t)


def test_a_large_network_comes_to_its_end():
    """320 unknowns, open-ended, by the method that is chosen for them: some 10⁵ units of time.

    The slopes that explicit steps need at least, one for six units of time over the largest eigenvalue and stage, are
    the bound. The loss is that of the teacher, as far as what is learned like 1/t can be, and c_k is conserved.
    """
    problem = Problem(Teacher.from_eigenvalues([3, 2, 1], 40), Student.initialise(16, 40, scale=0.05, seed=0))
    flow = GradientFlow(problem)
    end = flow.integrate(samples=2)
    assert (flow.theta0.size, end.solver.method, end.solver.status) == (320, "DOP853/BDF", "converged")
    theta = flow.pack(end.coordinates[-1], end.A[-1])
    explicit = 12 * end.times[-1] * flow.extreme_eigenvalue(theta, "highest") / 6
    assert end.solver.evaluations < 0.01 * explicit
    assert end.loss[-1] < 1e-8
    assert end.conserved_drift < 1e-9
