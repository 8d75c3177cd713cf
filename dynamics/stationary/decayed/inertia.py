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
  couples only the quadratic activation). A frame, a block of several modes, has no such rule: `within` computes it.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np

from dynamics.stationary.decayed.blocks import Block, RestingState
from dynamics.stationary.decayed.eigenvalues import within

ROUNDING = 1e-11  # relative size below which a factor counts as zero


class Inertia(NamedTuple):
    """Numbers of negative, zero and positive eigenvalues."""

    index: int
    nullity: int
    positive: int


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
    count = _Count()
    for block in state.blocks:
        _against_unlearned(state, block, count)
    for one, other in combinations(state.blocks, 2):
        _against_each_other(state, one, other, count)
    count.zero += state.idle * (
        state.spectrum.inputs * (not state.decay.first) + (state.trainable and not state.decay.second)
    )
    (_trained if state.trainable else _fixed)(state, count)
    parameters = state.hidden * (state.spectrum.inputs + state.trainable)
    return Inertia(count.negative, count.zero, parameters - count.negative - count.zero)


def _against_unlearned(state: RestingState, block: Block, count: _Count) -> None:
    groups = [state.group(i) for i in block.modes]
    pull = state.pull(block)
    size = max(np.abs(state.pulls_outside).max(initial=0.0), abs(pull))
    for g, number in enumerate(state.unlearned.tolist()):
        for h in groups:  # by their order: equal eigenvalues are equal exactly
            count.add(block.a * (g - h), number, 0.0)
        count.add(np.sign(block.a) * (pull - state.pulls_outside[g]), number * block.spare, size)


def _against_each_other(state: RestingState, one: Block, other: Block, count: _Count) -> None:
    size = max(abs(one.a), abs(other.a))
    for i in one.modes:
        for j in other.modes:
            # Eigenvalues descend with their number.
            count.add((one.a - other.a) * (state.group(j) - state.group(i)), 1, size)
    for b, c in ((one, other), (other, one)):
        count.add(np.sign(c.a) * (c.a - b.a), b.spare * len(c.modes), size)


def _fixed(state: RestingState, count: _Count) -> None:
    for block in state.blocks:
        m = len(block.modes)
        count.zero += m * block.units - m * (m + 1) // 2


def _trained(state: RestingState, count: _Count) -> None:
    if any(len(block.modes) > 1 for block in state.blocks):
        eigenvalues = within(state)
        for value in eigenvalues:
            count.add(value, 1, float(np.abs(eigenvalues).max()))
        return
    gaps = []
    for block in state.blocks:
        (mu,) = block.values
        count.negative += block.units - 1
        gaps.append(2 - state.pull(block) / (6 * mu))
        count.add(gaps[-1], 1, 1.0)
    if state.trace_coupling and all(gaps):
        total = 1 + sum(1 / s for s in gaps)
        if abs(total) <= ROUNDING * sum(1 / abs(s) for s in gaps):
            count.negative, count.zero = count.negative - 1, count.zero + 1
        elif total < 0:
            count.negative -= 1
