"""Loops of somebody's own under criteria of PyTorch: which loss that is, how many times it, and whose theory."""

import numpy as np
import pytest
import torch
from torch import nn

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.losses import SQUARE
from empirical import Recorder, overlay
from empirical.torch_criteria import READERS, Criterion

rng = np.random.default_rng(4)
X = rng.standard_normal((50, 3))
STUDENT = Student.initialise(4, 3, scale=0.4, seed=2)
CRITERIA = {
    "MSELoss": (nn.MSELoss(), "square", 2.0),
    "HuberLoss": (nn.HuberLoss(delta=0.7), "huber:0.7", 1.0),
    "SmoothL1Loss": (nn.SmoothL1Loss(beta=0.5), "huber:0.5", 2.0),
    "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss(), "logistic", 1.0),
}


def test_the_table():
    assert {kind.__name__ for kind in READERS} == set(CRITERIA)


@pytest.mark.parametrize("name", CRITERIA)
@pytest.mark.parametrize("outputs", [1, 3])
def test_a_criterion_is_a_multiple_of_its_loss(name, outputs):
    """Of random outputs and labels, beyond corners too: a mean over outputs is 1/O times their sum."""
    criterion, loss, factor = CRITERIA[name]
    found = Criterion.of(criterion, outputs)
    assert (found.loss.name, found.factor, found.name) == (loss, factor / outputs, name)
    f, y = torch.tensor(3 * rng.standard_normal((20, outputs))), torch.tensor(rng.random((20, outputs)))
    ours = found.factor * found.loss.value(f, y).sum(-1).mean()
    torch.testing.assert_close(ours, criterion(f, y))


class Network(nn.Module):
    """Two layers of PyTorch's own, with an output bias."""

    def __init__(self, bias):
        super().__init__()
        self.first = nn.Linear(3, 4, bias=False, dtype=torch.float64)
        self.second = nn.Linear(4, 1, bias=bias, dtype=torch.float64)
        with torch.no_grad():
            self.first.weight.copy_(torch.tensor(STUDENT.W))
            self.second.weight.copy_(torch.tensor(STUDENT.A))
            if bias:
                self.second.bias.zero_()

    def forward(self, x):
        return self.second(self.first(x) ** 2)


def recorded(name, make, steps=60, bias=False):
    """A loop on the data set as people write it."""
    criterion, loss, _ = CRITERIA[name]
    y = (X[:, 0] ** 2 > 1) * 1.0
    problem = Problem(None, STUDENT, data=(X, y), loss=loss, bias="trainable" if bias else 0.0)
    network = Network(bias)
    optimizer = make(network.parameters())
    recorder = Recorder(problem, optimizer=optimizer, every=10, criterion=criterion)
    x, labels = torch.tensor(X), torch.tensor(y)[:, None]
    for _ in range(steps):
        recorder(network)
        optimizer.zero_grad()
        criterion(network(x), labels).backward()
        optimizer.step()
    recorder(network)
    return recorder


@pytest.mark.parametrize("name", CRITERIA)
@pytest.mark.parametrize(
    "make",
    [
        lambda p: torch.optim.SGD(p, lr=1e-3),
        lambda p: torch.optim.SGD(p, lr=7e-4, momentum=0.3, weight_decay=0.3),
        lambda p: torch.optim.AdamW(p, lr=1e-4, weight_decay=0.5, eps=0.1),
        lambda p: torch.optim.Adam(p, lr=1e-4, weight_decay=0.5, eps=0.1),
    ],
    ids=["sgd", "momentum and decay", "adamw", "adam and decay"],
)
def test_loops_lie_on_the_theory_of_their_loss(name, make):
    """Time, decay and ε are counted along the loss of the theory: a small step, and ε as large as gradients, so that
    each of them shows. What is left is of the order of the step, a fiftieth of what was learned.
    """
    found = overlay(recorded(name, make))
    learned = np.ptp(found.trajectory.loss)
    assert np.abs(found.run.loss[0] - found.trajectory.loss).max() < 0.02 * learned
    theory, ours = found.trajectory.W_at(-1), found.run.W[0, -1]
    assert np.abs(ours - theory).max() < 0.02 * np.abs(theory - STUDENT.W).max()


def test_an_output_bias_is_recorded():
    """−β is what PyTorch adds: the bias and everything else lie on the flow of a trained β."""
    recorder = recorded("BCEWithLogitsLoss", lambda p: torch.optim.SGD(p, lr=2e-3), 100, bias=True)
    found = overlay(recorder)
    beta = found.trajectory.bias[:, 0]
    assert abs(beta[-1]) > 0.005
    np.testing.assert_allclose(found.run.bias[0, :, 0], beta, atol=0.01 * abs(beta[-1]))
    np.testing.assert_allclose(
        found.run.loss[0], found.trajectory.loss, atol=0.01 * np.ptp(found.trajectory.loss)
    )


def test_time_of_steps_that_are_told(rng):
    """Without an optimiser too: MSELoss counts twice, the loss that is named once."""
    for criterion, factor in ((nn.MSELoss(), 2), ("square", 1), (SQUARE, 1), (None, 1)):
        recorder = Recorder(Teacher.from_eigenvalues([1.0], 3), step=0.1, criterion=criterion)
        for n in range(3):
            recorder(Network(False), n)
        np.testing.assert_allclose(recorder.run().times, [0, 0.1 * factor, 0.2 * factor])


def test_a_teacher_takes_the_loss_of_the_criterion():
    recorder = Recorder(Teacher.from_eigenvalues([1.0], 3), step=0.1, criterion=nn.HuberLoss(delta=2.0))
    assert recorder.problem.loss.name == "huber:2.0"


@pytest.mark.parametrize(
    ("criterion", "words"),
    [
        (nn.CrossEntropyLoss(), "`criterion` is a CrossEntropyLoss, which is none of torch.nn.MSELoss"),
        (nn.MSELoss(reduction="sum"), "`criterion` has the reduction 'sum'"),
        (nn.SmoothL1Loss(beta=0.0), "`criterion` has `beta` 0"),
        (nn.BCEWithLogitsLoss(pos_weight=torch.ones(1)), "`criterion` has `pos_weight`"),
        (
            nn.HuberLoss(),
            "`criterion` HuberLoss is the loss 'huber:1.0', but that of the problem is 'square'",
        ),
        ("cubic", "`criterion` must be one of|`criterion` is 'cubic'"),
    ],
)
def test_what_is_refused(criterion, words):
    with pytest.raises(ProblemError, match=words):
        Recorder(Problem(Teacher.from_eigenvalues([1.0], 3), STUDENT), step=0.1, criterion=criterion)


def test_a_bias_that_the_problem_has_not():
    recorder = Recorder(Problem(Teacher.from_eigenvalues([1.0], 3), STUDENT), step=0.1)
    with pytest.raises(ProblemError, match="The network has an output bias, but the problem has none"):
        recorder(Network(True), 0)
    trained = Problem(Teacher.from_eigenvalues([1.0], 3), STUDENT, loss="logistic", bias="trainable")
    with pytest.raises(ProblemError, match="`bias` is trainable, but the network has no output bias"):
        Recorder(trained, step=0.1)(Network(False), 0)
