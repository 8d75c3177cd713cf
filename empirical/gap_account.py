"""Why trained networks differ from the gradient flow: corrections switched on one after the other.

The four curves of `empirical.gap.Gap`, each with one more effect of real training in it:

1. the gradient flow;
2. a finite step: the modified flow (`dynamics.flows.modified`);
3. finite data: the modified flow on the very data set of each network (`dynamics.flows.finite_data`); where the
   problem is one on a data set, all of the theory is;
4. sampling noise: the mean over seeds of SGD on fresh samples (`dynamics.sgd.fluctuations`, finite step included).

The differences between neighbours are the parts of the gap, measured minus the last curve is the remainder. A part
for which there is no theory (which ones, `Gap.sources` says) is measured instead, by training without the effect.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from itertools import takewhile

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import IntegrationError, ProblemError
from dynamics.flows.finite_data import FiniteDataFlow
from dynamics.flows.gradient import GradientFlow
from dynamics.flows.modified import ModifiedFlow
from dynamics.problem import Problem
from dynamics.problem.scope import THEORIES
from dynamics.progress import progress_bar
from dynamics.schedules import Schedule
from dynamics.sgd.fluctuations import FluctuatingSGD
from dynamics.sgd.trajectory import SGDTrajectory
from empirical.descent import descent_loss
from empirical.gap import GRADIENT_FLOW, ON_WHOLE_SETS, WITH_AND_WITHOUT, Gap
from empirical.practice import Practice, data_sets
from empirical.theories import one_pass_theory
from empirical.training_run import TrainingRun

SPREAD_RTOL = 1e-5  # of a correction that is itself of leading order only
LONGEST_MODIFIED = 30_000  # evaluations after which the modified flow is given up


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
    sources, why = {"discretisation": "modified flow"}, ""
    if discretised is not None and not _corrects(discretised, flow, descent):
        discretised, why = None, ": the step is too large for the modified flow"
    if discretised is None:
        name = "gradient descent" if chosen.entry.adds_up else f"descent by {chosen.entry.name}"
        discretised, sources["discretisation"] = descent, f"{name} on the population loss{why}"
    on_data, sources["finite_data"] = _on_data(
        problem, practice, modified, discretised, run.loss, whole_set_losses, use_theory and not why, progress
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
        problem.loss.unit,
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
    """Curves on the networks' own data sets, (S, T), and how they were computed; (1, T) if there are none."""
    if problem.data is not None:
        return discretised[None], "none: theory and networks on one data set"
    if practice.samples == 0:
        return discretised[None], "none: fresh samples in every step"
    if use_theory and not THEORIES["data flow"].gap(problem):
        X, Y = data_sets(problem, practice)
        bar = progress_bar(X, "flows on the data", shown=progress, remedy="lower `seeds` or `samples`")
        flows = (FiniteDataFlow(problem, x, y) for x, y in zip(bar, Y, strict=True))
        curves = list(
            takewhile(lambda curve: curve is not None, map(modified, flows))
        )  # none: no need of more
        if len(curves) == len(X):
            return np.array(curves), "modified flow on each network's data set"
    whole = measured if practice.whole_set else whole_set_losses()
    return whole, ON_WHOLE_SETS


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
    own_sets = practice.samples and problem.data is None  # otherwise `descent` is on all that they see
    without = whole_set_losses().mean(axis=0) if own_sets else descent
    return mean + run.loss.mean(axis=0) - without, None, WITH_AND_WITHOUT + why


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
    ones, and where it diverges; on the sphere it is of leading order in the input dimension, too little for a gap.
    """
    if problem.constraint or practice.momentum or practice.samples or not practice.followed_by("sgd"):
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

    None also where the modified flow does not follow the optimiser, its weight decay or its constraint.
    """
    chosen = practice.chosen
    alone = chosen.settings.decoupled and practice.momentum and flow.problem.weight_decay
    if alone or THEORIES["modified flow"].gap(flow.problem) or not practice.followed_by("modified"):
        return None
    try:
        modified = ModifiedFlow(
            flow, practice.step, practice.momentum, **practice.rates, form=chosen.entry.form
        )
        return modified.integrate(times=times, max_evaluations=longest, progress=progress).loss
    except IntegrationError:
        return None


def _corrects(discretised: Array, flow: Array, descent: Array) -> bool:
    """Whether the modified flow explains the effect of the finite step on the population loss, for the most part.

    What it leaves must be below half of the effect, or invisible: below 1 % of the initial loss.
    """
    left, effect = (float(np.abs(descent - curve).max()) for curve in (discretised, flow))
    return left <= max(effect / 2, 0.01 * float(flow[0]))


def _standard_error(deviations: Array, spread: Array | None, practice: Practice) -> Array:
    """Standard error of the mean over S networks: the larger of the measured and the predicted one, (T,)."""
    S = len(deviations)
    predicted = np.zeros(deviations.shape[1]) if spread is None else spread / np.sqrt(S)
    if S == 1:
        known = practice.whole_set or spread is not None
        return predicted if known else np.full_like(predicted, np.nan)
    return np.maximum(deviations.std(axis=0, ddof=1) / np.sqrt(S), predicted)
