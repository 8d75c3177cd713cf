"""What `quadflow conserved` prints: the laws of a model and their number, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynamics.errors import ProblemError
from dynamics.laws.counting import count_laws
from dynamics.laws.decay import decayed_laws, is_second_layer
from dynamics.laws.polynomial_network import PolynomialNetwork
from dynamics.problem.weight_decay import WeightDecay


def conserved_report(
    network: PolynomialNetwork,
    *,
    degree: int = 2,
    weight_decay: float | Sequence[float] = 0.0,
    seed: int = 0,
    progress: bool = False,
) -> dict[str, Any]:
    """Laws that hold for every target, and how many there are, ready for JSON.

    Parameters
    ----------
    network : PolynomialNetwork
        The model.
    degree : int
        Largest degree of the polynomial laws to look for where no family is known.
    weight_decay : float or (ρ_w, ρ_a)
        Rate at which all weights decay; or those of the first and of the second layer, of a model that has these.
    seed : int
        Of the random points at which ranks are taken.
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Returns
    -------
    dict
        "parameters" : int, how many; "laws" : list of str, independent laws as SymPy-parsable expressions;
        "count" : int, parameters minus dimension; "lie_algebra_dimension" : int; "exact" : bool, True where as
        many independent laws are listed as "count" says (otherwise "count" is an upper bound). With weight decay these
        are the laws without it, and "decayed_laws" says what becomes of each: "law" : str; "rate" : float, of the
        law(0) e^{−rate t} that it follows, or None; "constant" : str or None, what stays constant, with the time t;
        "velocity" : str, its rate of change in the weights.

    Raises
    ------
    ProblemError
        If a decay is negative, or two are given for a network without a second layer.
    """
    decay = WeightDecay.of(weight_decay, trainable=True)
    second = [p for p in network.parameters if is_second_layer(p)]
    if not (decay.equal or second):
        raise ProblemError(
            f"`weight_decay` is {decay}, but the network has no second layer a_… to decay by itself: give one rate."
        )
    result = count_laws(network, degree=degree, seed=seed, progress=progress)
    report = {
        "parameters": result.parameters,
        "laws": [str(law.expression) for law in result.laws],
        "count": result.count,
        "lie_algebra_dimension": result.lie_algebra_dimension,
        "exact": result.exact,
    }
    if decay:
        found = decayed_laws(result.laws, lambda p: decay.second if p in second else decay.first)
        report["decayed_laws"] = [
            {"law": str(d.law), "rate": d.rate, "constant": d.constant, "velocity": str(d.velocity)}
            for d in found
        ]
    return report
