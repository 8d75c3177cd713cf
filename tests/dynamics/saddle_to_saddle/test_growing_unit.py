"""One unit under a constant G: closed forms, arbitrary-precision quadrature, the ODE itself, symmetries."""

import warnings

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from dynamics import ComputationError
from dynamics.saddle_to_saddle import growing_unit
from dynamics.saddle_to_saddle.growing_unit import FrozenUnit


def integrated(unit, time):
    """State (w, a) from DOP853 at 1e-13."""
    g = unit.rates

    def field(t, y):
        return np.append(y[-1] * g * y[:-1], 0.5 * g @ y[:-1] ** 2)

    y0 = np.append(unit.w, unit.a)
    return solve_ivp(field, (0, time), y0, "DOP853", rtol=1e-13, atol=1e-17 * np.abs(y0).max()).y[:, -1]


def quadrature(unit):
    """T = ∫ ds/√F by mpmath's tanh-sinh rule with 30 digits, from the definition of F, turning included."""
    w, g, way = unit.w, unit.rates, 1 if unit.a > 0 else -1
    scan = way * np.linspace(0, 20 / np.abs(g).min(), 400001)
    values = unit.a**2 + np.sum(
        0.5 * w[:, None] ** 2 * np.expm1(np.minimum(2 * np.outer(g, scan), 300)), axis=0
    )
    steps = np.concatenate([[0], *np.outer([-1, 1], 10.0 ** np.arange(-4, 2))])
    with mpmath.workdps(30):
        rows = [(mpmath.mpf(x), mpmath.mpf(r)) for x, r in zip(w, g, strict=True)]
        horizon = way * 200 / np.abs(g).min()

        def F(s):
            return mpmath.mpf(unit.a) ** 2 + sum(x**2 * mpmath.expm1(2 * r * s) for x, r in rows) / 2

        negative = np.flatnonzero(values < 0)
        if negative.size == 0:  # finer pieces around the minimum of F
            cuts = {float(scan[np.argmin(values)] + step) for step in steps} | {0.0, horizon}
            cuts = sorted((s for s in cuts if s * way >= 0), key=abs)
            return float(abs(mpmath.quad(lambda s: 1 / mpmath.sqrt(F(s)), cuts)))
        turn = mpmath.findroot(F, (scan[negative[0] - 1], scan[negative[0]]), solver="anderson", tol=1e-50)

        def pace(u):  # s = turn − way u², out for u < 0 and back for u > 0
            F = sum(x**2 * mpmath.exp(2 * r * turn) * mpmath.expm1(-2 * way * r * u**2) for x, r in rows) / 2
            return 2 * abs(u) / mpmath.sqrt(F)

        cuts = [0, *(u for u in 10.0 ** np.arange(-4, 2) if u**2 < abs(horizon)), mpmath.sqrt(abs(horizon))]
        return float(mpmath.quad(pace, cuts) + mpmath.quad(pace, [0, mpmath.sqrt(abs(turn))]))


def random_unit(seed, balanced=False):
    rng = np.random.default_rng(seed)
    r = int(rng.integers(1, 6))
    w, g = 1e-3 * rng.standard_normal(r), 10 * rng.standard_normal(r)
    a = np.linalg.norm(w) / np.sqrt(2) if balanced else 1e-3 * rng.standard_normal()
    return FrozenUnit(w, float(a), g)


@pytest.mark.parametrize(("g", "a"), [(12.0, 1e-4), (0.3, 2.0), (-5.0, -1e-8)])
def test_aligned_balanced_unit(g, a):
    """T = 1/(g a₀) (theory, section 4)."""
    unit = FrozenUnit(np.array([np.sqrt(2) * abs(a), 0.0]), a, np.array([g, 7 * g]))
    assert unit.blow_up_time == pytest.approx(1 / (g * a), rel=1e-12)
    assert unit.blow_up_mode == 0


@pytest.mark.parametrize("a", [-3e-3, -1e-5, 0.0, 1e-4, 2e-3])
@pytest.mark.parametrize("w", [1e-4, 5e-3])
def test_single_direction(w, a):
    """One direction: ȧ = g (a² + c/2), which is elementary: arctangent for c > 0, logarithm for c < 0."""
    g, c = 8.0, w**2 - 2 * a**2
    k = np.sqrt(abs(c) / 2)
    if c > 0:
        expected = (np.pi / 2 - np.arctan(a / k)) / (g * k)
    else:
        expected = np.log((a + k) / (a - k)) / (2 * g * k) if a > 0 else np.inf
    unit = FrozenUnit(np.array([w]), a, np.array([g]))
    assert unit.blow_up_time == pytest.approx(expected, rel=1e-11)


QUADRATURES = range(8)


@pytest.mark.parametrize("seed", QUADRATURES)
def test_time_by_high_precision_quadrature(seed):
    """Blow-up time against 30-digit quadrature of the definition, for units with and without a reversal."""
    unit = random_unit(seed)
    if np.isfinite(unit.blow_up_time):
        assert unit.blow_up_time == pytest.approx(quadrature(unit), rel=1e-9)


