"""The clock of somebody's loop is read off the recorded weights."""

import numpy as np
import pytest
import torch
from torch import nn

from dynamics import GradientFlow, Problem, Student, Teacher
from empirical import Recorder, train
from empirical.recorder import TrainingRun
from empirical.speed import recorded_speed

PROBLEM = Problem(Teacher.from_eigenvalues([2, 1], 4), Student.initialise(5, 4, scale=0.3, seed=1))


class Square(nn.Module):
    def forward(self, z):
        return z**2


def speed(problem, times, clock):
    """Of weights on the exact flow that are recorded with a clock `clock` times too slow."""
    flow = GradientFlow(problem)
    path = flow.integrate(times=np.asarray(times) * clock)
    A = np.broadcast_to(path.A, (len(times), *path.A.shape[1:]))
    return recorded_speed(flow.population, np.asarray(times), path.coordinates[None], A[None])


@pytest.mark.parametrize("second_layer", ["trainable", "fixed"])
@pytest.mark.parametrize("clock", [1.0, 2.0, 0.5, 10.0])
def test_speed_of_the_flow_itself(clock, second_layer):
    """The exact flow, run `clock` times as fast: the trapezoidal rule is at most 2 % off where it is used at all.

    |v₁ − v₀| ≤ ½ |v̄| bounds x = λΔt of exponential growth by 2 artanh(¼) = 0.511, where the rule is
    (x/2) coth(x/2) − 1 = 2.2 % off.
    """
    start = Student.initialise(5, 4, scale=0.3, seed=1, second_layer=second_layer)
    found = speed(Problem(PROBLEM.teacher, start), np.linspace(0, 1 / clock, 60), clock)
    assert found.ratio == pytest.approx(clock, rel=0.022)
    assert found.intervals >= 3


def test_three_intervals_are_enough():
    """And two are not: the bound is in the docstring of `recorded_speed`."""
    found = speed(PROBLEM, [0, 0.01, 0.02, 0.03], 1.0)
    assert found.intervals == 3
    assert found.ratio == pytest.approx(1, rel=0.022)


def test_what_cannot_be_known():
    """Records too far apart; too few; weights that rest, or that walk at random."""
    flow = GradientFlow(PROBLEM)
    assert speed(PROBLEM, [0, 5, 10, 15], 1.0) is None
    assert speed(PROBLEM, [0, 0.01, 0.02], 1.0) is None
    W, A = (
        np.tile(x, (1, 20, 1, 1))
        for x in (flow.reduction.problem.student.W, flow.reduction.problem.student.A)
    )
    times = np.linspace(0, 1, 20)
    assert recorded_speed(flow.population, times, W, A) is None
    walk = np.cumsum(np.random.default_rng(0).standard_normal(W.shape), axis=1)
    assert recorded_speed(flow.population, times, W + walk, A) is None
    assert recorded_speed(flow.population, times, W + np.inf, A) is None


def loop(factor, momentum=0.0, adam=False, steps=400, every=10, told=None):
    """A loop of one's own with the loss `factor` × E(f* − f)² on fresh samples."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 5, bias=False), Square(), nn.Linear(5, 1, bias=False)).double()
    rate = 2e-3 * (1 - momentum)
    optimizer = (
        torch.optim.Adam(model.parameters(), lr=rate)
        if adam
        else torch.optim.SGD(model.parameters(), lr=rate, momentum=momentum)
    )
    recorder = Recorder(PROBLEM.teacher, step=rate, every=every)
    for n in range(steps + 1):
        recorder(model, n)
        x = torch.randn(256, 4, dtype=torch.float64)
        loss = factor * (2 * x[:, :1] ** 2 + x[:, 1:2] ** 2 - model(x)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return recorder.run() if told is None else recorder.run(momentum=told)


def test_a_loss_without_the_half_is_found_out(tmp_path):
    """E(f* − f)² instead of ½ E(f* − f)² moves the weights twice as fast; the run says so, in a file as well."""
    assert loop(0.5).notes == ()
    run = loop(1.0)
    (note,) = run.notes
    assert "time counts twice" in note and "times as fast as gradient flow" in note
    assert note in run.summary()
    run.save(tmp_path / "run.npz")
    assert TrainingRun.load(tmp_path / "run.npz").notes == (note,)


def test_other_loops():
    """Momentum β that is not named makes 1/(1 − β) = 5, and is right where it is named; Adam goes another way."""
    (note,) = loop(0.5, momentum=0.8).notes
    assert "learning rate or momentum" in note
    assert loop(0.5, momentum=0.8, told=0.8).notes == ()
    assert all("½" not in note for note in loop(0.5, adam=True).notes)
    (note,) = loop(0.5, every=200).notes
    assert "cannot be known" in note


def test_our_own_loop_is_not_judged():
    """It minimises what it says, with momentum, path-space descent and small batches that would look otherwise."""
    assert train(PROBLEM, steps=40, step=1e-3, batch=4, records=20).notes == ()
