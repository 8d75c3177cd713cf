"""SymPy's ways to derive the equations and moments give the same as ours."""

import pytest
import sympy
from sympy.polys.rings import ring

from benchmarks import symbolic_peers as peers
from benchmarks.bench_symbolic import check, derivation, moments
from dynamics import derive


@pytest.mark.parametrize("name", peers.PEERS)
def test_peers_derive_the_same_equations(name):
    check(2, 2, {"quadflow": lambda: derive(2, 2).ode, name: lambda: peers.PEERS[name](2, 2)})


def test_other_equations_are_refused():
    def wrong():
        right = peers.by_rings(1, 2)
        return [*right[:-1], 2 * right[-1]]

    with pytest.raises(ValueError, match="SymPy rings derives other equations for K = 1, d = 2"):
        check(1, 2, {"quadflow": lambda: derive(1, 2).ode, "SymPy rings": wrong})


@pytest.mark.parametrize(
    ("powers", "value"), [((0, 0), 1), ((2, 4), 3), ((6,), 15), ((1, 2), 0), ((3, 3), 0)]
)
def test_moments_of_a_standard_normal(powers, value):
    """Double factorials, and zero of odd powers."""
    assert peers.moment(powers) == value


def test_expectations_of_a_polynomial():
    """E (x + s)⁴ = 3 + 6 s² + s⁴, three ways."""
    x, s = sympy.symbols("x s")
    expected = 3 + 6 * s**2 + s**4
    _, X, S = ring([x, s], sympy.QQ)
    assert sympy.expand(peers.expanded_expectation((x + s) ** 4, [x]) - expected) == 0
    assert sympy.expand(peers.poly_expectation((x + s) ** 4, [x]).as_expr() - expected) == 0
    assert sympy.expand(peers.ring_expectation((X + S) ** 4, 1).as_expr() - expected) == 0


def test_tables_hold_every_peer(monkeypatch):
    monkeypatch.setattr("benchmarks.bench_symbolic.SIZES", ((1, 2),))
    monkeypatch.setattr("benchmarks.bench_symbolic.ORDERS", (2,))
    for table in (*derivation(), *moments()):
        assert all(table.rows[0][f"{name} [s]"] > 0 for name in ("quadflow", *peers.PEERS))
        best = min(table.rows[0][f"{name} [s]"] for name in peers.PEERS)
        assert table.rows[0]["best of SymPy / quadflow"] == best / table.rows[0]["quadflow [s]"]
