"""Training of networks of one's own, and its comparison with their flow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from dynamics.errors import ProblemError
from dynamics.networks import NetworkFlow, NetworkProblem
from empirical import TrainingDiverged
from empirical.polynomial import NetworkRun, PowerUnits, compare_network, from_sequential, train_network
from empirical.polynomial.data import NetworkData
from tests.dynamics.networks.cases import problem

DOUBLE = {"dtype": "float64"}


def by_hand(given, X, Y, step, steps, momentum=0.0):
    """Gradient descent on samples, written out with NumPy's slopes, which other tests hold to differences."""
    theta, v = given.theta0.copy(), 0.0
    loss = given.on(X, Y)
    for _ in range(steps):
        v = momentum * v + loss.gradient(theta)
        theta = theta - step * v
    return theta


@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
def test_training_on_whole_sets_is_descent(optimizer):
    """Each network's own samples, step by step in NumPy; with weight decay."""
    given = problem("biases", weight_decay=0.2)
    run = train_network(
        given,
        steps=20,
        step=0.001,
        batch=0,
        samples=30,
        seeds=3,
        seed=5,
        label_noise=0.1,
        optimizer=optimizer,
        **DOUBLE,
    )
    beta = 0.9 if optimizer == "momentum" else 0.0
    X, Y = (part.numpy() for part in next(NetworkData(given, 0, 30, 0.1, 3, 5).batches(torch.float64, "cpu")))
    for s in range(3):
        expected = by_hand(given, X[s], Y[s], 0.001, 20, beta)
        assert run.theta[s, -1] == pytest.approx(expected, rel=1e-10, abs=1e-12)
        assert run.loss[s, -1] == pytest.approx(given.population.loss(run.theta[s, -1]), rel=1e-13)
    assert run.times[-1] == pytest.approx(20 * 0.001 / (1 - beta))


def test_labels_and_noise():
    """Labels are the target's, plus noise of the variance asked for: within 5 σ of 4000 numbers."""
    given = NetworkProblem("attention:2,2,1", "x_0*x_2; x_1**3")
    x, y = (
        part.numpy() for part in next(NetworkData(given, 2000, 0, 0.25, 1, 0).batches(torch.float64, "cpu"))
    )
    noise = y[0] - given.target(x[0])
    assert abs(np.var(noise) / 0.25 - 1) < 5 * np.sqrt(2 / 4000)
    assert np.abs(x[0].mean(axis=0)).max() < 5 / np.sqrt(2000)
    plain = next(NetworkData(given, 20, 0, 0.0, 2, 0).batches(torch.float64, "cpu"))
    assert plain[1][1].numpy() == pytest.approx(given.target(plain[0][1].numpy()), rel=1e-12)


def test_correlated_inputs_are_drawn():
    """Covariance of 20,000 draws within 5 standard errors, √((σ_ii σ_jj + σ_ij²)/n)."""
    Sigma = np.array([[2.0, 0.6], [0.6, 1.0]])
    given = NetworkProblem("w*x_0*x_1", "x_0*x_1", covariance=Sigma)
    x = next(NetworkData(given, 20_000).batches(torch.float64, "cpu"))[0][0].numpy()
    bar = np.sqrt((np.outer(np.diag(Sigma), np.diag(Sigma)) + Sigma**2) / 20_000)
    assert (np.abs(x.T @ x / 20_000 - Sigma) < 5 * bar).all()


def test_mini_batches_go_through_the_set():
    """Of five samples in batches of two each pass sees every sample once, in an order of its own for each network."""
    given = problem("bilinear")
    data = NetworkData(given, 2, 5, 0.0, 2, 0)
    whole = next(NetworkData(given, 0, 5, 0.0, 2, 0).batches(torch.float64, "cpu"))[0].numpy()
    batches = data.batches(torch.float64, "cpu")
    for _ in range(2):
        seen = np.concatenate([next(batches)[0].numpy() for _ in range(3)], axis=1)
        for s in range(2):
            assert sorted(map(tuple, seen[s])) == sorted(map(tuple, whole[s]))


def test_seeds_do_not_know_of_each_other():
    """The second of three networks trains as the second of two."""
    given = problem("expression")
    runs = [train_network(given, steps=5, step=0.01, batch=8, seeds=S, **DOUBLE) for S in (2, 3)]
    assert runs[0].theta[1] == pytest.approx(runs[1].theta[1], rel=1e-12)
    assert not np.allclose(runs[1].theta[1, -1], runs[1].theta[2, -1])


def test_a_users_sequential_lies_on_the_flow():
    """nn.Sequential(Linear, Square, Linear, Square, Linear) in two calls: the mean within its error bar of the theory.

    With fresh batches the error bar is three standard errors of the mean over networks plus the effect of the step,
    the difference between flow and modified flow, at every record.
    """
    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Linear(3, 4, bias=False),
        PowerUnits(2),
        nn.Linear(4, 3, bias=False),
        PowerUnits(2),
        nn.Linear(3, 1, bias=False),
    )
    network, theta = from_sequential(model)
    comparison = compare_network(
        NetworkProblem(network, "x_0**2*x_1**2 - x_2**2", theta),
        steps=300,
        step=5e-4,
        batch=512,
        seeds=8,
        records=20,
    )
    gap = comparison.gap
    bar = 3 * gap.standard_error + 2 * np.abs(gap.discretisation) + 1e-6 * comparison.initial_loss
    assert (np.abs(gap.measured - gap.flow) <= bar).all()
    assert comparison.trajectory.loss[-1] < 0.99 * comparison.initial_loss  # and something was learned
    assert comparison.relative_error["loss_sup"] < 0.05


