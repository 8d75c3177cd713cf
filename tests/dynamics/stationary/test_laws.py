"""The catalogue under other laws of the inputs: laws that rotations leave alone, and independent coordinates."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from dynamics.errors import ProblemError
from dynamics.flows.gradient import GradientFlow
from dynamics.inputs.data_set import DataSet
from dynamics.problem import Problem, Student, Teacher
from dynamics.problem.aligned_loss import AlignedLoss, aligned_loss
from dynamics.stationary import Catalogue, certify, fixed_points, search_catalogue
from dynamics.stationary.connections import saddle_graph
from dynamics.stationary.subspaces.axes import entries
from dynamics.stationary.subspaces.points import FoundPoint

LAMBDA = Teacher.from_eigenvalues([4, 2, 1])


def numerical_signature(problem: Problem) -> tuple[int, int, int]:
    """Index, nullity, positive; zeros are rounding errors, below some 1e-14 of the largest curvature."""
    flow = GradientFlow(problem, reduce=False)
    h = np.linalg.eigvalsh(flow.hessian(flow.theta0))
    zero = 1e-11 * np.abs(h).max()
    return int(np.sum(h < -zero)), int(np.sum(np.abs(h) <= zero)), int(np.sum(h > zero))


def random_catalogue(rng: np.random.Generator, independent: bool) -> Catalogue:
    """Eigenvalues of both signs, repeated ones and zeros; fixed second layers; spare units of either sign."""
    d, K = int(rng.integers(2, 5)), int(rng.integers(1, 6))
    lam = rng.standard_normal(d) * 2
    if rng.random() < 0.3:
        lam = rng.integers(-1, 3, d).astype(float)
        lam[0] = lam[0] or 1.0
    activation = str(rng.choice(["quadratic", "centred"]))
    how: dict = {"activation": activation}
    if rng.random() < 0.3:
        how |= {"second_layer": "fixed", "second_layer_value": float(rng.choice([1, -0.5]))}
    elif rng.random() < 0.7:
        how["signs"] = rng.choice([1, -1, 0], K, p=[0.45, 0.45, 0.1]).tolist()
    if independent:
        law = f"independent:{rng.uniform(-1.8, 6)!r}"
        return fixed_points(Teacher.from_matrix(np.diag(lam)), K, distribution=law, **how)
    Q = np.linalg.qr(rng.standard_normal((d, d)))[0]
    F = rng.standard_normal((d, d))
    law = "student-t:6" if activation == "centred" else str(rng.choice(["sphere", "student-t:6"]))
    if rng.random() < 0.5:
        how["covariance"] = F @ F.T / d + 0.3 * np.eye(d)
    return fixed_points(Teacher.from_matrix((Q * lam) @ Q.T), K, distribution=law, **how)


def at_point(catalogue: Catalogue, student: Student) -> Problem:
    """The problem with a state at one of its points."""
    parts = catalogue.teacher, student, catalogue.activation, catalogue.covariance
    return Problem(*parts, distribution=catalogue.distribution)


@pytest.mark.parametrize("independent", [True, False])
def test_signatures_of_random_points(independent: bool) -> None:
    """Loss, gradient and dense Hessian at 330 (110) random states, unbalanced, units redundant, dead and at the origin.

    The formula μ_i/λ̃_j ≥ 1 + κ/2 is derived in `dynamics.stationary.hessian`, the Hessian in `FormPopulation`.
    """
    rng, compared = np.random.default_rng(5), 0
    while compared < (330 if independent else 110):
        catalogue = random_catalogue(rng, independent)
        for i in rng.permutation(len(catalogue.feasible))[:5]:
            point = catalogue.feasible[i]
            seed = int(rng.integers(2**31)) if rng.random() < 0.8 else None
            problem = at_point(catalogue, catalogue.representative(point, seed=seed))
            flow = GradientFlow(problem, reduce=False)
            size = max(catalogue.spectrum.scale, 1) ** 2 * max(catalogue.landscape.unit(1), 1)
            assert np.abs(flow(0, flow.theta0)).max() < 1e-9 * size
            assert abs(flow.loss(flow.theta0) - point.loss) < 1e-11 * size
            counted = (point.index, point.nullity, point.positive)
            assert numerical_signature(problem) == counted, (catalogue, point)
            compared += 1


def test_signatures_on_all_inputs_there_are() -> None:
    """κ = 1: coordinates 0 (six of eight) and ±2 (one each), enumerated as a data set: no formula of moments."""
    values = np.array([0, 0, 0, 0, 0, 0, 2, -2], dtype=float)
    X = np.array(list(product(values, repeat=2)))
    catalogue = fixed_points(Teacher.from_eigenvalues([2, 1]), 3, distribution="independent:1", signs="+,+,-")
    for point in catalogue.feasible:
        student = catalogue.representative(point, seed=3)
        problem = Problem(catalogue.teacher, student, data=DataSet(X, np.zeros(len(X))))
        assert problem.population.loss(student.W, student.A) == pytest.approx(point.loss, abs=1e-12)
        assert numerical_signature(problem) == (point.index, point.nullity, point.positive)


def test_levels_of_excess_one() -> None:
    """L_S = 1.5 [Σ λ_j² + T²/(r + 3)] for λ = (4, 2, 1): 56, 10.875, 1.8 and 0 as modes are learned in turn."""
    catalogue = fixed_points(LAMBDA, 3, distribution="independent:1")
    losses = [catalogue.point(range(r)).loss for r in range(4)]
    assert losses == pytest.approx([56, 10.875, 1.8, 0], abs=1e-12)
    assert catalogue.point([0]).learned_values == pytest.approx([4 + 3 / 4])


@pytest.mark.parametrize(("law", "gamma"), [("sphere", 3 / 5), ("student-t:12", 10 / 8)])
def test_rotation_invariant_laws_only_scale_the_loss(law: str, gamma: float) -> None:
    """The Gaussian catalogue, losses γ times as large: γ = d/(d + 2), (ν − 2)/(ν − 4)."""
    found, gaussian = fixed_points(LAMBDA, 2, distribution=law), fixed_points(LAMBDA, 2)
    assert [p.loss for p in found.points] == pytest.approx([gamma * p.loss for p in gaussian.points])
    for name in ("learned_modes", "learned_values", "index", "nullity", "kind", "trapping", "reason"):
        assert [getattr(p, name) for p in found.points] == [getattr(p, name) for p in gaussian.points]
    assert found.off_axis == "" and found.to_dict()["complete"] is True
    assert f"distribution={law}" in repr(found)


def test_rates_of_a_graph_follow_the_clock() -> None:
    found, gaussian = (
        saddle_graph(fixed_points(LAMBDA, 2, distribution=law)) for law in ("sphere", "gaussian")
    )
    assert [(e.source, e.target) for e in found.edges] == [(e.source, e.target) for e in gaussian.edges]
    rates = [e.growth_rate for e in gaussian.edges]
    assert [e.growth_rate for e in found.edges] == pytest.approx([0.6 * rate for rate in rates])


def test_equal_eigenvalues_are_points_not_families() -> None:
    """λ = (2, 2, 1): rotations are no symmetry, so {0} stands for two isolated points, and holds its unit or not."""
    catalogue = fixed_points(Teacher.from_eigenvalues([2, 2, 1]), 1, distribution="independent:1")
    point = catalogue.point([0])
    assert (point.multiplicity, point.family_dimension) == (2, 0)
    assert fixed_points(Teacher.from_eigenvalues([2, 2, 1]), 1).point([0]).family_dimension == 1
    for axis in (
        0,
        1,
    ):  # μ/λ̃ = 1 < 1.5 for the other of the two: a saddle, with four parameters and one null direction
        mu = point.learned_values[0]
        a = np.cbrt(mu / 2)
        W = np.zeros((1, 3))
        W[0, axis] = np.sqrt(mu / a)
        assert numerical_signature(at_point(catalogue, Student(W, np.array([a])))) == (1, 1, 2)
    assert (point.index, point.nullity, point.positive, point.manifold_dimension) == (1, 1, 2, 1)
    assert "have passed" in catalogue.off_axis


def test_the_wrong_mode_trap() -> None:
    """λ = (2, 1), uniform: threshold .4, and μ_1/λ̃_0 = (1 + 2/1.8)/(2 + 2/1.8) = .679, so mode 1 holds the one unit."""
    catalogue = fixed_points(Teacher.from_eigenvalues([2, 1]), 1, distribution="uniform")
    right, wrong = catalogue.point([0]), catalogue.point([1])
    assert (right.kind, right.index) == ("minimum", 0) and right.loss == pytest.approx(0.6222222222)
    assert (wrong.kind, wrong.index) == ("spurious minimum", 0) and wrong.loss == pytest.approx(2.4888888889)
    assert "held by learned modes with μ_i/λ̃_j ≥ 0.4" in wrong.reason
    assert fixed_points(Teacher.from_eigenvalues([2, 1]), 1).point([1]).index == 1
    both = fixed_points(Teacher.from_eigenvalues([2, 1]), 1, distribution="uniform", minima=True)
    assert [p.learned_modes for p in both.points] == [(0,), (1,)]


def test_what_is_said_of_points_off_the_axes() -> None:
    """λ = (2, 1): μ_0/λ̃_1 = (2κ + 7)/(κ + 4) passes 1 + κ/2 at κ = √7 − 1 (derived here)."""
    two = Teacher.from_eigenvalues([2, 1])
    before, after = (fixed_points(two, 2, distribution=f"independent:{7**0.5 - 1 + s}") for s in (-0.1, 0.1))
    assert "no ratio μ_i/λ̃_j has passed 1 + κ/2 = 1.773" in before.off_axis
    assert "have passed 1 + κ/2 = 1.873" in after.off_axis
    assert after.to_dict()["warnings"] == [after.off_axis] and after.summary().endswith(after.off_axis)
    assert not before.to_dict()["complete"]
    assert fixed_points(Teacher.from_eigenvalues([2]), 2, distribution="uniform").off_axis == ""
    with pytest.raises(ProblemError, match="just born"):
        fixed_points(two, 2, distribution=f"independent:{7**0.5 - 1!r}")


@pytest.mark.parametrize("order", [[4, 2, 1], [1, 4, 2]])
def test_a_search_finds_the_axes_and_what_lies_off_them(order: list[float]) -> None:
    """κ = 3: every point of the catalogue with its signature, and eight points off the axes in three ranks."""
    catalogue = fixed_points(Teacher.from_matrix(np.diag(order)), 3, distribution="independent:3")
    match = search_catalogue(catalogue, 200)
    matched = {p.learned_modes: r for r, p in zip(match.search.roots, match.points, strict=True) if p}
    assert matched.keys() == {p.learned_modes for p in catalogue.points}
    for point in catalogue.points:
        root = matched[point.learned_modes]
        assert (root.index, root.nullity, root.positive) == (point.index, point.nullity, point.positive)
        assert root.loss == pytest.approx(point.loss, rel=1e-9, abs=1e-12) and root.kind == point.kind
    assert len(match.unmatched) == 8 and not match.beyond
    assert match.matched + sum(r.hits for r in match.unmatched) == match.search.converged
    data = match.to_dict()
    assert [c["critical_subspaces"] for c in data["certificate"]] == [7, 7, 1]
    assert all(c["complete"] for c in data["certificate"])
    assert data["starts"] == 401 and len(data["unmatched"]) == 8


def test_only_points_on_the_axes_have_entries() -> None:
    """The eigenvalues of an entry on its axes, turned in their plane, turned out of it; and others on the axes."""
    catalogue = fixed_points(LAMBDA, 2, distribution="uniform")
    known = catalogue.point([0, 1])
    mu, axes = np.array(known.learned_values), np.eye(3)[:2]
    inside, outside = axes.copy(), axes.copy()
    inside[:, :2] = [[0.6, 0.8], [-0.8, 0.6]]
    outside[1] = [0, 0.6, 0.8]
    cases = ((axes, mu), (inside, mu), (outside, mu), (axes, 2 * mu))
    points = [FoundPoint(basis, values, 0.0, 1, (2, 0)) for basis, values in cases]
    assert entries(catalogue, points) == (known, None, None, None)


def test_kinds_on_the_axes_do_not_hide_what_is_lower() -> None:
    """κ = 3, one unit: off the axes L = 14.889, so {0} with 16.25 is no minimum at all."""
    catalogue = fixed_points(LAMBDA, 1, distribution="independent:3")
    assert catalogue.point([0]).kind == "saddle"
    match = search_catalogue(catalogue, 100)
    assert {r.kind for r in match.unmatched if r.index == 0} == {"minimum"}


def test_aligned_losses() -> None:
    """The table of `dynamics.problem.aligned_loss`, and its levels against the loss of aligned weights."""
    for law, activation, expected in (
        ("gaussian", "quadratic", (1, 1, 1)),
        ("gaussian", "centred", (1, 0, 1)),
        ("student-t:12", "centred", (1.25, 0.2, 1)),
        ("independent:2", "quadratic", (2, 0.5, 2)),
        ("independent:2", "centred", (2, 0, 2)),
    ):
        problem = Problem(LAMBDA, Student.initialise(3, 3), activation, distribution=law)
        aligned = aligned_loss(problem.activation, problem.law)
        assert aligned is not None
        assert (aligned.scale, aligned.coupling, aligned.ratio) == pytest.approx(expected)
        level = aligned.level([4, 2, 1], [0, 2])
        W = np.zeros((2, 3))
        W[0, 0], W[1, 2] = np.sqrt(level.values)
        assert problem.population.loss(W, np.ones((1, 2))) == pytest.approx(level.loss, rel=1e-12)
    assert AlignedLoss(1, 1, 1).isotropic and not AlignedLoss(1, 1, 0.5).isotropic
    mixed = Problem(LAMBDA, Student.initialise(3, 3), "relu")
    assert aligned_loss(mixed.activation, mixed.law) is None


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"distribution": "rademacher"}, "some forms vanish for all inputs"),
        ({"distribution": "sphere", "activation": "centred"}, "some forms vanish for all inputs"),
        ({"distribution": "uniform", "weight_decay": 0.1}, "Gaussian inputs where weights decay"),
        ({"distribution": "student-t:4"}, "NU above twice the degree"),
        ({"distribution": "uniform", "covariance": np.diag([1, 2, 3])}, "`covariance` is given"),
    ],
)
def test_what_has_no_catalogue(how: dict, message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        fixed_points(LAMBDA, 2, **how)


def test_what_needs_more_than_the_axes() -> None:
    turned = Teacher.from_matrix(np.array([[2.0, 0.5], [0.5, 1.0]]))
    with pytest.raises(ProblemError, match="`teacher` is not diagonal"):
        fixed_points(turned, 2, distribution="uniform")
    uniform = fixed_points(LAMBDA, 2, distribution="uniform")
    with pytest.raises(
        ProblemError, match="connections are known only where all stationary points are listed"
    ):
        saddle_graph(uniform)
    with pytest.raises(ProblemError, match="proven only for Gaussian inputs"):
        certify(uniform)
