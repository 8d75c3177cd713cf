"""Every engine for ensembles gives the right states, on one core and on several."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import bench_initial_conditions, engines
from benchmarks.bench_initial_conditions import Task, measure
from benchmarks.loops import Equations, OverCores, SciPyLoop
from benchmarks.solvers import INTERPRETED, OURS, PLAIN, reference
from benchmarks.textbook import right_hand_side
from dynamics import Teacher

TIMES = np.linspace(0, 1.5, 4)
COMPILING = ("numba", "diffrax", "joblib")  # seconds before the first result


def task(K=2, d=3, count=5):
    """Few starts; one of them is left over where vectors hold four."""
    rng = np.random.default_rng(0)
    W, a = 0.3 * rng.standard_normal((count, K, d)), 0.3 * rng.standard_normal((count, K))
    return Task("small", "(2) small", Teacher.from_eigenvalues([3.0, 1.0][:d], d), W, a, TIMES, 2)


def exact(given):
    """Start by start, by the reference."""
    field = right_hand_side(given.problem)
    return np.stack([reference(field, theta, TIMES) for theta in given.theta])


@pytest.fixture(autouse=True)
def two_cores(monkeypatch):
    """As on a machine with two."""
    monkeypatch.setattr(engines, "usable_cores", lambda: 2)


@pytest.mark.parametrize("size", [(2, 3), (1, 1)])
@pytest.mark.parametrize("compiling", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_engines_find_the_same_states(size, compiling):
    """Within a thousand tolerances, which interpolants lose."""
    given = task(*size)
    found = engines.engines(given.teacher, size[0])
    for engine in found:
        if any(word in engine.name for word in COMPILING) is compiling:
            states = engine.solve(given.theta, TIMES, 1e-9)
            np.testing.assert_allclose(states, exact(given), rtol=0, atol=1e-6, err_msg=engine.name)


def test_names_say_how_many_cores():
    found = engines.engines(task().teacher, 2)
    assert {engine.cores for engine in found if engine.name == "quadflow"} <= {1, 2}
    assert all(engine.cores == 2 for engine in found if "joblib" in engine.name)
    assert {engine.kind for engine in found} >= {PLAIN, INTERPRETED}


def test_loops_give_implicit_methods_the_jacobian(monkeypatch):
    """Evaluations are counted: LSODA needs no differences of the right-hand side for it."""
    loop = SciPyLoop(
        Equations(2, 3, ((3.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 0.0)), numba=False), "LSODA"
    )
    asked: list[object] = []
    solve = __import__("scipy.integrate").integrate.solve_ivp
    monkeypatch.setattr(
        "benchmarks.loops.solve_ivp",
        lambda *args, **named: (asked.append(named.get("jac")), solve(*args, **named))[1],
    )
    loop(task().theta[:1], TIMES, 1e-6)
    assert asked[0] is loop.equations.made()[1]
    replace(loop, method="RK45")(task().theta[:1], TIMES, 1e-6)
    assert asked[1] is None


@pytest.mark.slow
def test_a_loop_over_cores_is_the_loop():
    pytest.importorskip("joblib")
    given = task()
    loop = SciPyLoop(
        Equations(2, 3, tuple(map(tuple, given.teacher.matrix().tolist())), numba=False), "LSODA"
    )
    np.testing.assert_array_equal(
        OverCores(loop, 2)(given.theta, TIMES, 1e-8), loop(given.theta, TIMES, 1e-8)
    )


def test_engines_are_compared_on_as_many_cores(monkeypatch):
    """The table of a small task, without those that compile."""
    known = engines.engines
    monkeypatch.setattr(
        bench_initial_conditions,
        "engines",
        lambda teacher, K: [e for e in known(teacher, K) if not any(word in e.name for word in COMPILING)],
    )
    (table,) = measure(task())
    rows = [row for row in table.rows if row["kind"] in (OURS, PLAIN)]
    for cores in {row["cores"] for row in table.rows}:
        assert min(r["time / quadflow's on as many cores"] for r in rows if r["cores"] in (1, cores)) <= 1
    assert all(0 < row["error"] <= 1e-8 and row["ms per trajectory"] > 0 for row in table.rows)
    slow = {row["engine"]: row["timed"] for row in table.rows}
    assert slow["loop over solve_ivp LSODA"] == 3  # every second of five
