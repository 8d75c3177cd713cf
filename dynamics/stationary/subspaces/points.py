"""Stationary points of a quadratic network under any law of the inputs, or on data, found as critical subspaces.

Each M with G(M) M = 0 is one point of the network, up to what its units leave open: all (W, a) with
Σ a_k w_k w_kᵀ = M. Those form a manifold of dimension K (r + 1) − r(r + 1)/2 (second layer fixed: Kr − r(r + 1)/2);
where the Hessian, which is computed at one aligned state, is singular in no other direction, its index says what kind
of point it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.flows.gradient import GradientFlow
from dynamics.problem import Problem, Student
from dynamics.problem.scope import THEORIES, require
from dynamics.stationary.search import descends_nearby
from dynamics.stationary.subspaces.form import FormLoss
from dynamics.stationary.subspaces.morse import MorseCount
from dynamics.stationary.subspaces.search import SAME, CriticalSubspace, search_subspaces
from dynamics.words import counted, listed

FLAT = 1e-8  # of the largest eigenvalue of the Hessian: smaller ones are zero
LEAST = 1e-9  # of the loss at zero: losses this close are one
DEGENERATE = "  (degenerate)"  # mark of a critical subspace with a singular second derivative
NECESSARY = (
    "a count that closes is necessary for completeness, not sufficient: two points of neighbouring index that are both"
    " missed cancel"
)


@dataclass(frozen=True, eq=False)
class FoundPoint:
    """A stationary point.

    Parameters
    ----------
    basis : (r, d) array
        Orthonormal rows: the eigenvectors of M whose eigenvalues differ from zero.
    values : (r,) array
        The eigenvalues, descending.
    loss : float
    hits : int
        How many starts led to it, those included that ended at a critical subspace of a larger dimension on which M is
        this one. M = 0 needs no search and may have none.
    needed : tuple of int
        Fewest units with positive, and with negative a_k.
    student : Student or None
        A state at the point: one balanced unit for each eigenvalue, spare ones dead (w_k = 0), a_k > 0 if trained. None
        where the student has no such units, and then index, nullity, positive and kind as well.
    index, nullity, positive : int or None
        Signs of the eigenvalues of the Hessian there.
    kind : str or None
        "global minimum" (no M has a smaller loss), "minimum" (none that was found has), "spurious minimum" (one has),
        "saddle", "degenerate saddle" (the Hessian does not decide, and a descent from nearby ended below).
    degenerate : bool
        Whether the second derivative of L* at the range of M is singular: then the count of its dimension says nothing.
    """

    basis: Array
    values: Array
    loss: float
    hits: int
    needed: tuple[int, int]
    student: Student | None = None
    index: int | None = None
    nullity: int | None = None
    positive: int | None = None
    kind: str | None = None
    degenerate: bool = False

    @property
    def rank(self) -> int:
        """r."""
        return len(self.values)

    @property
    def M(self) -> Array:
        """M, (d, d)."""
        return (self.basis.T * self.values) @ self.basis

    def to_dict(self, problem: Problem) -> dict[str, Any]:
        """JSON object, with the keys of the catalogue; as learned count modes of which M holds more than half."""
        student = self.student
        modes = problem.modes(self.basis, self.values[None]) if self.rank else 0 * problem.mode_targets
        learned = np.flatnonzero(modes / problem.mode_targets > 0.5)
        return {
            "learned_modes": learned.tolist(),
            "rank": self.rank,
            "learned_values": self.values.tolist(),
            "subspace": self.basis.tolist(),
            "residual_trace": None,
            "loss": self.loss,
            "index": self.index,
            "nullity": self.nullity,
            "positive": self.positive,
            "kind": self.kind,
            "feasible": student is not None,
            "needed": {"positive": self.needed[0], "negative": self.needed[1]},
            "modes": modes.tolist() if problem.has_modes else None,
            "W": None if student is None else student.W.tolist(),
            "a": None if student is None else student.a.tolist(),
            "hits": self.hits,
            "degenerate_subspace": self.degenerate,
        }


@dataclass(frozen=True, eq=False)
class FoundPoints:
    """What a search for critical subspaces found.

    Parameters
    ----------
    problem : Problem
    points : tuple of FoundPoint
        In order of their loss.
    counts : tuple of MorseCount
        Of dimensions 1 … min(K, d).
    starts, converged : int
        Of all dimensions together; the `hits` of the points add up to those that converged.
    deficient : tuple of CriticalSubspace
        Critical subspaces on which M has a smaller rank: no further points, but critical ones that are counted.
    """

    problem: Problem
    points: tuple[FoundPoint, ...]
    counts: tuple[MorseCount, ...]
    starts: int
    converged: int
    deficient: tuple[CriticalSubspace, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every dimension seems complete: the count closes, and more than one start led to each point."""
        return all(count.complete for count in self.counts)

    @property
    def warnings(self) -> list[str]:
        """What a reader should know about completeness."""
        said = [count.summary() for count in self.counts if not count.complete]
        return [*said, NECESSARY] if any(count.complete for count in self.counts) else said

    def search_dict(self) -> dict[str, Any]:
        """What is said of the search in JSON."""
        return {
            "starts": self.starts,
            "converged": self.converged,
            "starts_per_rank": [count.starts for count in self.counts],
            "certificate": [count.to_dict() for count in self.counts],
            "deficient_subspaces": [
                {
                    "dimension": len(subspace.values),
                    "rank": _rank(subspace),
                    "loss": subspace.loss,
                    "index": subspace.index,
                    "learned_values": subspace.values[_learned(subspace)].tolist(),
                    "family": len(subspace.family) > 1,
                    "degenerate_subspace": subspace.degenerate,
                    "hits": subspace.hits,
                }
                for subspace in self.deficient
            ],
        }

    def to_dict(self) -> dict[str, Any]:
        """JSON object of `quadflow fixed-points --search N`."""
        return {
            "count": len(self.points),
            "fixed_points": [point.to_dict(self.problem) for point in self.points],
            "complete": self.complete,
            "search": self.search_dict() | {"matched": None, "unmatched": []},
            "warnings": self.warnings,
        }

    def summary(self) -> str:
        """Table of the points, and what the count says of each dimension."""
        each = max(count.starts for count in self.counts)
        whole = " (one for the whole space)" if any(count.starts < each for count in self.counts) else ""
        lines = [
            f"{self.converged} of {counted(self.starts, 'start')} converged, to "
            f"{counted(len(self.points), 'different point')}; {counted(each, 'start')} for each rank{whole}",
            "      loss  index  nullity  rank  starts  kind                learned values",
        ]
        for point in self.points:
            index, nullity = ("–" if n is None else str(n) for n in (point.index, point.nullity))
            lines.append(
                f"{point.loss:10.6g}  {index:>5}  {nullity:>7}  {point.rank:>4}  {point.hits:>6}  "
                f"{point.kind or 'not feasible':18}  {_values(point.values)}" + DEGENERATE * point.degenerate
            )
        lines += self._deficient_table()
        lines += [count.summary() for count in self.counts]
        return "\n".join([*lines, NECESSARY] if any(count.complete for count in self.counts) else lines)

    def _deficient_table(self) -> list[str]:
        """The critical subspaces that are no further points, but are counted below; their starts stand above."""
        if not self.deficient:
            return []
        lines = [
            "critical subspaces on which M has a smaller rank, counted with those of their dimension:",
            "      loss  index  dimension  rank  starts  learned values",
        ]
        for subspace in self.deficient:
            lines.append(
                f"{subspace.loss:10.6g}  {subspace.index:>5}  {len(subspace.values):>9}  {_rank(subspace):>4}  "
                f"{subspace.hits:>6}  {_values(subspace.values[_learned(subspace)])}"
                + ", a family" * (len(subspace.family) > 1)
                + DEGENERATE * subspace.degenerate
            )
        return lines


