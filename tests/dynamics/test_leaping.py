"""A solver that starts anew after a leap counts what all of its solvers spent."""

import numpy as np
from scipy.integrate import BDF

from dynamics.leaping import LeapingSolver


def test_evaluations_add_up_over_restarts():
    """Counted by the functions themselves, on y' = −y with an implicit method."""
    calls = {"f": 0, "jacobian": 0}

    def f(t, y):
        calls["f"] += 1
        return -y

    def jacobian(t, y):
        calls["jacobian"] += 1
        return -np.eye(len(y))

    def create(t, y):
        return BDF(f, t, y, 10.0, jac=jacobian)

    solver = LeapingSolver(create, np.ones(2), lambda inner, before: inner.dense_output())
    for restart in (1.0, 2.0, 3.0):
        solver.step()
        solver.restart(restart, np.ones(2))
    solver.step()
    assert solver.nfev == calls["f"] > 8
    assert solver.njev == calls["jacobian"] >= 4
