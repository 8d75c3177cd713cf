"""Training, comparison and somebody's own loop on a data set: losses are of its samples, and all see the same."""

import io

import numpy as np
import pytest
import torch
from torch import nn

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.inputs.data_set import DataSet
from empirical import Recorder, compare, overlay, train
from empirical.data import TrainingData
from empirical.memory import training_memory
from empirical.training_ensemble import train_ensemble
from empirical.training_run import TrainingRun
from oracles.sample_losses import sample_loss, skewed_samples

X, Y = skewed_samples(60, 3)
DATA = DataSet(X[:50], Y[:50], X[50:], Y[50:], "made up")
STUDENT = Student.initialise(2, 3, scale=0.5, seed=2)
PHI = {"quadratic": np.square, "tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}
SHORT = {"steps": 30, "step": 1e-2, "records": 4, "dtype": "float64"}


def on_data(activation="quadratic", teacher=None, data=DATA):
    return Problem(teacher, STUDENT, activation, data=data)


@pytest.mark.parametrize("name", PHI)
def test_what_is_measured(name):
    """Both losses from the recorded weights of every network, summed over the samples by hand; and how it is said."""
    run = train(on_data(name), batch=16, seeds=2, **SHORT)
    np.testing.assert_allclose(run.loss, sample_loss(run.W, run.A, DATA.X, DATA.Y, PHI[name]), rtol=1e-12)
    held_out = sample_loss(run.W, run.A, DATA.X_test, DATA.Y_test, PHI[name])
    np.testing.assert_allclose(run.test_loss, held_out, rtol=1e-12)
    assert run.loss_measured == "on all 50 samples to train on, and on the 10 held out"
    variables = run.variables()
    assert variables["test_loss"].dims == ("network", "time")
    assert "modes" not in variables and "overlaps" not in variables and not run.taught
    norms = np.sqrt(np.mean(np.einsum("stkd,nd->stkn", run.W, DATA.X) ** 2, axis=-1))
    np.testing.assert_allclose(run.norms, norms, rtol=1e-12)
    first, last = np.median(run.test_loss[:, [0, -1]], axis=0)
    assert f"held out (median) {first:.6g} → {last:.6g}" in run.summary()
    file = io.BytesIO()
    run.save(file)
    file.seek(0)
    again = TrainingRun.load(file)
    np.testing.assert_array_equal(again.test_loss, run.test_loss)
    assert not again.taught and again.overlaps is None


def test_without_samples_held_out():
    """No test loss, and nothing said of one."""
    run = train(on_data(data=DataSet(DATA.X, DATA.Y)), batch=0, **SHORT)
    assert run.test_loss is None and "test_loss" not in run.variables()
    assert run.loss_measured == "on all 50 samples to train on" and "held out" not in run.summary()


def test_a_teacher_labels_the_data():
    """Modes stand, labels of the file do not."""
    run = train(on_data(teacher=Teacher.from_eigenvalues([2.0], 3)), batch=0, **SHORT | {"step": 1e-3})
    expected = sample_loss(run.W, run.A, DATA.X_test, 2 * DATA.X_test[:, :1] ** 2)
    np.testing.assert_allclose(run.test_loss, expected, rtol=1e-11)
    assert run.taught and run.norms is None and run.modes.shape == (1, 4, 1)


def test_every_network_has_the_same_set_and_an_order_of_its_own():
    """From one start: with the whole set all go one way, to rounding; with parts of it they do not."""
    whole = train(on_data(), batch=0, seeds=3, **SHORT)
    np.testing.assert_allclose(whole.loss, np.broadcast_to(whole.loss[:1], whole.loss.shape), rtol=1e-13)
    parts = train(on_data(), batch=10, seeds=3, **SHORT)
    assert len(np.unique(parts.loss[:, -1])) == 3
    more = train(on_data(), batch=10_000, **SHORT)  # than there are: the whole set
    np.testing.assert_allclose(more.loss[0], whole.loss[0], rtol=1e-13)
    assert (more.about["batch"], more.about["samples"]) == (50, 50)


def test_parts_are_taken_without_replacement():
    """Five steps with a fifth of the set each, the sixth step and later repeat it: labels add up to all labels."""
    batches = TrainingData(on_data(), batch=10, seeds=2).batches(torch.float64, "cpu")
    drawn = torch.cat([next(batches)[1] for _ in range(5)], dim=1)[..., 0].numpy()
    np.testing.assert_array_equal(np.sort(drawn, axis=1), np.tile(np.sort(DATA.Y[:, 0]), (2, 1)))
    assert not np.array_equal(drawn[0], drawn[1])


def test_trained_together_as_alone():
    """An ensemble of networks on a data set: the losses of each as in a training of its own; 0 is the whole set."""
    other = Problem(None, Student.initialise(2, 3, scale=0.5, seed=3), data=DATA)
    runs = train_ensemble([on_data(), other], batch=[16, 0], seed=[4, 5], **SHORT)
    for run, problem, batch, seed in zip(runs, [on_data(), other], [16, 0], [4, 5], strict=True):
        alone = train(problem, batch=batch, seed=seed, **SHORT)
        np.testing.assert_allclose(run.loss, alone.loss, rtol=1e-9)
        np.testing.assert_allclose(run.test_loss, alone.test_loss, rtol=1e-9)
    assert [run.about["batch"] for run in runs] == [16, 50]
    (more,) = train_ensemble(on_data(), batch=10_000, **SHORT)
    assert (more.about["batch"], more.about["samples"]) == (50, 50)
    np.testing.assert_allclose(more.loss, train(on_data(), batch=0, **SHORT).loss, rtol=1e-9)
    with pytest.raises(ProblemError, match="teacher, activation, loss, labels, inputs"):
        train_ensemble([on_data(), on_data(data=DataSet(X[:50], Y[:50]))], batch=16, **SHORT)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"samples": 20}, "`samples` is 20, but `data` brings 50 samples to train on."),
        ({"label_noise": 0.1}, "`label_noise` is 0.1, but `data` brings its labels."),
        (
            {"test_samples": 9},
            "`test_samples` is 9, but `data` brings the samples: hold some of them out instead.",
        ),
    ],
)
def test_what_the_data_bring_is_not_asked_for(option, message):
    """One sentence each."""
    with pytest.raises(ProblemError) as refused:
        train(on_data(), batch=0, **SHORT, **option)
    assert str(refused.value) == message


