"""Explicit methods: the orders of their coefficients, their cost, and what they keep of a step.

The order conditions are those of Butcher's theory: a method has order p if for every rooted tree of at most p nodes the
weight that its coefficients give it is 1/γ, the reciprocal of the product of the sizes of all subtrees.
"""

from itertools import combinations_with_replacement
from math import prod

import numpy as np
import pytest

from dynamics.integration import SOLVERS, VectorField
from dynamics.integration.contract import FAILED, RUNNING
from dynamics.integration.runge_kutta import RungeKutta
from dynamics.integration.step_size import first_step, next_factor, shorter_factor

TABLEAUS = {name: SOLVERS[name].create.args[0] for name in ("Tsit5", "DOP853")}
ORDERS = {"Tsit5": (5, [4], 4), "DOP853": (8, [5, 3], 7)}  # of the step, its estimates, the interpolant


@pytest.fixture(params=TABLEAUS)
def tableau(request):
    return TABLEAUS[request.param]


def trees(size):
    """Rooted trees of a number of nodes, as the tuple of the branches of their root; branches are in a fixed order."""
    if size == 1:
        return [()]
    found = []
    for sizes in partitions(size - 1, size - 1):
        forests = [()]
        for k in sorted(set(sizes)):
            many = list(combinations_with_replacement(trees(k), sizes.count(k)))
            forests = [(*forest, *more) for forest in forests for more in many]
        found += forests
    return found


def partitions(total, largest):
    if total == 0:
        return [()]
    return [(k, *rest) for k in range(min(total, largest), 0, -1) for rest in partitions(total - k, k)]


def nodes_of(tree):
    return 1 + sum(map(nodes_of, tree))


def gamma(tree):
    return nodes_of(tree) * prod(map(gamma, tree))


def weights_of(tree, A):
    """Product over the branches of A times theirs, at every stage."""
    return prod((A @ weights_of(branch, A) for branch in tree), start=np.ones(len(A)))


def violation(b, A, order, x=1.0):
    """Largest deviation of Σ b_j Φ_j(tree) from x^size/γ, over all trees up to an order."""
    found = [tree for size in range(1, order + 1) for tree in trees(size)]
    return max(abs(b @ weights_of(tree, A) - x ** nodes_of(tree) / gamma(tree)) for tree in found)


def matrix(tableau):
    S = len(tableau.rows)
    return np.array([[*row, *[0.0] * (S - len(row))] for row in tableau.rows])


def test_the_trees_are_all_there():
    """The numbers of rooted trees of 1 to 8 nodes, counted by Cayley."""
    assert [len(trees(size)) for size in range(1, 9)] == [1, 1, 2, 4, 9, 20, 48, 115]


def test_order_conditions(tableau):
    """Of the step, of every less accurate state it is compared with, and of the interpolant: up to their order only.

    The rounding of coefficients up to 12, and in the interpolant up to 500, is what is left.
    """
    A, (order, estimates, dense) = matrix(tableau), ORDERS[tableau.name]
    np.testing.assert_allclose(A.sum(axis=1), tableau.nodes, rtol=0, atol=2e-15)
    step = A[tableau.stages]
    assert violation(step, A, order) < 3e-14 < 1e-7 < violation(step, A, order + 1)
    for weights, less in zip(tableau.estimates, estimates, strict=True):
        other = step.copy()
        other[: len(weights)] -= weights
        assert violation(other, A, less) < 3e-14 < 1e-4 < violation(other, A, less + 1)
    assert tableau.order in (estimates[0], order - 1)
    for x in (0.2, 0.5, 0.9):
        b = tableau.basis(x) @ tableau.dense
        assert violation(b, A, dense, x) < 1e-13 < 1e-6 < violation(b, A, dense + 1, x)


def test_interpolants_meet_both_ends(tableau):
    """With their value, and with their slope: k_0 and k_s."""
    A, S, d = matrix(tableau), len(tableau.rows), 1e-6
    np.testing.assert_array_equal(tableau.basis(0.0) @ tableau.dense, 0)
    np.testing.assert_allclose(tableau.basis(1.0) @ tableau.dense, A[tableau.stages], atol=1e-15)
    for x, k in ((0.0, 0), (1.0, tableau.stages)):
        slope = (tableau.basis(x + d) - tableau.basis(x - d)) @ tableau.dense / (2 * d)
        np.testing.assert_allclose(slope, np.eye(S)[k], atol=1e-8)


def linear_step(tableau, z):
    """Stages k_i/λ of a step of θ̇ = λθ from 1, z = hλ."""
    k = []
    for row in tableau.rows:
        k.append(1 + z * sum(a * b for a, b in zip(row, k, strict=True)))
    return np.array(k)


