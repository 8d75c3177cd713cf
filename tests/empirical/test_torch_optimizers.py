"""What is read off optimisers of PyTorch, and the clock of their schedulers: against the arguments of their making."""

import numpy as np
import pytest
import torch
from torch import nn

from dynamics import Problem, ProblemError, Student, Teacher
from empirical import Recorder
from empirical.step_log import StepLog
from empirical.torch_optimizers import read_optimizer

TEACHER = Teacher.from_eigenvalues([2, 1], 3)


class Units(nn.Module):
    """f = Σ a_k (w_k·x)²."""

    def __init__(self, K=2, d=3):
        super().__init__()
        torch.manual_seed(0)
        self.W, self.a = (
            nn.Parameter(0.5 * torch.randn(shape, dtype=torch.float64)) for shape in ((K, d), (K,))
        )

    def forward(self, x):
        return (x @ self.W.T) ** 2 @ self.a


def read(optimizer, model):
    return read_optimizer(StepLog(optimizer), model.W, model.a)


def step(model, optimizer, scheduler=None, gradient=0.1):
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, gradient)
    optimizer.step()
    if scheduler is not None:
        scheduler.step()


@pytest.mark.parametrize(
    ("make", "name", "settings"),
    [
        (lambda p: torch.optim.SGD(p, lr=0.1), "sgd", {"momentum": 0.0}),
        (lambda p: torch.optim.SGD(p, lr=0.1, dampening=0.5), "sgd", {"momentum": 0.0}),
        (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.7), "momentum", {"momentum": 0.7}),
        (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.7, nesterov=True), "nesterov", {"momentum": 0.7}),
        (
            lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.8, 0.95), eps=1e-4),
            "adam",
            {"betas": (0.8, 0.95), "epsilon": 1e-4, "decoupled": False},
        ),
        (
            lambda p: torch.optim.AdamW(p, lr=torch.tensor(0.1)),
            "adamw",
            {"betas": (0.9, 0.999), "decoupled": True},
        ),
        (lambda p: torch.optim.Adam(p, lr=0.1, decoupled_weight_decay=True), "adamw", {"decoupled": True}),
        (
            lambda p: torch.optim.RMSprop(p, lr=0.1, alpha=0.98, eps=1e-3),
            "rmsprop",
            {"betas": (0.98,), "epsilon": 1e-3},
        ),
    ],
)
def test_classes_and_parameters(make, name, settings):
    model = Units()
    reading = read(make(model.parameters()), model)
    assert reading.rule.optimizer == reading.about()["optimizer"] == name
    assert {key: getattr(reading.rule.settings, key) for key in settings} == settings
    assert reading.why_not == ""
    assert reading.largest_rate == pytest.approx(0.1)
    assert reading.layer_rates == (1.0, 1.0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.5, dampening=0.5), "SGD that has the dampening 0.5"),
        (lambda p: torch.optim.Adam(p, lr=0.1, amsgrad=True), "Adam that has amsgrad"),
        (lambda p: torch.optim.RMSprop(p, lr=0.1, centered=True), "RMSprop that is centered"),
        (lambda p: torch.optim.RMSprop(p, lr=0.1, momentum=0.5), "RMSprop that has the momentum 0.5"),
        (
            lambda p: torch.optim.Adagrad(p, lr=0.1),
            "Adagrad, which no theory follows: there is one of torch.optim.SGD",
        ),
    ],
)
def test_what_no_theory_follows_is_recorded_and_says_so(make, words):
    model = Units()
    optimizer = make(model.parameters())
    recorder = Recorder(TEACHER, optimizer=optimizer)
    for _ in range(3):
        recorder(model)
        step(model, optimizer)
    run = recorder.run()
    assert run.times.tolist() == pytest.approx([0, 0.1, 0.2] if "SGD that" not in words else [0, 0.2, 0.4])
    (note,) = run.notes
    assert words in note
    assert note.count(".") - note.count("torch.") - note.count("optim.") <= 2  # one sentence


