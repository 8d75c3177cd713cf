"""The level ℓ(P, N) against brute force over all stationary points, a minimiser, and gradient and Hessian."""

from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.outcome.resting_level import least_loss, resting_level
from dynamics.problem.levels import plateau_level

SPECTRA = st.lists(
    st.one_of(
        st.just(0.0),
        st.floats(0.1, 4).map(lambda x: round(x, 3)),
        st.floats(-4, -0.1).map(lambda x: round(x, 3)),
    ),
    min_size=1,
    max_size=5,
)


def test_known_levels():
    """λ = (2, −1.9): {1} at 4.8133…, {2} at 5.3333…; λ = (4, 2, 1): 45.5, 8, 1.25 (theory, section 3)."""
    assert resting_level([2, -1.9], 4, 0).loss == pytest.approx(1.9**2 * 4 / 3, rel=1e-14)
    assert resting_level([2, -1.9], 0, 4).loss == pytest.approx(4 * 4 / 3, rel=1e-14)
    assert resting_level([2, -1.9], 1, 1).loss == 0
    assert [resting_level([4, 2, 1], P, 1).loss for P in range(4)] == pytest.approx(
        [45.5, 8, 1.25, 0], abs=1e-14
    )
    assert [least_loss([4, 2, 1], K) for K in range(4)] == pytest.approx([45.5, 8, 1.25, 0], abs=1e-14)
    assert resting_level([2, -1.9], 4, 0, trace_coupling=0).loss == pytest.approx(1.9**2)


def test_overshoot_that_swallows_a_mode():
    """λ = (1, −4), positive units only: μ₁ = 1 − 4/3 < 0 does not exist, nothing is learned: L_∅ = 17 + 9/2."""
    level = resting_level([1, -4], 3, 0)
    assert level.learned == ()
    assert level.loss == pytest.approx(21.5)
    assert level.kernel == 0


def minima_by_enumeration(lam, P, N, coupling):
    """Losses of all sets S that exist and are local minima, by the conditions on λ̃ of the Hessian's blocks."""
    lam = np.sort(lam)[::-1]
    d = len(lam)
    losses = []
    for S in chain.from_iterable(combinations(range(d), r) for r in range(d + 1)):
        level = plateau_level(lam, S, coupling)
        nu = coupling * level.residual_trace / (len(S) + 2)
        mu, rest = level.values, [j for j in range(d) if j not in S]
        zero = np.abs(mu) < 1e-9
        exists = np.sum(mu > -1e-9) <= P and np.sum(mu < 1e-9) <= N  # a zero μ takes a unit of each sign
        stable = all(
            np.sum(lam[list(S)] >= lam[j] - 1e-9) >= P
            if lam[j] + nu > 1e-9
            else np.sum(lam[list(S)] <= lam[j] + 1e-9) >= N
            if lam[j] + nu < -1e-9
            else True
            for j in rest
        )
        if exists and stable and not zero.any():
            losses.append(level.loss)
    return losses


@settings(deadline=None, max_examples=150)
@given(lam=SPECTRA, P=st.integers(0, 4), N=st.integers(0, 4), coupling=st.sampled_from([0.0, 1.0]))
def test_all_local_minima_with_the_same_signs_have_this_loss(lam, P, N, coupling):
    losses = minima_by_enumeration(np.array(lam), P, N, coupling)
    assert losses, "there is always a local minimum"
    np.testing.assert_allclose(losses, resting_level(lam, P, N, coupling).loss, rtol=1e-9, atol=1e-9)


@settings(deadline=None, max_examples=100)
@given(lam=SPECTRA, P=st.integers(0, 4), N=st.integers(0, 4), coupling=st.sampled_from([0.0, 0.4, 1.0]))
def test_the_shift_is_the_overshoot_of_what_is_learned(lam, P, N, coupling):
    """The solution of the piecewise linear equation is ν = cT/(2 + cr) of its own set, T what that leaves."""
    level = resting_level(lam, P, N, coupling)
    T = np.delete(np.sort(lam)[::-1], level.learned).sum()
    assert level.shift == pytest.approx(
        coupling * T / (2 + coupling * len(level.learned)), rel=1e-9, abs=1e-9
    )


@settings(deadline=None, max_examples=100)
@given(lam=SPECTRA, P=st.integers(0, 4), N=st.integers(0, 4))
def test_more_units_never_hurt_and_enough_units_fit(lam, P, N):
    loss = resting_level(lam, P, N).loss
    assert resting_level(lam, P + 1, N).loss <= loss + 1e-12
    assert resting_level(lam, P, N + 1).loss <= loss + 1e-12
    enough = sum(x > 0 for x in lam) <= P and sum(x < 0 for x in lam) <= N
    assert (loss < 1e-12) == enough


@pytest.mark.parametrize("coupling", [0.0, 0.4, 1.0])
def test_it_is_the_least_loss_over_all_matrices_of_that_signature(coupling, rng):
    """BFGS over the factors of M = XᵀX − YᵀY from ten starts; its gradient tolerance leaves 1e-9 of the loss."""
    for P, N in [(1, 0), (2, 1), (0, 2), (1, 1)]:
        lam = rng.uniform(-3, 3, 4)

        def loss(x, P=P, N=N, lam=lam):
            X, Y = np.split(x.reshape(P + N, 4), [P])
            D = np.diag(lam) - X.T @ X + Y.T @ Y
            return np.sum(D * D) + 0.5 * coupling * np.trace(D) ** 2

        best = min(
            minimize(loss, rng.normal(size=4 * (P + N)), options={"gtol": 1e-7}).fun for _ in range(10)
        )
        assert best == pytest.approx(resting_level(lam, P, N, coupling).loss, rel=1e-8, abs=1e-9)


def test_a_state_on_the_level_is_stationary_and_has_no_descent_direction(rng):
    """Weights built from the level: gradient zero, Hessian positive semidefinite up to rounding (1e-9)."""
    for _ in range(20):
        lam = np.sort(rng.uniform(-3, 3, 4))[::-1]
        P, N = int(rng.integers(1, 5)), int(rng.integers(0, 4))
        level = resting_level(lam, P, N)
        mu = lam[list(level.learned)] + level.shift
        W = np.zeros((P + N, 4))
        a = np.repeat([0.7, -0.7], [P, N])
        units = [*np.flatnonzero(mu > 0), *(P + np.arange(np.sum(mu < 0)))]
        W[units, level.learned] = np.sqrt(np.abs(mu) / 0.7)
        flow = GradientFlow(Problem(Teacher.from_eigenvalues(lam), Student(W, a)), reduce=False)
        assert flow.loss(flow.theta0) == pytest.approx(level.loss, abs=1e-12)
        assert np.abs(flow(0.0, flow.theta0)).max() < 1e-12
        assert np.linalg.eigvalsh(flow.hessian(flow.theta0))[0] > -1e-9


def test_unreachable_modes_add_to_loss_and_trace():
    """A mode that nobody can learn: the same stationary condition with it always unlearned."""
    inside = resting_level([3.0], 1, 0, unreachable=[2.0])
    assert inside.loss == pytest.approx(4 + 4 / 3)
    assert inside.shift == pytest.approx(2 / 3)
