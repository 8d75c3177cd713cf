"""The numerical search: against the catalogue, and on flows that have none."""

from itertools import combinations

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.stationary import catalogue_flow, fixed_points, match_fixed_points, search_fixed_points
from dynamics.words import counted

F = np.random.default_rng(3).standard_normal((3, 3))
PROBLEMS = [
    ([4, 2, 1], 3, {}),
    ([4, 2, 1], 2, {}),
    ([2, -1, 0.4], 3, {}),
    ([2, -1.9], 1, {}),
    ([2, 2, -1], 3, {}),  # repeated: families of stationary points
    ([2, 0.5, 0], 3, {"activation": "centred"}),
    ([2, -1, 0.4], 2, {"covariance": F @ F.T / 3 + 0.3 * np.eye(3)}),
    ([4, 2, 1], 3, {"second_layer": "fixed", "second_layer_value": 0.5}),
    ([1.5, 1, -0.7], 3, {"second_layer": "fixed"}),
]


@pytest.fixture(scope="module")
def searches():
    """170 starts for each of nine problems, some rotated."""
    results = []
    for number, (lam, hidden, options) in enumerate(PROBLEMS):
        d = len(lam)
        Q = (
            np.linalg.qr(np.random.default_rng(number).standard_normal((d, d)))[0]
            if number % 2
            else np.eye(d)
        )
        catalogue = fixed_points(Teacher.from_matrix((Q * lam) @ Q.T), hidden, **options)
        search = search_fixed_points(catalogue_flow(catalogue), 170, seed=number)
        results.append((catalogue, search, match_fixed_points(search, catalogue)))
    return results


def test_a_thousand_roots_all_lie_on_predicted_levels(searches):
    """Independent of the catalogue: the search sees ∇L and H only. Losses agree to 1e-9 of the scale."""
    converged = sum(search.converged for _, search, _ in searches)
    assert converged >= 1000
    assert converged >= 0.95 * sum(search.starts for _, search, _ in searches)
    for catalogue, search, match in searches:
        assert match.unmatched == ()
        assert match.matched == search.converged == sum(root.hits for root in search.roots)
        for root, point in zip(search.roots, match.points, strict=True):
            assert root.loss == pytest.approx(point.loss, abs=1e-9 * catalogue.spectrum.scale**2)


def test_signatures_of_roots_without_vanishing_a_are_the_counted_ones(searches):
    """The catalogue for the signs that a root happens to have must give its numerical signature and its kind."""
    compared = 0
    for catalogue, search, match in searches:
        flow = catalogue_flow(catalogue)
        for root, point in zip(search.roots, match.points, strict=True):
            _, A = flow.unpack(root.theta)
            # Units near a = 0 are silent, at the origin, or can change sign; equal spectra differ by vanishing μ.
            if np.abs(A).min() < 1e-2 or any(abs(mu) < 1e-9 for mu in point.learned_values):
                continue
            signs = None if not catalogue.trainable else np.sign(A[0]).astype(int).tolist()
            values = {} if catalogue.trainable else {"second_layer": "fixed", "second_layer_value": A[0, 0]}
            same = fixed_points(
                catalogue.teacher,
                catalogue.hidden,
                signs=signs,
                activation=catalogue.activation,
                covariance=catalogue.covariance,
                **values,
            )
            expected = same.point(point.learned_modes)
            if expected.degenerate:
                continue  # units may have spread into modes with λ̃_j = 0
            assert (root.index, root.nullity, root.positive) == (
                expected.index,
                expected.nullity,
                expected.positive,
            )
            kind = expected.kind if expected.loss < 1e-9 or expected.index else "minimum"
            assert root.kind == kind
            compared += 1
    assert compared > 50


def test_roots_with_vanishing_a_are_never_minima(searches):
    """Theorem of `dynamics.stationary.hessian`; here descents from nearby decide."""
    seen = 0
    for catalogue, search, _ in searches:
        if not catalogue.trainable:
            continue
        flow = catalogue_flow(catalogue)
        for root in search.roots:
            if root.loss > 1e-6 and np.abs(flow.unpack(root.theta)[1]).min() < 1e-6:
                assert root.kind in ("saddle", "degenerate saddle")
                seen += 1
    assert seen > 20


