"""When one unit on the sphere reaches an overlap with its teacher: gradient flow and one-pass SGD, from a random start.

The flow is exact for every d; its time from overlap m₀ to m is the integral ∫ dm/((1 − m²) g′(m)). SGD is the mean
equation of `dynamics.escape.single_index`, of leading order in d at fixed ηd. From a random start it is known for
k ≤ 2 alone: its time from 1/√d is the leading term, and what noise adds to m while that is small, a Gaussian of
variance ησ²/(2λB), λ the rate of growth, stretches the law of m₀ (derived here, tested by training). For k ≥ 3 noise
and signal balance at η ~ d^{−k/2}, so that SGD takes of the order of d^{k−1} steps: a scaling, no more.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dynamics.errors import ProblemError
from dynamics.escape.closed_forms import law, leading_time
from dynamics.escape.overlap_flow import OverlapFlow
from dynamics.escape.random_start import RandomStart
from dynamics.escape.single_index import SingleIndex
from dynamics.problem import Problem
from dynamics.problem.scope import require
from dynamics.validation import validate_count, validate_real

PROBABILITIES = (0.05, 0.25, 0.5, 0.75, 0.95)
SHOWN = 9  # Hermite coefficients in a result
GRID = 2000  # overlaps at which signal and noise are weighed


@dataclass(frozen=True)
class StartQuantile:
    """A random start that is as fast as a given part of those that reach the overlap.

    Parameters
    ----------
    probability : float
        Part of them that is as fast, or faster.
    overlap_at_start, flow_time : float
    sgd_time : float or None
        That part of the networks trained by SGD is as fast, or faster.
    """

    probability: float
    overlap_at_start: float
    flow_time: float
    sgd_time: float | None


@dataclass(frozen=True, repr=False)
class Escape:
    """Information exponent, escape times, and what they depend on; times are those of the flow.

    Parameters
    ----------
    inputs : int
        d.
    information_exponent : int or None
        k; None if student and teacher share no Hermite polynomial, so that the overlap never moves.
    strength : float
        α_kβ_k.
    overlap, overlap_at_start : float
    flow_time, sgd_time : float or None
        From the one to the other; None where that is never reached or not known: `warnings` says which.
    step : float or None
    batch : int
    leading_time : float or None
        Leading term of the flow time from 1/√d in large d; None where it does not grow, or nothing is reached.
    largest_step : float or None
        Step from which on noise takes more from the mean overlap than signal adds, somewhere between start and end.
    reached : float
        Part of all random starts from which the flow reaches the overlap.
    starts : tuple of StartQuantile
        Random starts: their spread.
    alpha, beta : tuple of float
        First Hermite coefficients of student and teacher.
    warnings : tuple of str
    """

    inputs: int
    information_exponent: int | None
    strength: float
    overlap: float
    overlap_at_start: float
    flow_time: float | None
    sgd_time: float | None
    step: float | None
    batch: int
    leading_time: float | None
    largest_step: float | None
    reached: float
    starts: tuple[StartQuantile, ...]
    alpha: tuple[float, ...]
    beta: tuple[float, ...]
    warnings: tuple[str, ...]

    @property
    def law(self) -> str | None:
        """How the time grows with d, in words; None if nothing is reached."""
        k = self.information_exponent
        return None if k is None or self.strength < 0 else law(k)

    @property
    def sgd_steps(self) -> float | None:
        """The time of SGD in steps."""
        return None if self.sgd_time is None or self.step is None else self.sgd_time / self.step

    def as_dict(self) -> dict[str, Any]:
        """What `quadflow escape --json` prints."""
        return asdict(self) | {"law": self.law, "sgd_steps": self.sgd_steps}

    def summary(self) -> str:
        """Exponent, times and spread, a line each."""
        k = self.information_exponent
        lines = [
            f"information exponent {'none' if k is None else k}"
            + ("" if k is None else f": α_kβ_k = {self.strength:.6g}"),
            f"from overlap {self.overlap_at_start:.4g} to {self.overlap:g} in {self.inputs} dimensions",
            f"flow   {_shown(self.flow_time)}" + ("" if self.law is None else f"  ({self.law})"),
        ]
        if self.step is not None:
            steps = "" if self.sgd_steps is None else f"  ({self.sgd_steps:.5g} steps of {self.step:g})"
            lines.append(f"SGD    {_shown(self.sgd_time)}{steps}")
        if self.largest_step is not None:
            lines.append(f"noise wins from step {self.largest_step:.4g} on, batch {self.batch}")
        if self.starts:
            lines.append(f"{100 * self.reached:.3g} % of all random starts get there; of these, so many within:")
        for start in self.starts:
            sgd = "" if start.sgd_time is None else f"  SGD {start.sgd_time:.5g}"
            lines.append(f"  {100 * start.probability:3.0f} %  flow {start.flow_time:.5g}{sgd}")
        return "\n".join([*lines, *(f"warning: {warning}" for warning in self.warnings)])

    def __repr__(self) -> str:
        return "Escape\n  " + self.summary().replace("\n", "\n  ")


def _shown(time: float | None) -> str:
    return "never, or not known" if time is None else f"{time:.5g}"


def single_index(problem: Problem) -> SingleIndex:
    """Student and teacher of a problem as functions of one Gaussian; the student's weights at norm 1, wherever they point.

    Raises
    ------
    ProblemError
        If it has more than one unit, output or teacher direction, a covariance or weight decay.
    """
    require("escape time", problem)
    a, b = float(problem.student.A[0, 0]), float(problem.teacher.B[0, 0])
    t = float(np.linalg.norm(problem.teacher.V[0]))
    student, teacher = problem.activation, problem.activation
    return SingleIndex(lambda z: a * student.phi(z, 1.0), lambda z: b * teacher.phi(t * z, t * t))


def escape(
    problem: Problem,
    *,
    overlap: float = 0.5,
    overlap_at_start: float | None = None,
    step: float | None = None,
    batch: int = 1,
    label_noise: float = 0.0,
) -> Escape:
    """Time until one unit on the sphere, with a fixed second layer, reaches an overlap with the teacher's direction.

    Parameters
    ----------
    problem : Problem
        One unit, one output, one teacher direction, Σ = I. Of the student's weights the second layer alone counts.
    overlap : float
        m = w·v/(‖w‖‖v‖) that is to be reached; −m counts as well where g is even.
    overlap_at_start : float, optional
        By default 1/√d, the root mean square of a random start.
    step, batch, label_noise
        Of one-pass SGD, see `empirical.train`; without a step the flow alone is followed.

    Raises
    ------
    ProblemError
        If the theory does not cover the problem, or an argument is not usable.
    """
    index, d = single_index(problem), problem.inputs
    m = _overlap("overlap", overlap)
    if m <= 0:
        raise ProblemError(f"`overlap` is {m:g}, but must be positive: an overlap that is to be reached.")
    B = validate_count("batch", batch)
    noise = validate_real("label_noise", label_noise, nonnegative=True)
    eta = None if step is None else validate_real("step", step, positive=True)
    flow = index.flow()
    sgd = None if eta is None else index.sgd(eta, d, B, noise)
    for each in (flow, sgd):
        if each is not None and not each.is_known(m):
            raise ProblemError(
                f"`overlap` is {m:g}, but the Hermite series of these activations ends before: lower it, to 0.9 say."
            )
    m0 = d**-0.5 if overlap_at_start is None else _overlap("overlap_at_start", overlap_at_start)
    m0 = abs(m0) if index.is_even else m0
    if overlap_at_start is not None and m0 >= m:
        raise ProblemError(f"`overlap_at_start` is {m0:g}, but must be below `overlap`, which is {m:g}.")

    k, warnings = index.exponent, []
    if k is None:
        warnings.append(
            "student and teacher share no Hermite polynomial: the overlap never moves, up to order 400"
        )
    flow_time, why = _time(flow, m0, m)
    if why and k is not None:
        warnings.append(f"flow_time is null: {why}")
    sgd_time = None
    if sgd is not None and k is not None:
        if k >= 3 and overlap_at_start is None:
            why = (
                f"from a random start SGD is known for k ≤ 2 alone; for k = {k} only that it takes of the order of "
                f"d^{k - 1} steps, at steps of the order of d^-{k / 2:g}"
            )
        else:
            sgd_time, why = _time(sgd, m0, m)
        if why:
            warnings.append(f"sgd_time is null: {why}")
    elif sgd is None:
        warnings.append("sgd_time is null: no step is given")

    starts: tuple[StartQuantile, ...] = ()
    reached = _reached(flow, RandomStart(d), m, index.is_even)
    if reached:
        starts = _starts(index, flow, sgd if k is not None and k <= 2 else None, d, m, eta, B, noise)
    grows = k is not None and index.strength > 0
    return Escape(
        inputs=d,
        information_exponent=k,
        strength=index.strength,
        overlap=m,
        overlap_at_start=m0,
        flow_time=flow_time,
        sgd_time=sgd_time,
        step=eta,
        batch=B,
        leading_time=leading_time(k, index.strength, d) if grows and k is not None else None,
        largest_step=None if flow_time is None else largest_step(index, d, m0, m, B, noise),
        reached=reached,
        starts=starts,
        alpha=tuple(index.alpha[:SHOWN].tolist()),
        beta=tuple(index.beta[:SHOWN].tolist()),
        warnings=tuple(warnings),
    )


def largest_step(
    index: SingleIndex,
    inputs: int,
    start: float,
    overlap: float,
    batch: int = 1,
    label_noise: float = 0.0,
) -> float | None:
    """Step at which, somewhere between two overlaps, noise takes from the mean what signal adds; None if never."""
    low = max(start, 1e-12)
    if low >= overlap:
        return None
    m = np.geomspace(low, overlap, GRID)
    signal = index.flow().rate(m)
    taken = signal - index.sgd(1.0, inputs, batch, label_noise).rate(m)
    some = taken > 1e-12 * np.abs(taken).max(initial=0.0)
    return float((signal[some] / taken[some]).min()) if some.any() else None


def _overlap(name: str, value: float) -> float:
    m = validate_real(name, value)
    if not -1 < m < 1:
        raise ProblemError(f"`{name}` is {m:g}, but an overlap must lie between −1 and 1.")
    return m


def _time(flow: OverlapFlow, start: float, overlap: float) -> tuple[float | None, str]:
    """Time between two overlaps; None, and the reason, where it is infinite."""
    time = flow.time(start, overlap)
    if np.isfinite(time):
        return time, ""
    return None, f"from overlap {start:.4g} the mean goes to {flow.limit(start):.4g}, not to {overlap:g}"


def _reached(flow: OverlapFlow, law: RandomStart, overlap: float, even: bool) -> float:
    """Part of all random starts that reach the overlap, those included that are there."""
    above = law.above(flow.lowest_start(overlap))
    return 2 * above if even else above


def _starts(
    index: SingleIndex,
    flow: OverlapFlow,
    sgd: OverlapFlow | None,
    d: int,
    overlap: float,
    step: float | None,
    batch: int,
    label_noise: float,
) -> tuple[StartQuantile, ...]:
    """Random starts at the probabilities of the table, and the times that belong to them."""
    sides = 2 if index.is_even else 1
    law = RandomStart(d)
    reached = _reached(flow, law, overlap, index.is_even) / sides
    found = []
    noisy = None
    if sgd is not None and step is not None and sgd.time(law.typical, overlap) < np.inf:
        noisy = RandomStart(d, _stretch(index, sgd, d, step, batch, label_noise))
        noisy_reached = _reached(sgd, noisy, overlap, index.is_even) / sides
    for p in PROBABILITIES:
        m0 = law.quantile_above(p * reached)
        sgd_time = None
        if noisy is not None and sgd is not None:
            sgd_time = sgd.time(noisy.quantile_above(p * noisy_reached), overlap)
        found.append(StartQuantile(p, m0, flow.time(m0, overlap), sgd_time))
    return tuple(found)


def _stretch(
    index: SingleIndex, sgd: OverlapFlow, d: int, step: float, batch: int, label_noise: float
) -> float:
    """√(E m²) of where SGD seems to come from, over that of where it starts: what its noise adds while m is small."""
    if index.exponent != 2:
        return 1.0
    added = step * (index.diffusion + label_noise * index.slope_square) / (2 * float(sgd.coefficients[1]) * batch)
    return float(np.sqrt(1 + d * added))