def test_one_data_set_is_held_once():
    """However many networks are trained on it; sets that are drawn are one for each."""
    sizes = {"batch": 10, "samples": 50, "records": 0, "itemsize": 8}
    assert training_memory(on_data(), **sizes).data == 0
    drawn = Problem(Teacher.from_eigenvalues([1.0], 3), STUDENT)
    assert training_memory(drawn, **sizes).data == 50 * 8 * (2 * 3 + 2 + 2)


def test_whole_set_leaves_nothing_to_explain():
    """Theory on the data, networks with all of them in every step: only the step remains, and the modified flow has it.

    What that leaves is of second order: a quarter at half the step (float64, so that rounding is none).
    """
    left = []
    for step in (4e-3, 2e-3):
        at = {"steps": round(1 / step), "step": step, "times": np.linspace(0, 1, 21)}
        found = compare(on_data(), batch=0, seeds=2, dtype="float64", **at)
        gap = found.gap
        assert gap.sources["finite_data"] == "none: theory and networks on one data set"
        assert gap.sources["sampling_noise"] == "none: the whole data set in every step"
        assert not gap.finite_data.any() and not gap.sampling_noise.any()
        left.append(np.abs(gap.remainder).max())
        assert left[-1] < 0.2 * np.abs(gap.discretisation).max()
        np.testing.assert_allclose(
            found.trajectory.test_loss, found.run.test_loss[0], atol=0.02 * found.initial_loss
        )
    assert 3 < left[0] / left[1] < 5


