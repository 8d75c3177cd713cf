"""Which entry of the catalogue a stationary point belongs to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dynamics.aliases import Array
from dynamics.covariance import covariance_factor
from dynamics.flows.gradient import GradientFlow
from dynamics.population.biased import unit_weights
from dynamics.problem import Student
from dynamics.problem.reduction import in_range
from dynamics.stationary.listed_points import Catalogue
from dynamics.stationary.points import FixedPoint
from dynamics.stationary.search import (
    SAME,
    Root,
    Search,
    natural_size,
    same_invariants,
    search_fixed_points,
)
from dynamics.stationary.sphere.search import anchored, natural, starts_of, without_radii
from dynamics.stationary.starts import NetworkStarts
from dynamics.stationary.subspaces.axes import entries
from dynamics.stationary.subspaces.points import FoundPoints, find_stationary_points

LARGEST_UNREDUCED = 300  # unknowns; above, the search runs in the span reduction


@dataclass(frozen=True, eq=False)
class Match:
    """A search held against a catalogue.

    Parameters
    ----------
    search : Search
    points : tuple of FixedPoint or None
        For every root its entry; None where there is none.
    ceiling : float
        Loss, with weight decay objective, up to which the catalogue lists every point.
    found : FoundPoints or None
        The search for critical subspaces, where the law of the inputs singles out the axes; of its points the roots are
        those that the student has.
    """

    search: Search
    points: tuple[FixedPoint | None, ...]
    ceiling: float
    found: FoundPoints | None = None

    @property
    def matched(self) -> int:
        """Number of converged starts that ended on a level of the catalogue."""
        return sum(
            r.hits for r, point in zip(self.search.roots, self.points, strict=True) if point is not None
        )

    @property
    def unmatched(self) -> tuple[Root, ...]:
        """Roots that should have an entry and have none."""
        pairs = zip(self.search.roots, self.points, strict=True)
        return tuple(r for r, point in pairs if point is None and r.height <= self.ceiling)

    @property
    def beyond(self) -> tuple[Root, ...]:
        """Roots above the points that a catalogue of the lowest lists."""
        pairs = zip(self.search.roots, self.points, strict=True)
        return tuple(r for r, point in pairs if point is None and r.height > self.ceiling)

    def to_dict(self) -> dict[str, Any]:
        """JSON object; `roots` says where every root belongs, `beyond` how many are above a list of the lowest."""
        counted = {} if self.found is None else self.found.search_dict()
        return counted | {
            "starts": self.search.starts,
            "converged": self.search.converged,
            "matched": self.matched,
            "unmatched": [root.to_dict() for root in self.unmatched],
            "beyond": len(self.beyond),
            "roots": [
                root.to_dict() | {"learned_modes": None if point is None else list(point.learned_modes)}
                for root, point in zip(self.search.roots, self.points, strict=True)
            ],
        }


def search_catalogue(catalogue: Catalogue, starts: int, *, seed: int = 0, progress: bool = False) -> Match:
    """Search the stationary points of a catalogue's problem blindly, and match every root with its entry.

    Where the law of the inputs singles out the axes, critical subspaces are sought, from so many starts of every rank.

    Parameters
    ----------
    catalogue : Catalogue
    starts : int
        Number of random starts.
    seed : int
    progress : bool
        Show a progress bar on standard error if that is a terminal.
    """
    if not catalogue.landscape.isotropic:
        problem = catalogue_flow(catalogue, seed).problem
        return _match_axes(catalogue, find_stationary_points(problem, starts, seed, progress=progress), seed)
    flow = catalogue_flow(catalogue, seed)
    size, given = natural(flow), starts_of(flow)
    if catalogue.growing is not None:  # starts that run off are given up
        size = natural_size(flow, np.random.default_rng(seed))
        given = NetworkStarts(flow, size)
    square = catalogue.problem.loss.is_square
    found = search_fixed_points(
        flow,
        starts,
        seed=seed,
        size=size,
        invariants=None if square else residual_spectrum(flow),
        given=given,
        progress=progress,
    )
    return match_fixed_points(without_radii(flow, found), catalogue)


def _match_axes(catalogue: Catalogue, found: FoundPoints, seed: int) -> Match:
    """The points that the student has, as roots, each with its entry."""
    roots, possible = [], [point for point in found.points if point.student is not None]
    for point in possible:
        student, signs = point.student, (point.index, point.nullity, point.positive)
        assert student is not None and point.kind is not None and None not in signs
        theta = np.concatenate([student.W.ravel(), student.a if student.trainable else student.a[:0]])
        roots.append(Root(theta, point.loss, np.array([point.loss]), *signs, point.kind, point.hits))  # type: ignore[arg-type]
    search = Search(tuple(roots), found.starts, found.converged, float("nan"), seed)
    ceiling = np.inf if catalogue.complete else catalogue.points[-1].height * (1 - SAME)
    return Match(search, entries(catalogue, possible), ceiling, found)


def match_fixed_points(search: Search, catalogue: Catalogue) -> Match:
    """Find the entry of every root, by the spectrum of the whitened residual.

    At a stationary point D has the eigenvalue −T/(r+2) on every learned mode and λ_j on the others; index and
    signs play no part, since they depend on where in its manifold a root lies. A catalogue of the lowest points for
    given signs leaves out points of other signs, where a search may well end: match it without `signs`.

    Parameters
    ----------
    search : Search
        With the default invariants, on the flow of the catalogue's problem.
    catalogue : Catalogue

    Returns
    -------
    Match
    """
    scale = catalogue.spectrum.scale
    size = len(search.roots[0].invariants) if search.roots else 0
    predicted = [(predicted_invariants(catalogue, point, size), point) for point in catalogue.points]
    # Entries of equal spectrum differ by learned values that vanish: name the one that the student has.
    predicted.sort(key=lambda entry: not entry[1].feasible)

    def entry(root: Root) -> FixedPoint | None:
        found = [(D, p) for D, p in predicted if same_invariants(root.invariants, D, scale)]
        if (
            catalogue.constraint
        ):  # where points of one spectrum differ in how units hold it, and in their index
            found.sort(key=lambda entry: _apart(entry[1], root))
        if catalogue.weight_decay:  # which tells tiny learned values from none
            found.sort(key=lambda entry: float(np.abs(root.invariants - entry[0]).max()))
        return found[0][1] if found else None

    ceiling = np.inf if catalogue.complete else catalogue.points[-1].height * (1 - SAME)
    return Match(search, tuple(entry(root) for root in search.roots), ceiling)


def _apart(point: FixedPoint, root: Root) -> int:
    """By how much the signs of two Hessians differ."""
    return abs((point.index or 0) - root.index) + abs((point.nullity or 0) - root.nullity)


def predicted_invariants(catalogue: Catalogue, point: FixedPoint, size: int) -> Array:
    """What a search finds invariant at a point, (size,): the residual's spectrum, with weight decay √R too."""
    if not catalogue.weight_decay:
        return predicted_spectrum(catalogue, point, size)
    return np.append(predicted_spectrum(catalogue, point, size - 1), np.sqrt(point.height))


