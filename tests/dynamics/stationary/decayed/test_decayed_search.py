"""Blind searches under weight decay: whatever they find is in the catalogue, with its signature."""

import numpy as np
import pytest

from dynamics import Problem, Student, Teacher
from dynamics.stationary import fixed_points
from dynamics.stationary.matching import catalogue_flow, match_fixed_points, search_catalogue
from dynamics.stationary.search import search_fixed_points


def blind(number, seed, random_problem, starts=25):
    """Search random problems until that many starts have converged; every root has an entry, most of them its index."""
    rng = np.random.default_rng(seed)
    converged = roots = agree = frames = 0
    while converged < number:
        problem = random_problem(rng, bool(rng.random() < 0.8))
        catalogue = fixed_points(problem)
        match = search_catalogue(catalogue, starts, seed=int(rng.integers(1000)))
        assert match.unmatched == (), (problem, match.unmatched)
        converged += match.search.converged
        for root, point in zip(match.search.roots, match.points, strict=True):
            assert root.objective == pytest.approx(point.objective, rel=1e-8, abs=1e-8)
            frames += point.frame
            roots += 1
            agree += (root.index, root.nullity) == (point.index, point.nullity)
    return converged, roots, agree, frames


def test_blind_searches_find_nothing_else(random_problem):
    _, roots, agree, _ = blind(80, 0, random_problem)
    # Where units are tiny, on lower roots, eigenvalues are as small as the search takes for zero.
    assert agree > 0.8 * roots


@pytest.mark.slow
def test_many_blind_searches_find_nothing_else(random_problem):
    converged, roots, agree, frames = blind(1500, 1, random_problem)
    assert converged >= 1000
    assert frames > 3
    assert agree > 0.8 * roots


def test_kinds_of_roots():
    """λ = (2, −1.9), two units: minima by the Hessian, the objective as their height, losses of the catalogue."""
    catalogue = fixed_points(Teacher.from_eigenvalues([2, -1.9]), 2, weight_decay=0.1)
    match = search_catalogue(catalogue, 100, seed=1)
    assert match.matched == match.search.converged > 90
    heights = [root.height for root in match.search.roots]
    assert heights == sorted(heights) == [root.objective for root in match.search.roots]
    for root, point in zip(match.search.roots, match.points, strict=True):
        assert (root.kind == "minimum") == ("minimum" in point.kind)
        assert root.loss == pytest.approx(point.loss, abs=1e-9)
        assert root.to_dict()["objective"] == root.objective >= root.loss


def test_tiny_learned_values_are_told_from_none():
    """ρ = 0.01: units on lower roots learn 1e-9, which only the closest entry tells from the state without them."""
    catalogue = fixed_points(Teacher.from_eigenvalues([1.0]), 1, weight_decay=0.01)
    lower = next(p for p in catalogue.points if p.branch == ("lower",))
    assert 0 < lower.learned_values[0] < 1e-7
    flow = catalogue_flow(catalogue)
    search = search_fixed_points(flow, 60, seed=0)
    points = match_fixed_points(search, catalogue).points
    assert {p.branch for p in points} == {(), ("lower",), ("upper",)}


def test_lowest_points_and_roots_beyond_them():
    catalogue = fixed_points(Teacher.from_eigenvalues([2, 1]), 2, weight_decay=0.1, lowest=3)
    assert not catalogue.complete
    match = search_catalogue(catalogue, 60, seed=0)
    assert match.unmatched == ()
    assert all(root.objective > catalogue.points[-1].objective for root in match.beyond)
    assert len(match.beyond) > 2


def test_search_where_no_catalogue_is_known():
    """A covariance beside decay, and decay of one layer: the numerical search follows the objective."""
    from dynamics.stationary.numerical import numerical_points

    student = Student(np.zeros((2, 2)), np.zeros(2))
    problem = Problem(
        Teacher.from_eigenvalues([2, 1]), student, covariance=np.diag([1.0, 2.0]), weight_decay=0.1
    )
    result = numerical_points(problem, 40)
    assert result["search"]["converged"] > 30
    assert all(point["objective"] >= point["loss"] for point in result["fixed_points"])
    assert "minimum" in {point["kind"] for point in result["fixed_points"]}
