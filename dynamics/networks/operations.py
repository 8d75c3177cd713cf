"""The operations a polynomial network is made of: products, sums and powers, with what backpropagation needs of them.

An operation says its value, how that changes with its operands (`tangent`), how a slope with respect to it becomes
slopes with respect to its operands (`pull`), and the derivative of the latter (`pull_tangent`), of which
Hessian-vector products are made. None stands for zero: the inputs do not change with the parameters.

Values have the axis n of the samples first, if they depend on the inputs. Every operation works on whatever arrays its
`Library` knows: numbers of NumPy, of PyTorch with a further axis of an ensemble, and symbols.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Protocol

import numpy as np

Values = Sequence[Any]
Changes = Sequence[Any]  # None: no change
Slopes = list[tuple[int, Any]]
"""Pairs of an operand and what is added to the slope with respect to it."""


class Library(Protocol):
    """What the operations ask of an array library."""

    def contract(self, subscripts: str, left: Any, right: Any) -> Any:
        """As `numpy.einsum` of two arrays."""

    def add(self, value: Any, other: Any, spread: bool) -> Any:
        """The sum; with `spread` the second value has no axis of samples, and the first one has."""

    def stack(self, values: Sequence[Any]) -> Any:
        """Along a new last axis."""


class OfNumPy:
    """NumPy, for numbers and for symbols."""

    def contract(self, subscripts: str, left: Any, right: Any) -> Any:
        """As `numpy.einsum` of two arrays, by matrix products where it is one."""
        return contraction(subscripts)(left, right)

    def add(self, value: Any, other: Any, spread: bool) -> Any:
        """The sum: a missing first axis is NumPy's to add."""
        return value + other

    def stack(self, values: Sequence[Any]) -> Any:
        """Along a new last axis."""
        return np.stack(values, axis=-1)


NUMPY = OfNumPy()


@cache
def contraction(subscripts: str) -> Callable[[Any, Any], Any]:
    """`numpy.einsum` of two arrays as the fastest of multiply, tensordot and einsum itself that computes it."""
    (left, right), out = subscripts.partition("->")[0].split(","), subscripts.partition("->")[2]
    if left == right == out or not left or not right:
        return np.multiply
    summed = [label for label in left if label in right and label not in out]
    order = [label for label in left + right if label not in summed]
    if not summed or sorted(order) != sorted(out):  # an outer product, or a label that both have and keep
        return partial(np.einsum, subscripts)
    axes = ([left.index(label) for label in summed], [right.index(label) for label in summed])
    turned = tuple(order.index(label) for label in out)
    if turned == tuple(range(len(out))):
        return partial(np.tensordot, axes=axes)
    return lambda a, b: np.tensordot(a, b, axes=axes).transpose(turned)


@dataclass(frozen=True)
class Reading:
    """How the inputs are read: the parameter that is multiplied with them, and its axis that is summed over."""

    parameter: int
    axis: int


class Operation(ABC):
    """One step of a program: a value made of earlier ones, which are called by their numbers."""

    operands: tuple[int, ...]

    @abstractmethod
    def value(self, v: Values, library: Library) -> Any:
        """The value, from all earlier ones."""

    @abstractmethod
    def tangent(self, v: Values, dv: Changes) -> Any:
        """How it changes with earlier ones; None if it does not."""

    @abstractmethod
    def pull(self, v: Values, g: Any) -> Slopes:
        """Slopes with respect to the operands from that with respect to the value."""

    @abstractmethod
    def pull_tangent(self, v: Values, dv: Changes, g: Any, dg: Any) -> Slopes:
        """How these change; `dg` is never None."""

    @abstractmethod
    def degree(self, degrees: Sequence[int]) -> int:
        """Degree in something, from the degrees of earlier values in it."""

    @abstractmethod
    def parity(self, parities: Sequence[int | None]) -> int | None:
        """0 of even functions of the inputs, 1 of odd ones, None of others."""

    def reading(self, inputs: int) -> Reading | None:
        """How it reads the inputs, value number `inputs`, if it sums over their last axis with a parameter's."""
        return None


