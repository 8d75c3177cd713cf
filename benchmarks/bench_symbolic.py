"""(5) Symbolic derivation and moments against SymPy's expand followed by a sum over monomials."""

from __future__ import annotations

import math
from collections.abc import Callable

import sympy
from sympy.core.cache import clear_cache
from sympy.polys.rings import PolyRing

from benchmarks.report import Table
from benchmarks.timing import fastest
from dynamics import derive, form_moment
from dynamics.symbolic.moments import ring_expectation


def cold(call: Callable[[], object]) -> Callable[[], object]:
    """The same without SymPy's memory of earlier runs, which would make a repetition free."""

    def run() -> object:
        clear_cache()
        return call()

    return run


SIZES = ((1, 2), (2, 2), (2, 3), (3, 3), (4, 4))
LARGEST_NAIVE = 27  # K d²: beyond, SymPy's expand takes minutes
ORDERS = (2, 4, 6, 8)
VARIABLES = 3


def naive_expectation(expression: sympy.Expr, x: list[sympy.Symbol]) -> sympy.Expr:
    """Expand, then replace every monomial by the product of its moments (n − 1)!! under N(0, I)."""
    total = sympy.S.Zero
    for term in sympy.Add.make_args(sympy.expand(expression)):
        powers = term.as_powers_dict()
        rest, moment = term, sympy.S.One
        for v in x:
            n = int(powers.get(v, 0))
            rest = rest / v**n
            moment *= 0 if n % 2 else math.prod(range(1, n, 2))
        total += rest * moment
    return sympy.expand(total)


def naive_derivation(K: int, d: int) -> list[sympy.Expr]:
    """Loss ½ E(f* − f)² by expansion, then its derivatives."""
    x = list(sympy.symbols(f"x_:{d}"))
    w = [[sympy.Symbol(f"w_{k}_{i}") for i in range(d)] for k in range(K)]
    a = [sympy.Symbol(f"a_{k}") for k in range(K)]
    m = {(i, j): sympy.Symbol(f"m_{min(i, j)}_{max(i, j)}") for i in range(d) for j in range(d)}
    target = sum(m[i, j] * x[i] * x[j] for i in range(d) for j in range(d))
    student = sum(a[k] * sum(w[k][i] * x[i] for i in range(d)) ** 2 for k in range(K))
    loss = naive_expectation((target - student) ** 2 / 2, x)
    return [-sympy.diff(loss, p) for row in (*w, a) for p in row]


def derivation() -> list[Table]:
    """The ODEs of every size, expanded ones on the naive side."""
    rows = []
    for K, d in SIZES:
        calls = {"ours": lambda K=K, d=d: derive(K, d).ode}
        naive = K * d**2 <= LARGEST_NAIVE
        if naive:
            calls["naive"] = lambda K=K, d=d: naive_derivation(K, d)
            ours = derive(K, d).ode.values()
            wrong = [
                (p - q).subs(_unpacked(K, d)).expand()
                for p, q in zip(ours, naive_derivation(K, d), strict=True)
            ]
            assert not any(wrong)
        calls = {name: cold(call) for name, call in calls.items()}
        best = fastest(calls, rounds=2)
        rows.append(
            {
                "K": K,
                "d": d,
                "quadflow [s]": best["ours"],
                "naive SymPy [s]": best.get("naive"),
                "ratio": best["naive"] / best["ours"] if naive else None,
            }
        )
    note = "Same expressions on both sides (checked by expanding their difference); shortest of two interleaved runs."
    return [Table("derivation", "(5) Symbolic derivation of the ODEs", note, rows)]


def _unpacked(K: int, d: int) -> dict[sympy.Symbol, sympy.Expr]:
    """The residual's entries D_i_j in terms of teacher and weights."""
    symbol = sympy.Symbol
    return {
        symbol(f"D_{i}_{j}"): symbol(f"m_{i}_{j}")
        - sum(symbol(f"a_{k}") * symbol(f"w_{k}_{i}") * symbol(f"w_{k}_{j}") for k in range(K))
        for i in range(d)
        for j in range(i, d)
    }


def moments() -> list[Table]:
    """E[(xᵀAx)^p] of order 2p: traces for every dimension, polynomials in d = 3, and SymPy's expand."""
    d = VARIABLES
    x = list(sympy.symbols(f"x_:{d}"))
    A = sympy.Matrix(d, d, lambda i, j: sympy.Symbol(f"A_{min(i, j)}_{max(i, j)}"))
    ring = PolyRing(sorted(A.free_symbols, key=str), sympy.ZZ)
    forms = PolyRing(x, ring.to_domain())
    element = sum(
        (ring.from_expr(A[i, j]) * forms.gens[i] * forms.gens[j] for i in range(d) for j in range(d)),
        forms.zero,
    )
    expression = sum(A[i, j] * x[i] * x[j] for i in range(d) for j in range(d))
    rows = []
    for order in ORDERS:
        p = order // 2
        ours = ring_expectation(element**p).as_expr()
        assert sympy.expand(ours - naive_expectation(expression**p, x)) == 0
        calls = {
            "traces": lambda p=p: form_moment(["A"] * p),
            "ours": lambda p=p: ring_expectation(element**p),
            "naive": lambda p=p: naive_expectation(expression**p, x),
        }
        calls = {name: cold(call) for name, call in calls.items()}
        best = fastest(calls, rounds=5)
        rows.append(
            {
                "order": order,
                "traces, any d [s]": best["traces"],
                "polynomials [s]": best["ours"],
                "naive SymPy [s]": best["naive"],
                "naive / traces": best["naive"] / best["traces"],
                "naive / polynomials": best["naive"] / best["ours"],
            }
        )
    note = (
        f"E[(xᵀAx)^p], p = order/2, A symbolic; polynomials and SymPy in d = {d} (the same expression on both sides), "
        "the trace formula for every dimension; shortest of five interleaved runs."
    )
    return [Table("moments", "(5) Moments of order 2…8", note, rows)]


BENCHMARKS = (derivation, moments)
