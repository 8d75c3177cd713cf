"""Integrals by Gauss's rule on halved intervals: exact values, error bounds, and how many points they take."""

import numpy as np
import pytest
from scipy.special import erf

from dynamics.saddle_to_saddle.quadrature import MOST, integral


class Counted:
    def __init__(self, function):
        self.function, self.points, self.calls = function, 0, 0

    def __call__(self, y):
        self.points, self.calls = self.points + y.size, self.calls + 1
        return self.function(y)


@pytest.mark.parametrize(
    ("function", "start", "end", "exact"),
    [
        (np.exp, 0.0, 3.0, np.expm1(3.0)),
        (np.exp, 3.0, 0.0, -np.expm1(3.0)),
        (lambda y: np.exp(-y), 0.0, 600.0, 1.0),  # a long way on which little happens
        (lambda y: np.exp(-((y - 0.3) ** 2) * 1e6), -2.0, 1.0, np.sqrt(np.pi) / 1e3),  # a narrow peak
        (lambda y: y**39, 0.0, 1.0, 1 / 40),
        (lambda y: 0 * y, 0.0, 1.0, 0.0),
        (lambda y: np.exp(-(y**2)), -1.0, 2.0, np.sqrt(np.pi) / 2 * (erf(1) + erf(2))),
    ],
)
def test_exact_integrals(function, start, end, exact):
    """To 1e-12, as was asked for; the bound on the error is none too small."""
    counted = Counted(function)
    value, error = integral(counted, start, end, 1e-12)
    assert value == pytest.approx(exact, rel=1e-12, abs=1e-300)
    assert error <= 1e-12 * abs(value)
    assert counted.calls < 30 and counted.points < 4000


def test_what_cannot_be_reached_comes_with_its_error():
    """Noise of 1e-6 never settles: the value is good to that, the bound says so, and it ends."""
    rng = np.random.default_rng(0)
    counted = Counted(lambda y: 1 + 1e-6 * rng.standard_normal(y.size))
    value, error = integral(counted, 0.0, 1.0, 1e-12)
    assert value == pytest.approx(1, abs=1e-6)
    assert 1e-9 < error < 1e-5
    assert counted.points < 200 * MOST


def test_a_singularity_is_not_passed_over_in_silence():
    """1/√y from 0: the value is 2, and what is missing is in the bound."""
    value, error = integral(lambda y: 1 / np.sqrt(y), 0.0, 1.0, 1e-12)
    assert abs(value - 2) <= 3 * error + 1e-12
    assert error < 1e-6


@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_is_no_number_is_none():
    value, error = integral(np.sqrt, -1.0, 1.0, 1e-12)
    assert not error <= 1.0 or not np.isfinite(value)
