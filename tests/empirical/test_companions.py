"""What the twin experiment, Han layers and the checkerboard report: made-up results, and how steps are chosen."""

import numpy as np
import pytest

from empirical.experiments.invariance import Invariance, invariance
from empirical.hannet.check import HanCheck
from empirical.hannet.checkerboard import Board, CheckerboardRun, TrainedClassifier, train_checkerboard


def twins(**changes):
    given = {
        "steps": np.array([0, 5]),
        "path_difference": {"gsgd": np.array([0, 1e-15]), "sgd": np.array([0, 0.25])},
        "function_difference": {"gsgd": np.array([0, 2e-15]), "sgd": np.array([0, 0.125])},
        "loss": {"gsgd": np.array([[4.0, 1], [4, 2]]), "sgd": np.array([[4.0, 3], [4, 5]])},
        **{"edges": 20, "hidden_units": 4, "basis_paths": 16, "rebases": (1, 2), "about": {"step": 0.01234}},
    }
    return Invariance(**(given | changes))


def test_twins_after_the_last_step():
    assert twins().to_dict() == {
        "gsgd": {
            "path_difference": 1e-15,
            "function_difference": 2e-15,
            "loss": [1.0, 2.0],
            "rebases": [1, 2],
        },
        "sgd": {"path_difference": 0.25, "function_difference": 0.125, "loss": [3.0, 5.0]},
        **{"basis_paths": 16, "edges": 20, "hidden_units": 4, "steps": 5, "step": 0.01234, "warnings": []},
    }
    assert twins().summary().split("\n") == [
        "20 edges, 4 hidden units, 16 basis paths; 5 steps of 0.0123",
        "G-SGD: path values of the two copies differ by 1.00e-15, functions by 2.00e-15 (relative)",
        "SGD: path values of the two copies differ by 2.50e-01, functions by 1.25e-01 (relative)",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"path_difference": {"gsgd": np.array([0, 1.0]), "sgd": np.array([0, np.nan])}},
        {"loss": {"gsgd": np.ones((2, 2)), "sgd": np.array([[4.0, 1], [4, np.inf]])}},
    ],
)
def test_a_copy_that_diverged(changes):
    found = twins(**changes).to_dict()
    assert found["sgd"] == {"path_difference": None, "function_difference": None, "loss": None}
    assert found["gsgd"]["path_difference"] is not None
    assert found["warnings"] == ["sgd diverged: take a smaller step than 0.0123."]


def test_the_default_step_is_a_tenth_of_the_smaller_bound(monkeypatch):
    """Of the two copies' largest stable steps, 3 and 0.2; a given step is taken as it is."""
    bounds = iter((3.0, 0.2))
    monkeypatch.setattr("empirical.experiments.invariance._largest_stable_step", lambda *_: next(bounds))
    result = invariance(2, 2, 1, steps=1)
    assert result.about["step"] == pytest.approx(0.02)
    assert invariance(2, 2, 1, steps=1, step=0.03).about["step"] == 0.03
    assert result.about | {"step": 0} == {
        **{"widths": (2, 2, 1), "activation": "relu", "step": 0, "batch": 64, "spread": 2.0, "seed": 0}
    }


def test_factors_are_spread_evenly_in_their_logarithm(monkeypatch):
    """Of 400 units, from 1/spread to spread: mean of log c 0 and variance log² 3 / 3, within 4 standard errors."""
    import empirical.experiments.invariance as module

    seen = []
    original = module.rescale

    def keep(weights, factors, degree):
        seen.extend(factors)
        return original(weights, factors, degree)

    monkeypatch.setattr(module, "rescale", keep)
    invariance(2, 400, 1, steps=1, step=1e-6, batch=1, spread=3.0)
    u = np.log(np.concatenate(seen)) / np.log(3)
    assert np.abs(u).max() <= 1
    assert abs(u.mean()) < 4 / np.sqrt(3 * 400)
    assert u.var() == pytest.approx(1 / 3, abs=4 * np.sqrt((1 / 5 - 1 / 9) / 400))


