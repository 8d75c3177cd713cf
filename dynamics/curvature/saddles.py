"""The Hessian along a path from saddle to saddle, beside the stationary points of the catalogue on its plateaus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from dynamics.aliases import Array
from dynamics.curvature.hessian import ZERO, HessianSpectrum, check_size, spectrum_at
from dynamics.curvature.whole import Whole
from dynamics.curves.stages import Stage
from dynamics.curves.trajectory import Trajectory
from dynamics.errors import ProblemError
from dynamics.flows.gradient import GradientFlow
from dynamics.flows.spectrum import LARGEST_DENSE
from dynamics.problem import Problem
from dynamics.problem.scope import THEORIES
from dynamics.stability import spaced
from dynamics.stationary.catalogue import fixed_points
from dynamics.validation import validate_count

DORMANT = 1e-2  # of the largest |a_k|‖w_k‖² on the way: units below rest at the origin
SAMPLES = 2000  # of the flow: plateaus may be short
UNGROWN = (
    "units that have not grown add eigenvalues as small as themselves, which the catalogue counts as zero: start from"
    " smaller weights, or count larger ones as zero"
)
LOOKS = 50  # samples of a plateau among which the slowest is sought

Known: TypeAlias = tuple[int | None, int | None, Array | None]
"""Index, nullity and eigenvalues that a catalogue says."""

UNKNOWN: Known = (None, None, None)


@dataclass(frozen=True, eq=False)
class Plateau:
    """A plateau of the loss, and the stationary point that it is near.

    Parameters
    ----------
    stage : Stage
    time : float
        Where on it the gradient is smallest.
    index, nullity : int
        Negative and zero eigenvalues of the Hessian there.
    predicted_index, predicted_nullity : int or None
        Those of the stationary point in the catalogue; None where there is none.
    predicted : (n,) array or None
        Eigenvalues at the stationary point, descending, where every student there has the same: of a fixed second layer
        with one value.
    """

    stage: Stage
    time: float
    index: int
    nullity: int
    predicted_index: int | None
    predicted_nullity: int | None
    predicted: Array | None


@dataclass(frozen=True, eq=False)
class SaddleSpectrum:
    """A flow, the spectrum of the Hessian along it, and its plateaus.

    Parameters
    ----------
    trajectory : Trajectory
    spectrum : HessianSpectrum
    plateaus : tuple of Plateau
    uncatalogued : str
        Why there is no catalogue, in one sentence; empty if there is one.
    """

    trajectory: Trajectory
    spectrum: HessianSpectrum
    plateaus: tuple[Plateau, ...]
    uncatalogued: str = ""

    def summary(self) -> str:
        """A line for each plateau, and the sharpness."""
        lines = [self.spectrum.summary()]
        for p in self.plateaus:
            known = "" if p.predicted_index is None else f" (catalogue {p.predicted_index})"
            lines.append(
                f"plateau  t = {p.stage.start:.4g} … {p.stage.end:.4g}  loss {p.stage.loss:.6g}  index {p.index}{known}"
            )
        apart = any(p.predicted_index not in (None, p.index) for p in self.plateaus)
        if apart and self.trajectory.problem.student.trainable:
            lines.append(UNGROWN)
        return "\n".join([*lines, self.uncatalogued] if self.uncatalogued else lines)


def saddle_spectrum(
    problem: Problem,
    *,
    t_end: float | None = None,
    points: int = 200,
    zero: float = ZERO,
    progress: bool = False,
) -> SaddleSpectrum:
    """Eigenvalues of the Hessian along the gradient flow, with the index at every plateau against the catalogue's.

    With a trained second layer, units that have not grown yet are counted as resting at the origin, where they add
    zeros alone: their eigenvalues are as small as themselves.

    Parameters
    ----------
    problem : Problem
        With small initial weights, for plateaus to be seen.
    t_end : float, optional
        Until when; by default until the flow ends.
    points : int
        At so many times, evenly spaced.
    zero : float
        As for `dynamics.curvature.hessian_spectrum`.
    progress : bool
        Show progress bars on standard error if that is a terminal.

    Raises
    ------
    ProblemError
        If an argument is not usable, or there are too many weights.
    """
    points = validate_count("points", points, minimum=2)
    flow = GradientFlow(problem)
    check_size(flow.theta0.size, "The Hessian after the reduction", "take fewer hidden units")
    trajectory = flow.integrate(t_end, samples=max(SAMPLES, points), progress=progress)
    whole = Whole.of(trajectory)
    resting = [_slowest(trajectory, whole, stage) for stage in trajectory.stages]
    samples = np.union1d(spaced(trajectory, points), np.array(resting, dtype=int))
    spectrum = spectrum_at(trajectory, samples, zero=zero, progress=progress)
    missing = THEORIES["catalogue"].gap(problem)
    plateaus = []
    for stage, i in zip(trajectory.stages, resting, strict=True):
        row = int(np.searchsorted(samples, i))
        known = UNKNOWN
        if not missing:
            try:
                known = _catalogued(trajectory, stage, i)
            except ProblemError as error:  # a catalogue that is too large, or has no such point
                missing = str(error)
        index, nullity = int(spectrum.index[row]), int(spectrum.nullity[row])
        plateaus.append(Plateau(stage, float(spectrum.times[row]), index, nullity, *known))
    return SaddleSpectrum(trajectory, spectrum, tuple(plateaus), missing)


def _slowest(trajectory: Trajectory, whole: Whole, stage: Stage) -> int:
    """The sample on a plateau, among up to `LOOKS`, at which the gradient is smallest."""
    on = np.flatnonzero((trajectory.times >= stage.start) & (trajectory.times <= stage.end))
    on = on[:: max(1, len(on) // LOOKS)]
    trained, second = trajectory.problem.student.trainable, trajectory.second_layer

    def speed(i: int) -> float:
        vW, vA = whole.problem.objective.velocity(whole.weights(trajectory.coordinates[i]), second[i])
        return float(np.sum(vW**2) + trained * np.sum(vA**2))

    return min(on.tolist(), key=speed)


def _catalogued(trajectory: Trajectory, stage: Stage, i: int) -> Known:
    """Index, nullity and eigenvalues of the stationary point of a plateau."""
    problem = trajectory.problem
    layer, free = problem.student, not problem.weight_decay
    signs = _signs(trajectory, i) if layer.trainable and free else None
    catalogue = fixed_points(problem, signs=signs)
    point = catalogue.point(stage.learned_modes)
    one_value = not layer.trainable and np.ptp(layer.A) == 0
    if point.index is None or not one_value or layer.W.size > LARGEST_DENSE:
        return point.index, point.nullity, None
    rest = catalogue.representative(point)
    n = layer.W.size
    H = problem.objective.hessian(rest.W, rest.A)[:n, :n]
    return point.index, point.nullity, np.asarray(np.linalg.eigvalsh(H)[::-1])


def _signs(trajectory: Trajectory, i: int) -> list[int]:
    """Signs of the second layer at a sample; 0 of units that have not grown."""
    strength = np.abs(trajectory.a) * np.sum(trajectory.coordinates**2, axis=2)
    grown = strength[i] > DORMANT * strength.max()
    return [int(s) for s in np.sign(trajectory.a[i]) * grown]
