"""What counts as a rounding error: a size a little above the one that is stated is a fact, one below it is not.

The sizes are those of the comments beside the constants, relative to what they belong to: here in a unit that is not 1.
"""

import numpy as np
import pytest

from dynamics import ComputationError, Problem, ProblemError, Student, Teacher
from dynamics.outcome.collapse import critical_scale
from dynamics.problem.modes import odd_modes
from dynamics.problem.reduction import reduce_problem
from dynamics.problem.scope import THEORIES
from dynamics.saddle_to_saddle.dormant_units import growth
from dynamics.saddle_to_saddle.eigenframe import eigenframe
from dynamics.saddle_to_saddle.growing_unit import FrozenUnit
from dynamics.saddle_to_saddle.shared_mode import companions, rounding_time
from dynamics.schedules.schedule import jumps
from dynamics.stability import _largest
from dynamics.symbolic.moments import _numeric_covariance
from dynamics.validation import symmetrised

UNIT = 1e4
TURN = np.linalg.qr(np.array([[1.0, 2.0, 0.5], [3.0, 1.0, -1.0], [0.2, 0.7, 1.0]]))[0]


def turned(*eigenvalues):
    return (TURN * eigenvalues) @ TURN.T


@pytest.mark.parametrize(("size", "number"), [(1e-11, 2), (1e-15, 1)])
def test_eigenvalues_of_a_teacher(size, number):
    """1e-13 of the largest; of odd units the values of the modes."""
    exact = Teacher(np.eye(2), [[UNIT, UNIT * size]])
    assert len(exact.eigen[0][0]) == number
    assert (
        len(odd_modes(exact, Problem(exact, Student.initialise(1, 2), "linear").activation)[0][0]) == number
    )


@pytest.mark.parametrize(("size", "number"), [(1e-7, 3), (1e-11, 2)])
def test_eigenvalues_that_are_one_for_the_staircase(size, number):
    """1e-9 of the largest: inside an eigenspace any basis will do, which is then the one of the covariance."""
    Sigma = TURN @ np.diag([2.0, 1.0, 1.0]) @ TURN.T
    mixing = np.eye(3)
    mixing[:2, :2] = np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
    basis = TURN @ mixing
    teacher = Teacher.from_matrix(UNIT * (basis * [1.0, 1.0 - size, 0.5]) @ basis.T)
    problem = Problem(teacher, Student.initialise(2, 3, scale=1e-3))
    frame = eigenframe(problem)
    assert sum(len(frame.alike(i)) == 1 for i in range(3)) == (3 if number == 3 else 1)
    if number == 2:
        assert eigenframe(Problem(teacher, problem.student, covariance=Sigma)).variances[0] == pytest.approx(
            2
        )
    else:
        with pytest.raises(ProblemError, match="covariance"):
            eigenframe(Problem(teacher, problem.student, covariance=Sigma))


@pytest.mark.parametrize(("size", "commutes"), [(1e-7, False), (1e-11, True)])
def test_matrices_that_commute(size, commutes):
    """1e-9 of their product; and then they have a common eigenbasis."""
    Sigma = np.diag([1.0, 2.0])
    Sigma[0, 1] = Sigma[1, 0] = size
    Sigma *= UNIT
    problem = Problem(
        Teacher.from_eigenvalues([2.0, 1.0]), Student.initialise(2, 2, scale=1e-3), covariance=Sigma
    )
    assert (THEORIES["staircase"].gap(problem) == "") == commutes


@pytest.mark.parametrize(("size", "inputs"), [(1e-10, 3), (1e-14, 2)])
def test_directions_that_a_covariance_adds_to_the_span(size, inputs):
    """1e-12 of the covariance: what Σ makes of the span of weights and teacher."""
    Sigma = np.diag([3.0, 2.0, 1.0, 1.0, 1.0])
    Sigma[1, 2] = Sigma[2, 1] = 3 * size
    Sigma *= UNIT
    problem = Problem(Teacher.from_eigenvalues([1.0], 5), Student(np.eye(1, 5, 1), [0.3]), "quadratic", Sigma)
    assert reduce_problem(problem).problem.inputs == inputs


