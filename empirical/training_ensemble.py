"""Networks with different starts, step sizes, batch sizes and seeds, trained together in one computation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from dynamics.clock import Clock
from dynamics.curves.variables import described
from dynamics.errors import ProblemError
from dynamics.problem import Problem
from dynamics.problem.scope import require
from dynamics.schedules.schedule import Spec
from dynamics.validation import validate_choice, validate_count, validate_real
from empirical.data import TrainingData
from empirical.devices import DTYPES, validate_device, validate_rates
from empirical.gradients import batch_gradient, choose_gradients, trained_weights
from empirical.memory import training_memory
from empirical.networks import QuadraticNetwork
from empirical.optimizers import OPTIMIZERS, find_optimizer
from empirical.optimizers.base import Settings
from empirical.recorder import Recorder
from empirical.trainer import NEVER, Rate, descend, few_threads, record_steps
from empirical.training_run import TrainingRun, with_decay_law

WASTE = 2  # a batch is filled up with zeros to at most so many times its size


@dataclass(frozen=True)
class Member:
    """One network: its start, learning rate, batch size, and the seed of its data."""

    problem: Problem
    step: float
    batch: int
    seed: int


def train_ensemble(
    problems: Problem | Sequence[Problem],
    *,
    steps: int,
    step: ArrayLike,
    batch: int | Sequence[int] = 256,
    seed: int | Sequence[int] = 0,
    samples: int = 0,
    label_noise: float = 0.0,
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
    memory: int = 2**28,
    progress: bool = False,
) -> list[TrainingRun]:
    """Train E networks that differ in start, learning rate, batch size and seed, as batch dimensions of one tensor.

    `problems`, `step`, `batch` and `seed` are each one value for all networks, or a sequence of E values. Every
    network is trained exactly as `train` would train it alone (up to rounding): its data follow from its own seed.

    Parameters
    ----------
    problems : Problem or sequence of Problem
        They may differ in their initial weights only.
    steps : int
        Number of optimiser steps, the same for all.
    step : float or (E,) array
        Learning rates η.
    batch : int or sequence of int
        Batch sizes; 0 is the whole set.
    seed : int or sequence of int
    samples, label_noise, optimizer, momentum, betas, epsilon, damping, decoupled, schedule, gradients
        See `empirical.training.train`; not an optimizer whose networks share more than their steps, such as "gsgd".
    device, dtype, records, record_at, log_times
        Likewise.
    memory : int
        Bytes within which data, activations and records stay: the networks are trained in as many groups as it takes,
        at least one by one.
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Returns
    -------
    list of TrainingRun
        One for each network, in their order. A network that diverges stops nothing: its run ends before, and
        ``about["diverged_at"]`` is the step (None if it did not).

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    n_steps = validate_count("steps", steps)
    entry = find_optimizer(optimizer)
    if entry.shared:
        raise ProblemError(
            f"`optimizer` is {optimizer!r}, whose networks share {entry.shared}, one start and one step: use `train`."
        )
    settings = entry.choose(momentum, betas, epsilon, damping, decoupled)
    if record_at is None:
        record_at = record_steps(n_steps, validate_count("records", records, minimum=2), log_times)
    members = _members(problems, step, batch, seed, samples)
    shared: dict[str, Any] = {
        "steps": n_steps,
        "samples": validate_count("samples", samples, minimum=0),
        "label_noise": label_noise,
        **entry.about(settings),
        "schedule": schedule,
        "gradients": choose_gradients(gradients, members[0].problem.activation),
        "device": validate_device(device),
        "dtype": validate_choice("dtype", dtype, DTYPES),
    }
    for member in members:
        validate_rates(DTYPES[dtype], member.step, member.problem.weight_decay)
    limit = validate_count("memory", memory)
    runs: dict[int, TrainingRun] = {}
    for group in groups(members, limit, samples, len(record_at), DTYPES[dtype].itemsize, entry.copies):
        found = _train_group([members[i] for i in group], shared, settings, record_at, progress)
        runs |= zip(group, found, strict=True)
    return [runs[i] for i in range(len(members))]


def _members(
    problems: Problem | Sequence[Problem],
    step: ArrayLike,
    batch: int | Sequence[int],
    seed: int | Sequence[int],
    samples: int,
) -> list[Member]:
    """Broadcast the four arguments against each other."""
    columns: dict[str, list[Any]] = {
        "problems": [problems] if isinstance(problems, Problem) else list(problems),
        "step": np.atleast_1d(np.asarray(step, dtype=float)).tolist(),
        "batch": [batch] if isinstance(batch, int | np.integer) else list(batch),
        "seed": [seed] if isinstance(seed, int | np.integer) else list(seed),
    }
    E = max(map(len, columns.values()))
    for name, values in columns.items():
        if len(values) not in (1, E):
            raise ProblemError(
                f"`{name}` has {len(values)} entries, but must have one, or one for each of {E} networks."
            )
    for eta in columns["step"]:
        validate_real("step", eta, positive=True)
    given = columns["problems"][0].data
    n = samples if given is None else len(given.X)
    whole = [validate_count("batch", b, minimum=0) or n for b in columns["batch"]]
    whole = whole if given is None else [min(size, n) for size in whole]
    if 0 in whole:
        raise ProblemError(
            "`batch` 0 means the whole set, but `samples` 0 means there is none: give one of them."
        )
    first = columns["problems"][0]
    for problem in columns["problems"]:
        require("training", problem)
        _check_alike(first, problem)
    columns["batch"] = whole
    full = [values * E if len(values) == 1 else values for values in columns.values()]
    return [Member(*values) for values in zip(*full, strict=True)]


