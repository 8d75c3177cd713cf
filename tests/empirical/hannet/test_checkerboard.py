"""The checkerboard problem: its data by definition, its training, its acceptance number."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from dynamics.errors import ComputationError, ProblemError
from empirical.hannet.checkerboard import NETWORKS, Board, step_factor, train_checkerboard


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


def test_the_first_step_has_the_rate_of_the_schedule_at_zero() -> None:
    """Which is zero: after one step both networks are what their makers give for the seed."""
    run = train_checkerboard(steps=1, seed=5)
    x = torch.from_numpy(run.board.x).float()
    for name, make in NETWORKS.items():
        torch.manual_seed(5)
        with torch.no_grad():
            expected = make()(x).mean(-1).double().numpy()
        np.testing.assert_array_equal(run.networks[name].surface.ravel(), expected)


def test_divergence_is_reported() -> None:
    """A step of 10 explodes within the first records."""
    with pytest.raises(ComputationError, match="hannet network diverged"):
        train_checkerboard(steps=200, step=10.0)


def test_bad_input_is_refused() -> None:
    """One sentence that names the value and what is allowed."""
    with pytest.raises(ProblemError, match="must divide 72"):
        train_checkerboard(squares=7)
    with pytest.raises(ProblemError, match="only 1640"):
        train_checkerboard(batch=2000)
    with pytest.raises(ProblemError, match="steps"):
        train_checkerboard(steps=0)


@pytest.mark.slow
def test_hannet_reaches_95_per_cent() -> None:
    """The documented command's call: at least 95 % of the test points for the HanNet, fewer for the dense network.

    Measured: at least 98.0 % for seeds 0 … 7, so that other rounding elsewhere leaves room above 95 %.
    """
    run = train_checkerboard()
    assert run.networks["hannet"].test_accuracy >= 0.95
    assert run.networks["dense"].test_accuracy < run.networks["hannet"].test_accuracy
