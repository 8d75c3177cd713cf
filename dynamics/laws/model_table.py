"""Models by name, with the options that apply to each, and how large they may be."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from dynamics.budget import check_memory, check_number
from dynamics.errors import ProblemError
from dynamics.laws.models import absolute, bilinear, linear, quadratic, relu
from dynamics.laws.polynomial_network import PolynomialNetwork
from dynamics.validation import validate_choice, validate_count

LARGEST_NETWORK = 300  # parameters: ranks of their brackets take up to a minute or two

MODELS: dict[str, Callable[..., PolynomialNetwork]] = {
    "quadratic": quadratic,
    "linear": linear,
    "relu": relu,
    "bilinear": bilinear,
    "abs": absolute,
}


def build_model(
    name: str,
    inputs: int,
    hidden: int,
    outputs: int = 1,
    *,
    output_weight: bool | None = None,
    second_layer: Any = None,
) -> PolynomialNetwork:
    """Model by its name in `MODELS`, with the options that apply to it.

    Raises
    ------
    ProblemError
        If the name is unknown, an option does not apply to the model or a size does not fit.
    """
    constructor = MODELS[validate_choice("model", name, MODELS)]
    options = {
        "outputs": None if outputs == 1 else outputs,
        "output_weight": output_weight,
        "second_layer": second_layer,
    }
    given = {option: value for option, value in options.items() if value is not None}
    check_size(inputs, hidden, outputs, layers=1 + (name == "bilinear"))
    for option in given:
        if option not in inspect.signature(constructor).parameters:
            raise ProblemError(f"`{option}` is {given[option]!r}, but the model {name} has no such option.")
    return constructor(inputs, hidden, **given)


def check_size(inputs: int, hidden: int, outputs: int, layers: int = 1) -> None:
    """Refuse networks whose gradients nobody could wait for; their laws look like those of smaller ones.

    Parameters
    ----------
    inputs, hidden, outputs : int
        d, K, O.
    layers : int
        Number of layers with d × K weights.
    """
    d, K, O = (
        validate_count(n, v) for n, v in (("inputs", inputs), ("hidden", hidden), ("outputs", outputs))
    )
    what, remedy = (
        f"A network with inputs = {d}, hidden = {K} and outputs = {O}",
        "lower `hidden` or `inputs`",
    )
    D = K * (layers * d + O)
    check_number(what, D, LARGEST_NETWORK, "parameters", remedy)
    # Each output has a term for every unit and pair of inputs, which stores the exponents of all symbols, twice.
    check_memory(what, O * K * d * (d + 1) // 2 * (16 * (D + d) + 500), remedy)
