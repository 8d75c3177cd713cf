"""Training of any PyTorch module by any of its optimisers, on samples split in three, in mini-batches.

What is compared is handed in: a module, a function that makes its optimiser, and one frozen description of everything
else. Runs with the same description see the same batches in the same order, so that they can be compared in pairs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dynamics.aliases import Array
from dynamics.errors import ComputationError, ProblemError
from dynamics.validation import validate_choice, validate_count
from dynamics.words import counted
from empirical.devices import validate_device
from empirical.seeds import data_generator, data_seed
from empirical.splits import SPLITS, Samples, Splits
from empirical.trainer import NEVER, descend, few_threads, record_steps

Labelled = tuple[Tensor, Tensor]
M = TypeVar("M", bound=nn.Module)
MakeOptimizer = Callable[[nn.Module], torch.optim.Optimizer]

CHUNK = 4096  # samples that are measured at once
BATCHES, MODULE = (
    2,
    3,
)  # streams of random numbers: order of the samples; what the module draws itself, as dropout


def cross_entropy(outputs: Tensor, labels: Tensor) -> Tensor:
    """−log softmax_y(f) of every sample, (B,), for outputs (B, C) and classes (B,)."""
    return nn.functional.cross_entropy(outputs, labels, reduction="none")


def half_square(outputs: Tensor, labels: Tensor) -> Tensor:
    """½‖f − y‖² of every sample, (B,); classes stand for unit vectors."""
    if not labels.is_floating_point():
        labels = nn.functional.one_hot(labels, outputs.shape[1]).to(outputs.dtype)
    return 0.5 * (outputs - labels).square().sum(-1)


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"cross-entropy": cross_entropy, "mse": half_square}


@dataclass(frozen=True)
class TrainingPlan:
    """How a module is trained, whatever the module and its optimiser.

    Parameters
    ----------
    epochs : int
        Passes through the samples to train on, each in an order of its own.
    batch : int
        Samples per step, fewer in the last step of an epoch if need be; 0: all.
    loss : str
        One of `LOSSES`: "cross-entropy" −log softmax_y(f) of classes, "mse" ½‖f − y‖² of numbers or of classes as unit
        vectors; means over the samples.
    seed : int
        Of the order of samples, and of what the module itself draws.
    records : int
        Number of records, evenly spaced over the steps, first and last one included.
    device : str
        PyTorch device.

    Raises
    ------
    ProblemError
        If an entry is not usable.
    """

    epochs: int
    batch: int = 64
    loss: str = "cross-entropy"
    seed: int = 0
    records: int = 11
    device: str = "cpu"

    def __post_init__(self) -> None:
        validate_count("epochs", self.epochs)
        validate_count("batch", self.batch, minimum=0)
        validate_choice("loss", self.loss, LOSSES)
        validate_count("seed", self.seed, minimum=0)
        validate_count("records", self.records, minimum=2)

    def steps_per_epoch(self, samples: int) -> int:
        """Number of steps in which so many samples are seen once."""
        return -(-samples // (self.batch or samples))


@dataclass(frozen=True, eq=False)
class ModuleRun:
    """What was measured of one module in training, at T recorded steps.

    Parameters
    ----------
    steps : (T,) integer array
    epochs : (T,) array
        Passes through the samples.
    loss : (3, T) array
        Mean loss on the samples of `SPLITS`: train, validation, test.
    accuracy : (3, T) array or None
        Share of samples whose largest output is that of their class; None where labels are numbers.
    parameters : int
        Number of trained parameters.
    seconds : float
        Of training, measurements included.
    failure : str
        Why training ended before its last step, in a sentence; empty if it did not. No record is later.
    about : dict
        The plan, and what the optimiser counts.
    """

    steps: NDArray[np.int64]
    epochs: Array
    loss: Array
    accuracy: Array | None
    parameters: int
    seconds: float
    failure: str = ""
    about: dict[str, Any] = field(default_factory=dict)

    def last(self, split: str) -> dict[str, float | None]:
        """Loss and accuracy at the last record, on the samples of train, validation or test."""
        i = SPLITS.index(validate_choice("split", split, SPLITS))
        return {
            "loss": float(self.loss[i, -1]),
            "accuracy": None if self.accuracy is None else float(self.accuracy[i, -1]),
        }

    def summary(self) -> str:
        """What happened, in a few lines."""
        lines = [f"{counted(self.parameters, 'parameter')}, {counted(self.steps[-1], 'step')}"]
        for i, name in enumerate(SPLITS):
            shown = "" if self.accuracy is None else f", accuracy {100 * self.accuracy[i, -1]:.1f} %"
            lines.append(f"{name}: loss {self.loss[i, 0]:.4g} → {self.loss[i, -1]:.4g}{shown}")
        return "\n".join([*lines, *([self.failure] if self.failure else [])])


def initialised(make: Callable[[], M], seed: int) -> M:
    """A module whose initial weights follow from a seed, PyTorch's own random state being left as it is."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(validate_count("seed", seed, minimum=0))
        return make()


