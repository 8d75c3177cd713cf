"""Path space: counts by brute force, formulas against their definitions, steps against gradient descent on paths."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.path_space import (
    Skeleton,
    SkeletonCrossing,
    path_gradient,
    path_step,
    path_values,
)
from oracles.path_bases import from_paths, multiplicities, random_skeleton, random_weights, rescaled
from oracles.path_enumeration import enumerate_paths, incidence, incidence_rank

WIDTHS = [(3, 4, 2), (2, 3, 3, 2), (2, 3, 2, 3, 2), (3, 2, 4, 3, 1), (1, 1, 1)]
widths_strategy = st.lists(st.integers(1, 4), min_size=3, max_size=5).map(tuple)


@settings(deadline=None, max_examples=30)
@given(widths_strategy)
def test_rank_is_edges_minus_hidden_units(widths: tuple[int, ...]) -> None:
    """m − H (Meng et al.), here by the rank of the enumerated incidence matrix."""
    edges = sum(a * b for a, b in pairwise(widths))
    assert incidence_rank(widths) == edges - sum(widths[1:-1])


def test_incidence_columns_are_edges() -> None:
    """Path (i, j, k) of a 2-2-1 network uses W_1[j, i] and W_2[k, j], in the order of the flattened matrices."""
    paths, M = enumerate_paths((2, 2, 1)), incidence((2, 2, 1))
    for path, row in zip(paths, M, strict=True):
        i, j, k = path
        expected = np.zeros(6)
        expected[2 * j + i] = 1
        expected[4 + 2 * k + j] = 1
        np.testing.assert_array_equal(row, expected)


@settings(deadline=None, max_examples=40)
@given(widths_strategy, st.integers(0, 10_000))
def test_any_skeleton_gives_a_basis_of_real_paths(widths: tuple[int, ...], seed: int) -> None:
    """Every basis path is a row of the incidence matrix; they are m − H in number and independent."""
    skeleton = random_skeleton(widths, seed)
    P, M = multiplicities(skeleton, 1), incidence(widths)
    rows = {tuple(row) for row in M}
    assert all(tuple(row.astype(int)) in rows for row in P)
    assert len(P) == skeleton.edges - skeleton.hidden_units == np.linalg.matrix_rank(P)


@pytest.mark.parametrize("widths", WIDTHS)
def test_values_are_products_along_paths(widths: tuple[int, ...]) -> None:
    """For h = 1, against the product of the entries that the incidence matrix names."""
    weights, skeleton = random_weights(widths, 1), random_skeleton(widths, 2)
    flat = np.concatenate([W.ravel() for W in weights])
    expected = [np.prod(flat[row.astype(bool)]) for row in multiplicities(skeleton, 1)]
    np.testing.assert_allclose(path_values(weights, skeleton), expected, rtol=1e-13)


def test_quadratic_values_are_entries_of_the_quadratic_form() -> None:
    """Two layers, h = 2: A_sk w_ks w_ki and A_ok w_ks², the skeleton edges first chosen by hand."""
    rng = np.random.default_rng(0)
    W, A = rng.normal(size=(2, 3)), rng.normal(size=(2, 2))
    skeleton = Skeleton((3, 2, 2), ([2, 0],), ([1, 0],))
    v = path_values([W, A], skeleton, 2)
    into = [A[1, 0] * W[0, 2] * W[0], A[0, 1] * W[1, 0] * W[1]]
    np.testing.assert_allclose(v[:6], np.concatenate(into), rtol=1e-14)
    np.testing.assert_allclose(v[6:], [A[0, 0] * W[0, 2] ** 2, A[1, 1] * W[1, 0] ** 2], rtol=1e-14)


@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize("widths", WIDTHS)
def test_rescaling_changes_no_path_value(widths: tuple[int, ...], degree: int) -> None:
    """Invariance by definition of path space; 1e-12 leaves room for the rounding of long products."""
    weights, skeleton = random_weights(widths, 3), random_skeleton(widths, 4)
    np.testing.assert_allclose(
        path_values(rescaled(weights, 5, degree), skeleton, degree),
        path_values(weights, skeleton, degree),
        rtol=1e-12,
    )


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("widths", WIDTHS)
def test_path_gradient_inverts_the_chain_rule(widths: tuple[int, ...], degree: int) -> None:
    """A random ∂L/∂v, pushed to the weights by the chain rule, comes back."""
    weights, skeleton = random_weights(widths, 6), random_skeleton(widths, 7)
    delta = np.random.default_rng(8).normal(size=skeleton.edges - skeleton.hidden_units)
    gradients = from_paths(weights, skeleton, degree, delta)
    scale = np.abs(delta).max()
    # Sums of w ∂L/∂w lose digits where path values differ by orders of magnitude.
    np.testing.assert_allclose(
        path_gradient(weights, gradients, skeleton, degree), delta, atol=1e-10 * scale, rtol=1e-9
    )


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("widths", WIDTHS)
def test_step_moves_path_values_down_their_gradient(widths: tuple[int, ...], degree: int) -> None:
    """v ← v − ηδ for a given δ, whichever layer is free, and the given weights are left alone."""
    weights, skeleton = random_weights(widths, 9), random_skeleton(widths, 10)
    v = path_values(weights, skeleton, degree)
    delta = np.random.default_rng(11).normal(size=v.size) * np.abs(v)
    eta = 0.1
    gradients = from_paths(weights, skeleton, degree, delta)
    before = [W.copy() for W in weights]
    for free in range(1, len(widths)):
        moved = path_step(weights, gradients, skeleton, eta, degree=degree, free_layer=free)
        np.testing.assert_allclose(path_values(moved, skeleton, degree), v - eta * delta, rtol=1e-9)
        for W, copy in zip(weights, before, strict=True):
            np.testing.assert_array_equal(W, copy)


@pytest.mark.parametrize("free_layer", [1, 2, 3])
def test_kept_weights_stay_bit_for_bit(free_layer: int) -> None:
    """h = 1: in-edges below the free layer and out-edges from it on are the very same numbers afterwards."""
    widths = (3, 4, 2, 2)
    weights, skeleton = random_weights(widths, 12), random_skeleton(widths, 13)
    delta = 0.1 * np.abs(path_values(weights, skeleton))
    moved = path_step(weights, from_paths(weights, skeleton, 1, delta), skeleton, 0.1, free_layer=free_layer)
    changed = 0
    for l, (into, out) in enumerate(zip(skeleton.into, skeleton.out, strict=True), start=1):
        units = np.arange(len(into))
        kept = (l - 1, units, into) if l < free_layer else (l, out, units)
        np.testing.assert_array_equal(moved[kept[0]][kept[1:]], weights[kept[0]][kept[1:]])
        other = (l, out, units) if l < free_layer else (l - 1, units, into)
        changed += np.sum(moved[other[0]][other[1:]] != weights[other[0]][other[1:]])
    assert changed > 0


def test_two_layer_step_is_the_published_one() -> None:
    """The formula of G-SGD for two layers, written out with loops (Meng et al.)."""
    rng = np.random.default_rng(14)
    W, A = random_weights((3, 4, 2), 15)
    skeleton = random_skeleton((3, 4, 2), 16)
    delta = rng.normal(size=16) * 0.1
    gW, gA = from_paths([W, A], skeleton, 1, delta)
    eta = 0.05
    newW, newA = W.copy(), A.copy()
    for k in range(4):
        i, s = skeleton.into[0][k], skeleton.out[0][k]
        others = sum(A[o, k] * gA[o, k] for o in range(2) if o != s)
        R = 1 - eta * (W[k, i] * gW[k, i] - others) / (W[k, i] * A[s, k]) ** 2
        newW[k] = W[k] - eta * gW[k] / A[s, k] ** 2
        newW[k, i] = W[k, i] * R
        newA[:, k] = (A[:, k] - eta * gA[:, k] / W[k, i] ** 2) / R
        newA[s, k] = A[s, k]
    moved = path_step([W, A], [gW, gA], skeleton, eta)
    np.testing.assert_allclose(moved[0], newW, rtol=1e-12)
    np.testing.assert_allclose(moved[1], newA, rtol=1e-12)


def test_crossing_is_reported_and_changes_nothing() -> None:
    """1-2-1 network with v = (1, 1) and ∂L/∂v = (0, 2): a step of 1 would take the second to −1."""
    W, A = np.ones((2, 1)), np.ones((1, 2))
    skeleton = Skeleton.diagonal((1, 2, 1))
    gW, gA = np.array([[0.0], [2.0]]), np.array([[0.0, 2.0]])
    with pytest.raises(SkeletonCrossing, match="unit 1 of hidden layer 1") as caught:
        path_step([W, A], [gW, gA], skeleton, 1.0, number=7)
    assert caught.value.unit == (1, 1) and caught.value.step == 7
    np.testing.assert_array_equal(W, np.ones((2, 1)))
    np.testing.assert_allclose(path_values(path_step([W, A], [gW, gA], skeleton, 0.4), skeleton), [1, 0.2])


def test_non_finite_gradient_is_reported() -> None:
    """NaN is not a crossing, but no step either."""
    W, A = np.ones((1, 1)), np.ones((1, 1))
    bad = np.full((1, 1), np.nan)
    with pytest.raises(SkeletonCrossing, match="infinite or NaN"):
        path_step([W, A], [bad, bad], Skeleton.diagonal((1, 1, 1)), 0.1)


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("widths", [(3, 4, 2), (2, 3, 2, 2)])
def test_strongest_skeleton_maximises_skeleton_path_values(widths: tuple[int, ...], degree: int) -> None:
    """Against all skeletons of the network: none gives any unit a larger |s|."""
    weights = random_weights(widths, 17)

    def sizes(skeleton: Skeleton) -> Array:
        into_chains, result = [], []
        signal = np.ones(widths[0])
        for W, into in zip(weights, skeleton.into, strict=False):
            into_chains.append(np.abs(W[np.arange(len(into)), into]) * signal[into])
            signal = into_chains[-1] ** degree
        response = np.ones(widths[-1])
        for W, out, I in zip(weights[::-1], skeleton.out[::-1], into_chains[::-1], strict=False):
            O = np.abs(W[out, np.arange(len(out))]) * response[out]
            response = O * I ** (degree - 1)
            result.append(I**degree * O)
        return np.concatenate(result)

    best = sizes(Skeleton.strongest(weights, degree))
    ins = [product(range(below), repeat=n) for below, n in pairwise(widths[:-1])]
    outs = [product(range(above), repeat=n) for n, above in pairwise(widths[1:])]
    choices = list(product(product(*ins), product(*outs)))
    for pick in np.random.default_rng(0).permutation(len(choices))[:1500]:
        into, out = choices[pick]
        assert (sizes(Skeleton(widths, into, out)) <= best * (1 + 1e-12)).all()


@settings(deadline=None, max_examples=30)
@given(widths_strategy, st.integers(0, 10_000), st.sampled_from([1, 2]))
def test_strongest_skeleton_does_not_see_rescaling(widths: tuple[int, ...], seed: int, degree: int) -> None:
    """A rescaled copy gets the same skeleton (random weights have no ties)."""
    weights = random_weights(widths, seed)
    a = Skeleton.strongest(weights, degree)
    b = Skeleton.strongest(rescaled(weights, seed + 1, degree), degree)
    for x, y in zip((*a.into, *a.out), (*b.into, *b.out), strict=True):
        np.testing.assert_array_equal(x, y)


def test_leading_axes_are_independent_members() -> None:
    """An ensemble steps as its members do one by one."""
    widths = (3, 4, 3, 2)
    members = [random_weights(widths, seed) for seed in (20, 21, 22)]
    skeleton = random_skeleton(widths, 23)
    deltas = [np.random.default_rng(s).normal(size=skeleton.edges - skeleton.hidden_units) for s in (1, 2, 3)]
    gradients = [from_paths(W, skeleton, 1, 0.1 * d) for W, d in zip(members, deltas, strict=True)]
    together = path_step(
        [np.stack(layer) for layer in zip(*members, strict=True)],
        [np.stack(layer) for layer in zip(*gradients, strict=True)],
        skeleton,
        0.01,
        free_layer=2,
    )
    for member, (W, g) in enumerate(zip(members, gradients, strict=True)):
        alone = path_step(W, g, skeleton, 0.01, free_layer=2)
        for a, b in zip(alone, together, strict=True):
            np.testing.assert_allclose(b[member], a, rtol=1e-13)


def test_bad_input_is_refused() -> None:
    """One sentence that names the value."""
    with pytest.raises(ProblemError, match="at least one hidden layer"):
        Skeleton((3, 2), (), ())
    with pytest.raises(ProblemError, match="one edge for each unit"):
        Skeleton((2, 3, 1), ([0, 1],), ([0, 0, 0],))
    with pytest.raises(ProblemError, match="names the unit 2"):
        Skeleton((2, 3, 1), ([0, 1, 2],), ([0, 0, 0],))
