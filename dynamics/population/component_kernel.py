"""The pair kernel of sums of smoothed kinks: closed forms for erf, tanh, GELU, SiLU, softplus, ReLU² and their kind.

Every operation on S̃_a is a differential operator, so that each K_ij is a sum of the F_ij of
`dynamics.population.smoothed_kink`. Where such a sum is a difference of large numbers for short vectors, K_00 and K_20
of gates and rises, its terms have been put together by hand (derived here).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dynamics.aliases import Array
from dynamics.population.expansion import GATE, KINK, RISE, Component, Operation
from dynamics.population.gram_pairs import GramPairs, orders
from dynamics.population.shifted_kink import ShiftedPairs
from dynamics.population.smoothed_kink import TAU, SmoothedPairs

BLOCK = 2**14  # numbers at a time: they stay in the processor's cache


@dataclass(frozen=True, eq=False)
class ComponentKernel:
    """κ of two components of the same parity.

    Parameters
    ----------
    left, right : Component
    """

    left: Component
    right: Component

    def __call__(self, pairs: GramPairs, *by: str) -> list[Array]:
        """Derivatives of κ, see `dynamics.population.gram_pairs.PairKernel`."""
        totals = [np.zeros(pairs.s.shape) for _ in by]
        wanted = [orders(name) for name in by]
        a2, b2 = self.left.widths[:, None, None, None] ** 2, self.right.widths[:, None, None] ** 2
        weights = self.left.weights[:, None] * self.right.weights
        block = max(1, BLOCK // max(b2.size * pairs.s.size, 1))
        kind = SmoothedPairs if pairs.m1 is None else ShiftedPairs
        for first in range(0, len(a2), block):
            here = slice(first, first + block)
            smoothed = kind.of(pairs, a2[here], b2)
            for total, (i, j, c) in zip(totals, wanted, strict=True):
                values = self._entry(smoothed, i, j, a2[here], b2)
                total += c * np.tensordot(weights[here], values, 2)
        return totals

    def _entry(self, pairs: SmoothedPairs | ShiftedPairs, i: int, j: int, a2: Array, b2: Array) -> Array:
        """K_ij for some widths a and all widths b, (I, J, K, n)."""
        left, right = self.left.operation, self.right.operation
        if isinstance(pairs, SmoothedPairs):  # others have no such differences put together
            if (left, right, i, j) in TOGETHER:
                return TOGETHER[left, right, i, j](pairs, a2, b2)
            if (right, left, j, i) in TOGETHER:
                return TOGETHER[right, left, j, i](pairs.swapped, b2, a2)
        total: Array | float = 0.0
        for m, p, c in left.terms:
            for n, r, d in right.terms:
                total = total + c * d * a2**p * b2**r * pairs.F(i + m, j + n)
        if left.from_zero and i == 0:
            total = total - np.sqrt(a2 / TAU) * _mean(right, j, pairs.swapped, b2)
        if right.from_zero and j == 0:
            total = total - np.sqrt(b2 / TAU) * _mean(left, i, pairs, a2)
        if left.from_zero and right.from_zero and i == j == 0:
            total = total + np.sqrt(a2 * b2) / TAU
        return np.broadcast_to(total, np.broadcast_shapes(pairs.D.shape, np.shape(total)))


def _mean(operation: Operation, order: int, pairs: SmoothedPairs | ShiftedPairs, a2: Array) -> Array:
    """E of a derivative of the left function alone, its value at zero not subtracted."""
    return np.asarray(sum(c * a2**p * pairs.mean(order + m) for m, p, c in operation.terms))


Form = Callable[[SmoothedPairs, Array, Array], Array]


def _gate_gate(p: SmoothedPairs, a2: Array, b2: Array) -> Array:
    """K_00 of two gates: [σq_1q_2/(AB) + sθ + a²b²s²/(ABσ)]/2π, a sum of terms of one sign."""
    AB = p.AB
    return (p.sigma * p.q1 * p.q2 / AB + p.s * p.theta + a2 * b2 * p.s**2 * p.inverse_sigma / AB) / TAU


def _bent_gate_gate(p: SmoothedPairs, a2: Array, b2: Array) -> Array:
    """K_20 of two gates: [A²B(A + a²)q_2 − xA(2AB + 3a²B − b²A) + x²(A + 2a²)]/(2πA²σ³), x = s²."""
    A, B, x = p.A, p.B, p.s**2
    terms = A**2 * B * (A + a2) * p.q2 - x * A * (2 * A * B + 3 * a2 * B - b2 * A) + x**2 * (A + 2 * a2)
    return terms * p.cube / (TAU * A**2)


def _kink_gate(p: SmoothedPairs, a2: Array, b2: Array) -> Array:
    """K_00 of a kink and a gate: (σq_2/B + sθ)/2π."""
    return (p.sigma * p.q2 / p.B + p.s * p.theta) / TAU


def _bent_kink_gate(p: SmoothedPairs, a2: Array, b2: Array) -> Array:
    """K_20 of a kink and a gate: (Aq_2 − s²)/(2πAσ)."""
    return (p.A * p.q2 - p.s**2) * p.inverse_A * p.inverse_sigma / TAU


def _rise_rise(p: SmoothedPairs, a2: Array, b2: Array) -> Array:
    """K_00 of two rises: [sθ − s²/(σ + √(AB)) + q_1q_2/((√A + a)(√B + b))]/2π."""
    root_A, root_B = np.sqrt(p.A), np.sqrt(p.B)
    rises = p.q1 / (root_A + np.sqrt(a2)) * (p.q2 / (root_B + np.sqrt(b2)))
    return (p.s * p.theta - p.s**2 / (p.sigma + root_A * root_B) + rises) / TAU


def _bent_rise_rise(p: SmoothedPairs, a2: Array, b2: Array) -> Array:
    """K_20 of two rises: (Aq_2 − s²)/(2πA(σ + b√A))."""
    return (p.A * p.q2 - p.s**2) * p.inverse_A / (p.sigma + np.sqrt(b2 * p.A)) / TAU


TOGETHER: dict[tuple[Operation, Operation, int, int], Form] = {
    (GATE, GATE, 0, 0): _gate_gate,
    (GATE, GATE, 2, 0): _bent_gate_gate,
    (KINK, GATE, 0, 0): _kink_gate,
    (KINK, GATE, 2, 0): _bent_kink_gate,
    (RISE, RISE, 0, 0): _rise_rise,
    (RISE, RISE, 2, 0): _bent_rise_rise,
}
