"""Stationary points where no catalogue exists: what a numerical search finds, without a claim of completeness."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from dynamics.curves.units import overlaps_and_norms
from dynamics.flows.gradient import GradientFlow
from dynamics.population.biased import unit_weights
from dynamics.problem import Problem
from dynamics.stationary.matching import LARGEST_UNREDUCED
from dynamics.stationary.search import (
    FAR,
    Root,
    Search,
    natural_size,
    same_invariants,
    search_fixed_points,
)
from dynamics.stationary.sphere.search import anchored, natural, starts_of, without_radii
from dynamics.stationary.starts import NetworkStarts
from dynamics.words import counted, listed

AT_ZERO = 1e-5  # of the natural size: a shorter w_k is zero
NOTES = (
    "found by a search from random starts: nothing says that these are all",
    "a point where a kinked unit is zero has no Hessian: index, nullity and positive are null there",
    "a unit that has vanished (w_k = 0, a_k ≠ 0) has no gradient: such points are those of networks with fewer units",
)


def search_networks(
    problem: Problem, starts: int, seed: int = 0, *, progress: bool = False
) -> tuple[GradientFlow, Search]:
    """Search for stationary points of any activation; parameters as for `numerical_points`.

    Returns
    -------
    flow : GradientFlow
        Of which the roots are the rest states; it knows the weights of each.
    search : Search
    """
    trained = problem.student.W.size + problem.student.trainable * problem.student.A.size
    flow = anchored(GradientFlow(problem, reduce=trained > LARGEST_UNREDUCED))
    size = natural(flow) or _size(flow, seed)
    given = starts_of(flow) or NetworkStarts(flow, size)
    found = search_fixed_points(flow, starts, seed=seed, size=size, given=given, progress=progress)
    return flow, without_radii(flow, found)


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
        ``count``, ``fixed_points`` in order of their loss, ``search``, ``warnings``. A point has, besides the keys of
        the catalogue, ``modes``, or ``overlaps`` [unit][teacher direction] and ``norms`` [unit] where there are no
        modes, its weights ``W`` and ``a``, the units that add nothing, ``vanished_units``, and how often it was found,
        ``hits``; null where a key means nothing here. Points that permutations of units, reflections of theirs and
        rotations that leave the teacher alone relate are one: they have the same invariants.
    """
    flow, search = search_networks(problem, starts, seed, progress=progress)
    size = search.size
    kinked = flow.population.pull_on is not None and not problem.constraint  # no unit vanishes there
    points = [
        _point(flow, root, smooth, size)
        for root, smooth in (_merged(flow, search) if kinked else _smooth(search))
    ]
    return {
        "count": len(points),
        "fixed_points": points,
        "search": {
            "starts": search.starts,
            "converged": search.converged,
            "matched": None,
            "unmatched": [],
            "escaped": search.escaped,
        },
        "warnings": [*(NOTES if kinked else NOTES[:1]), *_escapes(search)],
    }


def _escapes(search: Search) -> list[str]:
    """What is said of starts that ran off."""
    if not search.escaped:
        return []
    return [
        f"{counted(search.escaped, 'start')} led to no point but to weights beyond {FAR:g} natural sizes, where the"
        " gradient may vanish at infinity only, as when bounded units grow into linear ones or steps"
    ]


def _size(flow: GradientFlow, seed: int) -> float:
    """Natural size of the weights; where φ has a scale of its own, at most that of the teacher's weights.

    A bounded φ is flat beyond, whatever the loss there.
    """
    natural = natural_size(flow, np.random.default_rng(seed))
    problem = flow.reduction.problem
    taught = float(np.linalg.norm(problem.teacher.V, axis=1).max(initial=0.0))
    return natural if problem.activation.degree is not None or not taught else min(natural, taught)


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


def _point(flow: GradientFlow, root: Root, smooth: bool, size: float) -> dict[str, Any]:
    """JSON object of one point."""
    small = flow.reduction.problem
    W, whole = flow.unpack(root.theta)
    A = unit_weights(W, whole)
    modes = small.modes(W, A)
    learned = np.flatnonzero(modes / small.mode_targets > 0.5)
    signs = {name: getattr(root, name) if smooth else None for name in ("index", "nullity", "positive")}
    overlaps, norms = overlaps_and_norms(W, small.teacher.V, small.second_moment)
    idle = (np.linalg.norm(A, axis=0) <= AT_ZERO * size) | (norms <= AT_ZERO * size)
    return {
        "learned_modes": learned.tolist(),
        "rank": int(np.linalg.matrix_rank(W[~idle], tol=AT_ZERO * size)) if not idle.all() else 0,
        "learned_values": modes[learned].tolist(),
        "residual_trace": None,
        "loss": root.loss,
        **({} if root.objective is None else {"objective": root.objective}),
        **signs,
        "kind": root.kind,
        "feasible": True,
        "modes": modes.tolist() if modes.size else None,
        "overlaps": None if modes.size else overlaps.tolist(),
        "norms": None if modes.size else norms.tolist(),
        "vanished_units": np.flatnonzero(idle).tolist(),
        "W": flow.reduction.lift(W).tolist(),
        "a": (A[0] if len(A) == 1 else A).tolist(),
        **({} if whole.shape == A.shape else {"bias": float(whole[0, -1])}),
        "hits": root.hits,
    }


def describe_points(result: dict[str, Any]) -> str:
    """Table of the points, in words."""
    search = result["search"]
    by_modes = any(p["modes"] is not None for p in result["fixed_points"])
    lines = [
        f"{search['converged']} of {counted(search['starts'], 'start')} converged, to "
        f"{counted(result['count'], 'different point')}",
        f"      loss  index  nullity  rank  starts  kind                {'modes' if by_modes else 'norms'}",
    ]
    for p in result["fixed_points"]:
        index, nullity = ("–" if p[name] is None else str(p[name]) for name in ("index", "nullity"))
        last = p["norms"] if p["modes"] is None else p["modes"]
        values = listed(np.round(last, 12) + 0.0)
        lines.append(
            f"{p['loss']:10.6g}  {index:>5}  {nullity:>7}  {p['rank']:>4}  {p['hits']:>6}  {p['kind']:18}  {values}"
        )
    return "\n".join([*lines, *result["warnings"]])