def subspaces_gap(problem: Problem) -> str:
    """Why critical subspaces cannot be sought, in one sentence; empty if they can."""
    gap = THEORIES["critical subspaces"].gap(problem)
    return gap or ("" if FormLoss.of(problem).definite else singular(problem))


def singular(problem: Problem) -> str:
    """The sentence that refuses inputs on which some form M ≠ 0 vanishes."""
    remedy = ": use fewer inputs, or more samples" if problem.law.labelled else ""
    return (
        f"`{problem.law.option}` is {problem.law.name!r}, under which some forms xᵀMx vanish for all inputs, but"
        f" critical subspaces are isolated only where none does{remedy}."
    )


def find_stationary_points(
    problem: Problem, starts: int = 200, seed: int = 0, *, progress: bool = False
) -> FoundPoints:
    """Search for the stationary points of a quadratic or centred network of one output, blindly.

    Parameters
    ----------
    problem : Problem
        Its student says the number of units and whether the second layer is trained; its weights play no part (a fixed
        second layer does).
    starts : int
        Random subspaces of every dimension 1 … min(K, d) from which critical ones are sought.
    seed : int
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Returns
    -------
    FoundPoints

    Raises
    ------
    ProblemError
        If the loss is no form in M, or does not determine it.

    Examples
    --------
    >>> from dynamics import Problem, Student, Teacher
    >>> from dynamics.stationary import find_stationary_points
    >>> uniform = Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(1, 2), distribution="uniform")
    >>> found = find_stationary_points(uniform, starts=50)
    >>> [(point.kind, round(point.loss, 5)) for point in found.points[:2]]
    [('minimum', 0.62222), ('spurious minimum', 2.48889)]
    """
    require("critical subspaces", problem)
    form = FormLoss.of(problem)
    if not form.definite:
        raise ProblemError(singular(problem))
    d = form.inputs
    ranks = range(1, min(problem.student.hidden, d) + 1)
    searches = [search_subspaces(form, r, starts, seed, progress=progress) for r in ranks]
    zero = FoundPoint(np.empty((0, d)), np.empty(0), form.at_zero, 0, (0, 0))
    points = [zero, *(_point(s) for search in searches for s in search.subspaces if not s.deficient)]
    deficient = tuple(s for search in searches for s in search.subspaces if s.deficient)
    for subspace in deficient:
        _count(points, subspace, form.scale)
    flow = GradientFlow(problem, reduce=False)
    points = [_placed(flow, form, point) for point in points]
    points.sort(key=lambda point: (point.loss, point.rank))
    return FoundPoints(
        problem,
        tuple(_judged(flow, form, points, seed)),
        tuple(search.count for search in searches),
        sum(search.count.starts for search in searches),
        sum(search.converged for search in searches),
        deficient,
    )


