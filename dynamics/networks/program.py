"""Networks as straight-line programs: value, gradient and Hessian-vector product, for any polynomial network alike.

A program computes one array after the other. Number 0 … P − 1 are its parameters, number P are the inputs, each further
one is the value of an operation (`dynamics.networks.operations`), the last one the outputs (n, O). Derivatives are
those of backpropagation: slopes from the last value to the first, and their derivative along a direction, which costs
as much once more (derived here from the chain rule; known as forward-over-reverse differentiation).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from dynamics.aliases import Array
from dynamics.networks.operations import NUMPY, Library, Operation, Reading, sum_of


@dataclass(frozen=True)
class Program:
    """Operations in their order.

    Parameters
    ----------
    parameters : int
        Number P of parameter arrays.
    steps : tuple of Operation
    """

    parameters: int
    steps: tuple[Operation, ...]

    def values(self, parameters: Sequence[Any], X: Any, library: Library = NUMPY) -> list[Any]:
        """All values for parameter arrays and inputs (n, …); the last are the outputs (n, O)."""
        v = [*parameters, X]
        for step in self.steps:
            v.append(step.value(v, library))
        return v

    @cached_property
    def moving(self) -> tuple[bool, ...]:
        """Which values depend on the parameters."""
        found = [True] * self.parameters + [False]
        for step in self.steps:
            found.append(any(found[i] for i in step.operands))
        return tuple(found)

    def pulled(self, v: Sequence[Any], G: Array, *, inputs: bool = False) -> list[Any]:
        """Slopes of Σ_no G_no f_o(x_n) with respect to the parameters, in their order; with `inputs` to the inputs too.

        Parameters
        ----------
        v : sequence
            All values.
        G : (n, O) array
        """
        g: list[Any] = [None] * len(v)
        g[-1] = G
        for number, step in reversed(list(enumerate(self.steps, self.parameters + 1))):
            if g[number] is None:
                continue
            for i, slope in step.pull(v, g[number]):
                if self.moving[i] or inputs:
                    g[i] = sum_of(g[i], slope)
        return [
            np.zeros_like(v[i]) if g[i] is None else g[i]
            for i in range(self.parameters + (1 if inputs else 0))
        ]

    def changes(self, v: Sequence[Any], directions: Sequence[Array]) -> list[Any]:
        """Changes of all values along a direction in parameter space; None where there is none."""
        dv: list[Any] = [*directions, None]
        for step in self.steps:
            dv.append(step.tangent(v, dv))
        return dv

    def pulled_changes(self, v: Sequence[Any], dv: Sequence[Any], G: Array, dG: Array) -> list[Any]:
        """Changes of the slopes of `pulled` along the direction that makes dv, with G changing by dG."""
        g: list[Any] = [None] * len(v)
        dg: list[Any] = [None] * len(v)
        g[-1], dg[-1] = G, dG
        for number, step in reversed(list(enumerate(self.steps, self.parameters + 1))):
            if g[number] is None or not self.moving[number]:
                continue
            change = np.zeros_like(g[number]) if dg[number] is None else dg[number]
            for i, slope in step.pull(v, g[number]):
                if self.moving[i]:
                    g[i] = sum_of(g[i], slope)
            for i, slope in step.pull_tangent(v, dv, g[number], change):
                if self.moving[i]:
                    dg[i] = sum_of(dg[i], slope)
        return [np.zeros_like(v[i]) if dg[i] is None else dg[i] for i in range(self.parameters)]

    def degree(self, of_parameters: bool) -> int:
        """Degree of the outputs in the parameters, or in the inputs."""
        degrees: list[int] = [int(of_parameters)] * self.parameters + [int(not of_parameters)]
        for step in self.steps:
            degrees.append(step.degree(degrees))
        return degrees[-1]

    @cached_property
    def parity(self) -> int | None:
        """0 if the outputs are even functions of the inputs, 1 if they are odd, None otherwise."""
        parities: list[int | None] = [*[0] * self.parameters, 1]
        for step in self.steps:
            parities.append(step.parity(parities))
        return parities[-1]

    @cached_property
    def readings(self) -> tuple[Reading, ...] | None:
        """The parameters that the last axis of the inputs is multiplied with, if it is read in no other way; else None.

        Then a rotation of the inputs along that axis can be undone in these parameters.
        """
        found = []
        for step in self.steps:
            if self.parameters not in step.operands:
                continue
            reading = step.reading(self.parameters)
            if reading is None:
                return None
            found.append(reading)
        return tuple(dict.fromkeys(found))
