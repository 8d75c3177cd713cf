"""A recorded run of somebody's own loop on the theory of its optimiser, in one call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from dynamics.activations import Activation
from dynamics.curves.variables import described
from dynamics.errors import ProblemError
from dynamics.problem import Problem, Student, Teacher
from empirical.comparison import Comparison
from empirical.read_theory import read_problem, read_theory
from empirical.recorder import Recorder
from empirical.training_run import TrainingRun

MISSING = "record the loop with `Recorder(..., optimizer=...)`"


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
    assert run.rates is not None
    flow, name = read_theory(run.about, run.rates[: run.steps[-1]], problem, theory, drawn)
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
        raise ProblemError(
            "`recorded` holds the start alone, but there must be records after some steps: call the recorder once more"
            " when the loop has ended."
        )
    W, A = run.W[0, 0], run.A[0, 0]
    if isinstance(given, Teacher):
        given = Problem(given, Student(W, A), activation)
    return read_problem(about, given, W, A)


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
