"""Explicit families of conservation laws, each with the motion it follows from; derived here.

Throughout W (K, d) holds the input weights as rows of symbols, A (O, K) the output weights, and `rates` the
learning rates of the groups of weights in the order of the arguments. Gradient flow moves the weights of a
quadratic network as ẇ_k = Σ_o A_ok G_o w_k with symmetric G_o that depend on target and loss: what no
symmetric G_o can change is a law.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from math import prod
from typing import Any

import sympy
from sympy.combinatorics import Permutation

from dynamics.errors import ProblemError
from dynamics.laws.law import Law

Rows = Sequence[Sequence[sympy.Symbol]]
Symbols = tuple[sympy.Symbol, ...]
Rates = tuple[Any, Any]


def balance_laws(W: Rows, A: Rows, degree: int, parameters: Symbols, rates: Rates = (1, 1)) -> list[Law]:
    """‖w_k‖²/η_w − h Σ_o A_ok²/η_a per unit, for an activation homogeneous of degree h (Euler's identity)."""
    eta_w, eta_a = map(sympy.Rational, rates)
    columns = list(zip(*A, strict=True))
    return [
        Law(dot(w, w) / eta_w - degree * dot(a, a) / eta_a, parameters, f"balance of unit {k}")
        for k, (w, a) in enumerate(zip(W, columns, strict=True))
    ]


def balance_matrix_laws(W: Rows, A: Rows, parameters: Symbols, rates: Rates = (1, 1)) -> list[Law]:
    """Entries k ≤ l of W Wᵀ/η_w − Aᵀ A/η_a for the linear network f(x) = A W x.

    Ẇ = η_w Aᵀ E and Ȧ = η_a E Wᵀ for some (O, d) matrix E, so both terms change by Aᵀ E Wᵀ plus its transpose.
    """
    eta_w, eta_a = map(sympy.Rational, rates)
    columns = list(zip(*A, strict=True))
    return [
        Law(
            dot(W[k], W[l]) / eta_w - dot(columns[k], columns[l]) / eta_a,
            parameters,
            f"balance of units {k} and {l}",
        )
        for k, l in itertools.combinations_with_replacement(range(len(W)), 2)
    ]


def bilinear_laws(R: Rows, G: Rows, parameters: Symbols, rates: Rates = (1, 1)) -> list[Law]:
    """Laws of Σ_k (r_k·x)(g_k·x): R Rᵀ/η_r − G Gᵀ/η_g and G Rᵀ − R Gᵀ, together p² of them.

    Ṙ = η_r G E and Ġ = η_g R E with E symmetric. At equal rates the laws are the entries of (R + G)(R − G)ᵀ.
    """
    return balance_matrix_laws(R, list(zip(*G, strict=True)), parameters, rates) + [
        Law(dot(G[k], R[l]) - dot(R[k], G[l]), parameters, f"exchange of units {k} and {l}")
        for k, l in itertools.combinations(range(len(R)), 2)
    ]


def fixed_output_laws(W: Rows, A: Sequence[Sequence[sympy.Rational]], parameters: Symbols) -> list[Law]:
    """All laws of quadratic units whose output weights A (O, K) are fixed, d ≥ 1.

    Group the units by the column of A up to its sign. Repeated brackets of the fields W ↦ diag(A_o) W G_o
    separate the groups, so each moves with its own traceless B_g, W₊ ↦ W₊ B_g and W₋ ↦ −W₋ B_gᵀ, besides one
    common trace per output. What survives: in each group the products of opposite units and, for a group
    side with more than d units facing fewer than d, its column space; between the groups, products of powers of
    d × d determinants whose growth rates cancel. Units with output weight zero do not move at all.
    """
    d = len(W[0])
    groups: dict[tuple, tuple[list[int], list[int]]] = {}
    for k, column in enumerate(zip(*A, strict=True)):
        sign = next((1 if value > 0 else -1 for value in column if value), 1)
        plus, minus = groups.setdefault(tuple(sign * value for value in column), ([], []))
        (plus if sign > 0 else minus).append(k)

    laws: list[Law] = []
    volumes: list[tuple[sympy.Expr, list[Any]]] = []  # a determinant and its growth rate for each tr G_o
    for column, (plus, minus) in groups.items():
        if not any(column):
            laws += [Law(w, parameters, f"unit {k} does not move") for k in plus for w in W[k]]
            continue
        laws += opposite_sign_laws(W, plus, minus, parameters)
        larger, smaller, growth = (plus, minus, 1) if len(plus) >= len(minus) else (minus, plus, -1)
        if len(larger) > d > len(smaller):
            laws += column_space_laws(W, larger, parameters)
        if len(larger) >= d:
            volumes.append((_determinant([W[k] for k in larger[:d]]), [growth * value for value in column]))
    return laws + _volume_laws(volumes, parameters)


def opposite_sign_laws(W: Rows, plus: Sequence[int], minus: Sequence[int], parameters: Symbols) -> list[Law]:
    """w_k·w_l for units with opposite fixed output weights: W₊ moves as W₊ B, W₋ as −W₋ Bᵀ."""
    return [Law(dot(W[k], W[l]), parameters, f"product of units {k} and {l}") for k in plus for l in minus]


def column_space_laws(W: Rows, units: Sequence[int], parameters: Symbols) -> list[Law]:
    """Coordinates of the column space of W in neuron space: the (K − d) d entries of W_rest W_first⁻¹.

    Units with the same fixed output weight move as Ẇ = W B with one d × d matrix B, which leaves the column
    space of W fixed. By Cramer's rule the entry (k, i) is a ratio of determinants: the first d rows with row i
    replaced by row k, over the first d rows. For d = 1 these are the ratios w_k/w_0. The projector onto the
    same space is `dynamics.conserved.ProjectorQuantity`.
    """
    d = len(W[0])
    _require_more_units_than_inputs(len(units), d)
    first = [W[k] for k in units[:d]]
    volume = _determinant(first)
    return [
        Law(
            _determinant([*first[:i], W[k], *first[i + 1 :]]) / volume,
            parameters,
            f"column space, unit {k} in terms of unit {units[i]}",
        )
        for k in units[d:]
        for i in range(d)
    ]


def travel_time_laws(
    w: Sequence[sympy.Symbol], a: Sequence[sympy.Symbol], parameters: Symbols, rates: Rates = (1, 1)
) -> list[Law]:
    """Differences T_k − T_0 of the units' clocks in one dimension, f(x) = Σ_k a_k w_k² x².

    All units move along ẇ = 2 a w, ȧ = w² = c + 2a² at one common speed, so the time T(a, c) = ∫ da/(c + 2a²)
    that each needs along its own orbit advances equally: T = atan(a √(2/c))/√(2c) for c > 0,
    log((a − b)²/(a + b)²)/(8b) with b = √(−c/2) for c < 0, and −1/(2a) for c = 0. With learning rates the same
    holds for c = (η_a/η_w) w² − 2a², then ȧ ∝ c + 2a².
    """
    eta_w, eta_a = map(sympy.Rational, rates)

    def clock(k: int) -> sympy.Expr:
        c = eta_a / eta_w * w[k] ** 2 - 2 * a[k] ** 2
        b = sympy.sqrt(-c / 2)
        return sympy.Piecewise(
            (sympy.atan(a[k] * sympy.sqrt(2 / c)) / sympy.sqrt(2 * c), c > 0),
            (sympy.log(((a[k] - b) / (a[k] + b)) ** 2) / (8 * b), c < 0),
            (-1 / (2 * a[k]), True),
        )

    # At a = 0 the gradient of T is (0, 1/c): rational, as the proof of independence needs.
    return [
        Law(clock(k) - clock(0), parameters, f"clock of unit {k} against unit 0", {a[k]: 0, a[0]: 0})
        for k in range(1, len(w))
    ]


def dot(u: Sequence[sympy.Expr], v: Sequence[sympy.Expr]) -> sympy.Expr:
    """u·v."""
    return sympy.Add(*(x * y for x, y in zip(u, v, strict=True)))


def _volume_laws(volumes: Sequence[tuple[sympy.Expr, list[Any]]], parameters: Symbols) -> list[Law]:
    """∏_g Δ_g^{μ_g} for integer μ that balance the growth rates of the determinants Δ_g in every output."""
    if not volumes:
        return []
    rates = sympy.Matrix([rate for _, rate in volumes]).T  # (O, groups)
    laws = []
    for vector in rates.nullspace():
        mu = vector / sympy.gcd(list(vector))  # gcd of rationals: the primitive integer multiple
        mu = -mu if sum(mu) < 0 else mu
        power = prod((delta**m for (delta, _), m in zip(volumes, mu, strict=True)), start=sympy.S.One)
        laws.append(Law(power, parameters, "volumes of the groups of units"))
    return laws


def _determinant(matrix: Sequence[Sequence[sympy.Expr]]) -> sympy.Expr:
    """Leibniz' formula: for a matrix of distinct symbols no two of its terms cancel."""
    n = range(len(matrix))
    return sympy.Add(
        *(
            Permutation(list(p)).signature() * sympy.Mul(*(matrix[i][p[i]] for i in n))
            for p in itertools.permutations(n)
        )
    )


def _require_more_units_than_inputs(units: int, inputs: int) -> None:
    if units <= inputs:
        raise ProblemError(
            f"`units` names {units} units with {inputs} inputs, but the column space is a law only for more"
            " units than inputs."
        )
