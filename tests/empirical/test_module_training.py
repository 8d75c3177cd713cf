"""Modules in training: steps against loops written out, measures against their definitions, failures kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from dynamics.errors import ComputationError, ProblemError
from empirical.module_training import TrainingPlan, initialised, train_module
from empirical.seeds import data_generator
from empirical.splits import SPLITS, Samples, Splits

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 3))
CLASSES = (X @ RNG.normal(size=(3, 4))).argmax(1)
NUMBERS = X @ RNG.normal(size=(3, 2))
TASKS = {"classes": Splits.random(X, CLASSES, seed=1), "numbers": Splits.random(X, NUMBERS, seed=1)}


def network(outputs: int = 4, seed: int = 0) -> nn.Sequential:
    """Three inputs and a hidden layer."""
    return initialised(
        lambda: nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, outputs)), seed
    ).double()


def sgd(module: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(module.parameters(), lr=0.2)


def mean_loss(name: str, outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Both losses by other functions of PyTorch than those used."""
    if name == "cross-entropy":
        return -outputs.log_softmax(1).gather(1, y[:, None]).mean()
    targets = torch.eye(outputs.shape[1], dtype=outputs.dtype)[y] if y.ndim == 1 else y
    return 0.5 * nn.functional.mse_loss(outputs, targets, reduction="none").sum(1).mean()


@pytest.mark.parametrize(
    ("task", "loss"), [("classes", "cross-entropy"), ("classes", "mse"), ("numbers", "mse")]
)
def test_training_is_the_loop_written_out(task: str, loss: str) -> None:
    """SGD on permutations of the samples in batches of 8, 8, 2; losses and accuracies before, between, after."""
    data = TASKS[task]
    outputs = 4 if task == "classes" else 2
    module, twin = network(outputs, 5), network(outputs, 5)
    run = train_module(module, sgd, data, TrainingPlan(2, 8, loss, seed=3, records=7))
    parts = {n: [torch.from_numpy(a) for a in (getattr(data, n).X, getattr(data, n).y)] for n in SPLITS}
    x, y = parts["train"]
    generator, losses, accuracies = data_generator("cpu", 3, 2), [], []

    def measure() -> None:
        with torch.no_grad():
            found = [(twin(a), b) for a, b in parts.values()]
        losses.append([float(mean_loss(loss, f, b)) for f, b in found])
        accuracies.append([float(np.mean(f.numpy().argmax(1) == b.numpy())) for f, b in found if b.ndim == 1])

    for _ in range(2):
        order = torch.randperm(18, generator=generator)
        for chosen in (order[:8], order[8:16], order[16:]):
            measure()
            gradients = torch.autograd.grad(mean_loss(loss, twin(x[chosen]), y[chosen]), twin.parameters())
            with torch.no_grad():
                for p, g in zip(twin.parameters(), gradients, strict=True):
                    p -= 0.2 * g
    measure()
    assert run.steps.tolist() == list(range(7))
    np.testing.assert_allclose(run.epochs, np.arange(7) / 3)
    np.testing.assert_allclose(run.loss, np.transpose(losses), rtol=1e-12)
    if task == "classes":
        np.testing.assert_allclose(run.accuracy, np.transpose(accuracies), rtol=1e-12)
    else:
        assert run.accuracy is None
    assert (run.parameters, run.failure) == (24 + 7 * outputs, "")


def test_another_seed_is_another_order_and_the_same_seed_the_same_run() -> None:
    """Bit for bit, dropout included, whatever PyTorch's own random state, which is left alone."""
    data, runs = TASKS["classes"], []
    state = torch.get_rng_state()
    for noise, seed in ((0, 1), (9, 1), (0, 2)):
        module = initialised(lambda: nn.Sequential(nn.Linear(3, 6), nn.Dropout(), nn.Linear(6, 4)), 0)
        torch.manual_seed(noise)
        before = torch.get_rng_state()
        runs.append(train_module(module, sgd, data, TrainingPlan(3, 8, seed=seed)).loss)
        assert torch.equal(torch.get_rng_state(), before)
    torch.set_rng_state(state)
    np.testing.assert_array_equal(runs[0], runs[1])
    assert np.abs(runs[0] - runs[2])[:, 1:].min() > 0


