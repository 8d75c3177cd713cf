"""Connections found by following the flow: leave a saddle in every unstable direction, see where it stops next.

Nothing here knows which modes can be learned from where: directions and rates come from the Hessian and the velocity
of the flow, ends from a comparison with the catalogue. Theory: `dynamics.stationary.connections`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

from dynamics.aliases import Array
from dynamics.covariance import covariance_factor
from dynamics.curves.trajectory import Trajectory
from dynamics.errors import ComputationError
from dynamics.flows.gradient import GradientFlow
from dynamics.integration import Stop
from dynamics.problem import Problem, Student
from dynamics.problem.reduction import in_range
from dynamics.stationary.connections import BLOW_UP, LINEAR, Edge, SaddleGraph, graph_nodes, graph_of
from dynamics.stationary.listed_points import Catalogue
from dynamics.stationary.points import FixedPoint

# Size of the perturbations, in units of the weights that hold the largest mode. Linear growth e^{rt} of several
# modes separates slowly, so that it has to start small; blow-up at the time 1/(g a₀) must not take too long.
STEP = {LINEAR: 1e-9, BLOW_UP: 3e-3}
STILL = 1e-7  # speed at which the flow has arrived, in units of the largest eigenvalue of G
ALIKE = 1e-6  # eigenvalues closer than this, in the same units, are one
SAMPLES = 2001  # of a trajectory that only comes by its target, to find where it is slowest
NEAR = 0.1  # largest distance from a point of the catalogue, in units of the largest mode, at such a place


@dataclass(frozen=True, eq=False)
class _Saddle:
    """A stationary point of the flow, spare units of a trained second layer at the origin."""

    catalogue: Catalogue
    nodes: tuple[FixedPoint, ...]
    point: FixedPoint
    flow: GradientFlow
    spare: NDArray[np.int64]

    @classmethod
    def of(cls, catalogue: Catalogue, nodes: tuple[FixedPoint, ...], point: FixedPoint) -> _Saddle:
        student = catalogue.representative(point)
        spare = np.flatnonzero(~student.W.any(axis=1))
        A = student.A.copy()
        if catalogue.trainable:
            A[:, spare] = 0.0
        student = Student(student.W, A, trainable=catalogue.trainable)
        problem = in_range(Problem(catalogue.teacher, student, catalogue.activation, catalogue.covariance))
        return cls(catalogue, nodes, point, GradientFlow(problem, reduce=False), spare)

    @property
    def scale(self) -> float:
        """Size of the eigenvalues of G."""
        return 4 * self.catalogue.spectrum.scale

    @property
    def left_below(self) -> float:
        """Loss below which this level has been left for a lower one."""
        tolerance = 1e-9 * self.catalogue.spectrum.scale**2
        lower = [node.loss for node in self.nodes if node.loss < self.point.loss - tolerance]
        return 0.5 * (self.point.loss + max(lower, default=0.0))

    def departures(self, rng: np.random.Generator) -> Iterator[tuple[Array, float, str]]:
        """(direction, rate, kind): one out of every unstable eigenspace, of the Hessian and for a spare unit."""
        values, vectors = np.linalg.eigh(self.flow.hessian(self.flow.theta0))
        for rate, space in _eigenspaces(-values, vectors, ALIKE * self.scale):
            if rate > 0:
                direction = space @ rng.standard_normal(space.shape[1])
                for sign in (1, -1):
                    yield sign * direction / np.linalg.norm(direction), rate, LINEAR
        if self.catalogue.trainable and self.spare.size:
            for g, space in _eigenspaces(*np.linalg.eigh(self.growth_matrix()), ALIKE * self.scale):
                w = space @ rng.standard_normal(space.shape[1])
                a = np.sign(g) * np.linalg.norm(w) / np.sqrt(2)  # balanced, of the sign that grows
                yield self.spare_direction(w, a), abs(g), BLOW_UP

    def growth_matrix(self) -> Array:
        """G, (d, d), from the velocity of a spare unit: ẇ = a G w up to terms of relative order a‖w‖²."""
        h = 1e-5
        columns = []
        for e in np.eye(self.catalogue.spectrum.inputs):
            W, A = (x.copy() for x in self.flow.unpack(self.flow.theta0))
            W[self.spare[0]], A[:, self.spare[0]] = h * e, h
            columns.append(self.flow.population.velocity(W, A)[0][self.spare[0]] / h**2)
        G = np.array(columns)
        return (G + G.T) / 2

    def spare_direction(self, w: Array, a: float) -> Array:
        """The direction in which the first spare unit moves to (w, a), of norm 1."""
        W, A = (np.zeros_like(x) for x in self.flow.unpack(self.flow.theta0))
        W[self.spare[0]], A[:, self.spare[0]] = w, a
        direction = self.flow.pack(W, A)
        return direction / np.linalg.norm(direction)

    def arrival(self, direction: Array, rate: float, kind: str, samples: int = 401) -> FixedPoint:
        """Where the flow comes to rest, or nearly so, for the first time."""
        unit = (self.catalogue.spectrum.scale / 2) ** (1 / 3)
        start = self.flow.theta0 + STEP[kind] * unit * direction
        W, A = self.flow.unpack(start)
        flow = GradientFlow(
            replace(self.flow.problem, student=Student(W, A, self.catalogue.trainable)), reduce=False
        )
        wait = np.log(1 / STEP[kind]) / rate if kind == LINEAR else 1 / (rate * STEP[kind] * unit)
        below = self.left_below

        def unrest(t: float, theta: Array) -> float:
            excess = float(np.linalg.norm(flow(t, theta))) - STILL * self.scale
            return excess if excess > 0 else flow.loss(theta) - below

        end = 5 * wait + 100 / self.scale
        trajectory = flow.integrate(
            end, samples=samples, stops=[Stop("at rest", unrest)], rtol=1e-8, atol=1e-4 * STEP[kind] * unit
        )
        return self.recognised(trajectory, _first_rest(flow, trajectory, below))

    def recognised(self, trajectory: Trajectory, sample: int) -> FixedPoint:
        """The point of the catalogue at a sample of a trajectory, by the learned part of every eigenvalue.

        Raises
        ------
        ComputationError
            If there is none.
        """
        spectrum, Sigma = self.catalogue.spectrum, self.flow.problem.covariance
        W, a = trajectory.W_at(sample), trajectory.a[sample]
        if Sigma is not None:
            W = W @ covariance_factor(Sigma)
        shares = a @ (W @ spectrum.vectors.T) ** 2  # of the non-zero eigenvalues
        groups = np.repeat(np.arange(len(spectrum.values)), spectrum.multiplicities * (spectrum.values != 0))
        learned = np.bincount(groups, shares, minlength=len(spectrum.values))
        learned[spectrum.values == 0] = a @ np.sum(W**2, axis=1) - shares.sum()
        distances = []
        for point in self.nodes:
            shift = self.catalogue.trace_coupling * point.residual_trace / (point.rank + 2)
            wanted = np.array(spectrum.counts(point.learned_modes)) * (spectrum.values + shift)
            distances.append(np.linalg.norm(learned - wanted))
        best = int(np.argmin(distances))
        if distances[best] > NEAR * spectrum.scale:
            raise ComputationError(
                f"The flow from the saddle with learned modes {list(self.point.learned_modes)} was at loss"
                f" {trajectory.loss[sample]:.6g} and t = {trajectory.times[sample]:.4g} near no point of the catalogue."
            )
        return self.nodes[best]


def follow_connections(catalogue: Catalogue, *, mixtures: int = 4, seed: int = 0) -> SaddleGraph:
    """The saddle-to-saddle graph by integration.

    Every stationary point is left in a random direction out of each eigenspace of negative Hessian eigenvalue, and
    in the opposite one. Spare units of a trained second layer lie at the origin, where the loss is of third order;
    one of them is started along every eigenvector of the growth matrix G with an a of the sign that grows.

    Parameters
    ----------
    catalogue : Catalogue
    mixtures : int
        Number of small random perturbations of all weights per point; what they lead to is called generic.
    seed : int
        Of the random directions.

    Raises
    ------
    ComputationError
        If the flow comes to rest near no point of the catalogue.
    """
    rng = np.random.default_rng(seed)
    nodes = graph_nodes(catalogue)
    edges: list[Edge] = []
    for point in nodes:
        edges += _edges_from(_Saddle.of(catalogue, nodes, point), mixtures, rng)
    return graph_of(nodes, edges)


def _edges_from(saddle: _Saddle, mixtures: int, rng: np.random.Generator) -> list[Edge]:
    """What one saddle leads to; of several ways to the same target the fastest."""
    source = saddle.point.learned_modes
    edges: dict[tuple[tuple[int, ...], str], Edge] = {}
    for direction, rate, kind in saddle.departures(rng):
        target = saddle.arrival(direction, rate, kind).learned_modes
        old = edges.get((target, kind))
        if old is None or old.growth_rate < rate:
            edges[target, kind] = Edge(source, target, rate, kind, False)
    if not edges:
        return []
    kind = LINEAR if any(kind == LINEAR for _, kind in edges) else BLOW_UP
    fastest = max(edge.growth_rate for edge in edges.values() if edge.kind == kind)
    for _ in range(mixtures):
        direction = rng.standard_normal(saddle.flow.theta0.size)
        direction /= np.linalg.norm(direction)
        target = saddle.arrival(direction, fastest, kind, SAMPLES).learned_modes
        if target != source:  # units may have got an a that does not grow
            edge = edges.get((target, kind), Edge(source, target, fastest, kind, True))
            edges[target, kind] = replace(edge, generic=True)
    return list(edges.values())


def _eigenspaces(values: Array, vectors: Array, resolution: float) -> Iterator[tuple[float, Array]]:
    """(eigenvalue, orthonormal columns) of every distinct eigenvalue that is not zero; `values` are sorted."""
    cuts = np.flatnonzero(np.abs(np.diff(values)) > resolution) + 1
    for part in np.split(np.arange(len(values)), cuts):
        value = float(values[part].mean())
        if abs(value) > resolution:
            yield value, vectors[:, part]


def _first_rest(flow: GradientFlow, trajectory: Trajectory, below: float) -> int:
    """Sample at which the flow, once below a loss, has first slowed down by a factor of 3; else the last one."""
    states = zip(trajectory.coordinates, trajectory.A, strict=True)
    speed = np.array([np.linalg.norm(flow(0.0, flow.pack(W, A))) for W, A in states])
    slow = find_peaks(-np.log(np.maximum(speed, 1e-300)), prominence=np.log(3))[0]
    slow = slow[trajectory.loss[slow] < below]
    return int(slow[0]) if slow.size else len(speed) - 1
