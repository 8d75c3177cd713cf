"""Training with a schedule: PyTorch's own schedulers as the oracle, and the theory that follows it."""

import json

import numpy as np
import pytest
import torch

from dynamics import (
    FluctuatingSGD,
    GradientFlow,
    MeanSGD,
    ModifiedFlow,
    Problem,
    ProblemError,
    Student,
    Teacher,
)
from dynamics.clock import Clock
from dynamics.flows.finite_data import FiniteDataFlow
from dynamics.schedules import Schedule
from empirical import Comparison, TrainingDiverged, TrainingRun, compare, train, train_ensemble
from empirical.data import TrainingData
from empirical.descent import gradient_descent_loss
from empirical.gradients import batch_losses, trained_weights
from empirical.networks import QuadraticNetwork
from empirical.optimizers import OPTIMIZERS
from empirical.practice import Practice

PROBLEM = Problem(Teacher.from_eigenvalues([2, 1], 3), Student.initialise(3, 3, scale=0.4, seed=1))
N = 20


def torchs_own(schedule, momentum, seeds=1):
    """The weights after N steps of torch.optim.SGD and one of its schedulers, on the data that `train` draws."""
    network = QuadraticNetwork.from_student(PROBLEM.student, ensemble=seeds, dtype=torch.float64)
    losses = batch_losses(network, TrainingData(PROBLEM, 8, 0, 0.1, seeds, 5))
    optimizer = torch.optim.SGD(trained_weights(network), lr=0.02, momentum=momentum)
    scheduler = schedule(optimizer)
    for n in range(N):
        optimizer.zero_grad()
        losses(n).sum().backward()
        optimizer.step()
        scheduler.step()
    return network.W.detach().numpy()


LR = torch.optim.lr_scheduler
THEIRS = {
    "constant": lambda o: LR.ConstantLR(o, factor=1.0),
    "cosine": lambda o: LR.CosineAnnealingLR(o, T_max=N),
    "linear": lambda o: LR.LinearLR(o, start_factor=1.0, end_factor=0.0, total_iters=N),
    "step:0.1:0.7": lambda o: LR.MultiStepLR(o, milestones=[14], gamma=0.1),
    "inverse-time:0.5": lambda o: LR.LambdaLR(o, lambda n: 1 / (1 + n / 10)),
    "warmup-cosine:0.2": lambda o: LR.SequentialLR(
        o,
        [
            LR.LinearLR(o, start_factor=0.25, end_factor=1.0, total_iters=3),
            LR.CosineAnnealingLR(o, T_max=N - 4),
        ],
        milestones=[4],
    ),
    "wsd:0.25": lambda o: LR.SequentialLR(
        o,
        [
            LR.ConstantLR(o, factor=1.0),
            LR.LinearLR(o, start_factor=1.0, end_factor=0.0, total_iters=5),
        ],
        milestones=[15],
    ),
}


@pytest.mark.filterwarnings("ignore:The epoch parameter:UserWarning")
@pytest.mark.parametrize("momentum", [0.0, 0.7])
@pytest.mark.parametrize("schedule", THEIRS)
def test_networks_take_the_steps_of_torch(schedule, momentum):
    """The same weights to rounding, whatever the schedule, heavy ball with the rate outside of the velocity too."""
    options = {"steps": N, "step": 0.02, "batch": 8, "label_noise": 0.1, "momentum": momentum, "seed": 5}
    run = train(PROBLEM, schedule=schedule, seeds=2, dtype="float64", **options)
    np.testing.assert_allclose(run.W[:, -1], torchs_own(THEIRS[schedule], momentum, 2), rtol=1e-11)
    clock = Clock(0.02, momentum, schedule, N)
    np.testing.assert_allclose(run.times, clock.times(run.steps), rtol=1e-14)
    assert run.about["schedule"] == Schedule.parse(schedule).name


@pytest.mark.parametrize("optimizer", [name for name, entry in OPTIMIZERS.items() if not entry.shared])
def test_members_of_an_ensemble_have_their_rates_along_the_same_schedule(optimizer):
    steps = (0.01, 0.02, 0.005)
    shared = {
        "steps": 30,
        "batch": 8,
        "schedule": "cosine",
        "optimizer": optimizer,
        "dtype": "float64",
        "records": 4,
    }
    problem = Problem(PROBLEM.teacher, Student(PROBLEM.student.W, [1.0] * 3, trainable=False))  # for Muon
    runs = train_ensemble(problem, step=steps, seed=range(3), **shared)
    for seed, (step, run) in enumerate(zip(steps, runs, strict=True)):
        alone = train(problem, step=step, seed=seed, **shared)
        np.testing.assert_allclose(run.W, alone.W, rtol=1e-9)
        np.testing.assert_allclose(run.times, alone.times, rtol=1e-14)
        assert run.about["schedule"] == "cosine"