def test_sixty_one_records_by_default():
    assert len(invariance(2, 2, 1, steps=120, batch=8).steps) == 61
    result = invariance(2, 2, 1, steps=7, batch=8, records=3)
    assert result.steps.tolist() == [0, 4, 7]
    assert result.loss["sgd"].shape == (2, 3)
    assert result.path_difference["gsgd"].shape == (3,)


def test_promises_of_han_layers_in_words():
    check = HanCheck(
        np.array([1 + 3e-13, 1.0, 1 - 2e-13]),
        4e-15,
        np.array([2e-6, 1e-6]),
        {"hannet": 3032, "dense": 51002},
        {"hannet": 1.0, "relu": 0.5004},
        {"hannet": np.array([[1.0, 1]] * 3), "relu": np.array([[1e-3, 1], [2e-3, 1], [9e-3, 1]])},
        {"layers": 200, "width": 30, "step": 0.01},
    )
    assert check.to_dict() == {
        **{"singular_values": [1 - 2e-13, 1 + 3e-13], "norm_drift": 4e-15, "layers": 200, "width": 30},
        "norm_growth": {"step": 0.01, "relative": 2e-6, "relative_at_half_step": 1e-6},
        "parameters": {"hannet": 3032, "dense": 51002},
        "activation_ratio": {"hannet": 1.0, "relu": 0.5004},
        **{"gradient_ratio": {"hannet": 1.0, "relu": 2e-3}, "warnings": []},
    }
    assert check.summary().split("\n") == [
        "singular values through 200 Han layers: 1 within 3.0e-13",
        "‖u‖² in gradient descent: drift 4.0e-15 beyond the 2.0e-06 that the step explains "
        "(1.0e-06 with half the step)",
        "parameters: HanNet 3032, dense 51002",
        "activation ratio: HanNet 1.000, ReLU 0.500",
        "gradient at the first layer relative to the last (median): hannet 1, relu 0.002",
    ]


def test_the_checkerboard_in_words():
    """Accuracies in per cent, the last loss, whole seconds."""

    def network(accuracy):
        return TrainedClassifier(
            np.zeros((81, 81)), 0.98765, accuracy, np.array([1, 2]), np.array([0.5, 0.25]), 7, 0.1, 1.6
        )

    run = CheckerboardRun(Board.create(), {"hannet": network(0.99), "dense": network(0.9)}, {"steps": 2})
    assert run.summary().split("\n") == [
        "HanNet: 7 parameters, test accuracy 99.00 %, training accuracy 98.77 %, 2 s",
        "dense network: 7 parameters, test accuracy 90.00 %, training accuracy 98.77 %, 2 s",
    ]
    found = run.to_dict()
    assert found["dense"] == {
        **{"test_accuracy": 0.9, "train_accuracy": 0.98765, "parameters": 7, "loss": 0.25},
        **{"step": 0.1, "seconds": 1.6},
    }
    assert (found["steps"], found["warnings"]) == (2, [])


def test_records_of_the_checkerboard():
    """A hundred over the run; a run of fewer steps has one for each; what was chosen is told."""
    run = train_checkerboard(steps=5, step=0.01, dense_step=0.02, batch=10, squares=12, seed=1)
    for name, step in (("hannet", 0.01), ("dense", 0.02)):
        assert run.networks[name].steps.tolist() == [1, 2, 3, 4, 5]
        assert len(run.networks[name].loss) == 5
        assert run.networks[name].step == step
    assert run.about == {"steps": 5, "batch": 10, "squares": 12, "seed": 1}
    np.testing.assert_array_equal(run.board.labels, Board.create(12, 1).labels)
    np.testing.assert_array_equal(run.board.train, Board.create(12, 1).train)
