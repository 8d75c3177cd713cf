"""The models: each is its outputs as SymPy expressions, together with the laws that are known for it.

What the algebra needs is read off from the outputs (`PolynomialNetwork.coefficients`), never typed in. The
known families of laws are claims, which counting verifies before it believes them.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import sympy

from dynamics.errors import ProblemError
from dynamics.laws import families
from dynamics.laws.law import Law
from dynamics.laws.polynomial_network import PolynomialNetwork, exact_rational
from dynamics.validation import validate_count

Matrix = list[list[sympy.Symbol]]


def quadratic(
    inputs: int,
    hidden: int,
    outputs: int = 1,
    *,
    second_layer: Any = None,
    centred: bool = False,
    rates: tuple[Any, Any] = (1, 1),
) -> PolynomialNetwork:
    """Quadratic network f_o(x) = Σ_k A_ok (w_k·x)², trainable or with a fixed second layer.

    Parameters
    ----------
    inputs, hidden, outputs : int
        d, K, O.
    second_layer : (K,) or (O, K) numbers, optional
        Fixed output weights, for example (1, 1, −1); trainable if left out.
    centred : bool
        Subtract ‖w‖² from (w·x)²: the coefficients then span the same functions of the weights, so the laws
        that hold for every target are the same.
    rates : (rate of W, rate of A)
        Learning rates.

    Raises
    ------
    ProblemError
        If a size is not a positive whole number or `second_layer` does not fit.
    """
    d, K = validate_count("inputs", inputs), validate_count("hidden", hidden)
    O = validate_count("outputs", outputs)
    rates = _pair_of_rates(rates)
    W, x = matrix("w", K, d), vector("x", d)
    if second_layer is None:
        trained = output_weights(O, K)
        parameters = _flat(W, trained)
        family = partial(families.balance_laws, W, trained, 2, parameters, rates)
        if d == O == 1:
            family = partial(_one_dimensional_laws, W, trained, parameters, rates)
        return PolynomialNetwork(
            "quadratic",
            parameters,
            x,
            _two_layer(W, trained, x, 2, centred),
            (rates[0],) * (K * d) + (rates[1],) * (O * K),
            family,
        )
    A = fixed_output_weights(second_layer, K, O)
    parameters = _flat(W)
    return PolynomialNetwork(
        "quadratic, fixed second layer",
        parameters,
        x,
        _two_layer(W, A, x, 2, centred),
        (rates[0],) * (K * d),
        partial(families.fixed_output_laws, W, A, parameters),
    )


def linear(
    inputs: int, hidden: int, outputs: int = 1, *, rates: tuple[Any, Any] = (1, 1)
) -> PolynomialNetwork:
    """Linear two-layer network f(x) = A W x, that is U Vᵀ with U = A (O, K) and V = Wᵀ (d, K)."""
    d, K, O = (
        validate_count("inputs", inputs),
        validate_count("hidden", hidden),
        validate_count("outputs", outputs),
    )
    rates = _pair_of_rates(rates)
    W, A, x = matrix("w", K, d), output_weights(O, K), vector("x", d)
    parameters = _flat(W, A)
    return PolynomialNetwork(
        "linear",
        parameters,
        x,
        _two_layer(W, A, x, 1),
        (rates[0],) * (K * d) + (rates[1],) * (O * K),
        partial(families.balance_matrix_laws, W, A, parameters, rates),
    )


def relu(inputs: int, hidden: int, outputs: int = 1, *, rates: tuple[Any, Any] = (1, 1)) -> PolynomialNetwork:
    """Two-layer ReLU network, locally: f_o = Σ_k A_ok w_k·y_k with y_k = x where unit k is active, else 0.

    For inputs with a density everywhere and no two w_k parallel the features y_k are linearly independent, so f
    depends on the path products w_k ⊗ A_·k of each unit separately.
    """
    d, K, O = (
        validate_count("inputs", inputs),
        validate_count("hidden", hidden),
        validate_count("outputs", outputs),
    )
    rates = _pair_of_rates(rates)
    W, A, Y = matrix("w", K, d), output_weights(O, K), matrix("y", K, d)
    parameters = _flat(W, A)
    return PolynomialNetwork(
        "relu",
        parameters,
        tuple(itertools.chain(*Y)),
        tuple(sum(a * families.dot(w, y) for a, w, y in zip(row, W, Y, strict=True)) for row in A),
        (rates[0],) * (K * d) + (rates[1],) * (O * K),
        partial(families.balance_laws, W, A, 1, parameters, rates),
    )


def absolute(
    inputs: int, hidden: int, outputs: int = 1, *, rates: tuple[Any, Any] = (1, 1)
) -> PolynomialNetwork:
    """Two-layer absolute-value network, locally: as `relu`, with y_k = ±x by the sign of w_k·x; two inputs or more."""
    if validate_count("inputs", inputs) == 1:
        raise ProblemError(
            "`inputs` is 1, where all units compute |w_k||x| and have more laws in common: abs needs at least 2."
        )
    return replace(relu(inputs, hidden, outputs, rates=rates), name="abs")


def bilinear(
    inputs: int, hidden: int, *, output_weight: bool = True, rates: tuple[Any, Any, Any] = (1, 1, 1)
) -> PolynomialNetwork:
    """Bilinear units f(x) = Σ_k a_k (r_k·x)(g_k·x), or with all a_k = 1; rates of r, g and a."""
    d, K = validate_count("inputs", inputs), validate_count("hidden", hidden)
    if len(rates) != 3:
        raise ProblemError(f"`rates` are {rates}, but must be three numbers, for r, g and a.")
    eta_r, eta_g, eta_a = (exact_rational("rates", rate) for rate in rates)
    R, G, x = matrix("r", K, d), matrix("g", K, d), vector("x", d)
    a = vector("a", K) if output_weight else (sympy.S.One,) * K
    f = sum(b * families.dot(r, x) * families.dot(g, x) for b, r, g in zip(a, R, G, strict=True))
    parameters = _flat(R, G, [a] if output_weight else [])
    return PolynomialNetwork(
        "bilinear" if output_weight else "bilinear, no output weight",
        parameters,
        x,
        (f,),
        (eta_r,) * (K * d) + (eta_g,) * (K * d) + (eta_a,) * (K if output_weight else 0),
        partial(_weighted_bilinear_laws, R, G, a, parameters, (eta_r, eta_g, eta_a))
        if output_weight
        else partial(families.bilinear_laws, R, G, parameters, (eta_r, eta_g)),
    )


def polynomial(
    outputs: Any,
    inputs: Sequence[sympy.Symbol],
    parameters: Sequence[sympy.Symbol] | None = None,
    *,
    rates: Mapping[sympy.Symbol, Any] | None = None,
) -> PolynomialNetwork:
    """Any polynomial network given as SymPy expressions.

    Parameters
    ----------
    outputs : expression or sequence of expressions
        f_o(x; θ).
    inputs : sequence of symbols
        x.
    parameters : sequence of symbols, optional
        θ; every other symbol of the outputs, by name, if left out.
    rates : mapping of parameter to number, optional
        Learning rates that differ from 1.
    """
    expressions = [outputs] if isinstance(outputs, sympy.Expr) else list(outputs)
    if not expressions or not all(isinstance(f, sympy.Expr) for f in expressions):
        raise ProblemError(f"`outputs` is {outputs!r}, but must be one or more SymPy expressions.")
    if parameters is None:
        free = set().union(*(f.free_symbols for f in expressions)) - set(inputs)
        parameters = sorted(free, key=sympy.default_sort_key)
    unknown = sorted(map(str, set(rates or {}) - set(parameters)))
    if unknown:
        raise ProblemError(f"`rates` names {', '.join(unknown)}, but only parameters have learning rates.")
    return PolynomialNetwork(
        "polynomial",
        tuple(parameters),
        tuple(inputs),
        tuple(expressions),
        tuple((rates or {}).get(theta, 1) for theta in parameters),
    )


def matrix(name: str, rows: int, columns: int) -> Matrix:
    """Symbols name_i_j as nested lists."""
    return [[sympy.Symbol(f"{name}_{i}_{j}") for j in range(columns)] for i in range(rows)]


def vector(name: str, size: int) -> tuple[sympy.Symbol, ...]:
    """Symbols name_i."""
    return tuple(sympy.Symbol(f"{name}_{i}") for i in range(size))


def output_weights(outputs: int, hidden: int) -> Matrix:
    """Symbols of a trained second layer, (O, K)."""
    return [list(vector("a", hidden))] if outputs == 1 else matrix("a", outputs, hidden)


def fixed_output_weights(values: Any, hidden: int, outputs: int) -> list[list[sympy.Rational]]:
    """(O, K) rationals from K numbers or O rows of K numbers."""
    rows = np.atleast_2d(np.array(values, dtype=object))
    if rows.ndim != 2 or rows.shape[1] != hidden or rows.shape[0] == 0 or outputs not in (1, len(rows)):
        raise ProblemError(
            f"`second_layer` has shape {rows.shape}, but must hold {hidden} numbers, one per unit, or one such"
            " row per output."
        )
    return [[exact_rational("second_layer", value) for value in row] for row in rows]


def _pair_of_rates(rates: tuple[Any, Any]) -> tuple[sympy.Rational, sympy.Rational]:
    if len(rates) != 2:
        raise ProblemError(f"`rates` are {rates}, but must be two numbers, for the first and second layer.")
    return exact_rational("rates", rates[0]), exact_rational("rates", rates[1])


def _flat(*matrices: Any) -> tuple[sympy.Symbol, ...]:
    return tuple(symbol for rows in matrices for row in rows for symbol in row)


def _two_layer(W: Matrix, A: Any, x: Any, power: int, centred: bool = False) -> tuple[sympy.Expr, ...]:
    hidden = [families.dot(w, x) ** power - (families.dot(w, w) if centred else 0) for w in W]
    return tuple(families.dot(row, hidden) for row in A)


def _one_dimensional_laws(W: Matrix, A: Matrix, parameters: Any, rates: Any) -> list[Law]:
    return families.balance_laws(W, A, 2, parameters, rates) + families.travel_time_laws(
        [row[0] for row in W], A[0], parameters, rates
    )


def _weighted_bilinear_laws(R: Matrix, G: Matrix, a: Any, parameters: Any, rates: Any) -> list[Law]:
    """‖r_k‖²/η_r − a_k²/η_a and the same for g_k: f is linear in r_k, in g_k and in a_k."""
    eta_r, eta_g, eta_a = rates
    return families.balance_laws(R, [a], 1, parameters, (eta_r, eta_a)) + families.balance_laws(
        G, [a], 1, parameters, (eta_g, eta_a)
    )