def test_the_gap_on_finite_sets_is_explained():
    """Whole sets with noisy labels: step and data account for the run up to O(η²), the data move it tenfold."""
    given = problem("attention", 0.4)
    sets = {"batch": 0, "samples": 100, "label_noise": 2.0, "seeds": 4, "records": 15, **DOUBLE}
    comparison = compare_network(given, steps=100, step=1e-3, **sets)
    gap = comparison.gap
    assert gap.sources["finite_data"] == "modified flow on each network's data set"
    assert np.abs(gap.sampling_noise).max() == 0
    worst = np.abs(gap.remainder).max()
    assert worst < 0.1 * np.abs(gap.finite_data).max()
    assert worst < 2e-3 * comparison.initial_loss
    # second order in the step: half of it leaves a quarter
    finer = compare_network(given, steps=200, step=5e-4, **sets)
    assert worst / np.abs(finer.gap.remainder).max() == pytest.approx(4, rel=0.35)


def test_the_modified_flow_as_theory():
    """Descent on whole sets is nearer to it than to the flow; and a schedule is followed."""
    given = NetworkProblem("a*(w*x_0)**2", "x_0**2", [0.4, 0.6])
    arguments = {
        "steps": 40,
        "step": 0.02,
        "batch": 4000,
        "seeds": 8,
        "records": 9,
        "schedule": "linear",
        **DOUBLE,
    }
    plain = compare_network(given, **arguments)
    modified = compare_network(given, theory="modified", **arguments)
    assert plain.trajectory.theory == "flow" and modified.trajectory.theory == "modified"
    descent = modified.gap.truncation  # distance of the modified flow from descent on the population loss
    assert descent.max() < 0.2 * np.abs(modified.gap.discretisation).max()
    assert plain.run.times[-1] == pytest.approx(0.02 * 40 / 2, rel=0.1)


def test_what_is_left_of_a_divergence():
    """The error says at which step, and holds the record up to there."""
    with pytest.raises(TrainingDiverged, match="take a smaller one") as caught:
        train_network(problem("deep quadratic", 1.0), steps=200, step=10.0, batch=16)
    assert caught.value.run.steps[-1] < caught.value.step


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"optimizer": "gsgd"}, "two-layer"),
        ({"optimizer": "natural"}, "two-layer"),
        ({"optimizer": "muon"}, "two-layer"),
        ({"optimizer": "normalised"}, "two-layer"),
        ({"batch": 0}, "whole set"),
        ({"batch": 9, "samples": 5}, "only 5 samples"),
        ({"step": -1.0}, "positive"),
    ],
)
def test_what_cannot_be_trained_is_refused(arguments, word):
    with pytest.raises(ProblemError, match=word):
        train_network(problem("expression"), **{"steps": 3, "step": 0.01, **arguments})


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sign", "nesterov"])
def test_other_optimisers_train(optimizer):
    """They lower the loss of a small problem; those without a theory are not compared with one."""
    given = NetworkProblem("a*(w*x_0)**2", "x_0**2", [0.5, 0.7])
    run = train_network(given, steps=100, step=5e-3, batch=256, optimizer=optimizer)
    assert run.loss[0, -1] < 0.5 * run.loss[0, 0]
    if optimizer != "nesterov":
        with pytest.raises(ProblemError, match="without a theory"):
            compare_network(given, steps=3, step=0.01, optimizer=optimizer)


def test_a_run_is_kept_in_a_file(tmp_path):
    given = replace(problem("attention"), weight_decay=0.1)
    run = train_network(given, steps=10, step=1e-3, batch=16, seeds=2, records=3)
    run.save(tmp_path / "run.npz")
    again = NetworkRun.load(tmp_path / "run.npz")
    assert np.array_equal(again.theta, run.theta) and again.about == run.about
    assert again.problem.population.loss(again.theta[0, -1]) == pytest.approx(run.loss[0, -1], rel=1e-13)
    assert again.conserved_drift == run.conserved_drift


def test_losses_of_weights_that_left_the_span():
    """One unit on 40 inputs is measured in the span of its weights and the target: the trace formula of the form."""
    given = NetworkProblem("deep-quadratic:40,1,1", "x_0**2", init_scale=0.7)
    run = train_network(given, steps=5, step=0.01, batch=16, records=2, **DOUBLE)
    W, a = given.network.unpack(run.theta[0, -1])
    D = -a[0, 0] * np.outer(W[0], W[0])
    D[0, 0] += 1
    assert run.loss[0, -1] == pytest.approx(0.5 * np.trace(D) ** 2 + np.sum(D**2), rel=1e-12)
    flow = NetworkFlow(given)
    assert flow.theta0.size == 2 + 1  # two directions and the second layer
