"""Why trained networks differ from the gradient flow: corrections switched on one after the other.

Four curves of the mean loss, each with one more effect of real training in it:

1. the gradient flow;
2. a finite step: the modified flow (`dynamics.flows.modified`);
3. finite data: the modified flow on the very data set of each network (`dynamics.flows.finite_data`);
4. sampling noise: the mean over seeds of SGD on fresh samples (`dynamics.sgd.fluctuations`, finite step included).

The differences between neighbours are the parts of the gap, measured minus the last curve is the remainder. A part
for which there is no theory (which ones, `Gap.sources` says) is measured instead, by training without the effect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import takewhile
from typing import Annotated, Any

import numpy as np
import torch
from tqdm import tqdm

from dynamics.aliases import Array
from dynamics.curves.result import Result
from dynamics.curves.variables import LOSS_UNIT, TIME_UNIT, Meaning, Variable, Variables
from dynamics.errors import IntegrationError, ProblemError
from dynamics.flows.finite_data import FiniteDataFlow
from dynamics.flows.gradient import GradientFlow
from dynamics.flows.modified import ModifiedFlow
from dynamics.problem import Problem
from dynamics.problem.scope import THEORIES
from dynamics.schedules import CONSTANT, Schedule
from dynamics.sgd.fluctuations import FluctuatingSGD
from dynamics.sgd.trajectory import SGDTrajectory
from empirical.data import GaussianData
from empirical.descent import descent_loss
from empirical.optimizers import find_optimizer
from empirical.optimizers.base import Chosen
from empirical.recorder import TrainingRun
from empirical.theories import one_pass_theory

LARGEST = {  # what `Gap.largest` gives
    "discretisation": "largest part of the deviation due to the finite step (relative)",
    "finite_data": "largest part of the deviation due to finite data (relative)",
    "sampling_noise": "largest part of the deviation due to sampling noise (relative)",
    "remainder": "largest part of the deviation that no cause explains (relative)",
    "error_bar": "error bar where the remainder is largest (relative)",
    "total": "largest deviation of the loss from the flow (relative)",
}
GRADIENT_FLOW = "gradient flow"
PARTS = ("discretisation", "finite_data", "sampling_noise", "remainder")
SPREAD_RTOL = 1e-5  # of a correction that is itself of leading order only
LONGEST_MODIFIED = 30_000  # evaluations after which the modified flow is given up


@dataclass(frozen=True, eq=False, repr=False)
class Gap(Result):
    """Curves of the mean loss, from the gradient flow to the measurement, each (T,).

    Parameters
    ----------
    times : (T,) array
        Times of the theory.
    flow, discretised, on_data, with_noise : (T,) arrays
        Gradient flow; with a finite step; on the networks' own data; with sampling noise.
    measured : (T,) array
        Mean over the trained networks.
    standard_error : (T,) array
        Of the measured mean about the theory, over networks; NaN for a single one whose spread is not predicted.
    truncation : (T,) array
        What the modified flow leaves out, O(η²): its distance from gradient descent on the population loss.
    spread : (T,) array or None
        Predicted standard deviation over networks, where there is a theory of it.
    sources : dict
        For each part, how its curve was computed.
    """

    KIND = "gap"

    times: Annotated[Array, Meaning("time", "time", TIME_UNIT, label=True, detail=True)]
    flow: Annotated[Array, Meaning("time", "loss of the gradient flow", LOSS_UNIT)]
    discretised: Annotated[Array, Meaning("time", "loss with a finite step", LOSS_UNIT)]
    on_data: Annotated[Array, Meaning("time", "loss on the networks' own data", LOSS_UNIT)]
    with_noise: Annotated[Array, Meaning("time", "loss with sampling noise", LOSS_UNIT)]
    measured: Annotated[Array, Meaning("time", "loss, mean over networks", LOSS_UNIT)]
    standard_error: Annotated[Array, Meaning("time", "standard error of that mean", LOSS_UNIT, detail=True)]
    truncation: Annotated[Array, Meaning("time", "what the modified flow leaves out", LOSS_UNIT, detail=True)]
    spread: Annotated[
        Array | None, Meaning("time", "predicted standard deviation over networks", LOSS_UNIT, detail=True)
    ]
    sources: dict[str, str]

    def variables(self) -> Variables:
        """The curves, and the error bar of what remains."""
        bar = Variable(("time",), self.error_bar, "error bar of the remainder", LOSS_UNIT)
        return super().variables() | {"error_bar": bar}

    @property
    def discretisation(self) -> Array:
        """Effect of the finite step, (T,)."""
        return self.discretised - self.flow

    @property
    def finite_data(self) -> Array:
        """Effect of the finite data sets, mean over networks, (T,)."""
        return self.on_data - self.discretised

    @property
    def sampling_noise(self) -> Array:
        """Effect of drawing batches, mean over networks, (T,)."""
        return self.with_noise - self.on_data

    @property
    def remainder(self) -> Array:
        """What no correction explains, (T,)."""
        return self.measured - self.with_noise

    @property
    def total(self) -> Array:
        """Measured loss minus the flow's: the sum of the four parts, (T,)."""
        return self.measured - self.flow

    @property
    def error_bar(self) -> Array:
        """Two standard errors plus the truncation, (T,): what the remainder should stay within."""
        return 2 * self.standard_error + self.truncation

    def largest(self, scale: float = 1.0) -> dict[str, float]:
        """Largest absolute value of each part and of the total over the run, in units of `scale`.

        ``error_bar`` is the one at the time of the largest remainder.
        """
        found = {name: float(np.abs(getattr(self, name)).max() / scale) for name in (*PARTS, "total")}
        worst = int(np.abs(self.remainder).argmax())
        return found | {"error_bar": float(self.error_bar[worst] / scale)}

    def summary(self, scale: float | None = None) -> str:
        """The parts at the time of the largest difference, and the remainder against its error bar.

        In per cent of `scale`, by default of the initial loss; as they are if that is NaN.
        """
        first = self.flow[0] if scale is None else scale
        relative = bool(first > 0)
        unit = first if relative else 1.0

        def show(value: float, sign: str = "+") -> str:
            return f"{value / unit:{sign}.2%}" if relative else f"{value:{sign}.3g}"

        n = int(np.abs(self.total).argmax())
        parts = ", ".join(f"{name.replace('_', ' ')} {show(getattr(self, name)[n])}" for name in PARTS)
        largest = self.largest()
        bar = largest["error_bar"]
        known = (
            f"error bar there {show(bar, '')}" if np.isfinite(bar) else "error bar unknown for one network"
        )
        flow, t = self.sources.get("flow", GRADIENT_FLOW), self.times[n]
        return (
            f"mean loss minus {flow}, at its largest, t = {t:.4g}: {show(self.total[n])}\n"
            f"  = {parts}\n"
            f"largest remainder {show(largest['remainder'], '')}, {known}"
        )


