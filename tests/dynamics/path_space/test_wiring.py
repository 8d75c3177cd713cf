"""Units that are joined by many edges, and biases: the algebra of path space by counting the edges of every path."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.path_space import CONSTANT, Skeleton, Wiring, path_gradient, path_step, path_values
from oracles.path_bases import (
    from_paths,
    multiplicities,
    random_skeleton,
    random_weights,
    random_wiring,
    rescaled,
)

WIDTHS = [(2, 3, 2), (1, 2, 3, 2), (2, 2, 2, 2, 1), (1, 1, 1)]
CASES = [(widths, seed) for widths in WIDTHS for seed in range(3)]


def all_paths(wiring: Wiring) -> Array:
    """Every path as the edges it uses (paths, m): begun at an input or a constant, in any layer, ended at an output."""
    offsets = np.cumsum([0, *(n * columns for n, columns in wiring.shapes)])
    complete: dict[int, list[list[int]]] = {}
    for l, (n, columns) in enumerate(wiring.shapes):
        reached: dict[int, list[list[int]]] = {}
        for row, column in product(range(n), range(columns)):
            edge = int(offsets[l]) + row * columns + column
            source = int(wiring.sources[l][column])
            begun = [[]] if l == 0 or source == CONSTANT else complete[source]
            reached.setdefault(row, []).extend([*path, edge] for path in begun)
        complete = reached
    paths = [path for found in complete.values() for path in found]
    M = np.zeros((len(paths), offsets[-1]))
    for row, path in enumerate(paths):
        M[row, path] = 1
    return M


@pytest.mark.parametrize(("widths", "seed"), CASES)
def test_any_skeleton_gives_a_basis_of_real_paths(widths: tuple[int, ...], seed: int) -> None:
    """Each basis path is one of all paths, found one by one; they span them; their number is m − H, the rank."""
    wiring = random_wiring(widths, seed)
    skeleton = random_skeleton(wiring, seed + 10)
    P, M = multiplicities(skeleton, 1), all_paths(wiring)
    rows = {tuple(row) for row in M}
    assert all(tuple(row) in rows for row in P)
    rank = np.linalg.matrix_rank(M)
    assert rank == np.linalg.matrix_rank(P) == np.linalg.matrix_rank(np.vstack([P, M]))
    assert rank == len(P) == skeleton.edges - skeleton.hidden_units
    assert skeleton.edges == sum(n * columns for n, columns in wiring.shapes) == M.shape[1]


@pytest.mark.parametrize(("widths", "seed"), CASES)
def test_values_are_products_along_paths(widths: tuple[int, ...], seed: int) -> None:
    """Of the weights that a path uses."""
    wiring = random_wiring(widths, seed)
    skeleton, weights = random_skeleton(wiring, seed + 10), random_weights(wiring, seed + 20)
    flat = np.concatenate([W.ravel() for W in weights])
    expected = [np.prod(flat[row.astype(bool)]) for row in multiplicities(skeleton, 1)]
    np.testing.assert_allclose(path_values(weights, skeleton), expected, rtol=1e-13)


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize(("widths", "seed"), CASES)
def test_rescaling_changes_no_path_value(widths: tuple[int, ...], seed: int, degree: int) -> None:
    """Nor the strongest skeleton. A bias is rescaled with the weights into its unit."""
    wiring = random_wiring(widths, seed)
    skeleton, weights = random_skeleton(wiring, seed + 10), random_weights(wiring, seed + 20)
    copy = rescaled(weights, seed + 30, degree, wiring)
    np.testing.assert_allclose(
        path_values(copy, skeleton, degree), path_values(weights, skeleton, degree), rtol=1e-12
    )
    one, other = (Skeleton.strongest(W, degree, wiring) for W in (weights, copy))
    for name in ("into", "out", "via"):
        for a, b in zip(getattr(one, name), getattr(other, name), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize(("widths", "seed"), CASES)
def test_gradient_and_step_follow_the_paths(widths: tuple[int, ...], seed: int, degree: int) -> None:
    """A random ∂L/∂v comes back from the gradients it makes, and v moves by −η∂L/∂v, whichever layer is free."""
    wiring = random_wiring(widths, seed)
    skeleton, weights = random_skeleton(wiring, seed + 10), random_weights(wiring, seed + 20)
    v = path_values(weights, skeleton, degree)
    delta = np.random.default_rng(seed + 40).normal(size=v.size) * np.abs(v)
    gradients = from_paths(weights, skeleton, degree, delta)
    found = path_gradient(weights, gradients, skeleton, degree)
    np.testing.assert_allclose(found, delta, atol=1e-10 * np.abs(delta).max(), rtol=1e-9)
    for free in range(1, len(widths)):
        moved = path_step(weights, gradients, skeleton, 0.1, degree=degree, free_layer=free)
        np.testing.assert_allclose(path_values(moved, skeleton, degree), v - 0.1 * delta, rtol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_strongest_skeleton_maximises_skeleton_path_values(seed: int) -> None:
    """Against all skeletons of a small network with several edges between units and biases (h = 1)."""
    wiring = random_wiring((1, 2, 2), seed, most=2)
    weights = random_weights(wiring, seed + 5)

    def sizes(skeleton: Skeleton) -> Array:
        W, A = weights
        units = np.arange(2)
        return np.abs(W[units, skeleton.into[0]] * A[skeleton.out[0], skeleton.via[0]])

    best = sizes(Skeleton.strongest(weights, 1, wiring))
    columns = [np.flatnonzero(wiring.sources[1] == k) for k in range(2)]
    ins = product(range(wiring.shapes[0][1]), repeat=2)
    for into, out, via in product(ins, product(range(2), repeat=2), product(*columns)):
        assert (sizes(Skeleton((1, 2, 2), [into], [out], wiring, [via])) <= best * (1 + 1e-12)).all()


def test_diagonal_takes_the_first_edge_of_each_unit() -> None:
    """Of columns from the units 1, 0, a constant, 1, 0: unit 0 is first in column 1, unit 1 in column 0."""
    sources = np.array([1, 0, CONSTANT, 1, 0])
    skeleton = Skeleton.diagonal((2, 2, 2, 1), Wiring((2, 2, 2, 1), (sources, sources, np.arange(2))))
    assert [e.tolist() for e in skeleton.into] == [[1, 0], [1, 0]]
    assert [e.tolist() for e in skeleton.out] == [[0, 1], [0, 0]]
    assert [e.tolist() for e in skeleton.via] == [[1, 0], [0, 1]]


def test_bad_input_is_refused() -> None:
    """One sentence that names the value."""
    with pytest.raises(ProblemError, match="are 1, but 2 layers"):
        Wiring((2, 2, 1), (np.arange(2),))
    with pytest.raises(ProblemError, match="between 0 and 1"):
        Wiring((2, 2, 1), (np.array([0, 2]), np.arange(2)))
    with pytest.raises(ProblemError, match="name 1 of 2 units below"):
        Wiring((2, 2, 1), (np.arange(2), np.array([0, 0, CONSTANT])))
    wiring = Wiring((1, 2, 1), (np.array([0, CONSTANT]), np.array([0, 0, 1])))
    with pytest.raises(ProblemError, match="`wiring` has the widths"):
        Skeleton((1, 1, 1), [[0]], [[0]], wiring)
    with pytest.raises(ProblemError, match="columns of other units"):
        Skeleton((1, 2, 1), [[0, 0]], [[0, 0]], wiring, [[0, 1]])
    with pytest.raises(ProblemError, match="between 0 and 1"):
        Skeleton((1, 2, 1), [[2, 0]], [[0, 0]], wiring)
