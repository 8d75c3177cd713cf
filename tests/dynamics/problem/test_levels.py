"""Levels of the stationary points: against the defining equations, not against the formula."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamics.problem.levels import plateau_level

eigenvalues = st.lists(st.floats(-3, 3), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("learned", "loss"),
    # Worked by hand from L = ‖D‖² + (tr D)²/2 with λ = (4, 2, 1).
    [
        ((), 16 + 4 + 1 + 49 / 2),
        ((2,), 32),
        ((1,), 76 / 3),
        ((1, 2), 20),
        ((0,), 8),
        ((0, 2), 5),
        ((0, 1), 1.25),
        ((0, 1, 2), 0),
    ],
)
def test_levels_of_the_worked_example(learned, loss):
    assert plateau_level([4, 2, 1], learned).loss == pytest.approx(loss, rel=1e-14, abs=1e-14)


@given(eigenvalues, st.data(), st.sampled_from([0.0, 1.0]))
@settings(deadline=None, max_examples=200)
def test_level_is_the_minimum_over_the_learned_values(lam, data, coupling):
    """On V, G = 0 says that the loss is stationary in μ: the least squares problem ‖D‖² + coupling·(tr D)²/2.

    Solved here as such: rows of a matrix acting on the unknown μ, by `numpy.linalg.lstsq`.
    """
    lam = np.array(lam)
    S = sorted(data.draw(st.sets(st.integers(0, len(lam) - 1))))
    rows = np.vstack([np.eye(len(lam)), np.sqrt(coupling / 2) * np.ones(len(lam))])
    mu = np.linalg.lstsq(rows[:, S], rows @ lam, rcond=None)[0]
    loss = np.sum((rows @ lam - rows[:, S] @ mu) ** 2)
    level = plateau_level(lam, S, coupling)
    np.testing.assert_allclose(level.values, mu, atol=1e-13)
    np.testing.assert_allclose(level.loss, loss, atol=1e-12)
    assert level.residual_trace == pytest.approx(np.delete(lam, S).sum(), abs=1e-14)


@given(eigenvalues, st.data())
@settings(deadline=None, max_examples=200)
def test_learning_one_more_mode_lowers_the_loss_by_the_square_of_its_gain(lam, data):
    """Theory, section 3: by (r+2)/(r+3) λ̃_j²; so the loss is monotone in the set of learned modes."""
    lam = np.array(lam)
    j, *S = data.draw(st.permutations(range(len(lam))))
    S = S[: data.draw(st.integers(0, len(S)))]
    before, after = plateau_level(lam, S), plateau_level(lam, [*S, j])
    r = len(S)
    gain = lam[j] + before.residual_trace / (r + 2)
    assert before.loss - after.loss == pytest.approx((r + 2) / (r + 3) * gain**2, abs=1e-12)
