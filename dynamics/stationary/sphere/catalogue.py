"""All stationary points of quadratic networks whose units are kept on the sphere."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, cast

import numpy as np

from dynamics.aliases import Array
from dynamics.problem import Problem, Student
from dynamics.problem.mode_numbers import mode_set
from dynamics.problem.sphere_levels import SphereProblem
from dynamics.problem.sphere_plateaus import levels_on_sphere
from dynamics.stationary.listed_points import HEADER, Catalogue
from dynamics.stationary.points import FixedPoint
from dynamics.stationary.spectrum import Spectrum
from dynamics.stationary.sphere.points import SpherePoint, describe, group_units


@dataclass(frozen=True, eq=False, repr=False)
class SphereCatalogue(Catalogue):
    """Stationary points on the sphere. There is no origin: the entry `origin` is the highest point."""

    sphere: SphereProblem = field(kw_only=True)

    def to_dict(self) -> dict[str, Any]:
        """JSON object of the command ``quadflow fixed-points``."""
        data = super().to_dict()
        return data | {"origin": None}

    def representative(self, point: FixedPoint, seed: int | None = None) -> Student:
        """A student at the point; with a seed its frames are turned at random among the modes of one eigenvalue."""
        entry, student = cast(SpherePoint, point), self.problem.student
        W, a = np.zeros_like(student.W), np.abs(student.a)
        vectors = self._eigenvectors(seed)
        free = np.argsort(-a, kind="stable").tolist()
        lam, alpha = self.sphere.modes[0], self.sphere.units[0]
        copies = self.sphere.modes[1]
        starts, used = np.cumsum([0, *copies]), np.zeros(len(lam), dtype=int)
        for group in entry.level.groups:
            rows: list[int] = []
            for j, count in enumerate(group.modes):
                first = int(starts[j] + used[j])
                rows += range(first, first + count)
                used[j] += count
            values, units = group_units(self.sphere, group)
            for value, w in zip(values, units, strict=True):
                k = next(i for i in free if abs(a[i] - value) <= 1e-9 * alpha[0])
                free.remove(k)
                W[k] = w @ vectors[rows]
        return Student(W, student.A, trainable=False)

    def _eigenvectors(self, seed: int | None) -> Array:
        """Eigenvectors of M* as rows, in the order of the levels: descending by λ, or ascending where all a < 0."""
        M = self.teacher.matrix()
        values, vectors = np.linalg.eigh(M)
        order = np.argsort(-values * np.sign(self.problem.student.a[0]), kind="stable")
        rows = vectors.T[order]
        if seed is not None:
            rng, starts = np.random.default_rng(seed), np.cumsum([0, *self.sphere.modes[1]])
            for i, j in pairwise(starts.tolist()):
                rows[i:j] = np.linalg.qr(rng.standard_normal((j - i, j - i)))[0] @ rows[i:j]
        return rows

    @property
    def _header(self) -> tuple[str, ...]:
        return ("loss", f"{HEADER[0]}, units", *HEADER[1:])

    def _learned(self, point: FixedPoint) -> str:
        """Which units hold which modes: "{0, 1} 3 + {2} 1"."""
        groups = cast(SpherePoint, point).groups
        return " + ".join(f"{mode_set(group.modes)} {group.units}" for group in groups)


def sphere_catalogue(problem: Problem, lowest: int | None = None, minima: bool = False) -> SphereCatalogue:
    """Catalogue of a problem on the sphere that the scope lets pass.

    Parameters
    ----------
    problem : Problem
    lowest : int, optional
        List only this many points, those of least loss.
    minima : bool
        List only the local minima.

    Raises
    ------
    ProblemError
        If there are too many points.
    """
    levels, sphere, sign = levels_on_sphere(problem)
    least = levels[0].loss
    points = [describe(sphere, level, least, sign, problem.inputs) for level in levels]
    if minima:
        points = [point for point in points if not point.index]
    kept = tuple(points if lowest is None else points[:lowest])
    return SphereCatalogue(
        problem,
        Spectrum.of(problem.teacher),
        kept,
        points[-1] if points else describe(sphere, levels[-1], least, sign, problem.inputs),
        complete=len(kept) == len(levels),
        sphere=sphere,
    )
