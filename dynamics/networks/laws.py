"""What the gradient flow of a network of one's own conserves, whatever the target: known from its layers, or searched.

Of networks put together from layers the balances between these are known (`dynamics.networks.balances`). Those of an
expression are found by exact linear algebra (`dynamics.laws.discovery`): all polynomial laws up to the second degree.
A law that is homogeneous of degree s falls as e^{−sρt} under the weight decay ½ρ‖θ‖² (derived here: f stays along the
orbits of the symmetry, and θ̇ = … − ρθ scales it).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sympy

from dynamics.aliases import Array
from dynamics.budget import check_number
from dynamics.laws import Law, PolynomialNetwork, discover_laws
from dynamics.networks.balances import Balance, entries
from dynamics.networks.network import Network, monomials, shortened

SEARCHED = 40  # parameters up to which laws of an expression are looked for
DEGREE = 2
LARGEST_POLYNOMIAL = 3_000  # monomials


@dataclass(frozen=True, eq=False)
class NetworkLaw:
    """One law.

    Parameters
    ----------
    text : str
    values : callable θ (P,) → (m,)
        Its constants: one for each unit, or the upper triangle of a matrix, or one.
    degree : int or None
        s of a homogeneous one.
    """

    text: str
    values: Callable[[Array], Array]
    degree: int | None = 2


def conserved_laws(network: Network) -> tuple[NetworkLaw, ...]:
    """The laws of a network; none where they are neither known nor searched for (see `SEARCHED`)."""
    if network.expressions is None:
        return tuple(_of_balance(network, balance) for balance in network.balances)
    if not 0 < network.size <= SEARCHED:
        return ()
    found = discover_laws(polynomial_network(network), DEGREE)
    return tuple(_of_expression(law) for law in found.independent_laws)


def polynomial_network(network: Network) -> PolynomialNetwork:
    """The network for exact algebra, with the laws that are known of it as its family.

    Raises
    ------
    ProblemError
        If it has too many parameters, or monomials in the inputs, for formulas.
    """
    if network.expressions is None:  # which an expression names one by one
        check_number(
            f"A formula of the network {shortened(network.spec)!r}",
            monomials(network.degree, network.inputs) * network.outputs,
            LARGEST_POLYNOMIAL,
            "monomials",
            "use fewer inputs or a lower degree",
        )
    x, theta, outputs = network.symbolic()
    exact = tuple(sympy.nsimplify(f, rational=True) if f.has(sympy.Float) else f for f in outputs)
    known = None if network.expressions is not None else lambda: symbolic_balances(network)
    return PolynomialNetwork(network.spec, theta, x, exact, family=known)


def symbolic_balances(network: Network) -> list[Law]:
    """The balances between layers as expressions, entry by entry."""
    symbols = {p.name: p.symbols for p in network.parameters}
    theta = tuple(s for p in network.parameters for s in np.ravel(symbols[p.name]))
    return [
        Law(sympy.expand(value), theta, balance.text)
        for balance in network.balances
        for value in entries(np.asarray(balance(symbols)))
    ]


def _of_balance(network: Network, balance: Balance) -> NetworkLaw:
    return NetworkLaw(balance.text, lambda theta: entries(balance(network.named(theta))))


def _of_expression(law: Law) -> NetworkLaw:
    degree = sympy.Poly(law.expression, *law.parameters).homogeneous_order()
    return NetworkLaw(
        str(law.expression), lambda theta: np.atleast_1d(law(theta)), None if degree is None else int(degree)
    )
