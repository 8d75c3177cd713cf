"""Every local minimum of a student whose two layers decay, without the saddles between them.

At a minimum each unit holds one mode alone, and the learned modes are the r₊ largest, by units with a > 0, and the r₋
smallest eigenvalues, by units with a < 0: else a unit would turn towards a mode of larger |λ|. All are on upper
roots, or with trace coupling one of them on a lower root (derived here: see `inertia`; of at most one negative s_i the
others and the trace can make a minimum). Every such state with upper roots is one; the others their inertia decides.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dynamics.budget import check_number
from dynamics.problem.decayed_mode import decay_strength
from dynamics.problem.decayed_trace import traces
from dynamics.problem.weight_decay import WeightDecay
from dynamics.stationary.decayed.blocks import RestingState
from dynamics.stationary.decayed.inertia import inertia
from dynamics.stationary.decayed.trained import LARGEST_DECAYED, BlockType, holding, resting_state
from dynamics.stationary.spectrum import Spectrum


def trained_minima(
    spectrum: Spectrum, trace_coupling: float, decay: WeightDecay, hidden: int
) -> Iterator[RestingState]:
    """Every local minimum with both layers trained, in no order.

    Parameters
    ----------
    spectrum : Spectrum
    trace_coupling : float
    decay : WeightDecay
    hidden : int
    """
    most = min(hidden, spectrum.inputs)
    sets = (most + 1) * (most + 2) // 2 * (1 + most * int(trace_coupling))
    check_number("The list of minima", sets, LARGEST_DECAYED, "sets of modes", "use fewer hidden units")
    groups = np.repeat(np.arange(len(spectrum.values)), np.minimum(spectrum.multiplicities, most)).tolist()
    total, strength = float(spectrum.values @ spectrum.multiplicities), decay_strength(decay)
    for rank in range(most + 1):
        for top in range(rank + 1):
            upper = [BlockType((g,), 1, 1, False) for g in groups[:top]]
            upper += [BlockType((g,), 1, -1, False) for g in groups[len(groups) - (rank - top) :]]
            for chosen in _with_one_lower(upper, trace_coupling):
                for tau in traces([holding(spectrum, b) for b in chosen], total, strength, trace_coupling):
                    state = resting_state(spectrum, trace_coupling, decay, hidden, chosen, tau)
                    if state is not None and not inertia(state).index:
                        yield state


def _with_one_lower(upper: list[BlockType], trace_coupling: float) -> Iterator[list[BlockType]]:
    """All on the upper root, or one of those of a kind on the lower one."""
    yield upper
    if trace_coupling:
        for i in range(len(upper)):
            if i + 1 == len(upper) or upper[i + 1] != upper[i]:
                yield [*upper[:i], upper[i]._replace(lower=True), *upper[i + 1 :]]
