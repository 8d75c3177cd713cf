"""Sizes that a problem sets by itself, against what they are said to be, by hand."""

import numpy as np
import pytest

from dynamics import Problem, Student, Teacher
from dynamics.activations import Activation
from dynamics.flows.natural_units import NaturalUnits

CUBIC = Activation("z3", "φ(w·x) = (w·x)³", lambda z, q: z**3, degree=3, parity=-1)


def units_of(eigenvalues, W, a, start=5.0, teacher=7.0, **options):
    student = Student(np.array(W, float), np.array(a, float), options.pop("trainable", True))
    problem = Problem(Teacher.from_eigenvalues(eigenvalues, len(W[0])), student, **options)
    return NaturalUnits.of(problem, start, teacher)


@pytest.mark.parametrize(("activation", "h"), [("linear", 1), ("relu", 1), ("quadratic", 2), (CUBIC, 3)])
def test_a_unit_of_the_natural_size_has_the_output_of_the_teacher(activation, h):
    """a‖w‖^h = √L with ‖w‖² = h a² if the layer is trained, with the largest |a| otherwise."""
    trained = units_of([2.0], [[0.1, 0.2]], [0.3], activation=activation)
    assert trained.output == pytest.approx(np.sqrt(7.0))
    assert trained.weight / np.sqrt(h) * trained.weight**h == pytest.approx(np.sqrt(7.0))
    fixed = units_of([2.0], [[0.1, 0.2], [1, 1]], [0.3, -0.5], activation=activation, trainable=False)
    assert 0.5 * fixed.weight**h == pytest.approx(np.sqrt(7.0))
    for units in (trained, fixed):
        assert units.force == 4 * units.output
        assert units.rate == pytest.approx(4 * units.output**2 / units.weight**2)
        assert units.speed == pytest.approx(units.rate * units.weight)


def test_without_a_teacher_the_start_is_the_size():
    """And of nothing at all the sizes are positive: they divide."""
    assert units_of([0.0], [[0.1, 0.2]], [0.3], teacher=0.0).output == pytest.approx(np.sqrt(5.0))
    nothing = units_of([0.0], [[0.0, 0.0]], [0.0], start=0.0, teacher=0.0)
    assert 0 < nothing.output < 1e-150
    assert nothing.weight > 0
    assert units_of([1.0], [[0.1, 0.2]], [0.0], trainable=False).weight == 1.0


def test_the_weakest_mode():
    """λ = (4, −0.5): an eighth; 4σ²λ is left of G with the smallest variance that is none by rounding."""
    for Sigma, sigma in (
        (None, 1.0),
        (np.diag([2.0, 0.25]), 0.25),
        (np.diag([2.0, 0.0]), 2.0),
        (np.diag([2.0, 2e-13]), 2.0),
        (np.diag([2.0, 2e-9]), 2e-9),
    ):
        units = units_of([4.0, -0.5], np.eye(2), [1.0, 1.0], covariance=Sigma)
        assert units.weakest == 0.125
        assert units.variance == pytest.approx(sigma)
        assert units.weakest_force == pytest.approx(4 * sigma**2 * 0.5)
    nothing = units_of([0.0], [[0.1, 0.2]], [0.3], teacher=0.0)
    assert (nothing.weakest, nothing.weakest_force) == (1.0, pytest.approx(4 * np.sqrt(5.0)))


def test_the_horizon():
    """10¹⁰ natural times, 10⁵ for an explicit method; longer by as much as weights or weakest mode are small."""
    units = units_of([4.0, -0.5], np.eye(2), [1.0, 1.0])
    for explicit, longest in ((False, 1e10), (True, 1e5)):
        large = np.array([30.0, -40.0]) * units.weight
        assert units.horizon(large, explicit) == pytest.approx(longest / units.rate)
        small = 1e-3 * np.array([3.0, -3.0]) * units.weight  # root mean square 3e-3
        assert units.horizon(small, explicit) == pytest.approx(longest / units.rate / (3e-3 * 0.125))
        assert units.horizon(0 * small, explicit) == pytest.approx(longest / units.rate * 1e15)
