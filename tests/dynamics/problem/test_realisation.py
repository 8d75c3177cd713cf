"""Weights with given order parameters, held against the Gram matrices of vectors that were drawn.

What has no vectors is known from geometry: angles of 30° and 60° between three directions of a plane, lengths, ranks.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamics import ProblemError
from dynamics.problem.realisation import CLIPPED, realise, realise_beside

CASES = {
    "seed": st.integers(0, 10_000),
    "K": st.integers(1, 5),
    "M": st.integers(1, 5),
    "d": st.integers(1, 9),
    "lengths": st.floats(0, 60),
}


def vectors(seed, K, M, d, lengths):
    """Student and teacher vectors of lengths that differ by so many powers of ten; d below K + M makes Ω singular."""
    rng = np.random.default_rng(seed)
    W, V = rng.standard_normal((K, d)), rng.standard_normal((M, d))
    size = 10 ** (lengths * rng.uniform(-0.5, 0.5, K + M))[:, None]
    return W * size[:K], V * size[K:]


def assert_same_products(one, other, X, Y):
    """X Yᵀ as of two pairs of arrays, to 1e-12 of the lengths of the vectors."""
    bounds = np.outer(np.linalg.norm(X, axis=1), np.linalg.norm(Y, axis=1))
    assert (np.abs(one - other) <= 1e-12 * bounds).all()


@given(**CASES)
def test_the_products_come_back(seed, K, M, d, lengths):
    """In the smallest dimension, which is that of the span: min(K + M, d) for vectors in general position."""
    W, V = vectors(seed, K, M, d, lengths)
    found = realise(W @ W.T, W @ V.T, V @ V.T, inputs=d)
    assert found.W.shape[1] == min(K + M, d)
    assert_same_products(found.W @ found.W.T, W @ W.T, W, W)
    assert_same_products(found.W @ found.V.T, W @ V.T, W, V)
    assert_same_products(found.V @ found.V.T, V @ V.T, V, V)
    assert not found.notes


@given(**CASES, axes=st.booleans())
def test_they_come_back_beside_a_teacher_that_is_kept(seed, K, M, d, lengths, axes):
    """Teacher directions on axes or anywhere, more than dimensions too: zeros are appended to them and nothing else."""
    W, V = vectors(seed, K, M, d, lengths)
    if axes and d >= M:
        V = np.eye(M, d) * np.linalg.norm(V, axis=1)[:, None]
    found = realise_beside(W @ W.T, W @ V.T, V, inputs=d)
    n = found.W.shape[1]
    assert n == d
    np.testing.assert_array_equal(found.V, V)
    assert_same_products(found.W @ found.W.T, W @ W.T, W, W)
    assert_same_products(found.W @ V.T, W @ V.T, W, V)


def test_a_narrow_teacher_is_widened_by_what_the_student_needs():
    """Two units with nothing in common with one direction need two further axes, and one of them the first only."""
    found = realise_beside(np.eye(2), np.zeros((2, 1)), [[3.0]])
    np.testing.assert_array_equal(found.V, [[3, 0, 0]])
    np.testing.assert_allclose(
        np.abs(found.W), [[0, 1, 0], [0, 0, 1]][:: 1 if found.W[0, 1] else -1], atol=1e-15
    )
    inside = realise_beside([[4.0]], [[6.0]], [[3.0]])
    np.testing.assert_allclose(inside.W, [[2.0]])


def test_vectors_that_are_zero_stay_zero():
    """Zero units and directions take no part, and lengths of 1e-100 do not vanish beside those of 1."""
    Q, R = np.diag([0, 1e-200]), np.array([[0, 0], [1e-100, 0]])
    for found in (realise(Q, R, np.diag([4.0, 0])), realise_beside(Q, R, [[2.0], [0.0]])):
        assert not found.W[0].any() and not found.V[1].any()
        np.testing.assert_allclose(found.W @ found.V.T, R, rtol=1e-13)
        np.testing.assert_allclose(found.W[1] @ found.W[1], 1e-200, rtol=1e-13)


@given(seed=st.integers(0, 10_000), size=st.floats(1e-14, 0.3 * CLIPPED))
def test_rounding_is_clipped(seed, size):
    """Three vectors of a plane, cosines moved by less than the tolerance: moved back by as little, in the plane."""
    W, V = vectors(seed, 2, 1, 2, 0)
    W, V = (X / np.linalg.norm(X, axis=1)[:, None] for X in (W, V))
    noise = size * np.random.default_rng(seed).choice([-1.0, 1.0], (2, 1))
    R = np.clip(W @ V.T + noise, -1, 1)
    found = realise(W @ W.T, R, V @ V.T, inputs=2)
    assert found.W.shape[1] == 2
    assert np.abs(found.W @ found.V.T - R).max() < 3 * size + 1e-14
    assert np.abs(found.W @ found.W.T - W @ W.T).max() < 3 * size + 1e-14


def test_what_was_clipped_is_said():
    """A unit as long as its product with the direction, but for 1e-11: 1 − (1 + 1e-11)² is left of it."""
    found = realise_beside([[1.0]], [[1 + 1e-11]], [[1.0]])
    assert found.notes == (
        "order parameters were rounded: eigenvalues up to 2e-11 of unit vectors' products count as 0",
    )
    assert found.W.shape == (1, 1)


HALF = np.sqrt(0.75)


@pytest.mark.parametrize(
    "Q, R, P, message",
    [
        ([[1.0]], [[2.0]], [[1.0]], "`R` has 2 in row 0 and column 0, but vectors of the lengths 1 and 1"),
        ([[1.0]], [[0.5]], [[0.0]], "lengths 1 and 0 have products of at most 0"),
        ([[0.0, 0.1], [0.1, 1]], [[0], [0]], [[1.0]], "`Q` has 0.1 in row 0 and column 1"),
        ([[-1.0]], [[0.0]], [[1.0]], "`Q` has -1 as entry 0 of its diagonal"),
        ([[1e101]], [[0.0]], [[1.0]], "at most: scale the weights down"),
        # cosines of 30° from a direction to both, which are 90° from one another: 60° is the most
        (np.eye(2), [[HALF], [HALF]], [[1.0]], "scaled to unit lengths, its smallest eigenvalue is -0.225"),
        # three vectors, each 150° from both others
        (
            [[1, -HALF, -HALF], [-HALF, 1, -HALF], [-HALF, -HALF, 1]],
            np.zeros((3, 1)),
            [[1.0]],
            "`Q` is of no vectors: scaled to unit lengths, its smallest eigenvalue is -0.732",
        ),
        (np.eye(2), np.zeros((2, 2)), np.eye(2), "need 4 dimensions, but `inputs` leaves 3"),
        (np.eye(2), np.zeros((1, 2)), np.eye(2), r"`R` has shape (1, 2), but 2 hidden units and 2 teacher"),
        ([[1, 0], [0.5, 1]], np.zeros((2, 1)), [[1.0]], "`Q` is not symmetric"),
        ([[np.nan]], [[0.0]], [[1.0]], "NaN"),
        (np.eye(2)[None], [[0.0]], [[1.0]], "axes"),
    ],
)
def test_what_no_vectors_have_is_refused(Q, R, P, message):
    """With the reason, and by how much."""
    with pytest.raises(ProblemError) as refused:
        realise(Q, R, P, inputs=3)
    assert message in str(refused.value) and str(refused.value).count("\n") == 0


@pytest.mark.parametrize(
    "Q, R, V, inputs, message",
    [
        # Q − RRᵀ = I − ¾(1, 1)ᵀ(1, 1) has the eigenvalue 1 − 3/2
        (
            np.eye(2),
            [[HALF], [HALF]],
            [[1.0]],
            3,
            "Q − RP⁺Rᵀ, is of no vectors: scaled to unit lengths, its smallest",
        ),
        (np.eye(2), [[HALF], [HALF]], [[1.0]], 3, "eigenvalue is -0.5"),
        # of two parallel directions a unit is at the same angle
        ([[1.0]], [[0.5, 0.2]], [[1.0], [1.0]], 3, "2 directions span 1 dimensions: of its cosines, 0.15"),
        (
            np.eye(2),
            np.zeros((2, 1)),
            [[1.0]],
            2,
            "need 2 dimensions beside the teacher's directions, but `inputs`",
        ),
        (np.eye(2), np.zeros((2, 2)), [[1.0]], 3, "2 hidden units and 1 teacher directions need (2, 1)"),
    ],
)
def test_what_no_units_have_beside_the_teacher_is_refused(Q, R, V, inputs, message):
    """Each condition of its own: Schur complement, span, rank, shapes."""
    with pytest.raises(ProblemError) as refused:
        realise_beside(Q, R, V, inputs=inputs)
    assert message in str(refused.value)