@dataclass(frozen=True)
class Product(Operation):
    """A sum of products of two arrays, in the notation of `numpy.einsum`: "nd,kd->nk" with n for the samples.

    Every label of an operand is in the other or in the result.
    """

    subscripts: str
    operands: tuple[int, int]

    @property
    def labels(self) -> tuple[str, str, str]:
        """Labels of the operands and of the result."""
        given, _, out = self.subscripts.partition("->")
        left, right = given.split(",")
        return left, right, out

    def value(self, v: Values, library: Library) -> Any:
        i, j = self.operands
        return library.contract(self.subscripts, v[i], v[j])

    def tangent(self, v: Values, dv: Changes) -> Any:
        i, j = self.operands
        first = None if dv[i] is None else NUMPY.contract(self.subscripts, dv[i], v[j])
        second = None if dv[j] is None else NUMPY.contract(self.subscripts, v[i], dv[j])
        return sum_of(first, second)

    def pull(self, v: Values, g: Any) -> Slopes:
        i, j = self.operands
        left, right, out = self.labels
        return [
            (i, NUMPY.contract(f"{out},{right}->{left}", g, v[j])),
            (j, NUMPY.contract(f"{out},{left}->{right}", g, v[i])),
        ]

    def pull_tangent(self, v: Values, dv: Changes, g: Any, dg: Any) -> Slopes:
        i, j = self.operands
        left, right, out = self.labels
        found = self.pull(v, dg)
        if dv[j] is not None:
            found.append((i, NUMPY.contract(f"{out},{right}->{left}", g, dv[j])))
        if dv[i] is not None:
            found.append((j, NUMPY.contract(f"{out},{left}->{right}", g, dv[i])))
        return found

    def degree(self, degrees: Sequence[int]) -> int:
        return degrees[self.operands[0]] + degrees[self.operands[1]]

    def parity(self, parities: Sequence[int | None]) -> int | None:
        first, second = (parities[i] for i in self.operands)
        return None if first is None or second is None else (first + second) % 2

    def reading(self, inputs: int) -> Reading | None:
        place = self.operands.index(inputs)
        other, label = self.operands[1 - place], self.labels[place][-1]
        if other >= inputs or label in self.labels[2]:
            return None
        return Reading(other, self.labels[1 - place].index(label))


@dataclass(frozen=True)
class Sum(Operation):
    """c_0 + Σ_i c_i v_i.

    Parameters
    ----------
    operands : tuple of int
        The first one has the shape of the result.
    factors : tuple of float
        c_i.
    constant : float
        c_0.
    spread : tuple of bool
        Which of the operands lack the axis of the samples that the result has.
    """

    operands: tuple[int, ...]
    factors: tuple[float, ...]
    constant: float = 0.0
    spread: tuple[bool, ...] = ()

    def value(self, v: Values, library: Library) -> Any:
        (i, *others), (c, *factors) = self.operands, self.factors
        found = v[i] if c == 1 else c * v[i]
        for j, factor, spread in zip(others, factors, self.spread[1:] or (False,) * len(others), strict=True):
            found = library.add(found, v[j] if factor == 1 else factor * v[j], spread)
        return found + self.constant if self.constant else found

    def tangent(self, v: Values, dv: Changes) -> Any:
        parts = (
            None if dv[i] is None else c * dv[i] for i, c in zip(self.operands, self.factors, strict=True)
        )
        found = None
        for part in parts:
            found = sum_of(found, part)
        # of spread operands alone the axis of the samples is still missing
        return None if found is None else np.broadcast_to(found, np.shape(v[self.operands[0]]))

    def pull(self, v: Values, g: Any) -> Slopes:
        spread = self.spread or (False,) * len(self.operands)
        return [
            (i, c * (g.sum(axis=0) if gathered else g))
            for i, c, gathered in zip(self.operands, self.factors, spread, strict=True)
        ]

    def pull_tangent(self, v: Values, dv: Changes, g: Any, dg: Any) -> Slopes:
        return self.pull(v, dg)

    def degree(self, degrees: Sequence[int]) -> int:
        return max(degrees[i] for i in self.operands)

    def parity(self, parities: Sequence[int | None]) -> int | None:
        found = {parities[i] for i in self.operands} | ({0} if self.constant else set())
        return found.pop() if len(found) == 1 else None


