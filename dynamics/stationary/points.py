"""One stationary point and its description: what it has learned, its Hessian, its kind and the reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from math import comb, prod
from typing import Any

import numpy as np

from dynamics.problem.levels import overshoot
from dynamics.stationary.hessian import (
    Signature,
    Units,
    needed_units,
    rotation_dimension,
    signature,
)
from dynamics.stationary.spectrum import Spectrum

COUNTS = ("index", "nullity", "positive", "manifold_dimension", "trapping_positive", "trapping_negative")
MEANINGS = {
    "learned_modes": "numbers of the learned eigenvalues",
    "rank": "number r of learned modes",
    "learned_values": "values μ_i of the learned modes",
    "residual_trace": "sum T of the eigenvalues that are not learned",
    "loss": "population loss",
    "multiplicity": "number of sets of eigenvalues with the same learned values",
    "family_dimension": "dimension of the family of learned subspaces",
    "needed_positive": "fewest units with positive a that realise the point",
    "needed_negative": "fewest units with negative a that realise the point",
    "feasible": "whether the student has such units",
    "reason": "why the point is of its kind, or why it is not feasible",
    "signs": "signs of the a_k for which the Hessian is counted",
    "index": "negative eigenvalues of the Hessian",
    "nullity": "zero eigenvalues of the Hessian",
    "positive": "positive eigenvalues of the Hessian",
    "manifold_dimension": "dimension of the manifold of stationary points around the point",
    "degenerate": "whether the nullity exceeds it",
    "kind": "minimum or saddle, and of which kind",
    "trapping_positive": "number of positive a for which the level is a spurious minimum",
    "trapping_negative": "number of negative a for which the level is a spurious minimum",
    "certified": "whether interval arithmetic proved existence and signature",
    "radius": "distance from the representative within which the point lies",
}

KINDS = ("global minimum", "spurious minimum", "saddle", "degenerate saddle")


@dataclass(frozen=True)
class FixedPoint:
    """One entry of the catalogue.

    Parameters
    ----------
    learned_modes : tuple of int
        Indices of the learned eigenvalues among all d in descending order, zeros included. Where not all copies
        of a repeated eigenvalue are learned, the first ones stand for any.
    rank : int
        Number r of learned modes.
    learned_values : tuple of float
        μ_i, in the order of `learned_modes`.
    residual_trace : float
        T, the sum of the eigenvalues that are not learned.
    loss : float
    multiplicity : int
        Number of sets of eigenvalue indices with the same learned values.
    family_dimension : int
        Dimension of the family of learned subspaces, which rotate inside the eigenspaces of repeated eigenvalues.
    needed : tuple of int
        Fewest positive and negative hidden units that realise the point.
    feasible : bool
        Whether the student has them. If not, it has no such point, and everything after `reason` is None.
    reason : str
        Why the point is of its kind, or why it is not feasible.
    signs : tuple of int
        Signs of the a_k for which the Hessian is counted; 0 is a unit at the origin, w_k = 0 = a_k.
    index, nullity, positive : int
        Numbers of negative, zero and positive eigenvalues of the Hessian over all trained parameters.
    manifold_dimension : int
        Dimension of the manifold of stationary points with the same loss around the point.
    degenerate : bool
        Whether the nullity exceeds it, so that the Hessian alone does not decide.
    kind : str
        "global minimum" (no state of this student has a smaller loss), "spurious minimum" (a local minimum that is
        not global), "saddle" (a descent direction of second order exists), "degenerate saddle" (none exists, the
        loss descends nevertheless).
    trapping : tuple of int or None
        Numbers of positive and negative a_k, if there are any, for which the same level is a spurious minimum of a
        student with a trained second layer.
    certified : bool, optional
        Whether interval arithmetic proved existence and signature; see `dynamics.stationary.certification`.
    radius : float, optional
        Distance from the representative within which the true point lies.
    """

    learned_modes: tuple[int, ...]
    rank: int
    learned_values: tuple[float, ...]
    residual_trace: float
    loss: float
    multiplicity: int
    family_dimension: int
    needed: tuple[int, int]
    feasible: bool
    reason: str
    signs: tuple[int, ...] | None = None
    index: int | None = None
    nullity: int | None = None
    positive: int | None = None
    manifold_dimension: int | None = None
    degenerate: bool | None = None
    kind: str | None = None
    trapping: tuple[int, int] | None = None
    certified: bool | None = None
    radius: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON object; the certificate only where there is one."""
        data = {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }
        for name in ("needed", "trapping"):
            if data[name] is not None:
                data[name] = dict(zip(("positive", "negative"), data[name], strict=True))
        if self.certified is None:
            del data["certified"], data["radius"]
        return data

    def row(self) -> dict[str, Any]:
        """The same as a row of a table: pairs are two entries, lists are tuples."""
        row = self.to_dict()
        for name in ("needed", "trapping"):
            pair = row.pop(name) or {}
            row |= {f"{name}_{sign}": pair.get(sign) for sign in ("positive", "negative")}
        return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}


