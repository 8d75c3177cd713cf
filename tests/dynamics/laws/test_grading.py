"""Gradings against brute force over all sign patterns."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import ZZ
from sympy.polys.rings import ring

from dynamics.laws.grading import finest_grading
from dynamics.laws.models import linear, polynomial, quadratic

RING = ring("x y z t", ZZ)[0]
POLYNOMIALS = st.dictionaries(
    st.tuples(*[st.integers(0, 3)] * 4), st.integers(1, 4), min_size=1, max_size=3
).map(RING.from_dict)


def is_even_or_odd(polynomial, signs):
    """Substitute θ_j → ±θ_j and compare with ± the polynomial itself."""
    flipped = polynomial.compose([(g, g * sign) for g, sign in zip(polynomial.ring.gens, signs, strict=True)])
    return flipped in (polynomial, -polynomial)


@settings(deadline=None, max_examples=50)
@given(st.lists(POLYNOMIALS, min_size=1, max_size=3))
def test_flips_are_exactly_the_admissible_sign_patterns(potentials):
    grading = finest_grading(potentials, 4)
    masks = {0}
    for flip in grading.flips:
        masks |= {mask ^ flip for mask in masks}
    assert len(masks) == 2 ** len(grading.flips)
    admissible = {
        sum(1 << j for j, sign in enumerate(signs) if sign < 0)
        for signs in itertools.product((1, -1), repeat=4)
        if all(is_even_or_odd(potential, signs) for potential in potentials)
    }
    assert masks == admissible


@settings(deadline=None, max_examples=50)
@given(st.lists(POLYNOMIALS, min_size=1, max_size=3))
def test_every_potential_lies_in_one_class(potentials):
    grading = finest_grading(potentials, 4)
    assert all(len({grading(monomial) for monomial in potential}) == 1 for potential in potentials)


def test_degrees_of_known_models():
    """Quadratic M is cubic throughout; w + w⁴ keeps the degree modulo 3; w + w² keeps nothing."""
    assert finest_grading(quadratic(2, 2).potentials, 6).modulus == 0
    w, x = RING.symbols[0], RING.symbols[1]
    moduli = [finest_grading(polynomial(f * x, [x]).potentials, 1).modulus for f in (w + w**4, w + w**2)]
    assert moduli == [3, 1]


def test_sign_symmetries_of_known_models():
    """Quadratic, trainable: each w_k (K) and each coordinate (d) up to their common flip, all a together: K + d.

    Linear with r hidden units: each unit, each input, each output, up to one common flip.
    """
    assert len(finest_grading(quadratic(3, 4).potentials, 16).flips) == 4 + 3
    assert len(finest_grading(linear(2, 3, 2).potentials, 12).flips) == 3 + 2 + 2 - 1