@dataclass(frozen=True)
class Practice:
    """How the networks of a run were trained, as far as the corrections depend on it.

    Parameters
    ----------
    step, momentum, batch, samples, label_noise, seeds, seed, optimizer, steps, schedule
        As for `empirical.training.train`.
    betas, epsilon, damping, decoupled
        Likewise; None is what the optimiser has by default.
    """

    step: float
    momentum: float
    batch: int
    samples: int
    label_noise: float
    seeds: int
    seed: int
    optimizer: str = "sgd"
    steps: int | None = None
    schedule: Schedule = CONSTANT
    betas: Sequence[float] | None = None
    epsilon: float | None = None
    damping: float | None = None
    decoupled: bool | None = None

    @classmethod
    def of(cls, run: TrainingRun, schedule: Schedule | None = None) -> Practice:
        """Read off what a run recorded about itself; its schedule where that has no name.

        What its optimiser does not take is not there.
        """
        said = {name: run.about[name] for name in cls.__dataclass_fields__ if name in run.about}
        return cls(**said | {"schedule": schedule or Schedule.of(said.get("schedule", CONSTANT))})

    @property
    def chosen(self) -> Chosen:
        """The optimiser with its parameters."""
        entry = find_optimizer(self.optimizer)
        settings = entry.choose(self.momentum, self.betas, self.epsilon, self.damping, self.decoupled)
        return Chosen(entry, settings, self.step, self.schedule, self.steps)

    @property
    def rates(self) -> dict[str, Any]:
        """What every theory of a schedule takes."""
        return {"schedule": self.schedule, "steps": self.steps}

    @property
    def whole_set(self) -> bool:
        """Whether every step uses all of the data."""
        return self.samples > 0 and self.batch in (0, self.samples)

    def followed_by(self, theory: str) -> bool:
        """Whether a theory follows the optimiser."""
        return theory in find_optimizer(self.optimizer).theories


