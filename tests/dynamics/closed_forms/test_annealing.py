"""One unit along a schedule: the map of every step against quadrature, the law, optimal control, known numbers."""

import numpy as np
import pytest
from scipy.optimize import minimize

from dynamics import ComputationError, ProblemError
from dynamics.closed_forms import (
    OneUnitSGD,
    annealed_rates,
    one_unit_largest_step,
    one_unit_risk,
    optimal_rates,
)
from dynamics.schedules import Schedule
from dynamics.schedules.best_rates import best_rates

UNIT, R0 = OneUnitSGD(30, 0.5), 0.012


@pytest.mark.parametrize(
    ("d", "eta", "risk"), [(20, 4e-3, 0.011870), (10, 4e-3, 0.0035661), (5, 4e-3, 0.0017170)]
)
def test_the_stationary_risk_is_where_the_map_rests(d, eta, risk):
    """Fixed point of the step, and the numbers of simulated networks (.01192, .003566 ± 3e-5, .001704 ± 1.4e-5)."""
    unit = OneUnitSGD(d, 0.04)
    Q, V = np.array(1e-3), np.array(0.0)
    for _ in range(20_000):
        Q, V = unit.step(eta, Q, V)
    assert pytest.approx(one_unit_risk(eta, d, 0.04), rel=1e-12) == 2 * Q + 6 * V
    assert pytest.approx(risk, rel=1e-4) == 2 * Q + 6 * V


@pytest.mark.parametrize(("d", "largest"), [(5, 0.0109185), (20, 0.0056015), (100, 0.00152293)])
def test_the_mean_square_limit(d, largest):
    """Where the map without noise has the multiplier 1."""
    found = one_unit_largest_step(d)
    assert found == pytest.approx(largest, rel=1e-5)
    unit = OneUnitSGD(d)
    one, nothing = np.array([1.0]), np.array([0.0])
    M = np.concatenate([unit.step(found, one, nothing), unit.step(found, nothing, one)], axis=1)
    assert np.abs(np.linalg.eigvals(M)).max() == pytest.approx(1, rel=1e-12)


def test_known_risks_after_2000_steps():
    """Made by an independent program, and held against 1200 simulated networks: 3.131e-3 ± .022e-3 of the law."""
    linear, constant = Schedule.parse("linear").factors(2000), np.ones(2000)
    assert UNIT.risks(3.3e-4 * linear, R0)[-1] == pytest.approx(3.42719e-3, rel=2e-5)
    assert UNIT.risks(1e-3 * constant, R0)[-1] == pytest.approx(2.0815e-2, rel=5e-5)
    assert UNIT.risks(annealed_rates(UNIT, 2000, R0), R0)[-1] == pytest.approx(3.12980e-3, rel=3e-6)
    assert UNIT.risks(optimal_rates(UNIT, 2000, R0), R0)[-1] == pytest.approx(3.12635e-3, rel=3e-6)


def test_known_risks_at_one_rate_after_20000_steps():
    """η₀ = 1e-3: those of the exact map, and beside them the leading order in ηd, which is 2 to 12 % lower."""
    names = ["linear", "cosine", "wsd:0.2", "constant"]
    factors = np.array([Schedule.parse(name).factors(20_000) for name in names])
    found = UNIT.final_risks(factors, np.full((4, 1), 1e-3), R0)[:, 0]
    np.testing.assert_allclose(found, [1.580e-3, 1.326e-3, 3.712e-3, 2.081e-2], rtol=5e-4)
    dD, eta, N = 15.0, 1e-3, 20_000
    gamma = 0.902745292950934  # Γ(5/3)
    leading = [
        np.sqrt(np.pi) / 4 * dD * np.sqrt(eta / N),
        np.pi**4 / 6 * gamma * (2 * np.pi**2 / 3) ** (-5 / 3) * dD * eta ** (1 / 3) * N ** (-2 / 3),
        np.sqrt(np.pi) / 4 * dD * np.sqrt(eta / (0.2 * N)),
        eta * dD / (1 - 6 * eta * 30),
    ]
    ratios = found / leading
    assert (ratios > 1.02).all()
    assert (ratios < 1.15).all()