@pytest.mark.parametrize(("lam", "hidden"), [([4, 2, 1], 3), ([2, 0.9, -1.2], 3)])
def test_every_feasible_point_of_a_three_dimensional_teacher_is_found(lam, hidden):
    catalogue = fixed_points(Teacher.from_eigenvalues(lam), hidden)
    search = search_fixed_points(catalogue_flow(catalogue), 500, seed=1)
    match = match_fixed_points(search, catalogue)
    assert len(catalogue.feasible) == 8
    assert {point.learned_modes for point in match.points} == {
        point.learned_modes for point in catalogue.feasible
    }


def test_matching_can_fail():
    """Roots of one problem against the catalogue of another."""
    catalogue = fixed_points(Teacher.from_eigenvalues([4, 2, 1]), 2)
    other = fixed_points(Teacher.from_eigenvalues([4.4, 2.2, 1.1]), 2)
    match = match_fixed_points(search_fixed_points(catalogue_flow(catalogue), 40), other)
    assert match.matched == 0
    assert len(match.unmatched) == len(match.search.roots) > 2
    assert match.to_dict()["unmatched"][0].keys() >= {"loss", "index", "nullity", "kind"}


def test_roots_above_a_list_of_the_lowest_are_not_unexplained():
    full = fixed_points(Teacher.from_eigenvalues([4, 2, 1]), 3)
    lowest = fixed_points(Teacher.from_eigenvalues([4, 2, 1]), 3, lowest=3)
    search = search_fixed_points(catalogue_flow(full), 80)
    match = match_fixed_points(search, lowest)
    assert match.unmatched == ()
    assert {round(root.loss, 6) for root in match.beyond} == {
        round(r.loss, 6) for r in search.roots if r.loss > 6
    }
    assert match.matched == sum(root.hits for root in search.roots if root.loss < 6) > 0


def test_large_inputs_run_in_the_span_reduction():
    """d = 120 with three units is searched in six dimensions; levels are those of the full problem."""
    catalogue = fixed_points(Teacher.from_eigenvalues([3, 1.5, -1], inputs=120), 3)
    flow = catalogue_flow(catalogue)
    assert flow.reduction.dimension == 6
    match = match_fixed_points(search_fixed_points(flow, 60), catalogue)
    assert match.unmatched == ()
    assert match.matched > 50


def test_searches_are_reproducible():
    flow = catalogue_flow(fixed_points(Teacher.from_eigenvalues([2, 1]), 2))
    first, second = (search_fixed_points(flow, 20, seed=5) for _ in range(2))
    assert [root.to_dict() for root in first.roots] == [root.to_dict() for root in second.roots]
    other = search_fixed_points(flow, 20, seed=6)
    assert [root.hits for root in other.roots] != [root.hits for root in first.roots]
    lines = first.summary().splitlines()
    assert lines[0] == f"{first.converged} of 20 starts converged, to {len(first.roots)} different roots"
    assert len(lines) == 1 + len(first.roots)
    for line, root in zip(lines[1:], first.roots, strict=True):
        assert float(line.split()[0]) == pytest.approx(root.loss, rel=1e-5)
        assert line.endswith(
            f"index {root.index}, nullity {root.nullity}: {root.kind} ({counted(root.hits, 'start')})"
        )
    assert repr(first) == f"Search({len(first.roots)} roots, converged={first.converged} of 20)"


