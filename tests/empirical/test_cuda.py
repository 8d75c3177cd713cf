"""Training on a GPU: the same curves as the theory's, where one is there; skipped elsewhere."""

import warnings
from itertools import chain

import numpy as np
import pytest
import torch
from torch import nn

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.flows.modified import ModifiedFlow
from dynamics.inputs.data_set import DataSet
from dynamics.inputs.laws import Mixture
from empirical import Recorder, compare, train, train_ensemble
from empirical.data import TrainingData
from empirical.descent import descent_loss
from empirical.networks import QuadraticNetwork
from empirical.optimizers import OPTIMIZERS
from empirical.optimizers.base import Chosen
from empirical.practice import Practice, data_sets

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")

PROBLEM = Problem(Teacher.from_eigenvalues([2, 1], 4), Student.initialise(3, 4, scale=0.4, seed=1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "gsgd"])
def test_training_follows_the_theory(optimizer, dtype):
    """16 networks on batches of 4096 against the modified flow, in standard errors of their mean and O(η²)."""
    if optimizer == "gsgd":
        problem = Problem(PROBLEM.teacher, Student(PROBLEM.student.W + 1, PROBLEM.student.A + 1), "relu")
        run = train(
            problem, steps=20, step=1e-3, batch=4096, seeds=2, device="cuda", dtype=dtype, optimizer="gsgd"
        )
        assert run.loss[:, -1].max() < run.loss[:, 0].min()
        return
    beta = 0.5 if optimizer == "momentum" else 0.0
    run = train(
        PROBLEM, steps=200, step=2e-3, batch=4096, seeds=16, device="cuda", dtype=dtype, optimizer=optimizer,
        momentum=beta, records=5,
    )  # fmt: skip
    theory = ModifiedFlow(PROBLEM, 2e-3, beta).integrate(times=run.times)
    error = run.loss.std(axis=0, ddof=1) / 4 + 1e-4 * theory.loss[0]
    assert (np.abs(run.loss.mean(axis=0) - theory.loss) < 5 * error).all()


def test_seeds_are_reproduced():
    options = {"steps": 30, "step": 1e-3, "batch": 64, "seeds": 3, "seed": 7, "device": "cuda"}
    np.testing.assert_array_equal(train(PROBLEM, **options).loss, train(PROBLEM, **options).loss)


@pytest.mark.parametrize(("samples", "batch"), [(500, 0), (500, 64)])
def test_data_sets(samples, batch):
    run = train(
        PROBLEM, steps=200, step=2e-3, batch=batch, samples=samples, seeds=4, device="cuda", test_samples=2000
    )
    assert (run.loss[:, -1] < run.loss[:, 0]).all()


MIXTURE = Mixture(
    np.array([0.3, 0.7]), np.array([[0.5, 0, 0, 0], [0, 0, -0.4, 0]]), np.stack([np.eye(4)] * 2)
)


@pytest.mark.parametrize(
    "law", ["sphere", "uniform", "rademacher", "student-t:12", "independent:1.5", MIXTURE], ids=str
)
def test_inputs_of_every_law_are_drawn_there(law):
    """16 networks on batches of 4096 against the modified flow of that law, in standard errors and O(η²)."""
    problem = Problem(PROBLEM.teacher, PROBLEM.student, distribution=law)
    run = train(problem, steps=200, step=2e-3, batch=4096, seeds=16, device="cuda", records=5)
    theory = ModifiedFlow(problem, 2e-3).integrate(times=run.times)
    error = run.loss.std(axis=0, ddof=1) / 4 + 1e-4 * theory.loss[0]
    assert (np.abs(run.loss.mean(axis=0) - theory.loss) < 5 * error).all()