def test_groups_of_the_layers():
    """Rates and decays of each; the rates of the first layer tell the time."""
    model = Units()
    groups = [{"params": [model.a], "lr": 0.02, "weight_decay": 0.3}, {"params": [model.W], "lr": 0.1}]
    optimizer = torch.optim.SGD(groups, momentum=0.5, weight_decay=0.2)
    recorder = Recorder(TEACHER, optimizer=optimizer)
    recorder(model)
    step(model, optimizer)
    recorder(model)
    reading, run = recorder.reading, recorder.run()
    assert reading.layer_rates == pytest.approx((1.0, 0.2))
    assert reading.weight_decay == (0.2, 0.3)
    assert run.times.tolist() == pytest.approx([0, 0.2])
    assert run.about["layer_rates"] == pytest.approx([1.0, 0.2])
    assert "‖w_k‖²/η_w − h Σ_o A_ok²/η_a stays, not c_k" in run.notes[0]
    assert run.conserved_law is None
    penalty = 0.1 * np.sum(run.W[0] ** 2, axis=(1, 2)) + 0.15 * np.sum(run.A[0] ** 2, axis=(1, 2))
    np.testing.assert_allclose(run.objective[0], run.loss[0] + penalty)


def test_mixtures_that_are_refused():
    model = Units()
    for optimizer, words in [
        (
            torch.optim.SGD([{"params": [model.W], "momentum": 0.5}, {"params": [model.a]}], lr=0.1),
            "steps differently in the groups",
        ),
        (torch.optim.SGD(model.parameters(), lr=0.1, maximize=True), "maximises"),
        (
            torch.optim.SGD([{"params": nn.Linear(1, 1).parameters()} for _ in range(2)], lr=0.1),
            "neither layer",
        ),
    ]:
        with pytest.raises(ProblemError, match=words):
            Recorder(TEACHER, optimizer=optimizer)(model)


def test_second_layer_that_is_not_trained():
    model = Units()
    reading = read(torch.optim.SGD([model.W], lr=0.1, weight_decay=0.3), model)
    assert reading.second is None
    assert reading.weight_decay == (0.3, 0.0)
    problem = reading.minimised(Problem(TEACHER, Student.initialise(2, 3)))
    assert not problem.student.trainable
    assert (problem.weight_decay.first, problem.weight_decay.second) == (0.3, 0.0)


def test_weights_that_are_computed_from_the_parameters():
    """One group holds everything; several cannot be told apart."""
    model = Units()

    def halves(module):
        return 2 * module.W, 0.5 * module.a

    Recorder(TEACHER, optimizer=torch.optim.SGD(model.parameters(), lr=0.1), weights=halves)(model)
    groups = [{"params": [model.W]}, {"params": [model.a]}]
    with pytest.raises(ProblemError, match="cannot be told"):
        Recorder(TEACHER, optimizer=torch.optim.SGD(groups, lr=0.1), weights=halves)(model)


@pytest.mark.parametrize(
    ("make", "share"),
    [
        (lambda p: torch.optim.SGD(p, lr=0.1), 1.0),
        (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.75), 0.25),
        (lambda p: torch.optim.AdamW(p, lr=0.1), 1.0),
    ],
)
def test_clock_of_a_scheduler(make, share):
    """t = Σ η_n/(1 − β) of velocities, Σ η_n of means: η_n = 0.1 · ½(1 + cos(πn/8)) by hand; records at some steps."""
    model = Units()
    optimizer = make(model.parameters())
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 8)
    recorder = Recorder(TEACHER, optimizer=optimizer, at=[0, 3, 8])
    for _ in range(8):
        recorder(model)
        step(model, optimizer, scheduler)
    assert recorder(model)
    run = recorder.run()
    rates = 0.05 * (1 + np.cos(np.pi * np.arange(8) / 8))
    assert run.steps.tolist() == [0, 3, 8]
    np.testing.assert_allclose(run.rates, rates, rtol=1e-12)
    np.testing.assert_allclose(run.times, np.append(0, np.cumsum(rates))[[0, 3, 8]] / share, rtol=1e-12)
    assert run.about["step"] == pytest.approx(0.1)


