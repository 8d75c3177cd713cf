"""Sizes of derivations are known before they are made."""

import tracemalloc

import numpy as np
import pytest
import sympy
from sympy.polys.rings import PolyRing

from dynamics import ProblemError, budget, derive
from dynamics.activations import Activation
from dynamics.symbolic.size import derivation_size

SIGMA = np.eye(3) + 0.5  # no entry is zero
CASES = [
    (2, 3, 1, {}),
    (3, 2, 2, {}),
    (2, 3, 1, {"second_layer": "fixed"}),
    (1, 4, 2, {"activation": "centred"}),
    (2, 3, 1, {"covariance": SIGMA}),
]


def predicted(K, d, O, activation="quadratic", second_layer="trainable", covariance=None):
    law = "identity" if covariance is None else "symbolic" if isinstance(covariance, str) else "numbers"
    phi = Activation.parse(activation)
    return derivation_size(K, d, O, trainable=second_layer == "trainable", activation=phi, covariance=law)


def terms(expression, symbols):
    return len(PolyRing(sorted(symbols, key=str), sympy.QQ).from_expr(expression))


@pytest.mark.parametrize(("K", "d", "O", "options"), CASES)
def test_numbers_of_terms_are_those_of_the_derivation(K, d, O, options):
    """Counted in the expanded equations."""
    derivation = derive(K, d, O, **options)
    size = predicted(K, d, O, **options)
    symbols = {*derivation.parameters, *derivation.targets, *derivation.residual}
    assert size.residual == sum(terms(entry, symbols) for entry in derivation.residual.values())
    assert size.rates == sum(terms(rate, symbols) for rate in derivation.residual_ode.values())


@pytest.mark.parametrize("options", [{}, {"covariance": SIGMA}, {"covariance": "symbolic"}])
@pytest.mark.parametrize("phi", [lambda z, q: z**3, lambda z, q: z**3 - 3 * z * q], ids=["z³", "He₃"])
def test_numbers_of_terms_of_a_cubic_derivation_are_an_upper_bound(phi, options):
    """By no more than a factor of 16: slopes do not have all terms, those of He₃ for Σ = I but one."""
    cubic = Activation("cubic", "", phi, degree=3, parity=-1)
    derivation = derive(2, 3, 1, cubic, **options)
    size = predicted(2, 3, 1, cubic, **options)
    symbols = {
        *derivation.parameters,
        *derivation.targets,
        *derivation.residual,
        *derivation.covariance_symbols,
    }
    assert size.residual == sum(terms(entry, symbols) for entry in derivation.residual.values())
    rates = sum(terms(rate, symbols) for rate in derivation.residual_ode.values())
    assert rates <= size.rates <= 16 * rates


def test_the_square_is_multiplied_out():
    """(Σ_ij D_ij x_i x_j)² over i ≤ j, expanded by SymPy: coefficients of all monomials in x."""
    d = 4
    D = {(i, j): sympy.Symbol(f"D_{i}_{j}") for i in range(d) for j in range(i, d)}
    ring = PolyRing([f"x_{i}" for i in range(d)], PolyRing(list(D.values()), sympy.QQ).to_domain())
    form = sum(ring(symbol) * ring.gens[i] * ring.gens[j] for (i, j), symbol in D.items())
    assert predicted(1, d, 1).square == sum(len(coefficient) for coefficient in (form**2).values())


@pytest.mark.parametrize(
    ("K", "d", "O", "options"),
    [(2, 11, 1, {}), (30, 3, 1, {}), (3, 5, 3, {}), (2, 5, 1, {"covariance": "symbolic"})],
)
def test_memory_is_that_of_the_derivation(K, d, O, options):
    """Peak of Python's allocations, within a factor of 3: dictionaries grow in jumps, expressions share parts.

    It is smaller still, up to 5 times, where SymPy's caches hold parts from earlier tests.
    """
    derive(1, 1)  # imports and caches
    tracemalloc.start()
    derive(K, d, O, **options)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 1 / 3 < predicted(K, d, O, **options).nbytes / peak < 5


def test_large_derivations_are_refused(monkeypatch):
    """50 inputs: P = 1275, P(P + 1)/2 = 813,450 products; 10⁴ units: exponents of 50,000 symbols in each term."""
    with pytest.raises(ProblemError, match="terms, but at most 250,000 are allowed: `--format tensor`"):
        derive(20, 50)
    monkeypatch.setattr(budget, "memory_budget", lambda: 4e9)
    with pytest.raises(ProblemError, match=r"would take about 7\.3 GB of memory.*`--format tensor`"):
        derive(10_000, 2)
    with pytest.raises(ProblemError, match=r"6e\+73 terms"):
        derive(2**62, 2**62)


@pytest.mark.parametrize("covariance", ["identity", "symbolic"])
def test_memory_by_hand(covariance):
    """K = 1, d = 2, O = 1: P = 3 entries. A term costs 750 bytes and 8 for every symbol of its ring; in a rate, 1000.

    The square has P (P + 1)/2 = 6 products in P symbols, the residuals P (K + 1) = 6 terms in 3 parameters and P
    entries. Σ as symbols adds P of them, and three coefficients to every product.
    """
    size = predicted(1, 2, 1, covariance=None if covariance == "identity" else covariance)
    more, products = (0, 1) if covariance == "identity" else (3, 3)
    assert (size.square, size.residual) == (6 * products, 6)
    square, residual = 6 * products * (750 + 8 * (3 + more)), 6 * (750 + 8 * (3 + 3 + more))
    assert size.nbytes == square + residual + 1000 * size.rates


@pytest.mark.parametrize(
    ("phi", "psi"),
    [
        ("polynomial:0,1,0.5,2", None),
        ("hermite:3", None),
        ("hermite:2", "hermite:3"),
        ("quadratic", "polynomial:1,0,2"),
    ],
)
@pytest.mark.parametrize("covariance", [None, SIGMA])
def test_numbers_of_terms_of_polynomials_are_upper_bounds(phi, psi, covariance):
    """Several orders of tensors, and a teacher of its own: within a factor of 40 of the expanded equations."""
    derivation = derive(2, 3, 1, phi, teacher_activation=psi, covariance=covariance)
    one, other = Activation.parse(phi), None if psi is None else Activation.parse(psi)
    law = "identity" if covariance is None else "numbers"
    size = derivation_size(2, 3, 1, trainable=True, activation=one, covariance=law, teacher_activation=other)
    roots = {sympy.sqrt(n): sympy.Symbol(f"root_{n}") for n in (2, 3, 6)}  # factors alone: they add no terms
    symbols = {*derivation.parameters, *derivation.targets, *derivation.residual, *roots.values()}
    residual = sum(terms(entry.xreplace(roots), symbols) for entry in derivation.residual.values())
    rates = sum(
        terms(sympy.expand(rate).xreplace(roots), symbols) for rate in derivation.residual_ode.values()
    )
    assert residual <= size.residual
    assert rates <= size.rates <= 40 * rates
