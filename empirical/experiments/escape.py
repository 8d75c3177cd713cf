"""Escape times: networks on the sphere beside the flow, over the input dimension, and beside SGD, over its step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.activations import Activation
from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.escape.closed_forms import leading_time
from dynamics.escape.prediction import Escape, escape_time, require_known, single_index, validate_overlap
from dynamics.escape.single_index import OnePass
from dynamics.problem import Problem, Student, Teacher
from dynamics.validation import validate_count, validate_real
from empirical.escape import TrainedEscape, train_escape

PATIENCE = 4.0  # times the predicted time: how long networks are trained at most
DESCENT_STEPS = 300  # of gradient descent until the predicted time: its step is that time over this
QUIET = 0.05  # of the step at which noise wins, step over batch of gradient descent: its noise is that small
ENDLESS = 10.0  # times the time of the flow: how long networks are trained that are predicted to get nowhere
SGD_SEEDS = 4  # times as many networks by SGD
TRAINED = 7 * 2 ** np.arange(9)  # d, of which networks are trained up to a largest
INPUTS = np.unique(np.round(7 * 2 ** (np.arange(49) / 6)).astype(int))  # d of the theory, those among them


@dataclass(frozen=True, eq=False)
class EscapeCurve:
    """Escape time against the input dimension for one activation, of student and teacher alike.

    Parameters
    ----------
    activation : Activation
    exponent : int
        k.
    inputs : (n,) integer array
        d, of the theory.
    flow : (n,) array
        Time of the flow from 1/√d.
    leading : (n,) array or None
        Its leading term in d; None where it does not grow.
    runs : tuple of TrainedEscape
        Networks from 1/√d, by gradient descent in batches so large that noise is small.
    """

    activation: Activation
    exponent: int
    inputs: NDArray[np.int64]
    flow: Array
    leading: Array | None
    runs: tuple[TrainedEscape, ...]


@dataclass(frozen=True, eq=False)
class NoiseCurve:
    """How much longer one-pass SGD, one sample a step, takes than the flow, against step times d.

    Parameters
    ----------
    activation : Activation
    inputs : int
        Of the networks; the theory is of leading order in it.
    start, overlap : float
    flow_time : float
    rates : (n,) array
        ηd of the theory, below the largest.
    ratio : (n,) array
        Mean time over that of the flow.
    largest : float
        ηd from which on the mean never gets there.
    runs : tuple of TrainedEscape
    """

    activation: Activation
    inputs: int
    start: float
    overlap: float
    flow_time: float
    rates: Array
    ratio: Array
    largest: float
    runs: tuple[TrainedEscape, ...]


@dataclass(frozen=True, eq=False)
class EscapeTimes:
    """Escape times against the input dimension, and against the step of SGD.

    Parameters
    ----------
    curves : tuple of EscapeCurve
    overlap : float
        That is reached.
    noise : NoiseCurve or None
    """

    curves: tuple[EscapeCurve, ...]
    overlap: float
    noise: NoiseCurve | None

    def summary(self) -> str:
        """A line for every ensemble of networks, beside what is predicted."""
        lines = []
        for curve in self.curves:
            lines.append(f"{curve.activation}: information exponent {curve.exponent}")
            for run in curve.runs:
                predicted = float(curve.flow[curve.inputs == run.inputs][0])
                lines.append(f"  flow {predicted:.4g}, {run.summary()}")
        if self.noise is not None:
            lines.append(f"{self.noise.activation}: one-pass SGD, flow {self.noise.flow_time:.4g}")
            lines += [f"  ηd = {run.step * run.inputs:.3g}, {run.summary()}" for run in self.noise.runs]
        return "\n".join(lines)


def escape_times(
    activations: Sequence[Activation | str] = ("hermite:2", "hermite:3", "hermite:4"),
    largest: Sequence[int] = (896, 112, 28),
    rates: Sequence[float] = (0.05, 0.1, 0.15, 0.2, 0.25, 0.4),
    *,
    overlap: float = 0.5,
    seeds: int = 16,
    seed: int = 0,
    device: str = "cpu",
    progress: bool = False,
) -> EscapeTimes:
    """Escape times over the input dimension d = 7, 14, 28 … 1792, and of the first activation over the step of SGD.

    Parameters
    ----------
    activations : sequence
        Of student and teacher alike.
    largest : sequence of int
        For each, the largest d at which networks are trained; 0: none.
    rates : sequence of float
        ηd of SGD in 200 dimensions, from overlap 0.3 to 0.8; none: no SGD.
    overlap : float
        That is reached by gradient descent.
    seeds : int
        Networks by gradient descent for each d; four times as many by SGD for each rate.
    seed, device, progress
        As for `empirical.train`.

    Raises
    ------
    ProblemError
        If an argument is not usable, or an activation never reaches the overlap with its own kind.
    """
    if len(activations) != len(largest):
        raise ProblemError(
            f"`largest` has {len(largest)} entries, but there are {len(activations)} activations: give one for each."
        )
    m = validate_overlap(overlap)
    how: dict[str, Any] = {
        "seeds": validate_count("seeds", seeds),
        "seed": seed,
        "device": device,
        "progress": progress,
    }
    phis = [Activation.parse(phi) for phi in activations]
    ends = [validate_count("largest", end, minimum=0) for end in largest]
    curves = tuple(_curve(phi, end, m, how) for phi, end in zip(phis, ends, strict=True))
    noise = None
    if len(rates):
        noise = noise_curve(phis[0], rates, **(how | {"seeds": SGD_SEEDS * seeds}))
    return EscapeTimes(curves, m, noise)


def noise_curve(
    activation: Activation | str,
    rates: Sequence[float],
    *,
    inputs: int = 200,
    start: float = 0.3,
    overlap: float = 0.8,
    seeds: int = 64,
    seed: int = 0,
    device: str = "cpu",
    progress: bool = False,
) -> NoiseCurve:
    """Time of one-pass SGD from overlap to overlap at steps η = rates/d, in theory and trained.

    Parameters
    ----------
    activation : Activation or str
        Of student and teacher alike.
    rates : sequence of float
        ηd. Networks are trained for `PATIENCE` times what theory predicts, where it predicts nothing for `ENDLESS`
        times the time of the flow.
    inputs, start, overlap, seeds, seed, device, progress
        As for `train_escape`.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    problem, d = one_unit(activation, inputs), inputs
    index = single_index(problem)
    flow_time, largest = index.flow().time(start, overlap), index.largest_step(d, start, overlap)
    if not np.isfinite(flow_time) or largest is None:
        raise ProblemError(
            f"`rates` are given, but the activation {activation!s} has no noise, or learns nothing."
        )

    def ratio(rate: float) -> float:
        return index.sgd(OnePass(rate / d), d).time(start, overlap) / flow_time

    runs = []
    for rate in (validate_real("rates", r, positive=True) for r in rates):
        factor = ratio(rate)
        runs.append(
            train_escape(
                problem,
                step=rate / d,
                t_end=flow_time * (PATIENCE * factor if np.isfinite(factor) else ENDLESS),
                overlap=overlap,
                overlap_at_start=start,
                seeds=seeds,
                seed=seed,
                device=device,
                progress=progress,
            )
        )
    end = largest * d
    grid = np.linspace(0.01, 0.95, 48) * end
    ratios = np.array([ratio(r) for r in grid.tolist()])
    return NoiseCurve(problem.activation, d, start, overlap, flow_time, grid, ratios, end, tuple(runs))


