"""(5) Symbolic derivation and moments against SymPy: its expressions, its `Poly` and its polynomial rings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy.core.cache import clear_cache
from sympy.polys.rings import PolyRing

from benchmarks import symbolic_peers as peers
from benchmarks.report import Table
from benchmarks.timing import fastest
from dynamics import derive, form_moment
from dynamics.symbolic.moments import ring_expectation

SIZES = ((1, 2), (2, 2), (2, 3), (3, 3), (4, 4), (6, 6))
LARGEST = {"SymPy expand": 27, "SymPy Poly": 64, "SymPy rings": 216}  # K d²: beyond, it takes minutes
ORDERS = (2, 4, 6, 8)
VARIABLES = 3


def cold(call: Callable[[], object]) -> Callable[[], object]:
    """The same without SymPy's memory of earlier runs, which would make a repetition free."""

    def run() -> object:
        clear_cache()
        return call()

    return run


def derivation() -> list[Table]:
    """The ODEs of every size, expanded ones on the side of the peers."""
    rows: list[dict[str, Any]] = []
    for K, d in SIZES:
        calls: dict[str, Callable[[], Any]] = {"quadflow": lambda K=K, d=d: derive(K, d).ode}
        for name, peer in peers.PEERS.items():
            if K * d**2 <= LARGEST[name]:
                calls[name] = lambda peer=peer, K=K, d=d: peer(K, d)
        check(K, d, calls)
        best = fastest({name: cold(call) for name, call in calls.items()}, rounds=2)
        row: dict[str, Any] = {"K": K, "d": d, "quadflow [s]": best["quadflow"]}
        row |= {f"{name} [s]": best.get(name) for name in peers.PEERS}
        fastest_peer = min(seconds for name, seconds in best.items() if name != "quadflow")
        rows.append(row | {"best of SymPy / quadflow": fastest_peer / best["quadflow"]})
    note = (
        "From the sizes to the equations as SymPy's expressions, the same ones (checked by expanding their difference "
        "where the peer is not too slow): quadflow's keep the residual as symbols D_ij, the peers' are expanded. "
        "Shortest of two interleaved runs, without SymPy's memory of earlier ones."
    )
    return [Table("derivation", "(5) Symbolic derivation of the ODEs", note, rows)]


def check(K: int, d: int, calls: dict[str, Callable[[], Any]]) -> None:
    """Refuse peers that derive something else.

    Raises
    ------
    ValueError
        If an expression differs.
    """
    ours = [
        sympy.expand(entry.subs(_unpacked(K, d))) if K * d**2 <= LARGEST["SymPy expand"] else None
        for entry in calls["quadflow"]().values()
    ]
    for name in calls.keys() - {"quadflow"}:
        theirs = calls[name]()
        if any(p is not None and sympy.expand(p - q) != 0 for p, q in zip(ours, theirs, strict=True)):
            raise ValueError(f"{name} derives other equations for K = {K}, d = {d}.")


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
    """E[(xᵀAx)^p] of order 2p: traces for every dimension, polynomials in d = 3, and SymPy."""
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
    flat = PolyRing([*x, *ring.symbols], sympy.ZZ).from_expr(expression)
    rows: list[dict[str, Any]] = []
    for order in ORDERS:
        p = order // 2
        calls: dict[str, Callable[[], Any]] = {
            "traces": lambda p=p: form_moment(["A"] * p),
            "quadflow": lambda p=p: ring_expectation(element**p),
            "SymPy expand": lambda p=p: peers.expanded_expectation(expression**p, x),
            "SymPy Poly": lambda p=p: peers.poly_expectation(expression**p, x),
            "SymPy rings": lambda p=p: peers.ring_expectation(flat**p, d),
        }
        ours = calls["quadflow"]().as_expr()
        if any(sympy.expand(ours - calls[name]().as_expr()) != 0 for name in peers.PEERS):
            raise ValueError(f"A moment of order {order} is another one on the side of the peers.")
        best = fastest({name: cold(call) for name, call in calls.items()}, rounds=5)
        row: dict[str, Any] = {"order": order, "traces, any d [s]": best["traces"]}
        row |= {f"{name} [s]": best[name] for name in ("quadflow", *peers.PEERS)}
        fastest_peer = min(best[name] for name in peers.PEERS)
        row |= {
            "best of SymPy / traces": fastest_peer / best["traces"],
            "best of SymPy / quadflow": fastest_peer / best["quadflow"],
        }
        rows.append(row)
    note = (
        f"E[(xᵀAx)^p], p = order/2, A symbolic; polynomials on both sides in d = {d} (the same expression), the trace "
        "formula for every dimension; shortest of five interleaved runs, without SymPy's memory of earlier ones."
    )
    return [Table("moments", "(5) Moments of order 2…8", note, rows)]