@pytest.mark.parametrize("phi", ["quadratic", "centred", "tanh"])
def test_a_given_data_set_is_trained_on_there(phi):
    """Its flow is exact: what is left is the step, O(η²) of the modified flow, and rounding."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (300, 4))
    problem = Problem(
        None, PROBLEM.student, phi, data=DataSet(X[:200], X[:200, 0] ** 2, X[200:], X[200:, 0] ** 2)
    )
    run = train(problem, steps=200, step=2e-3, batch=0, seeds=2, device="cuda", dtype="float64", records=5)
    theory = ModifiedFlow(problem, 2e-3).integrate(times=run.times)
    np.testing.assert_allclose(run.loss, np.broadcast_to(theory.loss, run.loss.shape), rtol=1e-4)
    np.testing.assert_allclose(run.test_loss, np.broadcast_to(theory.test_loss, run.loss.shape), rtol=1e-4)


def test_ensembles():
    runs = train_ensemble(PROBLEM, steps=50, step=[1e-3, 2e-3], seed=[0, 1], batch=[64, 256], device="cuda")
    for step, run in zip([1e-3, 2e-3], runs, strict=True):
        theory = GradientFlow(PROBLEM).integrate(t_end=50 * step, samples=2)
        assert run.loss[0, -1] == pytest.approx(theory.loss[-1], rel=0.2)


def test_comparison():
    found = compare(PROBLEM, steps=100, step=2e-3, batch=4096, seeds=4, device="cuda")
    assert found.relative_error["loss_sup"] < 0.05


def test_recorder_of_a_module_on_the_gpu():
    """Two bias-free layers of PyTorch's own, and the network itself."""
    network = QuadraticNetwork.from_student(PROBLEM.student, device="cuda")
    model = nn.Sequential(nn.Linear(4, 3, bias=False), nn.Linear(3, 1, bias=False)).cuda()
    with torch.no_grad():
        model[0].weight.copy_(network.W)
        model[1].weight.copy_(network.A)
    losses = []
    for module in (network, model):
        recorder = Recorder(PROBLEM.teacher, step=1e-3, every=1)
        recorder(module, 0)
        recorder(module, 1)
        losses.append(recorder.run().loss)
    expected = GradientFlow(PROBLEM).loss(GradientFlow(PROBLEM).theta0)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_companions():
    from dynamics.neuron import Neurons, QuadraticTarget
    from empirical.hannet.checkerboard import train_checkerboard
    from empirical.neuron.training import train_neurons

    run = train_neurons(
        QuadraticTarget.random(3), Neurons.initialise(4, 3), steps=50, step=0.01, device="cuda"
    )
    assert np.isfinite(run.loss).all()
    assert train_checkerboard(steps=5, device="cuda").summary()


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name != "gsgd"])
@pytest.mark.parametrize("ensemble", [False, True])
def test_a_rule_steps_as_on_the_processor(name, ensemble):
    """The same gradients on both, ten steps in double precision with weight decay: weights alike to rounding."""
    entry = OPTIMIZERS[name]
    fixed = Student(PROBLEM.student.W, np.ones((1, 3)), trainable=False)
    student = fixed if name == "muon" else PROBLEM.student
    problem = Problem(PROBLEM.teacher, student, weight_decay=0.1)
    layers = [problem.student.W, problem.student.A][: 1 + student.trainable]
    if ensemble:
        layers = [np.stack([layer, 2 * layer]) for layer in layers]
    rng = np.random.default_rng(0)
    # small ones: the natural gradient divides them by the damping, and large steps amplify rounding
    gradients = [[1e-3 * rng.standard_normal(layer.shape) for layer in layers] for _ in range(10)]
    found = []
    for device in ("cpu", "cuda"):
        weights = [torch.tensor(layer, dtype=torch.float64, device=device) for layer in layers]
        step = torch.tensor([1e-2, 2e-2], dtype=torch.float64, device=device) if ensemble else 1e-2
        rule = entry.begin(weights, entry.choose(), problem)
        with torch.no_grad():
            for gradient in gradients:
                rule([torch.tensor(g, device=device) for g in gradient], step)
        found.append([w.cpu().numpy() for w in weights])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-11)


