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
from dynamics.escape.exit_law import ExitLaw
from dynamics.escape.hermite import ORDERS
from dynamics.escape.overlap_flow import OverlapFlow
from dynamics.escape.random_start import RandomStart, Starts
from dynamics.escape.single_index import SIZES, OnePass, SingleIndex
from dynamics.problem import Problem
from dynamics.problem.scope import require
from dynamics.validation import validate_real

PROBABILITIES = (0.05, 0.25, 0.5, 0.75, 0.95)
SHOWN = 9  # Hermite coefficients in a result
NOTHING_SHARED = (
    f"student and teacher share no Hermite polynomial of orders 1 … {ORDERS}: the overlap never moves"
)
NO_STEP = "no step is given"
SMALLEST = 1e-15  # overlap whose powers neither vanish nor overflow
PATIENT = 2.0


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
        From the one to the other; None where that is never reached or not known.
    step : float or None
    batch : int
    leading_time : float or None
        Leading term of the flow time from 1/√d in large d; None where it does not grow, or nothing is reached.
    largest_step : float or None
        Learning rate η from which on the mean overlap comes to rest on its way from the one overlap to the other: there
        noise takes as much from it as signal adds. Of SGD in batches of B, with this label noise.
    reached : float
        Part of all random starts from which the flow reaches the overlap.
    starts : tuple of StartQuantile
        Random starts: their spread.
    alpha, beta : tuple of float
        First Hermite coefficients of student and teacher.
    flow_reason, sgd_reason : str
        Why a time is None; empty if it is not.
    exit_law : ExitLaw or None
        The law of the time of SGD over starts and data, whose mean and spread it tells; None where it is not known.
    exit_reason : str
        Why it is not.
    threshold_step : float or None
        Learning rate η from which on, for k = 2, the mean overlap does not even grow from 0; None of other k. Without
        label noise, student and teacher alike, it is the ``largest_step``; noisy labels stop large overlaps earlier.
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
    flow_reason: str
    sgd_reason: str
    exit_law: ExitLaw | None = None
    exit_reason: str = ""
    threshold_step: float | None = None

    @property
    def law(self) -> str | None:
        """How the time grows with d, in words; None if nothing is reached."""
        k = self.information_exponent
        return None if k is None or self.strength < 0 else law(k)

    @property
    def sgd_steps(self) -> float | None:
        """The time of SGD in steps."""
        return None if self.sgd_time is None or self.step is None else self.sgd_time / self.step

    @property
    def patience(self) -> float:
        """Time after which a network is given up: `PATIENT` times what the slowest of the table takes.

        Raises
        ------
        ProblemError
            If nothing is ever reached in the flow: then nothing says how long to wait.
        """
        known = [self.flow_time, self.sgd_time]
        known += [time for start in self.starts for time in (start.flow_time, start.sgd_time)]
        longest = max((time for time in known if time is not None), default=0.0)
        if not longest:
            raise ProblemError("No time is predicted, so that nothing says how long to train: give `t_end`.")
        return PATIENT * longest

    def as_dict(self) -> dict[str, Any]:
        """What `quadflow escape --json` prints."""
        numbers = asdict(self) | {"exit_law": None if self.exit_law is None else self.exit_law.to_dict()}
        why = numbers.pop("exit_reason")
        reasons = {name: numbers.pop(f"{name}_reason") for name in ("flow", "sgd")}
        warnings = [f"{name}_time is null: {said}" for name, said in reasons.items() if said]
        warnings += [f"exit_law is null: {why}"] if why else []
        return numbers | {"law": self.law, "sgd_steps": self.sgd_steps, "warnings": warnings}

    def summary(self) -> str:
        """Exponent, times and spread, a line each."""
        k = self.information_exponent
        lines = [
            f"information exponent {'none' if k is None else k}"
            + ("" if k is None else f": α_kβ_k = {self.strength:.6g}"),
            f"from overlap {self.overlap_at_start:.4g} to {self.overlap:g} in {self.inputs} dimensions",
            f"flow   {_shown(self.flow_time, self.flow_reason)}"
            + ("" if self.law is None else f"  ({self.law})"),
        ]
        if self.step is not None:
            steps = "" if self.sgd_steps is None else f"  ({self.sgd_steps:.5g} steps of {self.step:g})"
            lines.append(f"SGD    {_shown(self.sgd_time, self.sgd_reason)}{steps}")
        if self.step is not None:
            lines.append(
                f"law    no law: {self.exit_reason}"
                if self.exit_law is None
                else f"law    {self.exit_law.summary()}"
            )
        if self.threshold_step is not None:
            lines.append(
                f"the mean of SGD does not grow from overlap 0 from step η = {self.threshold_step:.4g} on "
                f"(batch {self.batch})"
            )
        if self.largest_step is not None:
            lines.append(
                f"the mean of SGD rests before overlap {self.overlap:g} from step η = {self.largest_step:.4g} on "
                f"(batch {self.batch})"
            )
        if self.starts:
            lines.append(
                f"{100 * self.reached:.3g} % of all random starts get there by the flow; of these, so many within:"
            )
        for start in self.starts:
            sgd = "" if start.sgd_time is None else f"  SGD {start.sgd_time:.5g}"
            lines.append(f"  {100 * start.probability:3.0f} %  flow {start.flow_time:.5g}{sgd}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return "Escape\n  " + self.summary().replace("\n", "\n  ")


def _shown(time: float | None, why: str) -> str:
    return f"no time: {why}" if time is None else f"{time:.5g}"


def single_index(problem: Problem) -> SingleIndex:
    """Student and teacher of a problem as functions of one Gaussian, the student's weights at norm 1.

    Raises
    ------
    ProblemError
        If it has more than one unit, output or teacher direction, a covariance or weight decay.
    """
    require("escape time", problem)
    a, b = float(problem.student.A[0, 0]), float(problem.teacher.B[0, 0])
    if a:
        validate_real("second_layer_value", a, size=SIZES)
    t = float(np.linalg.norm(problem.teacher.V[0]))
    student, teacher = problem.activation, problem.teacher_activation
    return SingleIndex(lambda z: a * student.phi(z, 1.0), lambda z: b * teacher.phi(t * z, t * t))


def escape_time(
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
    index, d, m = single_index(problem), problem.inputs, validate_overlap(overlap)
    m0 = _start(index, d, overlap_at_start, m)
    how = OnePass(1.0 if step is None else step, batch, label_noise)
    flow, sgd = index.flow(), None if step is None else index.sgd(how, d)
    require_known(m, flow, sgd)
    k = index.exponent
    flow_time, flow_reason = _time("the flow", flow, m0, m) if k is not None else (None, NOTHING_SHARED)
    if flow_reason and index.strength < 0:
        flow_reason = f"α_kβ_k is negative, and {flow_reason}"
    sgd_time, sgd_reason = None, NO_STEP
    if sgd is not None:
        sgd_time, sgd_reason = _sgd_time(sgd, k, m0, m, from_random=overlap_at_start is None)
    stretch = None if sgd is None or sgd_time is None else index.stretch(how, d)
    law, why = None, ""
    if sgd is not None:
        law = index.exit_law(how, d, m, None if overlap_at_start is None else m0)
        why = "" if law is not None else _no_law(k)
    return Escape(
        inputs=d,
        information_exponent=k,
        strength=index.strength,
        overlap=m,
        overlap_at_start=m0,
        flow_time=flow_time,
        sgd_time=sgd_time,
        step=step,
        batch=batch,
        leading_time=leading_time(k, index.strength, d) if k is not None and index.strength > 0 else None,
        largest_step=None if flow_time is None else index.largest_step(d, m0, m, batch, label_noise),
        reached=Starts(flow, RandomStart(d), m, index.is_even).reached,
        starts=_quantiles(
            Starts(flow, RandomStart(d), m, index.is_even),
            None
            if sgd is None or stretch is None
            else Starts(sgd, RandomStart(d, stretch), m, index.is_even),
        ),
        alpha=tuple(index.alpha[:SHOWN].tolist()),
        beta=tuple(index.beta[:SHOWN].tolist()),
        flow_reason=flow_reason,
        sgd_reason=sgd_reason,
        exit_law=law,
        exit_reason=why,
        threshold_step=index.threshold_step(d, batch, label_noise),
    )


def _no_law(exponent: int | None) -> str:
    """Why the time of SGD has no known law."""
    if exponent is None:
        return NOTHING_SHARED
    if exponent == 2:
        return "from m = 0 the mean overlap does not grow up to the one that is to be reached"
    return f"it is known for the information exponent 2 alone, and k = {exponent}"


def require_known(overlap: float, *flows: OverlapFlow | None) -> None:
    """Refuse an overlap up to which the series of a flow is not known."""
    if not all(flow is None or flow.is_known(overlap) for flow in flows):
        raise ProblemError(
            f"`overlap` is {overlap:g}, but the Hermite series of these activations ends before: "
            "lower it, to 0.9 say."
        )


def validate_overlap(overlap: float) -> float:
    """An overlap that is to be reached, between 0 and 1."""
    m = _overlap("overlap", overlap)
    if m <= 0:
        raise ProblemError(f"`overlap` is {m:g}, but must be positive: an overlap that is to be reached.")
    return m


def _overlap(name: str, value: float) -> float:
    m = validate_real(name, value)
    if not -1 < m < 1:
        raise ProblemError(f"`{name}` is {m:g}, but an overlap must lie strictly between −1 and 1.")
    if 0 < abs(m) < SMALLEST:
        raise ProblemError(f"`{name}` is {m:g}, but must be 0 or at least {SMALLEST:g} in size.")
    return m


def _sgd_time(
    sgd: OverlapFlow, exponent: int | None, start: float, overlap: float, *, from_random: bool
) -> tuple[float | None, str]:
    """Time of the mean of SGD between two overlaps; None, and the reason, where there is none."""
    k = exponent
    if k is None:
        return None, NOTHING_SHARED
    if k >= 3 and from_random:
        return None, (
            f"from a random start SGD is known for k ≤ 2 alone; for k = {k} only that it takes of the order of "
            f"d^{k - 1} steps, at steps of the order of d^-{k / 2:g}"
        )
    return _time("the mean of SGD", sgd, start, overlap)


def _time(subject: str, flow: OverlapFlow, start: float, overlap: float) -> tuple[float | None, str]:
    """Time between two overlaps; None, and the reason, where it is infinite."""
    time = flow.time(start, overlap)
    if np.isfinite(time):
        return time, ""
    return None, f"from overlap {start:.4g} {subject} goes to {flow.limit(start):.4g}, not to {overlap:g}"


def _quantiles(flow: Starts, sgd: Starts | None) -> tuple[StartQuantile, ...]:
    """Random starts at the probabilities of the table; none where no start that is not there moves there."""
    if flow.flow.lowest_start(flow.overlap) == flow.overlap:
        return ()
    return tuple(
        StartQuantile(p, flow.fastest(p), flow.time(p), None if sgd is None else sgd.time(p))
        for p in PROBABILITIES
    )


def _start(index: SingleIndex, inputs: int, given: float | None, overlap: float) -> float:
    """Overlap at the start: as given, or 1/√d; its size where m and −m are alike."""
    m0 = inputs**-0.5 if given is None else _overlap("overlap_at_start", given)
    m0 = abs(m0) if index.is_even else m0
    if given is not None and m0 >= overlap:
        raise ProblemError(
            f"`overlap_at_start` is {m0:g}, but must be below `overlap`, which is {overlap:g}."
        )
    return m0
