"""The law of a decaying quantity: closed forms of its integral, and the order and estimate of its quadrature."""

import numpy as np
import pytest

from dynamics import Problem, Student, Teacher
from dynamics.curves.decay_law import DecayLaw, balance_by_law, convolved


def exact(rate, times):
    """∫₀ᵗ e^{−r(t − s)} cos s ds = [r cos t + sin t − r e^{−rt}]/(1 + r²), by parts."""
    return (rate * np.cos(times) + np.sin(times) - rate * np.exp(-rate * times)) / (1 + rate**2)


@pytest.mark.parametrize("rate", [0.0, 0.7, 30.0])
def test_convolution_is_of_fourth_order(rate):
    """Distances of the records halved twice: the error falls at least like h^3.7, and the estimate is above it."""
    errors = []
    for n in (20, 40, 80):
        times = np.linspace(0, 6, n + 1)
        found, estimate = convolved(rate, times, np.cos(times)[:, None])
        errors.append(np.abs(found[:, 0] - exact(rate, times)).max())
        assert errors[-1] < estimate < 60 * errors[-1]
    assert np.log2(errors[1] / errors[2]) > 3.7


def test_records_at_uneven_times_from_a_later_start():
    """A law holds from the first record on, whenever that is; long times do not overflow."""
    law = DecayLaw(0.5, 1.3)
    times = np.append(np.geomspace(1, 10, 200), 3000.0)
    q = 0.4 * np.exp(-0.5 * times) + 1.3 * exact(0.5, times)
    found, error = law.values(times[:-1], q[0], np.cos(times[:-1]))
    assert np.abs(found - q[:-1]).max() < error < 1e-4
    known, error = law.values(times, q[0], np.cos(times), exact(0.5, times))
    np.testing.assert_allclose(known, q, atol=1e-14)
    assert error == 0


def test_closed_laws_read_no_source():
    times = np.array([1.0, 2.0, 4.0])
    found, error = DecayLaw(0.5).values(times, np.array([1.0, -2.0]), np.full((3, 2), np.nan))
    np.testing.assert_allclose(found, np.exp([[0.0], [-0.5], [-1.5]]) * [1.0, -2.0])
    assert error == 0
    assert DecayLaw(0.5).closed
    assert not DecayLaw(0.5, 0.1).closed


def test_too_few_records_say_so():
    """One has nothing to integrate; with two the estimate is as large as the source could move."""
    assert convolved(1.0, np.zeros(1), np.ones((1, 2)))[1] == 0
    assert convolved(1.0, np.array([0.0, 2.0]), np.array([[1.0], [4.0]]))[1] == 6.0


def test_balance_of_a_unit():
    """ċ = −2ρ_w‖w‖² + 2hρ_a a² at t = 0, whatever path follows; a fixed second layer has no law."""
    student = Student([[0.5, 0.3]], [0.7])
    problem = Problem(Teacher.from_eigenvalues([2, -1]), student, weight_decay=(0.3, 0.1))
    times = np.linspace(0, 1e-4, 3)
    c = np.full((3, 1), 0.34 - 2 * 0.49)
    values, _ = balance_by_law(problem, times, c, np.full((3, 1, 1), 0.7))
    slope = (values[-1, 0] - values[0, 0]) / 1e-4
    assert slope == pytest.approx(-2 * 0.3 * 0.34 + 2 * 2 * 0.1 * 0.49, rel=1e-3)
    fixed = Problem(problem.teacher, Student([[0.5, 0.3]], [0.7], trainable=False), weight_decay=0.3)
    assert (balance_by_law(fixed, times, c, np.full((3, 1, 1), 0.7))[0] == c).all()