@pytest.mark.parametrize(("size", "found"), [(1e-7, (5,)), (1e-11, ())])
def test_jumps_of_rates(size, found):
    """1e-9 of the largest rate."""
    rates = np.ones(10)
    rates[5:] -= size
    assert jumps(UNIT * rates) == found


@pytest.mark.parametrize(("size", "refused"), [(1e-10, True), (1e-14, False)])
def test_negative_eigenvalues_of_a_covariance(size, refused):
    """1e-12 of the largest, for moments of Gaussians."""
    Sigma = UNIT * np.diag([1.0, -size])
    if refused:
        with pytest.raises(ProblemError, match="none may be negative"):
            _numeric_covariance(Sigma)
    else:
        np.testing.assert_array_equal(_numeric_covariance(Sigma), Sigma)


@pytest.mark.parametrize(
    ("size", "outcome"), [(1e-12, "silent"), (1e-8, "warning"), (1e-5, "refused"), (1e-5, "forced")]
)
def test_asymmetry(size, outcome):
    """Up to 1e-10 silently symmetric, up to 1e-6 with a warning, beyond it only by force."""
    M = UNIT * np.array([[2.0, 1.0], [1.0 + 2 * size, 0.5]])
    if outcome == "refused":
        with pytest.raises(ProblemError, match="symmetrize"):
            symmetrised("M", M)
        return
    found, notes = symmetrised("M", M, force=outcome == "forced")
    np.testing.assert_array_equal(found, found.T)
    assert found[0, 1] == pytest.approx(UNIT * (1 + size), rel=1e-15)
    assert [f"up to {size:.2g} of the largest" in note for note in notes] == [True] * (outcome != "silent")


@pytest.mark.parametrize(("size", "grows"), [(1e-4, True), (1e-8, False)])
def test_rates_of_dormant_units(size, grows):
    """1e-6 of the largest rate is what is left of the motion of learned modes: along it nothing grows."""
    found = growth(
        np.array([[0.0, 1e-3]]), np.array([[1e-3]]), UNIT * np.diag([-1.0, size])[None], np.array([0])
    )
    assert np.isfinite(found.wait) == grows


@pytest.mark.parametrize(("size", "escapes"), [(1e-10, True), (1e-14, False)])
def test_forces_that_a_unit_escapes_along(size, escapes):
    """1e-12 of the largest: along less than that no start is large enough."""
    teacher = Teacher(TURN[:2], [[-UNIT, UNIT * size]])
    student = Student(TURN[1:2], [0.3])
    scale = critical_scale(Problem(teacher, student, "centred", weight_decay=0.1))
    assert np.isfinite(scale) == escapes


def test_units_that_are_copies():
    """1e-15 of the unit, a few units in the last place."""
    w, rates = np.array([1e-3, 2e-3]), np.array([3.0, 1.0])
    lead = FrozenUnit(w, 1e-3, rates)
    for size, copy in ((1e-13, False), (2e-16, True)):
        other = FrozenUnit(w, 1e-3 * (1 + size), rates)
        assert (companions({0: lead, 1: other}, 0)[1] == 0) == copy
        frame = eigenframe(
            Problem(Teacher.from_eigenvalues([2.0, 1.0]), Student.initialise(1, 2, scale=1e-3))
        )
        W, a = np.array([w, w * (1 + size)]), np.array([1e-3, 1e-3])
        assert np.isfinite(rounding_time(frame, W, a, (0,))[0]) == copy


def test_steps_that_are_none():
    """A stable step of 1e-11 of the largest is found, one of 1e-13 is not looked for."""
    assert _largest(lambda eta: eta <= 3e-11 * UNIT, UNIT) == pytest.approx(3e-11 * UNIT, rel=0.01)
    with pytest.raises(ComputationError, match="No step size"):
        _largest(lambda eta: eta <= 3e-14 * UNIT, UNIT)
    assert _largest(lambda eta: True, 2.0) == 2.0