def test_initial_weights_follow_from_their_seed() -> None:
    """And nothing else does."""
    state = torch.get_rng_state()
    one, two, other = (network(seed=seed)[0].weight for seed in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_whole_set_is_one_batch() -> None:
    """Batch 0: as many steps as epochs, and no order matters (sums in another order, to rounding)."""
    runs = [train_module(network(), sgd, TASKS["classes"], TrainingPlan(3, 0, seed=s)) for s in (0, 1)]
    assert runs[0].steps.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(runs[0].loss, runs[1].loss, rtol=1e-12)


def test_something_after_every_step() -> None:
    """Weights set to zero after each step: the loss of zero outputs is log 4 for four classes."""

    def erase(module: nn.Module) -> None:
        for p in module.parameters():
            p.zero_()

    run = train_module(network(), sgd, TASKS["classes"], TrainingPlan(1, 8, records=4), after_step=erase)
    np.testing.assert_allclose(run.loss[:, 1:], np.log(4), rtol=1e-12)
    assert np.abs(run.loss[:, 0] - np.log(4)).min() > 1e-3


class Noting(nn.Linear):
    """Notes whether it was called as in training, and with how many samples."""

    def __init__(self) -> None:
        super().__init__(3, 4, dtype=torch.float64)
        self.calls: list[tuple[bool, int]] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls.append((self.training, len(x)))
        return super().forward(x)


def test_modules_are_trained_as_in_training_and_measured_as_in_use() -> None:
    """A look at the outputs; measurements of 18, 6 and 6 samples around steps of 10 and 8; a frozen mode stays."""
    module = Noting()
    train_module(module, sgd, TASKS["classes"], TrainingPlan(1, 10, records=3))
    measured = [(False, 18), (False, 6), (False, 6)]
    assert module.calls == [(False, 1), *measured, (True, 10), *measured, (True, 8), *measured]
    assert module.training
    module.calls.clear()
    train_module(module.eval(), sgd, TASKS["classes"], TrainingPlan(1, 10, records=3))
    assert not any(training for training, _ in module.calls)


class Failing(torch.optim.SGD):
    """Cannot go on after some steps; counts them."""

    def __init__(self, module: nn.Module, steps: int) -> None:
        super().__init__(module.parameters(), lr=0.1)
        self.steps, self.counts = steps, {"done": 0}

    def step(self, closure=None):  # type: ignore[no-untyped-def, override]
        if self.counts["done"] == self.steps:
            raise ComputationError("No way on.")
        self.counts["done"] += 1
        return super().step(closure)


@pytest.mark.parametrize(("steps", "kept"), [(0, [0]), (4, [0, 2, 4]), (5, [0, 2, 4]), (6, [0, 2, 4, 6])])
def test_a_training_that_fails_is_a_result(steps: int, kept: list[int]) -> None:
    """Records up to the failing step are kept, with the reason and what the optimiser counts; 6 steps are all."""
    run = train_module(
        network(), lambda m: Failing(m, steps), TASKS["classes"], TrainingPlan(2, 8, records=4)
    )
    assert run.steps.tolist() == kept
    assert run.failure == ("" if steps == 6 else "No way on.")
    assert run.about["done"] == steps
    assert run.about["batch"] == 8
    assert run.loss.shape == run.accuracy.shape == (3, len(kept))
    assert np.isfinite(run.loss).all()


@pytest.mark.parametrize(("lr", "at"), [(1e2, 2), (1e200, 1)])
def test_divergence_is_found(lr: float, at: int) -> None:
    """Least squares: each step multiplies the loss by about (lr λ)², λ near 1, until it is beyond 10⁶ times the first.

    That is 10⁴ at step 1 and 10⁸ at step 2; or infinite at step 1. Records of that step and of later ones are left out.
    """
    module = initialised(lambda: nn.Linear(3, 2), 0).double()
    plan = TrainingPlan(6, 0, "mse", records=7)
    run = train_module(module, lambda m: torch.optim.SGD(m.parameters(), lr=lr), TASKS["numbers"], plan)
    assert f"at step {at}:" in run.failure
    assert run.steps.tolist() == list(range(at + 1))[: len(run.steps)]
    assert np.isfinite(run.loss).all()
    assert run.failure in run.summary()


def test_a_loss_that_is_lost_in_the_last_step_is_found() -> None:
    """The step's own batch loss was finite: only the measurement after it sees that the weights are not."""
    run = train_module(
        network(),
        sgd,
        TASKS["classes"],
        TrainingPlan(1, 0, records=2),
        after_step=lambda m: next(m.parameters()).fill_(np.nan),
    )
    assert run.steps.tolist() == [0]
    assert "NaN at the end" in run.failure


def test_what_a_run_says() -> None:
    """Parts by name, as recorded last."""
    run = train_module(network(), sgd, TASKS["classes"], TrainingPlan(4, 8, records=3))
    for i, name in enumerate(SPLITS):
        assert run.last(name) == {"loss": run.loss[i, -1], "accuracy": run.accuracy[i, -1]}
        assert f"{name}: loss {run.loss[i, 0]:.4g} → {run.loss[i, -1]:.4g}, accuracy" in run.summary()
    numbers = train_module(network(2), sgd, TASKS["numbers"], TrainingPlan(1, 8, "mse"))
    assert numbers.last("test")["accuracy"] is None
    with pytest.raises(ProblemError, match="train, validation, test"):
        run.last("all")


def test_parts_are_disjoint_and_complete() -> None:
    """30 samples: 6, 3 and the other 21, every one once, with its own label."""
    numbered = np.arange(30.0)[:, None]
    parts = Splits.random(numbered, np.arange(30) % 3, validation=0.2, test=0.1, seed=4)
    assert [len(getattr(parts, name)) for name in SPLITS] == [21, 6, 3]
    joined = np.concatenate([getattr(parts, name).X[:, 0] for name in SPLITS])
    assert sorted(joined) == list(range(30))
    for name in SPLITS:
        part = getattr(parts, name)
        np.testing.assert_array_equal(part.y, part.X[:, 0] % 3)
    again, other = (Splits.random(numbered, numbered, validation=0.2, test=0.1, seed=s) for s in (4, 5))
    np.testing.assert_array_equal(again.test.X, parts.test.X)
    assert not np.array_equal(other.test.X, parts.test.X)


def test_bad_input_is_refused() -> None:
    """One sentence that names the value."""
    data = TASKS["classes"]
    plan = TrainingPlan(1)
    with pytest.raises(ProblemError, match="take 'mse'"):
        train_module(network(2), sgd, TASKS["numbers"], plan)
    with pytest.raises(ProblemError, match=r"shape \(1, 3\), but the labels ask for \(1, 4\)"):
        train_module(network(3), sgd, data, plan)
    with pytest.raises(ProblemError, match=r"shape \(1, 3\), but the labels ask for \(1, 2\)"):
        train_module(network(3), sgd, TASKS["numbers"], TrainingPlan(1, loss="mse"))
    with pytest.raises(ProblemError, match="Flatten has no parameters"):
        train_module(nn.Flatten(), sgd, data, plan)
    for name, value in (("epochs", 0), ("batch", -1), ("seed", -1), ("records", 1), ("loss", "hinge")):
        with pytest.raises(ProblemError, match=f"`{name}` is"):
            TrainingPlan(**({"epochs": 1} | {name: value}))
    with pytest.raises(ProblemError, match="one class"):
        Samples(X, CLASSES[:3])
    with pytest.raises(ProblemError, match="from 0 on"):
        Samples(X, CLASSES - 1)
    with pytest.raises(ProblemError, match="NaN or infinity"):
        Samples(X, np.full(30, np.nan))
    with pytest.raises(ProblemError, match="must be numbers"):
        Samples(X[:, 0], CLASSES)
    with pytest.raises(ProblemError, match="left to train on"):
        Splits.random(X, CLASSES, validation=0.5, test=0.5)
    with pytest.raises(ProblemError, match="Samples of `test` have"):
        Splits(Samples(X, CLASSES), Samples(X, CLASSES), Samples(X, NUMBERS))
