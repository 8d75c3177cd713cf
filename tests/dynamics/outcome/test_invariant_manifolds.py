"""Non-generic starts are recognised, and the flow indeed stays on their manifolds."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.outcome.invariant_manifolds import invariant_closure, reach


def problem(W, a, eigenvalues=(3.0, 2.0, -1.0), covariance=None):
    d = np.shape(W)[1]
    return Problem(
        Teacher.from_eigenvalues(eigenvalues, d),
        Student(np.array(W, float), np.array(a)),
        covariance=covariance,
    )


def all_units(p):
    return reach(p, np.arange(p.student.hidden))


def test_a_random_start_is_generic(rng):
    reached = all_units(problem(rng.normal(size=(4, 3)), rng.normal(size=4)))
    assert reached.basis.shape == (3, 3)
    assert reached.blocks == 1
    assert reached.exchangeable == ()


def test_aligned_units_fall_into_blocks_and_correlated_inputs_join_them():
    p = problem(0.5 * np.eye(3), [0.5, 0.6, 0.7])
    assert all_units(p).blocks == 3
    W = GradientFlow(p).integrate(t_end=3.0, samples=5).W
    assert np.abs(W * (1 - np.eye(3))).max() == 0
    Sigma = np.array([[1, 0.3, 0], [0.3, 1, 0], [0, 0, 1.0]])
    joined = problem(0.5 * np.eye(3), [0.5, 0.6, 0.7], covariance=Sigma)
    assert all_units(joined).blocks == 2
    W = GradientFlow(joined).integrate(t_end=3.0, samples=5).W
    assert np.abs(W[-1, 0, 1]) > 1e-2
    assert np.abs(W[:, :2, 2]).max() == 0


def test_directions_that_are_never_reached(rng):
    """Weights orthogonal to e_3, an eigenvector of the teacher; inside a repeated eigenvalue only their span."""
    W = rng.normal(size=(2, 3)) * [1, 1, 0]
    p = problem(W, [0.5, 0.4])
    np.testing.assert_allclose(all_units(p).basis[2], 0, atol=1e-15)
    assert np.abs(GradientFlow(p).integrate(t_end=2.0, samples=5).W[..., 2]).max() == 0
    repeated = problem(rng.normal(size=(1, 3)), [1.0], eigenvalues=(2, 2, 2.0))
    assert all_units(repeated).basis.shape == (3, 1)


@pytest.mark.parametrize("mirror", [np.diag([1, 1, 1]), np.diag([1, -1, 1]), np.diag([-1, 1, -1])])
def test_copies_and_mirror_images_are_exchangeable(mirror, rng):
    w = rng.normal(size=3)
    other = rng.normal(size=3)
    p = problem([w, other, mirror @ w], [0.4, 0.1, 0.4])
    # A third, generic unit breaks the mirror symmetry of the whole, but the test is by pairs: it is conservative.
    assert all_units(p).exchangeable == (0, 2)
    pair = problem([w, mirror @ w], [0.4, 0.4])
    W = GradientFlow(pair).integrate(t_end=2.0, samples=5).W
    np.testing.assert_allclose(W[:, 1], W[:, 0] @ mirror, atol=1e-8)
    assert all_units(problem([w, mirror @ w], [0.4, 0.41])).exchangeable == ()


@pytest.mark.parametrize("sizes", ["all of one size", "of many sizes"])
def test_the_first_exchangeable_pair_of_many_units(sizes, rng):
    """Planted: units of 12 kinds, some of them copies or mirror images; the first pair of one kind is known."""
    mirrors = np.array([[s, t, u] for s in (1, -1) for t in (1, -1) for u in (1, -1)])
    for _ in range(20):
        W, a = rng.normal(size=(12, 3)), rng.normal(size=12)
        if sizes == "all of one size":
            W /= np.linalg.norm(W, axis=1)[:, None]
        kind = rng.permutation([*range(12), *rng.integers(0, 12, rng.integers(0, 5))])
        first = [(i, j) for i in range(len(kind)) for j in range(i + 1, len(kind)) if kind[i] == kind[j]][:1]
        found = all_units(problem(W[kind] * rng.choice(mirrors, len(kind)), a[kind])).exchangeable
        assert found == (first[0] if first else ())


def test_pairs_of_many_units_are_not_listed():
    """20,000 copies of one unit make 2e8 pairs, of which one is told."""
    W = np.tile([1.0, 0.5, 0.25], (20_000, 1))
    assert all_units(problem(W, np.full(20_000, 0.3))).exchangeable == (0, 1)


def test_closure_of_tiny_weights(rng):
    """The subspace that a vector generates does not depend on its length, also where the length squared vanishes."""
    B = rng.normal(size=(3, 3))
    M, x = B + B.T, np.array([[1.0], [2.0], [0.0]])
    for operators, size in (([M], 3), ([np.diag([1.0, 2.0, 3.0])], 2)):
        assert invariant_closure(1e-200 * x, operators).shape == (3, size)
        np.testing.assert_allclose(
            np.abs(invariant_closure(1e-200 * x, operators)),
            np.abs(invariant_closure(x, operators)),
            atol=1e-12,
        )


def test_closure_is_invariant_and_smallest(rng):
    """Block matrices: the closure of a vector in one block is that block (its cyclic subspace)."""
    B = rng.normal(size=(3, 3))
    M = np.zeros((5, 5))
    M[:3, :3] = B + B.T
    M[3:, 3:] = np.diag([1.0, 2.0])
    closure = invariant_closure(np.array([[1.0], [2], [0.5], [0], [0]]), [M])
    assert closure.shape == (5, 3)
    np.testing.assert_allclose(closure.T @ closure, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(closure @ closure.T @ M @ closure, M @ closure, atol=1e-12)


@pytest.mark.parametrize(("distance", "on"), [(1e-8, False), (1e-13, True)])
def test_how_near_to_a_manifold_counts_as_on_it(distance, on, rng):
    """1e-8 of the weights leads away from it in the end; 1e-13 is what products of rotations leave."""
    aligned = 0.5 * np.eye(3)
    aligned[0, 1] = 0.5 * distance
    assert all_units(problem(aligned, [0.5, 0.6, 0.7])).blocks == (3 if on else 2)
    W = rng.normal(size=(2, 3)) * [1, 1, distance]
    assert all_units(problem(W, [0.5, 0.4])).basis.shape[1] == (2 if on else 3)
    w = rng.normal(size=3)
    for turned, a in ((w * (1 + distance), 0.4), (w * [1, 1, 1 + distance], 0.4), (w, 0.4 * (1 + distance))):
        pair = all_units(problem([w, turned], [0.4, a])).exchangeable
        assert pair == ((0, 1) if on else ())
