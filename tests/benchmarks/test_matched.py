"""Solvers are compared at the same error: brackets of a quarter of a decade, and times between them."""

import math

import numpy as np
import pytest

from benchmarks.matched import Bracket, Point, bracket, error_of, seconds_at, times_at

EXACT = np.linspace(0, 1, 12).reshape(4, 3)


def solver(constant, tried):
    """Errors are `constant` times the tolerance; notes which tolerances were tried."""

    def runner(rtol):
        def run():
            tried.append(rtol)
            return EXACT + constant * rtol * np.eye(4, 3)

        return run

    return runner


def error(states):
    return error_of(states, EXACT)


@pytest.mark.parametrize("constant", [0.03, 1.4, 7.0, 900.0])
@pytest.mark.parametrize("decades", [(9,), (4, 6, 8, 10)])
def test_a_bracket_holds_the_error_between_neighbouring_quarters(constant, decades):
    """The goal is met at rtol = goal/constant, which lies between the two tolerances by construction."""
    found = bracket(solver(constant, []), error, 1e-8, decades)
    assert found.met.error <= 1e-8 < found.looser.error
    assert found.looser.rtol / found.met.rtol == pytest.approx(10**0.25)
    assert found.met.rtol <= 1e-8 / constant <= found.looser.rtol
    assert [p.rtol for p in found.curve] == sorted((p.rtol for p in found.curve), reverse=True)


def test_few_tolerances_are_tried():
    """Neighbours until one meets the goal and one misses it, then quarters; short runs a second time."""
    tried: list[float] = []
    bracket(solver(1.4, tried), error, 1e-8)
    assert np.log10(tried[::2]) == pytest.approx([-9, -8, -8.25])
    assert tried[::2] == tried[1::2]


def test_a_goal_that_is_out_of_reach_has_no_bracket():
    assert bracket(solver(1e6, []), error, 1e-8) is None


def test_where_the_loosest_tolerance_meets_the_goal_nothing_is_looser():
    found = bracket(solver(1e-9, []), error, 1e-8)
    assert found.looser is None
    assert found.met.rtol == pytest.approx(1e-3)


def test_states_of_another_shape_or_not_finite_are_wrong():
    assert error_of(EXACT[:-1], EXACT) == math.inf
    assert error_of(EXACT * np.nan, EXACT) == math.inf
    assert error_of(EXACT + 0.25 * np.eye(4, 3), EXACT) == pytest.approx(0.25)


@pytest.mark.parametrize("power", [-0.125, -0.2, -1.0])
def test_times_are_exact_where_they_are_a_power_of_the_error(power):
    """A method of order p takes time ∝ error^(−1/p): on that line interpolation in logarithms is exact."""
    points = [(e, 3.0 * e**power) for e in (2.1e-8, 0.6e-8)]
    assert seconds_at(1e-8, *points) == pytest.approx(3.0 * 1e-8**power, rel=1e-12)


def test_without_a_looser_point_the_time_is_the_one_measured():
    assert seconds_at(1e-8, None, (1e-9, 0.5)) == 0.5
    assert seconds_at(1e-8, (math.inf, 0.1), (1e-9, 0.5)) == 0.5


def test_both_ends_of_every_bracket_are_run_in_turn():
    calls: list[str] = []

    def point(name, error):
        return Point(1e-9, error, 0.0, 0.0, lambda: calls.append(name))

    found = {
        "a": Bracket(0.0, point("a looser", 2e-8), point("a met", 5e-9), []),
        "b": Bracket(0.0, None, point("b met", 5e-9), []),
    }
    assert times_at(1e-8, found, 2).keys() == {"a", "b"}
    assert calls == ["a met", "a looser", "b met"] * 2
