"""Tolerances that follow the solution: the same curve for fewer evaluations, and none spent on rounding errors."""

import numpy as np

from dynamics import GradientFlow, Student, Teacher
from dynamics.coarsening import ROUNDING, CoarseningSolver


def flow():
    turn = np.linalg.qr(np.random.default_rng(1).standard_normal((3, 3)))[0]
    teacher = Teacher.from_matrix(turn @ np.diag([4.0, 2.0, 1.0]) @ turn.T)
    start = Student.initialise(4, 3, scale=1e-7, seed=3)
    return GradientFlow(teacher, Student(start.W, np.abs(start.A)))


def test_the_curve_is_that_of_a_fixed_tolerance():
    """Against the same method at a fixed tolerance, which spends its steps on the plateaus at rounding errors."""
    times = [0.0, 3e5, 6e5, 1e6]
    ours, fixed = flow().integrate(times=times), flow().integrate(times=times, atol=1e-20)
    assert ours.loss[1] > 5 * ours.loss[-1] > 0
    np.testing.assert_allclose(ours.loss, fixed.loss, rtol=1e-6, atol=1e-25)
    assert ours.solver.evaluations < 0.8 * fixed.solver.evaluations


def test_tolerances_grow_with_the_largest_units_only():
    """One unknown grows a million times, one stays: the tolerance of the first follows, that of the second does not."""
    given = []

    class Solver:
        """A solver that doubles the first unknown in every step of length 1."""

        status, nfev, njev, t_bound = "running", 3, 1, 100.0

        def __init__(self, t, y, atol):
            self.t, self.y = t, y
            given.append(atol.copy())

        def step(self):
            self.t, self.y = self.t + 1, self.y * [2.0, 1.0]

    class Field:
        def sizes(self, theta):
            return np.abs(theta)

    def create(t, y, atol):
        return Solver(t, y, atol)

    solver = CoarseningSolver(create, Field(), np.array([1.0, 1.0]), 1e-13, True, lambda s, before: before)
    for _ in range(20):
        solver.step()
    assert solver.t == 20
    np.testing.assert_array_equal(solver.y, [2.0**20, 1.0])
    assert len(given) > 1
    assert (np.array(given)[:, 1] == 1e-13).all()
    assert given[-1][0] > 1e3 * given[0][0]
    assert all(atol[0] <= max(1e-13, ROUNDING * 2.0**20) for atol in given)
    assert solver.nfev == 3 * len(given)
    np.testing.assert_array_equal(solver.dense_output(), [2.0**19, 1.0])