@dataclass(frozen=True, eq=False)
class Surveyor:
    """Describes the stationary points of one student.

    Parameters
    ----------
    spectrum : Spectrum
    trace_coupling : float
    hidden : int
    trainable : bool
        Whether the second layer is trained.
    signs : tuple of int or None
        Signs of the a_k; None: as many of each sign as a point needs, spare units positive.
    least : float
        Least loss that the student can reach.
    """

    spectrum: Spectrum
    trace_coupling: float
    hidden: int
    trainable: bool
    signs: tuple[int, ...] | None
    least: float

    def describe(self, counts: tuple[int, ...]) -> FixedPoint:
        """Entry in which `counts[g]` modes of each distinct eigenvalue are learned."""
        spectrum, rank = self.spectrum, sum(counts)
        unlearned = spectrum.multiplicities - np.array(counts)
        T, shift, loss = overshoot(spectrum.values, unlearned, rank, self.trace_coupling)
        needed = needed_units(spectrum, counts, shift)
        signs = self._signs(needed)
        units = count_units(signs)
        point = FixedPoint(
            learned_modes=spectrum.modes(counts),
            rank=rank,
            learned_values=tuple(np.repeat(spectrum.values + shift, counts).tolist()),
            residual_trace=T,
            loss=loss,
            multiplicity=prod(map(comb, spectrum.multiplicities.tolist(), counts)),
            family_dimension=rotation_dimension(spectrum, counts),
            needed=(needed.positive, needed.negative),
            feasible=len(signs) <= self.hidden and units.suffice(needed),
            reason=self._shortage(needed),
        )
        if not point.feasible:
            return point
        hessian = signature(spectrum, counts, shift, units, self.trainable)
        kind = self._kind(loss, hessian, units)
        return replace(
            point,
            signs=signs,
            index=hessian.index,
            nullity=hessian.nullity,
            positive=hessian.positive,
            manifold_dimension=hessian.manifold_dimension,
            degenerate=hessian.nullity > hessian.manifold_dimension,
            kind=kind,
            reason=self._reason(kind, loss, hessian, units, counts, shift),
            trapping=self._trapping(kind, counts, shift, needed),
        )

    def _signs(self, needed: Units) -> tuple[int, ...]:
        if self.signs is not None:
            return self.signs
        negative = needed.negative
        return (1,) * max(self.hidden - negative, needed.positive) + (-1,) * negative

    def _kind(self, loss: float, hessian: Signature, units: Units) -> str:
        """Kind by the theorem of `dynamics.stationary.hessian`."""
        # A loss is a sum of squares of eigenvalues of size `scale`, with rounding errors of that size.
        if loss - self.least <= 1e-12 * max(self.least, self.spectrum.scale**2 * 1e-2):
            return "global minimum"
        if hessian.index:
            return "saddle"
        return "degenerate saddle" if units.zero else "spurious minimum"

    def _trapping(
        self, kind: str, counts: tuple[int, ...], shift: float, needed: Units
    ) -> tuple[int, int] | None:
        """Signs that make the level a spurious minimum: of a sign that could learn more, not one unit to spare."""
        if not self.trainable or kind == "global minimum":
            return None
        left = np.array(counts) < self.spectrum.multiplicities
        tilde = (self.spectrum.values + shift)[left]
        positive, negative = needed.positive, needed.negative
        if not (tilde < -self.spectrum.tolerance).any():
            negative = self.hidden - positive
        elif not (tilde > self.spectrum.tolerance).any():
            positive = self.hidden - negative
        units = Units(positive, negative)
        if units.total != self.hidden or not units.suffice(needed):
            return None
        return None if signature(self.spectrum, counts, shift, units, True).index else (positive, negative)

    def _shortage(self, needed: Units) -> str:
        has = f"{self.hidden} in all"
        if self.signs is not None:
            units = count_units(self.signs)
            has = f"{units.positive} positive and {units.negative} negative"
        return (
            f"Needs {needed.positive} positive and {needed.negative} negative units; the student has {has}."
        )

    def _reason(
        self, kind: str, loss: float, hessian: Signature, units: Units, counts: tuple[int, ...], shift: float
    ) -> str:
        sentences = []
        if kind == "global minimum":
            zero = loss <= 1e-14 * self.spectrum.scale**2
            limit = "this many hidden units" + ("" if self.trainable else " and this second layer")
            sentences.append("The loss is zero." if zero else f"No student with {limit} has a smaller loss.")
        elif kind == "saddle":
            sentences.append(
                f"Descends along unlearned modes {self._unlearned(hessian.descending, counts)}: units of their sign"
                " are free, or held by weaker modes only."
            )
        elif kind == "degenerate saddle":
            sentences.append(
                "The Hessian has no descent direction, but the loss descends at third order: a unit with a = 0 can take"
                " the sign that it needs."
            )
        else:
            sentences += self._obstacles(units, counts, shift)
        if hessian.flat:
            sentences.append(
                f"The Hessian is flat along modes {self._unlearned(hessian.flat, counts)}, where λ_j + T/(r+2) = 0"
                + ("." if hessian.index else "; higher orders do not descend there either.")
            )
        return " ".join(sentences)

    def _obstacles(self, units: Units, counts: tuple[int, ...], shift: float) -> list[str]:
        """Why a spurious minimum cannot descend, for the unlearned modes of either sign."""
        sentences = []
        tilde = self.spectrum.values + shift
        for name, number, side in (
            ("positive", units.positive, tilde > self.spectrum.tolerance),
            ("negative", units.negative, tilde < -self.spectrum.tolerance),
        ):
            groups = tuple(g for g, c in enumerate(counts) if side[g] and c < self.spectrum.multiplicities[g])
            if groups:
                why = (
                    f"all {number} are held by learned modes at least as strong"
                    if number
                    else "there is none"
                )
                modes = self._unlearned(groups, counts)
                sentences.append(f"Modes {modes} can only be learned by a unit with {name} a, but {why}.")
        return sentences

    def _unlearned(self, groups: tuple[int, ...], counts: tuple[int, ...]) -> str:
        """Names of the unlearned modes in some groups of equal eigenvalues."""
        first = [int(self.spectrum.starts[g]) + counts[g] for g in groups]
        end = [int(self.spectrum.starts[g] + self.spectrum.multiplicities[g]) for g in groups]
        return set_name(zip(first, end, strict=True))


def set_name(ranges: Iterable[tuple[int, int]]) -> str:
    """Name of a set of indices given as ascending ranges [first, end): "{0, 2–5}"."""
    merged: list[list[int]] = []
    for first, end in ranges:
        if merged and merged[-1][1] == first:
            merged[-1][1] = end
        else:
            merged.append([first, end])
    names = (str(i) if j == i + 1 else f"{i}, {i + 1}" if j == i + 2 else f"{i}–{j - 1}" for i, j in merged)
    return "{" + ", ".join(names) + "}"


def count_units(signs: tuple[int, ...]) -> Units:
    """Units with positive, negative and zero a_k."""
    return Units(signs.count(1), signs.count(-1), signs.count(0))