def test_interpolants_where_steps_are_stable(tableau):
    """θ̇ = λθ for all complex hλ with a stable step: the last term bounds the error, or the error is bounded itself.

    By `last_term`, which is the least ratio there is to three per cent; without one, by 1.3 of the larger end.
    """
    ratios, largest = [], 0.0
    for angle in np.pi * np.linspace(0.5, 1, 11):
        for r in np.arange(0.2, 7, 0.05):
            z = r * np.exp(1j * angle)
            k = linear_step(tableau, z)
            if abs(k[tableau.stages]) > 1:
                continue
            terms, x = z * (tableau.dense @ k), np.linspace(0, 1, 41)
            states = np.array([1 + tableau.basis(y) @ terms for y in x])
            error = np.abs(states - np.exp(z * x)).max()
            ratios.append(np.abs(terms[-1]) * tableau.largest_last / error)
            largest = max(largest, error)
    if tableau.last_term is None:
        assert largest < 1.3
    else:
        assert largest > 20
        assert tableau.last_term <= min(ratios) < 1.03 * tableau.last_term


class Counted(VectorField):
    """θ̇ = −rates · θ; it writes in place and counts how often it is asked."""

    def __init__(self, rates):
        self.rates, self.calls = np.asarray(rates, dtype=float), 0

    def __call__(self, t, theta):
        self.calls += 1
        return -self.rates * theta

    def jacobian(self, t, theta):
        return -np.diag(self.rates)

    def in_place(self):
        growth = -self.rates

        def write(t, theta, out):
            self.calls += 1
            np.multiply(growth, theta, out=out)

        return write


def solver_of(name, field, t_end, rtol, start=None):
    start = np.ones(field.rates.size) if start is None else start
    return SOLVERS[name].create(field, start, t_end, rtol, rtol)


class Driven(Counted):
    """θ̇ = 3t² − θ + t³, solved by t³ + θ₀ e^{−t}."""

    def in_place(self):
        def write(t, theta, out):
            out[:] = 3 * t**2 - theta + t**3

        return write


def test_time_in_the_right_hand_side(tableau):
    """Every stage is at its own time; samples too."""
    solver = solver_of(tableau.name, Driven([1.0]), 2.0, 1e-9)
    while solver.status == RUNNING:
        solver.step()
        step = solver.within_step()
        for t in (0.3 * step.t_old + 0.7 * step.t, step.t):
            np.testing.assert_allclose(step(t), t**3 + np.exp(-t), rtol=1e-8)


def test_cost_of_a_step(tableau):
    """s evaluations, the slope at the end being the first of the next; a start costs two, and each sample none."""
    field = Counted([1.0, 2.0])
    solver, steps = solver_of(tableau.name, field, 3.0, 1e-6), 0
    while solver.status == RUNNING:
        solver.step()
        steps += 1
        assert solver.nfev == field.calls == 2 + tableau.stages * steps
    for t in np.linspace(solver.t_old, solver.t, 9):
        solver.within_step()(t)


def sampled(tableau, rates, t_end, every):
    """Evaluations for ten samples within each of some steps to a tolerance of 1e-7."""
    field, extra = Counted(rates), []
    solver = solver_of(tableau.name, field, t_end, 1e-7)
    while solver.status == RUNNING:
        solver.step()
        if solver.steps % every:
            continue
        before, step = solver.nfev, solver.within_step()
        for t in np.linspace(step.t_old, step.t, 12)[1:-1]:
            step(t)
        extra.append(solver.nfev - before)
    assert solver.nfev == field.calls
    return np.array(extra)


def test_samples_cost_less_than_the_steps(tableau):
    """Ten within every step: no evaluation by the free interpolant, and by the other three as a rule.

    Where stability limits the steps, those that are sampled are made shorter for that. Among others ten samples cost
    two shorter steps and, after that, the step once more in two parts: 3 + 2 · 11 + 2 · (12 + 3).
    """
    smooth, stiff = sampled(tableau, [1.0, 2.0], 3.0, 1), sampled(tableau, [1.0, 1000.0], 1.0, 1)
    rare = sampled(tableau, [1.0, 1000.0], 1.0, 7)
    assert min(map(len, (smooth, stiff, rare))) > 5
    if tableau.last_term is None:
        assert not (smooth.any() or stiff.any() or rare.any())
    else:
        assert set(smooth[1:]) == {3}
        assert np.mean(stiff == 3) > 0.9
        assert max(stiff.max(), rare.max()) == 55


