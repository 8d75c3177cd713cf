"""The stationary points of one problem as a result: table, columns, JSON, weights that sit at a point."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynamics.activations import Activation
from dynamics.curves.labelled import frame
from dynamics.curves.variables import Variable, Variables
from dynamics.errors import ProblemError
from dynamics.inputs.laws import InputLaw
from dynamics.notebook import heading_html, table
from dynamics.problem import Problem, Student, Teacher
from dynamics.problem.balance import Balance, Landscape
from dynamics.problem.constraint import Constraint
from dynamics.problem.landscapes import landscape_of
from dynamics.problem.mode_numbers import mode_set
from dynamics.problem.weight_decay import WeightDecay
from dynamics.stationary.points import COUNTS, MEANINGS, FixedPoint
from dynamics.stationary.representatives import representative
from dynamics.stationary.spectrum import Spectrum
from dynamics.words import counted

if TYPE_CHECKING:
    import pandas

HEADER = ("learned modes", "index", "nullity", "positive", "kind")


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Stationary points, in order of their loss, with weight decay of the objective.

    Parameters
    ----------
    problem : Problem
        Its weights do not matter, except those of a fixed second layer.
    spectrum : Spectrum
        Of the whitened teacher.
    points : tuple of FixedPoint
    origin : FixedPoint
        The origin, all w_k = 0 and, if they are trained, all a_k = 0: where small initialisations begin. Its level is
        that of the entry with no learned modes, whose units have a_k ≠ 0 if the second layer is trained.
    complete : bool
        Whether every stationary point is listed, not the lowest only.
    off_axis : str
        Where the law singles out the axes: what is known of stationary points off them, which are not listed. Empty
        where there are none.
    growing : tuple of int or None
        Modes that units of this student can learn without ever coming to rest, as their labels are separable; None
        where there are none. The loss then falls towards 0, which no point attains.
    """

    problem: Problem
    spectrum: Spectrum
    points: tuple[FixedPoint, ...]
    origin: FixedPoint
    complete: bool
    off_axis: str = ""
    growing: tuple[int, ...] | None = None

    @property
    def teacher(self) -> Teacher:
        """What is learned."""
        return self.problem.teacher

    @property
    def activation(self) -> Activation:
        """Of student and teacher."""
        return self.problem.activation

    @property
    def covariance(self) -> NDArray[np.float64] | None:
        """Input covariance, (d, d); None is the identity."""
        return self.problem.covariance

    @property
    def distribution(self) -> InputLaw:
        """Law of the inputs."""
        return self.problem.distribution

    @property
    def weight_decay(self) -> WeightDecay:
        """Rates at which the weights decay."""
        return self.problem.weight_decay

    @property
    def hidden(self) -> int:
        """Number K of hidden units."""
        return self.problem.student.hidden

    @property
    def second_layer(self) -> tuple[float, ...] | None:
        """Values of the a_k, (K,), if they are fixed; None if they are trained."""
        return None if self.trainable else tuple(self.problem.student.a.tolist())

    @property
    def constraint(self) -> Constraint:
        """What weights are kept to."""
        return self.problem.constraint

    def require_free(self, but: str) -> None:
        """Refuse weights under a constraint; `but` says what is known only without one."""
        if self.constraint:
            raise ProblemError(f"`constraint` is {self.constraint.name!r}, but {but}.")

    @property
    def trainable(self) -> bool:
        """Whether the second layer is trained."""
        return self.problem.student.trainable

    @cached_property
    def landscape(self) -> Landscape:
        """Loss of aligned states."""
        landscape = landscape_of(self.problem)
        assert landscape is not None
        return landscape

    @property
    def trace_coupling(self) -> float:
        """c of a square loss: under Gaussian inputs 1 for the quadratic activation, 0 for the centred one."""
        coupling = self.landscape.coupling
        assert coupling is not None
        return coupling

    def balance(self, point: FixedPoint) -> Balance:
        """How the learned modes of a listed point balance."""
        spectrum = self.spectrum
        counts = np.array(spectrum.counts(point.learned_modes))
        balance = self.landscape.balance(spectrum.values, spectrum.multiplicities, counts)
        assert balance is not None
        return balance

    @property
    def feasible(self) -> tuple[FixedPoint, ...]:
        """The points that the student has."""
        return tuple(point for point in self.points if point.feasible)

    def point(self, learned_modes: Iterable[int]) -> FixedPoint:
        """The entry in which these modes are learned.

        Raises
        ------
        ProblemError
            If the catalogue does not list it.
        """
        wanted = tuple(sorted(learned_modes))
        for point in self.points:
            if point.learned_modes == wanted:
                return point
        raise ProblemError(
            f"`learned_modes` is {list(wanted)}, which this catalogue does not list; of a repeated eigenvalue name the"
            " first copies."
        )

    def representative(self, point: FixedPoint, seed: int | None = None) -> Student:
        """A student that sits at the point; see `dynamics.stationary.representatives`."""
        return representative(self.spectrum, self.second_layer, point, seed)

    def to_dict(self) -> dict[str, Any]:
        """JSON object of the command ``quadflow fixed-points``."""
        return {
            "count": len(self.points),
            "fixed_points": [point.to_dict() for point in self.points],
            "origin": self.origin.to_dict(),
            "complete": self.complete and not self.off_axis,
            "warnings": [note for note in (self.off_axis, self._growth) if note],
        } | ({} if self.growing is None else {"growing": list(self.growing)})

    @property
    def _growth(self) -> str:
        """What is said of weights that grow for ever."""
        if self.growing is None:
            return ""
        return (
            f"no finite minimiser with the modes {mode_set(self.growing)} learned: labels are separable, weights grow"
            " for ever, and the loss falls towards 0"
        )

    def summary(self) -> str:
        """Table of the points, one line each."""
        rows = [self._header, *self._rows()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        align = [*["rjust"] * (len(rows[0]) - len(HEADER)), "ljust", "rjust", "rjust", "rjust", "ljust"]
        lines = (
            "  ".join(getattr(cell, side)(w) for cell, side, w in zip(row, align, widths, strict=True))
            for row in rows
        )
        notes = [note for note in (self.off_axis, self._growth) if note]
        return "\n".join([*(line.rstrip() for line in lines), *notes])

    def __repr__(self) -> str:
        layer = "trainable" if self.trainable else "fixed"
        head = counted(len(self.points), "point") + ("" if self.complete else ", the lowest")
        law = "" if self.distribution.gaussian else f", distribution={self.distribution.name}"
        law += "" if self.problem.loss.is_square else f", loss={self.problem.loss}"
        return (
            f"Catalogue({head}, hidden={self.hidden}, inputs={self.spectrum.inputs}, activation={self.activation},"
            f" second_layer={layer}{law})"
        )

    def _repr_html_(self) -> str:
        """Table of the points; the reason of each shows when the mouse rests on it."""
        return heading_html(repr(self)) + table(
            self._header, self._rows(), [point.reason for point in self.points]
        )

    @property
    def _header(self) -> tuple[str, ...]:
        return ("loss", *HEADER)

    def _levels(self, point: FixedPoint) -> tuple[str, ...]:
        """First columns of a row of the table."""
        return (f"{point.loss:.6g}",)

    def _learned(self, point: FixedPoint) -> str:
        """What the column of learned modes says."""
        return mode_set(point.learned_modes)

    def _rows(self) -> list[tuple[str, ...]]:
        rows = []
        for point in self.points:
            counts = ["" if n is None else str(n) for n in (point.index, point.nullity, point.positive)]
            rows.append((*self._levels(point), self._learned(point), *counts, point.kind or "not feasible"))
        return rows

    def variables(self) -> Variables:
        """Columns of the table of points, named as in the JSON of ``quadflow fixed-points``.

        Pairs such as "needed" are two columns, needed_positive and needed_negative; what a point does not have is None.
        """
        rows = [point.row() for point in self.points]
        found: Variables = {}
        for name in dict.fromkeys(name for row in rows for name in row):
            column = np.empty(len(rows), dtype=object)  # filled one by one: tuples are no further axis
            for n, row in enumerate(rows):
                column[n] = row.get(name)
            unit = self.problem.loss.unit if name in ("loss", "objective") else ""
            found[name] = Variable(("point",), column, MEANINGS[name], unit)
        return found

    def to_dataframe(self) -> pandas.DataFrame:
        """Table for pandas, one point per row; see `variables`. Needs the extra ``sweep``."""
        about = {
            "activation": self.activation.name,
            "hidden": self.hidden,
            "inputs": self.spectrum.inputs,
            "second_layer": "trainable" if self.trainable else "fixed",
            "complete": self.complete,
        }
        types = {name: "Int64" for name in COUNTS} | {"degenerate": "boolean"}
        return frame("quadflow stationary points", self.variables(), about, types)


def trace_coupling(activation: Activation | str) -> float:
    """1 for the quadratic activation, 0 for the centred one; no other has a catalogue."""
    return Activation.parse(activation).coupling_for("the catalogue of stationary points")
