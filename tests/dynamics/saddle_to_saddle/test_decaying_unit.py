"""One unit under a constant force and weight decay: against its integrated equations and where they are solvable."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from dynamics import ComputationError
from dynamics.problem.weight_decay import WeightDecay
from dynamics.saddle_to_saddle.decaying_unit import (
    UnevenlyDecayingUnit,
    critical_factor,
    growing_unit,
    smallest_factor,
)
from dynamics.saddle_to_saddle.growing_unit import FrozenUnit

G = np.array([3.0, 1.0, -2.0])


def integrated(w, a, rates, decay, time):
    """(w, a) by ẇ = a g w − ρ_w w, ȧ = ½ Σ g w² − ρ_a a, written out; stops at a hundred million times the start."""
    d, size = len(w), np.linalg.norm([*w, a])

    def field(t, y):
        w, a = y[:d], y[d]
        return np.append(a * rates * w - decay.first * w, 0.5 * rates @ w**2 - decay.second * a)

    def grown(t, y):
        return np.linalg.norm(y) - 1e8 * size

    grown.terminal = True
    way = solve_ivp(field, (0, time), np.append(w, a), "DOP853", events=grown, rtol=1e-12, atol=1e-15 * size)
    return way.t[-1], way.y[:, -1]


def units(count, size=1e-2, seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield size * rng.standard_normal(3), size * rng.standard_normal()


@pytest.mark.parametrize(
    "decay", [WeightDecay(0.01, 0.01), WeightDecay(0.008, 0.015), WeightDecay(0.012, 0.005)]
)
def test_blow_up_and_states_are_those_of_the_integrated_unit(decay):
    """Blow-up time where the integrated unit has grown 10⁸-fold (a rest of 1e-8 of it), states half-way to it."""
    escaped = 0
    for w, a in units(6):
        unit = growing_unit(w, a, G, decay)
        total = unit.blow_up_time
        end, last = integrated(w, a, G, decay, 20 / min(decay.first, decay.second))
        assert np.isfinite(total) == (np.linalg.norm(last) > 1)
        if np.isinf(total):
            assert unit.blow_up_mode is None
            continue
        escaped += 1
        assert total == pytest.approx(end, rel=1e-6)
        assert np.sign(last[3]) == unit.sign
        assert unit.blow_up_mode == np.argmax(np.abs(last[:3]))
        _, middle = integrated(w, a, G, decay, 0.5 * total)
        for state in (unit.after(0.5 * total), unit.before(0.5 * total)):
            np.testing.assert_allclose(np.append(*state), middle, rtol=1e-7, atol=1e-11)
        _, late = integrated(w, a, G, decay, 0.99 * total)
        np.testing.assert_allclose(np.append(*unit.before(0.01 * total)), late, rtol=1e-6, atol=1e-11)
    assert 2 <= escaped <= 5


def test_a_unit_that_does_not_escape_decays():
    """Its state at any time, and no state before a blow-up that never comes."""
    decay, (w, a) = WeightDecay(0.2, 0.2), next(units(1))
    unit = growing_unit(w, a, G, decay)
    assert np.isinf(unit.blow_up_time)
    np.testing.assert_allclose(
        np.append(*unit.after(30.0)), integrated(w, a, G, decay, 30.0)[1], rtol=1e-7, atol=1e-12
    )
    for late in (unit, growing_unit(w, a, G, WeightDecay(0.2, 0.3))):
        with pytest.raises(ComputationError, match="before its blow-up"):
            late.before(1.0)


@pytest.mark.parametrize("factor", [0.999, 1.001])
def test_equal_decay_is_escaped_if_and_only_if_the_bare_time_is_below_its_own(factor):
    """ρT₀ on either side of 1, for any c_k and direction: the integrated unit grows, or is gone at t = 30/ρ."""
    for w, a in units(6, seed=1):
        bare = FrozenUnit(w, a, G).blow_up_time
        decay = WeightDecay(factor / bare, factor / bare)
        assert np.isfinite(growing_unit(w, a, G, decay).blow_up_time) == (factor < 1)
        _, last = integrated(w, a, G, decay, 30 / decay.first)
        assert (np.linalg.norm(last) > 1) == (factor < 1)
        assert critical_factor(w, a, G, decay) == pytest.approx(factor, rel=1e-12)


def test_no_decay_is_the_frozen_unit():
    """The factory hands out the same law, with the invariant that it is told."""
    w, a = next(units(1))
    unit = growing_unit(w, a, G, WeightDecay(), 0.25)
    assert isinstance(unit, FrozenUnit)
    assert unit.c == 0.25


def test_uneven_decay_is_the_other_law_where_the_rates_agree():
    """Integration against the change of time, for both outcomes."""
    outcomes = set()
    for w, a in units(8, seed=2):
        decay = WeightDecay(0.02, 0.02)
        ours, exact = UnevenlyDecayingUnit(w, a, G, decay), growing_unit(w, a, G, decay)
        assert ours.blow_up_mode == exact.blow_up_mode
        assert ours.blow_up_time == pytest.approx(exact.blow_up_time, rel=1e-8)
        outcomes.add(bool(np.isfinite(exact.blow_up_time)))
    assert outcomes == {True, False}


def test_the_aligned_saddle_is_critical():
    """a = ρ_w/g, w² = 2ρ_aρ_w/g² is at rest (theory 14.6), so a smaller start dies and a larger one escapes."""
    decay, g = WeightDecay(0.3, 0.1), np.array([8.0])
    w, a = np.array([np.sqrt(2 * 0.1 * 0.3) / 8]), 0.3 / 8
    assert critical_factor(w, a, g, decay) == pytest.approx(1, rel=1e-7)
    assert np.isinf(growing_unit(0.999 * w, 0.999 * a, g, decay).blow_up_time)
    assert np.isfinite(growing_unit(1.001 * w, 1.001 * a, g, decay).blow_up_time)


def test_decay_of_the_first_layer_alone():
    """½p² − (a − ρ_w/g)² is constant then, dp/da = 2(ga − ρ_w)/gp: p vanishes unless p₀/√2 + a₀ > ρ_w/g."""
    decay, g = WeightDecay(0.3, 0.0), 8.0
    for p, a in ((0.05, -0.01), (0.001, 0.03)):
        expected = 0.3 / g / (p / np.sqrt(2) + a)
        assert critical_factor(np.array([p]), a, np.array([g]), decay) == pytest.approx(expected, rel=1e-6)


def test_decay_of_the_second_layer_alone_stops_nothing():
    """ẇ = agw with a → gw²/2ρ_a > 0: every unit escapes in the end (theory 14.1), so no factor is critical."""
    decay = WeightDecay(0.0, 0.3)
    assert np.isfinite(growing_unit(np.array([0.01]), -0.001, np.array([8.0]), decay).blow_up_time)
    assert critical_factor(np.array([0.01]), -0.001, np.array([8.0]), decay) == 0


@pytest.mark.slow
def test_of_several_units_the_first_to_escape_counts():
    """The least factor, whatever the order of the units; inf for units that cannot grow at all."""
    decay, rows = WeightDecay(0.02, 0.04), list(units(2, seed=3))
    each = [critical_factor(w, a, G, decay) for w, a in rows]
    for order in ([0, 1], [1, 0]):
        assert smallest_factor([rows[n] for n in order], G, decay) == pytest.approx(min(each), rel=1e-7)
    assert np.isinf(smallest_factor([(np.zeros(3), 0.1)], G, decay))


def test_the_first_to_blow_up_need_not_be_the_one_that_escapes_from_less():
    """Where a decays faster than w, a unit with a = 0 may need less than one that would blow up earlier."""
    decay, g = WeightDecay(0.1, 0.4), np.array([8.0])
    rows = [(np.array([np.sqrt(2)]), 1.0), (np.array([1.4 * np.sqrt(2)]), 0.0)]
    times = [FrozenUnit(w, a, g).blow_up_time for w, a in rows]
    each = [critical_factor(w, a, g, decay) for w, a in rows]
    assert times[0] < times[1] and each[1] < 0.99 * each[0]
    assert smallest_factor(rows, g, decay) == pytest.approx(each[1], rel=1e-7)
