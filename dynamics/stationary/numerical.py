"""Stationary points where no catalogue exists: what a numerical search finds, without a claim of completeness."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from dynamics.flows.gradient import GradientFlow
from dynamics.problem import Problem
from dynamics.stationary.matching import LARGEST_UNREDUCED
from dynamics.stationary.search import Root, Search, same_invariants, search_fixed_points
from dynamics.words import counted

AT_ZERO = 1e-5  # of the natural size: a shorter w_k is zero
NOTES = (
    "found by a search from random starts: nothing says that these are all",
    "a point where a kinked unit is zero has no Hessian: index, nullity and positive are null there",
    "a unit that has vanished (w_k = 0, a_k ≠ 0) has no gradient: such points are those of networks with fewer units",
)


def numerical_points(
    problem: Problem, starts: int, seed: int = 0, *, progress: bool = False
) -> dict[str, Any]:
    """Search for stationary points of any activation, as one JSON object with the keys of the catalogue.

    Parameters
    ----------
    problem : Problem
        Its student says the sizes and whether the second layer is trained; its weights play no part (a fixed second
        layer does).
    starts : int
        Number of random starts.
    seed : int
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Returns
    -------
    dict
        ``count``, ``fixed_points`` in order of their loss (``modes`` and how often it was found, ``hits``, besides the
        keys of the catalogue; null where a key means nothing here), ``search``, ``warnings``.
    """
    trained = problem.student.W.size + problem.student.trainable * problem.student.A.size
    flow = GradientFlow(problem, reduce=trained > LARGEST_UNREDUCED)
    search = search_fixed_points(flow, starts, seed=seed, progress=progress)
    kinked = flow.population.pull_on is not None
    points = [
        _point(flow, root, smooth) for root, smooth in (_merged(flow, search) if kinked else _smooth(search))
    ]
    return {
        "count": len(points),
        "fixed_points": points,
        "search": {
            "starts": search.starts,
            "converged": search.converged,
            "matched": None,
            "unmatched": [],
        },
        "warnings": list(NOTES if kinked else NOTES[:1]),
    }


def _smooth(search: Search) -> list[tuple[Root, bool]]:
    return [(root, True) for root in search.roots]


def _merged(flow: GradientFlow, search: Search) -> list[tuple[Root, bool]]:
    """Roots and whether the loss is smooth there; where it is not, signs of the Hessian tell nothing apart."""
    scale = max((float(np.abs(root.invariants).max()) for root in search.roots), default=1.0)
    found: list[tuple[Root, bool]] = []
    for root in search.roots:
        W, _ = flow.unpack(root.theta)
        smooth = bool((np.linalg.norm(W, axis=1) > AT_ZERO * search.size).all())
        known = next(
            (
                i
                for i, (other, s) in enumerate(found)
                if not s and not smooth and same_invariants(other.invariants, root.invariants, scale)
            ),
            None,
        )
        if known is None:
            found.append((root, smooth))
        else:
            other = found[known][0]
            found[known] = replace(other, hits=other.hits + root.hits), False
    return found


def _point(flow: GradientFlow, root: Root, smooth: bool) -> dict[str, Any]:
    """JSON object of one point."""
    small = flow.reduction.problem
    W, A = flow.unpack(root.theta)
    modes = small.modes(W, A)
    learned = np.flatnonzero(modes / small.mode_targets > 0.5)
    signs = {name: getattr(root, name) if smooth else None for name in ("index", "nullity", "positive")}
    return {
        "learned_modes": learned.tolist(),
        "rank": None,
        "learned_values": modes[learned].tolist(),
        "residual_trace": None,
        "loss": root.loss,
        **({} if root.objective is None else {"objective": root.objective}),
        **signs,
        "kind": root.kind,
        "feasible": True,
        "modes": modes.tolist(),
        "hits": root.hits,
    }


def describe_points(result: dict[str, Any]) -> str:
    """Table of the points, in words."""
    search = result["search"]
    lines = [
        f"{search['converged']} of {counted(search['starts'], 'start')} converged, to "
        f"{counted(result['count'], 'different point')}",
        "      loss  index  nullity  starts  kind                modes",
    ]
    for p in result["fixed_points"]:
        index, nullity = ("–" if p[name] is None else str(p[name]) for name in ("index", "nullity"))
        modes = ", ".join(f"{m:.4g}" for m in np.round(p["modes"], 12) + 0.0)
        lines.append(f"{p['loss']:10.6g}  {index:>5}  {nullity:>7}  {p['hits']:>6}  {p['kind']:18}  {modes}")
    return "\n".join([*lines, *result["warnings"]])
