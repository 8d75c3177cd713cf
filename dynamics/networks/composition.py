"""Networks put together from pieces: Layer("linear", 3, 4) >> Square() >> Layer("linear", 4, 1).

A piece adds operations and parameters, and what it knows of the units between layers: which weights come in, and of
which degree the units are, so that the balance laws follow without a search (`dynamics.networks.balances`).
As text the same is ``linear:3,4 >> square >> linear:4,1``; ``linear:3,4,bias`` has biases.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dynamics.errors import ProblemError
from dynamics.networks.balances import Balance, Side
from dynamics.networks.network import Network, Parameter
from dynamics.networks.operations import Operation, Product, Raised, Sum
from dynamics.networks.program import Program
from dynamics.validation import validate_choice, validate_count

LARGEST_POWER = 16
ARROW = ">>"


@dataclass
class Draft:
    """A network in the making.

    Operations call their operands by numbers that start after all parameters and the inputs: while these are still
    being counted, parameters are −1, −2, …, the inputs 0, and the values of operations 1, 2, …
    """

    width: int
    parameters: list[Parameter] = field(default_factory=list)
    steps: list[Callable[[Callable[[int], int]], Operation]] = field(default_factory=list)
    balances: list[Balance] = field(default_factory=list)
    incoming: Side | None = None  # into the units whose values stand at the end; None: they are the inputs
    degree: int = 1  # h of these units
    mixes: bool = True  # whether combinations of them can take their place
    layers: int = 0

    def parameter(self, name: str, shape: tuple[int, ...], fan: int) -> int:
        """A new parameter; its number."""
        self.parameters.append(Parameter(name, shape, fan))
        return -len(self.parameters)

    def step(self, make: Callable[[Callable[[int], int]], Operation]) -> int:
        """A new operation, from a function of the final numbers; its number."""
        self.steps.append(make)
        return len(self.steps)

    @property
    def last(self) -> int:
        """Number of the value at the end, of the inputs where nothing has been computed."""
        return len(self.steps)

    def take(self, outgoing: Side, incoming: Side, width: int) -> None:
        """A layer of weights has read the units: their balance, and the new units."""
        if self.incoming is not None:
            matrix = self.mixes and self.degree == 1
            self.balances.append(Balance(self.incoming, outgoing, self.degree, matrix))
        self.incoming, self.degree, self.mixes, self.width = incoming, 1, True, width

    def finished(self, spec: str, inputs: int) -> Network:
        """The network."""
        count = len(self.parameters)

        def number(n: int) -> int:
            return -n - 1 if n < 0 else count + n

        program = Program(count, tuple(make(number) for make in self.steps))
        return Network(spec, tuple(self.parameters), (inputs,), program, self.width, tuple(self.balances))


class Piece(ABC):
    """Part of a composition."""

    def __rshift__(self, other: Piece | Composition) -> Composition:
        return Composition((self,)) >> other

    @property
    @abstractmethod
    def text(self) -> str:
        """As it is written."""

    @abstractmethod
    def extend(self, draft: Draft) -> None:
        """Add it to a network."""


@dataclass(frozen=True)
class Layer(Piece):
    """A layer of weights.

    Parameters
    ----------
    kind : {"linear", "bilinear"}
        W z, or (R z) ⊙ (G z) of two matrices.
    inputs, outputs : int
    bias : bool
        Add a bias to the outputs of a linear layer; it starts at 0.

    Examples
    --------
    >>> from dynamics.networks import Layer, Square
    >>> net = (Layer("linear", 3, 4) >> Square() >> Layer("linear", 4, 1)).network()
    >>> net.size, net.degree, net.order, [law.text for law in net.balances]
    (16, 2, 3, ['‖W_1[k]‖² − 2‖W_2[:,k]‖²'])
    """

    kind: str
    inputs: int
    outputs: int
    bias: bool = False

    def __post_init__(self) -> None:
        validate_choice("kind", self.kind, LAYERS)
        validate_count("inputs", self.inputs)
        validate_count("outputs", self.outputs)
        if self.bias and self.kind != "linear":
            raise ProblemError(
                f"`bias` is True, but a layer of the kind {self.kind!r} has none: leave it out."
            )

    @property
    def text(self) -> str:
        """As it is written."""
        return f"{self.kind}:{self.inputs},{self.outputs}" + (",bias" if self.bias else "")

    def extend(self, draft: Draft) -> None:
        """Add it to a network."""
        if self.inputs != draft.width:
            raise ProblemError(
                f"The piece {self.text!r} takes {self.inputs} numbers, but what comes before it gives {draft.width}."
            )
        draft.layers += 1
        LAYERS[self.kind](self, draft)


def _linear(layer: Layer, draft: Draft) -> None:
    name, bias = f"W_{draft.layers}", f"b_{draft.layers}"
    W, z = draft.parameter(name, (layer.outputs, layer.inputs), layer.inputs), draft.last
    product = draft.step(lambda at: Product("nd,kd->nk", (at(z), at(W))))
    incoming: list[tuple[str, int | None]] = [(name, 0)]
    if layer.bias:
        b = draft.parameter(bias, (layer.outputs,), 0)
        draft.step(lambda at: Sum((at(product), at(b)), (1.0, 1.0), spread=(False, True)))
        incoming.append((bias, 0))
    draft.take(Side(((name, 1),)), Side(tuple(incoming)), layer.outputs)


def _bilinear(layer: Layer, draft: Draft) -> None:
    R, G = f"R_{draft.layers}", f"G_{draft.layers}"
    z, shape = draft.last, (layer.outputs, layer.inputs)
    r, g = (draft.parameter(name, shape, layer.inputs) for name in (R, G))
    left = draft.step(lambda at: Product("nd,kd->nk", (at(z), at(r))))
    right = draft.step(lambda at: Product("nd,kd->nk", (at(z), at(g))))
    draft.step(lambda at: Product("nk,nk->nk", (at(left), at(right))))
    # each of both matrices can be scaled alone, unit by unit: their difference is a law, and either goes out
    draft.take(Side(((R, 1), (G, 1))), Side(((R, 0),)), layer.outputs)
    draft.balances.append(Balance(Side(((R, 0),)), Side(((G, 0),))))
    draft.mixes = False


LAYERS: dict[str, Callable[[Layer, Draft], None]] = {"linear": _linear, "bilinear": _bilinear}


@dataclass(frozen=True)
class Power(Piece):
    """Every number to a power."""

    exponent: int

    def __post_init__(self) -> None:
        if validate_count("exponent", self.exponent) > LARGEST_POWER:
            raise ProblemError(f"`exponent` is {self.exponent}, but must be at most {LARGEST_POWER}.")

    @property
    def text(self) -> str:
        """As it is written."""
        return "square" if self.exponent == 2 else f"power:{self.exponent}"

    def extend(self, draft: Draft) -> None:
        """Add it to a network."""
        z = draft.last
        draft.step(lambda at: Raised(at(z), self.exponent))
        draft.degree *= self.exponent


def Square() -> Power:
    """Every number squared."""
    return Power(2)


@dataclass(frozen=True)
class Composition:
    """Pieces one after the other.

    Parameters
    ----------
    pieces : tuple of Piece
    """

    pieces: tuple[Piece, ...]

    def __rshift__(self, other: Piece | Composition) -> Composition:
        return Composition((*self.pieces, *getattr(other, "pieces", (other,))))

    @property
    def text(self) -> str:
        """As it is written."""
        return f" {ARROW} ".join(piece.text for piece in self.pieces)

    def network(self, spec: str | None = None) -> Network:
        """The network; `spec` is a shorter text that describes it, if there is one.

        Raises
        ------
        ProblemError
            If widths do not fit, or it does not begin and end with a layer.
        """
        ends = [getattr(self.pieces[i], "inputs", None) for i in (0, -1)] if self.pieces else [None]
        if None in ends:
            raise ProblemError(f"The network {self.text!r} must begin and end with a layer of weights.")
        inputs: Any = ends[0]
        draft = Draft(inputs)
        for piece in self.pieces:
            piece.extend(draft)
        return draft.finished(self.text if spec is None else spec, inputs)


def parse_composition(text: str) -> Composition:
    """The composition in a text such as ``linear:3,4 >> square >> linear:4,1``.

    Raises
    ------
    ProblemError
        If a piece is unknown or does not fit.
    """
    return Composition(tuple(_piece(part.strip()) for part in text.split(ARROW)))


def _piece(text: str) -> Piece:
    name, _, given = text.partition(":")
    words = [word.strip() for word in given.split(",") if word.strip()]
    bias = bool(words) and words[-1] == "bias"
    sizes = [
        int(word)
        for word in (words[:-1] if bias else words)
        if word.isascii() and word.isdecimal() and len(word) < 8
    ]
    if len(sizes) == len(words) - bias:
        if name == "square" and not words:
            return Square()
        if name == "power" and len(sizes) == 1 and not bias:
            return Power(*sizes)
        if name in LAYERS and len(sizes) == 2:
            return Layer(name, sizes[0], sizes[1], bias)
    raise ProblemError(
        f"The piece {text!r} is unknown: pieces are linear:D,K, linear:D,K,bias, bilinear:D,K, square and power:P, with"
        " whole numbers."
    )
