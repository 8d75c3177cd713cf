"""Exact arithmetic modulo a prime: ranks, values and gradients at random points.

A polynomial identity with integer coefficients that fails does so at almost every point modulo p: by the
Schwartz–Zippel lemma a polynomial of degree n that is not zero modulo p vanishes at a random point with
probability at most n/p, here below 10⁻¹⁵ for every degree that occurs. A rank found modulo p at a point is
never larger than the generic rank, so "independent" is a proof and "dependent" holds with that probability.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sympy
    from sympy.polys.rings import PolyElement

PRIME = 2**61 - 1  # a Mersenne prime

Vector = list[int]


class NotRational(ValueError):
    """The expression is no rational function with rational coefficients, so it has no value modulo p."""


class RowSpace:
    """Row space modulo p, grown one vector at a time."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, Vector]] = []  # (pivot, row scaled to 1 at its pivot)

    @property
    def rank(self) -> int:
        """Dimension reached so far."""
        return len(self._rows)

    def add(self, vector: Iterable[int]) -> bool:
        """Include a vector; True if it was independent of those before it."""
        v = [x % PRIME for x in vector]
        for pivot, row in self._rows:
            if factor := v[pivot]:
                v = [(x - factor * y) % PRIME for x, y in zip(v, row, strict=True)]
        for pivot, x in enumerate(v):
            if x:
                scale = pow(x, -1, PRIME)
                self._rows.append((pivot, [scale * y % PRIME for y in v]))
                return True
        return False


def random_point(size: int, seed: int) -> Vector:
    """Reproducible point with coordinates uniform in 1 … p − 1."""
    generator = random.Random(seed)
    return [generator.randrange(1, PRIME) for _ in range(size)]


def polynomial_value(polynomial: PolyElement, point: Sequence[int]) -> int:
    """Value modulo p of a polynomial with integer coefficients."""
    total = 0
    for exponents, coefficient in polynomial.items():
        term = int(coefficient)
        for x, power in zip(point, exponents, strict=True):
            if power:
                term = term * pow(x, power, PRIME) % PRIME
        total += term
    return total % PRIME


def rational_gradient(
    expression: sympy.Expr, parameters: Sequence[sympy.Symbol], point: Sequence[int]
) -> Vector:
    """Gradient modulo p of a rational function, by forward differentiation through its expression tree.

    Differentiating symbolically instead would multiply the size of a ratio of determinants by the number of
    parameters; dual numbers cost one pass.

    Raises
    ------
    NotRational
        If the expression holds anything but +, ×, whole powers, rational numbers and the parameters, or is
        singular at the point.
    """
    seeds = {symbol: (x, {index: 1}) for index, (symbol, x) in enumerate(zip(parameters, point, strict=True))}
    slope = _dual(expression, seeds, {})[1]
    return [slope.get(index, 0) for index in range(len(parameters))]


Dual = tuple[int, dict[int, int]]  # value and its derivatives with respect to the parameters


def _dual(expression: sympy.Expr, seeds: Mapping[sympy.Symbol, Dual], known: dict[Any, Dual]) -> Dual:
    """Value and derivatives; `known` shares the work on repeated subexpressions."""
    if expression in seeds:
        return seeds[expression]
    if expression.is_Rational:
        if expression.q % PRIME == 0:
            raise NotRational(expression)
        return int(expression.p) * pow(int(expression.q), -1, PRIME) % PRIME, {}
    if expression in known:
        return known[expression]
    if expression.is_Add or expression.is_Mul:
        combine = _sum if expression.is_Add else _product
        result = _dual(expression.args[0], seeds, known)
        for argument in expression.args[1:]:
            result = combine(result, _dual(argument, seeds, known))
    elif expression.is_Pow and expression.exp.is_Integer:
        result = _power(_dual(expression.base, seeds, known), int(expression.exp))
    else:
        raise NotRational(expression)
    known[expression] = result
    return result


def _sum(left: Dual, right: Dual) -> Dual:
    slope = dict(left[1])
    for index, value in right[1].items():
        slope[index] = (slope.get(index, 0) + value) % PRIME
    return (left[0] + right[0]) % PRIME, slope


def _product(left: Dual, right: Dual) -> Dual:
    slope = {index: value * right[0] % PRIME for index, value in left[1].items()}
    for index, value in right[1].items():
        slope[index] = (slope.get(index, 0) + value * left[0]) % PRIME
    return left[0] * right[0] % PRIME, slope


def _power(base: Dual, exponent: int) -> Dual:
    value = base[0]
    if exponent < 0 and value == 0:
        raise NotRational("singular at the point")
    factor = exponent * pow(value, exponent - 1, PRIME) if exponent != 1 else 1
    slope = {index: factor * derivative % PRIME for index, derivative in base[1].items()}
    return pow(value, exponent, PRIME), slope
