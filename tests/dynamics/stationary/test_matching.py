"""Roots of a search are given the entries of the catalogue with their spectrum of the residual."""

import numpy as np

from dynamics import Student, Teacher, fixed_points
from dynamics.stationary import matching
from dynamics.stationary.matching import (
    Match,
    catalogue_flow,
    match_fixed_points,
    predicted_spectrum,
    search_catalogue,
)
from dynamics.stationary.search import Root, Search


def root(loss, invariants, hits=1):
    return Root(np.zeros(2), loss, np.array(invariants, dtype=float), 0, 1, 2, "saddle", hits)


CATALOGUE = fixed_points(Teacher.from_eigenvalues([2, -1], 3), 2)


def test_spectrum_of_the_residual():
    """λ_j of what is not learned, −T/(r + 2) once for every learned mode, zeros for the other directions."""
    by_modes = {point.learned_modes: point for point in CATALOGUE.points}
    for modes, expected in {
        (): [-1, 0, 2],
        (0,): [-1, 0, 1 / 3],
        (2,): [-2 / 3, 0, 2],
        (0, 2): [0, 0, 0],
    }.items():
        np.testing.assert_allclose(predicted_spectrum(CATALOGUE, by_modes[modes], 3), expected, atol=1e-15)
    np.testing.assert_allclose(predicted_spectrum(CATALOGUE, by_modes[0,], 2), [-1, 1 / 3])
    assert predicted_spectrum(CATALOGUE, by_modes[0,], 5).tolist().count(0) == 3
    centred = fixed_points(Teacher.from_eigenvalues([2, -1]), 2, activation="centred")
    by_modes = {point.learned_modes: point for point in centred.points}
    np.testing.assert_array_equal(predicted_spectrum(centred, by_modes[0,], 2), [-1, 0])


def test_a_search_is_held_against_the_catalogue():
    """Three starts at the origin, two that learned mode 0, one at a level that nobody lists."""
    roots = (root(5.5, [-1, 0, 2], 3), root(4 / 3, [-1, 0, 1 / 3], 2), root(3.0, [-1, 0, 1]))
    match = match_fixed_points(Search(roots, 10, 6, 1.0, 0), CATALOGUE)
    assert [None if p is None else p.learned_modes for p in match.points] == [(), (0,), None]
    assert match.matched == 5
    assert (match.unmatched, match.beyond) == ((roots[2],), ())
    assert match.to_dict() == {
        **{"starts": 10, "converged": 6, "matched": 5, "unmatched": [roots[2].to_dict()], "beyond": 0},
        "roots": [
            r.to_dict() | {"learned_modes": modes} for r, modes in zip(roots, ([], [0], None), strict=True)
        ],
    }
    lower = Match(match.search, match.points, 2.0)
    assert (lower.unmatched, lower.beyond) == ((), (roots[2],))
    assert Match(match.search, match.points, 3.0).unmatched == (roots[2],)
    empty = match_fixed_points(Search((), 10, 0, 1.0, 0), CATALOGUE)
    assert (empty.points, empty.matched, empty.ceiling) == ((), 0, np.inf)
    lowest = fixed_points(Teacher.from_eigenvalues([2, -1], 3), 2, lowest=2)
    ceiling = match_fixed_points(Search(roots, 10, 6, 1.0, 0), lowest).ceiling
    assert 0.999 * lowest.points[-1].loss < ceiling < lowest.points[-1].loss


def test_a_blind_search_ends_on_the_catalogue():
    """Every start that converges is at a root which the catalogue predicts, for the seed and number asked for."""
    match = search_catalogue(CATALOGUE, 20, seed=3)
    assert (match.search.starts, match.search.seed) == (20, 3)
    assert match.matched == match.search.converged > 15
    assert match.unmatched == ()


def test_the_flow_of_a_catalogue(monkeypatch):
    """At the random start of the seed, of size 1; a fixed second layer as it is; reduced if that is too large."""
    flow = catalogue_flow(CATALOGUE, seed=3)
    np.testing.assert_array_equal(flow.unpack(flow.theta0)[0], Student.initialise(2, 3, seed=3, scale=1.0).W)
    fixed = fixed_points(
        Teacher.from_eigenvalues([2, -1], 9), 2, second_layer="fixed", second_layer_value=0.5
    )
    flow = catalogue_flow(fixed)
    assert flow.problem.student.a.tolist() == [0.5, 0.5] and not flow.problem.student.trainable
    for limit, unknowns in ((18, 18), (17, 2 * 4)):  # 2 units and 2 modes span 4 of 9 inputs
        monkeypatch.setattr(matching, "LARGEST_UNREDUCED", limit)
        assert catalogue_flow(fixed).theta0.size == unknowns