def predicted_spectrum(catalogue: Catalogue, point: FixedPoint, size: int) -> Array:
    """Eigenvalues of the whitened residual at a point, ascending, (size,): λ_i − μ_i, λ_j.

    A size below d leaves out zeros: those of directions that neither teacher nor student uses.
    """
    spectrum = catalogue.spectrum
    counts = np.array(spectrum.counts(point.learned_modes))
    used = spectrum.values != 0
    unlearned = np.repeat(spectrum.values[used], (spectrum.multiplicities - counts)[used])
    D = np.concatenate([unlearned, np.repeat(spectrum.values, counts) - point.learned_values])
    zeros = max(size - len(D), 0)
    # A point that needs more directions than the student has keeps more entries than asked for: it matches nothing.
    return np.sort(np.concatenate([D, np.zeros(zeros)]))


def residual_spectrum(flow: GradientFlow) -> Callable[[Array], Array]:
    """Of parameters, the eigenvalues of the whitened M* − M, ascending: what tells roots apart under any loss."""
    problem = flow.reduction.problem
    target = problem.teacher.matrix()
    F = np.eye(problem.inputs) if problem.covariance is None else covariance_factor(problem.covariance)

    def spectrum(theta: Array) -> Array:
        W, A = flow.unpack(theta)
        D = target - (W.T * unit_weights(W, A)[0]) @ W
        return np.asarray(np.linalg.eigvalsh(F.T @ D @ F))

    return spectrum


def catalogue_flow(catalogue: Catalogue, seed: int = 0) -> GradientFlow:
    """The flow whose stationary points the catalogue lists, at a random initial state.

    With many inputs it is span-reduced; the signatures of its Hessian then leave out unused input directions.
    """
    K, d = catalogue.hidden, catalogue.teacher.inputs
    student = Student.initialise(K, d, seed=seed, scale=1.0)
    if catalogue.second_layer is not None:
        student = Student(student.W, np.array(catalogue.second_layer), trainable=False)
    problem = in_range(replace(catalogue.problem, student=student))
    return anchored(
        GradientFlow(problem, reduce=K * (problem.inputs + catalogue.trainable) > LARGEST_UNREDUCED)
    )
