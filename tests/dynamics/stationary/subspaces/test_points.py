"""Points of the network at critical subspaces, against the catalogue where there is one, and the network's own loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dynamics.errors import ProblemError
from dynamics.flows.gradient import GradientFlow
from dynamics.problem import Problem, Student, Teacher
from dynamics.stationary import find_stationary_points, fixed_points
from dynamics.stationary.subspaces.form import FormLoss
from dynamics.stationary.subspaces.morse import COMPLETE
from dynamics.stationary.subspaces.points import NECESSARY, _count, subspaces_gap
from dynamics.stationary.subspaces.search import search_subspaces


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize("hidden", [2, 4])
def test_the_gaussian_catalogue_is_found(under, hidden: int, activation: str) -> None:
    """Levels, learned values and signatures are those counted by theory; only the global minimum of too few units is a
    claim that a search cannot make. (No eigenvalue is zero, and no learned value: those come in families.)
    """
    problem = under([3.0, 1.0, -2.0], hidden=hidden, activation=activation)
    found = find_stationary_points(problem, 60)
    points = {tuple(np.round(p.values, 6)): p for p in found.points if p.student is not None}
    expected = fixed_points(problem).feasible
    assert len(points) == len(expected)
    for point in expected:
        mine = points[tuple(np.round(sorted(point.learned_values, reverse=True), 6))]
        assert mine.loss == pytest.approx(point.loss, rel=1e-10, abs=1e-12)
        assert (mine.index, mine.nullity, mine.positive) == (point.index, point.nullity, point.positive)
        assert mine.needed == point.needed
        if point.kind != "global minimum" or hidden >= 3:
            assert mine.kind == point.kind
        else:
            assert mine.kind == "minimum"


def test_a_fixed_second_layer_has_points_of_its_signs(under) -> None:
    student = Student(np.ones((2, 2)), np.array([0.7, 1.3]), trainable=False)
    problem = replace(under([2.0, -1.0]), student=student)
    found = find_stationary_points(problem, 40)
    feasible = [p for p in found.points if p.student is not None]
    expected = fixed_points(problem).feasible
    assert [p.loss for p in feasible] == pytest.approx([p.loss for p in expected], rel=1e-10)
    assert [(p.index, p.nullity) for p in feasible] == [(p.index, p.nullity) for p in expected]
    assert len(found.points) == 4  # those of a negative unit have no weights
    without = next(p for p in found.points if p.student is None)
    assert without.kind is None and not without.to_dict(problem)["feasible"]


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_points_on_labels_rest(labelled, activation: str) -> None:
    """The velocity of the state at each point vanishes, and the rank of its M is the point's."""
    problem = labelled(3, 3, activation)
    found = find_stationary_points(problem, 100)
    flow = GradientFlow(problem, reduce=False)
    assert len(found.points) > 4 and not problem.teacher.given
    for point in found.points:
        student = point.student
        velocity = flow(0.0, flow.pack(student.W, student.A))
        assert np.abs(velocity).max() < 1e-9
        M = (student.W.T * student.a) @ student.W
        np.testing.assert_allclose(M, point.M, atol=1e-12)
        assert np.linalg.matrix_rank(M, tol=1e-8) == point.rank
        assert point.loss == pytest.approx(problem.population.loss(student.W, student.A), rel=1e-12)
    best = found.points[0]
    data = best.to_dict(problem)
    assert (
        data["modes"] is None
        and data["learned_modes"] == []
        and data["learned_values"] == best.values.tolist()
    )
    assert best.kind == "global minimum" and best.rank == 3 and best.index == 0


def test_the_wrong_mode_traps_one_unit(under) -> None:
    """λ = (2, 1), uniform inputs: both modes are minima of one unit, L_S = .4 (λ_j² + λ_j²/1.8) (derived here)."""
    found = find_stationary_points(under([2.0, 1.0], "uniform", 1), 80)
    minima = [p for p in found.points if p.index == 0]
    assert [p.kind for p in minima] == ["minimum", "spurious minimum"]
    assert [p.loss for p in minima] == pytest.approx([0.4 * (1 + 1 / 1.8), 0.4 * (4 + 4 / 1.8)], rel=1e-10)
    assert abs(minima[1].basis[0, 0]) < 1e-8  # mode 1 alone
    gaussian = find_stationary_points(under([2.0, 1.0], hidden=1), 80)
    assert sum(p.index == 0 for p in gaussian.points) == 1


def test_where_the_hessian_does_not_decide(under) -> None:
    """λ = (2, ¼, −1), a = 1: at {2} λ̃ = ¼ − ¾/3 = 0, a flat direction of a minimum. λ = (2, 1) and the κ at which a
    pair of maxima of L* is born at {1}: there L* has a maximum of fourth order, and the network descends.
    """
    student = Student(np.ones((2, 3)), np.ones(2), trainable=False)
    flat = replace(under([2.0, 0.25, -1.0]), student=student)
    (expected,) = [p for p in fixed_points(flat).points if p.learned_modes == (0,)]
    (mine,) = [p for p in find_stationary_points(flat, 40).points if p.student is not None and p.rank == 1][
        :1
    ]
    assert mine.loss == pytest.approx(expected.loss, rel=1e-9)
    assert (mine.index, mine.nullity, mine.kind) == (expected.index, expected.nullity, "minimum")
    assert expected.degenerate
    birth = under([2.0, 1.0], f"independent:{(13**0.5 - 5) / 2!r}", 1)
    (weak,) = [p for p in find_stationary_points(birth, 40).points if p.rank == 1 and p.values[0] < 2]
    assert (weak.index, weak.nullity, weak.kind) == (0, 2, "degenerate saddle")


