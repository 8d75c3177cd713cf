"""Polynomial vector fields on the parameters, kept block by block, and their Lie brackets.

Gradients of sums over hidden units act on each unit separately, and so do their brackets. Parameters that
never meet in a monomial of any potential form separate blocks; blocks on which all potentials look alike (units
of the same kind) share one symbolic field and differ only in the point where it is evaluated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import lcm
from typing import Any

from sympy import ZZ
from sympy.polys.rings import PolyElement, PolyRing

from dynamics.laws.modular import Vector, polynomial_value


@dataclass(frozen=True)
class Field:
    """A vector field: for every kind of block its components as polynomials over ℤ in the block's parameters."""

    components: tuple[tuple[PolyElement, ...], ...]

    @cached_property
    def jacobian(self) -> tuple[tuple[tuple[PolyElement, ...], ...], ...]:
        """∂_l X_j, indexed by kind, j, l."""
        return tuple(
            tuple(tuple(X.diff(z) for z in X.ring.gens) for X in components) for components in self.components
        )


def bracket(X: Field, Y: Field) -> Field:
    """Lie bracket [X, Y]_j = Σ_l X_l ∂_l Y_j − Y_l ∂_l X_j."""
    kinds = []
    for x, y, dx, dy in zip(X.components, Y.components, X.jacobian, Y.jacobian, strict=True):
        size = range(len(x))
        zero = x[0].ring.zero
        kinds.append(tuple(sum((x[l] * dy[j][l] - y[l] * dx[j][l] for l in size), zero) for j in size))
    return Field(tuple(kinds))


class GradientFields:
    """The vector fields η ∇φ_i of the potentials φ_i.

    Parameters
    ----------
    potentials : sequence of polynomials over ℤ
        φ_i, all in one ring, whose generators are the D parameters.
    rates : sequence of D positive rationals
        Learning rates η_j.
    """

    def __init__(self, potentials: Sequence[PolyElement], rates: Sequence[Any]) -> None:
        self.size = len(rates)
        scale = lcm(*(int(rate.q) for rate in rates))  # one factor for all fields: spans do not change
        weights = [int(rate * scale) for rate in rates]
        kinds: dict[Any, int] = {}
        self._blocks: list[tuple[int, list[int]]] = []  # (kind, parameter indices)
        for indices in _blocks(potentials, self.size):
            restricted = tuple(_restriction(potential, indices) for potential in potentials)
            kind = kinds.setdefault((restricted, tuple(weights[j] for j in indices)), len(kinds))
            self._blocks.append((kind, indices))

        gradients = []  # for each kind, for each potential, the components
        for restricted, block_weights in kinds:
            ring = PolyRing([f"z{j}" for j in range(len(block_weights))], ZZ)
            gradients.append(
                [
                    tuple(
                        weight * ring.from_dict(dict(terms)).diff(z)
                        for weight, z in zip(block_weights, ring.gens, strict=True)
                    )
                    for terms in restricted
                ]
            )
        self.fields = [Field(components) for components in zip(*gradients, strict=True)]

    def value(self, field: Field, point: Sequence[int]) -> Vector:
        """The D components of a field at a point, modulo p."""
        result = [0] * self.size
        for kind, indices in self._blocks:
            local = [point[j] for j in indices]
            for j, component in zip(indices, field.components[kind], strict=True):
                result[j] = polynomial_value(component, local)
        return result


def _blocks(potentials: Sequence[PolyElement], size: int) -> list[list[int]]:
    """Parameter indices, joined where they meet in a monomial (union–find)."""
    parent = list(range(size))

    def root(j: int) -> int:
        while parent[j] != j:
            j = parent[j]
        return j

    for potential in potentials:
        for exponents in potential:
            present = [j for j, power in enumerate(exponents) if power]
            for j in present[1:]:
                parent[root(j)] = root(present[0])
    blocks: dict[int, list[int]] = {}
    for j in range(size):
        blocks.setdefault(root(j), []).append(j)
    return list(blocks.values())


def _restriction(potential: PolyElement, indices: list[int]) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Terms of the potential that live on a block, in the block's own exponents; hashable, in fixed order."""
    terms = []
    for exponents, coefficient in potential.items():
        local = tuple(exponents[j] for j in indices)
        if any(local):
            terms.append((local, int(coefficient)))
    return tuple(sorted(terms))