@dataclass(frozen=True)
class Raised(Operation):
    """A power of every entry."""

    operand: int
    exponent: int

    @property
    def operands(self) -> tuple[int, ...]:  # type: ignore[override]
        """The one operand."""
        return (self.operand,)

    def value(self, v: Values, library: Library) -> Any:
        z = v[self.operand]
        return z * z if self.exponent == 2 else z**self.exponent

    def tangent(self, v: Values, dv: Changes) -> Any:
        dz = dv[self.operand]
        return None if dz is None else self._slope(v) * dz

    def pull(self, v: Values, g: Any) -> Slopes:
        return [(self.operand, self._slope(v) * g)]

    def pull_tangent(self, v: Values, dv: Changes, g: Any, dg: Any) -> Slopes:
        found, dz, p = self.pull(v, dg), dv[self.operand], self.exponent
        if dz is not None and p > 1:
            second = p * (p - 1) * (1.0 if p == 2 else v[self.operand] ** (p - 2))
            found.append((self.operand, second * dz * g))
        return found

    def _slope(self, v: Values) -> Any:
        p, z = self.exponent, v[self.operand]
        return 2 * z if p == 2 else p * z ** (p - 1)

    def degree(self, degrees: Sequence[int]) -> int:
        return self.exponent * degrees[self.operand]

    def parity(self, parities: Sequence[int | None]) -> int | None:
        # an even power of a function without a parity has none either
        found = parities[self.operand]
        return None if found is None else self.exponent * found % 2


@dataclass(frozen=True)
class Column(Operation):
    """One entry of the last axis."""

    operand: int
    index: int

    @property
    def operands(self) -> tuple[int, ...]:  # type: ignore[override]
        """The one operand."""
        return (self.operand,)

    def value(self, v: Values, library: Library) -> Any:
        return v[self.operand][..., self.index]

    def tangent(self, v: Values, dv: Changes) -> Any:
        dz = dv[self.operand]
        return None if dz is None else dz[..., self.index]

    def pull(self, v: Values, g: Any) -> Slopes:
        found = np.zeros_like(v[self.operand])
        found[..., self.index] = g
        return [(self.operand, found)]

    def pull_tangent(self, v: Values, dv: Changes, g: Any, dg: Any) -> Slopes:
        return self.pull(v, dg)

    def degree(self, degrees: Sequence[int]) -> int:
        return degrees[self.operand]

    def parity(self, parities: Sequence[int | None]) -> int | None:
        return parities[self.operand]


@dataclass(frozen=True)
class Stack(Operation):
    """Values side by side, along a new last axis."""

    operands: tuple[int, ...]

    def value(self, v: Values, library: Library) -> Any:
        return library.stack([v[i] for i in self.operands])

    def tangent(self, v: Values, dv: Changes) -> Any:
        if all(dv[i] is None for i in self.operands):
            return None
        return np.stack([np.zeros_like(v[i]) if dv[i] is None else dv[i] for i in self.operands], axis=-1)

    def pull(self, v: Values, g: Any) -> Slopes:
        return [(i, g[..., o]) for o, i in enumerate(self.operands)]

    def pull_tangent(self, v: Values, dv: Changes, g: Any, dg: Any) -> Slopes:
        return self.pull(v, dg)

    def degree(self, degrees: Sequence[int]) -> int:
        return max(degrees[i] for i in self.operands)

    def parity(self, parities: Sequence[int | None]) -> int | None:
        found = {parities[i] for i in self.operands}
        return found.pop() if len(found) == 1 else None


def sum_of(first: Any, second: Any) -> Any:
    """The sum, where None is zero."""
    if first is None:
        return second
    return first if second is None else first + second
