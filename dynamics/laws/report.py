"""What `quadflow conserved` prints: the laws of a model and their number, as plain data."""

from __future__ import annotations

from typing import Any

from dynamics.laws.counting import count_laws
from dynamics.laws.polynomial_network import PolynomialNetwork


def conserved_report(
    network: PolynomialNetwork, *, degree: int = 2, seed: int = 0, progress: bool = False
) -> dict[str, Any]:
    """Laws that hold for every target, and how many there are, ready for JSON.

    Parameters
    ----------
    network : PolynomialNetwork
        The model.
    degree : int
        Largest degree of the polynomial laws to look for where no family is known.
    seed : int
        Of the random points at which ranks are taken.
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Returns
    -------
    dict
        "parameters" : int, how many; "laws" : list of str, independent laws as SymPy-parsable expressions;
        "count" : int, parameters minus dimension; "lie_algebra_dimension" : int; "exact" : bool, True where as
        many independent laws are listed as "count" says (otherwise "count" is an upper bound).
    """
    result = count_laws(network, degree=degree, seed=seed, progress=progress)
    return {
        "parameters": result.parameters,
        "laws": [str(law.expression) for law in result.laws],
        "count": result.count,
        "lie_algebra_dimension": result.lie_algebra_dimension,
        "exact": result.exact,
    }
