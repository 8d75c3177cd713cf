"""From text to a network: an expression, pieces with >> between, or a family with its sizes."""

from __future__ import annotations

from dynamics.networks.composition import ARROW, LAYERS, parse_composition
from dynamics.networks.expression import expression_network
from dynamics.networks.families import FAMILIES, family_network
from dynamics.networks.network import Network

LONGEST = 20_000  # characters


def read_network(text: str, inputs: int | None = None) -> Network:
    """The network that a text describes.

    Parameters
    ----------
    text : str
        ``a*(w*x_0)**2``, ``linear:3,4 >> square >> linear:4,1`` or ``deep-quadratic:3,4,1``.
    inputs : int, optional
        Number of inputs of an expression, which may name fewer.

    Raises
    ------
    ProblemError
        If it is none of these.

    Examples
    --------
    >>> read_network("a*(w*x_0 + v*x_1)**2")
    <Network a*(w*x_0 + v*x_1)**2: 2 inputs, 1 output, 3 parameters (a, v, w), degree 2 in x, 3 in the parameters>
    """
    name, colon, _ = text.strip().partition(":")
    if ARROW in text or (name.strip() in ("square", "power", *LAYERS) and name.strip() not in FAMILIES):
        return parse_composition(text).network()
    return family_network(text.strip()) if colon else expression_network(text, inputs)
