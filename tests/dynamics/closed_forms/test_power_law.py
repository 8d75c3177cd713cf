"""Power-law teachers: finite sums against the integrated flow, the scaling law against sums of a million modes."""

import numpy as np
import pytest
from scipy.special import zeta

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.closed_forms import power_law_loss, power_law_tail


@pytest.mark.parametrize("start_ratio", [1.0, 30.0])
def test_finite_sums_are_the_integrated_flow(start_ratio):
    """Twelve aligned modes with m_j(0) = λ_j/(1 + k), centred activation; LSODA as the other method."""
    lam = np.arange(1, 13) ** -1.5
    student = Student(np.diag(np.sqrt(lam / (1 + start_ratio))), np.ones(12), trainable=False)
    times = np.array([0.0, 0.1, 1.0, 5.0])
    run = GradientFlow(Problem(Teacher.power_law(1.5, 12), student, "centred")).integrate(times=times)
    np.testing.assert_allclose(power_law_loss(times, 1.5, 12, start_ratio), run.loss, rtol=1e-9)


@pytest.mark.parametrize(("exponent", "time"), [(1.0, 300.0), (1.5, 1e3), (2.0, 1e4), (3.0, 1e5)])
@pytest.mark.parametrize("start_ratio", [1.0, 100.0])
def test_prefactor_and_exponent_of_the_scaling_law(exponent, time, start_ratio):
    """A million modes, 1 ≪ 8t ≪ N^α: prefactor to 0.1 %, exponent 2 − 1/α from two times a factor 4 apart.

    What the finite sum lacks is about Σ_{j>N} λ_j² φ(0)², added here by the zeta function's tail.
    """
    N, law = 10**6, power_law_tail(exponent, start_ratio)
    times = np.array([time, 4 * time])
    missing = zeta(2 * exponent, N + 1) * (start_ratio / (1 + start_ratio)) ** 2
    loss = power_law_loss(times, exponent, N, start_ratio) + missing
    np.testing.assert_allclose(loss, law(times), rtol=1e-3)
    assert -np.diff(np.log(loss))[0] / np.log(4) == pytest.approx(law.exponent, abs=1e-3)
    assert law.exponent == pytest.approx(2 - 1 / exponent)


def test_prefactor_in_closed_form():
    """α = 1: ∫₀^∞ φ² du = log(1 + k) − k/(1 + k), by substitution φ′ = −φ(1 − φ)."""
    for k in (0.1, 1.0, 50.0):
        expected = (np.log(1 + k) - k / (1 + k)) / 8
        assert power_law_tail(1.0, k).prefactor == pytest.approx(expected, rel=1e-10)


def test_initial_loss():
    """t = 0: Σ λ_j² (k/(1 + k))²."""
    assert power_law_loss([0.0], 1.0, 1000, 3.0)[0] == pytest.approx(
        np.sum(1 / np.arange(1, 1001.0) ** 2) * 0.75**2, rel=1e-12
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: power_law_tail(0.5), "above 1/2"),
        (lambda: power_law_tail(1.0, 0.0), "positive"),
        (lambda: power_law_loss([1.0], 1.0, 0), "at least 1"),
        (lambda: power_law_loss([1.0], -1.0, 10), "positive"),
    ],
)
def test_bad_input_is_refused(call, words):
    with pytest.raises(ProblemError, match=words):
        call()