def explain_gap(
    problem: Problem,
    run: TrainingRun,
    flow: Array,
    whole_set_losses: Callable[[], Array],
    *,
    schedule: Schedule | None = None,
    by: str = "theory",
    max_evaluations: int | None = None,
    flow_name: str = GRADIENT_FLOW,
    progress: bool = False,
) -> Gap:
    """Account for the difference between a training run and the flow that it follows as its step goes to zero.

    Parameters
    ----------
    problem : Problem
    run : TrainingRun
        Of `empirical.train`.
    flow : (T,) array
        Loss of that flow at the records of the run: of the gradient flow where the optimiser is gradient descent.
    whole_set_losses : callable
        Trains the same networks with their whole data sets in every step, and returns their losses (S, T);
        called only where mini-batches are drawn from finite sets.
    schedule : Schedule, optional
        That of the run; by default the one that it names.
    by : {"theory", "training"}
        Theory curves, or descents without the effect for all parts (nothing remains then).
    max_evaluations : int, optional
        Give up the modified flow after so many evaluations, or after `LONGEST_MODIFIED`: gradient descent on the
        population loss takes its place.
    flow_name : str
        What the flow is called where it is printed.
    progress : bool
        Show progress bars on standard error if that is a terminal.
    """
    practice = Practice.of(run, schedule)
    times, chosen = run.times, practice.chosen
    descent = descent_loss(problem, chosen, run.steps)
    plain = GradientFlow(chosen.minimised(problem))
    use_theory = by == "theory"
    whole_set_losses = cache(whole_set_losses)  # two parts may need them: train once
    longest = LONGEST_MODIFIED if max_evaluations is None else min(LONGEST_MODIFIED, max_evaluations)
    modified = partial(_modified_loss, practice=practice, times=times, longest=longest)
    discretised = modified(plain, progress=progress) if use_theory else None
    sources = {"discretisation": "modified flow"}
    if discretised is None:
        name = "gradient descent" if chosen.entry.adds_up else f"descent by {chosen.entry.name}"
        discretised, sources["discretisation"] = descent, f"{name} on the population loss"
    on_data, sources["finite_data"] = _on_data(
        problem, practice, modified, discretised, run.loss, whole_set_losses, use_theory, progress
    )
    with_noise, spread, sources["sampling_noise"] = _with_noise(
        problem, practice, run, on_data, descent, whole_set_losses, use_theory, progress
    )
    return Gap(
        times,
        flow,
        discretised,
        on_data.mean(axis=0),
        with_noise,
        run.loss.mean(axis=0),
        _standard_error(run.loss - on_data, spread, practice),
        np.abs(descent - discretised),
        spread,
        sources if flow_name == GRADIENT_FLOW else {"flow": flow_name} | sources,
    )


def _on_data(
    problem: Problem,
    practice: Practice,
    modified: Callable[[GradientFlow], Array | None],
    discretised: Array,
    measured: Array,
    whole_set_losses: Callable[[], Array],
    use_theory: bool,
    progress: bool,
) -> tuple[Array, str]:
    """Curves on the networks' own data sets, (S, T), and how they were computed; (1, T) with fresh data."""
    if practice.samples == 0:
        return discretised[None], "none: fresh samples in every step"
    if use_theory and not THEORIES["data flow"].gap(problem):
        X, Y = data_sets(problem, practice)
        bar = tqdm(X, desc="flows on the data", leave=False, disable=None if progress else True)
        flows = (FiniteDataFlow(problem, x, y) for x, y in zip(bar, Y, strict=True))
        curves = list(
            takewhile(lambda curve: curve is not None, map(modified, flows))
        )  # none: no need of more
        if len(curves) == len(X):
            return np.array(curves), "modified flow on each network's data set"
    whole = measured if practice.whole_set else whole_set_losses()
    return whole, "training on the whole data sets"


