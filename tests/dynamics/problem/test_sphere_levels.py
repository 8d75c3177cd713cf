"""Levels on the sphere: groups and their multipliers, frames, counts against listing by hand, the theorem on minima."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamics import ProblemError
from dynamics.problem import sphere_levels
from dynamics.problem.sphere_levels import SphereProblem, frame, majorised, sphere_level


def levels(eigenvalues, weights, coupling=0.0):
    problem = SphereProblem(np.array(eigenvalues, dtype=float), np.array(weights, dtype=float))
    return problem, [sphere_level(problem, groups, 1.0, coupling, 1.0) for groups in problem.points()]


def test_worked_example():
    """λ = (3, 2, 1, .3), K = 3, a = 1: multipliers and losses by hand."""
    _, found = levels([3, 2, 1, 0.3], [1, 1, 1])
    by_groups = {
        tuple(sorted(("".join(map(str, g.modes)), sum(g.units)) for g in level.groups)): level
        for level in found
    }
    separate = by_groups[("0010", 1), ("0100", 1), ("1000", 1)]
    assert sorted(g.multiplier for g in separate.groups) == pytest.approx([0, 1, 2])
    assert separate.loss == pytest.approx(5.09)
    assert by_groups[(("1100", 3),)].loss == pytest.approx(3.09)
    assert by_groups[(("1100", 3),)].values == pytest.approx([2, 1])
    pair = by_groups[("0001", 1), ("1100", 2)]
    assert sorted(g.multiplier for g in pair.groups) == pytest.approx([-0.7, 1.5])
    assert pair.loss == pytest.approx(5.99)
    assert (("1110", 3),) not in by_groups  # μ = (2, 1, 0): the same point as {0, 1} by 3
    assert len(found) == 33


def test_the_loss_of_raw_units():
    """½τ² beside Σ D²; the residual trace is that of what is not learned."""
    problem, found = levels([3, 1], [0.5, 0.5], coupling=1.0)
    low = min(found, key=lambda level: level.loss)
    assert low.learned == (0,) and low.values == pytest.approx([1.0])
    assert low.loss == pytest.approx(4 + 1 + 0.5 * 3**2) and low.residual_trace == pytest.approx(1.0)
    assert problem.lowest() == pytest.approx(5.0)


@given(
    st.lists(st.floats(0.05, 5), min_size=1, max_size=5),
    st.lists(st.floats(0.05, 5), min_size=1, max_size=5),
)
@settings(max_examples=150, deadline=None)
def test_frames(a, mu):
    """Where (a) is majorised by (μ, 0, …) the units have norm 1 and Σ a_kw_kw_kᵀ = diag(μ); sums are made equal."""
    if len(mu) > len(a):
        mu = mu[: len(a)]
    a, mu = np.array(a), np.array(mu)
    mu = mu * (a.sum() / mu.sum())
    largest = [
        max(sum(c) for c in combinations(np.pad(mu, (0, len(a) - len(mu))), k)) for k in range(1, len(a) + 1)
    ]
    dominated = all(sum(sorted(a)[-k:]) <= m + 1e-9 for k, m in enumerate(largest, 1))
    clear = all(abs(sum(sorted(a)[-k:]) - m) > 1e-6 for k, m in enumerate(largest[:-1], 1))
    if clear:
        assert majorised(a, mu, 1e-10) == dominated
    if not majorised(a, mu, 1e-10):
        return
    W = frame(a, mu)
    np.testing.assert_allclose(np.linalg.norm(W, axis=1), 1, atol=1e-7)
    np.testing.assert_allclose(W.T @ (a[:, None] * W), np.diag(mu), atol=1e-7 * a.sum())


def test_what_has_no_frame():
    """One unit of weight 2 and one of weight ½ cannot be spread as (1.5, 1): 2 > 1.5; equal weights always can."""
    assert not majorised(np.array([2.0, 0.5]), np.array([1.5, 1.0]), 1e-12)
    assert majorised(np.array([1.25, 1.25]), np.array([1.5, 1.0]), 1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_one_minimum(seed):
    """For equal a exactly one level has the index 0: the water filling, found by bisection and by projection."""
    rng = np.random.default_rng(seed)
    d, K = rng.integers(2, 5), rng.integers(1, 5)
    lam, a = 2 * rng.standard_normal(d), np.full(K, rng.exponential())
    problem, found = levels(lam, a)
    minima = [level for level in found if level.index == 0]
    assert len(minima) == 1
    assert minima[0].loss == pytest.approx(min(level.loss for level in found), rel=1e-12)
    assert minima[0].loss == pytest.approx(problem.lowest(), rel=1e-10)
    m = np.sort(lam)[::-1][: min(K, d)]  # by bisection on Σ max(λ − γ, 0) = Ka
    low, high = m.min() - a.sum(), m.max()
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(m - middle, 0).sum() > a.sum() else (low, middle)
    water = np.sum(np.minimum(m, middle) ** 2) + np.sum(np.sort(lam)[::-1][len(m) :] ** 2)
    assert minima[0].loss == pytest.approx(water, rel=1e-9)


def test_multiplicities():
    """λ = (2, 1, 1), two units of weight 1: {0}, {one of two} alone in 2 · 2 ways; two equal modes, one group."""
    _, found = levels([2, 1, 1], [1, 1])
    ways = {level.learned: level.multiplicity for level in found}
    assert ways[0, 1] in (2, 4) and ways[1, 2] == 1
    single = next(level for level in found if len(level.groups) == 2 and level.learned == (0, 1))
    assert single.multiplicity == 4


def test_negative_weights():
    """a → −a with M* → −M* is the same problem: the same losses, learned values of the other sign."""
    problem = SphereProblem(-np.array([3.0, 1.0, -2.0]), np.array([1.0, 0.5]))
    found = [sphere_level(problem, groups, 1.0, 1.0, -1.0) for groups in problem.points()]
    plain = [sphere_level(problem, groups, 1.0, 1.0, 1.0) for groups in problem.points()]
    for one, other in zip(found, plain, strict=True):
        assert one.loss == other.loss and one.index == other.index
        assert one.learned == tuple(sorted(2 - i for i in other.learned))
        np.testing.assert_allclose(one.values, -other.values[::-1])
    low = min(found, key=lambda level: level.loss)
    assert low.learned[-1] == 2  # what has the sign of a


def test_sizes_are_refused(monkeypatch):
    with pytest.raises(ProblemError, match="groups of units, but at most 200,000 are allowed"):
        levels(np.arange(40.0), np.ones(20))
    monkeypatch.setattr(sphere_levels, "MOST_POINTS", 20)
    with pytest.raises(ProblemError, match="more than 20 stationary points on the sphere"):
        levels([3, 2, 1, 0.3], [1, 1, 1])


def test_the_number_of_groups():
    """That which is checked is that which is looked at: choices of units times choices of as many modes or fewer."""
    problem = SphereProblem(np.array([3.0, 2, 2, 0, 0]), np.array([1.0, 1, 0.5]))
    looked_at = sum(
        sum(1 for _ in sphere_levels._choices(problem.modes[1], sum(units)))
        for units in [(i, j) for i in range(3) for j in range(2) if i + j]
    )
    assert sphere_levels._number_of_groups(problem.modes[1], problem.units[1]) == looked_at


@pytest.mark.parametrize("hidden", [1200, 20_000, 10**6])
def test_huge_networks_are_refused_before_their_groups_are_made(hidden, monkeypatch):
    """Two modes and K equal units have some 4K groups, which are compared in pairs; K = 1,000 is the most."""
    monkeypatch.setattr(SphereProblem, "groups", lambda self: pytest.fail("groups were made"))
    with pytest.raises(ProblemError, match="use fewer hidden units"):
        SphereProblem(np.array([2.0, 1.0]), np.ones(hidden)).points()
