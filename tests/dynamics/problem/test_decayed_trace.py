"""Solutions of the trace equation: against a fine scan, and never one too many."""

import numpy as np

from dynamics.problem.decayed_mode import fold
from dynamics.problem.decayed_trace import Holding, traces


def scan(holdings, total, strength, points=8_001):
    """Zeros of F on a grid, and its step; μ = c (v/(12c)^{1/4})³ by bisection of v⁴ − 4yv + 3 beside its minimum."""
    span = abs(total) + 4 * max(abs(h.mean) for h in holdings) + 4 * strength**0.25
    grid = np.linspace(-span, span, points)
    F = grid - total
    for h in holdings:
        c = h.units / h.modes * strength
        seen = h.sign * (h.mean + grid / 2) / fold(c)
        y = np.maximum(seen, 1)
        a, b = (0 * y, y ** (1 / 3)) if h.lower else (y ** (1 / 3), (4 * y) ** (1 / 3))
        for _ in range(45):
            v = (a + b) / 2
            left = (v**4 - 4 * y * v + 3 < 0) == h.lower  # of v
            a, b = np.where(left, a, v), np.where(left, v, b)
        F = np.where(seen > 1, F + h.modes * h.sign * c * (v / (12 * c) ** 0.25) ** 3, np.nan)
    i = np.flatnonzero(F[:-1] * F[1:] < 0)
    step = grid[1] - grid[0]
    return grid[i] - F[i] * step / (F[i + 1] - F[i]), step


def test_every_solution_that_a_fine_scan_sees():
    """Random modes, roots, signs, shared modes and frames; a scan misses only pairs closer than its step."""
    rng = np.random.default_rng(3)
    solutions = 0
    for _ in range(120):
        holdings = []
        for _ in range(int(rng.integers(1, 4))):
            modes = int(rng.integers(1, 3))
            mean = float(rng.normal())
            sign = int(np.sign(mean)) * int(rng.choice([1, 1, 1, -1]))
            holdings.append(
                Holding(mean, modes, modes + int(rng.integers(0, 2)), sign, bool(rng.random() < 0.5))
            )
        total, strength = sum(h.modes * h.mean for h in holdings), 10 ** rng.uniform(-5, -1)
        ours = np.sort(list(traces(holdings, total, strength, 1.0)))
        theirs, step = scan(holdings, total, strength)
        assert len(ours) >= len(theirs)
        for tau in theirs:
            assert np.abs(ours - tau).min() < step
        solutions += len(theirs)
    assert solutions > 50


def test_two_solutions_on_one_lower_root():
    """Theory 14.5, d = 1, ρ = 0.1: one of them is the minimum with μ = 0.02774528; a fine scan sees the same two."""
    holding, lam, strength = Holding(0.09710847, 1, 1, 1, True), 0.09710847, 2e-3
    ours = list(traces([holding], lam, strength, 1.0))
    theirs, _ = scan([holding], lam, strength, points=200_001)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert len(ours) == 2
    assert abs(lam - ours[0] - 0.02774528) < 2e-8  # λ has eight digits, dμ/dλ = 3


def test_without_trace_coupling_the_fold_decides():
    strength = 1e-3
    theta = fold(2 * strength)
    for mean, sign, found in ((1.01, 1, 1), (0.99, 1, 0), (-1.01, -1, 1), (-1.01, 1, 0)):
        holding = Holding(mean * theta, 1, 2, sign, False)
        assert len(list(traces([holding], 5.0, strength, 0.0))) == found


def test_nothing_is_held():
    assert list(traces([], 1.5, 1e-3, 1.0)) == [1.5]
    assert list(traces([], 1.5, 1e-3, 0.0)) == [0.0]
