"""Numbers of things in sentences."""

import pytest

from dynamics import GradientFlow, Student, Teacher
from dynamics.words import counted


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