def train_module(
    module: nn.Module,
    optimizer: MakeOptimizer,
    data: Splits,
    plan: TrainingPlan,
    *,
    after_step: Callable[[nn.Module], object] | None = None,
    progress: bool = False,
) -> ModuleRun:
    """Train a module in place.

    Parameters
    ----------
    module : nn.Module
        From inputs (B, …) to outputs (B, O), of one floating type; it is moved to the device of the plan.
    optimizer : callable module → torch.optim.Optimizer
        Such as ``lambda m: torch.optim.SGD(m.parameters(), lr=0.1)`` or ``lambda m: GSGD(m, lr=1e-4)``. What its
        attribute `counts` holds at the end, if it has one, is kept in `ModuleRun.about`.
    data : Splits
        Only the samples to train on are trained on; the others are measured.
    plan : TrainingPlan
    after_step : callable, optional
        Called with the module after every step of the optimiser, without gradients.
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Returns
    -------
    ModuleRun
        Also of a training that failed, which `failure` says: a loss that explodes (see
        `empirical.trainer.EXPLOSION`) or is NaN, or an optimiser that cannot go on.

    Raises
    ------
    ProblemError
        If module, optimiser, data or plan do not fit together.
    """
    device = validate_device(plan.device)
    parameters = [p for p in module.to(device).parameters() if p.requires_grad]
    if not parameters:
        raise ProblemError(f"{type(module).__name__} has no parameters that could be trained.")
    parts = [_tensors(getattr(data, name), parameters[0].dtype, device) for name in SPLITS]
    _check_outputs(module, parts[0], data.classes, plan.loss)
    per_epoch = plan.steps_per_epoch(len(data.train))
    recorded = record_steps(plan.epochs * per_epoch, plan.records)
    count = sum(p.numel() for p in parameters)
    descent = _Descent(module, optimizer(module), _batches(parts[0], plan), LOSSES[plan.loss], after_step)
    log: list[Array] = []

    def record(n: int) -> None:
        if n == recorded[len(log)]:
            log.append(np.stack([_measure(module, part, LOSSES[plan.loss]) for part in parts]))

    start = time.perf_counter()
    with (
        torch.random.fork_rng(devices=[device] if "cuda" in device else []),
        few_threads(count * (plan.batch or len(data.train))),
    ):
        torch.manual_seed(data_seed(plan.seed, MODULE))
        failed_at = descent.run(int(recorded[-1]), record, progress)
    measured = np.stack(log, axis=-1)  # (3, 2, T)
    broken = ~np.isfinite(measured[:, 0]).all(axis=0) | (recorded[: len(log)] > failed_at)
    kept = max(1, int(np.argmax(broken)) if broken.any() else len(log))
    return ModuleRun(
        steps=recorded[:kept],
        epochs=recorded[:kept] / per_epoch,
        loss=measured[:, 0, :kept],
        accuracy=measured[:, 1, :kept] if data.classes else None,
        parameters=count,
        seconds=time.perf_counter() - start,
        failure=descent.failure or ("The loss is infinite or NaN at the end." if broken.any() else ""),
        about={**vars(plan), **getattr(descent.optimizer, "counts", {})},
    )


