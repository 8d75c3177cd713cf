r"""Hermite coefficients E[f(z) h_n(z)], z ~ N(0, 1), h_n = He_n/√n!, of functions with kinks and jumps.

Gauss–Hermite nodes converge slowly where f has a kink, and for tanh too. Here panels are halved until f is a polynomial
on each, to rounding, so that a kink ends up on an edge wherever it is; Gauss–Legendre nodes on each panel then
integrate f against √n(z) · h_n(z)√n(z), whose last factor the three-term recurrence gives without loss (n(z) the
Gaussian density). Derived here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ComputationError

ORDERS = (
    400  # coefficients; m^400 is 1e-9 at an overlap of 0.95, before what the coefficients themselves lose
)
REACH = 24.0  # √n(z) is 2e-63 there
WIDTH = 0.5  # of a panel: h_400 has 6 zeros in it
NODES = 16  # on a panel, exact for polynomials of degree 31
SMOOTH = 1e-12  # last Legendre coefficients, relative to the largest, of a function that its panel resolves
FLOOR = 1e-14  # the same, relative to √E f²: what rounding leaves
NARROW = 1e-9  # width at which a kink counts as found
LARGEST = 1e70  # value of a function, so that products of four do not overflow
MANY = 4000  # panels at which a function counts as too rough

Function = Callable[[Array], Array]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(NODES)
_VALUES = np.polynomial.legendre.legvander(_NODES, NODES - 1)  # of P_j at node i
_COEFFICIENTS = (
    ((2 * np.arange(NODES) + 1) / 2)[:, None] * _VALUES.T * _WEIGHTS
)  # values → Legendre coefficients
_SLOPES = np.polynomial.legendre.legval(
    _NODES, np.polynomial.legendre.legder(np.eye(NODES), axis=0)
).T  # of P_j at node i
_DERIVATIVE = _SLOPES @ _COEFFICIENTS  # values → derivatives of the interpolating polynomial


@dataclass(frozen=True, eq=False)
class Panels:
    """Panels of the line on each of which some functions are polynomials, to rounding.

    Parameters
    ----------
    edges : (2, n) array
        Lower and upper edge of every panel.
    """

    edges: Array

    @classmethod
    def resolving(cls, functions: Sequence[Function]) -> Panels:
        """Panels for all of the functions.

        Raises
        ------
        ComputationError
            If a function is too rough, or not finite.
        """
        grid = np.arange(-REACH, REACH + WIDTH / 2, WIDTH)
        todo, done = np.stack([grid[:-1], grid[1:]]), []
        floors = [FLOOR * _size(f, todo) for f in functions]
        while todo.size:
            rough = np.zeros(todo.shape[1], dtype=bool)
            for f, floor in zip(functions, floors, strict=True):
                rough |= _is_rough(f, todo, floor)
            rough &= todo[1] - todo[0] > NARROW
            done.append(todo[:, ~rough])
            low, high = todo[:, rough]
            middle = (low + high) / 2
            todo = np.concatenate([np.stack([low, middle]), np.stack([middle, high])], axis=1)
            if todo.shape[1] > MANY:
                raise ComputationError("The activation is too rough for its Hermite coefficients: smooth it.")
        edges = np.concatenate(done, axis=1)
        return cls(edges[:, np.argsort(edges[0])])

    @cached_property
    def z(self) -> Array:
        """Nodes, (n, NODES)."""
        return _nodes(self.edges)

    @cached_property
    def _root(self) -> Array:
        """√n(z)."""
        return (2 * np.pi) ** -0.25 * np.exp(-(self.z**2) / 4)

    @cached_property
    def _weights(self) -> Array:
        """Weights of an integral over the line."""
        return np.multiply.outer((self.edges[1] - self.edges[0]) / 2, _WEIGHTS)

    @cached_property
    def _functions(self) -> Array:
        """h_n(z)√n(z), (ORDERS + 1, n · NODES)."""
        z = self.z.ravel()
        h = np.empty((ORDERS + 1, z.size))
        h[0] = self._root.ravel()
        h[1] = z * h[0]
        for n in range(1, ORDERS):
            h[n + 1] = (z * h[n] - np.sqrt(n) * h[n - 1]) / np.sqrt(n + 1)
        return h

    def derivative(self, values: Array) -> Array:
        """f′ from the values of f at the nodes."""
        return values @ _DERIVATIVE.T / ((self.edges[1] - self.edges[0]) / 2)[:, None]

    def mean(self, values: Array) -> float:
        """E f(z) from the values of f at the nodes."""
        return float(np.sum(self._weights * self._root**2 * values))

    def coefficients(self, values: Array) -> Array:
        """E[f(z) h_n(z)], n = 0 … ORDERS, from the values of f at the nodes."""
        return self._functions @ (self._weights * self._root * values).ravel()


def _nodes(edges: Array) -> Array:
    low, high = edges
    return ((low + high) / 2)[:, None] + np.multiply.outer((high - low) / 2, _NODES)


def _values(f: Function, edges: Array) -> Array:
    values = np.broadcast_to(f(_nodes(edges)), (edges.shape[1], NODES))
    if not (np.abs(values) <= LARGEST).all():
        raise ComputationError(
            f"The activation is not below {LARGEST:g} everywhere on [−{REACH:g}, {REACH:g}]."
        )
    return values


def _size(f: Function, edges: Array) -> float:
    """√E f², roughly."""
    return float(np.sqrt(Panels(edges).mean(_values(f, edges) ** 2)))


def _is_rough(f: Function, edges: Array, floor: float) -> Array:
    """For each panel, whether f is more than a polynomial on it."""
    coefficients = np.abs(_values(f, edges) @ _COEFFICIENTS.T)
    return coefficients[:, -2:].max(axis=1) > np.maximum(SMOOTH * coefficients.max(axis=1), floor)