def _check_alike(one: Problem, other: Problem) -> None:
    """Refuse problems that differ in more than their initial weights."""
    teachers = one.teacher is other.teacher or (
        np.array_equal(one.teacher.V, other.teacher.V) and np.array_equal(one.teacher.B, other.teacher.B)
    )
    same = (
        teachers
        and (one.activation, one.teacher_activation) == (other.activation, other.teacher_activation)
        and np.array_equal(np.asarray(one.covariance), np.asarray(other.covariance))
        and one.law.alike(other.law)
        and one.student.W.shape == other.student.W.shape
        and one.student.trainable == other.student.trainable
        and one.weight_decay == other.weight_decay
        and one.constraint == other.constraint
        and (one.loss, one.labels, one.bias) == (other.loss, other.labels, other.bias)
    )
    if not same:
        raise ProblemError(
            "`problems` differ in more than their initial weights: teacher, activation, loss, labels, inputs, hidden "
            "units, constraint and what is trained must be the same."
        )


def groups(
    members: Sequence[Member], memory: int, samples: int, records: int, itemsize: int, copies: int = 4
) -> list[list[int]]:
    """Members that are trained together: of similar batch sizes, and not more than fit into the memory.

    A step of the optimiser takes `copies` arrays of the size of the weights.
    """
    found: list[list[int]] = []
    used = 0
    for i in sorted(range(len(members)), key=lambda i: -members[i].batch):
        batch = members[i].batch
        size = training_memory(
            members[i].problem,
            batch=batch,
            samples=samples,
            records=records,
            itemsize=itemsize,
            copies=copies,
        ).total
        if found and used + size <= memory and members[found[-1][0]].batch <= WASTE * batch:
            found[-1].append(i)
            used += size
        else:
            found.append([i])
            used = size
    return found


def _train_group(
    members: Sequence[Member],
    shared: dict[str, Any],
    settings: Settings,
    record_at: NDArray[np.int64],
    progress: bool,
) -> list[TrainingRun]:
    """Train some members in one computation."""
    problem, S = members[0].problem, len(members)
    type_, device = DTYPES[shared["dtype"]], shared["device"]
    sizes = tuple(m.batch for m in members)
    data = TrainingData(
        problem,
        max(sizes),
        shared["samples"],
        shared["label_noise"],
        seeds=S,
        streams=tuple((validate_count("seed", m.seed, minimum=0), 0) for m in members),
        sizes=sizes,
    )
    network = QuadraticNetwork.of(problem, ensemble=S, dtype=type_, device=device)
    with torch.no_grad():
        network.W.copy_(torch.from_numpy(np.stack([m.problem.student.W for m in members])))
        network.A.copy_(torch.from_numpy(np.stack([m.problem.student.A for m in members])))
    entry = OPTIMIZERS[shared["optimizer"]]
    clocks = [entry.clock(m.step, settings.momentum, shared["schedule"], shared["steps"]) for m in members]
    steps = {m.step for m in members}
    each = torch.tensor([m.step for m in members], dtype=type_, device=device)
    recorder = Recorder(entry.minimises(problem, settings), max(steps), at=[int(n) for n in record_at])
    recorder.lawful = entry.lawful(problem, settings)
    with few_threads(network.W.numel() * max(sizes)):
        outcome = descend(
            batch_gradient(network, data, shared["gradients"]),
            entry.begin(trained_weights(network), settings, problem),
            _rate(each if len(steps) > 1 else max(steps), clocks[0]),
            shared["steps"],
            record=lambda n: recorder(network, n),
            stop=np.all,
            progress=progress,
        )
    about = shared | {"schedule": clocks[0].schedule.name, "samples": data.samples}
    whole = recorder.run(**about, seconds=outcome.seconds, trained_together=S)
    return [
        with_decay_law(_one(whole, i, member, clock, int(failed)), entry.lawful(member.problem, settings))
        for i, (member, clock, failed) in enumerate(zip(members, clocks, outcome.diverged_at, strict=True))
    ]


def _rate(each: float | torch.Tensor, clock: Clock) -> Rate:
    """Learning rates η_n of networks that share the schedule of one of them."""
    if clock.length is None:
        return each
    factors = clock.rates / clock.step
    return lambda n: each * float(factors[n])


def _one(whole: TrainingRun, i: int, member: Member, clock: Clock, failed: int) -> TrainingRun:
    """The run of one member, up to where it diverged."""
    kept = max(1, int(np.sum(whole.steps < failed)))
    measured = {
        name: getattr(whole, name)
        for name, field in described(TrainingRun).items()
        if "network" in field.meaning.axes
    }
    part: dict[str, Any] = {
        name: None if array is None else array[i : i + 1, :kept] for name, array in measured.items()
    }
    about = {
        "step": member.step,
        "batch": member.batch,
        "seed": member.seed,
        "seeds": 1,
        "diverged_at": None if failed == NEVER else failed,
    }
    return replace(
        whole,
        steps=whole.steps[:kept],
        times=clock.times(whole.steps[:kept]),
        about={key: value for key, value in whole.about.items() if key != "notes"} | about,
        **part,
    )
