"""Descriptions of stationary points: kind, signs that trap, and the reason in words, for teachers done by hand."""

import pytest

from dynamics import Teacher, fixed_points
from dynamics.problem.mode_numbers import mode_set, set_name
from dynamics.stationary.points import FixedPoint
from dynamics.stationary.survey import count_units

SADDLE = "Descends along unlearned modes {}: units of their sign are free, or held by weaker modes only."
DEGENERATE = (
    "The Hessian has no descent direction, but the loss descends at third order: a unit with a = 0 can take the sign "
    "that it needs."
)
FLAT = "The Hessian is flat along modes {}, where λ_j + T/(r+2) = 0"


def points(eigenvalues, hidden, **options):
    found = fixed_points(Teacher.from_eigenvalues(eigenvalues), hidden, **options).points
    return {point.learned_modes: point for point in found}


def test_reasons_of_minima():
    """λ = (3, 2, −1), centred units (no trace). One unit of each sign holds modes 0 and 2: L = 4; two positive ones
    can hold 0 and 1: L = 1. Mode 1 has no unit left, since the positive one holds a stronger mode.
    """
    held = points([3, 2, -1], 2, signs="+,-", activation="centred")[0, 2]
    assert (held.loss, held.kind, held.signs, held.trapping) == (4, "spurious minimum", (1, -1), (1, 1))
    assert held.reason == (
        "Modes {1} can only be learned by a unit with positive a, but all 1 are held by learned modes at least as "
        "strong."
    )
    best = points([3, 2, -1], 2, activation="centred")[0, 1]
    assert (best.loss, best.kind, best.trapping) == (1, "global minimum", None)
    assert best.reason == "No student with this many hidden units has a smaller loss."
    alone = points([3, -1], 2, signs="+,+")[0,]
    assert (alone.kind, alone.trapping) == ("spurious minimum", (2, 0))
    assert alone.reason == "Modes {1} can only be learned by a unit with negative a, but there is none."
    negative = points([1, -3], 2, signs="-,-")[1,]
    assert (negative.kind, negative.trapping) == ("spurious minimum", (0, 2))
    assert negative.reason == "Modes {0} can only be learned by a unit with positive a, but there is none."
    both = points([3, 2, -1, -2], 2, second_layer="fixed")
    assert (
        both[0, 1].reason
        == "No student with this many hidden units and this second layer has a smaller loss."
    )
    assert points([2, 1], 2)[0, 1].reason == "The loss is zero."


def test_reasons_of_saddles():
    """λ = (3, −1): at the origin T/2 = 1 = −λ₁, flat along mode 1. A unit at rest is free for either sign."""
    origin = points([3, -1], 2)[()]
    assert (origin.kind, origin.trapping) == ("saddle", (0, 2))
    assert origin.reason == f"{SADDLE.format('{0}')} {FLAT.format('{1}')}."
    assert points([3, 3, 1], 1)[()].reason == SADDLE.format("{0–2}")
    assert points([3, 3, 1], 2)[0, 2].reason == SADDLE.format("{1}")
    resting = points([2, 1, -1], 3, signs="+,-,0")[0, 2]
    assert (resting.kind, resting.reason, resting.trapping) == ("degenerate saddle", DEGENERATE, (1, 2))


@pytest.mark.parametrize(
    ("options", "has"),
    [
        ({}, "2 in all"),
        ({"signs": "+,+"}, "2 positive and 0 negative"),
        ({"signs": "-,0"}, "0 positive and 1 negative"),
    ],
)
def test_units_that_are_missing(options, has):
    """Learning λ = (2, 1, −1) takes three units; of a point that there is not, nothing more is known."""
    point = points([2, 1, -1], 2, **options)[0, 1, 2]
    assert not point.feasible
    assert point.reason == f"Needs 2 positive and 1 negative units; the student has {has}."
    assert (point.signs, point.index, point.kind, point.trapping) == (None,) * 4


def test_what_is_printed():
    """Pairs by name, certificates only where there are some."""
    point = FixedPoint((0,), 1, (2.0,), 1.0, 1.5, 1, 0, (1, 0), True, "why", (1, -1), trapping=(1, 1))
    printed = point.to_dict()
    assert printed["needed"] == {"positive": 1, "negative": 0}
    assert printed["trapping"] == {"positive": 1, "negative": 1}
    assert (printed["learned_modes"], printed["signs"], printed["kind"]) == ([0], [1, -1], None)
    assert "certified" not in printed and "radius" not in printed
    proved = FixedPoint(*list(point.__dict__.values())[:10], certified=False, radius=None).to_dict()
    assert (proved["certified"], proved["radius"], proved["trapping"]) == (False, None, None)


def test_names_of_sets():
    assert set_name([]) == "{}"
    assert set_name([(0, 1), (2, 6)]) == "{0, 2–5}"
    assert set_name([(0, 2), (2, 3)]) == "{0–2}"
    assert set_name([(1, 2), (2, 3), (5, 7)]) == "{1, 2, 5, 6}"
    assert tuple(count_units((1, -1, 0, 1, 0, 0))) == (2, 1, 3)


def test_names_of_many_modes():
    """By ranges; of eight gaps all are shown, of more the first seven and the last. Figures count from 1."""
    assert mode_set(range(37)) == "{0–36}"
    assert mode_set([0, 1, 3], first=1) == "{1, 2, 4}"
    assert mode_set(range(0, 16, 2)) == "{0, 2, 4, 6, 8, 10, 12, 14}"
    assert mode_set(range(0, 100, 2)) == "{0, 2, 4, 6, 8, 10, 12, …, 98}"
    assert mode_set(range(0, 100, 2), first=1, shown=4) == "{1, 3, 5, …, 99}"
