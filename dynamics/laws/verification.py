"""Proofs about given laws: that they are conserved, and that they are independent of each other."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from dynamics.errors import ProblemError
from dynamics.laws.fields import GradientFields
from dynamics.laws.law import Law
from dynamics.laws.modular import (
    PRIME,
    NotRational,
    RowSpace,
    Vector,
    random_point,
    rational_gradient,
)
from dynamics.laws.polynomial_network import PolynomialNetwork

DIGITS = 60  # working precision for laws that are not rational functions


def is_conserved(law: Law | sympy.Expr, network: PolynomialNetwork, *, seed: int = 0) -> bool:
    """Whether gradient flow of every loss of f keeps a function of the parameters constant.

    ∇law · X_i is evaluated at a random point: modulo a prime for a rational function (a wrong "yes" has
    probability below 10⁻¹², a wrong "no" cannot happen), in 60-digit arithmetic otherwise.

    Parameters
    ----------
    law : Law or expression
        The candidate.
    network : PolynomialNetwork
        The model.
    seed : int
        Of the random point.

    Returns
    -------
    bool

    Raises
    ------
    ProblemError
        If the candidate is no function of the network's parameters.
    """
    law = as_law(law, network)
    gradients = GradientFields(network.potentials, network.rates)
    point = random_point(gradients.size, seed)
    try:
        slope = rational_gradient(law.expression, law.parameters, point)
    except NotRational:
        return _is_conserved_numerically(law, network, point)
    return all(
        sum(s * x for s, x in zip(slope, gradients.value(X, point), strict=True)) % PRIME == 0
        for X in gradients.fields
    )


def independent_laws(laws: Sequence[Law], *, seed: int = 0) -> list[Law]:
    """Functionally independent laws: each is kept if its gradient is independent of those kept before it.

    What is kept is proven independent, because the rank at one point bounds the generic rank from below. A law
    is dropped wrongly with probability below 10⁻¹², or where a law with a `witness` forces a special point.

    Parameters
    ----------
    laws : sequence of Law
        Functions of the same parameters.
    seed : int
        Of the random point.

    Returns
    -------
    list of Law

    Raises
    ------
    ProblemError
        If the laws have different parameters, or one has no gradient that can be evaluated exactly.
    """
    if len({law.parameters for law in laws}) > 1:
        raise ProblemError("`laws` have different parameters, but must be functions of the same ones.")
    if not laws:
        return []
    parameters = laws[0].parameters
    special = {symbol: value for law in laws for symbol, value in law.witness.items()}
    random_values = random_point(len(parameters), seed)
    point = [special.get(symbol, x) for symbol, x in zip(parameters, random_values, strict=True)]
    span = RowSpace()
    return [law for law in laws if span.add(_exact_gradient(law, point))]


def as_law(law: Law | sympy.Expr, network: PolynomialNetwork) -> Law:
    """The law itself, or an expression made into one, checked to belong to the network."""
    if not isinstance(law, Law):
        return Law(law, network.parameters)
    if law.parameters != network.parameters:
        raise ProblemError(f"`law` is {law}, which is a function of other parameters than the network's.")
    return law


def _exact_gradient(law: Law, point: Vector) -> Vector:
    """Gradient modulo p; that of a law that is not rational must be so at the point."""
    try:
        return rational_gradient(law.expression, law.parameters, point)
    except NotRational:
        values = dict(zip(law.parameters, map(sympy.Integer, point), strict=True))
        slope = [sympy.radsimp(law.expression.diff(theta).subs(values)) for theta in law.parameters]
        if not all(derivative.is_Rational for derivative in slope):
            raise ProblemError(
                f"`laws` contains {law}, whose independence cannot be proven exactly: its gradient is not"
                " rational."
            ) from None
        return [int(s.p) * pow(int(s.q), -1, PRIME) % PRIME for s in slope]


def _is_conserved_numerically(law: Law, network: PolynomialNetwork, seeds: Vector) -> bool:
    """∇law · X_i against the size of its terms, in high precision; coordinates of order one."""
    point = [sympy.Rational(x % 10**12, 10**12) + sympy.Rational(1, 2) for x in seeds]
    values = dict(zip(law.parameters, point, strict=True))
    slope = [law.expression.diff(theta).subs(values).evalf(DIGITS) for theta in law.parameters]
    for potential in network.potentials:
        terms = [
            s * rate * potential.diff(j).as_expr().subs(values).evalf(DIGITS)
            for j, (s, rate) in enumerate(zip(slope, network.rates, strict=True))
        ]
        if abs(sum(terms)) > sum(map(abs, terms)) * sympy.Rational(1, 10 ** (DIGITS // 2)):
            return False
    return True
