"""Every state at rest of a student whose two layers decay (derived here).

A block is units of one a that share modes of one γ = ρ_w/a, each of the length ‖w‖² = 2ρ_a a²/ρ_w. With a single mode
it is *aligned*: n units along ±e_i. With m ≥ 2 modes it is a *frame*: n ≥ m vectors of equal length with
Σ a w wᵀ = diag(μ), a family of states. Of equal eigenvalues with equal n and root the units share γ: such aligned
blocks are one frame in the special position where each unit keeps to one mode, listed as that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from dynamics.errors import ProblemError
from dynamics.problem.decayed_mode import decay_strength, eigenvalue
from dynamics.problem.decayed_trace import Holding, traces
from dynamics.problem.weight_decay import WeightDecay
from dynamics.stationary.decayed.blocks import Block, RestingState
from dynamics.stationary.spectrum import Spectrum

LARGEST_DECAYED = 20_000  # types of states that are tried


class BlockType(NamedTuple):
    """What a block may hold: numbers of the distinct eigenvalues (one for each mode), units, sign, root."""

    groups: tuple[int, ...]
    units: int
    sign: int
    lower: bool


def trained_states(
    spectrum: Spectrum, trace_coupling: float, decay: WeightDecay, hidden: int
) -> Iterator[RestingState]:
    """Every state at rest with both layers trained, in no order.

    Parameters
    ----------
    spectrum : Spectrum
    trace_coupling : float
    decay : WeightDecay
        With one rate zero no unit rests anywhere but where it adds nothing: the state of no learned modes is the only.
    hidden : int

    Raises
    ------
    ProblemError
        If there are more types of them than `LARGEST_DECAYED`; before any is tried.
    """
    strength = decay_strength(decay)
    types = _types(spectrum, trace_coupling, hidden) if strength else [()]
    for chosen in types:
        holdings = [holding(spectrum, block) for block in chosen]
        total = float(spectrum.values @ spectrum.multiplicities)
        for tau in traces(holdings, total, strength, trace_coupling):
            state = resting_state(spectrum, trace_coupling, decay, hidden, chosen, tau)
            if state is not None:
                yield state


def resting_state(
    spectrum: Spectrum,
    trace_coupling: float,
    decay: WeightDecay,
    hidden: int,
    chosen: Sequence[BlockType],
    tau: float,
) -> RestingState | None:
    """The state with some blocks at a residual trace; None if a mode of a frame would need the other sign."""
    strength, taken = decay_strength(decay), [0] * len(spectrum.values)
    blocks = []
    for block in chosen:
        h, modes = holding(spectrum, block), []
        x = h.mean + trace_coupling * tau / 2
        gamma = h.sign * eigenvalue(h.sign * x, h.units / h.modes * strength, h.lower)
        # From the average, so that a small value of a single mode keeps its digits.
        mean = h.units / h.modes * strength / gamma**3
        values = [mean + (float(spectrum.values[g]) - h.mean) for g in block.groups]
        if min(h.sign * mu for mu in values) <= 0:
            return None
        for g in block.groups:
            modes.append(int(spectrum.starts[g]) + taken[g])
            taken[g] += 1
        blocks.append(Block(tuple(modes), tuple(values), h.units, decay.first / gamma, h.lower))
    return RestingState(spectrum, trace_coupling, decay, hidden, True, tuple(blocks), tau)


def holding(spectrum: Spectrum, block: BlockType) -> Holding:
    """The block as the solver of the trace sees it."""
    mean = float(spectrum.values[list(block.groups)].mean())
    return Holding(mean, len(block.groups), block.units, block.sign, block.lower)


def _types(spectrum: Spectrum, trace_coupling: float, hidden: int) -> list[tuple[BlockType, ...]]:
    """Every choice of blocks that the modes and the units allow."""
    sizes = [min(m, hidden) for m in spectrum.multiplicities.tolist()]
    # Fewer units have fewer types; of so many, what passes here is few modes, and counted exactly below.
    if _aligned_number(spectrum, sizes, trace_coupling, min(hidden, 100)) > LARGEST_DECAYED:
        raise _too_many()
    possible = _blocks(spectrum, sizes, trace_coupling, hidden)
    found: list[tuple[BlockType, ...]] = []

    def choose(chosen: tuple[BlockType, ...], first: int, left: list[int], units: int) -> None:
        found.append(chosen)
        if len(found) > LARGEST_DECAYED:
            raise _too_many()
        for number in range(first, len(possible)):
            block = possible[number]
            rest = left.copy()
            for g in block.groups:
                rest[g] -= 1
            if block.units <= units and min(rest[g] for g in block.groups) >= 0:
                # Two frames of equal γ are one.
                again = number + (len(block.groups) > 1)
                choose((*chosen, block), again, rest, units - block.units)

    choose((), 0, sizes, hidden)
    return found


def _signs(mean: float, trace_coupling: float) -> tuple[int, ...]:
    """Signs of what units may see of a mode: without trace coupling that of the mode itself."""
    if trace_coupling:
        return (1, -1)
    return (int(np.sign(mean)),) if mean else ()


def _blocks(spectrum: Spectrum, sizes: list[int], trace_coupling: float, hidden: int) -> list[BlockType]:
    """Every block that is possible on its own."""
    blocks = []
    for groups in _multisets(sizes, hidden):
        m = len(groups)
        mean = float(spectrum.values[list(groups)].mean())
        for units in range(m, hidden + 1):
            if m > 1 and groups[0] == groups[-1] and units % m == 0:
                continue  # the same as aligned blocks
            for sign, lower in product(_signs(mean, trace_coupling), (False, True)):
                blocks.append(BlockType(groups, units, sign, lower))
            if len(blocks) > LARGEST_DECAYED:
                raise _too_many()
    return blocks


def _multisets(sizes: list[int], most: int, first: int = 0) -> Iterator[tuple[int, ...]]:
    """Non-empty choices of at most `most` modes, as ascending numbers of their eigenvalues."""
    for g in range(first, len(sizes)):
        if sizes[g] and most:
            yield (g,)
            rest = [n - (i == g) for i, n in enumerate(sizes)]
            for more in _multisets(rest, most - 1, g):
                yield (g, *more)


def _aligned_number(spectrum: Spectrum, sizes: list[int], trace_coupling: float, hidden: int) -> int:
    """Number of choices of aligned blocks, by their generating function in the number of units; or more than enough."""
    ways = np.zeros(hidden + 1, dtype=object)
    ways[0] = 1
    for value, size in zip(spectrum.values.tolist(), sizes, strict=True):
        roots = 2 * len(_signs(value, trace_coupling))
        copies = _multiset_ways(roots, size, hidden)
        ways = np.array(
            [sum(ways[u] * copies[n - u] for u in range(n + 1)) for n in range(hidden + 1)], dtype=object
        )
        if sum(ways) > LARGEST_DECAYED:
            break  # enough is known
    return int(sum(ways))


def _multiset_ways(roots: int, size: int, hidden: int) -> list[int]:
    """In how many ways at most `size` copies of an eigenvalue take n units in all, n = 0 … hidden."""
    ways = [[0] * (hidden + 1) for _ in range(size + 1)]  # by copies and units
    ways[0][0] = 1
    for units in range(1, hidden + 1):
        new = [row.copy() for row in ways]
        for times in range(1, min(size, hidden // units) + 1):
            options = math.comb(times + roots - 1, times) if roots else 0
            for copies in range(size + 1 - times):
                for n in range(hidden + 1 - times * units):
                    new[copies + times][n + times * units] += options * ways[copies][n]
        ways = new
    return [sum(row[n] for row in ways) for n in range(hidden + 1)]


def _too_many() -> ProblemError:
    return ProblemError(
        f"The catalogue with weight decay would try more than {LARGEST_DECAYED} types of points: use fewer hidden units"
        " or a smaller teacher, or list its minima alone with `minima`."
    )
