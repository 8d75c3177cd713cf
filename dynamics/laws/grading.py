"""Gradings: how to cut the search for polynomial laws into many small ones.

Flipping the signs of some parameters, θ_j → ±θ_j, turns the flow of the potentials into itself as soon as every
potential is even or odd under it. A law then splits into parts that are even or odd under each such flip, and
each part is a law of its own. Likewise for the total degree: if all monomials of each potential agree in
degree modulo m, laws split by degree modulo m (m = 0: by degree itself, when all potentials are homogeneous).
These are all the diagonal symmetries of a gradient flow: scaling θ_j by z_j needs the same z_j² for all j.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

from sympy.polys.rings import PolyElement

Monomial = tuple[int, ...]


@dataclass(frozen=True)
class Grading:
    """Class of a monomial under sign flips and degree.

    Parameters
    ----------
    flips : tuple of int
        Each a bit mask of the parameters whose sign is flipped together.
    modulus : int
        m; 0 when the degree itself is a grading.
    """

    flips: tuple[int, ...]
    modulus: int

    def __call__(self, monomial: Monomial) -> tuple[int, ...]:
        """Degree modulo m, then the parity under each flip."""
        mask, degree = _parities(monomial), sum(monomial)
        return (
            degree % self.modulus if self.modulus else degree,
            *((mask & flip).bit_count() % 2 for flip in self.flips),
        )


def finest_grading(potentials: Sequence[PolyElement], size: int) -> Grading:
    """All sign flips under which every potential is even or odd, and the degree modulus."""
    modulus = 0
    constraints: list[int] = []  # masks v with |v ∩ flip| even for every admissible flip
    for potential in potentials:
        first, *others = list(potential)
        for monomial in others:
            modulus = gcd(modulus, sum(monomial) - sum(first))
            constraints.append(_parities(monomial) ^ _parities(first))
    return Grading(tuple(_orthogonal_masks(constraints, size)), modulus)


def _parities(monomial: Monomial) -> int:
    return sum(1 << j for j, power in enumerate(monomial) if power % 2)


def _orthogonal_masks(constraints: list[int], size: int) -> list[int]:
    """Basis of the masks that meet every constraint in an even number of bits (null space over 𝔽₂)."""
    pivots: dict[int, int] = {}  # reduced row echelon form: pivot bit ↦ row
    for row in constraints:
        for bit, other in pivots.items():
            if row >> bit & 1:
                row ^= other
        if row:
            bit = row.bit_length() - 1
            pivots = {b: other ^ row if other >> bit & 1 else other for b, other in pivots.items()}
            pivots[bit] = row
    free = [bit for bit in range(size) if bit not in pivots]
    return [(1 << bit) | sum(1 << pivot for pivot, row in pivots.items() if row >> bit & 1) for bit in free]
