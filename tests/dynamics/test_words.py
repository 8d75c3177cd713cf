"""Numbers of things in sentences, and lists of numbers."""

import pytest

from dynamics import GradientFlow, Student, Teacher
from dynamics.words import SHOWN, counted, listed


@pytest.mark.parametrize(
    ("number", "plural", "words"),
    [
        (0, None, "0 laws"),
        (1, None, "1 law"),
        (2, None, "2 laws"),
        (1, "leges", "1 law"),
        (3, "leges", "3 leges"),
    ],
)
def test_one_is_no_plural(number, plural, words):
    assert counted(number, "law", plural) == words


def test_a_curve_of_one_sample():
    """One unit with one input, at its start: nothing but ones."""
    flow = GradientFlow(Teacher.from_eigenvalues([1.0]), Student.initialise(1, 1, seed=0))
    first, *_, last = flow.integrate(times=[0.0]).summary().splitlines()
    assert first.startswith("1 sample up to t = 0 ")
    assert last.endswith(" of 1 input after reduction")


def test_lists_of_numbers():
    """Written out by hand: eight numbers stand in full, of nine the first seven and the last."""
    assert listed([]) == ""
    assert listed([4.0, 0.123456, -1.0]) == "4, 0.1235, -1"
    assert listed(range(SHOWN), "d") == "0, 1, 2, 3, 4, 5, 6, 7"
    assert listed(range(SHOWN + 1), "d") == "0, 1, 2, 3, 4, 5, 6, …, 8 (9 in all)"
    assert listed(["a", "b", "c"], shown=2) == "a, …, c (3 in all)"


def test_summaries_of_many_modes():
    """λ_j = 1/j, learned by a teacher of its own: 1, 0.5, … and the last, 1/12, of twelve."""
    teacher = Teacher.power_law(1.0, 12)
    learned = Student(teacher.V, teacher.B)
    trajectory = GradientFlow(teacher, learned).integrate(times=[0.0])
    text = "1, 0.5, 0.3333, 0.25, 0.2, 0.1667, 0.1429, …, 0.08333 (12 in all)"
    assert f"modes {text}" in trajectory.summary().splitlines()
    assert f"[{text}]" in repr(teacher)
