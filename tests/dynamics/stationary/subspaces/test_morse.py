"""The topology of the Grassmannian, against counting by hand, and what the count can and cannot see."""

from __future__ import annotations

from itertools import combinations
from math import comb

import pytest

from dynamics.stationary.subspaces.morse import (
    COMPLETE,
    UNKNOWN,
    MorseCount,
    betti_numbers,
    euler_characteristic,
    isotropic_lines,
    morse_relations,
)

GRASSMANNIANS = [(r, d) for d in range(1, 8) for r in range(d + 1)]


@pytest.mark.parametrize(("r", "d"), GRASSMANNIANS)
def test_betti_numbers_count_schubert_cells(r: int, d: int) -> None:
    """A cell for every choice of r pivots among d columns, its dimension the free entries left of them."""
    dimensions = [sum(p - n for n, p in enumerate(pivots)) for pivots in combinations(range(d), r)]
    expected = tuple(dimensions.count(i) for i in range(r * (d - r) + 1))
    assert betti_numbers(r, d) == expected
    assert sum(expected) == comb(d, r)
    assert euler_characteristic(r, d) == sum((-1) ** n for n in dimensions)


def count(*indices: int, degenerate: int = 0, rare: int = 0) -> MorseCount:
    return MorseCount(1, 3, tuple((i, (1,)) for i in indices), 0, degenerate, rare, 10)


def test_least_count_closes() -> None:
    least = count(0, 1, 2)
    assert least.closes and least.verdict == COMPLETE and least.reason == ""
    assert count(0, 0, 1, 1, 1, 2, 2).closes  # pairs of neighbouring index may be born


def test_what_cannot_be_all() -> None:
    """One missed, too few, no minimum, and a right alternating sum that still contradicts Morse's inequalities."""
    missed = count(0, 0, 1, 2)
    assert not missed.closes and missed.verdict == UNKNOWN
    assert missed.reason == "the alternating sum of indices is 2, and 1 if none is missing"
    assert count(0, 1).reason == "2 critical subspaces were found, of at least 3"
    assert not count(2, 2, 1).closes
    odd = count(0, 0, 0, 1, 1)
    assert odd.euler == 1 and not odd.closes
    assert odd.reason == "[3, 2, 0] critical subspaces of each index cannot be all"


def test_degenerate_ones_are_not_counted() -> None:
    assert count(0, 1, 2, degenerate=1).reason == "1 of 3 critical subspaces are degenerate"


def test_two_that_are_missed_cancel() -> None:
    """Why the count is no proof: without a pair of neighbouring index it closes all the same."""
    assert count(0, 0, 1, 1, 2).closes and count(0, 1, 2).closes


def test_manifolds_count_with_their_betti_numbers() -> None:
    """In RP²: a minimum, and a circle of maxima (1 + t)t: together 1 + t + t², as for x² + y² on unit (x, y, z)."""
    circle = MorseCount(1, 3, ((0, (1,)), (1, (1, 1))), 1, 0, 0, 10)
    assert circle.found == (1, 1, 1) and circle.complete
    assert circle.to_dict()["families"] == 1


def test_lines_on_which_a_form_vanishes() -> None:
    """Two points, a circle, a sphere, a torus; nothing where it is definite."""
    assert isotropic_lines(1, 1) == (2,)
    assert isotropic_lines(2, 1) == (1, 1)
    assert isotropic_lines(1, 3) == (1, 0, 1)
    assert isotropic_lines(2, 2) == (1, 2, 1)
    assert isotropic_lines(3, 0) == isotropic_lines(0, 2) == ()
    for p, q in ((2, 3), (3, 3), (2, 5)):  # χ of a product of spheres, halved by the free involution
        sphere = [1 + (-1) ** (n - 1) for n in (p, q)]
        euler = sum((-1) ** i * b for i, b in enumerate(isotropic_lines(p, q)))
        assert euler == sphere[0] * sphere[1] // 2


def test_each_must_be_found_twice() -> None:
    rare = count(0, 1, 2, rare=2)
    assert rare.closes and not rare.complete and rare.verdict == UNKNOWN
    assert rare.reason == "the count closes, but 2 of 3 critical subspaces were found from one start alone"
    assert rare.summary() == f"rank 1: {UNKNOWN}: {rare.reason}"
    assert count(0, 1, 2).summary() == f"rank 1: {COMPLETE}"


def test_relations_are_those_of_a_quotient() -> None:
    """Σ(c − b)tⁱ = (1 + t)Q(t): Q = 2t + t² is one, Q = −1 none, and a remainder none."""
    betti = (1, 1, 2, 1, 1)
    assert morse_relations((1, 3, 5, 2, 1), betti)
    assert not morse_relations((0, 0, 2, 1, 1), betti)
    assert not morse_relations((1, 1, 2, 1, 2), betti)


def test_json() -> None:
    data = count(0, 0, 1, 2).to_dict()
    assert data["indices"] == [2, 1, 1] and data["critical_subspaces"] == 4 and data["least"] == 3
    assert (data["euler"], data["euler_expected"], data["closes"]) == (2, 1, False)
    assert data["rank"] == 1 and data["starts"] == 10
    assert (data["complete"], data["verdict"], data["rare"], data["deficient"]) == (False, UNKNOWN, 0, 0)
