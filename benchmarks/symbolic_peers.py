"""The symbolic tasks as users of SymPy would do them: by `expand`, by `Poly`, by `sympy.polys.rings`.

All of them expand a polynomial in x ~ N(0, I) and replace every monomial by its moment, Π (n_i − 1)!!.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import sympy
from sympy.polys.rings import PolyElement, PolyRing

Derivation = Callable[[int, int], list[sympy.Expr]]


def moment(powers: Sequence[int]) -> int:
    """E x^powers of N(0, I)."""
    return 0 if any(n % 2 for n in powers) else math.prod(math.prod(range(1, n, 2)) for n in powers)


def expanded_expectation(expression: sympy.Expr, x: list[sympy.Symbol]) -> sympy.Expr:
    """By `expand`, term by term."""
    total = sympy.S.Zero
    for term in sympy.Add.make_args(sympy.expand(expression)):
        powers = term.as_powers_dict()
        counts = [int(powers.get(v, 0)) for v in x]
        rest = term / math.prod(v**n for v, n in zip(x, counts, strict=True))
        total += rest * moment(counts)
    return sympy.expand(total)


def poly_expectation(expression: sympy.Expr, x: list[sympy.Symbol]) -> sympy.Poly:
    """By `Poly` in x over the polynomials in all other symbols; a polynomial in these."""
    others = sorted(expression.free_symbols - set(x), key=str)
    terms = sympy.Poly(expression, *x, domain=sympy.QQ[others]).terms()
    return sum((sympy.Poly(c, *others) * moment(powers) for powers, c in terms), sympy.Poly(0, *others))


def ring_expectation(element: PolyElement, variables: int) -> PolyElement:
    """By `sympy.polys.rings`: of an element of a ring whose first generators are x."""
    found = element.ring.zero
    for powers, coefficient in element.terms():
        factor = moment(powers[:variables])
        if factor:
            found[(0,) * variables + powers[variables:]] = (
                found.get((0,) * variables + powers[variables:], 0) + factor * coefficient
            )
    return found


def by_expansion(K: int, d: int) -> list[sympy.Expr]:
    """Loss ½ E(f* − f)² and minus its derivatives, by `expand` and `diff`."""
    x, parameters, difference = _difference(K, d)
    loss = expanded_expectation(difference**2 / 2, x)
    return [-sympy.diff(loss, p) for p in parameters]


def by_poly(K: int, d: int) -> list[sympy.Expr]:
    """The same by `Poly`."""
    x, parameters, difference = _difference(K, d)
    loss = poly_expectation(difference**2 / 2, x)
    return [(-loss.diff(p)).as_expr() for p in parameters]


def by_rings(K: int, d: int) -> list[sympy.Expr]:
    """The same by `sympy.polys.rings`."""
    x, parameters, difference = _difference(K, d)
    others = sorted(difference.free_symbols - set(x), key=str)
    ring = PolyRing([*x, *others], sympy.QQ)
    loss = ring_expectation(ring.from_expr(difference) ** 2, d) / 2
    return [(-loss.diff(ring.from_expr(p))).as_expr() for p in parameters]


PEERS: dict[str, Derivation] = {
    "SymPy expand": by_expansion,
    "SymPy Poly": by_poly,
    "SymPy rings": by_rings,
}


def _difference(K: int, d: int) -> tuple[list[sympy.Symbol], list[sympy.Symbol], sympy.Expr]:
    """Inputs, weights in the order of the equations, and f* − f."""
    symbol = sympy.Symbol
    x = [symbol(f"x_{i}") for i in range(d)]
    w = [[symbol(f"w_{k}_{i}") for i in range(d)] for k in range(K)]
    a = [symbol(f"a_{k}") for k in range(K)]
    target = sum(symbol(f"m_{min(i, j)}_{max(i, j)}") * x[i] * x[j] for i in range(d) for j in range(d))
    student = sum(a[k] * sum(w[k][i] * x[i] for i in range(d)) ** 2 for k in range(K))
    return x, [p for row in (*w, a) for p in row], target - student