def test_rates_of_ones_own():
    """A function, an array, a file: the same as the schedule that they say."""
    options = {"steps": 6, "step": 0.02, "batch": 8, "dtype": "float64"}
    named = train(PROBLEM, schedule="linear", **options)
    own = [1 - n / 6 for n in range(6)]
    for schedule in (own, lambda n: own[n], Schedule.of(own)):
        run = train(PROBLEM, schedule=schedule, **options)
        np.testing.assert_allclose(run.W, named.W, rtol=1e-13)
        assert run.about["schedule"] == "given"
    with pytest.raises(ProblemError, match="has 6 rates, but `steps` is 7"):
        train(PROBLEM, schedule=own, **options | {"steps": 7})


def test_a_run_is_saved_with_its_schedule(tmp_path):
    run = train(PROBLEM, schedule="wsd:0.5", steps=6, step=0.02, batch=8)
    run.save(tmp_path / "run.npz")
    read = TrainingRun.load(tmp_path / "run.npz")
    assert read.about["schedule"] == "wsd:0.5"
    np.testing.assert_array_equal(read.times, run.times)
    assert json.dumps(read.attributes())
    assert Practice.of(read).rates == {"schedule": Schedule.parse("wsd:0.5"), "steps": 6}


def test_divergence_names_the_rate_of_the_moment():
    with pytest.raises(TrainingDiverged, match=r"`step` is 2 times 0\.\d+ there"):
        train(PROBLEM, schedule="warmup-cosine:0.5", steps=400, step=2.0, batch=64)


@pytest.mark.parametrize(
    ("schedule", "momentum"),
    [
        ("warmup-cosine", 0.0),
        pytest.param("cosine", 0.0, marks=pytest.mark.slow),
        pytest.param("cosine", 0.5, marks=pytest.mark.slow),
        pytest.param("warmup-cosine", 0.5, marks=pytest.mark.slow),
    ],
)
def test_trained_networks_follow_the_modified_flow_to_second_order(schedule, momentum):
    """On one data set, all of it in every step: `train` against both flows on that set, over three halvings."""
    data = TrainingData(PROBLEM, batch=0, samples=50, seed=0)
    X, Y = next(data.batches(torch.float64, "cpu"))
    flow = FiniteDataFlow(PROBLEM, X[0].numpy(), Y[0].numpy())
    plain, modified = [], []
    for n in (400 if momentum else 100) * 2 ** np.arange(4):
        step = 0.8 / Clock(1.0, momentum, schedule, n).end
        options = {"steps": n, "step": step, "momentum": momentum, "schedule": schedule}
        run = train(PROBLEM, batch=0, samples=50, dtype="float64", **options)
        corrected = ModifiedFlow(flow, step, momentum, schedule=schedule, steps=n)
        for errors, theory in ((plain, flow), (modified, corrected)):
            errors.append(np.abs(run.loss[0] - theory.integrate(times=run.times, rtol=1e-9).loss).max())
    np.testing.assert_allclose(np.log2(np.array(plain)[1:-1] / plain[2:]), 1, atol=0.1)
    np.testing.assert_allclose(np.log2(np.array(modified)[1:-1] / modified[2:]), 2, atol=0.1)


def test_descent_on_the_population_loss():
    """Written out, at steps other than all."""
    flow, clock = GradientFlow(PROBLEM), Clock(0.02, 0.5, "linear", N)
    theta, v = flow.theta0, 0.0
    for n in range(13):
        v = 0.5 * v - flow(0.0, theta)
        theta = theta - clock.rates[n] * v
    found = gradient_descent_loss(flow, 0.02, np.array([0, 13]), 0.5, schedule="linear", steps=N)
    np.testing.assert_allclose(found, [flow.loss(flow.theta0), flow.loss(theta)], rtol=1e-13)


@pytest.mark.parametrize("theory", ["flow", "modified", "sgd"])
def test_comparison_takes_the_theory_of_the_schedule(theory):
    options = {"steps": 20, "step": 0.01, "batch": 64, "schedule": "cosine", "gap": "training", "records": 5}
    found = compare(PROBLEM, theory=theory, **options)
    rates = {"schedule": "cosine", "steps": 20}
    expected = {
        "flow": GradientFlow(PROBLEM),
        "modified": ModifiedFlow(PROBLEM, 0.01, **rates),
        "sgd": FluctuatingSGD(PROBLEM, 0.01, 64, **rates),
    }[theory].integrate(times=found.run.times)
    np.testing.assert_allclose(found.trajectory.loss, expected.loss, rtol=1e-9)