def test_the_quadrature_cases_are_of_both_kinds():
    """Some of the units above turn, some do not; all blow up."""
    turns = [random_unit(seed).turns for seed in QUADRATURES]
    assert 2 <= sum(turns) <= len(turns) - 2


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_state_is_that_of_the_ode(seed, balanced):
    """(w, a) at 90 % of the blow-up time, or late, against DOP853."""
    unit = random_unit(100 + seed, balanced)
    time = min(0.9 * unit.blow_up_time, 2e3)
    w, a = unit.after(time)
    expected = integrated(unit, time)
    assert np.abs(np.append(w, a) - expected).max() < 1e-9 * np.abs(expected).max()


@pytest.mark.parametrize("seed", range(100, 110))
def test_before_is_after_counted_from_the_end(seed):
    """The state with T − t left is that at t, from which the other is known to be right."""
    unit = random_unit(seed)
    if np.isfinite(total := unit.blow_up_time):
        for time in (
            0.0,
            0.3 * total,
            0.45 * total,
        ):  # forwards; `before` inverts from the end beyond the middle
            w, a = unit.after(time)
            rest = FrozenUnit(w, a, unit.rates, unit.c)
            later, earlier = rest.before(0.2 * total), unit.before(0.2 * total)
            assert np.append(*later) == pytest.approx(np.append(*earlier), rel=1e-7)
        assert np.append(*unit.before(0.7 * total)) == pytest.approx(
            np.append(*unit.after(0.3 * total)), rel=1e-9
        )


@pytest.mark.parametrize("a", [1e-30, 1e-12, 1e-4])
def test_shortly_before_the_blow_up(a):
    """Aligned, balanced: a = 1/(g · remaining), also where the difference of two times would have no digit left."""
    g = 12.0
    unit = FrozenUnit(np.array([np.sqrt(2) * a]), a, np.array([g]))
    for remaining in (1e-3, 1.0):
        assert unit.before(remaining)[1] == pytest.approx(1 / (g * remaining), rel=1e-9)
    assert unit.after(unit.blow_up_time * (1 - 1e-6))[1] == pytest.approx(1e6 * a, rel=1e-7)


def test_no_state_there():
    """After the blow-up, before the start, or of a unit that never blows up: said in one sentence."""
    unit = FrozenUnit(np.array([1e-3]), 1e-3, np.array([2.0]))
    with pytest.raises(ComputationError, match="has blown up"):
        unit.after(1.01 * unit.blow_up_time)
    with pytest.raises(ComputationError, match="no state"):
        unit.before(1.01 * unit.blow_up_time)
    with pytest.raises(ComputationError, match="no state"):
        FrozenUnit(np.array([1e-3]), -1e-3, np.array([2.0])).before(1.0)


def test_a_rough_integral_is_refused(monkeypatch):
    """SciPy's warning never comes; an error estimate above what is tolerated is a sentence of ours."""
    monkeypatch.setattr(growing_unit, "TOLERATED", 1e-30)
    with pytest.raises(ComputationError, match="orders of magnitude"):
        FrozenUnit(np.array([1e-3, 1e-6]), 1e-4, np.array([2.0, 1.0])).blow_up_time  # noqa: B018


def test_near_tangency():
    """F that just touches zero: the unit lingers near a = 0; either side of the border against quadrature."""
    w, g = np.array([1.0, 0.5]), np.array([-3.0, 4.0])
    touching = -min(0.5 * w**2 @ np.expm1(2 * g * s) for s in np.linspace(0, 1, 200001))
    for excess in (-1e-4, -1e-7, 1e-7, 1e-4):
        unit = FrozenUnit(w, np.sqrt(touching * (1 + excess)), g)
        assert unit.turns == (excess < 0)
        assert unit.blow_up_time == pytest.approx(quadrature(unit), rel=1e-6)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.floats(1e-12, 1e3))
def test_homogeneity(seed, factor):
    """(w, a) → (κw, κa) divides times by κ: the field is quadratic."""
    unit = random_unit(seed)
    scaled = FrozenUnit(factor * unit.w, factor * unit.a, unit.rates)
    assert scaled.blow_up_time == pytest.approx(unit.blow_up_time / factor, rel=1e-9)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.floats(0.01, 0.95))
def test_semigroup_and_conservation(seed, share):
    """What is left of T after a while is T minus the while; c = ‖w‖² − 2a² stays what it was."""
    unit = random_unit(seed)
    if np.isfinite(unit.blow_up_time):
        time = share * unit.blow_up_time
        w, a = unit.after(time)
        rest = FrozenUnit(w, a, unit.rates, unit.c).blow_up_time
        assert rest == pytest.approx(unit.blow_up_time - time, rel=1e-7)
        assert w @ w - 2 * a**2 == pytest.approx(unit.c, abs=1e-9 * (w @ w + 2 * a**2))


