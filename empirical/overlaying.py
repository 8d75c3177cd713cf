"""A recorded run of somebody's own loop on the theory of its optimiser, in one call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from dynamics.activations import Activation
from dynamics.curves.variables import described
from dynamics.errors import ProblemError
from dynamics.flows.layer_rates import LayerRateFlow
from dynamics.problem import Problem, Student, Teacher
from dynamics.problem.weight_decay import WeightDecay
from dynamics.schedules import CONSTANT, Schedule
from empirical.comparison import Comparison
from empirical.optimizers import find_optimizer
from empirical.optimizers.base import Chosen
from empirical.recorder import Recorder, TrainingRun
from empirical.theories import Followed, choose_theory, follow

MISSING = "record the loop with `Recorder(..., optimizer=...)`"
OF_SAMPLES = ("sgd",)  # theories that depend on what a loop draws
PARAMETERS = ("momentum", "betas", "epsilon", "damping", "decoupled")


def overlay(
    recorded: Recorder | TrainingRun,
    teacher: Teacher | Problem | None = None,
    *,
    activation: Activation | str = "quadratic",
    theory: str | None = None,
    batch: int | None = None,
    label_noise: float = 0.0,
    solver: dict[str, Any] | None = None,
    progress: bool = False,
) -> Comparison:
    """Lay a recorded run on the theory that follows its optimiser, from the weights of its first record on.

    Parameters
    ----------
    recorded : Recorder or TrainingRun
        A recorder that was given the optimiser of the loop; or its run, also one that was loaded from a file.
    teacher : Teacher or Problem, optional
        What was learned; a recorder knows it, a run does not. A problem also says activation and covariance.
    activation : Activation or str
        Used with a teacher.
    theory : str, optional
        One of `empirical.theories.THEORIES` that follows the optimiser; by default the first.
    batch, label_noise : int, float
        Size of the loop's batches of fresh samples and variance Δ of the noise of their labels, which an optimiser does
        not say, for the theory that depends on them: the mean dynamics of SGD, "sgd".
    solver : dict, optional
        `method`, `rtol`, `atol`, `max_evaluations` of the integration.
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Returns
    -------
    Comparison
        Without an account of the gap, which takes what the loop drew; `figures.learning_curves` draws it.

    Raises
    ------
    ProblemError
        If no theory follows the optimiser, in one sentence; or the run does not say enough.
    IntegrationError
        If the integration fails.
    """
    run = recorded.run() if isinstance(recorded, Recorder) else recorded
    given = recorded.problem if isinstance(recorded, Recorder) else teacher
    if given is None:
        raise ProblemError("`teacher` is missing: a run does not say what was learned, its recorder does.")
    problem = _problem(run, given, activation)
    drawn = {} if batch is None else {"batch": batch, "label_noise": label_noise}
    flow, name = _flow(run, problem, theory, drawn)
    run = _moving(run)
    return Comparison(flow.integrate(times=run.times, progress=progress, **(solver or {})), run, None, name)


def _problem(run: TrainingRun, given: Teacher | Problem, activation: Activation | str) -> Problem:
    """What was trained, from the first record on."""
    about = run.about
    if about.get("no_theory"):
        raise ProblemError(about["no_theory"])
    if "torch_optimizer" not in about:
        raise ProblemError(f"`recorded` does not say its optimiser: {MISSING}.")
    if run.steps[0] != 0 or run.W is None:
        what = "does not keep its weights" if run.W is None else f"begins at step {run.steps[0]}"
        raise ProblemError(f"`recorded` {what}, but a theory starts from those before the first step.")
    if len(run.steps) < 2:
        raise ProblemError("`recorded` holds the start alone, but there must be records after some steps.")
    student = Student(run.W[0, 0], run.A[0, 0], about["trainable"])
    decay = tuple(about["weight_decay"])
    if isinstance(given, Teacher):
        return Problem(given, student, activation, weight_decay=decay)
    # a problem without decay learns it from the optimiser; one that has its own adds it to the loss
    return replace(
        given, student=student, weight_decay=WeightDecay(*decay) if any(decay) else given.weight_decay
    )


def _flow(
    run: TrainingRun, problem: Problem, theory: str | None, drawn: dict[str, Any]
) -> tuple[Followed, str]:
    """The theory, and its name."""
    about = run.about
    entry = find_optimizer(about["optimizer"])
    settings = entry.choose(**{name: about[name] for name in PARAMETERS if name in about})
    chosen = Chosen(entry, settings, about["step"], *_schedule(run))
    name = choose_theory(entry.theories, theory)
    if name in OF_SAMPLES and not drawn:
        raise ProblemError(
            f"`batch` is missing: the theory {name!r} depends on it, and an optimiser does not say it."
        )
    layers = about.get("layer_rates")
    if layers is None:
        return follow(problem, chosen, name, drawn), name
    if name != "flow":
        raise ProblemError(
            f"The layers have the learning rates {layers[0]:g} and {layers[1]:g} in units of the first, for which only"
            f" `theory` flow of gradient descent is known, but it is {name}."
        )
    return LayerRateFlow(chosen.minimised(problem), layers), name


def _schedule(run: TrainingRun) -> tuple[Schedule, int]:
    """The rates of the run as a schedule for as many steps as were recorded; constant ones as such."""
    assert run.rates is not None
    rates = run.rates[: run.steps[-1]]
    if not np.ptp(rates):
        return CONSTANT, len(rates)
    return Schedule.of(rates / run.about["step"]), len(rates)


def _moving(run: TrainingRun) -> TrainingRun:
    """The records at which time has moved on: steps of learning rate zero take none."""
    kept = np.flatnonzero(np.diff(run.times, append=np.inf) > 0)
    if len(kept) == len(run.times):
        return run
    found: dict[str, Any] = {}
    for name, field in described(TrainingRun).items():
        axes, value = field.meaning.axes, getattr(run, name)
        if "time" in axes and value is not None:
            found[name] = np.take(value, kept, axis=axes.index("time"))
    return replace(run, **found)
