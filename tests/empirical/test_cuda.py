"""Training on a GPU: the same curves as the theory's, where one is there; skipped elsewhere."""

import numpy as np
import pytest
import torch
from torch import nn

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.flows.modified import ModifiedFlow
from empirical import Recorder, compare, train, train_ensemble
from empirical.networks import QuadraticNetwork

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
