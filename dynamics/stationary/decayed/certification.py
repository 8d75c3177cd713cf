"""Proof by interval arithmetic that a state rests under weight decay, with the signs of its Hessian's eigenvalues.

By the reflections of single modes and the permutations of units that hold the same mode, states with one mode for each
unit, units of a mode alike, are stationary if R is stationary among them. With g_i = 4(λ_i − n_i a_i p_i²) + 2τ:

    a_i g_i = ρ_w,   ½ p_i² g_i = ρ_a a_i   for each learned mode; the first alone where the a_k are fixed.

Krawczyk's test proves that this polynomial system has exactly one zero near the given (p, a), and where; neither the
learned values nor the objective of the catalogue are used. The signs follow from the pieces of `inertia`: signs of
products of balls, the inertia of one matrix, and the exact equality of repeated eigenvalues. Frames are families of
states, not zeros in isolation: nothing is proven of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from dynamics.stationary import intervals as iv
from dynamics.stationary.certificate import Certificate
from dynamics.stationary.decayed.blocks import RestingState
from dynamics.stationary.decayed.catalogue import DecayedCatalogue
from dynamics.stationary.points import FixedPoint

FAMILY = "Units share several modes here: a family of states, which intervals do not prove one by one."


def certify_decayed(
    catalogue: DecayedCatalogue, point: FixedPoint, eigenvalues: list[tuple[iv.Number, int]]
) -> Certificate:
    """Certificate of a point under weight decay, in the arithmetic of the caller's precision.

    Parameters
    ----------
    catalogue : DecayedCatalogue
    point : FixedPoint
    eigenvalues : list of (number, count)
        Of the teacher, descending, as `dynamics.stationary.intervals.eigenvalues` proves them.
    """
    state = catalogue.state(point)
    if state.frame:
        return Certificate(False, reason=FAMILY)
    system = _System.of(state, eigenvalues)
    solution = system.solve()
    if solution is None:
        return Certificate(False, reason="No zero could be proven near the given weights.")
    p, a, radius = solution
    proof = Certificate(False, radius, system.loss(p, a))
    signs = system.signature(p, a)
    if signs is None:
        return replace(proof, reason="The signs of the Hessian's eigenvalues could not be proven.")
    index, zero = signs
    total = state.hidden * (state.spectrum.inputs + state.trainable)
    proof = replace(proof, index=index, nullity=zero, positive=total - index - zero)
    if (index, zero) != (point.index, point.nullity):
        return replace(proof, reason="The proven signature is not that of the catalogue.")
    return replace(proof, certified=True)


@dataclass(frozen=True, eq=False)
class _System:
    """The equations of the learned modes.

    Parameters
    ----------
    state : RestingState
    entry : tuple of int
        For every learned mode the number of its eigenvalue among `values`.
    block : tuple of int
        And that of its block.
    units : tuple of int
        And how many units are alike: all of a trained block, one of a fixed one.
    values, free : list
        Eigenvalues, and how many modes of each are not learned.
    """

    state: RestingState
    entry: tuple[int, ...]
    block: tuple[int, ...]
    units: tuple[int, ...]
    values: list[iv.Number]
    free: list[int]

    @classmethod
    def of(cls, state: RestingState, eigenvalues: list[tuple[iv.Number, int]]) -> _System:
        ends = np.cumsum([count for _, count in eigenvalues])
        pairs = [(i, b) for b, block in enumerate(state.blocks) for i in block.modes]
        entry = [int(np.searchsorted(ends, i, side="right")) for i, _ in pairs]
        units = [state.blocks[b].units if state.trainable else 1 for _, b in pairs]
        free = [count - entry.count(e) for e, (_, count) in enumerate(eigenvalues)]
        values = [value for value, _ in eigenvalues]
        return cls(state, tuple(entry), tuple(b for _, b in pairs), tuple(units), values, free)

    def solve(self) -> tuple[list[iv.arb], list[iv.arb], float] | None:
        """Balls p and a around the zero, one of each mode, and its distance from the given weights."""
        r = len(self.entry)
        a0 = [self.state.blocks[b].a for b in self.block]
        mu = [value for block in self.state.blocks for value in block.values]
        p0 = [float(np.sqrt(m / (n * a))) for m, n, a in zip(mu, self.units, a0, strict=True)]
        x0 = np.array([*p0, *a0] if self.state.trainable else p0)
        if not r:
            return [], [], 0.0
        fixed = list(map(iv.arb, a0))

        def split(x: iv.arb_mat) -> tuple[list[iv.arb], list[iv.arb]]:
            entries = x.entries()
            return entries[:r], entries[r:] if self.state.trainable else fixed

        box = iv.krawczyk(lambda x: self._residual(*split(x)), lambda x: self._jacobian(*split(x)), x0)
        if box is None:
            return None
        alike = self.units * (2 if self.state.trainable else 1)
        apart = zip(box.entries(), x0.tolist(), alike, strict=True)
        square = sum((n * (x - start).abs_upper() ** 2 for x, start, n in apart), iv.arb(0))
        return *split(box), iv.magnitude(square.sqrt())

    def _trace(self, p: list[iv.arb], a: list[iv.arb]) -> iv.arb:
        held = zip(self.units, a, p, self.entry, strict=True)
        rest = sum((value * count for value, count in zip(self.values, self.free, strict=True)), iv.arb(0))
        return rest + sum((self.values[e] - n * w * q * q for n, w, q, e in held), iv.arb(0))

    def _pulls(self, p: list[iv.arb], a: list[iv.arb]) -> list[iv.arb]:
        shift = 2 * int(self.state.trace_coupling) * self._trace(p, a)
        held = zip(self.units, a, p, self.entry, strict=True)
        return [4 * (self.values[e] - n * w * q * q) + shift for n, w, q, e in held]

    def _residual(self, p: list[iv.arb], a: list[iv.arb]) -> iv.arb_mat:
        rho_w, rho_a = map(iv.arb, self.state.decay.rates)
        g = self._pulls(p, a)
        rows = [w * pull - rho_w for w, pull in zip(a, g, strict=True)]
        if self.state.trainable:
            rows += [q * q * pull / 2 - rho_a * w for q, w, pull in zip(p, a, g, strict=True)]
        return iv.arb_mat(len(rows), 1, rows)

    def _jacobian(self, p: list[iv.arb], a: list[iv.arb]) -> iv.arb_mat:
        rho_a, coupling = iv.arb(self.state.decay.second), int(self.state.trace_coupling)
        g, r = self._pulls(p, a), len(p)
        trained = self.state.trainable

        def dg(i: int, j: int) -> tuple[iv.arb, iv.arb]:
            """Derivatives of g_i by p_j and a_j."""
            factor = -(4 * int(i == j) + 2 * coupling) * self.units[j]
            return 2 * factor * a[j] * p[j], factor * p[j] * p[j]

        rows = []
        for i in range(r):
            slopes = [dg(i, j) for j in range(r)]
            by_p = [a[i] * slope for slope, _ in slopes]
            by_a = [a[i] * slope + (g[i] if i == j else 0) for j, (_, slope) in enumerate(slopes)]
            rows.append([*by_p, *by_a] if trained else by_p)
        for i in range(r * trained):
            slopes, half = [dg(i, j) for j in range(r)], p[i] * p[i] / 2
            by_p = [half * slope + (p[i] * g[i] if i == j else 0) for j, (slope, _) in enumerate(slopes)]
            by_a = [half * slope - (rho_a if i == j else 0) for j, (_, slope) in enumerate(slopes)]
            rows.append([*by_p, *by_a])
        return iv.arb_mat(rows)

    def loss(self, p: list[iv.arb], a: list[iv.arb]) -> tuple[float, float]:
        """Bounds on the loss, without the penalty."""
        held = zip(self.units, a, p, self.entry, strict=True)
        D = [self.values[e] - n * w * q * q for n, w, q, e in held]
        tau = self._trace(p, a)
        L = sum((x * x for x in D), iv.arb(0)) + int(self.state.trace_coupling) * tau * tau / 2
        L += sum(
            (value * value * count for value, count in zip(self.values, self.free, strict=True)), iv.fmpq(0)
        )
        return float(np.nextafter(float(L.lower()), -np.inf)), float(np.nextafter(float(L.upper()), np.inf))

    def signature(self, p: list[iv.arb], a: list[iv.arb]) -> tuple[int, int] | None:
        """Proven numbers of negative and zero eigenvalues of the Hessian; None if a ball does not decide."""
        factors = [*self._unlearned_factors(p, a), *self._pair_factors(a)]
        signs = [(iv.sign(factor), times) for factor, times in factors if times]
        within = self._within(p, a) if self.state.trainable else self._within_fixed()
        if within is None or any(sign is None for sign, _ in signs):
            return None
        index = within[0] + sum(times for sign, times in signs if sign == -1)
        return index, within[1] + sum(times for sign, times in signs if sign == 0)

    def _weight(self, b: int, a: list[iv.arb]) -> iv.arb:
        """a of a block."""
        return a[self.block.index(b)] if b in self.block else iv.arb(self.state.blocks[b].a)

    def _order(self, e: int, f: int) -> int:
        """Sign of λ_e − λ_f; entries stand in descending order, and equal ones are equal or not told apart."""
        return iv.sign(self.values[e] - self.values[f]) if e != f else 0  # type: ignore[return-value]

    def _unlearned_factors(self, p: list[iv.arb], a: list[iv.arb]) -> list[tuple[iv.Number, int]]:
        rho, shift = iv.arb(self.state.decay.first), 2 * int(self.state.trace_coupling) * self._trace(p, a)
        factors: list[tuple[iv.Number, int]] = []
        for f, count in enumerate(self.free):
            for e, weight in zip(self.entry, a, strict=True):
                order = self._order(e, f)
                factors.append((weight * order if order is not None else iv.arb(0, 1), count))
            for b, block in enumerate(self.state.blocks):
                pull = rho - self._weight(b, a) * (4 * self.values[f] + shift)
                factors.append((pull, count * block.spare))
        return factors

    def _pair_factors(self, a: list[iv.arb]) -> list[tuple[iv.Number, int]]:
        factors: list[tuple[iv.Number, int]] = []
        for (i, b), (j, c) in combinations(list(enumerate(self.block)), 2):
            if b != c:
                order = self._order(self.entry[i], self.entry[j])
                factors.append(((a[i] - a[j]) * order if order is not None else iv.arb(0, 1), 1))
        for b, one in enumerate(self.state.blocks):
            for c, other in enumerate(self.state.blocks):
                if b != c:
                    mine, theirs = self._weight(b, a), self._weight(c, a)
                    # Blocks of the same kind are alike, for the system has a single zero here.
                    gap = 0 if self._alike(b, c) else theirs * (theirs - mine)
                    factors.append((gap, one.spare * len(other.modes)))
        return factors

    def _alike(self, b: int, c: int) -> bool:
        one, other = self.state.blocks[b], self.state.blocks[c]
        if not self.state.trainable or (one.units, one.lower) != (other.units, other.lower):
            return False
        return self._order(*(self.entry[self.block.index(n)] for n in (b, c))) == 0

    def _within_fixed(self) -> tuple[int, int]:
        sizes = [(block.units, len(block.modes)) for block in self.state.blocks]
        return 0, sum(m * n - m * (m + 1) // 2 for n, m in sizes)

    def _within(self, p: list[iv.arb], a: list[iv.arb]) -> tuple[int, int] | None:
        """Units that hold a mode: against each other, and all together."""
        r, g = len(p), self._pulls(p, a)
        if not r:
            return 0, 0
        H = iv.arb_mat(2 * r, 2 * r)
        roots = [iv.arb(n).sqrt() for n in self.units]
        normals = [(root * 2 * w * q, root * q * q) for root, w, q in zip(roots, a, p, strict=True)]
        coupling = int(self.state.trace_coupling)
        for i in range(r):
            for j in range(r):
                for s in range(2):
                    for t in range(2):
                        factor = 2 * int(i == j) + coupling
                        H[2 * i + s, 2 * j + t] = factor * normals[i][s] * normals[j][t]
            H[2 * i, 2 * i + 1] -= p[i] * g[i]
            H[2 * i + 1, 2 * i] -= p[i] * g[i]
            H[2 * i + 1, 2 * i + 1] += iv.arb(self.state.decay.second)
        signs = iv.inertia(H, 0)
        return None if signs is None else (signs[0] + sum(n - 1 for n in self.units), 0)
