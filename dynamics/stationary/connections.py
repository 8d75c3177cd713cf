"""The saddle-to-saddle graph: which stationary point a saddle leads to, and how fast.

At a point with learned modes S the mode j ∉ S grows in two ways (Σ = I; derived here, Q_j of `hessian`).

*A spare unit* learns it, S → S ∪ {j}. With a fixed second layer, or for a unit with w_k = 0 ≠ a_k, the loss is a
saddle with the linear rate a_k g_j, g_j = 4λ̃_j. A spare unit that is trained and lies at the origin has no linear
rate: ẇ = a G w and ȧ = ½ wᵀGw are of second order, and a balanced unit along e_j with a_k = a₀ of the sign of λ̃_j
runs away after the time 1/(|g_j| |a₀|). There |g_j| is the *blow-up rate*, per unit of a₀. At the origin a₀ may have
either sign, while the catalogue counts spare units as positive: what it calls a spurious minimum, because no positive
unit leaves it, a negative one at the origin may leave.

*A unit that holds a weaker mode i* of the same sign turns towards j, S → S∖{i} ∪ {j}: a saddle with the linear rate
a_k (g_j − 4μ_i) = 4 a_k (λ_j − λ_i), a_k = (μ_i/2)^{1/3} for a balanced unit.

Under laws of the inputs that rotations leave as they are, all rates are γ times as large (`AlignedLoss`).

Either way the learned values μ_i of the other modes shift. One that changes its sign on the way is given up as well,
since the a of the unit that holds it keeps its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from dynamics.curves.variables import LOSS_UNIT
from dynamics.errors import ProblemError
from dynamics.problem.mode_numbers import mode_set
from dynamics.stationary.listed_points import Catalogue
from dynamics.stationary.points import FixedPoint
from dynamics.stationary.spectrum import EQUAL

Modes = tuple[int, ...]

LINEAR, BLOW_UP = "linear", "blow-up"


@dataclass(frozen=True)
class Edge:
    """A connection from a saddle to a lower stationary point.

    Parameters
    ----------
    source, target : tuple of int
        Learned modes at both ends, numbered as in the catalogue.
    growth_rate : float
        With which the departure starts: per unit of time ("linear"), or per unit of time and of the unit's second-
        layer weight ("blow-up"; see the module).
    kind : {"linear", "blow-up"}
    generic : bool
        Whether small random perturbations of all weights take this way: the fastest linear growth; where there is
        none, the fastest blow-up of either sign of a (which of the two, the weights decide).
    """

    source: Modes
    target: Modes
    growth_rate: float
    kind: str
    generic: bool

    @property
    def mode(self) -> int:
        """The mode that is learned."""
        return min(set(self.target) - set(self.source))

    @property
    def given_up(self) -> Modes:
        """Modes that the unit lets go of instead."""
        return tuple(sorted(set(self.source) - set(self.target)))

    def to_dict(self) -> dict[str, Any]:
        """JSON object."""
        return {
            "from": list(self.source),
            "to": list(self.target),
            "mode": self.mode,
            "growth_rate": self.growth_rate,
            "kind": self.kind,
            "generic": self.generic,
        }


@dataclass(frozen=True, eq=False)
class SaddleGraph:
    """Stationary points and the connections between them.

    Parameters
    ----------
    nodes : tuple of FixedPoint
        In order of loss.
    edges : tuple of Edge
        Ordered by the loss of their source, highest first; of one source linear growth first, which takes a time of
        order ln(1/ε) and no 1/ε, then by rate, fastest first.
    ignored : frozenset of int
        Modes of eigenvalue zero: directions that the teacher ignores. Where units are not centred, saddles learn them
        too, to make up for a trace that is missing.
    unit : str
        Of the loss, or which loss it is.
    """

    nodes: tuple[FixedPoint, ...]
    edges: tuple[Edge, ...]
    ignored: frozenset[int] = frozenset()
    unit: str = LOSS_UNIT

    def node(self, learned: Iterable[int]) -> FixedPoint:
        """The node with these learned modes.

        Raises
        ------
        ProblemError
            If there is none.
        """
        wanted = tuple(sorted(learned))
        for node in self.nodes:
            if node.learned_modes == wanted:
                return node
        raise ProblemError(
            f"`learned` is {list(wanted)}, but this graph has no node with these learned modes."
        )

    @cached_property
    def _leaving(self) -> dict[Modes, list[Edge]]:
        leaving: dict[Modes, list[Edge]] = {}
        for edge in self.edges:
            leaving.setdefault(edge.source, []).append(edge)
        return leaving

    def edges_from(self, learned: Iterable[int]) -> tuple[Edge, ...]:
        """Edges that leave a node, fastest first."""
        return tuple(self._leaving.get(tuple(sorted(learned)), ()))

    def follow(self, path: Sequence[Modes]) -> tuple[Edge | None, ...]:
        """The edges of a path, from one visited set of modes to the next; None where there is none."""
        known = {(edge.source, edge.target): edge for edge in reversed(self.edges)}  # the fastest stays
        return tuple(known.get(step) for step in pairwise(path))

    @cached_property
    def left_minima(self) -> tuple[Modes, ...]:
        """Learned modes of the nodes that are minima for positive spare units, and left by a negative one."""
        return tuple(
            node.learned_modes
            for node in self.nodes
            if node.kind == "spurious minimum" and self.edges_from(node.learned_modes)
        )

    @property
    def either_sign(self) -> str:
        """Why minima of the catalogue are left, in a sentence; empty where none is."""
        if not self.left_minima:
            return ""
        names = ", ".join(mode_set(modes) for modes in self.left_minima)
        return (
            "connections are those of spare units at the origin, of either sign; the catalogue counts spare units as"
            f" positive: hence {names} is a spurious minimum there, and yet left by a unit with negative a"
        )

    @cached_property
    def on_generic_ways(self) -> frozenset[Modes]:
        """Learned modes of the nodes that small random initialisations come to: where `generic_paths` lead."""
        found: set[Modes] = set()
        ahead: list[Modes] = [()]
        while ahead:
            modes = ahead.pop()
            if modes not in found:
                found.add(modes)
                ahead += [edge.target for edge in self.edges_from(modes) if edge.generic]
        return frozenset(found)

    def generic_paths(self) -> tuple[tuple[Modes, ...], ...]:
        """All ways down from the origin that small random initialisations take."""
        paths: list[tuple[Modes, ...]] = [((),)]
        ended = []
        while paths:
            path = paths.pop()
            steps = [edge.target for edge in self.edges_from(path[-1]) if edge.generic]
            paths += [(*path, target) for target in dict.fromkeys(steps)]
            if not steps:
                ended.append(path)
        return tuple(sorted(ended))

    def to_dict(self) -> dict[str, Any]:
        """JSON object of ``quadflow fixed-points --graph``."""
        return {"connections": [edge.to_dict() for edge in self.edges]}


def saddle_graph(catalogue: Catalogue) -> SaddleGraph:
    """Connections by theory: every single mode that can be learned, or take the place of a weaker one.

    Spare units lie at the origin if the second layer is trained.

    Parameters
    ----------
    catalogue : Catalogue
        Uncorrelated inputs of equal variance; second layer trained, or fixed at one common value.

    Raises
    ------
    ProblemError
        For other catalogues.
    """
    catalogue.require_free("connections are known only without a constraint: follow the flow instead")
    if catalogue.weight_decay:
        raise ProblemError(
            f"`weight_decay` is {catalogue.weight_decay}, but connections are known only without weight decay: follow"
            " the flow instead."
        )
    if catalogue.covariance is not None:
        raise ProblemError(
            "`covariance` is given, but growth rates belong to single modes only for uncorrelated inputs of equal"
            " variance: follow the flow instead."
        )
    if not catalogue.trainable and len(set(catalogue.second_layer or ())) > 1:
        raise ProblemError(
            "The fixed second layer has different values, but then growth rates depend on which unit holds which mode:"
            " give one common value, or follow the flow."
        )
    if not catalogue.landscape.isotropic:
        raise ProblemError(
            f"`distribution` is {catalogue.distribution.name!r}, but connections are known only where all stationary"
            " points are listed, and here there may be others off the axes: follow the flow instead."
        )
    nodes = graph_nodes(catalogue)
    known = {point.learned_modes for point in nodes}
    loss = catalogue.problem.loss
    graph = graph_of(
        nodes,
        [edge for point in nodes for edge in _single_steps(catalogue, point) if edge.target in known],
        catalogue.spectrum.zeros,
    )
    return replace(graph, unit=loss.unit)


def graph_nodes(catalogue: Catalogue) -> tuple[FixedPoint, ...]:
    """The points that the student has, without those that learn a mode to the value 0.

    There pairs of units cancel, M is the same as without them, and so is the loss.
    """
    tolerance = catalogue.spectrum.tolerance
    return tuple(p for p in catalogue.feasible if all(abs(mu) > tolerance for mu in p.learned_values))


def graph_of(
    nodes: tuple[FixedPoint, ...], edges: Iterable[Edge], ignored: frozenset[int] = frozenset()
) -> SaddleGraph:
    """Some nodes with some edges, in order."""
    loss = {node.learned_modes: node.loss for node in nodes}
    ordered = sorted(
        edges, key=lambda edge: (-loss[edge.source], edge.kind == BLOW_UP, -edge.growth_rate, edge.target)
    )
    return SaddleGraph(nodes, tuple(ordered), ignored)


def _single_steps(catalogue: Catalogue, point: FixedPoint) -> list[Edge]:
    """Edges that leave a point, to whatever sets of modes; the generic ones marked."""
    spectrum, fixed = catalogue.spectrum, catalogue.second_layer
    S, counts = point.learned_modes, spectrum.counts(point.learned_modes)
    balance = catalogue.balance(point)
    residuals, stiffness = (
        balance.gains,
        balance.stiffness,
    )  # λ̃ of every distinct eigenvalue; g = stiffness · λ̃
    tolerance = EQUAL * float(np.abs(balance.base).max())
    spare = point.rank < catalogue.hidden
    edges, signs = [], []
    for g, residual in enumerate(residuals):
        if counts[g] == spectrum.multiplicities[g] or abs(residual) <= tolerance:
            continue
        mode = int(spectrum.starts[g]) + counts[g]
        if spare and (fixed is None or fixed[0] * residual > 0):
            kind, weight = (BLOW_UP, np.sign(residual)) if fixed is None else (LINEAR, fixed[0])
            edges.append(
                Edge(S, _settled(catalogue, S, mode), float(weight * balance.forces[g]), kind, False)
            )
            signs.append(np.sign(residual))
        for h, mu in enumerate(residuals):
            if counts[h] and residual * mu > 0 and abs(residual) > abs(mu):
                weaker = (
                    int(spectrum.starts[h]) + counts[h] - 1
                )  # of a repeated eigenvalue the last copy goes
                weight = np.cbrt(balance.values[h] / 2) if fixed is None else fixed[0]
                rate = float(weight * stiffness[g] * (residual - mu))
                edges.append(Edge(S, _settled(catalogue, S, mode, weaker), rate, LINEAR, False))
                signs.append(np.sign(residual))
    return _with_generic(edges, signs)


def _settled(catalogue: Catalogue, learned: Modes, gained: int, lost: int | None = None) -> Modes:
    """The modes that stay learned after an exchange: those whose learned value keeps the sign of its units' a."""
    spectrum = catalogue.spectrum

    def values(modes: Modes) -> dict[int, float]:
        counts = np.array(spectrum.counts(modes))
        balance = catalogue.landscape.balance(spectrum.values, spectrum.multiplicities, counts)
        learned = np.repeat(spectrum.values if balance is None else balance.values, counts)
        return dict(zip(modes, learned, strict=True))

    before, after = values(learned), tuple(sorted({*learned, gained} - {lost}))
    while True:
        signed = {i: mu * np.sign(before[i]) for i, mu in values(after).items() if i in before}
        if not signed or min(signed.values()) > spectrum.tolerance:
            return after
        wrong = min(signed, key=signed.__getitem__)
        after = tuple(i for i in after if i != wrong)


def _with_generic(edges: list[Edge], signs: list[float]) -> list[Edge]:
    """Mark what a small random perturbation does: fastest linear growth; without any, fastest blow-up of each sign.

    Of several ways to the same target the fastest is kept.
    """
    if any(edge.kind == LINEAR for edge in edges):  # takes a time of order ln(1/ε), blow-up one of order 1/ε
        signs = [0.0 if edge.kind == LINEAR else np.inf for edge in edges]
    best: dict[float, float] = {np.inf: np.inf}
    for edge, sign in zip(edges, signs, strict=True):
        best[sign] = max(best.get(sign, 0.0), edge.growth_rate)
    kept: dict[tuple[Modes, str], Edge] = {}
    for edge, sign in sorted(zip(edges, signs, strict=True), key=lambda pair: -pair[0].growth_rate):
        fastest = edge.growth_rate >= best[sign] * (1 - 1e-9)
        kept.setdefault((edge.target, edge.kind), replace(edge, generic=fastest))
    return list(kept.values())
