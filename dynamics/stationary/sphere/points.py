"""An entry of the catalogue on the sphere: which units hold which modes, its Hessian, kind and reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dynamics.aliases import Array
from dynamics.problem.mode_numbers import mode_set
from dynamics.problem.sphere_levels import Group, SphereLevel, SphereProblem, frame
from dynamics.stationary.points import FixedPoint
from dynamics.words import counted

INDEPENDENT = 1e-9  # singular values below this are zero: those of frames are of order 1


@dataclass(frozen=True, kw_only=True)
class HeldModes:
    """A group of units.

    Parameters
    ----------
    modes : tuple of int
        Numbers of the modes that they hold.
    units : int
        How many they are.
    second_layer_values : tuple of float
        Their a, in descending size.
    multiplier : float
        γ: the eigenvalue of M* − M on their space.
    """

    modes: tuple[int, ...]
    units: int
    second_layer_values: tuple[float, ...]
    multiplier: float

    def to_dict(self) -> dict[str, Any]:
        """JSON object."""
        return {
            "modes": list(self.modes),
            "units": self.units,
            "second_layer_values": list(self.second_layer_values),
            "multiplier": self.multiplier,
        }


@dataclass(frozen=True, kw_only=True)
class SpherePoint(FixedPoint):
    """A stationary point of units on the sphere.

    Index, nullity and positive count eigenvalues of the Hessian on the product of spheres, K(d − 1) of them. The index
    is that of every network at the point; the nullity is that of its representative, and may be larger at special ones.

    Parameters
    ----------
    groups : tuple of HeldModes
        Which units hold which modes, by descending multiplier.
    level : SphereLevel
    """

    groups: tuple[HeldModes, ...]
    level: SphereLevel

    def to_dict(self) -> dict[str, Any]:
        """JSON object."""
        data = super().to_dict()
        del data["level"]
        return data | {"groups": [group.to_dict() for group in self.groups]}

    def row(self) -> dict[str, Any]:
        """The same as a row of a table, without the groups."""
        row = super().row()
        del row["groups"]
        return row


def describe(
    problem: SphereProblem, level: SphereLevel, least: float, sign: float, inputs: int
) -> SpherePoint:
    """Entry of a level; `least` is the lowest loss of all, `sign` that of the second layer."""
    groups = sorted(_held(problem, level, sign), key=lambda g: (-g.multiplier, g.modes))
    within = sum(_flat_within(problem, g) for g in level.groups)
    K, rotations = len(problem.weights), level.flat - level.ties
    nullity = level.flat + within
    kind = _kind(problem, level, least)
    smooth = sum(_generic(g) for g in level.groups) + rotations
    number = len(level.learned)
    needed = (number, 0) if sign > 0 else (0, number)
    return SpherePoint(
        learned_modes=level.learned,
        rank=number,
        learned_values=tuple(level.values.tolist()),
        residual_trace=level.residual_trace,
        loss=level.loss,
        multiplicity=level.multiplicity,
        family_dimension=rotations,
        needed=needed,
        feasible=True,
        reason=_reason(problem, level, kind, groups),
        signs=(int(sign),) * K,
        index=level.index,
        nullity=nullity,
        positive=K * (inputs - 1) - level.index - nullity,
        manifold_dimension=smooth,
        degenerate=nullity > smooth,
        kind=kind,
        groups=tuple(groups),
        level=level,
    )


def group_units(problem: SphereProblem, group: Group) -> tuple[Array, Array]:
    """Weights a (n,) of the units of a group, descending, and units (n, r) in the basis of its modes."""
    lam, alpha = problem.modes[0], problem.units[0]
    a = np.repeat(alpha, group.units)
    return a, frame(a, np.repeat(lam - group.multiplier, group.modes))


def _held(problem: SphereProblem, level: SphereLevel, sign: float) -> list[HeldModes]:
    """The groups with the numbers of their modes."""
    copies, alpha = problem.modes[1], problem.units[0]
    starts = np.cumsum([0, *copies])
    used, found, d = np.zeros(len(copies), dtype=int), [], len(problem.eigenvalues)
    for g in level.groups:
        modes: list[int] = []
        for j, count in enumerate(g.modes):
            first = int(starts[j] + used[j])
            modes += range(first, first + count)
            used[j] += count
        numbered = sorted(modes if sign > 0 else [d - 1 - i for i in modes])
        a = (sign * np.repeat(alpha, g.units)).tolist()
        found.append(
            HeldModes(
                modes=tuple(numbered),
                units=len(a),
                second_layer_values=tuple(a),
                multiplier=sign * g.multiplier,
            )
        )
    return found


def _generic(group: Group) -> int:
    """Dimension of the frames of a group where they are no two frames side by side: n(r − 1) less r(r + 1)/2 − 1."""
    r = group.rank
    return (group.spare + r) * (r - 1) - (r * (r + 1) // 2 - 1)


def _flat_within(problem: SphereProblem, group: Group) -> int:
    """Directions within the space of a group that leave M as it is: n(r − 1) less the rank of x ↦ Σ a_kw_kx_kᵀ + …ᵀ."""
    _, W = group_units(problem, group)
    r = group.rank
    if r == 1:
        return 0
    columns = []
    for w in W:
        across = np.linalg.svd(w[None])[2][1:]  # an orthonormal basis of what is orthogonal to w
        columns += [(np.outer(w, x) + np.outer(x, w))[np.triu_indices(r)] for x in across]
    rank = int(np.sum(np.linalg.svd(np.array(columns), compute_uv=False) > INDEPENDENT))
    return len(columns) - rank


def _kind(problem: SphereProblem, level: SphereLevel, least: float) -> str:
    """Kind, by the theorem of `dynamics.problem.sphere_levels`."""
    if level.index:
        return "saddle"
    if level.loss - least <= 1e-12 * max(least, problem.size**2 * 1e-2):
        return "global minimum"
    return "minimum" if level.ties else "spurious minimum"


def _reason(problem: SphereProblem, level: SphereLevel, kind: str, groups: list[HeldModes]) -> str:
    """Why it is of its kind."""
    if kind == "global minimum":
        return (
            "The loss is zero."
            if level.loss <= 1e-14 * problem.size**2
            else "No stationary point is lower, and all of them are listed."
        )
    if kind == "saddle":
        return (
            f"The Hessian descends in {counted(level.index, 'direction')}: units can turn from modes that they hold,"
            " or from a space in which some are to spare, towards modes of larger eigenvalue or multiplier."
        )
    held = ", ".join(f"{mode_set(group.modes)} by {group.units}" for group in groups)
    return f"The modes {held} units are held so that no unit gains by turning, but others could hold them better."
