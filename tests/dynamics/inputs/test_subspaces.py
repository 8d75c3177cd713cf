"""Bases of the subspaces that flows stay in."""

import numpy as np
import pytest

from dynamics.inputs.subspaces import basis_of, leading_axes


def rows_of(rng, kind):
    """Rows in 9 dimensions, and how many of them lie on axes of their own before the first that does not."""
    anything, axes = rng.standard_normal((3, 9)), np.zeros((3, 9))
    axes[[0, 1, 2], [4, 0, 7]] = [2.0, -1.0, 0.5]
    return {
        "anything": (anything, 0),
        "axes": (axes, 3),
        "axes first": (np.vstack([axes, anything]), 3),
        "axes later": (np.vstack([anything, axes]), 0),
        "an axis twice": (np.vstack([axes, axes[:1], anything]), 3),
        "nothing beside": (np.vstack([axes, 2 * axes]), 3),
        "a zero": (np.vstack([axes[:2], 0 * axes[:1], anything]), 2),
        "as many as there are": (np.vstack([axes, anything, anything**2]), 3),
        "none": (np.zeros((0, 9)), 0),
    }[kind]


KINDS = (
    *("anything", "axes", "axes first", "axes later", "an axis twice"),
    *("nothing beside", "a zero", "as many as there are", "none"),
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_basis_is_orthonormal_and_holds_its_rows(rng, kind):
    """As many columns as rows; each of the first rows lies in the span of as many columns."""
    rows, _ = rows_of(rng, kind)
    Q = basis_of(rows)
    assert Q.shape == rows.shape[::-1]
    np.testing.assert_allclose(Q.T @ Q, np.eye(len(rows)), atol=1e-14)
    for m in range(1, len(rows) + 1):
        np.testing.assert_allclose(rows[:m] @ Q[:, :m] @ Q[:, :m].T, rows[:m], atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_axes_are_kept_to_the_last_bit(rng, kind):
    """The columns are the axes themselves, and nothing else has any part of them."""
    rows, count = rows_of(rng, kind)
    axes, Q = leading_axes(rows), basis_of(rows)
    assert len(axes) == count
    np.testing.assert_array_equal(axes, np.abs(rows[:count]).argmax(axis=1) if count else [])
    np.testing.assert_array_equal(Q[axes], np.eye(count, len(rows)))
