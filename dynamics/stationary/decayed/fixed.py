"""Every state at rest of a student whose first layer decays and whose second layer is fixed (derived here).

Units of the same a form one block, which holds a set of modes S_a of its own: γ_i = ρ/a, and

    τ = (2T + ½ Σ_{i∈S} γ_i)/(r + 2)  (T = Σ_{j∉S} λ_j; without trace coupling 0),    μ_i = λ_i + τ/2 − γ_i/4,

which must have the sign of a. Its units mix in any way: all Y with YᵀY = diag(μ)/a. With one common a that is the
catalogue without decay of the teacher M* − sI, s = ρ/(2a(d + 2)) (ρ/(4a) without trace coupling): a soft threshold.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, product

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.problem.weight_decay import WeightDecay
from dynamics.stationary.decayed.blocks import Block, RestingState
from dynamics.stationary.decayed.trained import LARGEST_DECAYED
from dynamics.stationary.enumeration import by_loss
from dynamics.stationary.hessian import Units
from dynamics.stationary.spectrum import Spectrum


def fixed_states(
    spectrum: Spectrum, trace_coupling: float, decay: WeightDecay, second_layer: Array
) -> Iterator[RestingState]:
    """Every state at rest with the second layer fixed, in no order.

    Parameters
    ----------
    spectrum : Spectrum
    trace_coupling : float
    decay : WeightDecay
    second_layer : (K,) array

    Raises
    ------
    ProblemError
        If there are more choices of modes than `LARGEST_DECAYED`; before any is tried.
    """
    numbers = np.unique(second_layer[second_layer != 0], return_counts=True)[1]
    limits = [int(n) for n in numbers]
    sizes = [min(m, sum(limits)) for m in spectrum.multiplicities.tolist()]
    if math.prod(math.comb(m + len(limits), m) for m in sizes) > LARGEST_DECAYED:
        raise ProblemError(
            f"The catalogue with weight decay would try more than {LARGEST_DECAYED} sets of modes: use a smaller"
            " teacher, or fewer different second-layer weights."
        )
    for shares in product(*(_shares(m, limits) for m in sizes)):
        held = np.array(shares).reshape(len(sizes), len(limits))
        if (held.sum(axis=0) <= numbers).all():
            state = _state(spectrum, trace_coupling, decay, second_layer, held)
            if state is not None:
                yield state


def lowest_fixed_states(
    spectrum: Spectrum, trace_coupling: float, decay: WeightDecay, second_layer: Array, number: int
) -> list[RestingState] | None:
    """The states of least objective where all a_k ≠ 0 are equal, without looking at all; None where they are not.

    They are those of least loss without decay of the teacher M* − sI, whose loss differs from R by a constant.
    """
    values, units = np.unique(second_layer[second_layer != 0], return_counts=True)
    if len(values) != 1:
        return None
    a, n = float(values[0]), int(units[0])
    s = decay.first / (2 * a * (spectrum.inputs + 2) if trace_coupling else 4 * a)
    other = replace(spectrum, values=spectrum.values - s)
    levels = by_loss(other, trace_coupling, Units(n, 0) if a > 0 else Units(0, n), n)
    # The levels include vanishing μ, which no unit holds here.
    counts = (np.array(level.counts)[:, None] for level in levels)
    found = (_state(spectrum, trace_coupling, decay, second_layer, held) for held in counts)
    return list(islice((state for state in found if state is not None), number))


def _shares(copies: int, limits: list[int]) -> list[tuple[int, ...]]:
    """How many of the copies of an eigenvalue each of the blocks may hold."""
    shares: list[tuple[int, ...]] = [()]
    for limit in limits:
        shares = [(*s, n) for s in shares for n in range(min(limit, copies - sum(s)) + 1)]
    return shares


def _state(
    spectrum: Spectrum, trace_coupling: float, decay: WeightDecay, second_layer: Array, held: Array
) -> RestingState | None:
    """The state in which block b holds `held[g, b]` modes of eigenvalue g; None if a μ has the wrong sign."""
    a, numbers = np.unique(second_layer[second_layer != 0], return_counts=True)
    gamma = decay.first / a
    rank, T = int(held.sum()), float(spectrum.values @ (spectrum.multiplicities - held.sum(axis=1)))
    tau = trace_coupling * (2 * T + 0.5 * float(held.sum(axis=0) @ gamma)) / (rank + 2)
    learned = spectrum.values[:, None] + tau / 2 - gamma / 4  # (g, b)
    if (np.sign(a) * learned <= spectrum.tolerance)[held > 0].any():
        return None
    before = np.cumsum(held, axis=1) - held
    blocks = []
    for b, (weight, units) in enumerate(zip(a.tolist(), numbers.tolist(), strict=True)):
        pairs = [
            (int(spectrum.starts[g]) + int(before[g, b]) + copy, float(learned[g, b]))
            for g in range(len(held))
            for copy in range(int(held[g, b]))
        ]
        modes, values = tuple(i for i, _ in pairs), tuple(mu for _, mu in pairs)
        blocks.append(Block(modes, values, units, weight))
    return RestingState(spectrum, trace_coupling, decay, len(second_layer), False, tuple(blocks), tau)