@pytest.mark.slow
def test_the_table_of_schedules_at_their_best_rates():
    """N = 2·10⁴: the law, and the others in units of it, known to 1 % from a coarse grid of rates."""
    law = UNIT.risks(annealed_rates(UNIT, 20_000, R0), R0)[-1]
    assert law == pytest.approx(3.803e-4, rel=1e-4)
    table = {"linear": 1.17, "wsd:0.5": 1.28, "cosine": 1.31, "wsd:0.2": 1.41, "constant": 1.54, "step": 1.68}
    factors = np.array([Schedule.parse(name).factors(20_000) for name in table])
    rates, risks = best_rates(
        lambda eta: UNIT.final_risks(factors, eta, R0), len(table), 4 * one_unit_largest_step(30)
    )
    np.testing.assert_allclose(risks / law, list(table.values()), rtol=0.01)
    assert UNIT.risks(optimal_rates(UNIT, 20_000, R0), R0)[-1] < law < risks.min()
    for factor, rate, risk in zip(factors, rates, risks, strict=True):
        assert UNIT.risks(rate * factor, R0)[-1] == pytest.approx(risk, rel=1e-12)


@pytest.mark.parametrize("batch", [1, 3, 1000])
def test_the_law_is_the_best_step_of_its_own_map(batch):
    """r' = r − 8xr + 8x²(2P̂r + dΔ/B) with x = ηaλ, smallest over x at each step; for B = 1 in the known form."""
    d, Delta = 30, 0.5
    unit = OneUnitSGD(d, Delta, batch, eigenvalue=2.0, a=0.7)
    rates = annealed_rates(unit, 50, R0)
    P, r = 1 - 1 / batch + 3 * d / batch, R0
    x = np.linspace(0, 0.3, 300_001)
    for eta in rates:
        after = r - 8 * x * r + 8 * x**2 * (2 * P * r + d * Delta / batch)
        best = after.argmin()
        assert 1.4 * eta == pytest.approx(x[best], abs=2e-6)
        r = after[best]
    if batch == 1:
        assert rates[0] * 1.4 == pytest.approx(R0 / (2 * d * (6 * R0 + Delta)), rel=1e-13)


def test_the_law_starts_at_half_of_the_limit_and_ends_at_the_bound_of_cramer_and_rao():
    """From a risk far above the noise on 1/(12d); late η → 1/(4n) and r → ((d − 1)/2 + .9)Δ/n, as 3d ln(n)/n = 0.5 %.

    The bound itself, dΔ/(2n), is that of many inputs.
    """
    rates = annealed_rates(UNIT, 200_000, 100.0)
    assert rates[0] == pytest.approx(1 / 360, rel=1e-3)
    n = np.arange(200_000)
    assert 4 * n[-1] * rates[-1] == pytest.approx(1, abs=0.02)
    assert UNIT.risks(rates, 100.0)[-1] * 2 * n[-1] / 0.5 == pytest.approx(29 + 1.8, rel=0.015)


def test_a_risk_that_has_vanished_needs_no_steps():
    """Without noise r falls by the factor 1 − 1/P, P = 1.002, at x = 1/4P, until it is below the smallest double."""
    unit = OneUnitSGD(1, 0.0, 1000, eigenvalue=2.0)
    rates = annealed_rates(unit, 200, R0)
    P = 1 - 1 / 1000 + 3 / 1000
    last = np.flatnonzero(rates)[-1]
    np.testing.assert_allclose(
        rates[: last - 9], 1 / (4 * P * 2), rtol=1e-12
    )  # r loses its digits at the end
    assert last == pytest.approx(np.log(5e-324 / R0) / np.log(1 - 1 / P), abs=3)
    assert not rates[last + 1 :].any()


def test_a_bounded_law_follows_the_risk_of_its_rates():
    """Its own map, written out, at the bound and below it later on."""
    d, Delta, bound = 5, 0.01, 3e-3
    rates = annealed_rates(OneUnitSGD(d, Delta), 300, R0, bound)
    r, free = R0, []
    for eta in rates:
        free.append(r / (12 * d * r + 2 * d * Delta))
        r += -8 * eta * r + 8 * eta**2 * (6 * d * r + d * Delta)
    np.testing.assert_allclose(rates, np.minimum(free, bound), rtol=1e-12)
    assert rates[0] == bound > rates[-1]


