"""From text to a network: an expression, pieces with >> between, or a family with its sizes."""

from __future__ import annotations

from dynamics.errors import ProblemError
from dynamics.networks.composition import ARROW, LAYERS, parse_composition
from dynamics.networks.expression import expression_network
from dynamics.networks.families import FAMILIES, family_network
from dynamics.networks.network import Network
from dynamics.validation import validate_count
from dynamics.words import counted

LONGEST = 20_000  # characters


def read_network(text: str, inputs: int | None = None, option: str = "inputs") -> Network:
    """The network that a text describes.

    Parameters
    ----------
    text : str
        ``a*(w*x_0)**2``, ``linear:3,4 >> square >> linear:4,1`` or ``deep-quadratic:3,4,1``.
    inputs : int, optional
        Number of inputs. An expression may name fewer; pieces and families say it themselves.
    option : str
        What that number is called in messages.

    Raises
    ------
    ProblemError
        If it is none of these, or has other inputs.

    Examples
    --------
    >>> read_network("a*(w*x_0 + v*x_1)**2")
    <Network a*(w*x_0 + v*x_1)**2: 2 inputs, 1 output, 3 parameters (a, v, w), degree 2 in x, 3 in the parameters>
    """
    if inputs is not None:
        validate_count(option, inputs)
    name, colon, _ = text.strip().partition(":")
    pieces = ARROW in text or (name.strip() in ("square", "power", *LAYERS) and name.strip() not in FAMILIES)
    if not (pieces or colon):
        return expression_network(text, inputs)
    network = parse_composition(text).network() if pieces else family_network(text.strip())
    if inputs not in (None, network.inputs):
        raise ProblemError(f"`{option}` is {inputs}, but the network has {counted(network.inputs, 'input')}.")
    return network
