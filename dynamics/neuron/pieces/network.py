"""Networks that are piecewise polynomials: layers of quadratic or ordinary units, with rational weights.

Every unit is φ(q) with q = (r·x̃)(g·x̃) + b·(x̃ ⊙ x̃), x̃ = (x, 1), as in `dynamics.neuron.problem`, and φ a polynomial on
either side of 0. An ordinary unit φ(r·x̃) has g = (0, …, 0, 1) and b = 0. Floats are the rational numbers that they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sympy import QQ

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.validation import validate_choice, validate_count

SIDES: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "linear": ((0, 1), (0, 1)),
    "relu": ((0,), (0, 1)),
    "abs": ((0, -1), (0, 1)),
    "quadratic": ((0, 0, 1), (0, 0, 1)),
}
"""Activations: coefficients of 1, z, z², … for z < 0 and for z > 0."""


def kinked(activation: str) -> bool:
    """Whether an activation is another polynomial on either side of 0."""
    negative, positive = SIDES[activation]
    return negative != positive


@dataclass(frozen=True)
class Kind:
    """A kind of network: its hidden units, and how many times a layer multiplies the degree of what it is given."""

    quadratic_units: bool
    activation: str

    @property
    def kinked(self) -> bool:
        """Whether its φ is."""
        return kinked(self.activation)

    @property
    def factor(self) -> int:
        """Degree of q in the inputs of a layer, times that of φ."""
        return (2 if self.quadratic_units else 1) * (max(map(len, SIDES[self.activation])) - 1)


KINDS = {
    "relu-quadratic": Kind(True, "relu"),
    "relu": Kind(False, "relu"),
    "quadratic": Kind(False, "quadratic"),
}
"""The networks that are compared."""

GRID = 256  # random weights are multiples of its inverse


@dataclass(frozen=True)
class Layer:
    """K units φ(q).

    Parameters
    ----------
    R, G, B : tuple of K tuples of n + 1 Fractions
        Rows (w^r, b^r), (w^g, b^g) and (w^b, c), for n inputs.
    activation : str
        One of `SIDES`.
    """

    R: tuple[tuple[Fraction, ...], ...]
    G: tuple[tuple[Fraction, ...], ...]
    B: tuple[tuple[Fraction, ...], ...]
    activation: str = "linear"

    def __post_init__(self) -> None:
        validate_choice("activation", self.activation, SIDES)
        for name in "RGB":
            rows = np.array(getattr(self, name), dtype=object)
            if (
                rows.ndim != 2
                or rows.shape[0] < 1
                or rows.shape[1] < 2
                or rows.shape != (len(self.R), len(self.R[0]))
            ):
                raise ProblemError(
                    f"`{name}` has shape {rows.shape}, but all of R, G, B must have one shape (units, inputs + 1)."
                )
            object.__setattr__(self, name, tuple(tuple(_exact(name, w) for w in row) for row in rows))

    @classmethod
    def ordinary(cls, R: Any, activation: str = "linear") -> Layer:
        """Units φ(r·x̃), from their rows r."""
        K, n = len(R), len(R[0])
        zero, one = Fraction(0), Fraction(1)
        return cls(R, ((*[zero] * (n - 1), one),) * K, ((zero,) * n,) * K, activation)

    @property
    def bare(self) -> bool:
        """Whether φ(q) = q."""
        return all(coefficients == (0, 1) for coefficients in SIDES[self.activation])

    @property
    def units(self) -> int:
        """K."""
        return len(self.R)

    @property
    def inputs(self) -> int:
        """Number n of inputs."""
        return len(self.R[0]) - 1

    @cached_property
    def nonzero(self) -> list[tuple[list[tuple[int, Any]], ...]]:
        """Of each unit the entries of r, g and b that are not 0, with their places, as rationals of SymPy."""
        return [
            tuple([(i, QQ(w.numerator, w.denominator)) for i, w in enumerate(row) if w] for row in unit)
            for unit in zip(self.R, self.G, self.B, strict=True)
        ]

    def preactivations(self, x: Sequence[Any]) -> list[Any]:
        """The K polynomials q of polynomials x (n,) of one ring."""
        X = [*x, x[0].ring.one]
        zero = x[0].ring.zero
        found = []
        for r, g, b in self.nonzero:
            first, second = (sum((X[i] * w for i, w in row), zero) for row in (r, g))
            found.append(first * second + sum((X[i] ** 2 * w for i, w in b), zero))
        return found

    def side(self, q: Any, sign: int) -> Any:
        """φ(q) where q has this sign, a polynomial; on q = 0 both sides agree."""
        coefficients = SIDES[self.activation][sign > 0]
        return sum((q**n * c for n, c in enumerate(coefficients) if c), q.ring.zero)

    def sums(self, x: Array) -> Array:
        """The K numbers q, (…, K), for inputs (…, n), in floating-point arithmetic."""
        X = np.concatenate([x, np.ones((*x.shape[:-1], 1))], axis=-1)
        R, G, B = (np.array(W, dtype=float) for W in (self.R, self.G, self.B))
        return np.asarray((X @ R.T) * (X @ G.T) + X**2 @ B.T)

    def __call__(self, x: Array) -> Array:
        """Outputs (…, K) for inputs (…, n), in floating-point arithmetic."""
        q = self.sums(x)
        negative, positive = (np.polynomial.Polynomial(c)(q) for c in SIDES[self.activation])
        return np.where(q > 0, positive, negative)


@dataclass(frozen=True)
class Network:
    """Layers, the last of which has one unit.

    Parameters
    ----------
    layers : tuple of Layer

    Raises
    ------
    ProblemError
        If their sizes do not fit.
    """

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        if not self.layers:
            raise ProblemError("`layers` is empty, but a network needs a layer.")
        sizes = [(layer.inputs, layer.units) for layer in self.layers]
        if any(a[1] != b[0] for a, b in pairwise(sizes)) or sizes[-1][1] != 1:
            raise ProblemError(
                f"`layers` have (inputs, units) {sizes}, but each must take what the one before gives, and the last"
                " one must have one unit."
            )

    @classmethod
    def random(cls, kind: str, inputs: int, widths: Sequence[int], seed: int = 0) -> Network:
        """A network with Gaussian weights, rounded to multiples of 1/256, and an ordinary output.

        Parameters
        ----------
        kind : str
            One of `KINDS`.
        inputs : int
        widths : sequence of int
            Units of the hidden layers.
        seed : int
            Rows r of all kinds are the same for one seed. Weights have variance 1/n for n inputs, biases ½.
        """
        chosen = KINDS[validate_choice("kind", kind, KINDS)]
        rng = np.random.default_rng(validate_count("seed", seed, minimum=0))
        sizes = [validate_count("inputs", inputs), *(validate_count("widths", w) for w in widths)]

        def draw(n: int, K: int) -> Array:
            W = rng.standard_normal((3, K, n + 1)) * np.sqrt([*[1 / n] * n, 0.5])
            return np.round(GRID * W) / GRID

        layers = []
        for n, K in pairwise(sizes):
            R, G, B = draw(n, K)
            if chosen.quadratic_units:
                layers.append(Layer(R, G, B, chosen.activation))
            else:
                layers.append(Layer.ordinary(R, chosen.activation))
        return cls((*layers, Layer.ordinary(draw(sizes[-1], 1)[0])))

    @property
    def inputs(self) -> int:
        """Input dimension."""
        return self.layers[0].inputs

    @property
    def units(self) -> int:
        """Number of hidden units."""
        return sum(layer.units for layer in self.layers[:-1])

    def __call__(self, x: ArrayLike) -> Array:
        """Outputs (…,) for inputs (…, d), in floating-point arithmetic."""
        h = np.asarray(x, dtype=float)
        for layer in self.layers:
            h = layer(h)
        return h[..., 0]


def number_of_parameters(kind: str, inputs: int, widths: Sequence[int]) -> int:
    """Weights and biases of a network of a kind with so many inputs, hidden layers of these widths, one output."""
    groups = 3 if KINDS[validate_choice("kind", kind, KINDS)].quadratic_units else 1
    sizes = [inputs, *widths]
    return groups * sum((n + 1) * K for n, K in pairwise(sizes)) + sizes[-1] + 1


def _exact(name: str, value: Any) -> Fraction:
    try:
        return Fraction(value)
    except (ValueError, OverflowError, TypeError):
        raise ProblemError(
            f"`{name}` contains {value!r}, but every weight must be a finite number."
        ) from None
