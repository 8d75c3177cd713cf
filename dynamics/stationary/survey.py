"""The description of a stationary point: signature of the Hessian, kind, and the reason in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import comb, prod

import numpy as np

from dynamics.problem.balance import Balance, Landscape
from dynamics.problem.mode_numbers import set_name
from dynamics.stationary.hessian import (
    Signature,
    Units,
    needed_units,
    rotation_dimension,
    signature,
)
from dynamics.stationary.points import FixedPoint
from dynamics.stationary.spectrum import Spectrum


@dataclass(frozen=True, eq=False)
class Surveyor:
    """Describes the stationary points of one student.

    Parameters
    ----------
    spectrum : Spectrum
    landscape : Landscape
    hidden : int
    trainable : bool
        Whether the second layer is trained.
    signs : tuple of int or None
        Signs of the a_k; None: as many of each sign as a point needs, spare units positive.
    least : float
        Least loss that the student can reach.
    """

    spectrum: Spectrum
    landscape: Landscape
    hidden: int
    trainable: bool
    signs: tuple[int, ...] | None
    least: float

    def describe(self, counts: tuple[int, ...], balance: Balance) -> FixedPoint:
        """Entry in which `counts[g]` modes of each distinct eigenvalue are learned, which balance so."""
        spectrum, shift, loss = replace(self.spectrum, values=balance.base), balance.shift, balance.loss
        needed = needed_units(spectrum, counts, shift)
        signs = self._signs(needed)
        units = count_units(signs)
        point = FixedPoint(
            learned_modes=spectrum.modes(counts),
            rank=sum(counts),
            learned_values=tuple(np.repeat(balance.values, counts).tolist()),
            residual_trace=balance.residual_trace,
            loss=loss,
            multiplicity=prod(map(comb, spectrum.multiplicities.tolist(), counts)),
            family_dimension=rotation_dimension(spectrum, counts) if self.landscape.isotropic else 0,
            needed=(needed.positive, needed.negative),
            feasible=len(signs) <= self.hidden and units.suffice(needed),
            reason=self._shortage(needed),
            bias=balance.bias,
        )
        if not point.feasible:
            return point
        hessian = signature(spectrum, counts, shift, units, self.trainable, self.landscape.ratio)
        if balance.bias is not None:  # in one positive block with the learned values
            hessian = replace(hessian, positive=hessian.positive + 1)
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
            reason=self._reason(kind, loss, hessian, units, spectrum, counts, shift),
            trapping=self._trapping(kind, spectrum, counts, shift, needed),
        )

    def _signs(self, needed: Units) -> tuple[int, ...]:
        if self.signs is not None:
            return self.signs
        negative = needed.negative
        return (1,) * max(self.hidden - negative, needed.positive) + (-1,) * negative

    def _kind(self, loss: float, hessian: Signature, units: Units) -> str:
        """Kind by the theorem of `dynamics.stationary.hessian`.

        Where points off the axes may be lower, the lowest on the axes is global for certain only if its loss is zero.
        """
        # A loss is γ times a sum of squares of eigenvalues of size `scale`, with rounding errors of that size.
        size = self.landscape.unit(self.spectrum.scale) * 1e-2
        lowest = loss - self.least <= 1e-12 * max(self.least, size)
        if lowest and (self.landscape.isotropic or self.least <= 1e-12 * size):
            return "global minimum"
        if hessian.index:
            return "saddle"
        if units.zero:
            return "degenerate saddle"
        return "minimum" if lowest else "spurious minimum"

    def _trapping(
        self, kind: str, spectrum: Spectrum, counts: tuple[int, ...], shift: float, needed: Units
    ) -> tuple[int, int] | None:
        """Signs that make the level a spurious minimum: of a sign that could learn more, not one unit to spare."""
        if not self.trainable or kind in ("global minimum", "minimum"):
            return None
        left = np.array(counts) < spectrum.multiplicities
        tilde = (spectrum.values + shift)[left]
        positive, negative = needed.positive, needed.negative
        if not (tilde < -spectrum.tolerance).any():
            negative = self.hidden - positive
        elif not (tilde > spectrum.tolerance).any():
            positive = self.hidden - negative
        units = Units(positive, negative)
        if units.total != self.hidden or not units.suffice(needed):
            return None
        return (
            None
            if signature(spectrum, counts, shift, units, True, self.landscape.ratio).index
            else (positive, negative)
        )

    def _shortage(self, needed: Units) -> str:
        has = f"{self.hidden} in all"
        if self.signs is not None:
            units = count_units(self.signs)
            has = f"{units.positive} positive and {units.negative} negative"
        return (
            f"Needs {needed.positive} positive and {needed.negative} negative units; the student has {has}."
        )

    def _reason(
        self,
        kind: str,
        loss: float,
        hessian: Signature,
        units: Units,
        spectrum: Spectrum,
        counts: tuple[int, ...],
        shift: float,
    ) -> str:
        sentences = []
        if kind == "global minimum":
            zero = loss <= 1e-14 * self.landscape.unit(self.spectrum.scale)
            limit = "this many hidden units" + ("" if self.trainable else " and this second layer")
            sentences.append("The loss is zero." if zero else f"No student with {limit} has a smaller loss.")
        elif kind == "minimum":
            sentences.append("No point on the axes is lower; points off the axes may be.")
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
            sentences += self._obstacles(units, spectrum, counts, shift)
        if hessian.flat:
            sentences.append(
                f"The Hessian is flat along modes {self._unlearned(hessian.flat, counts)}, where"
                f" {self.landscape.gain} = 0"
                + ("." if hessian.index else "; higher orders do not descend there either.")
            )
        return " ".join(sentences)

    def _obstacles(
        self, units: Units, spectrum: Spectrum, counts: tuple[int, ...], shift: float
    ) -> list[str]:
        """Why a spurious minimum cannot descend, for the unlearned modes of either sign."""
        sentences = []
        tilde = spectrum.values + shift
        for name, number, side in (
            ("positive", units.positive, tilde > spectrum.tolerance),
            ("negative", units.negative, tilde < -spectrum.tolerance),
        ):
            groups = tuple(g for g, c in enumerate(counts) if side[g] and c < spectrum.multiplicities[g])
            if groups:
                why = (
                    f"all {number} are held by learned modes {self._stronger}" if number else "there is none"
                )
                modes = self._unlearned(groups, counts)
                sentences.append(f"Modes {modes} can only be learned by a unit with {name} a, but {why}.")
        return sentences

    @property
    def _stronger(self) -> str:
        """Which modes hold their units."""
        if self.landscape.isotropic:
            return "at least as strong"
        return f"with μ_i/λ̃_j ≥ {self.landscape.ratio:.4g}"

    def _unlearned(self, groups: tuple[int, ...], counts: tuple[int, ...]) -> str:
        """Names of the unlearned modes in some groups of equal eigenvalues."""
        first = [int(self.spectrum.starts[g]) + counts[g] for g in groups]
        end = [int(self.spectrum.starts[g] + self.spectrum.multiplicities[g]) for g in groups]
        return set_name(zip(first, end, strict=True))


def count_units(signs: tuple[int, ...]) -> Units:
    """Units with positive, negative and zero a_k."""
    return Units(signs.count(1), signs.count(-1), signs.count(0))
