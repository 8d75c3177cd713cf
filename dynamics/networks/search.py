"""Stationary points of networks of one's own: a numerical search, with index, nullity and what symmetries explain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dynamics.aliases import Array
from dynamics.networks.flow import NetworkFlow
from dynamics.networks.laws import NetworkLaw, conserved_laws
from dynamics.networks.problem import NetworkProblem
from dynamics.stationary.search import Root, search_fixed_points
from dynamics.words import counted

PROBES = 48  # inputs at which functions are told apart
STEP = 1e-4  # of a central difference, exact for laws of the second degree up to rounding
RANK = 1e-7  # of the longest direction: shorter ones are zero
DISTANCES, DIRECTIONS = (0.01, 0.03, 0.1), 32  # of the natural size, along flat directions of the Hessian
RESOLVED = 1e-13  # of the loss: a difference that is no rounding
NOTE = "found by a search from random starts: nothing says that these are all"


@dataclass(frozen=True, eq=False)
class NetworkPoints:
    """What a search found.

    Parameters
    ----------
    problem : NetworkProblem
    roots : tuple of Root
        In order of what is stationary, the loss with the penalty of the decay; θ on the inputs that matter.
    losses : tuple of float
        Loss without that.
    symmetries : tuple of int
        Dimension of the set of parameters with the same function that symmetries make of each point.
    starts, converged : int
    """

    problem: NetworkProblem
    roots: tuple[Root, ...]
    losses: tuple[float, ...]
    symmetries: tuple[int, ...]
    starts: int
    converged: int

    def to_dict(self) -> dict[str, Any]:
        """JSON object with the keys of other searches; what speaks of modes, which there are none of, is empty."""
        points = [
            {
                **{"learned_modes": [], "learned_values": [], "residual_trace": None, "feasible": True},
                **{"loss": loss, "index": r.index, "nullity": r.nullity, "positive": r.positive},
                **{"symmetries": symmetries, "kind": r.kind, "hits": r.hits},
                **({"objective": r.loss} if self.problem.weight_decay else {}),
                "parameters": {
                    name: array.tolist()
                    for name, array in self.problem.network.named(self.problem.lifted(r.theta)).items()
                },
            }
            for r, loss, symmetries in zip(self.roots, self.losses, self.symmetries, strict=True)
        ]
        warnings = [NOTE]
        if self.problem.restricted:
            warnings.append(f"signs are those of the Hessian on {self.problem.directions.words}")
        return {
            "count": len(points),
            "fixed_points": points,
            "search": {"starts": self.starts, "converged": self.converged, "matched": None, "unmatched": []},
            "warnings": warnings,
        }

    def summary(self) -> str:
        """Table of the points."""
        lines = [
            f"{self.converged} of {counted(self.starts, 'start')} converged, to"
            f" {counted(len(self.roots), 'different point')}",
            "      loss  index  nullity  of them symmetries  starts  kind",
        ]
        for r, loss, symmetries in zip(self.roots, self.losses, self.symmetries, strict=True):
            lines.append(f"{loss:10.6g}  {r.index:5}  {r.nullity:7}  {symmetries:18}  {r.hits:6}  {r.kind}")
        return "\n".join([*lines, *self.to_dict()["warnings"]])


@dataclass(eq=False)
class _Searched:
    """The flow as the search asks for it: what it follows is what is stationary."""

    flow: NetworkFlow
    theta0: Array

    def __call__(self, t: float, theta: Array) -> Array:
        return self.flow(t, theta)

    def jacobian(self, t: float, theta: Array) -> Array:
        return self.flow.jacobian(t, theta)

    def loss(self, theta: Array) -> float:
        return self.flow.objective.objective(theta)


def find_network_points(
    problem: NetworkProblem, starts: int = 200, seed: int = 0, *, progress: bool = False
) -> NetworkPoints:
    """Search for stationary points of a network's loss from random starts.

    Points whose functions agree at random inputs are one. Where the parameters are written in the span of some weights
    and the target, the starts are drawn there: any other start is a rotation of one of these.

    Parameters
    ----------
    problem : NetworkProblem
        Its initial parameters play no part, but for the span.
    starts, seed : int
    progress : bool
        Show a progress bar on standard error if that is a terminal.
    """
    flow = NetworkFlow(problem)
    population = flow.population
    rng = np.random.default_rng([seed, 7])
    X = problem.small.shaped(rng.standard_normal((PROBES, problem.small.inputs)))

    def invariants(theta: Array) -> Array:
        values = problem.small.program.values(problem.small.unpack(theta), X)[-1]
        return np.append(flow.objective.objective(theta), values)

    searched = _Searched(flow, flow.theta0)
    search = search_fixed_points(searched, starts, seed=seed, invariants=invariants, progress=progress)
    laws = conserved_laws(problem.network)
    roots = tuple(_judged(searched, root, search.size, rng) for root in search.roots)
    return NetworkPoints(
        problem,
        roots,
        tuple(population.loss(root.theta) for root in roots),
        tuple(symmetry_dimension(laws, problem.lifted(root.theta)) for root in roots),
        search.starts,
        search.converged,
    )


def _judged(searched: _Searched, root: Root, size: float, rng: np.random.Generator) -> Root:
    """The root, called a degenerate saddle where the loss falls along some direction without curvature.

    Near zero a deep network is flat to a high order, and a descent from nearby gets nowhere; but the loss itself tells.
    """
    if root.kind != "minimum" or not root.nullity:
        return root
    h, Q = np.linalg.eigh(-searched.jacobian(0.0, root.theta))
    flat = Q[:, np.argsort(np.abs(h))[: root.nullity]]
    for distance in DISTANCES:
        for _ in range(DIRECTIONS):
            u = flat @ rng.standard_normal(root.nullity)
            there = root.theta + distance * size * u / np.linalg.norm(u)
            if searched.loss(there) < root.loss * (1 - RESOLVED):
                return replace(root, kind="degenerate saddle")
    return root


def symmetry_dimension(laws: tuple[NetworkLaw, ...], theta: Array) -> int:
    """Dimension of the orbit of θ under the symmetries behind the laws.

    A law θᵀAθ belongs to θ → e^{sA}θ, which leaves the network alone and moves θ along Aθ, half of the law's slope: the
    rank of all these slopes.
    """
    if not laws:
        return 0

    def values(at: Array) -> Array:
        return np.concatenate([np.atleast_1d(law.values(at)) for law in laws])

    size = float(np.abs(theta).max())
    if not size:
        return 0
    h = STEP * size
    slopes = np.array([(values(theta + h * e) - values(theta - h * e)) / (2 * h) for e in np.eye(len(theta))])
    s = np.linalg.svd(slopes, compute_uv=False)
    return int(np.sum(s > RANK * max(s[0], size)))