def test_drawing_parts_is_measured():
    """Networks that draw a fifth of the set less descent on all of it: that is sampling noise, and nothing finite."""
    found = compare(on_data(), steps=200, step=1e-2, batch=10, seeds=4, records=20)
    gap = found.gap
    assert gap.sources["sampling_noise"] == "training with and without it" and not gap.finite_data.any()
    descent = train(
        on_data(), steps=200, step=1e-2, batch=0, record_at=found.run.steps, dtype="float64"
    ).loss[0]
    np.testing.assert_allclose(gap.sampling_noise, found.run.loss.mean(axis=0) - descent, atol=1e-9)
    assert np.abs(gap.sampling_noise).max() > 1e-4 * found.initial_loss


@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_other_units(name):
    """The flow of tanh and of kinked units on samples, and networks with all of them: within the step's effect."""
    found = compare(on_data(name), steps=400, step=5e-3, batch=0, seeds=1, records=10, dtype="float64")
    bound = (
        5e-3 * np.abs(np.diff(found.trajectory.loss)).sum()
    )  # of first order in the step, times rates of order 1
    assert np.abs(found.run.loss[0] - found.trajectory.loss).max() < 10 * bound
    assert found.trajectory.loss[-1] < 0.95 * found.trajectory.loss[0]


class Net(nn.Module):
    """Somebody's own two-layer network."""

    def __init__(self, phi):
        super().__init__()
        self.phi, self.first, self.second = phi, nn.Linear(3, 2, bias=False), nn.Linear(2, 1, bias=False)
        with torch.no_grad():
            self.first.weight.copy_(torch.tensor(STUDENT.W))
            self.second.weight.copy_(torch.tensor(STUDENT.A))

    def forward(self, x):
        return self.second(self.phi(self.first(x)))


@pytest.mark.parametrize(("name", "phi"), [("quadratic", torch.square), ("tanh", torch.tanh)])
def test_a_loop_of_ones_own(name, phi):
    """Recorded with its data set and laid on the flow there: both losses; no speed that needs a note."""
    net = Net(phi)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
    recorder = Recorder(on_data(name), optimizer=optimizer, every=20)
    x, y = (torch.tensor(part, dtype=torch.float32) for part in (DATA.X, DATA.Y))
    for _ in range(400):
        recorder(net)
        optimizer.zero_grad()
        (0.5 * (net(x) - y).square().mean()).backward()
        optimizer.step()
    recorder(net)
    laid = overlay(recorder)
    assert laid.run.notes == () and laid.run.loss_measured.startswith("on all 50 samples")
    start = laid.trajectory.loss[0]
    np.testing.assert_allclose(laid.run.loss[0], laid.trajectory.loss, atol=3e-3 * start)
    np.testing.assert_allclose(laid.run.test_loss[0], laid.trajectory.test_loss, atol=5e-3 * start)
    again = overlay(laid.run, on_data(name))
    np.testing.assert_array_equal(again.trajectory.loss, laid.trajectory.loss)


@pytest.mark.slow
@pytest.mark.parametrize("teacher", [None, [4.0, 2.0, 1.0]])
def test_digits(teacher):
    """Eight whitened principal components, two classes or a teacher: networks lie on the flow within 2 % of L₀."""
    pytest.importorskip("sklearn")
    from sklearn.datasets import load_digits

    inputs, digit = load_digits(return_X_y=True)
    if teacher is None:
        inputs, digit = inputs[np.isin(digit, (3, 8))], digit[np.isin(digit, (3, 8))]
    U = np.linalg.svd(inputs - inputs.mean(axis=0), full_matrices=False)[0]
    data = DataSet(U[:, :8] * np.sqrt(len(U)), np.where(digit == 3, 1.0, -1.0))
    student = Student.initialise(8, 8, scale=0.05, seed=1)
    target = None if teacher is None else Teacher.from_eigenvalues(teacher, 8)
    step, steps = (1e-2, 6000) if teacher is None else (2.5e-4, 8000)
    found = compare(Problem(target, student, data=data), steps=steps, step=step, batch=0, seeds=2)
    assert found.relative_error["loss_sup"] < 0.02
    assert found.run.loss[:, -1].max() < 0.7 * found.initial_loss  # something was learned
    assert GradientFlow(found.trajectory.problem).population.trace_coupling is None
