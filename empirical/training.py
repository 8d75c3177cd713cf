"""Training on a problem: S networks at once, nothing of the theory in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dynamics.clock import Clock
from dynamics.errors import DIVERGED
from dynamics.problem import Problem
from dynamics.problem.scope import THEORIES, require
from dynamics.schedules.schedule import Spec
from dynamics.validation import validate_choice, validate_count
from empirical.data import TrainingData, drawn
from empirical.devices import DTYPES, validate_device, validate_rates
from empirical.gradients import batch_gradient, choose_gradients, trained_weights
from empirical.memory import check_training
from empirical.networks import QuadraticNetwork
from empirical.optimizers import find_optimizer
from empirical.optimizers.base import Optimizer
from empirical.recorder import Recorder, measured_on
from empirical.trainer import EXPLOSION, TrainingDiverged, descend, few_threads, record_steps
from empirical.training_run import TrainingRun

FOLLOWED = 20_000  # evaluations of the flow that explain a divergence: some seconds
WORK = 1e9  # numbers of weights times samples that they may take: some seconds too


def train(
    problem: Problem,
    *,
    steps: int,
    step: float,
    batch: int = 256,
    samples: int = 0,
    label_noise: float = 0.0,
    seeds: int = 1,
    seed: int = 0,
    optimizer: str = "sgd",
    momentum: float | None = None,
    betas: Sequence[float] | None = None,
    epsilon: float | None = None,
    damping: float | None = None,
    decoupled: bool | None = None,
    schedule: Spec = "constant",
    gradients: str | None = None,
    device: str = "cpu",
    dtype: str = "float32",
    records: int = 200,
    record_at: NDArray[np.int64] | None = None,
    log_times: bool = False,
    test_samples: int = 0,
    progress: bool = False,
) -> TrainingRun:
    """Train S networks, all from the problem's initial weights, each on data of its own.

    Parameters
    ----------
    problem : Problem
    steps : int
        Number of optimiser steps.
    step : float
        Learning rate η.
    batch, samples, label_noise, seeds, seed
        See `empirical.data.TrainingData`.
    optimizer : str
        One of `empirical.optimizers.OPTIMIZERS`, such as "sgd". "gsgd" descends in path space (`empirical.gsgd.GSGD`)
        and needs a trainable second layer.
    momentum : float, optional
        β in [0, 1); by default that of the optimiser, such as 0 of "sgd" and 0.9 of "momentum".
    betas, epsilon, damping : sequence of float, float, float, optional
        Memories, ε and δ of optimisers that take them, see `empirical.optimizers.base.Settings`; by default theirs.
    decoupled : bool, optional
        Whether the weight decay of the problem is decoupled, θ ← (1 − ηρ)θ, or a gradient ρθ; by default so with
        "adamw" alone.
    schedule : Schedule, str, callable or array
        Learning rates η_n = η s_n of the steps n = 0 … N − 1, see `dynamics.schedules.Schedule.of`: by name, such as
        "warmup-cosine:0.1", as a function n ↦ s_n, as N numbers or the name of a file of them.
    gradients : {"fused", "autograd"}, optional
        How gradients are taken: written out (`empirical.fused_gradient.FusedGradient`), or by PyTorch's automatic
        differentiation, several times slower and the same up to rounding; by default written out where the activation
        has slopes.
    device, dtype : str
        PyTorch device; "float32" or "float64". A GPU draws other data than a processor, of the same law
        (`empirical.streams`).
    records : int
        Number of records, evenly spaced over the run (first and last step included).
    record_at : array of int, optional
        Record at these steps instead.
    log_times : bool
        Space the records evenly in the logarithm of the step.
    test_samples : int
        See `empirical.recorder.Recorder`.
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Returns
    -------
    TrainingRun

    Raises
    ------
    ProblemError
        If an argument is not usable.
    TrainingDiverged
        If a batch loss explodes or becomes NaN.
    SkeletonCrossing
        With "gsgd", if a skeleton path value would pass zero whatever edges its unit took.
    """
    require("training", problem)
    n_steps = validate_count("steps", steps)
    entry, type_ = find_optimizer(optimizer), DTYPES[validate_choice("dtype", dtype, DTYPES)]
    settings = entry.choose(momentum, betas, epsilon, damping, decoupled)
    clock = entry.clock(step, settings.momentum, schedule, n_steps)
    validate_rates(type_, clock.step, problem.weight_decay)
    device = validate_device(device)
    how = choose_gradients(gradients, problem.activation)
    many = min(validate_count("records", records, minimum=2), n_steps + 1)
    batch, samples = drawn(problem, batch, samples)
    check_training(
        problem,
        batch=batch,
        samples=samples,
        seeds=validate_count("seeds", seeds),
        records=many if record_at is None else len(record_at),
        itemsize=type_.itemsize,
        copies=entry.copies,
        test_samples=measured_on(problem, test_samples),
    )
    data = TrainingData(problem, batch, samples, label_noise, seeds, seed)
    if record_at is None:
        record_at = record_steps(n_steps, records, log_times)
    network = QuadraticNetwork.of(problem, ensemble=seeds, dtype=type_, device=device)
    trained = trained_weights(network)
    rule = entry.begin(trained, settings, problem)
    minimised = entry.minimises(problem, settings)
    recorder = Recorder(minimised, clock.step, at=[int(n) for n in record_at], test_samples=test_samples)
    recorder.lawful = entry.lawful(problem, settings)
    with few_threads(network.W.numel() * (batch or samples)):
        outcome = descend(
            batch_gradient(network, data, how),
            rule,
            clock.step if clock.length is None else clock.rate,
            n_steps,
            record=lambda n: recorder(network, n),
            progress=progress,
        )
    failed_at, seconds = outcome.first, outcome.seconds
    run = recorder.run(
        until=n_steps if failed_at is None else max(failed_at - 1, 0),
        clock=clock,
        steps=n_steps,
        batch=batch,
        samples=samples,
        label_noise=label_noise,
        seeds=seeds,
        seed=seed,
        **entry.about(settings),
        **entry.counts(rule),
        schedule=clock.schedule.name,
        gradients=how,
        device=device,
        dtype=dtype,
        seconds=seconds,
        steps_per_second=(n_steps if failed_at is None else failed_at) / seconds,
    )
    if failed_at is not None:
        raise TrainingDiverged(
            _divergence_message(problem, entry, clock, settings.momentum, failed_at), run, failed_at
        )
    return run


def _divergence_message(problem: Problem, entry: Optimizer, clock: Clock, beta: float, step: int) -> str:
    """Says where training exploded and, of gradient descent, what step size the theory would have allowed."""
    from dynamics.flows.gradient import GradientFlow
    from dynamics.stability import largest_stable_step

    of_schedule = "" if clock.length is None else f" times {clock.rate(step) / clock.step:.3g} there"
    message = (
        f"{DIVERGED} at step {step} (batch loss NaN or more than {EXPLOSION:.0e} times the first): `step` is "
        f"{clock.step:g}{of_schedule}"
    )
    known = problem.loss_is_known and not THEORIES["second derivatives"].gap(problem)
    if "modified" not in entry.theories or not known:
        return f"{message}, take a smaller one."
    flow = GradientFlow(problem)
    rows = 1 if problem.data is None else len(problem.data.X)
    most = int(min(FOLLOWED, max(1, WORK / (rows * flow.theta0.size))))
    followed = flow.integrate(samples=50, throw=False, max_evaluations=most)
    bound = largest_stable_step(flow, followed, beta, entry.form.name)
    if not np.isfinite(bound):  # nothing curves upwards on the way of the flow
        return f"{message}, take a smaller one."
    part = f" up to t = {followed.times[-1]:.4g}" if followed.solver.failed else ""
    return (
        f"{message}, and theory predicts a largest stable step of {bound:.3g} along the gradient flow{part} (less for "
        "small batches)."
    )