def _point(found: CriticalSubspace) -> FoundPoint:
    needed = int(np.sum(found.values > 0)), int(np.sum(found.values < 0))
    return FoundPoint(
        found.basis.T, found.values, found.loss, found.hits, needed, degenerate=found.degenerate
    )


def _learned(found: CriticalSubspace) -> Array:
    """Which eigenvalues of M differ from zero, (r,)."""
    size = np.abs(found.values)
    return np.asarray(size > found.vanished)


def _rank(found: CriticalSubspace) -> int:
    return int(_learned(found).sum())


def _values(values: Array) -> str:
    return listed(values) or "none"


def _count(points: list[FoundPoint], found: CriticalSubspace, scale: float) -> None:
    """Count the starts that led to a subspace on which M has a smaller rank at the point of this M, or list that."""
    rank = _rank(found)
    distances = [
        float(np.linalg.norm(point.M - found.M)) if point.rank == rank else np.inf for point in points
    ]
    nearest = int(np.argmin(distances))
    if distances[nearest] <= SAME * scale:
        points[nearest] = replace(points[nearest], hits=points[nearest].hits + found.hits)
        return
    kept = _learned(found)
    points.append(
        _point(replace(found, basis=found.basis[:, kept], values=found.values[kept], degenerate=False))
    )


def _placed(flow: GradientFlow, form: FormLoss, point: FoundPoint) -> FoundPoint:
    """With a state at the point and the signs of its Hessian, where the student has such a state."""
    student = _state(flow.problem.student, point, form.scale)
    if student is None:
        return point
    H = -flow.jacobian(0.0, flow.pack(student.W, student.A))
    h = np.linalg.eigvalsh(H)
    zero = FLAT * np.abs(h).max(initial=0.0)
    index, positive = int(np.sum(h < -zero)), int(np.sum(h > zero))
    return replace(
        point,
        loss=flow.population.loss(student.W, student.A),
        student=student,
        index=index,
        nullity=len(h) - index - positive,
        positive=positive,
    )


def _state(student: Student, point: FoundPoint, scale: float) -> Student | None:
    """One balanced unit for each eigenvalue of M; None where units, or their signs, are too few."""
    K, d = student.W.shape
    if point.rank > K:
        return None
    size = np.cbrt(scale / 2)  # the a_k of a balanced unit that holds an eigenvalue of this size
    a, W = np.full(K, size), np.zeros((K, d))
    units = list(range(K))
    if not student.trainable:
        a = student.a.copy()
    for v, mu in zip(point.basis, point.values, strict=True):
        fitting = [k for k in units if student.trainable or a[k] * mu > 0]
        if not fitting:
            return None
        k = fitting[0]
        units.remove(k)
        if student.trainable:
            a[k] = np.cbrt(mu / 2)
        W[k] = np.sqrt(mu / a[k]) * v
    return Student(W, a, trainable=student.trainable)


def _judged(flow: GradientFlow, form: FormLoss, points: list[FoundPoint], seed: int) -> list[FoundPoint]:
    """Points in order of their loss, each with its kind."""
    feasible = [point for point in points if point.student is not None]
    lowest = feasible[0].loss
    least = form.loss(form.best)
    tolerance = LEAST * (form.at_zero - least)
    rng = np.random.default_rng(seed)
    size = float(np.cbrt(form.scale))

    def kind(point: FoundPoint) -> str:
        assert point.student is not None and point.nullity is not None
        if point.loss - least <= tolerance:
            return "global minimum"
        if point.index:
            return "saddle"
        K, r = len(point.student.W), point.rank
        known = K * (r + point.student.trainable) - r * (r + 1) // 2
        if point.nullity > known:
            theta = flow.pack(point.student.W, point.student.A)
            if descends_nearby(flow, theta, point.loss, form.at_zero, size, rng):
                return "degenerate saddle"
        return "minimum" if point.loss - lowest <= tolerance else "spurious minimum"

    return [point if point.student is None else replace(point, kind=kind(point)) for point in points]
