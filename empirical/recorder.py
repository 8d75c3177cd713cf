"""Measuring a network while it trains: ours, or anybody's own module in anybody's own loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dynamics.activations import Activation
from dynamics.aliases import Array
from dynamics.clock import Clock
from dynamics.conserved.quantities import weights as weight_arrays
from dynamics.errors import ProblemError
from dynamics.losses import SQUARE, Loss
from dynamics.problem import Problem, Student, Teacher
from dynamics.problem.scope import THEORIES
from dynamics.validation import validate_count, validate_real
from dynamics.versions import versions
from empirical.data import TrainingData
from empirical.measured_weights import measured_of_weights, with_biases
from empirical.module_weights import Weights, find_weights
from empirical.read_theory import read_problem, read_theory
from empirical.speed import speed_notes
from empirical.step_log import StepLog
from empirical.tensor_files import real_array
from empirical.torch_criteria import Criterion
from empirical.torch_optimizers import Reading, read_optimizer
from empirical.training_run import TrainingRun, with_decay_law

TEST_SEED = 2**31 - 1
TEST_SIZE = 16_384  # of the sample on which a loss is measured that has no closed form
LARGEST_KEPT_WEIGHTS = 20_000_000  # entries of W over all records and seeds that a run keeps


class Recorder:
    """Measures loss, teacher modes and conserved quantities at chosen steps of any training loop.

    Parameters
    ----------
    teacher : Teacher or Problem
        What the network learns; a problem also says activation and inputs, or the data set.
    step : float, optional
        Learning rate η, which turns steps into times; without an optimiser it is needed.
    optimizer : torch.optim.Optimizer, optional
        That of the loop, which says learning rates, momentum, memories and weight decay by itself, whatever schedulers
        do to the rates; see `empirical.torch_optimizers`. Time then is t = Σ η_n/(1 − β) (Σ η_n where velocities are
        means). Its steps are counted from here on.
    every : int
        Record each step that is a multiple of `every` (including 0), with an optimiser also the last one at which the
        recorder was called, if no step came after it ...
    at : sequence of int, optional
        ... or exactly these steps.
    activation : str
        φ of the measured network, if `teacher` is a Teacher.
    test_samples : int
        Measure the loss on a fixed test sample of this size; 0 computes it exactly from the weights, where the law of
        the inputs has a closed form for it, and on `TEST_SIZE` samples where not. A data set brings its samples.
    weights : callable, optional
        ``weights(model)`` returns W ([S,] K, d) and A ([S,] O, K) or a ([S,] K). By default they are found, see
        `empirical.module_weights.find_weights`.
    second_layer_value : float, optional
        Every a_k of a module that has a first layer only, f = Σ_k a_k φ(w_k·x): 1 if it adds its units up, 1/K if it
        takes their mean.
    criterion : torch.nn.Module, Loss or str, optional
        What the loop minimises: a criterion of PyTorch's, see `empirical.torch_criteria`, which may be a multiple of
        the loss of the theory, as `torch.nn.MSELoss` is; or that loss, or its name. By default the loss of the problem,
        "square" with a teacher.

    Examples
    --------
    Two lines in a training loop of one's own::

        recorder = Recorder(teacher, step=1e-3, every=100)
        for n in range(10_000):
            recorder(model, n)
            ...
        run = recorder.run()

    The speed of the recorded weights is compared with that of gradient flow; a loss without the ½ in the loop, which
    lets time count twice, is among the `notes` of the run. With ``criterion=torch.nn.MSELoss()`` it is counted so.

    With the optimiser of the loop, ``Recorder(teacher, optimizer=optimizer, every=100)``, steps need no numbers, and
    `empirical.overlaying.overlay` lays the run on the theory of that optimiser.
    """

    def __init__(
        self,
        teacher: Teacher | Problem,
        step: float | None = None,
        *,
        optimizer: torch.optim.Optimizer | None = None,
        every: int = 1,
        at: Sequence[int] | None = None,
        activation: Activation | str = "quadratic",
        test_samples: int = 0,
        weights: Callable[[nn.Module], Weights] | None = None,
        second_layer_value: float | None = None,
        criterion: nn.Module | Loss | str | None = None,
    ) -> None:
        said = None if criterion is None else Criterion.of(criterion, teacher_outputs(teacher))
        self.factor = 1.0 if said is None else said.factor
        if isinstance(teacher, Teacher):
            # Only teacher, activation and covariance matter here; the student is a placeholder of weight zero.
            blank = Student(np.zeros((1, teacher.inputs)), np.zeros((teacher.outputs, 1)))
            teacher = Problem(teacher, blank, activation, loss=SQUARE if said is None else said.loss)
        elif said is not None and said.loss != teacher.loss:
            raise ProblemError(
                f"`criterion` {said.name} is the loss {said.loss.name!r}, but that of the problem is"
                f" {teacher.loss.name!r}: give both the same."
            )
        self.problem = teacher
        self.lawful: Problem | None = teacher  # whose decay makes the law of c_k
        if (step is None) == (optimizer is None):
            raise ProblemError(
                "`step` and `optimizer` both say the learning rate, or neither does: give one of them."
            )
        self.step = None if step is None else self.factor * validate_real("step", step, positive=True)
        self.log = None if optimizer is None else StepLog(optimizer)
        self.reading: Reading | None = None
        self.every = validate_count("every", every)
        self.at = None if at is None else {validate_count("at", n, minimum=0) for n in at}
        self.test_samples = measured_on(self.problem, test_samples)
        if second_layer_value is not None:
            second_layer_value = validate_real("second_layer_value", second_layer_value)
        self.weights = weights or partial(find_weights, second_layer_value=second_layer_value)
        self.population = self.problem.population if self.problem.loss_is_known else None
        self._samples: dict[str, tuple[Tensor, Tensor]] = {}
        self._records: list[_Record] = []
        self._passed: tuple[nn.Module, int] | None = (
            None  # off the grid: the end of the loop, if no step comes after
        )

    def __call__(self, model: nn.Module, n: int | None = None) -> bool:
        """Record the model if step number `n`, by default that of the optimiser, is due; returns whether it was."""
        n = self._number(n)
        if (n not in self.at) if self.at is not None else (n % self.every):
            self._passed = (model, n) if self.at is None and self.log is not None else None
            return False
        self.record(model, n)
        return True

    def _number(self, n: int | None) -> int:
        """The number of the next step: given, and that which the optimiser has come to."""
        if self.log is None:
            if n is None:
                raise ProblemError(
                    "`n` is missing: without `optimizer` a recorder does not know the number of the step."
                )
            return n
        if n not in (None, self.log.steps):
            raise ProblemError(
                f"`n` is {n}, but the optimiser has made {self.log.steps} steps since the recorder was made: record"
                " before each step, or leave `n` out."
            )
        return self.log.steps

    @torch.no_grad()
    def record(self, model: nn.Module, n: int | None = None) -> None:
        """Record the model now, as of step number `n`."""
        n, self._passed = self._number(n), None
        W_, A_, beta_ = self._layers(model)
        if self.log is not None and self.reading is None:
            self.reading = read_optimizer(self.log, W_, A_, self.factor)
            self.problem = self.reading.minimised(self.problem)
            self.lawful = self.reading.lawful(self.problem)
        W, A = weight_arrays(real_array("W", W_), real_array("A", A_))
        if W.ndim == 2:
            W, A = W[None], A[None]
        if W.ndim != 3 or W.shape[2] != self.problem.inputs or A.shape[1] != self.problem.teacher.outputs:
            raise ProblemError(
                f"The network has weights W {W.shape[-2:]} and A {A.shape[-2:]}, but the teacher "
                f"{self.problem.inputs} inputs and {self.problem.teacher.outputs} outputs."
            )
        beta = None if beta_ is None else real_array("beta", beta_).reshape(A.shape[:2])
        self._records.append(_Record(n, W, A, beta, self._by_samples(model, W_)))

    def _layers(self, model: nn.Module) -> tuple[Tensor, Tensor, Tensor | None]:
        """W, A and the output bias of the model, if that is trained."""
        W, A, *beta = self.weights(model)
        if bool(beta) and not self.problem.bias:
            raise ProblemError(
                "The network has an output bias, but the problem has none: give it `bias`, a number or 'trainable'."
            )
        if self.problem.bias.trainable and not beta:
            raise ProblemError("`bias` is trainable, but the network has no output bias.")
        return W, A, beta[0] if self.problem.bias.trainable else None

    def run(self, until: int | None = None, *, clock: Clock | None = None, **about: Any) -> TrainingRun:
        """Everything recorded so far, or up to step `until`; `about` is stored with it.

        Times are those of `clock`: by default that of the learning rate and, where `about` names it, the heavy-ball
        `momentum` of the loop.
        """
        if self._passed is not None and self.log is not None and self._passed[1] == self.log.steps:
            self.record(*self._passed)
        records = [r for r in self._records if until is None or r.n <= until]
        if not records:
            raise ProblemError("Nothing was recorded: call the recorder with the model and the step number.")
        steps = np.array([r.n for r in records])
        W, A = (np.stack([getattr(r, name) for r in records], axis=1) for name in "WA")
        measured: dict[str, Any] = {"conserved": None}
        if self.problem.bias.trainable:
            measured["bias"] = np.stack([r.beta for r in records if r.beta is not None], axis=1)
        measured |= {name: np.stack([r.losses[name] for r in records], axis=1) for name in records[0].losses}
        measured |= measured_of_weights(
            self.problem, W, A, measured.get("bias"), by_formula=self._has_formula
        )
        second = with_biases(A, measured.get("bias"))
        if self.problem.weight_decay:
            measured["objective"] = measured["loss"] + self.problem.weight_decay.penalty(W, A)
        if self.reading is not None:
            times, step = self.reading.ticks[steps], self.reading.largest_rate
        else:
            clock = clock or Clock(self.step, about.get("momentum", 0.0))  # type: ignore[arg-type]
            times, step = clock.times(steps), clock.step
        if not self.problem.teacher.given:
            about["labels"] = "given"
        objective = None if self.population is None else self.problem.objective
        if self.reading is not None:
            about = self.reading.about() | {"step": step} | about
            about["no_theory"] = (
                THEORIES["flow"].gap(self.problem)
                if objective is None
                else self.reading.why_not_of(objective, W, second)
            )
            measured["rates"] = self.reading.rates
            found = self._notes_of_theory(about, int(steps[-1]), W[0, 0], A[0, 0])
            if not found and objective is not None:
                found = self.reading.notes(objective, times, W, second)
            about["notes"] = [*about.get("notes", ()), *found]
        elif (
            "optimizer" not in about and objective is not None
        ):  # a loop of somebody's own: only weights are known
            found = speed_notes(objective, times, W, second)
            about["notes"] = [*about.get("notes", ()), *found]
        run = TrainingRun(
            steps,
            times,
            W=W if W.size <= LARGEST_KEPT_WEIGHTS else None,
            A=A,
            loss_measured=self._how,
            unit=self.problem.loss.unit,
            about={"step": step, **about, "versions": versions() | {"torch": torch.__version__}},
            **measured,
        )
        read = self.reading
        of_both = read is None or (all(read.trained) and read.layer_rates == (1.0, 1.0))
        return with_decay_law(run, self.lawful) if of_both else run

    def _notes_of_theory(self, about: Mapping[str, Any], steps: int, W: Array, A: Array) -> list[str]:
        """Why no theory follows the optimiser that was read, in one sentence; nothing if one does."""
        assert self.reading is not None
        if about["no_theory"]:
            return [about["no_theory"]]
        if not (steps and np.isfinite(W).all() and np.isfinite(A).all()):
            return []
        try:
            read_theory(about, self.reading.rates[:steps], read_problem(about, self.problem, W, A))
        except ProblemError as refused:
            return [str(refused)]
        return []

    @property
    def _how(self) -> str:
        """How the loss is measured."""
        data = self.problem.data
        if data is not None:
            held_out = "" if data.X_test is None else f", and on the {len(data.X_test)} held out"
            return f"on all {len(data.X)} samples to train on{held_out}"
        return f"on a test sample of {self.test_samples}" if self.test_samples else "exactly from the weights"

    @property
    def _has_formula(self) -> bool:
        """Whether losses follow from the weights."""
        return self.population is not None and not self.test_samples

    def _by_samples(self, model: nn.Module, like: Tensor) -> dict[str, Array]:
        """Losses of every network for which the model itself must be asked, (S,)."""
        data = self.problem.data
        if self._has_formula:
            return {}
        if data is None:
            return {"loss": self._sample_loss(model, like, "test", self._draw)}
        found = {"loss": self._sample_loss(model, like, "train", lambda: (data.X, data.Y))}
        if data.X_test is not None and data.Y_test is not None:
            held_out = data.X_test, data.Y_test
            found["test_loss"] = self._sample_loss(model, like, "held out", lambda: held_out)
        return found

    def _draw(self) -> tuple[Array, Array]:
        """A noiseless test sample of the law, from a seed of its own: never the samples anybody trains on.

        Classes are their probabilities: losses and shares are means over the labels that may be drawn.
        """
        data = TrainingData(self.problem, batch=self.test_samples, seed=TEST_SEED, expected=True)
        x, y = next(data.batches(torch.float64, "cpu"))
        return x[0].numpy(), y[0].numpy()

    def _sample_loss(
        self, model: nn.Module, like: Tensor, name: str, samples: Callable[[], tuple[Array, Array]]
    ) -> Array:
        """Mean loss on fixed samples, one entry per network, (S,)."""
        if name not in self._samples:
            x, y = (torch.tensor(part, dtype=like.dtype, device=like.device) for part in samples())
            self._samples[name] = x, y
        x, y = self._samples[name]
        f = model(x)
        if f.ndim == 1:  # a module with one output may drop the last axis
            f = f.unsqueeze(-1)
        values = self.problem.loss.value(f, y).sum(-1).mean(-1)
        return np.atleast_1d(values.cpu().to(torch.float64).numpy())


def teacher_outputs(teacher: Teacher | Problem) -> int:
    """Number of outputs of a teacher, or of a problem."""
    return teacher.outputs if isinstance(teacher, Teacher) else teacher.teacher.outputs


def measured_on(problem: Problem, test_samples: int) -> int:
    """Size of the test sample on which a loss is measured; 0 where it is computed from the weights.

    Raises
    ------
    ProblemError
        If there are samples of a data set to measure it on.
    """
    wanted = validate_count("test_samples", test_samples, minimum=0)
    if problem.data is not None:
        if wanted:
            raise ProblemError(
                f"`test_samples` is {wanted}, but `data` brings the samples: hold some of them out instead."
            )
        return 0
    return wanted or (0 if problem.loss_is_known else TEST_SIZE)


@dataclass(frozen=True)
class _Record:
    """S networks at one step: W (S, K, d), A (S, O, K), β (S, O) where it is trained, and what does not follow from
    them, (S,) by name.
    """

    n: int
    W: Array
    A: Array
    beta: Array | None
    losses: dict[str, Array]