def test_a_negative_constant_freezes_the_sign():
    """c ≤ 0: a never crosses zero (theory, section 2); a balanced unit of the wrong sign decays as 1/t."""
    g, a = 6.0, -1e-3
    balanced = FrozenUnit(np.array([np.sqrt(2) * 1e-3]), a, np.array([g]))
    assert np.isinf(balanced.blow_up_time)
    w_late, a_late = balanced.after(1e9)
    assert a_late == pytest.approx(a / (1 - g * a * 1e9), rel=1e-9)
    assert w_late[0] == pytest.approx(np.sqrt(2) * abs(a_late), rel=1e-9)
    frozen = FrozenUnit(np.array([1e-3]), a, np.array([g]))
    assert frozen.after(1e9)[1] == pytest.approx(-np.sqrt(-frozen.c / 2), rel=1e-9)


@pytest.mark.parametrize(
    ("w", "a"), [([0.0, 0.0], 1e-3), ([0.0, 0.0], 0.0), ([1e-3, 1e-3], 0.0), ([0.0, 1e-3], 0.0)]
)
def test_units_at_rest(w, a):
    """Dead and silent units (G = diag(1, −1), wᵀGw = 0), the origin; the last one is not at rest: it grows."""
    unit = FrozenUnit(np.array(w), a, np.array([1.0, -1.0]))
    if w == [0.0, 1e-3]:
        assert unit.sign == -1
        assert unit.blow_up_time == pytest.approx(
            quadrature(FrozenUnit(unit.w, -1e-30, unit.rates)), rel=1e-9
        )
    else:
        assert np.isinf(unit.blow_up_time)
        assert np.array_equal(np.append(*unit.after(1e6)[::-1]), np.append(a, w))


def test_extreme_units():
    """Components, rates and a over many decades, dead components, units balanced up to 1e-15 … 1e-6: no warning."""
    rng = np.random.default_rng(5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n in range(600):
            r = int(rng.integers(1, 8))
            w = rng.standard_normal(r) * 10.0 ** rng.uniform(-9, 0, r) * 10.0 ** rng.uniform(-8, 1)
            g = rng.standard_normal(r) * 10.0 ** rng.uniform(-2, 2) * rng.choice([1, 1, 0], r)
            a = rng.standard_normal() * 10.0 ** rng.uniform(-9, 1) * rng.choice([1, 1, 1, 0])
            if n % 3 == 0:
                nearly = 1 + rng.choice([-1, 0, 1]) * 10.0 ** rng.uniform(-15, -6)
                a = rng.choice([-1, 1]) * np.linalg.norm(w) / np.sqrt(2) * nearly
            unit = FrozenUnit(w, float(a), g)
            total = unit.blow_up_time
            time = total * rng.uniform(0, 0.999) if np.isfinite(total) else 10.0 ** rng.uniform(-2, 8)
            w_later, a_later = unit.after(time)
            assert np.isfinite(w_later).all()
            if np.isfinite(total):
                rest = FrozenUnit(w_later, a_later, g, unit.c).blow_up_time
                assert rest + time == pytest.approx(total, rel=1e-6)


@pytest.mark.parametrize("size", [1e-200, 2.0**-300, 1e40])
def test_the_flow_of_one_unit_is_homogeneous(size):
    """(w, a) → ε(w, a), t → t/ε: also where the squares of the weights vanish, for a balanced unit (c = 0)."""
    w, g = np.array([0.6, 0.8]), np.array([1.0, -0.5])
    for a in (0.4, np.sqrt(0.5)):
        unit, small = (FrozenUnit(x * w, x * a, g) for x in (1.0, size))
        assert small.blow_up_time * size == pytest.approx(unit.blow_up_time, rel=1e-9)


def test_a_tiny_unit_beside_a_component_at_rest():
    """w₂ does not move (g₂ = 0), and its square is 10³⁰⁰ times that of what moves: nothing overflows."""
    unit = FrozenUnit(np.array([1e-150, 1.0]), 1e-150, np.array([1.0, 0.0]))
    alone = FrozenUnit(np.array([1e-150]), 1e-150, np.array([1.0]))
    assert unit.blow_up_time == pytest.approx(alone.blow_up_time, rel=1e-12)


def test_the_minimum_on_the_way_of_a_component_that_is_hardly_there():
    """The sum of ½ w_i² e^{2g_i s} is least where the slopes cancel, here at 2s = 680; the search passes e^{1024}."""
    w, g = np.array([1e-150, 1.0]), np.array([1.0, -0.01])
    unit = FrozenUnit(w, 2.0, g)
    ahead = np.log(0.01 * (w[1] / w[0]) ** 2) / (1 + 0.01)
    assert 2 * unit._bottom == pytest.approx(ahead, rel=1e-12)
    assert unit.blow_up_mode == 0
