"""Points for all signs of spare units: against catalogues of given signs, and Hessians by automatic differentiation."""

from itertools import product

import numpy as np
import pytest

from dynamics import Teacher
from dynamics.errors import ProblemError
from dynamics.stationary import fixed_points, points_of_all_signs
from dynamics.stationary.matching import search_catalogue


@pytest.mark.parametrize(("lam", "hidden"), [([4, 2, 1], 3), ([2, -1], 3), ([2, 2, -1], 2)])
def test_they_are_those_of_every_sign_alone(lam, hidden):
    """Every one of the 3^K assignments of +, −, 0 to the units, each with a catalogue of its own."""
    teacher = Teacher.from_eigenvalues(lam)
    expected = {
        (p.learned_modes, p.index, p.nullity, p.kind)
        for signs in product("+-0", repeat=hidden)
        for p in fixed_points(teacher, hidden, signs=signs).feasible
    }
    found = points_of_all_signs(fixed_points(teacher, hidden))
    assert len(found) == len(expected)
    assert {(p.learned_modes, p.index, p.nullity, p.kind) for p in found} == expected
    assert set(
        points_of_all_signs(fixed_points(teacher, hidden, signs="+" * 0 + ",".join("+" * hidden)))
    ) == set(found)


def test_a_search_ends_at_them_and_nowhere_else():
    """The index of every root is counted on its numerical Hessian."""
    catalogue = fixed_points(Teacher.from_eigenvalues([3, 1, -2]), hidden=3)
    known = {(p.learned_modes, p.index) for p in points_of_all_signs(catalogue)}
    match = search_catalogue(catalogue, 60, seed=1)
    for root, point in zip(match.search.roots, match.points, strict=True):
        assert point is not None
        assert (point.learned_modes, root.index) in known


def test_their_order():
    """Sets in the order of the catalogue, by loss; of one set the largest index first."""
    catalogue = fixed_points(Teacher.from_eigenvalues([2, 1]), hidden=2)
    found = points_of_all_signs(catalogue)
    assert list(dict.fromkeys(p.learned_modes for p in found)) == [p.learned_modes for p in catalogue.points]
    for modes in {p.learned_modes for p in found}:
        indices = [p.index for p in found if p.learned_modes == modes]
        assert indices == sorted(indices, reverse=True)


@pytest.mark.parametrize("how", [{"second_layer": "fixed"}, {"weight_decay": 0.1}])
def test_signs_that_are_known_stay(how):
    catalogue = fixed_points(Teacher.from_eigenvalues([2, 1]), hidden=2, **how)
    assert points_of_all_signs(catalogue) == catalogue.feasible


def test_too_many_are_refused():
    """(K + 1)(K + 2)/2 numbers of signs for each of the 2^8 sets of eight modes: 341 · 256 … of 40 units 861 · 256."""
    catalogue = fixed_points(Teacher.from_eigenvalues(np.arange(1, 9)), hidden=40)
    with pytest.raises(
        ProblemError, match=r"means 220,416 points, but at most 200,000 are allowed: lower `hidden`"
    ):
        points_of_all_signs(catalogue)
