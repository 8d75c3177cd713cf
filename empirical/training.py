"""The training loop: S networks at once, gradients by PyTorch, nothing of the theory in it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from dynamics.activations import ACTIVATIONS
from dynamics.budget import check_memory
from dynamics.errors import ComputationError, ProblemError
from dynamics.modified_flow import validate_momentum
from dynamics.problem import Problem
from dynamics.validation import validate_choice, validate_count, validate_real
from empirical.data import GaussianData
from empirical.gsgd import GSGD
from empirical.memory import DOUBLE, check_training
from empirical.networks import QuadraticNetwork
from empirical.recorder import Recorder, TrainingRun

OPTIMIZERS = ("sgd", "momentum", "gsgd")
DTYPES = {"float32": torch.float32, "float64": torch.float64}
CHECK_EVERY = 50  # steps between looks at the batch losses; the diverging step itself is still named
SMALL_STEP = 10_000_000  # multiplications in the first layer below which one thread serves best
EXPLOSION = 1e6  # a batch loss of this many times the first one is a divergence
NEVER = np.iinfo(np.int64).max  # step at which nothing exploded


class TrainingDiverged(ComputationError):
    """Training exploded; `run` holds what was recorded before, `step` the step at which it happened."""

    def __init__(self, message: str, run: TrainingRun, step: int) -> None:
        super().__init__(message)
        self.run = run
        self.step = step


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
    device: str = "cpu",
    dtype: str = "float32",
    records: int = 200,
    record_at: np.ndarray | None = None,
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
        See `empirical.data.GaussianData`.
    optimizer : {"sgd", "momentum", "gsgd"}
        "gsgd" descends in path space (`empirical.gsgd.GSGD`) and needs a trainable second layer and no momentum.
    momentum : float, optional
        Heavy-ball β in [0, 1); default 0, or 0.9 with the optimizer "momentum".
    device, dtype : str
        PyTorch device; "float32" or "float64".
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
        With "gsgd", if a skeleton path value would pass zero.
    """
    n_steps = validate_count("steps", steps)
    eta = validate_real("step", step, positive=True)
    validate_choice("optimizer", optimizer, OPTIMIZERS)
    beta = choose_momentum(momentum, optimizer)
    type_ = DTYPES[validate_choice("dtype", dtype, DTYPES)]
    validate_step(eta, type_)
    device = validate_device(device)
    many = min(validate_count("records", records, minimum=2), n_steps + 1)
    check_training(
        problem,
        batch=validate_count("batch", batch, minimum=0),
        samples=validate_count("samples", samples, minimum=0),
        seeds=validate_count("seeds", seeds),
        records=many if record_at is None else len(record_at),
        itemsize=type_.itemsize,
        test_samples=validate_count("test_samples", test_samples, minimum=0),
    )
    data = GaussianData(problem, batch, samples, label_noise, seeds, seed)
    if record_at is None:
        record_at = record_steps(n_steps, records, log_times)
    network = QuadraticNetwork.from_student(
        problem.student,
        activation=problem.activation,
        covariance=problem.covariance,
        ensemble=seeds,
        dtype=type_,
        device=device,
    )
    sgd = make_optimizer(optimizer, network, eta, beta)
    recorder = Recorder(problem, eta, at=[int(n) for n in record_at], test_samples=test_samples)

    start = time.perf_counter()
    with few_threads(network.W.numel() * (batch or samples)):
        first = int(run_loop(network, sgd, data, recorder, n_steps, type_, device, progress).min())
    seconds = time.perf_counter() - start
    failed_at = None if first == NEVER else first
    done = n_steps if failed_at is None else failed_at
    run = recorder.run(
        until=n_steps if failed_at is None else max(failed_at - 1, 0),
        steps=n_steps,
        batch=batch,
        samples=samples,
        label_noise=label_noise,
        seeds=seeds,
        seed=seed,
        optimizer=optimizer,
        momentum=beta,
        device=device,
        dtype=dtype,
        seconds=seconds,
        steps_per_second=done / seconds,
    )
    if failed_at is not None:
        raise TrainingDiverged(_divergence_message(problem, eta, beta, failed_at), run, failed_at)
    return run


def make_optimizer(name: str, network: QuadraticNetwork, eta: float, beta: float) -> torch.optim.Optimizer:
    """Optimiser of the trained layers."""
    if name != "gsgd":
        trained = [p for p in network.parameters() if p.requires_grad]
        return torch.optim.SGD(trained, lr=eta, momentum=beta, foreach=True)
    if not network.A.requires_grad:
        raise ProblemError("The second layer is fixed, but `optimizer` gsgd mixes both layers: train both.")
    if beta:
        raise ProblemError(f"`momentum` is {beta:g}, but `optimizer` gsgd has none: leave it out.")
    return GSGD([network.W, network.A], eta, degree=ACTIVATIONS[network.activation].degree)


