"""Real roots of polynomials with rational coefficients, exactly: isolated, told apart, ordered.

SymPy isolates the roots of a list of polynomials by continued fractions, in rational arithmetic: intervals that are
disjoint, one for each distinct root, with the polynomials that vanish there. A root that two polynomials share is found
once. Nothing here rounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from sympy import QQ
from sympy.polys.rings import PolyElement, PolyRing
from sympy.polys.rootisolation import dup_isolate_real_roots_list, dup_refine_real_root
from sympy.polys.sqfreetools import dup_sqf_part

LINE = PolyRing(["s"], QQ)
"""Polynomials in the coordinate s along a line."""

BITS = 60  # of a root that are found where a float is made of it


@dataclass(frozen=True)
class Root:
    """A real root: the `index`-th, from below, of the distinct real roots of a polynomial."""

    polynomial: PolyElement
    index: int

    def enclosure(self) -> tuple[Any, Any]:
        """Rationals around it that are closer to each other than the digits of a float."""
        dense = dup_sqf_part(self.polynomial.to_dense(), QQ)
        (low, high), _ = dup_isolate_real_roots_list([dense], QQ, strict=True)[self.index]
        while high - low > min(abs(low), abs(high)) / 2**BITS:
            low, high = dup_refine_real_root(dense, low, high, QQ, eps=(high - low) / 2**BITS)
        return low, high

    def __float__(self) -> float:
        low, _ = self.enclosure()
        return int(low.numerator) / int(low.denominator)


@dataclass(frozen=True)
class RealLine:
    """All distinct real roots of some polynomials, in ascending order.

    Parameters
    ----------
    roots : tuple of Root
    low, high : tuple of rationals
        Ends of their isolating intervals, which are disjoint.
    owners : tuple of tuples of int
        Which of the polynomials vanish there.
    """

    roots: tuple[Root, ...]
    low: tuple[Any, ...]
    high: tuple[Any, ...]
    owners: tuple[tuple[int, ...], ...]

    def sample(self, place: int) -> Any:
        """A rational number above `place` of the roots and below the others."""
        if not self.roots:
            return QQ(0)
        if place == 0:
            return self.low[0] - 1
        if place == len(self.roots):
            return self.high[-1] + 1
        return (self.high[place - 1] + self.low[place]) / 2

    def place(self, root: Root, owner: int) -> int:
        """Where a root of the polynomial number `owner` stands among all roots."""
        own = [i for i, owners in enumerate(self.owners) if owner in owners]
        return own[root.index]


def isolate(polynomials: Sequence[PolyElement]) -> RealLine:
    """The real roots of polynomials of `LINE`; constants, zero too, count as without roots."""
    numbers = [i for i, p in enumerate(polynomials) if not p.is_ground]
    dense = [polynomials[i].to_dense() for i in numbers]
    found = dup_isolate_real_roots_list(dense, QQ, strict=True) if dense else []
    owners = tuple(tuple(sorted(numbers[i] for i in powers)) for _, powers in found)
    seen = dict.fromkeys(numbers, 0)
    roots = []
    for mine in owners:
        roots.append(Root(polynomials[mine[0]], seen[mine[0]]))
        for i in mine:
            seen[i] += 1
    low, high = (tuple(interval[end] for interval, _ in found) for end in (0, 1))
    return RealLine(tuple(roots), low, high, owners)


def sign_at(polynomial: PolyElement, root: Root) -> int:
    """Sign of a polynomial at a root of another: −1, 0 or 1."""
    line = isolate([root.polynomial, polynomial])
    place = line.place(root, 0)
    if 1 in line.owners[place]:
        return 0
    return sign(value(polynomial, line.high[place]))  # no root of it lies in the interval


def value(polynomial: PolyElement, *point: Any) -> Any:
    """A polynomial in as many variables at a rational point."""
    return sum(
        (c * prod(x**n for x, n in zip(point, powers, strict=True)) for powers, c in polynomial.terms()),
        QQ(0),
    )


def sign(number: Any) -> int:
    """−1, 0 or 1."""
    return int(number > 0) - int(number < 0)
