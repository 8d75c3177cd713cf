"""Networks by name and sizes: deep-linear:D,H,…,O, deep-quadratic:D,K,…,O, bilinear:D,K,O and attention:T,D,H.

A new family is a function of sizes that returns a network, and a line in the table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from dynamics.errors import ProblemError
from dynamics.networks.balances import Balance, Side
from dynamics.networks.composition import Composition, Layer, Piece, Square
from dynamics.networks.network import Network, Parameter
from dynamics.networks.operations import Product
from dynamics.networks.program import Program
from dynamics.validation import validate_count


@dataclass(frozen=True)
class Family:
    """Networks of one kind.

    Parameters
    ----------
    form : str
        How one is named.
    make : callable sizes → Network
    least, most : int
        Numbers of sizes.
    """

    form: str
    make: Callable[..., Network]
    least: int
    most: int = 20


def deep_linear(*sizes: int) -> Network:
    """f(x) = W_L … W_1 x, of widths D, H_1, …, O."""
    layers: list[Piece] = [Layer("linear", d, k) for d, k in pairwise(sizes)]
    return Composition(tuple(layers)).network(named("deep-linear", sizes))


def deep_quadratic(*sizes: int) -> Network:
    """f(x) = W_L (… (W_2 (W_1 x)²)² …), squares after every layer but the last, of widths D, K_1, …, O."""
    pieces: list[Piece] = []
    for d, k in pairwise(sizes):
        pieces += [Layer("linear", d, k), Square()]
    return Composition(tuple(pieces[:-1])).network(named("deep-quadratic", sizes))


def bilinear(inputs: int, hidden: int, outputs: int = 1) -> Network:
    """f_o(x) = Σ_k A_ok (r_k·x)(g_k·x)."""
    pieces = (Layer("bilinear", inputs, hidden), Layer("linear", hidden, outputs))
    return Composition(pieces).network(named("bilinear", (inputs, hidden, outputs)))


def attention(tokens: int, inputs: int, head: int = 1) -> Network:
    """f_s(x) = Σ_t (Q x_s · K x_t)(v · x_t) of a sequence x_1, …, x_T: softmax-free attention, an output per token.

    The inputs are x_t one after the other; Q and K are (head, inputs) matrices, v is a vector.
    """
    T, d, H = (validate_count(n, v) for n, v in (("tokens", tokens), ("inputs", inputs), ("head", head)))
    x = 3
    steps = (
        Product("nsd,hd->nsh", (x, 0)),
        Product("ntd,hd->nth", (x, 1)),
        Product("ntd,d->nt", (x, 2)),
        Product("nth,nt->nh", (5, 6)),
        Product("nsh,nh->ns", (4, 7)),
    )
    Q, K, v = ("Q", "K", "v")
    balances = (
        Balance(Side(((Q, 0),)), Side(((K, 0),)), matrix=True),
        Balance(Side(((K, None),)), Side(((v, None),))),
    )
    parameters = (Parameter(Q, (H, d), d), Parameter(K, (H, d), d), Parameter(v, (d,), d))
    return Network(named("attention", (T, d, H)), parameters, (T, d), Program(3, steps), T, balances)


def named(name: str, sizes: tuple[int, ...]) -> str:
    """The text that names a network of a family."""
    return f"{name}:{','.join(map(str, sizes))}"


FAMILIES: dict[str, Family] = {
    "deep-linear": Family("deep-linear:D,H1,…,O", deep_linear, 2),
    "deep-quadratic": Family("deep-quadratic:D,K1,…,O", deep_quadratic, 2),
    "bilinear": Family("bilinear:D,K,O", bilinear, 2, 3),
    "attention": Family("attention:T,D,H", attention, 2, 3),
}


def family_network(text: str) -> Network:
    """The network of a text such as ``deep-quadratic:3,4,1``.

    Raises
    ------
    ProblemError
        If there is no such family, or its sizes are no positive whole numbers, or not as many as it takes.
    """
    name, _, given = text.partition(":")
    family = FAMILIES.get(name.strip())
    if family is None:
        forms = ", ".join(f.form for f in FAMILIES.values())
        raise ProblemError(
            f"`--network` is {text!r}, but must be an expression, pieces with >> between, or one of: {forms}."
        )
    words = [word.strip() for word in given.split(",")]
    sizes = [int(word) for word in words if word.isascii() and word.isdecimal() and len(word) < 8]
    if len(sizes) < len(words) or min(sizes, default=0) < 1 or not family.least <= len(sizes) <= family.most:
        raise ProblemError(f"`--network` is {text!r}, but must be {family.form}, positive whole numbers.")
    return family.make(*sizes)
