"""The Morse count on the Grassmannian Gr(r, d): which numbers of critical subspaces of each index can be all there are.

A smooth function on a closed manifold whose critical points are all non-degenerate has c_i of them of index i, and with
the Betti numbers b_i over Z/2 (Morse's inequalities; Milnor, *Morse theory*, §5, not consulted)

    Σ c_i tⁱ − Σ b_i tⁱ = (1 + t) Q(t),   Q with coefficients ≥ 0.

Critical subspaces that come in a manifold, in directions across which the second derivative is regular, count with the
Betti numbers of that manifold, from their index on (Bott, *Nondegenerate critical manifolds*, 1954, not consulted).
One kind of them is the rule with labels of both signs: V = range M ⊕ span v with vᵀGv = 0, where G is indefinite.

Hence c_i ≥ b_i, at least binom(d, r) critical points, and Σ(−1)ⁱc_i = χ. For Gr(r, d) Σ b_i tⁱ is the Gaussian
binomial: b_i partitions of i fit into a box of r × (d − r), one Schubert cell for each; χ = 0 if d is even and r odd,
else binom(⌊d/2⌋, ⌊r/2⌋). The condition is necessary, not sufficient: two critical points of neighbouring indices that
are both missed cancel. A search is therefore asked for more: that it found each of them twice. The share of starts that
led to what no other start found estimates how probable it is that one more start finds something new (I. J. Good, *The
population frequencies of species and the estimation of population parameters*, 1953, not consulted).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import comb
from typing import Any

COMPLETE, UNKNOWN = "complete: the count closes", "not shown to be complete"


def betti_numbers(rank: int, inputs: int) -> tuple[int, ...]:
    """b_0, b_1, … of Gr(r, d) over Z/2: how many partitions of i fit into a box of r × (d − r)."""
    width = inputs - rank
    counts = [1] + [0] * (rank * width)
    for part in range(1, width + 1):  # Π (1 − t^{r + part}) / (1 − t^part), which stays a polynomial
        for i in range(len(counts) - 1, rank + part - 1, -1):
            counts[i] -= counts[i - rank - part]
        for i in range(part, len(counts)):
            counts[i] += counts[i - part]
    return tuple(counts)


def euler_characteristic(rank: int, inputs: int) -> int:
    """χ(Gr(r, d))."""
    return 0 if inputs % 2 == 0 and rank % 2 else comb(inputs // 2, rank // 2)


def isotropic_lines(positive: int, negative: int) -> tuple[int, ...]:
    """Betti numbers over Z/2 of the lines on which a form with such numbers of eigenvalues vanishes; () if none does.

    They are S^{p−1} × S^{q−1} up to a common sign, p ≤ q: a bundle of spheres over the projective space of dimension
    p − 1, whose Euler class vanishes, so that Σ b_i tⁱ = (1 + … + t^{p−1})(1 + t^{q−1}) (derived here).
    """
    p, q = sorted((positive, negative))
    if not p:
        return ()
    betti = [0] * (p + q - 1)
    for i in range(p):
        betti[i] += 1
        betti[i + q - 1] += 1
    return tuple(betti)


@dataclass(frozen=True)
class MorseCount:
    """The critical subspaces of one dimension, counted.

    Parameters
    ----------
    rank, inputs : int
        r and d.
    critical : tuple of (int, tuple of int)
        Index of every critical subspace that was found, those included on which M has a smaller rank, and the Betti
        numbers of the manifold in which it comes: (1,) for a single one.
    deficient : int
        On how many M has a smaller rank.
    degenerate : int
        How many have a singular second derivative that no manifold explains: then nothing can be counted.
    rare : int
        How many a single start led to.
    starts : int
        From how many starts they were found.
    """

    rank: int
    inputs: int
    critical: tuple[tuple[int, tuple[int, ...]], ...]
    deficient: int
    degenerate: int
    rare: int
    starts: int

    @property
    def found(self) -> tuple[int, ...]:
        """c_i, i = 0 … r(d − r)."""
        counts = [0] * (self.rank * (self.inputs - self.rank) + 1)
        for index, betti in self.critical:
            for i, b in enumerate(betti, index):
                counts[i] += b
        return tuple(counts)

    @property
    def euler(self) -> int:
        """Σ(−1)ⁱ c_i."""
        return sum((-1) ** i * c for i, c in enumerate(self.found))

    @property
    def closes(self) -> bool:
        """Whether nothing but these can be all, and all are non-degenerate."""
        return not self.degenerate and morse_relations(self.found, betti_numbers(self.rank, self.inputs))

    @property
    def complete(self) -> bool:
        """Whether the count closes, and more than one start led to each."""
        return self.closes and not self.rare

    @property
    def verdict(self) -> str:
        """In words."""
        return COMPLETE if self.complete else UNKNOWN

    @property
    def reason(self) -> str:
        """Why it is not shown to be complete; empty if it is."""
        least = comb(self.inputs, self.rank)
        if self.degenerate:
            return f"{self.degenerate} of {len(self.critical)} critical subspaces are degenerate"
        if self.closes:
            found = f"{self.rare} of {len(self.critical)} critical subspaces"
            return f"the count closes, but {found} were found from one start alone" if self.rare else ""
        if sum(self.found) < least:
            return f"{sum(self.found)} critical subspaces were found, of at least {least}"
        expected = euler_characteristic(self.rank, self.inputs)
        if self.euler != expected:
            return f"the alternating sum of indices is {self.euler}, and {expected} if none is missing"
        return f"{list(self.found)} critical subspaces of each index cannot be all"

    def summary(self) -> str:
        """One line."""
        return f"rank {self.rank}: {self.verdict}" + (f": {self.reason}" if self.reason else "")

    def to_dict(self) -> dict[str, Any]:
        """JSON object."""
        rest = {name: value for name, value in asdict(self).items() if name not in ("critical", "inputs")}
        return rest | {
            "critical_subspaces": len(self.critical),
            "families": sum(len(betti) > 1 for _, betti in self.critical),
            "indices": list(self.found),
            "euler": self.euler,
            "euler_expected": euler_characteristic(self.rank, self.inputs),
            "least": comb(self.inputs, self.rank),
            "closes": self.closes,
            "complete": self.complete,
            "verdict": self.verdict,
            "reason": self.reason,
        }


def morse_relations(found: Sequence[int], betti: Sequence[int]) -> bool:
    """Whether Σ (c_i − b_i) tⁱ = (1 + t) Q(t) with coefficients of Q that are not negative."""
    quotient = 0
    for c, b in zip(found, betti, strict=True):
        quotient = c - b - quotient
        if quotient < 0:
            return False
    return quotient == 0
