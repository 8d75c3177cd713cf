"""A network as data: its parameters, its program, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import comb, prod
from typing import Any

import numpy as np
import sympy
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.budget import check_number
from dynamics.errors import ProblemError
from dynamics.networks.balances import Balance
from dynamics.networks.program import Program
from dynamics.validation import validate_array, validate_count, validate_real
from dynamics.words import counted

MOST_PARAMETERS = 200_000
MOST_INPUTS = 1000
LARGEST_SYMBOLIC = 200  # parameters, beyond which nobody reads formulas of them


@dataclass(frozen=True)
class Parameter:
    """An array of trained weights.

    Parameters
    ----------
    name : str
    shape : tuple of int
    fan : int
        Numbers that each output of the layer sums: initial entries are N(0, ε²/fan). 0: they start at zero, as biases.
    """

    name: str
    shape: tuple[int, ...]
    fan: int = 1

    @property
    def size(self) -> int:
        """Number of entries."""
        return prod(self.shape)

    @property
    def symbols(self) -> Any:
        """Its entries as symbols, name_i_j, in an array of its shape."""
        names = ["_".join([self.name, *map(str, at)]) if at else self.name for at in np.ndindex(*self.shape)]
        found = np.empty(len(names), dtype=object)
        found[:] = [sympy.Symbol(name) for name in names]
        return found.reshape(self.shape)


@dataclass(frozen=True, eq=False)
class Network:
    """f(x; θ), a polynomial in inputs and parameters.

    Parameters
    ----------
    spec : str
        The text that describes it; `dynamics.networks.read_network` reads it again.
    parameters : tuple of Parameter
        In the order of flat parameter vectors.
    input_shape : tuple of int
        (d,), or (tokens, d) of a sequence.
    program : Program
    outputs : int
    balances : tuple of Balance
        Laws that follow from how it is built.
    expressions : tuple of SymPy expressions, optional
        The outputs, where they were given so, with exact numbers.

    Raises
    ------
    ProblemError
        If it has more parameters, or inputs, than anybody integrates.
    """

    spec: str
    parameters: tuple[Parameter, ...]
    input_shape: tuple[int, ...]
    program: Program
    outputs: int
    balances: tuple[Balance, ...] = ()
    expressions: tuple[sympy.Expr, ...] | None = None

    def __post_init__(self) -> None:
        check_number(
            f"The network {shortened(self.spec)!r}",
            self.size,
            MOST_PARAMETERS,
            "parameters",
            "make its layers narrower",
        )
        check_number(f"The network {shortened(self.spec)!r}", self.inputs, MOST_INPUTS, "inputs", "use fewer")

    @property
    def inputs(self) -> int:
        """Number d of inputs, of all tokens together."""
        return prod(self.input_shape)

    @property
    def size(self) -> int:
        """Number P of parameters."""
        return sum(p.size for p in self.parameters)

    @cached_property
    def degree(self) -> int:
        """Degree p in the inputs."""
        return self.program.degree(of_parameters=False)

    @cached_property
    def order(self) -> int:
        """Degree H in the parameters."""
        return self.program.degree(of_parameters=True)

    def unpack(self, theta: Array) -> list[Array]:
        """Parameter arrays (…, *shape) of flat vectors (…, P)."""
        found, start = [], 0
        for p in self.parameters:
            found.append(theta[..., start : start + p.size].reshape((*theta.shape[:-1], *p.shape)))
            start += p.size
        return found

    def pack(self, arrays: Sequence[Array]) -> Array:
        """Flat vector (P,) of parameter arrays."""
        return np.concatenate([np.ravel(a) for a in arrays])

    def named(self, theta: Array) -> dict[str, Array]:
        """Parameter arrays by name."""
        return {p.name: a for p, a in zip(self.parameters, self.unpack(theta), strict=True)}

    def __call__(self, theta: ArrayLike, X: ArrayLike) -> Array:
        """Outputs (n, O) for parameters (P,) and inputs (n, d).

        Raises
        ------
        ProblemError
            If a shape does not fit.
        """
        x = self.shaped(validate_array("X", X, 2))
        return np.asarray(self.program.values(self.unpack(self.checked(theta)), x)[-1])

    def shaped(self, X: Array) -> Array:
        """Inputs (n, d) as the program takes them, (n, *input_shape)."""
        if X.shape[1] != self.inputs:
            raise ProblemError(f"`X` has {X.shape[1]} columns, but the network has {self.inputs} inputs.")
        return X.reshape(len(X), *self.input_shape)

    def checked(self, theta: ArrayLike) -> Array:
        """Parameters (P,), or `ProblemError`."""
        found = validate_array("theta", theta, 1)
        if len(found) != self.size:
            raise ProblemError(f"`theta` has {len(found)} entries, but the network has {self.size}.")
        return found

    def from_arrays(self, arrays: Mapping[str, ArrayLike]) -> Array:
        """Flat parameters (P,) from arrays by name.

        Raises
        ------
        ProblemError
            If one is missing or has another shape, or the network has none of that name.
        """
        found = []
        names = ", ".join(p.name for p in self.parameters)
        unknown = sorted(map(str, arrays.keys() - {p.name for p in self.parameters}))
        if unknown:
            raise ProblemError(
                f"`{shortened(unknown[0])}` is no parameter: the network has the parameters {names}."
            )
        for p in self.parameters:
            if p.name not in arrays:
                raise ProblemError(f"`{p.name}` is missing: the network has the parameters {names}.")
            array = validate_array(p.name, arrays[p.name], len(p.shape))
            if array.shape != p.shape:
                raise ProblemError(f"`{p.name}` has shape {array.shape}, but must have shape {p.shape}.")
            found.append(array)
        return self.pack(found)

    def initialise(self, scale: float = 0.1, seed: int = 0) -> Array:
        """Random parameters (P,): entries of a layer N(0, ε²/fan), where each output sums `fan` of them; biases 0."""
        size = validate_real("init_scale", scale, positive=True)
        rng = np.random.default_rng(validate_count("seed", seed, minimum=0))
        drawn = [
            rng.standard_normal(p.shape) * (size / np.sqrt(p.fan) if p.fan else 0.0) for p in self.parameters
        ]
        return self.pack(drawn)

    def symbolic(self) -> tuple[tuple[Any, ...], tuple[Any, ...], tuple[Any, ...]]:
        """Inputs x_i, parameters and outputs as symbols and SymPy expressions.

        Raises
        ------
        ProblemError
            If they would be too long to read.
        """
        check_number(
            f"A formula of the network {shortened(self.spec)!r}",
            self.size,
            LARGEST_SYMBOLIC,
            "parameters",
            "make its layers narrower",
        )
        x = np.array([sympy.Symbol(f"x_{i}") for i in range(self.inputs)], dtype=object)
        theta = [p.symbols for p in self.parameters]
        f = self.expressions
        if f is None:
            f = tuple(self.program.values(theta, x.reshape(1, *self.input_shape))[-1][0])
        return tuple(x), tuple(s for array in theta for s in np.ravel(array)), f

    def summary(self) -> str:
        """Sizes and degrees, in words."""
        names = ", ".join(f"{p.name} {p.shape}" if p.shape else p.name for p in self.parameters)
        return (
            f"{shortened(self.spec)}: {counted(self.inputs, 'input')}, {counted(self.outputs, 'output')},"
            f" {counted(self.size, 'parameter')} ({names}), degree {self.degree} in x, {self.order} in the parameters"
        )

    def __repr__(self) -> str:
        return f"<Network {self.summary()}>"


def monomials(degree: int, inputs: int) -> int:
    """Number of monomials in so many inputs up to a degree."""
    return comb(degree + inputs, inputs)


def shortened(text: str, most: int = 60) -> str:
    """The beginning of a long text."""
    return text if len(text) <= most else f"{text[:most]}…"