def test_options_that_change_on_the_way():
    """OneCycleLR changes the momentum: the clock follows it, no theory does."""
    model = Units()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.5)
    recorder = Recorder(TEACHER, optimizer=optimizer)
    recorder(model)
    step(model, optimizer)
    optimizer.param_groups[0]["momentum"] = 0.75
    step(model, optimizer)
    recorder(model)
    run = recorder.run()
    assert run.times.tolist() == pytest.approx([0, 0.1 / 0.5 + 0.1 / 0.25])
    assert "options changed at step 1" in run.notes[0]


def test_rates_of_the_layers_that_change_against_each_other():
    model = Units()
    optimizer = torch.optim.SGD([{"params": [model.W]}, {"params": [model.a]}], lr=0.1)
    recorder = Recorder(TEACHER, optimizer=optimizer)
    recorder(model)
    step(model, optimizer)
    optimizer.param_groups[1]["lr"] = 0.05
    step(model, optimizer)
    assert recorder.reading.layer_rates is None
    assert "changed against each other" in recorder.run().notes[0]
    assert recorder.run().about["layer_rates"] is None


def test_an_optimiser_with_a_past():
    model = Units()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    step(model, optimizer)
    recorder = Recorder(TEACHER, optimizer=optimizer)
    recorder(model)
    assert "had made steps before" in recorder.run().notes[0]


def test_number_of_the_step_and_learning_rate_are_said_once():
    model = Units()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for options in ({}, {"step": 0.1, "optimizer": optimizer}):
        with pytest.raises(ProblemError, match="give one of them"):
            Recorder(TEACHER, **options)
    recorder = Recorder(TEACHER, optimizer=optimizer, every=2)
    assert recorder(model, 0)
    step(model, optimizer)
    assert not recorder(model)
    with pytest.raises(ProblemError, match="has made 1 steps"):
        recorder(model, 2)
    with pytest.raises(ProblemError, match="`n` is missing"):
        Recorder(TEACHER, step=0.1)(model)


def test_decay_is_said_once():
    """By the optimiser, or by the problem whose penalty the loop adds to its loss."""
    model = Units()
    problem = Problem(TEACHER, Student.initialise(2, 3), weight_decay=0.1)
    recorder = Recorder(problem, optimizer=torch.optim.SGD(model.parameters(), lr=0.1))
    recorder(model)
    assert recorder.problem.weight_decay.first == 0.1
    recorder = Recorder(problem, optimizer=torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.2))
    with pytest.raises(ProblemError, match="must say it alone"):
        recorder(model)


def test_decoupled_decay_of_adam_is_of_no_objective():
    model = Units()
    recorder = Recorder(TEACHER, optimizer=torch.optim.AdamW(model.parameters(), lr=0.1))
    recorder(model)
    run = recorder.run()
    assert run.objective is None and np.isnan(run.conserved_law).all()
    assert run.about["weight_decay"] == [0.01, 0.01]  # PyTorch's default


def test_decay_law_of_a_recorded_run():
    """Plain SGD with ρ = 0.5 on the exact gradient: c_k beside e^{−2ρt}c_k(0) is O(η), far below what fell."""
    model = Units()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, weight_decay=0.5)
    recorder = Recorder(TEACHER, optimizer=optimizer, every=50)
    population = recorder.problem.population
    for _ in range(500):
        recorder(model)
        dW, dA = population.velocity(model.W.detach().numpy(), model.a.detach().numpy()[None])
        model.W.grad, model.a.grad = torch.tensor(-dW), torch.tensor(-dA[0])
        optimizer.step()
    run = recorder.run()
    np.testing.assert_allclose(
        run.conserved_law[0, -1], run.conserved[0, 0] * np.exp(-run.times[-1]), rtol=1e-12
    )
    fell = np.abs(run.conserved[0, -1] - run.conserved[0, 0]).max()
    assert run.conserved_drift < 0.05 * fell
    assert run.notes == ()  # the weights move as fast as the decayed flow
