"""Networks of any activation as polynomial networks, locally in the weights, and what is known without one.

Derived here: a quantity F(w_k, A_k) of a single unit with two inputs or more is conserved for all targets and losses if
and only if z φ′(z) = h φ(z). [∇_wF·x a φ′(w·x) + F_a φ(w·x) = 0 for all x makes ∇_wF parallel to w.] Then φ(z) is
c₊ z^h above and c₋ |z|^h below zero, and F = ‖w_k‖² − h Σ_o A_ok².
"""

from __future__ import annotations

from functools import partial
from typing import Any

import sympy

from dynamics.activations import Activation
from dynamics.budget import check_number
from dynamics.errors import ProblemError
from dynamics.laws import families
from dynamics.laws.model_table import check_size
from dynamics.laws.models import fixed_output_weights, linear, matrix, output_weights, quadratic, vector
from dynamics.laws.polynomial_network import PolynomialNetwork
from dynamics.symbolic.polynomials import ExactPolynomial, exact_polynomial

LARGEST_POLYNOMIAL = 3000  # monomials of all units together: their brackets take up to half a minute
NO_LAW = (
    "The activation {phi!r} is not homogeneous, so that no law of one unit of this kind, F(w_k, a_k), holds for every"
    " target; whether there are laws that mix units is not known."
)


def activation_network(
    activation: Activation | str, inputs: int, hidden: int, outputs: int = 1, *, second_layer: Any = None
) -> PolynomialNetwork | None:
    """Two-layer network of an activation as a polynomial network with the known laws.

    Polynomials are what they are. Other homogeneous φ are locally A_ok (w_k·y_k)^h with features y_k = x c(sign w_k·x)
    of each unit, which are linearly independent for two inputs or more and no two w_k parallel.

    Parameters
    ----------
    activation : Activation or str
    inputs, hidden, outputs : int
        d, K, O.
    second_layer : (K,) or (O, K) numbers, optional
        Fixed output weights; trained if left out.

    Returns
    -------
    PolynomialNetwork or None
        None if φ is neither homogeneous nor a polynomial.

    Raises
    ------
    ProblemError
        If a size does not fit, or the network is too large for the algebra.
    """
    phi = Activation.parse(activation)
    check_size(inputs, hidden, outputs)
    if phi.trace_coupling is not None:
        return quadratic(inputs, hidden, outputs, second_layer=second_layer, centred=phi.trace_coupling == 0)
    if phi.is_identity and second_layer is None:
        return linear(inputs, hidden, outputs)
    polynomial = exact_polynomial(phi)
    if polynomial is None and phi.degree is None:
        return None
    if polynomial is None and inputs == 1:
        raise ProblemError(
            f"`inputs` is 1, where all units compute the same functions of x and have more laws in common:"
            f" {phi.name} needs at least 2."
        )
    terms = ExactPolynomial({(phi.degree or 0, 0): sympy.S.One}) if polynomial is None else polynomial
    order = max(terms.orders)
    what = f"The activation {phi.name!r} with inputs = {inputs} and hidden = {hidden}"
    monomials = sum(sympy.binomial(inputs + n - 1, n) for n in terms.powers)
    check_number(
        what, hidden * outputs * int(monomials), LARGEST_POLYNOMIAL, "monomials", "lower `inputs` or `hidden`"
    )
    W, x = matrix("w", hidden, inputs), vector("x", inputs)
    features = [list(x)] * hidden if polynomial else matrix("y", hidden, inputs)
    A = (
        output_weights(outputs, hidden)
        if second_layer is None
        else fixed_output_weights(second_layer, hidden, outputs)
    )
    units = [_unit(terms, w, y) for w, y in zip(W, features, strict=True)]
    trained = [*W, *A] if second_layer is None else W
    parameters = tuple(symbol for row in trained for symbol in row)
    balances = phi.degree is not None and second_layer is None
    return PolynomialNetwork(
        phi.name,
        parameters,
        x if polynomial else tuple(y for row in features for y in row),
        tuple(families.dot(row, units) for row in A),
        family=partial(families.balance_laws, W, A, order, parameters) if balances else None,
    )


def _unit(phi: ExactPolynomial, w: Any, y: Any) -> sympy.Expr:
    """√N φ(w·y): laws do not depend on a common factor."""
    z, q = families.dot(w, y), families.dot(w, w)
    return sympy.Add(*(c * z**n * q**m for (n, m), c in phi.terms.items()))


def unknown_laws(
    activation: Activation | str, inputs: int, hidden: int, outputs: int, trainable: bool
) -> dict[str, Any]:
    """The report of `dynamics.laws.report.conserved_report` where the algebra of the network is not known."""
    phi = Activation.parse(activation)
    return {
        "parameters": hidden * (inputs + outputs * trainable),
        "laws": [],
        "count": None,
        "lie_algebra_dimension": None,
        "exact": False,
        "warnings": [NO_LAW.format(phi=phi.name)],
    }
