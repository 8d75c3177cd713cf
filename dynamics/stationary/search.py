"""Numerical search for the stationary points of any gradient flow; it knows nothing of the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from scipy.optimize import minimize

from dynamics.aliases import Array
from dynamics.budget import check_memory, check_number
from dynamics.progress import progress_bar
from dynamics.stationary.root_finding import find_root
from dynamics.validation import validate_count, validate_real
from dynamics.words import counted

LARGEST_SEARCH = 1_000_000  # starts
HESSIANS = 6  # matrices of the size of the Hessian at a time
SIZES = 60  # natural sizes are sought between 10^−60 and 10^60
STEPS = 400  # of a start; beside manifolds on which ∇L vanishes to a high order they become short
FARTHEST, FAR = 100.0, 10.0  # natural sizes: where a start is given up; where one without a root is leaving
PATIENCE = (
    40  # steps without progress after which a start is given up, where not all are expected to converge
)
CONVERGED = 1e-12  # ‖∇L‖ of a root, relative to a typical gradient
NEARBY = 0.1  # natural sizes between a root and its more symmetric form
SAME = 1e-6  # relative difference below which two roots have the same invariants
ROUGH = 1e-6  # ‖∇L‖ likewise from which a more symmetric root is looked for nearby
PROBES, KICK = (
    8,
    1e-3,
)  # descents beside a root whose Hessian does not decide, and their distance (natural size 1)


class Flow(Protocol):
    """What the search needs: a gradient flow θ̇ = −∇L(θ), such as `dynamics.GradientFlow`."""

    theta0: Array

    def __call__(self, t: float, theta: Array) -> Array:
        """Right-hand side −∇L."""

    def jacobian(self, t: float, theta: Array) -> Array:
        """Jacobian of the right-hand side, minus the Hessian of L."""

    def loss(self, theta: Array) -> float:
        """L(θ) ≥ 0."""


class Starts(Protocol):
    """Where a search starts, in units of the natural size, see `dynamics.stationary.starts`."""

    def draw(self, number: int, rng: np.random.Generator) -> Array:
        """The start of a number."""

    def coinciding(self, theta: Array) -> Array:
        """A more symmetric state near a root."""


@dataclass(frozen=True, eq=False)
class Root:
    """A stationary point found by the search, up to symmetry.

    Parameters
    ----------
    theta : (n,) array
        The parameters where it was found first.
    loss : float
        With weight decay without its penalty.
    invariants : (m,) array
        What does not change under the symmetries.
    index, nullity, positive : int
        Signs of the numerical Hessian's eigenvalues.
    kind : str
        "global minimum" (the loss vanishes), "saddle" (descent of second order), "degenerate saddle" (no negative
        eigenvalue, yet a descent from nearby ended below), "minimum" (none did).
    hits : int
        How many starts led to it.
    objective : float or None
        With weight decay the loss with its penalty.
    """

    theta: Array
    loss: float
    invariants: Array
    index: int
    nullity: int
    positive: int
    kind: str
    hits: int = 1
    objective: float | None = None

    @property
    def height(self) -> float:
        """What is stationary: the objective, or the loss."""
        return self.loss if self.objective is None else self.objective

    def to_dict(self) -> dict[str, Any]:
        """JSON object; the objective only where there is one."""
        names = ["loss", "index", "nullity", "positive", "kind", "hits"]
        if self.objective is not None:
            names.append("objective")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, eq=False)
class Search:
    """Result of a search.

    Parameters
    ----------
    roots : tuple of Root
        In order of their loss, with weight decay of the objective.
    starts, converged : int
        Number of starts, and of those that led to a root.
    size : float
        Natural size of the parameters, around which the starts were drawn.
    seed : int
    escaped : int
        Number of starts that led to no root but to parameters beyond 10 natural sizes.
    """

    roots: tuple[Root, ...]
    starts: int
    converged: int
    size: float
    seed: int
    escaped: int = 0

    def summary(self) -> str:
        """One line on the search and one for every root."""
        lines = [
            f"{self.converged} of {counted(self.starts, 'start')} converged, to "
            f"{counted(len(self.roots), 'different root')}"
        ]
        lines += [
            f"{root.height:10.6g}  index {root.index}, nullity {root.nullity}: {root.kind} "
            f"({counted(root.hits, 'start')})"
            for root in self.roots
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"Search({counted(len(self.roots), 'root')}, converged={self.converged} of {self.starts})"


def search_fixed_points(
    flow: Flow,
    starts: int = 200,
    *,
    seed: int = 0,
    size: float | None = None,
    invariants: Callable[[Array], Array] | None = None,
    given: Starts | None = None,
    progress: bool = False,
) -> Search:
    """Find stationary points from random starts, merge those that symmetries relate, classify each.

    Parameters
    ----------
    flow : Flow
        Any gradient flow with right-hand side, Jacobian and loss. If it has an attribute `objective` (a
        `dynamics.population.base.Population`) that is what it follows, beside the loss.
    starts : int
    seed : int
    size : float, optional
        Natural size of the parameters. By default the size at which random parameters raise the loss to twice its
        value at zero: there the student's output is as large as the teacher's.
    invariants : callable, optional
        θ → (m,) array that does not change under the symmetries and tells roots apart. By default those of the
        population loss (`dynamics.population.base.Population.invariants`). Unit permutations, the null manifolds of
        constant f and rotations inside eigenspaces leave them alone.
    given : Starts, optional
        Draws the starts, and sharpens roots. Where it is given, starts that run off or make no progress are given up.
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Returns
    -------
    Search

    Notes
    -----
    Half of the starts are Gaussian with a common random scale; in the others each parameter has a random scale of
    its own, which lets some units or inputs begin almost unused.

    An eigenvalue of the Hessian counts as zero if it may be an error of the root: where ∇L vanishes to second order,
    ‖∇L‖ ≈ ½ ‖∇³L‖ δ² at a distance δ, and eigenvalues are off by ‖∇³L‖ δ = (2 ‖∇³L‖ ‖∇L‖)^{1/2}; where it vanishes to
    first order they are off by less. With typical gradients g and curvatures h at the natural size that is
    h (2 ‖∇L‖/g)^{1/2}; the threshold is twice as large, and never below rounding.
    """
    rng = np.random.default_rng(validate_count("seed", seed, minimum=0))
    check_number(
        f"`starts` {starts}", validate_count("starts", starts), LARGEST_SEARCH, "searches", "ask for fewer"
    )
    n = flow.theta0.size
    check_memory(
        f"A search among {n} unknowns, by their Hessian,",
        HESSIANS * 8 * n**2,
        "use fewer hidden units or inputs",
    )
    natural = natural_size(flow, rng) if size is None else validate_real("size", size, positive=True)
    samples = natural * rng.standard_normal((9, n))
    g = float(np.median([np.linalg.norm(flow(0.0, theta)) for theta in samples]))
    h = float(np.median([np.linalg.norm(flow.jacobian(0.0, theta), 2) for theta in samples]))
    measure = invariants or _default_invariants(flow)
    objective = _objective(flow)
    penalised = getattr(flow, "objective", None) is not getattr(flow, "population", None)
    scale = float(np.abs(measure(np.zeros(n))).max()) or 1.0  # without a student

    # In natural units, so that nothing depends on those of the teacher.
    def solve(x: Array, patience: int | None, farthest: float) -> tuple[Array, float]:
        return find_root(
            lambda x: -flow(0.0, natural * x) / g,
            lambda x: -natural / g * flow.jacobian(0.0, natural * x),
            x,
            tolerance=1e-2 * CONVERGED,
            max_steps=STEPS,
            patience=patience,
            farthest=farthest,
        )

    roots: list[Root] = []
    converged = escaped = 0
    for number in progress_bar(range(starts), "search", shown=progress, remedy="search from fewer starts"):
        if given is None:
            spread = 10 ** rng.uniform(-1.5, 0.5, n) if number % 2 else 10 ** rng.uniform(-1.0, 0.5)
            x, norm = solve(spread * rng.standard_normal(n), None, np.inf)
        else:
            x, norm = solve(given.draw(number, rng), PATIENCE, FARTHEST)
            if norm <= ROUGH:
                x, norm = _sharpened(given, solve, x, norm)
            escaped += not norm <= CONVERGED and bool(np.abs(x).max() > FAR)
        if not norm <= CONVERGED:
            continue
        converged += 1
        theta = natural * x
        eigenvalues = np.linalg.eigvalsh(-flow.jacobian(0.0, theta))
        zero = h * max(2 * np.sqrt(2 * norm), 1e-12 * n)
        index, positive = int(np.sum(eigenvalues < -zero)), int(np.sum(eigenvalues > zero))
        found = Root(theta, flow.loss(theta), measure(theta), index, n - index - positive, positive, "")
        if penalised:
            found = replace(found, objective=objective(theta))
        _merge(roots, found, scale)
    reference = flow.loss(np.zeros(n)) or 1.0
    roots = [replace(root, kind=_kind(flow, root, reference, natural, rng)) for root in roots]
    roots.sort(key=lambda root: (root.height, root.index))
    return Search(tuple(roots), starts, converged, natural, seed, escaped)


def _sharpened(
    given: Starts, solve: Callable[[Array, int | None, float], tuple[Array, float]], x: Array, norm: float
) -> tuple[Array, float]:
    """A more symmetric root close to a point that is nearly one; the point itself if there is none."""
    sharp, sharp_norm = solve(given.coinciding(x), PATIENCE, FARTHEST)
    near = bool(np.abs(sharp - x).max() <= NEARBY)
    return (sharp, sharp_norm) if sharp_norm <= CONVERGED and near else (x, norm)


def natural_size(flow: Flow, rng: np.random.Generator) -> float:
    """Size of Gaussian parameters at which the loss exceeds twice its value at zero, for half of the draws.

    1 where that is zero, since a teacher of zeros has no size, and where no size is large enough.
    """
    directions = rng.standard_normal((9, flow.theta0.size))
    limit = 2 * flow.loss(np.zeros(flow.theta0.size))

    def exceeds(size: float) -> bool:
        with np.errstate(over="ignore", invalid="ignore"):  # an infinite loss exceeds the limit
            return not np.median([flow.loss(size * direction) for direction in directions]) <= limit

    decade = next((n for n in range(-SIZES, SIZES) if exceeds(10.0**n)), None) if limit else None
    if decade is None:
        return 1.0
    return float(
        next(size for size in 10.0 ** (decade + np.arange(-0.9, 0.1, 0.1).round(1)) if exceeds(size))
    )


def _default_invariants(flow: Flow) -> Callable[[Array], Array]:
    objective = getattr(flow, "objective", None)
    if objective is not None:
        return lambda theta: np.asarray(objective.invariants(*flow.unpack(theta)))  # type: ignore[attr-defined]
    return lambda theta: np.array([flow.loss(theta)])


def _objective(flow: Flow) -> Callable[[Array], float]:
    """What the flow follows: its loss, or that with a penalty."""
    objective = getattr(flow, "objective", None)
    if objective is not None:
        return lambda theta: float(objective.loss(*flow.unpack(theta)))  # type: ignore[attr-defined]
    return flow.loss


def same_invariants(a: Array, b: Array, scale: float) -> bool:
    """Whether two points have the same invariants, within the accuracy of roots relative to `scale`."""
    return a.shape == b.shape and bool(np.abs(a - b).max() <= SAME * scale)


def _merge(roots: list[Root], found: Root, scale: float) -> None:
    """Add a root to the list, or count it where it is known already."""
    for i, known in enumerate(roots):
        same_signs = (known.index, known.positive) == (found.index, found.positive)
        if same_signs and same_invariants(known.invariants, found.invariants, scale):
            roots[i] = replace(known, hits=known.hits + 1)
            return
    roots.append(found)


def _kind(flow: Flow, root: Root, reference: float, size: float, rng: np.random.Generator) -> str:
    """Kind of a root; where the Hessian has no negative eigenvalue, descents from nearby decide."""
    if root.height <= SAME * reference:
        return "global minimum"
    if root.index:
        return "saddle"
    if not root.nullity or not descends_nearby(flow, root.theta, root.height, reference, size, rng):
        return "minimum"
    return "degenerate saddle"


def descends_nearby(
    flow: Flow, theta: Array, height: float, reference: float, size: float, rng: np.random.Generator
) -> bool:
    """Whether a descent from near a stationary point ends below it, its `height` in units of `reference`."""
    objective = _objective(flow)
    for _ in range(PROBES):
        start = theta + KICK * size * rng.standard_normal(theta.size)
        # In natural units: `gtol` is compared with a gradient.
        end = minimize(
            lambda x: objective(size * x) / reference,
            start / size,
            jac=lambda x: -size / reference * flow(0.0, size * x),
            method="L-BFGS-B",
            options={"ftol": 0.0, "gtol": 1e-10, "maxiter": 2000},
        )
        if end.fun < height / reference - SAME:
            return True
    return False