def one_unit(activation: Activation | str, inputs: int) -> Problem:
    """A unit of fixed weight 1 that learns one of its kind."""
    direction, weight = np.eye(1, inputs), np.ones((1, 1))
    return Problem(Teacher(direction, weight), Student(direction, weight, trainable=False), activation)


def _curve(phi: Activation, largest: int, overlap: float, how: dict[str, Any]) -> EscapeCurve:
    """Theory at every d, networks up to the largest."""
    index = single_index(one_unit(phi, int(INPUTS[0])))
    flow, k = index.flow(), index.exponent
    require_known(overlap, flow)
    times = np.array([flow.time(d**-0.5, overlap) for d in INPUTS.tolist()])
    if k is None or not np.isfinite(times).all():
        raise ProblemError(
            f"The activation {phi.name!r} never reaches the overlap {overlap:g} with its own kind."
        )
    laws = [leading_time(k, index.strength, d) for d in INPUTS.tolist()]
    leading = None if k == 1 else np.array(laws, dtype=float)
    runs = tuple(
        _descend(phi, escape_time(one_unit(phi, d), overlap=overlap), how)
        for d in TRAINED.tolist()
        if d <= largest
    )
    return EscapeCurve(phi, k, INPUTS, times, leading, runs)


def _descend(phi: Activation, theory: Escape, how: dict[str, Any]) -> TrainedEscape:
    """Gradient descent from 1/√d in batches that keep the noise small."""
    time, wins = theory.flow_time, theory.largest_step
    if not time:
        raise ProblemError(
            f"`overlap` is {theory.overlap:g}, which 1/√d exceeds for d = {theory.inputs}: raise it."
        )
    step = time / DESCENT_STEPS
    batch = 1 if wins is None else int(np.ceil(step / (QUIET * wins)))
    return train_escape(
        one_unit(phi, theory.inputs),
        step=step,
        t_end=PATIENCE * time,
        batch=batch,
        overlap=theory.overlap,
        overlap_at_start=theory.overlap_at_start,
        **how,
    )
