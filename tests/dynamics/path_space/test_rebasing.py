"""Another basis of path space: values against the weights, edges against all others, steps across zero."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from dynamics.aliases import Array
from dynamics.path_space import (
    Skeleton,
    SkeletonCrossing,
    Wiring,
    change_basis,
    path_gradient,
    path_step,
    path_values,
    rebase,
    rebased_step,
)
from dynamics.path_space.rebasing import Edges, edges_of, strengthened, weights_of
from oracles.path_bases import (
    from_paths,
    random_skeleton,
    random_weights,
    random_wiring,
    rescaled,
)

WIDTHS = [(2, 3, 2), (1, 2, 3, 2), (2, 2, 2, 2, 1)]


def same(one: Skeleton, other: Skeleton) -> bool:
    """Whether all units have the same edges."""
    names = ("into", "out", "via")
    return all(
        np.array_equal(a, b) for n in names for a, b in zip(getattr(one, n), getattr(other, n), strict=True)
    )


@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("seed", range(3))
def test_values_in_another_basis_follow_from_those_in_one(
    widths: tuple[int, ...], seed: int, degree: int
) -> None:
    """Against the weights, which the change does not touch: from any basis to any other and back, to 1e-12."""
    wiring = random_wiring(widths, seed)
    old, new = random_skeleton(wiring, seed + 10), random_skeleton(wiring, seed + 20)
    weights = random_weights(wiring, seed + 30)
    v, w = (path_values(weights, skeleton, degree) for skeleton in (old, new))
    assert not np.allclose(np.sort(v), np.sort(w))
    np.testing.assert_allclose(change_basis(v, old, new, degree), w, rtol=1e-12)
    np.testing.assert_allclose(change_basis(w, new, old, degree), v, rtol=1e-12)


def by_edge(weights: list[Array], skeleton: Skeleton, degree: int) -> list[Array]:
    """Value of p(e) for every edge e, (n_l, columns_l): p(out(v)), which is no path of its own, is s(v)."""
    return [
        W * context
        for W, context in zip(
            weights_of(path_values(weights, skeleton, degree), skeleton, degree),
            [s[:, None] for s in skeleton_values(weights, skeleton, degree)] + [np.ones((1, 1))],
            strict=True,
        )
    ]


def skeleton_values(weights: list[Array], skeleton: Skeleton, degree: int) -> list[Array]:
    """s(v) = I^h O of every hidden unit, (n_l,), along its skeleton edges one by one."""
    sources, last = skeleton.wiring.sources, len(weights)

    def chain_in(l: int, k: int) -> float:
        if l == 0 or k < 0:
            return 1.0
        into, _, _ = edges_of(skeleton, (l, k))
        return float(weights[l - 1][k, into]) * chain_in(l - 1, int(sources[l - 1][into])) ** degree

    def chain_out(l: int, k: int) -> float:
        if l == last:
            return 1.0
        _, out, via = edges_of(skeleton, (l, k))
        above = chain_in(l + 1, out) ** (degree - 1) if l + 1 < last else 1.0
        return float(weights[l][out, via]) * above * chain_out(l + 1, out)

    return [
        np.array([chain_in(l, k) ** degree * chain_out(l, k) for k in range(n)])
        for l, n in enumerate(skeleton.widths[1:-1], start=1)
    ]


def passes(skeleton: Skeleton, unit: tuple[int, int], upwards: bool) -> list[Array]:
    """Whether a chain of each edge passes a unit: the out-chain of its head, or the in-chain of its tail."""
    wiring, (l, k) = skeleton.wiring, unit
    found = [np.zeros(shape, dtype=bool) for shape in wiring.shapes]
    for m, (rows, columns) in enumerate(wiring.shapes, start=1):
        for row, column in product(range(rows), range(columns)):
            at = (m, row) if upwards else (m - 1, int(wiring.sources[m - 1][column]))
            while 0 < at[0] < len(wiring.shapes) and at[1] >= 0 and at != unit:
                into, out, _ = edges_of(skeleton, at)
                at = (at[0] + 1, out) if upwards else (at[0] - 1, int(wiring.sources[at[0] - 1][into]))
            found[m - 1][row, column] = at == (l, k)
    return found


@pytest.mark.parametrize("which", ["into", "out"])
@pytest.mark.parametrize("seed", range(4))
def test_a_new_edge_multiplies_the_paths_whose_chains_pass_its_unit(seed: int, which: str) -> None:
    """h = 1: by p(e′)/s(v), as the head of `rebasing` says; all others stay. Chains are followed edge by edge."""
    wiring = random_wiring((2, 3, 2, 2), seed)
    weights, old = random_weights(wiring, seed + 10), random_skeleton(wiring, seed + 20)
    before = by_edge(weights, old, 1)
    for l, k in ((1, 0), (1, 2), (2, 1)):
        ends = {name: [e.copy() for e in getattr(old, name)] for name in ("into", "out", "via")}
        if which == "into":
            column = (ends["into"][l - 1][k] + 1) % wiring.shapes[l - 1][1]
            ends["into"][l - 1][k], value = column, before[l - 1][k, column]
        else:
            row = (ends["out"][l - 1][k] + 1) % wiring.widths[l + 1]
            ends["out"][l - 1][k], value = row, before[l][row, ends["via"][l - 1][k]]
        new = Skeleton(wiring.widths, wiring=wiring, **ends)
        factor = value / skeleton_values(weights, old, 1)[l - 1][k]
        touched = passes(old, (l, k), upwards=which == "out")
        assert any(mask.any() for mask in touched) and abs(factor - 1) > 1e-3
        for P, Q, mask in zip(before, by_edge(weights, new, 1), touched, strict=True):
            np.testing.assert_allclose(Q, np.where(mask, factor * P, P), rtol=1e-12)


def test_new_edges_of_a_quadratic_unit() -> None:
    """h = 2 by hand: a_s w_s w_i and a_o w_s² get w_j/w_s and its square for in(v) = j; a_r/a_s for out(v) = r."""
    W, A = random_weights((3, 1, 2), 0)
    old = Skeleton((3, 1, 2), [[0]], [[0]])
    v = path_values([W, A], old, 2)
    ratio = W[0, 1] / W[0, 0]
    other_in = change_basis(v, old, Skeleton((3, 1, 2), [[1]], [[0]]), 2)
    np.testing.assert_allclose(other_in, v * [ratio, ratio, ratio, ratio**2], rtol=1e-13)
    other_out = change_basis(v, old, Skeleton((3, 1, 2), [[0]], [[1]]), 2)
    factor = A[1, 0] / A[0, 0]
    np.testing.assert_allclose(other_out[:3], factor * v[:3], rtol=1e-13)
    np.testing.assert_allclose(other_out[3], A[0, 0] * W[0, 0] ** 2, rtol=1e-13)


def test_units_with_one_output_have_the_same_paths_in_any_basis() -> None:
    """h = 1: every path is a_k w_ki, whichever in-edge a unit is measured by."""
    weights = random_weights((3, 4, 1), 1)
    values = [path_values(weights, random_skeleton((3, 4, 1), seed)) for seed in (2, 3)]
    np.testing.assert_allclose(values[0], values[1], rtol=1e-14)
    np.testing.assert_allclose(values[0], (weights[0] * weights[1].T).ravel(), rtol=1e-14)


def candidates(wiring: Wiring, l: int, k: int) -> list[Edges]:
    """All edges that a unit could be measured by."""
    columns = np.flatnonzero(wiring.sources[l] == k)
    ins, outs = range(wiring.shapes[l - 1][1]), range(wiring.widths[l + 1])
    return [(i, o, int(c)) for i, o, c in product(ins, outs, columns)]


def with_edges(skeleton: Skeleton, unit: tuple[int, int], edges: Edges) -> Skeleton:
    """The skeleton with other edges of one unit."""
    ends = {name: [e.copy() for e in getattr(skeleton, name)] for name in ("into", "out", "via")}
    for name, end in zip(ends, edges, strict=True):
        ends[name][unit[0] - 1][unit[1]] = end
    return Skeleton(skeleton.widths, wiring=skeleton.wiring, **ends)


def strength(weights: list[Array], skeleton: Skeleton, unit: tuple[int, int], degree: int) -> float:
    """|s(v)|."""
    return float(np.abs(skeleton_values(weights, skeleton, degree)[unit[0] - 1][unit[1]]))


@pytest.mark.parametrize(("widths", "degree"), [((2, 2, 2, 2), 1), ((2, 2, 2), 2)])
@pytest.mark.parametrize("seed", range(3))
def test_a_unit_takes_the_strongest_edges_that_it_has_not_tried(
    seed: int, widths: tuple[int, ...], degree: int
) -> None:
    """One after the other until there are none, in the order of |s(v)|, which is computed with each of them.

    With h > 1 in deeper networks the chains of units above grow with that of v, which the order leaves out.
    """
    wiring = random_wiring(widths, seed, most=2)
    weights, start = random_weights(wiring, seed + 10), random_skeleton(wiring, seed + 20)
    for unit in ((1, 1), (len(widths) - 2, 0)):
        everything = candidates(wiring, *unit)
        sizes = [strength(weights, with_edges(start, unit, e), unit, degree) for e in everything]
        tried: list[Edges] = []
        while (found := rebase(weights, start, {unit: tried}, degree)) is not None:
            chosen = edges_of(found, unit)
            assert same(found, with_edges(start, unit, chosen))  # and nobody else changes
            tried.append(chosen)
        assert sorted(tried) == sorted(everything)
        order = [sizes[everything.index(e)] for e in tried]
        np.testing.assert_allclose(order, np.sort(sizes)[::-1], rtol=1e-12)


def test_weights_of_zero_are_no_edges() -> None:
    """A unit with the in-weights (1, 0) and the out-weights (2, 0) has one pair; in an ensemble zeros of all count."""
    W, A = np.array([[1.0, 0.0]]), np.array([[2.0], [0.0]])
    skeleton = Skeleton((2, 1, 2), [[1]], [[1]])
    found = rebase([W, A], skeleton, {(1, 0): []})
    assert found is not None and edges_of(found, (1, 0)) == (0, 0, 0)
    assert rebase([W, A], skeleton, {(1, 0): [(0, 0, 0)]}) is None
    both = np.stack([W, W[:, ::-1]])
    assert rebase([both, np.stack([A, A])], skeleton, {(1, 0): []}) is None


def test_an_ensemble_takes_what_is_strongest_for_all() -> None:
    """By the product of |s| over the members: (4, 2.5) · (0.5, 1) is 2 for the first edge and 2.5 for the second."""
    W = np.array([[[4.0, 2.5]], [[0.5, 1.0]]])
    A = np.ones((2, 1, 1))
    found = rebase([W, A], Skeleton((2, 1, 1), [[0]], [[0]]), {(1, 0): []})
    assert found is not None and edges_of(found, (1, 0)) == (1, 0, 0)


@pytest.mark.parametrize(("widths", "degree"), [((2, 3, 2, 2), 1), ((2, 4, 2), 2)])
@pytest.mark.parametrize("seed", range(4))
def test_no_unit_stays_weaker_than_its_share(seed: int, widths: tuple[int, ...], degree: int) -> None:
    """Against all other edges of each unit; where all are strong enough nothing changes."""
    wiring = random_wiring(widths, seed, most=2)
    weights, start = random_weights(wiring, seed + 10), random_skeleton(wiring, seed + 20)
    units = [(l, k) for l in range(1, len(widths) - 1) for k in range(widths[l])]

    def share(skeleton: Skeleton, unit: tuple[int, int]) -> float:
        best = max(
            strength(weights, with_edges(skeleton, unit, e), unit, degree) for e in candidates(wiring, *unit)
        )
        return strength(weights, skeleton, unit, degree) / best

    assert min(share(start, unit) for unit in units) < 0.4
    found = strengthened(weights, start, 0.6, degree)
    assert min(share(found, unit) for unit in units) >= 0.6
    assert same(strengthened(weights, found, 0.6, degree), found)
    just_below = min(share(start, unit) for unit in units) * (1 - 1e-9)
    assert same(strengthened(weights, start, just_below, degree), start)


def crossing_case(seed: int, degree: int = 1) -> tuple[list[Array], Skeleton, list[Array]]:
    """Weights, a skeleton, and gradients that take the path value of unit 1 of layer 1 across zero in a step of 0.1."""
    wiring = random_wiring((2, 3, 2, 2), seed)
    weights, skeleton = random_weights(wiring, seed + 10), random_skeleton(wiring, seed + 20)
    v = path_values(weights, skeleton, degree)
    delta = 0.1 * np.random.default_rng(seed).normal(size=v.size) * np.abs(v)
    own = np.flatnonzero(np.isclose(v, skeleton_values(weights, skeleton, degree)[0][1], rtol=1e-12))
    delta[own[0]] = 15 * v[own[0]]  # 1 − 0.1 · 15 < 0
    return weights, skeleton, from_paths(weights, skeleton, degree, delta)


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("seed", range(4))
def test_a_step_across_zero_is_taken_in_another_basis(seed: int, degree: int) -> None:
    """v′ ← v′ − η∂L/∂v′ in the basis it says, which is another one; what was given is left alone."""
    weights, skeleton, gradients = crossing_case(seed, degree)
    with pytest.raises(SkeletonCrossing) as caught:
        path_step(weights, gradients, skeleton, 0.1, degree=degree)
    assert (1, 1) in caught.value.units
    copies = [W.copy() for W in weights]
    done = rebased_step(weights, gradients, skeleton, 0.1, degree=degree)
    assert edges_of(done.skeleton, (1, 1)) != edges_of(skeleton, (1, 1))
    units = [(l, k) for l in (1, 2) for k in range(skeleton.widths[l])]
    assert done.changes == sum(edges_of(done.skeleton, u) != edges_of(skeleton, u) for u in units) > 0
    v = path_values(weights, done.skeleton, degree)
    expected = v - 0.1 * path_gradient(weights, gradients, done.skeleton, degree)
    np.testing.assert_allclose(path_values(done.weights, done.skeleton, degree), expected, rtol=1e-9)
    for W, copy in zip(weights, copies, strict=True):
        np.testing.assert_array_equal(W, copy)


@pytest.mark.parametrize("seed", range(4))
def test_rescaled_copies_change_their_bases_alike(seed: int) -> None:
    """Across zero and for strength: the same edges, the same path values after the step (1e-10, of sums of flows)."""
    weights, skeleton, gradients = crossing_case(seed)
    copy = rescaled(weights, seed + 30, 1, skeleton.wiring)
    pushed = [g * W / V for g, W, V in zip(gradients, weights, copy, strict=True)]  # w ∂L/∂w is the same
    for below in (0.0, 0.5):
        one = rebased_step(weights, gradients, skeleton, 0.1, below=below)
        other = rebased_step(copy, pushed, skeleton, 0.1, below=below)
        assert same(one.skeleton, other.skeleton)
        assert one.changes == other.changes > 0
        v, w = (path_values(step.weights, one.skeleton) for step in (one, other))
        np.testing.assert_allclose(w, v, rtol=1e-10)


def test_edges_that_would_cross_as_well_are_passed_over() -> None:
    """Of the paths 3, 2, 1 of a unit the two strongest end at −1, so that it is measured by the third."""
    W, A = np.array([[3.0, 2.0, 1.0]]), np.ones((1, 1))
    skeleton = Skeleton.diagonal((3, 1, 1))
    done = rebased_step([W, A], from_paths([W, A], skeleton, 1, np.array([40.0, 30.0, 0.0])), skeleton, 0.1)
    assert (edges_of(done.skeleton, (1, 0)), done.changes) == ((2, 0, 0), 1)
    np.testing.assert_allclose(path_values(done.weights, done.skeleton), [-1, -1, 1], rtol=1e-13)


def test_one_member_of_an_ensemble_is_enough() -> None:
    """Of two networks that share a skeleton only the second crosses; both step in the new basis, each by itself."""
    weights, skeleton, gradients = crossing_case(0)
    calm = [0.01 * g for g in gradients]
    together = [np.stack(pair) for pair in zip(weights, weights, strict=True)]
    pushed = [np.stack(pair) for pair in zip(calm, gradients, strict=True)]
    with pytest.raises(SkeletonCrossing) as caught:
        path_step(together, pushed, skeleton, 0.1)
    assert caught.value.units == ((1, 1),)
    done = rebased_step(together, pushed, skeleton, 0.1)
    assert edges_of(done.skeleton, (1, 1)) != edges_of(skeleton, (1, 1))
    for member, g in enumerate((calm, gradients)):
        alone = path_step(weights, g, done.skeleton, 0.1)
        for W, V in zip(alone, done.weights, strict=True):
            np.testing.assert_allclose(V[member], W, rtol=1e-12)


def test_a_step_that_crosses_nothing_is_the_ordinary_one() -> None:
    """Bit for bit, in the same basis."""
    weights, skeleton, gradients = crossing_case(0)
    small = 0.1 / 20
    done = rebased_step(weights, gradients, skeleton, small)
    assert done.skeleton is skeleton and done.changes == 0
    for W, V in zip(done.weights, path_step(weights, gradients, skeleton, small), strict=True):
        np.testing.assert_array_equal(W, V)


def test_for_strength_the_basis_changes_before_the_step() -> None:
    """Unit of in-weights (1, 3): |s| is a third of what the second edge gives, below ½ and above ¼."""
    W, A = np.array([[1.0, 3.0]]), np.ones((1, 1))
    skeleton = Skeleton.diagonal((2, 1, 1))
    gradients = from_paths([W, A], skeleton, 1, np.array([0.1, 0.2]))
    done = rebased_step([W, A], gradients, skeleton, 0.1, below=0.5)
    assert (edges_of(done.skeleton, (1, 0)), done.changes) == ((1, 0, 0), 1)
    np.testing.assert_allclose(path_values(done.weights, done.skeleton), [0.99, 2.98], rtol=1e-14)
    assert rebased_step([W, A], gradients, skeleton, 0.1, below=0.25).changes == 0


def test_where_every_basis_ends_the_step_is_refused() -> None:
    """One weight in, one out: there is no other edge. And with others that would cross as well."""
    W, A = np.ones((1, 1)), np.ones((1, 1))
    gradients = np.full((1, 1), 2.0), np.full((1, 1), 2.0)
    with pytest.raises(SkeletonCrossing, match="would pass zero") as caught:
        rebased_step([W, A], gradients, Skeleton.diagonal((1, 1, 1)), 1.0, number=3)
    assert (caught.value.step, caught.value.unit) == (3, (1, 0))
    W, A = np.ones((1, 3)), np.ones((1, 1))
    skeleton = Skeleton.diagonal((3, 1, 1))
    gradients = tuple(from_paths([W, A], skeleton, 1, np.full(3, 2.0)))
    with pytest.raises(SkeletonCrossing, match="would pass zero"):
        rebased_step([W, A], gradients, skeleton, 1.0)


def test_a_step_that_is_not_defined_is_refused() -> None:
    """NaN is no crossing: no basis helps."""
    bad = np.full((1, 2), np.nan), np.full((1, 1), np.nan)
    with pytest.raises(SkeletonCrossing, match="infinite or NaN"):
        rebased_step([np.ones((1, 2)), np.ones((1, 1))], bad, Skeleton.diagonal((2, 1, 1)), 0.1)