class LinearNetwork:
    """L = ½‖UV − A‖² for a two-layer linear network, h units: a flow that the project has no catalogue for.

    Its stationary levels are known [Baldi & Hornik, Neural Networks 2 (1989) 53–58]: ½ Σ_{i∉S} s_i² with S any
    set of at most h singular values of A; only the h largest give minima, all others are saddles.
    """

    def __init__(self, A, h):
        self.A, self.h = A, h
        self.theta0 = np.zeros(h * sum(A.shape))

    def split(self, theta):
        n, m = self.A.shape
        return theta[: n * self.h].reshape(n, self.h), theta[n * self.h :].reshape(self.h, m)

    def loss(self, theta):
        U, V = self.split(theta)
        return float(np.sum((U @ V - self.A) ** 2) / 2)

    def __call__(self, t, theta):
        U, V = self.split(theta)
        R = U @ V - self.A
        return -np.concatenate([(R @ V.T).ravel(), (U.T @ R).ravel()])

    def jacobian(self, t, theta):
        # the gradient is cubic: central differences with a step of 1e-4 err by 1e-8 at worst, exactly symmetrised
        step = 1e-4
        J = np.array([self(t, theta + step * e) - self(t, theta - step * e) for e in np.eye(theta.size)]) / (
            2 * step
        )
        return (J + J.T) / 2


def test_a_flow_without_a_catalogue():
    s, h = np.array([3.0, 2.0, 1.0]), 2
    rng = np.random.default_rng(0)
    U, V = (np.linalg.qr(rng.standard_normal((n, 3)))[0] for n in (3, 4))
    search = search_fixed_points(LinearNetwork((U * s) @ V.T, h), 150)
    known = {
        round(float(np.sum(np.delete(s, S) ** 2) / 2), 6)
        for r in range(h + 1)
        for S in combinations(range(3), r)
    }
    found = {round(root.loss, 6) for root in search.roots}
    assert search.converged > 120
    assert found == known
    for root in search.roots:
        assert (root.kind == "minimum") == (abs(root.loss - 0.5) < 1e-6)
        assert (root.index == 0) == (root.kind == "minimum")


class DoubleWell:
    """θ ∈ R: L = (θ² − 1)²."""

    theta0 = np.zeros(1)

    def __call__(self, t, theta):
        return -4 * theta * (theta**2 - 1)

    def jacobian(self, t, theta):
        return -np.diag(12 * theta**2 - 4)

    def loss(self, theta):
        return float((theta[0] ** 2 - 1) ** 2)


def test_invariants_can_be_supplied():
    """Told apart by θ the two minima are two roots, by the loss they are one."""
    by_loss = search_fixed_points(DoubleWell(), 60)
    by_sign = search_fixed_points(DoubleWell(), 60, invariants=lambda theta: np.append(theta, 1.0))
    assert [round(root.loss, 9) for root in by_loss.roots] == [0, 1]
    assert sorted(round(float(root.theta[0]), 6) for root in by_sign.roots) == [-1, 0, 1]
    assert [root.kind for root in by_loss.roots] == ["global minimum", "saddle"]


@pytest.mark.parametrize(("at_zero", "scale"), [(0.0, 1.0), (-1000.0, 1000.0)])
def test_roots_differ_relative_to_the_invariants_at_zero(at_zero, scale):
    """The same well, told apart by s sign θ, 2s above or below 10⁻⁶ of the largest |invariant| at zero, or of 1."""
    for s, apart in ((0.75e-6 * scale, True), (0.4e-6 * scale, False)):
        search = search_fixed_points(
            DoubleWell(), 60, invariants=lambda theta, s=s: np.append(s * np.sign(theta.round(6)), at_zero)
        )
        assert sum(root.kind == "global minimum" for root in search.roots) == 1 + apart


def test_spurious_and_degenerate_points_are_told_apart():
    """λ = (2, −1.9), one unit: minima at two levels, and the origin, whose Hessian vanishes."""
    catalogue = fixed_points(Teacher.from_eigenvalues([2, -1.9]), 1)
    flow = GradientFlow(Problem(catalogue.teacher, Student([[1.0, 1.0]], [1.0])))
    search = search_fixed_points(flow, 80)
    kinds = {(round(root.loss, 4), root.kind) for root in search.roots}
    assert {(4.8133, "minimum"), (5.3333, "minimum"), (7.615, "degenerate saddle")} <= kinds
    assert not {(4.8133, "degenerate saddle"), (5.3333, "degenerate saddle"), (7.615, "minimum")} & kinds