class _Descent:
    """A module in training, by an optimiser of its own that may fail."""

    def __init__(
        self,
        module: nn.Module,
        optimizer: torch.optim.Optimizer,
        batches: Iterator[Labelled],
        loss: Callable[[Tensor, Tensor], Tensor],
        after_step: Callable[[nn.Module], object] | None,
    ) -> None:
        self.module, self.optimizer, self.after_step = module, optimizer, after_step
        self.batches, self.loss = batches, loss
        self.steps_done, self.failure = 0, ""

    def run(self, steps: int, record: Callable[[int], None], progress: bool) -> int:
        """Train; returns the step that failed, or `NEVER`."""
        try:
            outcome = descend(self._gradient, self._step, 1.0, steps, record=record, progress=progress)
        except ComputationError as error:
            self.failure = str(error)
            return self.steps_done
        if outcome.first is None:
            return NEVER
        self.failure = f"Training diverged at step {outcome.first}: its batch loss is NaN or exploded."
        return outcome.first

    @torch.enable_grad()
    def _gradient(self, n: int) -> tuple[Tensor, list[Tensor]]:
        """Loss of the batch of step n; the gradients are left where optimisers of PyTorch look for them."""
        x, y = next(self.batches)
        self.optimizer.zero_grad()
        loss = self.loss(self.module(x), y).mean()
        loss.backward()
        return loss.detach(), []

    def _step(self, gradients: Sequence[Tensor], step: float | Tensor) -> None:
        self.optimizer.step()  # it knows its learning rate
        if self.after_step is not None:
            self.after_step(self.module)
        self.steps_done += 1


def _tensors(samples: Samples, dtype: torch.dtype, device: str) -> Labelled:
    """Inputs and labels as PyTorch takes them."""
    y = torch.from_numpy(samples.y).to(device)
    return torch.from_numpy(samples.X).to(device, dtype), y.to(dtype) if y.is_floating_point() else y


def _batches(data: Labelled, plan: TrainingPlan) -> Iterator[Labelled]:
    """Mini-batches, epoch after epoch, in orders that depend on the seed alone."""
    x, y = data
    generator = data_generator("cpu", plan.seed, BATCHES)
    while True:
        order = torch.randperm(len(x), generator=generator).to(x.device)  # once in an epoch
        for chosen in order.split(plan.batch or len(x)):
            yield x[chosen], y[chosen]


@torch.no_grad()
def _measure(module: nn.Module, data: Labelled, loss: Callable[[Tensor, Tensor], Tensor]) -> Array:
    """Mean loss and accuracy (NaN without classes) on all samples, the module as it is used and not as trained."""
    x, y = data
    training = module.training
    module.train(False)
    total = torch.zeros(2, dtype=torch.float64)
    for part, labels in zip(x.split(CHUNK), y.split(CHUNK), strict=True):
        outputs = module(part)
        total[0] += loss(outputs, labels).sum().item()
        total[1] += np.nan if labels.is_floating_point() else (outputs.argmax(1) == labels).sum().item()
    module.train(training)
    return (total / len(x)).numpy()


@torch.no_grad()
def _check_outputs(module: nn.Module, data: Labelled, classes: int, loss: str) -> None:
    """Refuse outputs that do not fit the labels, and a loss that does not."""
    if loss == "cross-entropy" and not classes:
        raise ProblemError("`loss` is 'cross-entropy', but the labels are numbers to be fitted: take 'mse'.")
    x, y = data
    training = module.training
    outputs = module.train(False)(x[:1])
    module.train(training)
    wanted = (1, classes) if classes else (1, y.shape[1])
    if outputs.ndim != 2 or outputs.shape[1] < wanted[1] or (not classes and outputs.shape[1] > wanted[1]):
        raise ProblemError(
            f"The outputs of {type(module).__name__} for one sample have the shape {tuple(outputs.shape)}, but the"
            f" labels ask for {wanted}."
        )
