"""An entry of the catalogue with weight decay: what is held by whom, its loss and objective, kind and reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np

from dynamics.problem.decayed_mode import decay_strength, never_learned
from dynamics.problem.mode_numbers import mode_set, set_name
from dynamics.stationary.decayed.blocks import Block, RestingState
from dynamics.stationary.decayed.eigenvalues import eigenvalues
from dynamics.stationary.decayed.inertia import Inertia, inertia
from dynamics.stationary.points import FixedPoint

LOWER, UPPER = "lower", "upper"


@dataclass(frozen=True, kw_only=True)
class DecayedPoint(FixedPoint):
    """A stationary point of the objective R = L + ½ρ_w‖W‖² + ½ρ_a‖a‖².

    `signs` are those of the a_k, of units in the order of the blocks, and `manifold_dimension` is that of a generic
    state of a frame.

    Parameters
    ----------
    objective : float
        R.
    branch : tuple of str or None
        For each learned mode which root its units are on: "upper", the larger |μ|, or "lower" (see
        `dynamics.problem.decayed_mode`); None if the second layer is fixed.
    units : tuple of int
        For each learned mode the number of units that hold it, alone or with other modes.
    second_layer_values : tuple of float
        Their a.
    frame : bool
        Whether trained units share several modes: a family of states.
    threshold : float or None
        Smallest eigenvalue of a mode that one more unit with a > 0 can learn beside what is learned here (which stays
        as it is): ½(3m_θ − τ), m_θ without trace coupling; ρ/(4a) − τ/2 with a fixed second layer, None if that has no
        positive a.
    trace : float
        τ of the residual.
    largest_eigenvalue : float
        Of the Hessian: gradient descent rests stably at the point with steps below 2 divided by it.
    blocks : tuple of Block
        What is held together.
    """

    objective: float
    branch: tuple[str, ...] | None
    units: tuple[int, ...]
    second_layer_values: tuple[float, ...]
    frame: bool
    threshold: float | None
    trace: float
    largest_eigenvalue: float
    blocks: tuple[Block, ...]

    @property
    def height(self) -> float:
        """The objective."""
        return self.objective

    def to_dict(self) -> dict[str, Any]:
        """JSON object."""
        data = super().to_dict()
        data["blocks"] = [{"modes": list(b.modes), "units": b.units, "a": b.a} for b in self.blocks]
        return data

    def row(self) -> dict[str, Any]:
        """The same as a row of a table, without the blocks."""
        row = super().row()
        del row["blocks"]
        return row


def describe(state: RestingState, least: float, second_layer: tuple[float, ...] | None) -> DecayedPoint:
    """Entry of a state at rest.

    Parameters
    ----------
    state : RestingState
    least : float
        Least objective of all states.
    second_layer : (K,) tuple of float or None
        The a_k if they are fixed.
    """
    signature = inertia(state)
    learned, held = state.learned, {i: block for block in state.blocks for i in block.modes}
    rotations, manifold = _dimensions(state)
    kind = _kind(state, signature, manifold, least)
    signs = _signs(state) if second_layer is None else tuple(int(np.sign(a)) for a in second_layer)
    # Units that a point needs: all of a trained block, as many as modes of a fixed one.
    needed = [
        sum(b.units if state.trainable else len(b.modes) for b in state.blocks if s * b.a > 0)
        for s in (1, -1)
    ]
    return DecayedPoint(
        learned_modes=tuple(learned),
        rank=len(learned),
        learned_values=tuple(learned.values()),
        residual_trace=float(state.spectrum.values @ state.unlearned),
        loss=state.loss,
        multiplicity=_multiplicity(state),
        family_dimension=rotations,
        needed=(needed[0], needed[1]),
        feasible=True,
        reason=_reason(state, kind, signature),
        signs=signs,
        index=signature.index,
        nullity=signature.nullity,
        positive=signature.positive,
        manifold_dimension=manifold,
        degenerate=signature.nullity > manifold,
        kind=kind,
        objective=state.objective,
        branch=tuple(LOWER if held[i].lower else UPPER for i in learned) if state.trainable else None,
        units=tuple(held[i].units for i in learned),
        second_layer_values=tuple(held[i].a for i in learned),
        frame=state.frame,
        threshold=_threshold(state, second_layer),
        trace=state.trace,
        largest_eigenvalue=float(eigenvalues(state)[-1]),
        blocks=state.blocks,
    )


def _signs(state: RestingState) -> tuple[int, ...]:
    active = [int(np.sign(b.a)) for b in state.blocks for _ in range(b.units)]
    return (*active, *[0] * state.idle)


def _multiplicity(state: RestingState) -> int:
    """Number of sets of eigenvalue indices with the same learned values."""
    ways = 1
    for g, copies in enumerate(state.spectrum.multiplicities.tolist()):
        for alike in Counter(mu for i, mu in state.learned.items() if state.group(i) == g).values():
            ways *= comb(copies, alike)
            copies -= alike
    return ways


def _dimensions(state: RestingState) -> tuple[int, int]:
    """Dimensions of the rotations of modes inside eigenspaces, and of the manifold of states around a state."""
    shares = [Counter(state.group(i) for i in block.modes) for block in state.blocks]
    rotations = 0
    for g, free in enumerate(state.unlearned.tolist()):
        held = [share[g] for share in shares]
        rotations += free * sum(held) + (sum(held) ** 2 - sum(n * n for n in held)) // 2
    mixtures = 0
    for block in state.blocks:
        n, m = block.units, len(block.modes)
        mixtures += n * m - m * (m + 1) // 2 - (n - 1) * state.trainable
    return rotations, rotations + mixtures


def _kind(state: RestingState, signature: Inertia, manifold: int, least: float) -> str:
    """Kind by the signature; where both layers are trained a further zero is two roots that meet, of third order."""
    if signature.index:
        return "saddle"
    if state.objective - least <= 1e-12 * max(least, state.spectrum.scale**2 * 1e-2):
        return "global minimum"
    return "degenerate saddle" if state.trainable and signature.nullity > manifold else "spurious minimum"


def _threshold(state: RestingState, second_layer: tuple[float, ...] | None) -> float | None:
    if second_layer is None:
        # Of an eigenvalue λ that is not learned, what its unit sees is m = λ + (τ − λ)/3 (without coupling λ).
        stiffness = 2 + state.trace_coupling
        least = never_learned(stiffness, decay_strength(state.decay))
        return least + state.trace_coupling * (least - state.trace) / 2
    largest = max(second_layer)
    return state.decay.first / (4 * largest) - state.trace_coupling * state.trace / 2 if largest > 0 else None


def _reason(state: RestingState, kind: str, signature: Inertia) -> str:
    if kind == "global minimum":
        return "No student with this many hidden units has a smaller objective."
    if kind == "spurious minimum":
        if not state.trainable:
            return "No unit is free that could learn more, by its sign and size."
        return (
            "A trap: decay brings every unit back that begins to learn another mode, from nothing or instead."
        )
    if kind == "degenerate saddle":
        return (
            "Two roots meet here: the Hessian has no descent direction, but the loss descends at third order."
        )
    sentences = []
    if signature.descending:
        first = [int(state.spectrum.starts[g]) for g in signature.descending]
        size = [int(state.spectrum.multiplicities[g]) for g in signature.descending]
        free = [int(state.unlearned[g]) for g in signature.descending]
        names = set_name((s + n - f, s + n) for s, n, f in zip(first, size, free, strict=True))
        sentences.append(f"Descends along unlearned modes {names}.")
    if signature.exchanging:
        sentences.append("Units descend by turning towards modes that others hold.")
    if state.frame:
        sentences.append("Units that share several modes descend by turning apart.")
    elif signature.within:
        shared = [i for b in state.blocks if b.units > 1 for i in b.modes]
        lower = [i for b in state.blocks if b.lower for i in b.modes]
        if shared:
            sentences.append(f"Of the units that share modes {_names(shared)} one grows, the others decay.")
        if lower:
            sentences.append(f"Units on the lower root, of modes {_names(lower)}, grow or decay.")
    return " ".join(sentences)


def _names(modes: list[int]) -> str:
    return mode_set(sorted(modes))
