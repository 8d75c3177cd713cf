"""The checkerboard problem: its data by definition, its training, its acceptance number."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from dynamics.errors import ComputationError, ProblemError
from empirical.hannet.checkerboard import (
    Board,
    CheckerboardRun,
    TrainedClassifier,
    step_factor,
    train_checkerboard,
)
from empirical.hannet.layers import DenseNet, HanNet


@pytest.mark.parametrize("squares", [8, 12])
def test_board_by_its_definition(squares: int) -> None:
    """Fields of side 1.8/n on [−0.9, 0.9)², label 1 where the sum of the field indices is odd, 0 outside."""
    board = Board.create(squares)
    assert board.x.shape == (6561, 2) and np.abs(board.x).max() == 1.0
    for (x1, x2), label in zip(board.x, board.labels, strict=True):
        i, j = (np.floor((x + 0.9 + 1e-9) / (1.8 / squares)) for x in (x1, x2))
        inside = 0 <= i < squares and 0 <= j < squares
        assert label == (inside and (i + j) % 2 == 1)
    assert board.labels.sum() == 72**2 // 2


def test_split() -> None:
    """1,640 training and 4,921 test points that share none and leave none; the seed decides which."""
    board = Board.create(seed=1)
    assert len(board.train) == 1640 and len(board.test) == 4921
    np.testing.assert_array_equal(np.sort(np.concatenate([board.train, board.test])), np.arange(81**2))
    assert not np.array_equal(board.train, Board.create(seed=2).train)
    np.testing.assert_array_equal(Board.create().train, Board.create(8, 0).train)


def test_same_seed_same_networks() -> None:
    """Bit for bit; another seed gives others. The caller's random numbers are left alone."""
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    a, b, c = (train_checkerboard(steps=20, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(torch.rand(3), expected)
    for name in ("hannet", "dense"):
        np.testing.assert_array_equal(a.networks[name].surface, b.networks[name].surface)
        assert np.abs(a.networks[name].surface - c.networks[name].surface).max() > 1e-3


def test_short_training() -> None:
    """Better than guessing the majority (60.5 %) after 1,500 steps, and reported as promised."""
    run = train_checkerboard(steps=1500, seed=3)
    summary = run.to_dict()
    for name, count in (("hannet", 3032), ("dense", 51002)):
        network = run.networks[name]
        assert summary[name]["parameters"] == count
        assert network.loss[-1] < network.loss[0]
        assert network.steps.tolist() == list(range(15, 1501, 15))  # a hundred records
        # The reported accuracies are those of the surface that is drawn.
        correct = (network.surface.ravel() > 0.5) == (run.board.labels == 1)
        assert summary[name]["test_accuracy"] == np.mean(correct[run.board.test]) > 0.68
        assert summary[name]["train_accuracy"] == np.mean(correct[run.board.train])
    json.dumps(summary, allow_nan=False)
    assert "3032 parameters" in run.summary()


def test_step_factor() -> None:
    """Linear warm-up over 750 steps, then 1, 0.2, 0.04, 0.008 from 50, 70 and 90 % of the run on."""
    steps = [0, 75, 375, 750, 5000, 7500, 10_499, 10_500, 13_500, 15_000]
    expected = [0, 0.1, 0.5, 1, 1, 0.2, 0.2, 0.04, 0.008, 0.008]
    np.testing.assert_allclose([step_factor(n, 15_000) for n in steps], expected)


def test_training_is_repeated_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heavy ball v ← 0.9 v + ∇L, θ ← θ − η v, with the rate of each step, on the same rows of the training points.

    Both networks start from the seed, each with a rate of its own; batches are drawn from the stream (seed, 1), the
    last rows of a pass that fill no batch are left out. Five records in 11 steps: every second step, whose loss is
    the mean of two batches.
    """
    monkeypatch.setattr("empirical.hannet.checkerboard.RECORDS", 5)
    monkeypatch.setattr("empirical.hannet.checkerboard.WARM_UP", 5)
    run = train_checkerboard(steps=11, step=0.1, dense_step=0.05, batch=600, seed=2)
    board = Board.create(8, 2)
    x, y = torch.from_numpy(board.x).float(), torch.from_numpy(board.labels).float()[:, None].expand(-1, 2)
    for name, make, rate in (("hannet", HanNet, 0.1), ("dense", DenseNet, 0.05)):
        torch.manual_seed(2)
        network, rng = make(), np.random.default_rng([2, 1])
        velocity = [torch.zeros_like(p) for p in network.parameters()]
        losses: list[float] = []
        while len(losses) < 11:
            order = rng.permutation(board.train)
            for rows in (order[:600], order[600:1200]):
                loss = (network(x[rows]) - y[rows]).square().mean()
                gradients = torch.autograd.grad(loss, list(network.parameters()))
                with torch.no_grad():
                    for p, v, g in zip(network.parameters(), velocity, gradients, strict=True):
                        v.mul_(0.9).add_(g)
                        p -= rate * step_factor(len(losses), 11) * v
                losses.append(float(loss.detach()))
        found = run.networks[name]
        assert found.steps.tolist() == list(range(2, 11, 2))
        np.testing.assert_allclose(found.loss, np.reshape(losses[:10], (5, 2)).mean(1), rtol=1e-4)
        assert found.step == rate
    assert run.about == {"steps": 11, "batch": 600, "squares": 8, "seed": 2}


def test_what_a_run_says() -> None:
    """The last loss, accuracies in per cent, both networks by name."""
    networks = {
        name: TrainedClassifier(
            np.zeros((81, 81)), 0.9, accuracy, np.array([1, 2]), np.array([0.5, 0.25]), count, 0.1, 2.6
        )
        for name, accuracy, count in (("hannet", 0.875, 30), ("dense", 0.5, 50))
    }
    run = CheckerboardRun(Board.create(), networks, {"steps": 2, "seed": 5})
    assert run.summary().split("\n") == [
        "HanNet: 30 parameters, test accuracy 87.50 %, training accuracy 90.00 %, 3 s",
        "dense network: 50 parameters, test accuracy 50.00 %, training accuracy 90.00 %, 3 s",
    ]
    shared = {"train_accuracy": 0.9, "loss": 0.25, "step": 0.1, "seconds": 2.6}
    assert run.to_dict() == {
        "hannet": {"test_accuracy": 0.875, "parameters": 30, **shared},
        "dense": {"test_accuracy": 0.5, "parameters": 50, **shared},
        **{"steps": 2, "seed": 5, "warnings": []},
    }


@pytest.mark.parametrize(("options", "name"), [({"step": 10.0}, "hannet"), ({"dense_step": 50.0}, "dense")])
def test_divergence_is_reported(options: dict[str, float], name: str) -> None:
    """A step of 10 explodes within the first records, for either network."""
    (step,) = options.values()
    with pytest.raises(
        ComputationError, match=rf"The {name} network diverged at step \d+: take a step below {step:g}\."
    ):
        train_checkerboard(steps=100, batch=20, **options)


def test_bad_input_is_refused() -> None:
    """One sentence that names the value and what is allowed."""
    with pytest.raises(ProblemError, match="must divide 72"):
        train_checkerboard(squares=7)
    with pytest.raises(
        ProblemError, match=r"`squares` is 7.* must divide 72: 1, 2, 3, 4, 6, 8, 9, 12, 18, 24, 36, 72"
    ):
        Board.create(7)
    with pytest.raises(ProblemError, match="`seed` is -1"):
        Board.create(seed=-1)
    with pytest.raises(ProblemError, match="only 1640"):
        train_checkerboard(batch=2000)
    for name in ("steps", "batch", "squares"):
        with pytest.raises(ProblemError, match=f"`{name}` is 0, but must be at least 1"):
            train_checkerboard(**{name: 0})  # type: ignore[arg-type]
    for name in ("step", "dense_step"):
        with pytest.raises(ProblemError, match=f"`{name}` is 0, but must be positive"):
            train_checkerboard(**{name: 0.0})  # type: ignore[arg-type]
    # every training point at once is the largest batch
    assert train_checkerboard(steps=1, batch=1640).about["batch"] == 1640


@pytest.mark.slow
def test_hannet_reaches_95_per_cent() -> None:
    """The documented command's call: at least 95 % of the test points for the HanNet, fewer for the dense network.

    Measured: at least 98.0 % for seeds 0 … 7, so that other rounding elsewhere leaves room above 95 %.
    """
    run = train_checkerboard()
    assert run.networks["hannet"].test_accuracy >= 0.95
    assert run.networks["dense"].test_accuracy < run.networks["hannet"].test_accuracy