def run_loop(
    network: QuadraticNetwork,
    sgd: torch.optim.Optimizer,
    data: GaussianData,
    recorder: Recorder,
    steps: int,
    dtype: torch.dtype,
    device: str,
    progress: bool,
    rates: Tensor | None = None,
) -> NDArray[np.int64]:
    """Train and record; returns the step (S,) at which the batch loss of each network exploded, or `NEVER`.

    Learning rates may differ, `rates` (S,) times that of the optimiser; training then goes on until all explode.
    """
    recent: list[Tensor] = []  # batch losses (S,) since the last check
    limit = np.inf
    failed = np.full(data.seeds, NEVER)
    stream = data.weighted_batches(dtype, device)
    # disable=None: a bar on a terminal, nothing in a pipe.
    for n in tqdm(range(steps), desc="training", leave=False, disable=None if progress else True):
        recorder(network, n)
        x, y, weights = next(stream)
        errors = 0.5 * (network(x) - y).square().sum(-1)  # (S, B)
        losses = errors.mean(-1) if weights is None else (weights * errors).sum(-1)  # (S,)
        total = losses if rates is None else rates * losses
        sgd.zero_grad()
        total.sum().backward()  # networks do not interact: each gets the gradient of its own loss
        sgd.step()
        recent.append(losses.detach())
        if len(recent) == CHECK_EVERY or n in (0, steps - 1):
            checked = torch.stack(recent).cpu().numpy()  # (n, S)
            limit = EXPLOSION * max(checked.max(), np.finfo(float).tiny) if n == 0 else limit
            # NaN compares false; of an infinite first loss, infinite ones are no multiple
            exploded = ~(checked <= limit) | np.isinf(checked)
            first = n - len(recent) + 1 + exploded.argmax(axis=0)
            failed = np.where(exploded.any(axis=0), np.minimum(failed, first), failed)
            if (failed < NEVER).all() if rates is not None else (failed < NEVER).any():
                return failed
            recent.clear()
    recorder(network, steps)
    return failed


@contextmanager
def few_threads(work: int) -> Iterator[None]:
    """One thread where a step is small: waiting for each other costs threads more than they gain.

    On two cores the gain was below 20 % at 10⁶ multiplications a step, the loss on a busy machine a factor 10.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1 if work < SMALL_STEP else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def record_steps(steps: int, records: int, log_times: bool) -> np.ndarray:
    """Steps at which to record: 0 … steps, evenly spaced in the step or in its logarithm."""
    if log_times:
        check_memory(f"Spacing {records} records", 4 * DOUBLE * records, "lower `records`")
        late = np.geomspace(1, steps, records - 1)
        return np.unique(np.append(0, np.round(late).astype(int)))
    count = min(records, steps + 1)  # more than there are steps are all of them
    check_memory(f"Recording {count} times", 4 * DOUBLE * count, "lower `records`")
    return np.unique(np.round(np.linspace(0, steps, count)).astype(int))


def choose_momentum(momentum: float | None, optimizer: str) -> float:
    """Heavy-ball β in [0, 1); its default depends on the optimiser."""
    if momentum is None:
        return 0.9 if optimizer == "momentum" else 0.0
    return validate_momentum(momentum)


def validate_step(eta: float, dtype: torch.dtype) -> None:
    """A step that the numbers of the network can hold."""
    largest = torch.finfo(dtype).max
    if eta > largest:
        name = str(dtype).removeprefix("torch.")
        raise ProblemError(
            f"`step` is {eta:g}, but numbers of the type {name} end at {largest:.2g}: lower it."
        )


def validate_device(device: str) -> str:
    """A device PyTorch knows and this machine has."""
    try:
        torch.empty(1, device=device).item()  # "meta" has shapes only, no numbers
    except (RuntimeError, AssertionError):
        has = "cpu, cuda" if torch.cuda.is_available() else "cpu"
        raise ProblemError(f"`device` is {device!r}, but PyTorch can use here: {has}.") from None
    return str(device)


def _divergence_message(problem: Problem, eta: float, beta: float, step: int) -> str:
    """Says where training exploded and what step size the theory would have allowed."""
    from dynamics.flow import GradientFlow
    from dynamics.stability import largest_stable_step

    message = (
        f"Training diverged at step {step} (batch loss NaN or more than {EXPLOSION:.0e} times the first)"
    )
    flow = GradientFlow(problem)
    path = flow.integrate(samples=50, throw=False)
    bound = largest_stable_step(flow, path, beta)
    return (
        f"{message}: `step` is {eta:g}, and theory predicts a largest stable step of {bound:.3g} along the "
        "gradient flow (less for small batches)."
    )
