"""The catalogue of stationary points under weight decay, sorted by the objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from dynamics.problem import Problem, Student
from dynamics.problem.weight_decay import WeightDecay
from dynamics.stationary.decayed.blocks import RestingState, resting_origin
from dynamics.stationary.decayed.fixed import fixed_states, lowest_fixed_states
from dynamics.stationary.decayed.minima import trained_minima
from dynamics.stationary.decayed.points import DecayedPoint, describe
from dynamics.stationary.decayed.trained import trained_states
from dynamics.stationary.decayed.weights import resting_student
from dynamics.stationary.listed_points import HEADER, Catalogue, trace_coupling
from dynamics.stationary.points import FixedPoint
from dynamics.stationary.spectrum import Spectrum


@dataclass(frozen=True, eq=False, repr=False)
class DecayedCatalogue(Catalogue):
    """Stationary points of the objective R = L + ½ρ_w‖W‖² + ½ρ_a‖a‖², in its order.

    `point` names the lowest of several points with the same learned modes.
    """

    def state(self, point: FixedPoint) -> RestingState:
        """The weights at a point, as blocks of units."""
        entry = cast(DecayedPoint, point)
        return RestingState(
            self.spectrum,
            self.trace_coupling,
            self.weight_decay,
            self.hidden,
            self.trainable,
            entry.blocks,
            entry.trace,
        )

    @property
    def _header(self) -> tuple[str, ...]:
        levels, modes, rest = super()._header[:1], HEADER[0], HEADER[1:]
        return ("objective", *levels, f"{modes}, units", *rest)

    def _levels(self, point: FixedPoint) -> tuple[str, ...]:
        return (f"{point.height:.6g}", *super()._levels(point))

    def _learned(self, point: FixedPoint) -> str:
        """Learned modes and the units that hold them, one block after the other: "{0, 1}  2 + 1 lower"."""
        blocks = [b for b in cast(DecayedPoint, point).blocks if b.modes]
        held = (
            f"{b.units}{' shared' if len(b.modes) > 1 else ''}{' lower' if b.lower else ''}" for b in blocks
        )
        return f"{super()._learned(point)}  {' + '.join(held)}".rstrip()

    def representative(self, point: FixedPoint, seed: int | None = None) -> Student:
        """A student that rests at the point; see `dynamics.stationary.decayed.weights`."""
        second_layer = None if self.second_layer is None else np.array(self.second_layer)
        return resting_student(self.state(point), second_layer, seed)


def decayed_catalogue(problem: Problem, lowest: int | None, minima: bool) -> DecayedCatalogue:
    """Catalogue of a problem with weight decay.

    Parameters
    ----------
    problem : Problem
    lowest : int, optional
        List only this many points, those of the least objective.
    minima : bool
        List only the local minima; with both layers trained they are found without looking at the saddles.
    """
    student, coupling = problem.student, trace_coupling(problem.activation)
    spectrum, decay = Spectrum.of(problem.teacher), problem.weight_decay
    second_layer = None if student.trainable else tuple(student.a.tolist())
    found = _states(spectrum, coupling, decay, student, lowest, minima)
    found.sort(key=lambda state: (state.objective, tuple(state.learned)))
    points = [
        describe(state, found[0].objective, second_layer) for state in found[: None if minima else lowest]
    ]
    if minima:
        points = [point for point in points if "minimum" in str(point.kind)][:lowest]
    at_origin = resting_origin(spectrum, coupling, decay, student.hidden, second_layer)
    return DecayedCatalogue(
        problem,
        spectrum,
        tuple(points),
        describe(at_origin, found[0].objective, second_layer),
        complete=not minima and (lowest is None or len(points) < lowest),
    )


def _states(
    spectrum: Spectrum,
    coupling: float,
    decay: WeightDecay,
    student: Student,
    lowest: int | None,
    minima: bool,
) -> list[RestingState]:
    """The states that are listed, and more where it is no less work."""
    if student.trainable:
        find = trained_minima if minima else trained_states
        return list(find(spectrum, coupling, decay, student.hidden))
    if lowest is not None and not minima:
        few = lowest_fixed_states(spectrum, coupling, decay, student.a, lowest)
        if few is not None:
            return few
    return list(fixed_states(spectrum, coupling, decay, student.a))
