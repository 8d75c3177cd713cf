"""Between two looks at the losses nothing waits for an accelerator: longer training copies no number more.

Looks are taken at the first step, every `CHECK_EVERY` steps and at the last one, records here at both ends; calls that
wait are counted for two numbers of steps between the same looks, and must be as many.
"""

import numpy as np
import pytest
import torch
from torch import nn

from dynamics import Problem, Student, Teacher
from dynamics.inputs.data_set import DataSet
from dynamics.inputs.laws import Mixture
from empirical import Splits, TrainingPlan, data, train, train_ensemble, train_module
from empirical.counted_streams import CountedStreams
from empirical.escape import train_escape
from empirical.hannet import checkerboard
from empirical.module_training import initialised
from empirical.neuron import collapse
from empirical.neuron.training import train_neurons
from empirical.optimizers import OPTIMIZERS
from empirical.trainer import CHECK_EVERY
from oracles.synchronisation import synchronising

FEW, MANY = 4, 10
assert MANY < CHECK_EVERY

TEACHER, STUDENT = Teacher.from_eigenvalues([2, 1], 3), Student.initialise(2, 3, scale=0.4, seed=1)
PROBLEM = Problem(TEACHER, STUDENT)
FIXED = Student(STUDENT.W, STUDENT.A, trainable=False)
MIXTURE = Mixture(np.array([0.3, 0.7]), np.array([[0.5, 0, 0], [0, 0, -0.4]]), np.stack([np.eye(3)] * 2))
WAITING = {  # what rules do in every step by their nature, and how often they wait for it
    "gsgd": ("whether a unit changes its skeleton decides what the step is", 2),
    "natural": ("the inverse of the metric is taken on the processor", 10),
    "muon": ("the singular value decomposition", 1),
}


@pytest.fixture(autouse=True)
def as_on_an_accelerator(monkeypatch):
    """Data are drawn as there."""
    monkeypatch.setattr(data, "GeneratorStreams", CountedStreams)


def check(run):
    """As many calls that wait in FEW steps as in MANY, and some: those of looks and records."""
    run(FEW)  # what is made once in a process
    few, many = synchronising(lambda: run(FEW)), synchronising(lambda: run(MANY))
    assert few == many
    assert few["cpu"] >= 2
    assert few["numpy"] >= 2


DATA = DataSet(np.random.default_rng(0).uniform(-1, 1, (20, 3)), np.ones(20))
CASES = {
    "fresh": (PROBLEM, {"batch": 4, "seeds": 3, "label_noise": 0.1}),
    "autograd": (PROBLEM, {"batch": 4, "seeds": 3, "gradients": "autograd"}),
    "correlated": (Problem(TEACHER, STUDENT, covariance=np.diag([1.0, 2, 3])), {"batch": 4}),
    "centred": (Problem(TEACHER, STUDENT, "centred"), {"batch": 4}),
    "tanh": (Problem(TEACHER, STUDENT, "tanh"), {"batch": 4, "test_samples": 10}),
    "decay and schedule": (
        Problem(TEACHER, STUDENT, weight_decay=0.1),
        {"batch": 4, "schedule": "warmup-cosine:0.1"},
    ),
    "student-t": (Problem(TEACHER, STUDENT, distribution="student-t:12"), {"batch": 4}),
    "mixture": (Problem(TEACHER, STUDENT, distribution=MIXTURE), {"batch": 4}),
    "sphere": (Problem(TEACHER, FIXED, constraint="sphere"), {"batch": 4, "seeds": 3}),
    "whole sets": (PROBLEM, {"batch": 0, "samples": 20, "seeds": 2}),
    "parts of sets": (PROBLEM, {"batch": 6, "samples": 20, "seeds": 2}),
    "data": (Problem(None, STUDENT, data=DATA), {"batch": 6}),
    "huber": (Problem(TEACHER, STUDENT, loss="huber:1"), {"batch": 4, "label_noise": 0.1}),
    "logistic": (
        Problem(TEACHER, STUDENT, loss="logistic", flip=0.1, bias="trainable:0.4"),
        {"batch": 4, "seeds": 3},
    ),
    "hard labels of finite sets": (
        Problem(TEACHER, STUDENT, loss="logistic", labels="hard"),
        {"batch": 6, "samples": 20},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_training(name):
    problem, options = CASES[name]
    check(lambda steps: train(problem, steps=steps, step=1e-3, records=2, **options))


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name not in WAITING])
def test_rules(name):
    check(lambda steps: train(PROBLEM, steps=steps, step=1e-3, records=2, batch=4, seeds=2, optimizer=name))


