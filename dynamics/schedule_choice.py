"""Which learning-rate schedule is the best: each at its best rate, and for one unit what no schedule can beat.

One unit near its fit: the exact map of `dynamics.closed_forms.one_unit_sgd`, with the annealing law and optimal control
of `dynamics.closed_forms.annealing`. Other problems: the mean dynamics of SGD from the initial weights, in which the
search for the best rate of each schedule is numerical, and where no optimal schedule is known.

No rate is tried beyond half of the largest stable step of SGD, at which the mean loss falls fastest near the minimum.
Elsewhere the mean may fall faster with a larger one, but single runs diverge: of 64 networks (two units, d = 50,
batch 4, 3000 steps) none did at half of the stable step, one at three quarters of it, and 35 at the step itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from dynamics.aliases import Array
from dynamics.closed_forms.annealing import SAFE, annealed_rates, largest_rate, optimal_rates
from dynamics.closed_forms.one_unit_sgd import OneUnitSGD, one_unit_largest_step
from dynamics.errors import ComputationError, ProblemError
from dynamics.flows.gradient import GradientFlow
from dynamics.problem import Problem, Student
from dynamics.problem.scope import THEORIES, require
from dynamics.schedules import FAMILIES, Schedule
from dynamics.schedules.best_rates import best_rates
from dynamics.sgd.mean_sgd import MeanSGD
from dynamics.sgd.recursion import final_losses, mean_losses
from dynamics.stability import StableSteps, largest_stable_sgd_step, stable_steps
from dynamics.validation import validate_count, validate_label_noise, validate_momentum, validate_real
from dynamics.words import counted

AT_BOUND = 0.999  # of that: a best rate that is limited by it
LAW_LOSES = (
    0.1  # of the risk of optimal control, or of what that gains: what the law may lose without a warning
)
LONGEST_FLOW = 20_000  # evaluations after which the path along which steps are stable counts as complete
DIRECTION = "all across the teacher's direction"
LAW, CONTROL = "optimal", "control"


@dataclass(frozen=True)
class Choice:
    """A schedule at its best rate.

    Parameters
    ----------
    name : str
    best_rate : float
        η.
    predicted_risk : float
        Mean loss after the last step.
    gain : float
        Risk of the constant rate at its best, in units of this risk.
    at_bound : bool
        Whether the rate is half of the largest stable step, where the search ends: a bound, no minimum.
    """

    name: str
    best_rate: float
    predicted_risk: float
    gain: float
    at_bound: bool


@dataclass(frozen=True, eq=False)
class ScheduleChoice:
    """Schedules of a run of N steps, each at its best rate.

    Parameters
    ----------
    problem : Problem
        With the weights from which runs start.
    steps, batch, label_noise
        N, B and Δ.
    schedules : tuple of Choice
    unit : OneUnitSGD or None
        One unit near its fit, for which everything is exact to leading order in the noise.
    start_risk : float or None
        Its risk at the start.
    optimal_rates, control_rates : (N,) array or None
        Rates of the annealing law, none above half of the largest stable step, and of optimal control.
    largest_stable_step : float or None
        Beyond which one-pass SGD cannot stay at the minimum, in the mean square.
    stable_steps : dict
        Largest stable steps of full-batch descents, at the start and along the path of the gradient flow.
    warnings : tuple of str
    """

    problem: Problem
    steps: int
    batch: int
    label_noise: float
    schedules: tuple[Choice, ...]
    unit: OneUnitSGD | None
    start_risk: float | None
    optimal_rates: Array | None
    control_rates: Array | None
    largest_stable_step: float | None
    stable_steps: dict[str, StableSteps]
    warnings: tuple[str, ...] = ()

    def rates(self, name: str) -> Array:
        """Learning rates of a schedule at its best, of the law ("optimal") or of optimal control ("control"), (N,)."""
        found = {LAW: self.optimal_rates, CONTROL: self.control_rates}.get(name)
        if found is not None:
            return found
        for choice in self.schedules:
            if choice.name == name:
                return choice.best_rate * Schedule.parse(name).factors(self.steps)
        raise ProblemError(f"`schedule` {name} is not among those that were asked for.")

    def risks(self, name: str) -> Array:
        """Predicted mean loss before every step and after the last one, (N + 1,)."""
        rates = self.rates(name)
        if self.unit is not None:
            assert self.start_risk is not None
            return self.unit.risks(rates, self.start_risk)
        return mean_losses(MeanSGD(self.problem, float(rates.max()), self.batch, self.label_noise), rates)

    @property
    def names(self) -> tuple[str, ...]:
        """Schedules, and the law where it is known."""
        return (*(choice.name for choice in self.schedules), *((LAW,) if self.unit is not None else ()))

    def as_dict(self) -> dict[str, Any]:
        """What `quadflow schedule --json` prints."""
        optimal = None
        if self.optimal_rates is not None:
            optimal = {
                "rates": self.optimal_rates,
                "predicted_risk": float(self.risks(LAW)[-1]),
                "control_risk": float(self.risks(CONTROL)[-1]),
            }
        return {
            "schedules": [asdict(choice) for choice in self.schedules],
            "optimal": optimal,
            "largest_stable_step": self.largest_stable_step,
            "stable_steps": {name: asdict(steps) for name, steps in self.stable_steps.items()},
            "start_risk": self.start_risk,
            "warnings": list(self.warnings),
        }

    def summary(self) -> str:
        """A table: every schedule, its best rate, what it leaves of the risk, its gain over a constant rate."""
        about = f"{counted(self.steps, 'step')}, batch {self.batch}, label noise {self.label_noise:g}"
        start = "" if self.start_risk is None else f", risk {self.start_risk:g} at the start, {DIRECTION}"
        lines = [about + start, "gain: risk of the constant rate, over that of the schedule"]
        for choice in self.schedules:
            lines.append(
                f"{choice.name:16} best rate {choice.best_rate:.4g}  risk {choice.predicted_risk:.5g}  "
                f"gain {choice.gain:.3g}" + ("  (rate at the bound of the search)" if choice.at_bound else "")
            )
        if self.unit is not None:
            law, control = (float(self.risks(name)[-1]) for name in (LAW, CONTROL))
            lines.append(
                f"{'annealing law':16} risk {law:.5g}; from there no schedule can do better than {control:.5g}"
            )
        if self.largest_stable_step is not None:
            lines.append(f"largest stable step of SGD {self.largest_stable_step:.4g}")
        for name, steps in self.stable_steps.items():
            start, path = ("any" if x is None else f"{x:.4g}" for x in (steps.start, steps.path))
            lines.append(f"largest stable step of {name}: {start} at the start, {path} along the path")
        return "\n".join([*lines, *(f"warning: {warning}" for warning in self.warnings)])

    def __repr__(self) -> str:
        return "ScheduleChoice\n  " + self.summary().replace("\n", "\n  ")


def choose_schedule(
    problem: Problem,
    steps: int,
    *,
    batch: int = 1,
    label_noise: float = 0.0,
    schedules: Sequence[str] = tuple(FAMILIES),
    start_risk: float = 0.012,
    momentum: float = 0.9,
    progress: bool = False,
) -> ScheduleChoice:
    """The best rate of every schedule, and what it leaves of the mean loss after so many steps of SGD.

    Parameters
    ----------
    problem : Problem
        One unit with a fixed second layer and one teacher mode is taken near its fit, at the risk r₀ = `start_risk`,
        wherever its weights are; every other problem starts from its weights.
    steps : int
        N.
    batch, label_noise
        B and Δ, of fresh samples in every step.
    schedules : sequence of str
        Names with parameters, see `dynamics.schedules.Schedule.parse`.
    start_risk : float
        r₀, half of it Q: a deviation across the teacher's direction alone.
    momentum : float
        β of the full-batch descents whose stable steps are reported.
    progress : bool
        Show progress bars on standard error if that is a terminal.

    Raises
    ------
    ProblemError
        If an argument is not usable, or SGD on the problem has no mean dynamics.

    Examples
    --------
    >>> from dynamics import Problem, Student, Teacher
    >>> unit = Student([[1.0] + [0.0] * 29], [1.0], trainable=False)
    >>> problem = Problem(Teacher.from_eigenvalues([1.0], 30), unit)
    >>> found = choose_schedule(problem, 2000, label_noise=0.5, schedules=["linear"])
    >>> f"{found.risks('optimal')[-1]:.6f} {found.schedules[0].predicted_risk:.6f}"
    '0.003130 0.003427'
    """
    require("mean SGD", problem)
    require("best rates", problem)
    N, B = validate_count("steps", steps), validate_count("batch", batch)
    Delta, beta = validate_label_noise(label_noise), validate_momentum(momentum)
    r0 = validate_real("start_risk", start_risk, positive=True)
    chosen = [Schedule.parse(name) for name in dict.fromkeys(["constant", *schedules])]
    factors = np.array([schedule.factors(N) for schedule in chosen])
    why = THEORIES["annealing"].gap(problem)
    unit = None if why else _unit(problem, Delta, B)
    if unit is not None:
        problem = near_fit(problem, r0)
        largest: float | None = one_unit_largest_step(
            problem.inputs, batch=B, eigenvalue=unit.eigenvalue, a=unit.a
        )
        law = annealed_rates(unit, N, r0, largest_rate(unit))
        control = optimal_rates(unit, N, r0)
    warnings = [f"the optimal schedule is not known: {why}"] if unit is None else _law(unit, law, control, r0)
    flow = GradientFlow(problem)
    path = flow.integrate(max_evaluations=LONGEST_FLOW, throw=False)
    full_batch = stable_steps(flow, path, beta)
    if unit is None:
        largest = None
        try:
            largest = largest_stable_sgd_step(problem, B)
        except ComputationError as reason:
            warnings.append(f"the largest stable step of SGD is not known: {reason}")
    final = _final(problem, unit, B, Delta, factors, r0, progress)
    bound = largest or full_batch["gradient descent"].path
    if bound is None:
        raise ProblemError(
            "Nothing curves upwards along the path of the flow, so no learning rate is too large."
        )
    rates, risks = best_rates(final, len(chosen), SAFE * bound)
    at_bound = rates > AT_BOUND * SAFE * bound
    limited = [s.name for s, at in zip(chosen, at_bound, strict=True) if at]
    if limited:
        warnings.append(
            f"the best rate of {', '.join(limited)} is half of the largest stable step, where the search ends: more "
            "steps, or a larger batch, make another one the best"
        )
    found = {
        s.name: Choice(s.name, float(rate), float(risk), float(risks[0] / risk), bool(at))
        for s, rate, risk, at in zip(chosen, rates, risks, at_bound, strict=True)
    }
    wanted = dict.fromkeys(Schedule.parse(name).name for name in schedules)
    return ScheduleChoice(
        problem,
        N,
        B,
        Delta,
        tuple(found[name] for name in wanted),
        unit,
        None if unit is None else r0,
        None if unit is None else law,
        None if unit is None else control,
        largest,
        full_batch,
        tuple(warnings),
    )


def _unit(problem: Problem, label_noise: float, batch: int) -> OneUnitSGD:
    """The problem as one unit."""
    eigenvalue, _ = _mode(problem)
    return OneUnitSGD(problem.inputs, label_noise, batch, eigenvalue, float(problem.student.A[0, 0]))


def _law(unit: OneUnitSGD, law: Array, control: Array, start_risk: float) -> list[str]:
    """Where the annealing law, which is of many inputs and long runs, is none here."""
    found, highest = [], largest_rate(unit)
    capped = int((law >= AT_BOUND * highest).sum())
    if capped:
        found.append(
            f"the annealing law is capped at half of the largest stable step, {highest:.4g}, in {capped} of "
            f"{counted(len(law), 'step')}"
        )
    risk, least = (float(unit.risks(rates, start_risk)[-1]) for rates in (law, control))
    if risk - least > LAW_LOSES * min(least, start_risk - least):
        found.append(
            f"the annealing law is one of many inputs and long runs: here it leaves {risk / least:.3g} times the risk "
            "that optimal control leaves"
        )
    return found


def _mode(problem: Problem) -> tuple[float, Array]:
    """The only eigenvalue λ of the teacher, and its eigenvector (d,)."""
    values, vectors = problem.teacher.eigen[0]
    return float(values[0]), vectors[0]


def near_fit(problem: Problem, start_risk: float) -> Problem:
    """One unit at its fit √(λ/a) v and a deviation across v, whose mean loss is r₀ to leading order."""
    eigenvalue, v = _mode(problem)
    a = float(problem.student.A[0, 0])
    fit = np.sqrt(eigenvalue / a) * v
    across = np.linalg.svd(v[None])[2][-1]
    w = fit + np.sqrt(start_risk / 2 / (a * eigenvalue)) * across
    return Problem(problem.teacher, Student(w[None], np.array([a]), trainable=False), problem.activation)


def _final(
    problem: Problem,
    unit: OneUnitSGD | None,
    batch: int,
    label_noise: float,
    factors: Array,
    start_risk: float,
    progress: bool,
) -> Callable[[Array], Array]:
    """Risks after the run of schedules with `factors` (F, N), as a function of rates (F, G)."""
    if unit is not None:
        return partial(unit.final_risks, factors, start_risk=start_risk)
    return partial(final_losses, MeanSGD(problem, 1.0, batch, label_noise), factors, progress=progress)
