"""Curves of degree 1 and 2 in the plane as an arrangement: where they meet or turn, exactly.

A curve is written as p(x, y) = γy^n + …, n = 1 or 2, with a constant γ > 0: along every vertical line it has n roots,
none of which runs away to infinity. In coordinates that are turned a little every curve is of this form. An event is a
point above which the roots of the curves, ordered by y, change: two curves meet, or both roots of one come together.
In such coordinates its height y is a rational function of its x:

    two roots of γy² + βy + δ come together where β² = 4γδ, y = −β/2γ;
    γ₂p₁ − γ₁p₂ = By + A of two conics has lost y²: they meet where their resultant vanishes, y = −A/B;
    a line y = −δ/γ meets a curve where that vanishes on it.

Derived here. What makes coordinates unfit, two events one above the other, a height that is not determined, is noticed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from sympy import QQ
from sympy.polys.rings import PolyElement, PolyRing

from dynamics.neuron.pieces.roots import LINE, RealLine, Root, isolate, sign_at, value

PLANE = PolyRing(["x", "y"], QQ)
"""Polynomials in the coordinates of the plane."""


class Unfit(Exception):
    """In these coordinates two events may share their x."""


@dataclass(frozen=True)
class Curve:
    """γy^n + …: its coefficients as polynomials of x, and of y⁰, y¹ (and y²)."""

    coefficients: tuple[PolyElement, ...]

    @classmethod
    def of(cls, p: PolyElement) -> Curve:
        """From a polynomial of the plane; `Unfit` unless the coefficient of its highest power of y is a number."""
        degree = max(i + j for i, j in p)
        rows: list[PolyElement] = [LINE.zero] * (degree + 1)
        for (i, j), c in p.terms():
            rows[j] = rows[j] + LINE.gens[0] ** i * c
        if not rows[degree]:
            raise Unfit
        if rows[degree].coeff(1) < 0:
            rows = [-row for row in rows]
        return cls(tuple(rows))

    @property
    def degree(self) -> int:
        """1 for lines, 2 for conics."""
        return len(self.coefficients) - 1

    def at(self, x: Any) -> PolyElement:
        """The polynomial of y, in `LINE`, at a rational x."""
        y = LINE.gens[0]
        return sum((y**n * value(c, x) for n, c in enumerate(self.coefficients)), LINE.zero)


@dataclass(frozen=True)
class Crossing:
    """Events of one kind: x is a root of `where`, y = `over`/`under` there."""

    where: PolyElement
    over: PolyElement
    under: PolyElement

    def height(self, curve: Curve) -> PolyElement:
        """A polynomial of x with the sign of p at the event: p(x, over/under) · under²."""
        N, D = self.over, self.under
        if curve.degree == 1:
            delta, gamma = curve.coefficients
            return (gamma * N + delta * D) * D
        delta, beta, gamma = curve.coefficients
        return gamma * N**2 + beta * N * D + delta * D**2

    def slope(self, curve: Curve) -> PolyElement:
        """The same of ∂p/∂y, for a conic."""
        _, beta, gamma = curve.coefficients
        return (2 * gamma * self.over + beta * self.under) * self.under


def crossings(curves: Sequence[Curve]) -> Iterator[Crossing]:
    """All events of different irreducible curves."""
    for curve in curves:
        if curve.degree == 2:
            delta, beta, gamma = curve.coefficients
            yield Crossing(beta**2 - 4 * gamma * delta, -beta, 2 * gamma)
    for p, q in combinations(sorted(curves, key=lambda curve: curve.degree), 2):
        if p.degree == 1:
            delta, gamma = p.coefficients
            line = Crossing(LINE.zero, -delta, gamma)
            yield Crossing(line.height(q), -delta, gamma)
        else:
            yield from _two_conics(p, q)


def _two_conics(p: Curve, q: Curve) -> Iterator[Crossing]:
    (d1, b1, g1), (d2, b2, g2) = p.coefficients, q.coefficients
    A, B = g2 * d1 - g1 * d2, g2 * b1 - g1 * b2
    if B:
        # the resultant of p and q is that of p and By + A, divided by γ₁
        yield Crossing(g1 * A**2 - b1 * A * B + d1 * B**2, -A, B)
    elif isolate([A]).roots:
        raise Unfit


@dataclass(frozen=True)
class Event:
    """A point above which roots of curves come together: its x, and how many roots stay below and above it."""

    x: Root
    below: int
    above: int


def events(curves: Sequence[Curve]) -> tuple[RealLine, list[Event]]:
    """Where something happens: all x in order, and the one event that each of them has.

    Raises
    ------
    Unfit
        If an x has two, or an event has no height: other coordinates are needed.
    """
    kinds = [crossing for crossing in crossings(curves) if not crossing.where.is_ground]
    line = isolate([kind.where for kind in kinds])
    found = []
    for x, owners in zip(line.roots, line.owners, strict=True):
        first, *others = (kinds[i] for i in owners)
        if not all(sign_at(kind.under, x) for kind in (first, *others)):
            raise Unfit
        if any(sign_at(first.over * kind.under - kind.over * first.under, x) for kind in others):
            raise Unfit
        sides = [_sides(curve, first, x) for curve in curves]
        found.append(Event(x, sum(below for below, _ in sides), sum(above for _, above in sides)))
    return line, found


def _sides(curve: Curve, event: Crossing, x: Root) -> tuple[int, int]:
    """How many roots of a curve above x lie below the event, and above it; those in it are neither."""
    height = sign_at(event.height(curve), x)
    if curve.degree == 1:
        return int(height > 0), int(height < 0)
    if height < 0:
        return 1, 1
    slope = sign_at(event.slope(curve), x)
    if height == 0:
        return int(slope > 0), int(slope < 0)
    delta, beta, gamma = curve.coefficients
    if sign_at(beta**2 - 4 * gamma * delta, x) < 0:
        return 0, 0
    return (2, 0) if slope > 0 else (0, 2)
