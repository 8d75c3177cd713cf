"""Signs of the Hessian's eigenvalues at a state at rest under weight decay: counted, not computed (derived here).

The reflections of single modes split the Hessian of R into pieces. For a block with n units, weight a, pull γ and
learned modes i, against a mode j that nobody has learned (γ_j = 4λ_j + 2τ):

    4a(λ_i − λ_j)  once for each i,      a(γ − γ_j)  n − m times.

For two blocks, modes i of one and j of the other: a matrix 2 × 2 with the determinant 4ρ_w(a − a')(λ_i − λ_j), which
has at most one negative eigenvalue, for each pair; ρ_w(1 − a/a') m'(n − m) times and ρ_w(1 − a'/a) m(n' − m') times.
Units at the origin: ρ_w, ρ_a. What is left are the units of a block along its own modes, and their a:

* fixed second layer: m(m+1)/2 positive ones for each block, the rest vanishes;
* trained, blocks of a single mode: n − 1 pairs of signs ± for each block, and r positive, r further ones with as many
  negative ones as there are s_i < 0, one less if 1 + Σ1/s_i < 0 (s of `dynamics.problem.decayed_mode`; the trace
  couples only the quadratic activation). A frame, a block of several modes, has no such rule: `within` computes it. At
  least one is negative: turning the units at fixed M changes their shares m_k of it, and Σ m_k^{2/3}, the penalty, is
  strictly concave.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from dynamics.stationary.decayed.blocks import RestingState
from dynamics.stationary.decayed.eigenvalues import within

ROUNDING = 1e-11  # relative size below which a factor counts as zero


@dataclass(frozen=True)
class Inertia:
    """Numbers of negative, zero and positive eigenvalues, and what the negative ones are.

    Parameters
    ----------
    index, nullity, positive : int
    descending : tuple of int
        Distinct eigenvalues whose unlearned modes are descent directions.
    exchanging : bool
        Whether two blocks descend by turning into each other's modes.
    within : int
        Negative eigenvalues of units along their own modes.
    """

    index: int
    nullity: int
    positive: int
    descending: tuple[int, ...]
    exchanging: bool
    within: int


class _Count:
    """Counts signs with multiplicities."""

    def __init__(self) -> None:
        self.negative = self.zero = 0

    def add(self, factor: float, times: int, scale: float) -> None:
        """Count a factor of the size `scale` so many times."""
        if abs(factor) <= ROUNDING * scale:
            self.zero += times
        elif factor < 0:
            self.negative += times


def inertia(state: RestingState) -> Inertia:
    """Signature of the Hessian of R over all trained parameters.

    Parameters
    ----------
    state : RestingState
    """
    unlearned = [_against_unlearned(state, g) for g in range(len(state.spectrum.values))]
    pairs = _against_each_other(state)
    own = (_trained if state.trainable else _fixed)(state)
    parts = [*unlearned, pairs, own]
    index, nullity = sum(part.negative for part in parts), sum(part.zero for part in parts)
    return Inertia(
        index,
        nullity,
        state.hidden * (state.spectrum.inputs + state.trainable) - index - nullity,
        tuple(g for g, part in enumerate(unlearned) if part.negative),
        pairs.negative > 0,
        own.negative,
    )


def _against_unlearned(state: RestingState, g: int) -> _Count:
    """Every block against the unlearned modes of one distinct eigenvalue."""
    count, number, pull_outside = _Count(), int(state.unlearned[g]), float(state.pulls_outside[g])
    for block in state.blocks:
        pull = state.pull(block)
        for i in block.modes:
            # By their order, descending: equal eigenvalues are equal exactly.
            count.add(block.a * (g - state.group(i)), number, 0.0)
        size = max(abs(pull), abs(pull_outside))
        count.add(block.a * (pull - pull_outside), number * block.spare, abs(block.a) * size)
    return count


def _against_each_other(state: RestingState) -> _Count:
    """All pairs of blocks."""
    count = _Count()
    for one, other in combinations(state.blocks, 2):
        size = max(abs(one.a), abs(other.a))
        for i in one.modes:
            for j in other.modes:
                factor = (one.a - other.a) * (state.group(j) - state.group(i))
                count.add(factor, 1, size)
        for b, c in ((one, other), (other, one)):
            count.add(float(np.sign(c.a)) * (c.a - b.a), b.spare * len(c.modes), size)
    return count


def _fixed(state: RestingState) -> _Count:
    count = _Count()
    for block in state.blocks:
        m = len(block.modes)
        count.zero += m * block.units - m * (m + 1) // 2
    return count


def _trained(state: RestingState) -> _Count:
    count, gaps = _Count(), []
    if state.frame:
        eigenvalues = within(state)
        for value in eigenvalues.tolist():
            count.add(value, 1, float(np.abs(eigenvalues).max()))
        if not count.negative:  # too small to be told from zero
            count.negative, count.zero = 1, count.zero - 1
        return count
    for block in state.blocks:
        gap = 2 - state.pull(block) / (6 * block.values[0])
        count.negative += block.units - 1
        count.add(gap, 1, 1.0)
        gaps.append(gap)
    if state.trace_coupling and all(gaps):
        total = 1 + sum(1 / s for s in gaps)
        if abs(total) <= ROUNDING * sum(1 / abs(s) for s in gaps):
            count.negative, count.zero = count.negative - 1, count.zero + 1
        elif total < 0:
            count.negative -= 1
    return count