def test_the_gap_follows_the_schedule(tmp_path):
    """Times on the clock; a finite step and noise along the schedule."""
    options = {"steps": 60, "step": 0.01, "batch": 64, "seeds": 4, "schedule": "cosine", "records": 20}
    found = compare(PROBLEM, **options)
    clock = Clock(0.01, 0.0, "cosine", 60)
    np.testing.assert_allclose(found.run.times, clock.times(found.run.steps))
    rates = {"schedule": "cosine", "steps": 60}
    modified = ModifiedFlow(PROBLEM, 0.01, **rates).integrate(times=found.run.times)
    np.testing.assert_allclose(found.gap.discretised, modified.loss, rtol=1e-9)
    sgd = FluctuatingSGD(PROBLEM, 0.01, 64, **rates).integrate(times=found.run.times)
    np.testing.assert_allclose(found.gap.with_noise, sgd.loss, rtol=1e-4)
    descent = gradient_descent_loss(GradientFlow(PROBLEM), 0.01, found.run.steps, **rates)
    np.testing.assert_allclose(found.gap.truncation, np.abs(descent - modified.loss), atol=1e-9)
    found.save(tmp_path / "c.npz")
    read = Comparison.load(tmp_path / "c.npz")
    assert read.run.about["schedule"] == "cosine"
    np.testing.assert_array_equal(read.trajectory.times, found.trajectory.times)


def test_comparison_with_rates_of_ones_own():
    """They have no name that could be read again: the gap is given them."""
    own = np.linspace(1, 0.2, 40)
    found = compare(PROBLEM, schedule=own, steps=40, step=0.01, batch=64, seeds=2)
    modified = ModifiedFlow(PROBLEM, 0.01, schedule=own, steps=40).integrate(times=found.run.times)
    np.testing.assert_allclose(found.gap.discretised, modified.loss, rtol=1e-9)


@pytest.mark.slow
def test_mean_of_sgd_along_a_schedule():
    """K = 2, d = 200, B = 4, warm-up and cosine, 48 networks: mean loss within 4 standard errors, flow far away."""
    W = np.random.default_rng(0).standard_normal((2, 200)) / np.sqrt(200) / 2
    W[:, :2] = [[0.6, 0.3], [-0.2, 0.5]]
    problem = Problem(Teacher.from_eigenvalues([1, 0.5], 200), Student(W, [1, 1], trainable=False))
    rates = {"schedule": "warmup-cosine:0.3", "steps": 1500}
    run = train(
        problem, step=1e-3, batch=4, label_noise=0.2, seeds=48, record_at=np.arange(0, 1501, 300), **rates
    )
    theory = FluctuatingSGD(problem, 1e-3, 4, 0.2, **rates).integrate(times=run.times)
    measured, error = run.loss.mean(axis=0), run.loss.std(axis=0, ddof=1) / np.sqrt(48)
    assert (np.abs(measured - theory.loss) <= 4 * error + 1e-6).all()
    assert error[-1] < 0.05 * measured[-1]
    flow = GradientFlow(problem).integrate(times=run.times)
    assert abs(measured[-1] - flow.loss[-1]) > 10 * error[-1]
    constant = MeanSGD(problem, 1e-3, 4, 0.2).integrate(times=run.times)
    assert abs(measured[-1] - constant.loss[-1]) > 10 * error[-1]


def test_compare_where_time_stands_still():
    """Rates of zero before, amid and after: records once for each time, the start among them, as by hand."""
    problem = Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(2, 2, scale=0.5, seed=3))
    rates = [0, 0, 1, 0, 0.5, 1, 0, 0]
    options = {"step": 0.01, "schedule": rates, "records": 9, "batch": 4, "samples": 16, "dtype": "float64"}
    found = compare(problem, steps=8, theory="modified", **options)
    assert found.run.steps.tolist() == [0, 4, 5, 8]
    np.testing.assert_allclose(found.run.times, [0, 0.01, 0.015, 0.025], rtol=1e-12)
    alone = train(problem, steps=8, **options)
    np.testing.assert_array_equal(found.run.loss, alone.loss[:, found.run.steps])
    assert found.gap is not None and found.gap.times.shape == found.gap.measured.shape == (4,)
    late = compare(problem, steps=40, step=0.01, schedule="step:0:0.5", records=5)
    assert late.run.steps.tolist() == [0, 10, 40]
