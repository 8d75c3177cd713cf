"""One training of a study: a contender, a learning rate and a replicate, to the numbers that are kept."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from dynamics.curves.variables import Variable, Variables
from empirical.module_training import ModuleRun, TrainingPlan, train_module
from empirical.splits import SPLITS
from empirical.studies.study import Settings
from empirical.studies.table import find_study
from empirical.studies.tasks import Task, read_task
from empirical.sweep.grid import Run

MEANINGS = {
    "train": "samples to train on",
    "validation": "samples to choose by",
    "test": "samples to test on",
}


def evaluate(run: Run) -> Variables:
    """Train one contender; worker processes import this function."""
    options = dict(run.options)
    label, rate, seed = options.pop("model"), options.pop("rate"), options.pop("seed")
    study = find_study(options.pop("study"), Settings(**options))
    contender, settings = study.contender(label), study.settings
    task = _task(settings.data, settings.target, settings.network == "cnn")
    step = rate * contender.unit
    loss = "cross-entropy" if task.classes else "mse"
    trained = train_module(
        contender.build(task.shape, task.outputs, seed),
        contender.optimizer(step),
        task.splits(seed),
        TrainingPlan(settings.epochs, settings.batch, loss, seed, records=2),
        after_step=contender.after_step(step),
    )
    return _variables(trained, step)


@lru_cache(maxsize=1)
def _task(data: str, target: str | None, images: bool) -> Task:
    """The task, kept while a process works on one study."""
    return read_task(data, target, images)


def _variables(run: ModuleRun, step: float) -> Variables:
    """Losses and accuracies at the end; NaN where training failed."""
    failed = bool(run.failure)
    found = {
        "step": Variable((), float(step), "learning rate"),
        "parameters": Variable((), float(run.parameters), "trained parameters"),
        "steps": Variable((), float(run.steps[-1]), "steps of the optimiser"),
        "failed": Variable((), float(failed), "whether training diverged or stopped"),
    }
    for i, split in enumerate(SPLITS):
        loss = np.nan if failed else run.loss[i, -1]
        found[f"{split}_loss"] = Variable((), float(loss), f"mean loss on the {MEANINGS[split]}")
        if run.accuracy is not None:
            accuracy = np.nan if failed else run.accuracy[i, -1]
            found[f"{split}_accuracy"] = Variable((), float(accuracy), f"accuracy on the {MEANINGS[split]}")
    if "rebases" in run.about:
        found["rebases"] = Variable((), float(run.about["rebases"]), "changes of basis")
    return found
