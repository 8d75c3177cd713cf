"""Roots against closed forms: what is equal, what is only near, and what is far below one."""

import math

import pytest
from sympy import QQ

from dynamics.neuron.pieces.roots import LINE, Root, isolate, sign_at, value

(S,) = LINE.gens


def test_a_shared_root_is_found_once_with_its_owners():
    """s² − 2 and s⁴ − 4 = (s² − 2)(s² + 2) share ±√2; s = 1.41421356 is another number."""
    near = S - QQ(141421356, 10**8)
    line = isolate([S**2 - 2, S**4 - 4, near, LINE.one, LINE.zero])
    assert line.owners == ((0, 1), (2,), (0, 1))
    assert [root.index for root in line.roots] == [0, 0, 1]
    assert [line.place(Root(S**4 - 4, n), 1) for n in range(2)] == [0, 2]


def test_samples_lie_between_the_roots():
    """Below all, between neighbours, above all: the products of s − root have the signs −, +, −, +."""
    p = (S - 1) * (S**2 - 2) * (S - QQ(3, 2)) * (S + 5)
    line = isolate([p, S - QQ(7, 5)])
    assert len(line.roots) == 6
    roots = sorted([1, -math.sqrt(2), math.sqrt(2), 1.5, -5, 1.4])
    for place in range(7):
        at = line.sample(place)
        assert sum(root < float(int(at.numerator) / int(at.denominator)) for root in roots) == place
    assert isolate([LINE.one]).sample(0) == 0


@pytest.mark.parametrize("exponent", [0, 20, 200])
def test_floats_of_roots_have_all_digits(exponent):
    """√2 · 10^−n, and 0 beside it, to the last bit."""
    p = S * (S**2 - QQ(2, 10 ** (2 * exponent)))
    assert [float(root) for root in isolate([p]).roots] == pytest.approx(
        [-math.sqrt(2) * 10.0**-exponent, 0, math.sqrt(2) * 10.0**-exponent], rel=4e-16, abs=0
    )


def test_signs_at_roots():
    """At √2: s² − 2 is 0, also as a factor; s − 1.414 is positive, s − 1.415 negative; nearer ones too."""
    root = Root(S**2 - 2, 1)
    assert sign_at((S**2 - 2) * (S + 7), root) == 0
    assert sign_at(LINE.zero, root) == 0
    assert [sign_at(LINE.one * c, root) for c in (-2, 3)] == [-1, 1]
    assert [sign_at(S - QQ(c, 1000), root) for c in (1414, 1415)] == [1, -1]
    digits = math.isqrt(2 * 10**100)  # √2 · 10⁵⁰, rounded down
    assert [sign_at(S - QQ(digits + n, 10**50), root) for n in (0, 1)] == [1, -1]
    assert sign_at(S, Root(S**2 - 2, 0)) == -1


def test_values_are_exact():
    assert value(3 * S**2 - S + 1, QQ(1, 3)) == 1
    assert value(LINE.zero, QQ(5)) == 0