def test_adamw_with_a_schedule_and_decay():
    """16 networks on batches of 4096 against the same optimiser on the population loss, in standard errors."""
    problem = Problem(PROBLEM.teacher, PROBLEM.student, weight_decay=0.1)
    options = {"optimizer": "adamw", "schedule": "warmup-cosine:0.1"}
    run = train(problem, steps=300, step=5e-3, batch=4096, seeds=16, device="cuda", records=5, **options)
    entry = OPTIMIZERS["adamw"]
    chosen = Chosen(entry, entry.choose(), 5e-3, "warmup-cosine:0.1", 300)
    expected = descent_loss(problem, chosen, run.steps)
    error = run.loss.std(axis=0, ddof=1) / 4 + 1e-4 * expected[0]
    assert (np.abs(run.loss.mean(axis=0) - expected) < 5 * error).all()


def test_modules_are_trained_as_on_the_processor():
    """A small CNN by G-SGD, with changes of its basis, in double precision: losses and counts alike to rounding."""
    from empirical import GSGD, Splits, TrainingPlan, train_module
    from empirical.module_training import initialised

    def make():
        return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 3))

    rng = np.random.default_rng(0)
    data = Splits.random(rng.normal(size=(200, 1, 6, 6)), rng.integers(3, size=200))
    runs = []
    for device in ("cpu", "cuda"):
        module = initialised(make, 0).double()
        runs.append(
            train_module(module, lambda m: GSGD(m, lr=1e-2), data, TrainingPlan(5, 16, device=device))
        )
    ours, theirs = runs
    assert ours.about["rebases"] == theirs.about["rebases"] > 0
    np.testing.assert_allclose(ours.loss, theirs.loss, rtol=1e-9)
    np.testing.assert_array_equal(ours.accuracy, theirs.accuracy)


def test_theory_sees_the_data_that_networks_were_trained_on(monkeypatch):
    """Bit by bit what the trainer was given, on which the flows of the gap then end where training does."""
    given = []
    handed_out = TrainingData.weighted_batches

    def spied(self, dtype, device):
        stream = handed_out(self, dtype, device)
        given.append(next(stream))
        return chain(given[-1:], stream)

    monkeypatch.setattr(TrainingData, "weighted_batches", spied)
    options = {"samples": 60, "batch": 0, "label_noise": 0.1, "seeds": 3, "seed": 7, "dtype": "float64"}
    found = compare(PROBLEM, steps=400, step=2e-3, records=5, device="cuda", **options)
    (x, y, _), *_ = given
    X, Y = data_sets(PROBLEM, Practice.of(found.run))
    np.testing.assert_array_equal(X, x.cpu().numpy())
    np.testing.assert_array_equal(Y, y.cpu().numpy())
    gap = found.gap
    assert gap.sources["finite_data"] == "modified flow on each network's data set"
    # what is left is the third order of the step; of other sets it would be as large as what they explain
    assert np.abs(gap.remainder).max() < 0.01 * np.abs(gap.finite_data).max()


@pytest.mark.parametrize("law", ["gaussian", "student-t:12", MIXTURE], ids=str)
@pytest.mark.parametrize(
    "options", [{}, {"samples": 20}, {"optimizer": "adam"}, {"gradients": "autograd"}], ids=str
)
def test_steps_between_looks_do_not_wait(law, options):
    """PyTorch warns of what does: as often in 10 steps as in 40."""
    problem = Problem(PROBLEM.teacher, PROBLEM.student, distribution=law)

    def waits(steps):
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            try:
                train(problem, steps=steps, step=1e-3, batch=8, seeds=3, records=2, device="cuda", **options)
            finally:
                torch.cuda.set_sync_debug_mode("default")
        return sum("synchronizing" in str(warning.message) for warning in found)

    waits(10)
    assert waits(10) == waits(40) > 0


def test_as_many_launches_for_many_networks():
    """What a processor and a GPU draw differs, but not by how many networks there are: the first of 2 and of 200."""
    options = {"steps": 30, "step": 1e-3, "batch": 16, "records": 3, "device": "cuda", "dtype": "float64"}
    few, many = (train(PROBLEM, seeds=seeds, **options).loss for seeds in (2, 200))
    np.testing.assert_allclose(few, many[:2], rtol=1e-9)
    on_processor = train(PROBLEM, seeds=2, **options | {"device": "cpu"}).loss
    assert np.abs(on_processor[:, -1] - few[:, -1]).min() > 1e-6