def test_a_step_is_what_it_was_when_the_solver_has_gone_on(tableau):
    """To rounding: its slopes are computed again, whichever way samples are made."""
    for rates in ([1.0, 2.0], [1.0, 1000.0]):
        solver, kept = solver_of(tableau.name, Counted(rates), 0.3, 1e-7), []
        while solver.status == RUNNING:
            solver.step()
            kept.append((solver.within_step(), solver.within_step()))
            t = np.linspace(kept[-1][0].t_old, kept[-1][0].t, 6)
            kept[-1] = (*kept[-1], t, [kept[-1][0](x) for x in t])
        solver.restart(0.1, np.full(2, 9.0))
        for _, later, t, states in kept:
            np.testing.assert_allclose([later(x) for x in t], states, rtol=1e-13, atol=1e-16)


def test_steps_are_as_long_as_their_order_allows(tableau):
    """A tolerance that is 2^k times tighter takes twice as many steps, k the order of the estimate plus one."""
    counts = []
    for rtol in (1e-6, 1e-6 / 2 ** (tableau.order + 1)):
        solver = solver_of(tableau.name, Counted([1.0, 2.0]), 40.0, rtol, np.array([1e6, 1e6]))
        solver.atol = 0.0
        while solver.status == RUNNING:
            solver.step()
        counts.append(solver.steps)
    assert counts[1] / counts[0] == pytest.approx(2, rel=0.05)


def test_few_steps_are_rejected_where_stability_limits_them(tableau):
    """Of 200 at the edge of stability fewer than one in fifty; SciPy's control rejects one in nine of DOP853's."""
    solver = solver_of(tableau.name, Counted([1.0, 1000.0]), 1.0, 1e-6)
    while solver.status == RUNNING:
        solver.step()
    tried = (solver.nfev - 2 - solver.steps) / (tableau.stages - 1)
    if tableau.estimates.shape[1] > tableau.stages:
        tried = (solver.nfev - 2) / tableau.stages
    assert solver.steps > 100
    assert solver.steps <= tried < 1.02 * solver.steps + 3


def test_control_of_the_step():
    """Errors that stay at 0.9^k ask for no change; one of zero for the most, infinite ones and NaN for the least."""
    same, q = 0.9**8, 7
    assert next_factor(q, same, same) == pytest.approx(1, rel=1e-14)
    assert next_factor(q, 0.1, same) == pytest.approx((same / 0.1) ** (0.7 / 8))
    assert next_factor(q, same, 0.1) == pytest.approx((0.1 / same) ** (0.4 / 8))
    assert next_factor(q, 0.0, 1.0) == next_factor(q, 1e-300, 1.0) == 10
    assert shorter_factor(q, 2.0) == pytest.approx(0.9 * 2 ** (-1 / 8))
    assert shorter_factor(q, np.inf) == shorter_factor(q, np.nan) == shorter_factor(q, 1e300) == 0.2


def test_the_first_step():
    """θ̇ = −θ from 1: the rule has 0.01 of θ/θ̇ and (0.01/|θ̈|)^{1/(q + 1)} in units of the tolerance, or what is left."""

    def write(t, y, out):
        out[:] = -y

    y, rtol = np.ones(3), 1e-6
    expected = (0.01 * rtol) ** (1 / 8)
    for ahead in (1.0, 0.01):
        assert first_step(write, 0.0, y, -y, ahead, 7, rtol, 0.0) == pytest.approx(min(expected, ahead))
    zero = np.zeros(3)
    assert first_step(write, 0.0, zero, zero, 1.0, 7, rtol, 1e-12) == 1e-6


def test_a_step_allocates_nothing_that_grows_with_the_state(tableau):
    """Of a state of 0.8 MB at most a hundredth is allocated in a step, beyond what was there after the first."""
    import tracemalloc

    field = Counted(np.ones(100_000))
    solver = solver_of(tableau.name, field, 5.0, 1e-8)
    solver.step()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        solver.step()
        solver.step()
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert solver.status == RUNNING
    assert peak < field.rates.nbytes / 100


def test_steps_that_vanish_are_a_failure(tableau):
    """A right-hand side that is nowhere a number: every step is too long, and the state stays where it was."""

    class Nowhere(Counted):
        def in_place(self):
            return lambda t, theta, out: out.fill(np.nan if t > 0.5 else 1.0)

    solver = RungeKutta(tableau, tableau.name, Nowhere([1.0]), np.zeros(1), 1.0, 1e-6, 1e-6)
    reason = ""
    while solver.status == RUNNING:
        reason = solver.step()
    assert solver.status == FAILED
    assert "shorter than the spacing of numbers" in reason
    assert solver.t <= 0.5
    np.testing.assert_allclose(solver.y, solver.t, rtol=1e-12)
