"""One mode under weight decay: against polynomial roots, finite differences and minimisation of the objective."""

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar

from dynamics.problem.decayed_mode import (
    decay_strength,
    eigenvalue,
    fold,
    never_learned,
    not_worth_learning,
    penalty,
    slope,
)
from dynamics.problem.weight_decay import WeightDecay

RHO = 0.1
STRENGTH = decay_strength(WeightDecay(RHO, RHO))


def test_roots_are_those_of_the_quartic():
    """γ⁴/4 − xγ³ + c = 0 by the companion matrix: the upper root is the smaller positive γ."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        c = 10 ** rng.uniform(-6, 2)
        x = fold(c) * (1 + 10 ** rng.uniform(-3, 3))
        roots = np.roots([0.25, -x, 0, 0, c])
        real = np.sort(roots[np.abs(roots.imag) < 1e-9 * np.abs(roots)].real)
        ours = [eigenvalue(x, c, lower) for lower in (False, True)]
        # np.roots loses half of its digits where the two roots meet, and digits of the small one far from there.
        np.testing.assert_allclose(ours, real, rtol=1e-5)
        for gamma in ours:
            assert abs(gamma / 4 + c / gamma**3 - x) < 4e-15 * x


def test_roots_meet_at_the_fold():
    for c in (1e-9, 0.3, 7.0):
        for lower in (False, True):
            gamma = eigenvalue(fold(c), c, lower)
            assert gamma == pytest.approx((12 * c) ** 0.25, rel=1e-7)
            assert eigenvalue(0.9 * fold(c), c, lower) == (12 * c) ** 0.25
        # beside it the roots part like the square root of the distance: γ = γ_θ (1 ∓ (2δ/3)^{1/2}), from y − 1 ≈ 3e²/2
        upper, lower_root = (eigenvalue(fold(c) * (1 + 1e-10), c, lower) for lower in (False, True))
        assert (lower_root - upper) / (12 * c) ** 0.25 == pytest.approx(2 * np.sqrt(2e-10 / 3), rel=1e-3)


@pytest.mark.parametrize("lower", [False, True])
def test_slope_is_half_the_derivative_of_the_learned_value(lower):
    c, step = 0.2, 1e-5
    for x in fold(c) * np.array([1.05, 1.5, 4.0]):
        mu = [c / eigenvalue(x + sign * step, c, lower) ** 3 for sign in (1, -1)]
        expected = (mu[0] - mu[1]) / (2 * step) / 2
        assert slope(eigenvalue(x, c, lower), c) == pytest.approx(expected, rel=1e-5)
        assert (expected < 0) == lower


def objective(m, q):
    """R of one mode of loss (q/2)(m − ap²)² held by one unit, and its gradient."""

    def R(x):
        p, a = x
        return q / 2 * (m - a * p * p) ** 2 + RHO / 2 * (p * p + a * a)

    return R


def learned(m, q):
    """Local minimum of R from a large start; μ there."""
    end = minimize(objective(m, q), [np.sqrt(2) * m ** (1 / 3), m ** (1 / 3)], tol=1e-13)
    return end.x[1] * end.x[0] ** 2, end.fun


@pytest.mark.parametrize(("q", "theta", "worth"), [(2, 0.1311993, 0.1495349), (3, 0.0967973, 0.1103250)])
def test_thresholds_of_one_mode(q, theta, worth):
    """Theory 14.5, ρ = 0.1; minimisation of R in (p, a) says on which side each is."""
    m_theta, m_g = never_learned(q, STRENGTH), not_worth_learning(q, STRENGTH)
    assert (m_theta, m_g) == (pytest.approx(theta, abs=5e-8), pytest.approx(worth, abs=5e-8))
    assert m_g / m_theta == pytest.approx(3 / (2**0.75 * 6**0.25))
    assert learned(0.99 * m_theta, q)[0] < 1e-6
    just_learned = learned(1.01 * m_theta, q)[0]
    assert 1 / 4 < just_learned / m_theta < 1 / 2
    for factor in (0.99, 1.01):
        mu, R = learned(factor * m_g, q)
        assert mu / m_g == pytest.approx(factor / 2, rel=0.05)
        assert (q / 2 * (factor * m_g) ** 2 > R) == (factor > 1)


def test_never_learned_is_the_fold_without_trace_coupling():
    assert never_learned(2, STRENGTH) == pytest.approx(fold(STRENGTH))


@pytest.mark.parametrize("units", [1, 3])
def test_penalty_is_the_least_decay_at_a_learned_value(units):
    """n (½ρ_w p² + ½ρ_a a²) over a with n a p² = μ, minimised numerically: unequal rates."""
    decay = WeightDecay(0.3, 0.05)
    for mu in (0.2, -1.7):

        def cost(log_a, mu=mu):
            a = np.exp(log_a)
            return units * (decay.first * abs(mu) / (units * a) + decay.second * a * a) / 2

        least = minimize_scalar(cost, bracket=(-2, 1), tol=1e-12).fun
        assert penalty(mu, units * decay_strength(decay)) == pytest.approx(least, rel=1e-12)
