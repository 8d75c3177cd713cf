"""The kernel of a smoothed kink, and all its derivatives: the one source of the closed forms of smooth activations.

A ReLU that sees its input through private Gaussian noise of size a is S_a(z) = E ReLU(z + aξ), and its kernel is the
ReLU's for longer vectors. Without its linear part z/2 it is the even function S̃_a. With A = a² + q_1, B = b² + q_2,
D = AB − s², σ = √D and θ = atan2(s, σ) the kernels F_ij = E S̃_a⁽ⁱ⁾(z_1) S̃_b⁽ʲ⁾(z_2), i + j even, are

    F_00 = (σ + sθ)/2π,   F_11 = θ/2π,   F_20 = σ/(2πA),   F_22 = 1/(2πσ), …

and ∂F_ij/∂s = F_{i+1,j+1}, ∂F_ij/∂A = ½ F_{i+2,j} give the others; order −1 is the integral of S̃_a from zero. An order
i ≥ 2 is a derivative of the Gaussian density of width a: F_{2+i,2+j} is one of the density of (z_1, z_2) at the origin.
(Derived here; for a = b = 0 F_00 is the kernel of |z|/2, and F_11 that of sign(z)/2.) For a = 0 orders i ≥ 2 are
infinite where the vectors are parallel.

D is computed as a²b² + a²q_2 + b²q_1 + (q_1q_2 − s²), whose last term is a product of lengths, so that no digits are
lost for large and for nearly parallel vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dynamics.aliases import Array
from dynamics.population.gram_pairs import GramPairs

TAU = 2 * np.pi


@dataclass(frozen=True, eq=False)
class SmoothedPairs:
    """A, B, s and D of pairs of vectors seen through widths a and b; arrays that broadcast to one shape.

    Parameters
    ----------
    A, B, s, D : arrays
    q1, q2 : arrays
        Squared lengths, A − a² and B − b².
    """

    A: Array
    B: Array
    s: Array
    D: Array
    q1: Array
    q2: Array

    @classmethod
    def of(cls, pairs: GramPairs, a2: Array, b2: Array) -> SmoothedPairs:
        """The pairs for squared widths a² and b², in arrays with two last axes of length 1: arrays (…, K, n)."""
        D = b2 * (a2 + pairs.q1) + (a2 * pairs.q2 + pairs.determinant)
        return cls(a2 + pairs.q1, b2 + pairs.q2, pairs.s, D, pairs.q1, pairs.q2)

    @cached_property
    def sigma(self) -> Array:
        """σ = √D."""
        return np.sqrt(self.D)

    @cached_property
    def inverse_sigma(self) -> Array:
        """1/σ, infinite for parallel vectors without width."""
        with np.errstate(divide="ignore"):
            return 1 / self.sigma

    @cached_property
    def theta(self) -> Array:
        """θ = atan2(s, σ), in [−π/2, π/2]; zero where a vector without width vanishes."""
        return np.arctan2(self.s, self.sigma)

    @cached_property
    def inverse_A(self) -> Array:
        """1/A; zero where a vector without width vanishes, and so does what is divided by it."""
        return np.divide(1.0, self.A, out=np.zeros_like(self.A), where=self.A > 0)

    @property
    def swapped(self) -> SmoothedPairs:
        """The pairs with their two vectors exchanged."""
        other = SmoothedPairs(self.B, self.A, self.s, self.D, self.q2, self.q1)
        for name in ("sigma", "inverse_sigma", "theta"):
            if name in self.__dict__:
                other.__dict__[name] = self.__dict__[name]
        return other

    def F(self, i: int, j: int) -> Array:
        """F_ij."""
        if (i, j) in TOWER:
            return TOWER[i, j](self)
        return TOWER[j, i](self.swapped)


TOWER: dict[tuple[int, int], Callable[[SmoothedPairs], Array]] = {
    (-1, -1): lambda p: (3 * p.sigma * p.s + p.theta * (p.A * p.B + 2 * p.s**2)) / (4 * TAU),
    (0, 0): lambda p: (p.sigma + p.s * p.theta) / TAU,
    (1, 1): lambda p: p.theta / TAU,
    (1, -1): lambda p: (p.B * p.theta + p.s * p.sigma * p.inverse_A) / (2 * TAU),
    (2, 0): lambda p: p.sigma * p.inverse_A / TAU,
    (3, -1): lambda p: -p.s * p.sigma * p.inverse_A**2 / TAU,
    (3, 1): lambda p: -p.s * p.inverse_A * p.inverse_sigma / TAU,
    (4, 0): lambda p: (2 * p.s**2 - p.A * p.B) * p.inverse_A**2 * p.inverse_sigma / TAU,
    (5, -1): lambda p: p.s * (3 * p.A * p.B - 4 * p.s**2) * p.inverse_A**3 * p.inverse_sigma / TAU,
    (5, 1): lambda p: p.s * (3 * p.A * p.B - 2 * p.s**2) * p.inverse_A**2 * p.inverse_sigma**3 / TAU,
    (6, 0): lambda p: (
        (3 * (p.A * p.B) ** 2 - 12 * p.A * p.B * p.s**2 + 8 * p.s**4)
        * (p.inverse_A * p.inverse_sigma) ** 3
        / TAU
    ),
    (2, 2): lambda p: p.inverse_sigma / TAU,
    (3, 3): lambda p: p.s * p.inverse_sigma**3 / TAU,
    (4, 2): lambda p: -p.B * p.inverse_sigma**3 / TAU,
    (4, 4): lambda p: (p.A * p.B + 2 * p.s**2) * p.inverse_sigma**5 / TAU,
    (5, 3): lambda p: -3 * p.B * p.s * p.inverse_sigma**5 / TAU,
    (6, 2): lambda p: 3 * p.B**2 * p.inverse_sigma**5 / TAU,
}


def kink_mean(order: int, A: Array) -> Array:
    """E S̃_a⁽ⁱ⁾(z), z of variance q, for an order i ≥ 0, at A = a² + q; zero for odd orders and for −1."""
    if order % 2 or order < 0:
        return np.zeros_like(A)
    value, power = 1 / np.sqrt(TAU), 0.5  # dF/dA = ½ of the next
    for _ in range(order // 2):
        value, power = 2 * value * power, power - 1
    return value * np.power(A, power, out=np.zeros_like(A), where=A > 0)  # a unit without width may vanish
