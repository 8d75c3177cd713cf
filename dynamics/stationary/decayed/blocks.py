"""A state at rest under weight decay: units in blocks, each of which holds some modes of the teacher.

Where the decay of a unit balances the pull of the residual, G w = γ w with a γ = ρ_w: units of one a share an
eigenspace of G. G commutes with M = Σ a w wᵀ there, hence with M*: the eigenspace is spanned by modes of the teacher,
and different a hold different modes (derived here). So every state at rest is a disjoint union of *blocks*: n units of
one a that hold m ≤ n modes, with γ_i = 4(λ_i − μ_i) + 2τ = ρ_w/a for each of them. Units that hold nothing are at the
origin if their second layer is trained, and have w = 0 if it is fixed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.problem.weight_decay import WeightDecay
from dynamics.stationary.spectrum import Spectrum


@dataclass(frozen=True)
class Block:
    """Units of one second-layer weight, and the modes that they hold.

    Parameters
    ----------
    modes : tuple of int
        Their numbers, of descending eigenvalue; none for units of a fixed second layer with w = 0.
    values : tuple of float
        Learned values μ_i.
    units : int
        n.
    a : float
    lower : bool
        Of a trained second layer: whether it is the lower root of `dynamics.problem.decayed_mode`.
    """

    modes: tuple[int, ...]
    values: tuple[float, ...]
    units: int
    a: float
    lower: bool = False

    @property
    def spare(self) -> int:
        """Directions of its units in neuron space that hold nothing, n − m."""
        return self.units - len(self.modes)


@dataclass(frozen=True, eq=False)
class RestingState:
    """All stationary weights with the same blocks.

    Parameters
    ----------
    spectrum : Spectrum
        Of the teacher.
    trace_coupling : float
    decay : WeightDecay
    hidden : int
        Number K of hidden units.
    trainable : bool
        Whether the second layer is trained.
    blocks : tuple of Block
    trace : float
        τ of the residual D.
    """

    spectrum: Spectrum
    trace_coupling: float
    decay: WeightDecay
    hidden: int
    trainable: bool
    blocks: tuple[Block, ...]
    trace: float

    @property
    def idle(self) -> int:
        """Units in no block: a = 0 and w = 0."""
        return self.hidden - sum(block.units for block in self.blocks)

    @property
    def frame(self) -> bool:
        """Whether trained units share several modes."""
        return self.trainable and any(len(block.modes) > 1 for block in self.blocks)

    @property
    def learned(self) -> dict[int, float]:
        """Learned value of every learned mode, in their order."""
        pairs = [pair for b in self.blocks for pair in zip(b.modes, b.values, strict=True)]
        return dict(sorted(pairs))

    @property
    def unlearned(self) -> NDArray[np.int64]:
        """How many modes of every distinct eigenvalue are not learned, (g,)."""
        return self.spectrum.multiplicities - np.array(self.spectrum.counts(tuple(self.learned)))

    def group(self, mode: int) -> int:
        """Number of the distinct eigenvalue that a mode has."""
        return int(np.searchsorted(self.spectrum.starts, mode, side="right")) - 1

    def eigenvalue(self, mode: int) -> float:
        """λ_i."""
        return float(self.spectrum.values[self.group(mode)])

    def pull(self, block: Block) -> float:
        """γ = ρ_w/a of a block."""
        return self.decay.first / block.a

    @property
    def pulls_outside(self) -> Array:
        """Eigenvalue γ_j = 4λ_j + 2τ of G on modes that are not learned, of every distinct λ_j, (g,)."""
        return 4 * self.spectrum.values + 2 * self.trace_coupling * self.trace

    @property
    def loss(self) -> float:
        """L."""
        residual = [self.eigenvalue(i) - mu for i, mu in self.learned.items()]
        rest = float(self.spectrum.values**2 @ self.unlearned)
        return sum(D * D for D in residual) + rest + self.trace_coupling * self.trace**2 / 2

    @property
    def objective(self) -> float:
        """R = L + ½ρ_w‖W‖² + ½ρ_a‖a‖²; the last only if it is trained, where ρ_w‖w‖² = 2ρ_a a²."""
        norms = sum(sum(b.values) / b.a for b in self.blocks)
        layer = sum(b.units * b.a**2 for b in self.blocks) if self.trainable else 0.0
        return self.loss + 0.5 * self.decay.first * norms + 0.5 * self.decay.second * layer


def resting_origin(
    spectrum: Spectrum,
    trace_coupling: float,
    decay: WeightDecay,
    hidden: int,
    second_layer: tuple[float, ...] | None,
) -> RestingState:
    """The state in which nothing is learned; a fixed second layer, its blocks without modes, stays."""
    values, numbers = np.unique([a for a in second_layer or () if a], return_counts=True)
    pairs = zip(values.tolist(), numbers.tolist(), strict=True)
    blocks = tuple(Block((), (), units, a) for a, units in pairs)
    trace = trace_coupling * float(spectrum.values @ spectrum.multiplicities)
    return RestingState(spectrum, trace_coupling, decay, hidden, second_layer is None, blocks, trace)
