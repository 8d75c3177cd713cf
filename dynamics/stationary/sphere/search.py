"""A blind search on the sphere: a flow whose stationary points have units of norm 1, and its roots without the radii.

The loss of the directions does not know norms, so that its stationary points are rays. An anchor ¼α Σ(‖w_k‖² − 1)²
picks the point of norm 1 of each; it adds one positive eigenvalue 2α for every unit, along it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from scipy.optimize import minimize

from dynamics.aliases import Array
from dynamics.flows.gradient import GradientFlow
from dynamics.population.on_sphere import OnSphere, directions
from dynamics.stationary.search import Search, Starts

ON = 1e-6  # of norms: a root further from the sphere is none
LONGEST = 6  # up to 2^6 steps of a descent before the search


@dataclass(frozen=True, eq=False)
class SphereStarts:
    """Units of random directions; in every other start after some steps of a descent, near saddles and minima.

    Parameters
    ----------
    flow : GradientFlow
        With an anchor.
    """

    flow: GradientFlow

    def draw(self, number: int, rng: np.random.Generator) -> Array:
        """The start of a number."""
        flow = self.flow
        W0, A = flow.unpack(flow.theta0)
        theta = flow.pack(directions(rng.standard_normal(W0.shape))[0], A)
        if not number % 2:
            return theta
        end = minimize(
            lambda x: flow.objective.loss(*flow.unpack(x)),
            theta,
            jac=lambda x: -flow(0.0, x),
            method="L-BFGS-B",
            options={"maxiter": int(2 ** rng.uniform(0, LONGEST))},
        )
        return np.asarray(end.x)

    def coinciding(self, theta: Array) -> Array:
        """The state itself: symmetric ones are drawn by nobody."""
        return theta


def anchored(flow: GradientFlow) -> GradientFlow:
    """The flow, with an anchor where its units are on the sphere."""
    if flow.problem.constraint:
        flow.objective = replace(cast(OnSphere, flow.objective), anchor=flow.natural_units.rate)
    return flow


def starts_of(flow: GradientFlow) -> Starts | None:
    """Where a search on the sphere starts; None of other flows."""
    return SphereStarts(flow) if flow.problem.constraint else None


def natural(flow: GradientFlow) -> float | None:
    """Size of the weights of a search on the sphere; None where it is to be found."""
    return 1.0 if flow.problem.constraint else None


def without_radii(flow: GradientFlow, search: Search) -> Search:
    """The search with the roots on the sphere alone, the eigenvalues of the anchor left out."""
    if not flow.problem.constraint:
        return search
    K = flow.problem.student.hidden
    there = [
        root
        for root in search.roots
        if np.abs(np.linalg.norm(flow.unpack(root.theta)[0], axis=1) - 1).max() < ON
    ]
    roots = tuple(replace(root, positive=root.positive - K, objective=None) for root in there)
    return replace(search, roots=roots, converged=sum(root.hits for root in roots))
