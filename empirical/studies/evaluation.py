"""One training of a study: a contender, a learning rate and a replicate, to the numbers that are kept."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import nn

from dynamics.curves.variables import Variable, Variables
from empirical.collapsed import collapse_reason
from empirical.module_training import LOSSES, ModuleRun, TrainingPlan, train_module
from empirical.splits import SPLITS, Samples
from empirical.studies.contenders import Hook
from empirical.studies.gradients import MOMENTS, PROBE, GradientWatch
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
    task = _task(settings.data, settings.target, settings.network == "cnn", settings.image_size)
    splits = task.splits(seed)
    plan = TrainingPlan(
        settings.epochs, settings.batch, "cross-entropy" if task.classes else "mse", seed, records=2
    )
    step = rate * contender.unit
    module = contender.build(task.shape, task.outputs, seed)
    watch = _watch(contender.watched(module), splits.train, plan)
    if watch is not None:
        watch(module)
    trained = train_module(
        module,
        contender.optimizer(step),
        splits,
        plan,
        after_step=_both(contender.after_step(step), watch),
    )
    found = _variables(trained, step, splits.train)
    if watch is not None:
        norms = np.full_like(watch.norms, np.nan) if trained.failure else watch.norms
        found["gradients"] = Variable(
            ("moment", "layer"),
            norms,
            f"gradient by the outputs of each hidden layer relative to the last, after {MOMENTS} of the steps",
        )
    return found


@lru_cache(maxsize=1)
def _task(data: str, target: str | None, images: bool, size: int | None) -> Task:
    """The task, kept while a process works on one study."""
    return read_task(data, target, images, size)


def _watch(layers: list[nn.Module], samples: Samples, plan: TrainingPlan) -> GradientWatch | None:
    """What measures gradients, if there is something to be measured."""
    if not layers:
        return None
    x, y = (torch.from_numpy(part[:PROBE]) for part in (samples.X, samples.y))
    y = y.float() if y.is_floating_point() else y
    steps = plan.epochs * plan.steps_per_epoch(len(samples))
    return GradientWatch(layers, x.float(), y, LOSSES[plan.loss], steps)


def _both(*hooks: Hook | None) -> Hook | None:
    """One hook of those that are there."""
    given = [hook for hook in hooks if hook is not None]

    def run(module: nn.Module) -> None:
        for hook in given:
            hook(module)

    return run if given else None


def _variables(run: ModuleRun, step: float, samples: Samples) -> Variables:
    """Losses and accuracies at the end; NaN where training failed."""
    failed = bool(run.failure)
    found = {
        "step": Variable((), float(step), "learning rate"),
        "parameters": Variable((), float(run.parameters), "trained parameters"),
        "steps": Variable((), float(run.steps[-1]), "steps of the optimiser up to the last record"),
        "failed": Variable((), float(failed), "whether training diverged or stopped"),
        "collapsed": Variable(
            (), float(bool(collapse_reason(run, samples))), "whether training failed or ended at chance"
        ),
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
