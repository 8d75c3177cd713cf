"""The single mode's quadrature: against another form of it, exact limits, and the integrated flow."""

import numpy as np
import pytest
from scipy.integrate import quad

from dynamics import GradientFlow, ProblemError, Student, Teacher
from dynamics.closed_forms import SingleMode

STARTS = {
    "grows": (1.5, 0.6, 0.2),
    "crosses zero": (1.5, 0.6, -0.2),
    "p < 0": (1.5, -0.6, 0.2),
    "p < 0 shrinks": (0.5, -1.4, 0.9),
    "dies": (1.5, 0.1, -0.5),
    "negative teacher": (-1.0, 0.3, 0.5),
    "small and balanced": (1.0, 1e-3 * 2**0.5, 1e-3),
    "dies algebraically": (2.0, 0.1 * 2**0.5, -0.1),
    "barely crosses": (2.0, 0.1 * 2**0.5 + 1e-7, -0.1),
    "shrinks": (0.5, 1.4, 0.9),
    "a = 0": (1.0, 0.5, 0.0),
    "no teacher": (0.0, 0.5, 0.3),
    "nothing moves": (1.0, 0.0, 0.5),
}


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_weights_are_those_of_the_integrated_flow(start, activation):
    """LSODA at rtol 1e-12 as the other method."""
    lam, p, a = start
    times = [0.0, 0.1, 0.5, 1.0, 3.0, 20.0]
    run = GradientFlow(Teacher.from_eigenvalues([lam]), Student([[p]], [a]), activation=activation).integrate(
        times=times
    )
    ours = SingleMode(lam, p, a, activation).weights(times)
    np.testing.assert_allclose(ours[0], run.W[:, 0, 0], atol=2e-10)
    np.testing.assert_allclose(ours[1], run.a[:, 0], atol=2e-10)


@pytest.mark.parametrize(("activation", "kappa"), [("quadratic", 3), ("centred", 2)])
def test_time_is_the_integral_over_a(activation, kappa):
    """The same integral over s itself, not over log(s − a∞): 5e-15 apart."""
    mode = SingleMode(1.5, 0.6, 0.2, activation)
    c = 0.6**2 - 2 * 0.2**2
    direct = quad(
        lambda s: 1 / (kappa * (c + 2 * s**2) * (1.5 - s * (c + 2 * s**2))), 0.2, 0.5, epsabs=0, epsrel=2e-14
    )[0]
    assert abs(mode.time(0.5) - direct) < 5e-15


def test_time_and_weight_are_inverse_to_each_other():
    mode = SingleMode(2.0, 0.01, 0.3)
    for a in (0.31, 0.5, 0.7, mode.end - 1e-9):
        assert mode.weights([mode.time(a)])[1][0] == pytest.approx(a, rel=1e-12)


def test_late_approach_is_exponential():
    """About a∞: rate κp²(p² + 4a²), −v′(a∞); seven digits of time over seventy decades of distance."""
    mode = SingleMode(1.5, 0.6, 0.2, "centred")
    a = mode.end
    square = mode.conserved + 2 * a**2
    rate = 2 * square * (square + 4 * a**2)
    gaps = [mode.time(a - 10.0**-n) for n in (5, 9)]
    assert gaps[1] - gaps[0] == pytest.approx(4 * np.log(10) / rate, rel=1e-4)


def test_balanced_unit_by_elementary_functions():
    """c = 0, λ = 0: ȧ = −8κa⁵... with p² = 2a²: ȧ = κ·2a²·(−2a³), so a⁻⁴ = a₀⁻⁴ + 16κt."""
    mode = SingleMode(0.0, 2**0.5, 1.0, "centred")
    t = np.array([0.0, 1.0, 100.0])
    np.testing.assert_allclose(mode.weights(t)[1], (1 + 32 * t) ** -0.25, rtol=1e-11)


def test_unreached_weights_are_refused():
    mode = SingleMode(1.5, 0.6, 0.2)
    assert mode.time(0.2) == 0
    for a in (0.1, mode.end, 2.0):
        with pytest.raises(ProblemError, match="never reaches"):
            mode.time(a)
    with pytest.raises(ProblemError, match="quadratic and centred"):
        SingleMode(1, 1, 1, "relu")
    with pytest.raises(ProblemError, match="finite"):
        SingleMode(np.inf, 1, 1)