@pytest.mark.parametrize(
    "unit", [OneUnitSGD(5, 0.1, 1000), OneUnitSGD(5, 0.0, 1000), OneUnitSGD(3, 0.01, 5), OneUnitSGD(2, 0.0)]
)
def test_sweeps_settle_where_single_steps_overshoot(unit):
    """Large batches and few inputs: no single rate can be changed, and the law is no better."""
    best = optimal_rates(unit, 40, R0)
    risk = unit.risks(best, R0)[-1]
    assert risk < unit.risks(annealed_rates(unit, 40, R0), R0)[-1]
    for n in (0, 1, 20, 39):
        for factor in (0.97, 1.03):
            changed = best.copy()
            changed[n] *= factor
            assert unit.risks(changed, R0)[-1] >= risk * (1 - 1e-9)


def test_sweeps_end_where_the_last_risk_stands_still():
    """Without noise batches of 64 are slow: 52 sweeps, counted; Q of the step before takes 109 of at most 100."""
    unit = OneUnitSGD(8, 0.0, 64)
    best = optimal_rates(unit, 10, R0)
    assert unit.risks(best, R0)[-1] < 0.9 * unit.risks(annealed_rates(unit, 10, R0), R0)[-1]


@pytest.mark.parametrize("c", [0.2, 0.25, 0.5])
def test_rates_that_fall_like_one_over_n(c):
    """η = c/n: rn/Δ → 8c²(d − 1)/(8c − 1) + 72c²/(24c − 1), up to terms like 3d ln(n)/n: 2 % here."""
    d = 30
    n = np.arange(1, 20_001)
    found = UNIT.risks(np.minimum(c / n, 1e-3), R0)[-1] * n[-1] / 0.5
    assert found == pytest.approx(8 * c**2 * (d - 1) / (8 * c - 1) + 72 * c**2 / (24 * c - 1), rel=0.025)


@pytest.mark.parametrize("unit", [UNIT, OneUnitSGD(4, 0.3, 2, eigenvalue=2.0, a=0.7), OneUnitSGD(2, 0.0)])
def test_no_rates_are_better_than_the_optimal_ones(unit):
    """Fifteen steps: a general minimiser, from elsewhere, finds the same risk; no single rate can be changed."""
    best = optimal_rates(unit, 15, R0)
    risk = unit.risks(best, R0)[-1]
    other = minimize(
        lambda logs: np.log(unit.risks(np.exp(logs), R0)[-1]),
        np.log(0.3 * best),
        method="L-BFGS-B",
        options={"maxiter": 2000, "maxfun": 10**5, "ftol": 1e-15, "gtol": 1e-10},
    )
    assert np.exp(other.fun) == pytest.approx(risk, rel=1e-6)
    assert risk <= unit.risks(annealed_rates(unit, 15, R0), R0)[-1]
    for n in range(15):
        for factor in (0.9, 1.1):
            changed = best.copy()
            changed[n] *= factor
            assert unit.risks(changed, R0)[-1] > risk


def test_a_minimum_of_every_row_is_found():
    """Parabolas in the logarithm with known minima; a row that diverges beyond; one that falls to the largest rate."""
    centres = np.log([0.3, 1e-3, 0.05])[:, None]

    def final(eta):
        risks = 1 + (np.log(eta) - centres) ** 2
        risks[2] = np.where(eta[2] > 0.06, np.nan, risks[2])
        risks[0] = np.where(eta[0] > 0.9, np.inf, risks[0])
        return risks

    rates, risks = best_rates(final, 3, 1.0)
    np.testing.assert_allclose(rates, [0.3, 1e-3, 0.05], rtol=1e-3)
    np.testing.assert_allclose(risks, 1, atol=1e-6)
    rates, risks = best_rates(lambda eta: 1 / eta, 1, 0.7)
    assert (rates[0], risks[0]) == (pytest.approx(0.7), pytest.approx(1 / 0.7))
    with pytest.raises(
        ComputationError, match="Every learning rate from 1e-05 to 1 leads the mean loss beyond"
    ):
        best_rates(lambda eta: np.array([[1.0], [np.inf]]) * np.ones_like(eta), 2, 1.0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: OneUnitSGD(0), "`inputs` is 0"),
        (lambda: OneUnitSGD(3, -1.0), "`label_noise` is -1"),
        (lambda: OneUnitSGD(3, a=-1.0), "must be positive: the mode is not learned"),
        (lambda: annealed_rates(UNIT, 0, R0), "`steps` is 0"),
        (lambda: annealed_rates(UNIT, 5, 0.0), "`start_risk` is 0"),
        (lambda: UNIT.risks(np.ones(3), -1.0), "`start_risk` is -1"),
    ],
)
def test_bad_input_is_refused(call, words):
    with pytest.raises(ProblemError, match=words):
        call()