def _with_noise(
    problem: Problem,
    practice: Practice,
    run: TrainingRun,
    on_data: Array,
    descent: Array,
    whole_set_losses: Callable[[], Array],
    use_theory: bool,
    progress: bool,
) -> tuple[Array, Array | None, str]:
    """Mean curve with sampling noise (T,), its predicted spread, and how they were computed."""
    mean = on_data.mean(axis=0)
    if practice.whole_set:
        return mean, None, "none: the whole data set in every step"
    theory = sgd_theory(problem, practice, run.times, progress) if use_theory else None
    why = ""
    if theory is not None and not fluctuations_are_small(theory):
        theory, why = None, ": the fluctuations are too large for their theory"
    if theory is not None:
        name = "mean SGD dynamics" + ("" if theory.loss_std is None else " with fluctuations")
        return theory.loss, theory.loss_std, name
    without = whole_set_losses().mean(axis=0) if practice.samples else descent
    return mean + run.loss.mean(axis=0) - without, None, "training with and without it" + why


def fluctuations_are_small(theory: SGDTrajectory) -> bool:
    """Whether what the fluctuations do to the mean loss is a correction, as their expansion assumes.

    Not if it is more than half of the loss without them (and visible, 1 ‰ of the initial loss): in the escape
    from a saddle, for instance, which is early for one network and late for the next.
    """
    correction = np.abs(theory.loss - theory.mean_field_loss)
    return bool((correction <= theory.mean_field_loss / 2 + 1e-3 * theory.loss[0]).all())


def sgd_theory(
    problem: Problem, practice: Practice, times: Array, progress: bool = False
) -> SGDTrajectory | None:
    """Theory of one-pass SGD at given times, with the spread over seeds for small networks; None where there is none.

    There is none for momentum, mini-batches of a finite set, correlated inputs, other activations than quadratic
    ones, and where it diverges.
    """
    if practice.momentum or practice.samples or not practice.followed_by("sgd"):
        return None
    try:
        theory = one_pass_theory(
            problem, practice.step, practice.batch, practice.label_noise, **practice.rates
        )
        rtol = SPREAD_RTOL if isinstance(theory, FluctuatingSGD) else None
        return theory.integrate(times=times, rtol=rtol, progress=progress)
    except (ProblemError, IntegrationError):
        return None


def _modified_loss(
    flow: GradientFlow, practice: Practice, times: Array, longest: int, progress: bool = False
) -> Array | None:
    """Loss of the modified flow at the given times; None if the step is too large for it, or the flow too stiff.

    None also where the modified flow does not follow the optimiser, or its weight decay.
    """
    chosen = practice.chosen
    alone = chosen.settings.decoupled and practice.momentum and flow.problem.weight_decay
    if alone or not practice.followed_by("modified"):
        return None
    try:
        modified = ModifiedFlow(
            flow, practice.step, practice.momentum, **practice.rates, form=chosen.entry.form
        )
        return modified.integrate(times=times, max_evaluations=longest, progress=progress).loss
    except IntegrationError:
        return None


def _standard_error(deviations: Array, spread: Array | None, practice: Practice) -> Array:
    """Standard error of the mean over S networks: the larger of the measured and the predicted one, (T,)."""
    S = len(deviations)
    predicted = np.zeros(deviations.shape[1]) if spread is None else spread / np.sqrt(S)
    if S == 1:
        known = practice.whole_set or spread is not None
        return predicted if known else np.full_like(predicted, np.nan)
    return np.maximum(deviations.std(axis=0, ddof=1) / np.sqrt(S), predicted)


def data_sets(problem: Problem, practice: Practice) -> tuple[Array, Array]:
    """The finite data sets of the networks, X (S, N, d) and Y (S, N, O)."""
    data = GaussianData(problem, 0, practice.samples, practice.label_noise, practice.seeds, practice.seed)
    X, Y = next(data.batches(torch.float64, "cpu"))
    return X.numpy(), Y.numpy()