def test_json_and_words(under) -> None:
    problem = under([2.0, 1.0], "uniform", 1)
    found = find_stationary_points(problem, 80, seed=2)
    data = found.to_dict()
    assert data["count"] == len(data["fixed_points"]) == 5
    assert data["complete"] is True and data["warnings"] == [NECESSARY]
    assert data["search"]["starts"] == 80 == data["search"]["converged"]
    assert [c["rank"] for c in data["search"]["certificate"]] == [1]
    first = data["fixed_points"][0]
    assert first["modes"][0] == pytest.approx(2 + 1 / 1.8) and first["learned_values"] == pytest.approx(
        first["modes"][:1]
    )
    assert [p["learned_modes"] for p in data["fixed_points"][:2]] == [[0], [1]]
    assert data["fixed_points"][-1]["learned_modes"] == [] and data["fixed_points"][-1]["modes"] == [0, 0]
    assert first["needed"] == {"positive": 1, "negative": 0} and first["rank"] == 1
    text = found.summary()
    assert f"rank 1: {COMPLETE}" in text and text.endswith(NECESSARY)
    few = find_stationary_points(under([4.0, 2.0, 1.0], "uniform", 1), 12)
    assert not few.complete and few.warnings == [few.counts[0].summary()]


def test_what_has_no_critical_subspaces(under, labelled) -> None:
    assert subspaces_gap(under([2.0, 1.0], "uniform")) == ""
    singular = subspaces_gap(under([2.0, 1.0], "rademacher"))
    assert singular.startswith("`distribution` is 'rademacher', under which some forms")
    with pytest.raises(ProblemError, match="vanish for all inputs"):
        find_stationary_points(labelled(4, 2, samples=9))  # ten products of four inputs
    relu = Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(2, 2), "relu")
    assert "`activation` is 'relu'" in subspaces_gap(relu)
    assert "`weight_decay`" in subspaces_gap(under([2.0, 1.0], weight_decay=0.1))


@pytest.mark.parametrize("hidden", [1, 2, 3])
def test_the_starts_of_the_points_add_up(under, hidden: int) -> None:
    """λ = (2, −1.9, 0.3): starts that end where M = 0 (a circle of lines) or at a smaller rank count at that point."""
    found = find_stationary_points(under([2.0, -1.9, 0.3], hidden=hidden), 80)
    assert sum(point.hits for point in found.points) == found.converged
    for rank in range(hidden):
        of_rank = [point for point in found.points if point.rank == rank]
        lower = sum(s.hits for s in found.deficient if np.sum(np.abs(s.values) > 1e-6) == rank)
        larger = (
            found.counts[rank - 1].starts if rank else 0
        )  # all of them converge here, some to smaller rank
        lost = sum(s.hits for s in found.deficient if len(s.values) == rank)
        assert sum(point.hits for point in of_rank) == lower + larger - lost
    (zero,) = [point for point in found.points if point.rank == 0]
    assert zero.hits > 1


def test_what_only_a_larger_dimension_led_to_is_a_point(under) -> None:
    """{0.3} of λ = (2, −1.9, 0.3), sought with r = 2 alone: two planes on which M is of rank 1, and one point."""
    form = FormLoss.of(under([2.0, -1.9, 0.3]))
    planes = [s for s in search_subspaces(form, 2, 200).subspaces if s.deficient]
    (known,) = [p for p in find_stationary_points(under([2.0, -1.9, 0.3]), 80).points if p.rank == 1][-1:]
    points = [replace(known, basis=np.empty((0, 3)), values=np.empty(0), hits=0)]
    for plane in planes:
        _count(points, plane, form.scale)
    assert [point.rank for point in points] == [0, 1] and points[0].hits == 0
    assert points[1].hits == sum(plane.hits for plane in planes) > 2
    np.testing.assert_allclose(points[1].M, known.M, atol=1e-7)


def test_every_critical_subspace_that_is_counted_is_listed(under) -> None:
    """λ = (2, −1.8, −0.2/3): at M = 0 the circle of lines is singular, and marked as what is degenerate."""
    found = find_stationary_points(under([2.0, -1.8, -0.2 / 3], hidden=2), 60)
    data = found.to_dict()
    for count in found.counts:
        alone = sum(point.rank == count.rank for point in found.points)
        lower = [s for s in data["search"]["deficient_subspaces"] if s["dimension"] == count.rank]
        marked = sum(p["degenerate_subspace"] for p in data["fixed_points"] if p["rank"] == count.rank)
        assert alone + len(lower) == len(count.critical)
        assert marked + sum(s["degenerate_subspace"] for s in lower) == count.degenerate
    assert found.counts[0].degenerate == 1
    text = found.summary()
    assert text.count("(degenerate)") == sum(count.degenerate for count in found.counts)
    assert "60 starts for each rank\n" in text and data["search"]["starts_per_rank"] == [60, 60]
    assert all(f"\n{s['loss']:10.6g}  {s['index']:>5}" in text for s in data["search"]["deficient_subspaces"])
    whole = find_stationary_points(under([2.0, -1.9, 0.3], hidden=3), 20).summary()
    assert "20 starts for each rank (one for the whole space)" in whole and ", a family" in whole
