"""Stationary levels in order of their loss, lazily: best-first branch and bound over the 2^r sets of modes.

A node of the search tree has decided for some eigenvalues whether they are learned (set S₀) or not (C₀); the
others (U) are open. Its priority is a lower bound on the loss of every completion that the hidden units can
realise, so sets leave the queue in order of their loss. Learning one more mode never raises the loss: as long as
the completion that learns all of U can be realised, its loss is the bound, and the first sets appear at once.

With a shortage of units the bound is as follows (derived here). With x = T/(r+s) the overshoot, s = 2/c, c the coupling
of the trace, L = Σ_{j∈C} λ_j² + (r+s) x². For any multiplier ν, the definition of x gives

    L = Σ_{j∈C} w_j + (r+s) f(x),    w_j = λ_j² + 2νλ_j,    f(x) = x² − 2νx,

a sum over single modes: an unlearned one pays w_j, a learned one f(x). A learned mode needs a unit of the sign of
λ_i + x. Of the modes of S₀ at most n₊ may be positive and at most n₋ negative, which confines x to an interval; let
y be the point of it nearest to ν, so that f(x) ≥ f(y). A mode with λ_i + y > 0 that finds no positive unit at y can
be learned only for x ≤ −λ_i, where it pays f(x) ≥ f(−λ_i) = w_i, as much as if it were not learned; likewise
for the other sign. So at best n₊ and n₋ modes of either sign pay f(y), the others w_j; or, counting units without
their signs, all of S₀ and K − |S₀| modes of U pay f(y). Both are lower bounds, for every ν; the best is used.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.budget import check_number
from dynamics.errors import ComputationError
from dynamics.problem.balance import Balance, Landscape
from dynamics.problem.levels import overshoot
from dynamics.stationary.hessian import Units, needed_units
from dynamics.stationary.spectrum import Spectrum

LARGEST_SEARCH = 400_000  # nodes of the search tree
LARGEST_DESCENT = 4_096  # sets of modes whose balance has to be solved for

LEARNED, UNLEARNED, OPEN = 1, -1, 0

# Steps in ν, in units of the largest eigenvalue, tried around the multiplier of the parent node.
STEPS = np.concatenate([[0.0], *([s, -s] for s in (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0))])


class LevelSet(NamedTuple):
    """A set of learned modes: `counts[g]` of each distinct eigenvalue, and the loss at its stationary points."""

    loss: float
    counts: tuple[int, ...]


def capacities(spectrum: Spectrum, hidden: int) -> NDArray[np.int64]:
    """How many modes of each eigenvalue are worth listing: of a huge kernel no more than there are units."""
    return np.where(
        spectrum.values == 0, np.minimum(spectrum.multiplicities, hidden), spectrum.multiplicities
    )


def balanced_sets(
    spectrum: Spectrum, landscape: Landscape, units: Units, hidden: int
) -> Iterator[tuple[tuple[int, ...], Balance]]:
    """All sets of modes that rest and that the hidden units can realise, in order of their loss.

    A square loss by branch and bound (`by_loss`). Of every other convex loss the level of a set is the least loss of
    all M on these modes, so that it falls with every further mode: from everything learned downwards the sets come in
    the order of their loss, once each.

    Parameters
    ----------
    spectrum : Spectrum
    landscape : Landscape
    units : Units
        Most units of either sign.
    hidden : int
        Most units altogether.

    Yields
    ------
    counts : tuple of int
        Learned modes of each distinct eigenvalue.
    balance : Balance
    """
    if landscape.coupling is not None:
        for level in by_loss(spectrum, landscape.coupling, units, hidden):
            found = landscape.balance(spectrum.values, spectrum.multiplicities, np.array(level.counts))
            assert found is not None  # a square loss has a balance on every set
            yield level.counts, found
        return
    full = tuple(capacities(spectrum, hidden).tolist())
    first = landscape.balance(spectrum.values, spectrum.multiplicities, np.array(full))
    queue, seen = [(-np.inf if first is None else first.loss, full, first)], {full}
    while queue:
        _, counts, balance = heapq.heappop(queue)
        if balance is not None:
            needed = needed_units(replace(spectrum, values=balance.base), counts, balance.shift)
            if units.suffice(needed) and needed.total <= hidden:
                yield counts, balance
        for g in np.flatnonzero(counts):
            fewer = (*counts[:g], counts[g] - 1, *counts[g + 1 :])
            if fewer not in seen:
                seen.add(fewer)
                check_number(
                    "The search for the lowest points",
                    len(seen),
                    LARGEST_DESCENT,
                    "sets",
                    "lower the number of modes",
                )
                found = landscape.balance(spectrum.values, spectrum.multiplicities, np.array(fewer))
                heapq.heappush(queue, (-np.inf if found is None else found.loss, fewer, found))


def by_loss(spectrum: Spectrum, trace_coupling: float, units: Units, hidden: int) -> Iterator[LevelSet]:
    """All level sets that the hidden units can realise, in order of their loss.

    Parameters
    ----------
    spectrum : Spectrum
    trace_coupling : float
        c ≥ 0: 1 for the quadratic activation, 0 for the centred one.
    units : Units
        Most units of either sign.
    hidden : int
        Most units altogether.

    Yields
    ------
    LevelSet

    Raises
    ------
    ComputationError
        If the search tree grows beyond `LARGEST_SEARCH` nodes; it takes few units and many nearly equal losses.
    """
    tree = _Tree.of(spectrum, trace_coupling, units, hidden)
    n, ticket = len(tree.lam), count()
    root = np.full(n, OPEN, dtype=np.int8)
    # (bound, deeper nodes first, tie-breaker, choices, multiplier)
    queue = [(tree.bound(root, 0, 0.0)[0], 0, next(ticket), root, 0.0)]
    while queue:
        loss, depth, _, choices, nu = heapq.heappop(queue)
        t = -depth
        if t == n:
            yield LevelSet(loss, tree.counts(choices))
            continue
        for choice in (LEARNED, UNLEARNED):
            # Of equal eigenvalues the unlearned come first: each multiset appears once.
            if choice == UNLEARNED and t and tree.twin[t] and choices[t - 1] == LEARNED:
                continue
            child = choices.copy()
            child[t] = choice
            bound, multiplier = tree.bound(child, t + 1, nu)
            if bound < np.inf:
                heapq.heappush(queue, (bound, -t - 1, next(ticket), child, multiplier))
        if len(queue) > LARGEST_SEARCH:
            raise ComputationError(
                f"The search for the lowest fixed points holds more than {LARGEST_SEARCH} open sets of modes: ask for"
                " fewer, or use a teacher with fewer, or better separated, eigenvalues."
            )


@dataclass(frozen=True, eq=False)
class _Tree:
    """The eigenvalues in the order of decision, (n,), with the bound on a partial decision."""

    spectrum: Spectrum
    lam: Array
    group: NDArray[np.int64]
    twin: NDArray[np.bool_]  # whether an eigenvalue equals the one before
    trace_coupling: float
    units: Units
    hidden: int

    @classmethod
    def of(cls, spectrum: Spectrum, trace_coupling: float, units: Units, hidden: int) -> _Tree:
        group = np.repeat(np.arange(len(spectrum.values)), capacities(spectrum, hidden))
        # Large |λ| first: they decide most.
        group = group[np.lexsort((group, -np.abs(spectrum.values[group])))]
        twin = np.concatenate([[False], group[1:] == group[:-1]])
        return cls(spectrum, spectrum.values[group], group, twin, trace_coupling, units, hidden)

    def counts(self, choices: NDArray[np.int8]) -> tuple[int, ...]:
        """Learned modes of each distinct eigenvalue if all that is open is learned."""
        learned = self.group[choices != UNLEARNED]
        return tuple(np.bincount(learned, minlength=len(self.spectrum.values)).tolist())

    def bound(self, choices: NDArray[np.int8], decided: int, nu: float) -> tuple[float, float]:
        """Lower bound on the loss of all completions that can be realised, and its multiplier ν.

        Parameters
        ----------
        choices : (n,) array
            Of `LEARNED`, `UNLEARNED`, `OPEN`.
        decided : int
            Number of leading choices that are not open.
        nu : float
            Multiplier to try first.
        """
        counts = self.counts(choices)
        _, shift, loss = overshoot(
            self.spectrum.values,
            self.spectrum.multiplicities - np.array(counts),
            sum(counts),
            self.trace_coupling,
        )
        needed = needed_units(self.spectrum, counts, shift)
        if self.units.suffice(needed) and needed.total <= self.hidden:
            return loss, shift
        if decided == len(self.lam):
            return np.inf, nu
        learned = np.sort(self.lam[choices == LEARNED])
        low, high = self._interval(learned)
        if low > high or len(learned) > self.hidden:
            return np.inf, nu
        nus = np.zeros(1)
        if self.trace_coupling:
            nus = np.append(nu + self.spectrum.scale * STEPS, shift)
        bounds = self._bounds(choices, len(learned), nus, np.clip(nus, low, high))
        best = int(bounds.argmax())
        return float(bounds[best]), float(nus[best])

    def _interval(self, learned: Array) -> tuple[float, float]:
        """Overshoots x for which the modes already learned (ascending) find units of their signs."""
        n_plus, n_minus, tolerance = self.units.positive, self.units.negative, self.spectrum.tolerance
        low = -learned[n_minus] if len(learned) > n_minus else -np.inf
        high = -learned[-n_plus - 1] if len(learned) > n_plus else np.inf
        if self.trace_coupling:
            return low, high
        return (0.0, 0.0) if low <= tolerance and high >= -tolerance else (np.inf, -np.inf)

    def _bounds(self, choices: NDArray[np.int8], learned: int, nu: Array, y: Array) -> Array:
        """The two lower bounds of the module's notes, the larger of them, for each multiplier, (m,)."""
        S, U = choices == LEARNED, choices == OPEN
        lam, nu, y = self.lam, nu[:, None], y[:, None]
        w, f = lam**2 + 2 * nu * lam, y**2 - 2 * nu * y  # (m, n), (m, 1)
        saving = np.maximum(w - f, 0.0)
        spread = 2 / self.trace_coupling if self.trace_coupling else 0.0  # without coupling f vanishes
        base = spread * f[:, 0] + w[:, choices == UNLEARNED].sum(axis=1) + w[:, U].sum(axis=1)
        unsigned = base + learned * f[:, 0] - _top(saving[:, U], self.hidden - learned)
        held = np.maximum(w, f)[:, S].sum(axis=1)
        decidable = S | U
        positive = np.where((lam + y > 0) & decidable, saving, 0.0)
        negative = np.where((lam + y < 0) & decidable, saving, 0.0)
        signed = base + held - _top(positive, self.units.positive) - _top(negative, self.units.negative)
        return np.maximum(unsigned, signed)


def _top(values: Array, number: int) -> Array:
    """Sum of the `number` largest of the non-negative values in every row, (m,)."""
    if number >= values.shape[1]:
        return values.sum(axis=1)
    return np.sort(values, axis=1)[:, values.shape[1] - number :].sum(axis=1)