@pytest.mark.parametrize("name", WAITING)
def test_rules_that_wait_do(name):
    """As often in every step as is said of them."""
    student = Student(STUDENT.W + 1, STUDENT.A + 1)
    if name == "muon":
        student = Student(STUDENT.W, np.ones((1, 2)), trainable=False)
    problem = Problem(TEACHER, student)
    few, many = (
        synchronising(
            lambda: train(problem, steps=steps, step=1e-3, records=2, batch=4, optimizer=name)  # noqa: B023
        ).total()
        for steps in (FEW, MANY)
    )
    assert many - few == WAITING[name][1] * (MANY - FEW)


@pytest.mark.parametrize("samples", [0, 20])
def test_ensembles(samples):
    """Of different batch sizes and learning rates."""
    options = {"step": [1e-3, 2e-3], "batch": [4, 6], "samples": samples}
    check(lambda steps: train_ensemble(PROBLEM, steps=steps, records=2, **options))


def test_units_on_the_sphere():
    problem = Problem(Teacher.from_eigenvalues([1], 5), Student.initialise(1, 5, seed=0), "hermite:2")
    check(lambda steps: train_escape(problem, step=1e-3, t_end=steps * 1e-3, seeds=3, overlap=0.999))


def test_companions():
    from dynamics.neuron import Neurons, QuadraticTarget

    target, neurons = QuadraticTarget.random(3), Neurons.initialise(4, 3)
    check(lambda steps: train_neurons(target, neurons, steps=steps, step=0.01, records=2))
    few, many = (
        synchronising(
            lambda: collapse.collapse_study(inputs=2, hidden=2, steps=steps, starts=2, batch=4)  # noqa: B023
        )
        for steps in (FEW, MANY)
    )
    assert few == many


def test_checkerboard(monkeypatch):
    """Within one pass through its points, which are put in order on the processor, and between two records."""
    monkeypatch.setattr(checkerboard, "RECORDS", 1)
    few, many = (
        synchronising(lambda: checkerboard.train_checkerboard(steps=steps, batch=8))  # noqa: B023
        for steps in (FEW, MANY)
    )
    assert few == many


def test_modules():
    """Within one epoch, which is put in order on the processor."""
    rng = np.random.default_rng(0)
    data = Splits.random(rng.normal(size=(40, 3)), rng.integers(3, size=40))
    batch = {steps: len(data.train) // steps for steps in (FEW, MANY)}

    def run(steps):
        module = initialised(lambda: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 3)), 0)
        plan = TrainingPlan(1, batch[steps], records=2)
        assert plan.steps_per_epoch(len(data.train)) < CHECK_EVERY
        return train_module(module, lambda m: torch.optim.SGD(m.parameters(), lr=1e-2), data, plan)

    few, many = (synchronising(lambda: run(steps)) for steps in (FEW, MANY))  # noqa: B023
    assert few == many


def test_what_waits_is_seen():
    """Each way in which Python, or an operation, asks for numbers."""
    x = torch.arange(4.0)
    for wait in (
        lambda: x[0].item(), lambda: bool(x[0] > 0), lambda: float(x[0]), x.tolist, x.cpu, x.numpy, x.nonzero,
        lambda: np.asarray(x), lambda: x[x > 1], lambda: torch.tensor([1.0]), lambda: torch.linalg.svd(x[None]),
        lambda: torch.from_numpy(np.ones(2)), lambda: x.new_tensor(1.0), lambda: torch.linalg.inv(torch.eye(2)),
        lambda: x[torch.tensor([True, False, True, True])],
    ):  # fmt: skip
        assert synchronising(wait).total() >= 1, wait
    assert not synchronising(lambda: torch.where(x > 1, x, 0).mul_(2).sum() + x.new_full((), 1.0))
