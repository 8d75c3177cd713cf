"""Training of networks of one's own: S networks at once, nothing of the theory in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.errors import DIVERGED, ProblemError
from dynamics.networks import NetworkProblem
from dynamics.schedules.schedule import Spec
from dynamics.validation import validate_choice, validate_count, validate_real
from empirical.devices import DTYPES, validate_device, validate_rates
from empirical.optimizers import find_optimizer
from empirical.optimizers.base import Decayed, Optimizer, Rule, Settings
from empirical.polynomial.data import NetworkData
from empirical.polynomial.module import PolynomialModule
from empirical.polynomial.run import NetworkRun
from empirical.trainer import EXPLOSION, TrainingDiverged, descend, few_threads, gradient_of, record_steps


def train_network(
    problem: NetworkProblem,
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
    decoupled: bool | None = None,
    schedule: Spec = "constant",
    device: str = "cpu",
    dtype: str = "float32",
    records: int = 200,
    record_at: NDArray[np.int64] | None = None,
    log_times: bool = False,
    progress: bool = False,
) -> NetworkRun:
    """Train S networks, all from the problem's initial parameters, each on data of its own.

    The arguments are those of `empirical.training.train`; of its optimisers those that need no two-layer network.

    Returns
    -------
    NetworkRun

    Raises
    ------
    ProblemError
        If an argument is not usable.
    TrainingDiverged
        If a batch loss explodes or becomes NaN.

    Examples
    --------
    >>> from dynamics.networks import NetworkProblem
    >>> problem = NetworkProblem("a*(w*x_0)**2", "x_0**2", init_scale=0.5)
    >>> run = train_network(problem, steps=200, step=0.01, batch=64, seeds=2)
    >>> bool(run.loss[:, -1].max() < 0.1)
    True
    """
    n_steps = validate_count("steps", steps)
    entry, type_ = find_optimizer(optimizer), DTYPES[validate_choice("dtype", dtype, DTYPES)]
    settings = entry.choose(momentum, betas, epsilon, None, decoupled)
    clock = entry.clock(validate_real("step", step, positive=True), settings.momentum, schedule, n_steps)
    validate_rates(type_, clock.step)
    device = validate_device(device)
    data = NetworkData(problem, batch, samples, label_noise, seeds, seed)
    if record_at is None:
        record_at = record_steps(n_steps, validate_count("records", records, minimum=2), log_times)
    _check_memory(problem, data, len(record_at), type_.itemsize)
    model = PolynomialModule(problem.network, problem.theta0, ensemble=seeds, dtype=type_, device=device)
    weights = [w.detach().requires_grad_(True) for w in model.weights]
    rule = begin(entry, settings, [w.detach() for w in weights], problem)
    batches = data.batches(type_, device)
    wanted, kept = {int(n) for n in record_at}, list[Array]()

    def losses(n: int) -> torch.Tensor:
        x, y = next(batches)
        shaped = x.reshape(*x.shape[:-1], *problem.network.input_shape)
        f = problem.network.program.values(weights, shaped, model.library)[-1]
        return 0.5 * (f - y).square().sum(-1).mean(-1)

    def record(n: int) -> None:
        if n in wanted:
            kept.append(model.theta())

    with few_threads(seeds * problem.network.size * (batch or samples)):
        outcome = descend(
            gradient_of(losses, weights),
            rule,
            clock.step if clock.length is None else clock.rate,
            n_steps,
            record=record,
            progress=progress,
        )
    failed = outcome.first
    reached = n_steps if failed is None else max(failed - 1, 0)
    at = np.asarray(record_at)[np.asarray(record_at) <= reached][: len(kept)]
    theta = np.stack(kept[: len(at)], axis=1)
    run = NetworkRun(
        problem,
        at,
        clock.times(at),
        measured(problem, theta),
        theta,
        {
            **{
                "step": clock.step,
                "steps": n_steps,
                "batch": batch,
                "samples": samples,
                "label_noise": label_noise,
            },
            **{"seeds": seeds, "seed": seed, **entry.about(settings), "schedule": clock.schedule.name},
            **{"device": device, "dtype": dtype, "seconds": outcome.seconds},
            "steps_per_second": (n_steps if failed is None else failed) / outcome.seconds,
        },
    )
    if failed is not None:
        raise TrainingDiverged(
            f"{DIVERGED} at step {failed} (batch loss NaN or more than {EXPLOSION:.0e} times the first): `step` is"
            f" {clock.step:g}, take a smaller one.",
            run,
            failed,
        )
    return run


def begin(
    entry: Optimizer, settings: Settings, weights: Sequence[torch.Tensor], problem: NetworkProblem
) -> Rule:
    """Rule for the parameters of a network of one's own, with its weight decay.

    Raises
    ------
    ProblemError
        If the optimiser knows two-layer networks only, or no decay.
    """
    rho = problem.weight_decay
    if entry.two_layers:
        raise ProblemError(
            f"`optimizer` is {entry.name}, which knows two-layer networks only: take sgd, momentum, nesterov or adam."
        )
    if rho and not entry.decays:
        raise ProblemError(f"`weight_decay` is {rho:g}, but `optimizer` {entry.name} {entry.nature}.")
    rule = entry.start(weights, settings, problem)  # type: ignore[arg-type]  # these do not ask for the problem
    return Decayed(rule, list(weights), [rho] * len(weights), settings.decoupled) if rho else rule


def measured(problem: NetworkProblem, theta: Array) -> Array:
    """Population losses (S, T) of parameters (S, T, P), as the theory measures its own."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.array([[problem.measured(one) for one in network] for network in theta])


def _check_memory(problem: NetworkProblem, data: NetworkData, records: int, itemsize: int) -> None:
    """Refuse data and records that do not fit."""
    S, P, network = data.seeds, problem.network.size, problem.network
    widths = network.inputs + network.outputs + sum(p.shape[0] if p.shape else 1 for p in network.parameters)
    rows = max(data.batch, data.samples)
    check_memory(
        f"Training {S} networks of {P} parameters on {rows} samples with {records} records",
        itemsize * S * (rows * 4 * widths + 6 * P) + 16 * S * records * P,
        "lower `seeds`, `batch`, `samples` or `records`",
    )
