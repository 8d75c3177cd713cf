"""Exact numbers and exact checks that the symbolic modules share."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import sympy
from sympy.polys.rings import PolyRing

from dynamics.covariance import validate_covariance
from dynamics.errors import ProblemError
from dynamics.problem.weight_decay import WeightDecay
from dynamics.validation import validate_choice, validate_real


def exact_number(name: str, value: Any) -> sympy.Rational:
    """The rational number equal to the shortest decimal representation of a float: 0.1 becomes 1/10."""
    if isinstance(value, int | np.integer | Fraction | sympy.Rational):
        return sympy.Rational(value)
    return sympy.Rational(repr(validate_real(name, value)))


def exact_array(name: str, value: Any, shape: tuple[int, ...]) -> list[Any]:
    """Nested lists of exact numbers, from anything that broadcasts to the shape."""
    try:
        array = np.broadcast_to(np.array(value, dtype=object), shape)
    except ValueError:
        raise ProblemError(f"`{name}` has shape {np.shape(value)}, but must fit the shape {shape}.") from None
    return np.vectorize(lambda entry: exact_number(name, entry), otypes=[object])(array).tolist()


def exact_covariance(covariance: Any, d: int) -> tuple[sympy.ImmutableMatrix | None, list[sympy.Symbol]]:
    """Σ as an exact matrix, None for the identity, and its symbols ``s_i_j``, i ≤ j, if it is "symbolic"."""
    if covariance is None:
        return None, []
    if isinstance(covariance, str):
        validate_choice("covariance", covariance, ("symbolic",))
        s = {(i, j): sympy.Symbol(f"s_{i}_{j}") for i in range(d) for j in range(i, d)}
        return sympy.ImmutableMatrix(d, d, lambda i, j: s[min(i, j), max(i, j)]), list(s.values())
    Sigma = validate_covariance(covariance, d)
    return sympy.ImmutableMatrix(exact_array("covariance", Sigma, (d, d))), []


def exact_decay(weight_decay: Any, trainable: bool) -> tuple[sympy.Expr, sympy.Expr]:
    """Rates ρ_w and ρ_a as exact numbers, or as symbols if they are "symbolic"; ρ_a = 0 of a fixed second layer."""
    if isinstance(weight_decay, str):
        validate_choice("weight_decay", weight_decay, ("symbolic",))
        return sympy.Symbol("rho_w"), sympy.Symbol("rho_a") if trainable else sympy.S.Zero
    decay = WeightDecay.of(weight_decay, trainable)
    return exact_number("weight_decay", decay.first), exact_number("weight_decay", decay.second)


def vanishes(expression: sympy.Expr) -> bool:
    """Whether a polynomial with rational coefficients, or square roots of them, is zero: its expanded form decides."""
    symbols = sorted(expression.free_symbols, key=str)
    if not symbols:
        return bool(sympy.expand(expression) == 0)
    roots = sorted((root for root in expression.atoms(sympy.Pow) if root.is_number), key=str)
    field = sympy.QQ.algebraic_field(*roots) if roots else sympy.QQ
    return not PolyRing(symbols, field).from_expr(expression)


def is_conserved(law: sympy.Expr, ode: Mapping[sympy.Symbol, sympy.Expr]) -> bool:
    """Whether a polynomial is constant along polynomial ODEs, by exact expansion of its time derivative."""
    return changes(law, sympy.S.Zero, ode)


def changes(law: sympy.Expr, rate: sympy.Expr, ode: Mapping[sympy.Symbol, sympy.Expr]) -> bool:
    """Whether the time derivative of a polynomial along polynomial ODEs is a given one, likewise."""
    moving = law.free_symbols & ode.keys()
    return vanishes(sympy.Add(*(sympy.diff(law, theta) * ode[theta] for theta in moving), -rate))
