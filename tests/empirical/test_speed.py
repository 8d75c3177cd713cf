"""The clock of somebody's loop is read off the recorded weights."""

import numpy as np
import pytest
import torch
from torch import nn

from dynamics import GradientFlow, Problem, Student, Teacher
from empirical import Recorder, train
from empirical.speed import Speed, _intervals, _ratio, recorded_speed, speed_notes
from empirical.training_run import TrainingRun

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


def test_ratio_and_error_by_the_jackknife():
    """Ratio of sums, error from leaving out one interval after the other, intervals that are no numbers left out."""
    moved, expected = np.array([1.0, 2.2, 3.1, 4.3, np.nan, 9]), np.array([1.0, 2, 3, 4, 1, 0])
    found = _ratio(moved, expected)
    m, e = moved[:4], expected[:4]
    parts = [np.delete(m, i).sum() / np.delete(e, i).sum() for i in range(4)]
    assert found.ratio == pytest.approx(m.sum() / e.sum(), rel=1e-12)
    assert found.error == pytest.approx(np.sqrt(3 * np.var(parts)), rel=1e-9)
    assert found.intervals == 4
    assert _ratio(1e-200 * m, 1e-200 * e).error == pytest.approx(found.error, rel=1e-9)
    assert _ratio(m[:2], e[:2]) is None


@pytest.mark.parametrize(("error", "known"), [(0.099, True), (0.101, False)])
def test_how_accurate_a_speed_must_be(error, known):
    """Four equal intervals with speeds 1 ± x: the jackknife of a mean is its standard error √(4x²/3)/√4 = x/√3."""
    x = error * np.sqrt(3) * np.array([1, -1, 1, -1])
    found = _ratio(1 + x, np.ones(4))
    assert (found is not None) == known
    if known:
        assert found.error == pytest.approx(error, rel=1e-9)


def test_intervals_are_spread_along_the_path():
    """At most a hundred, at the middles of equal parts of the way that all networks go; those at rest are not asked."""
    W = np.zeros((2, 301, 1, 1))
    W[0, :, 0, 0] = np.concatenate([np.zeros(150), np.arange(151.0)])
    A = np.zeros((2, 301, 1, 1))
    A[1, 1:, 0, 0] = 50
    found = _intervals(W, A)
    # of 200 units of length network 0 goes 150 in single steps, and network 1 goes 50 in its first
    assert found == [(0, 149 + n) for n in range(1, 150, 2)] + [(1, 0)]
    assert _intervals(W[:, :1], A[:, :1]) == []
    assert _intervals(np.zeros((1, 5, 1, 1)), np.zeros((1, 5, 1, 1))) == []


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        *((1 / 1.29, None), (1.0, None), (1.29, None)),
        *((1.31, "those of the recorder"), (1.49, "those of the recorder"), (2.51, "those of the recorder")),
        *((1.51, "time counts twice"), (2.49, "time counts twice")),
        *((1 / 1.31, "or its training set is small"), (0.2, "or its training set is small")),
    ],
)
def test_what_is_said_of_a_speed(monkeypatch, ratio, words):
    """Nothing within a factor of 1.3; from 1.5 to 2.5 the missing ½; only slow loops may have a small training set."""
    monkeypatch.setattr("empirical.speed.recorded_speed", lambda *_: Speed(ratio, 0.0123, 5))
    found = speed_notes(None, np.arange(2.0), None, None)
    assert len(found) == (words is not None)
    for note in found:
        assert note.startswith(f"the weights move {ratio:.2f} ± 0.01 times as fast as gradient flow")
        assert words in note
        assert ("small" in note) == (ratio < 1)
    assert speed_notes(None, np.arange(1.0), None, None) == []


@pytest.mark.parametrize(("turn", "usable"), [(0.49, True), (0.51, False)])
def test_gradients_that_turn_are_left_out(turn, usable):
    """|v₁ − v₀| up to half of |v̄|: velocities 1 and 1 + t, whose mean is 1 + t/2; exact steps by construction."""

    class Made:
        def velocity(self, w, a):
            return np.full((1, 1), 1 + float(w[0, 0])), np.zeros((1, 1))

    t = turn / (1 - turn / 2)
    W = np.array([0.0, t] * 4).reshape(4, 2, 1, 1)
    found = recorded_speed(Made(), np.array([0.0, t / (1 + t / 2)]), W, np.zeros((4, 2, 1, 1)))
    assert (found is not None) == usable
    if usable:
        assert found.ratio == pytest.approx(1)


@pytest.mark.parametrize(("cosine", "usable"), [(0.81, True), (0.79, False)])
def test_ways_that_turn_from_the_flow_are_left_out(cosine, usable):
    """A constant velocity (1, 0) and steps at an angle: their part along the flow is the speed."""

    class Made:
        def velocity(self, w, a):
            return np.array([[1.0, 0.0]]), np.zeros((1, 1))

    step = np.array([cosine, np.sqrt(1 - cosine**2)])
    W = np.stack([np.zeros((4, 1, 2)), np.tile(step, (4, 1, 1))], axis=1)
    found = recorded_speed(Made(), np.array([0.0, 1.0]), W, np.zeros((4, 2, 1, 1)))
    assert (found is not None) == usable
    if usable:
        assert found.ratio == pytest.approx(cosine)


@pytest.mark.parametrize(("moved", "ratio"), [([0.0, 0.0], 1.0), ([1.0, 0.0], 2 / 3), ([1.0, 1.0], 1.0)])
def test_a_fixed_second_layer_is_one_of_which_nothing_moves(moved, ratio):
    """Constant velocities 1 of w and of both a_k, of which none, one or both follow: only none means a fixed layer."""

    class Made:
        def velocity(self, w, a):
            return np.ones((1, 1)), np.ones((1, 2))

    W = np.stack([np.zeros((4, 1, 1)), np.ones((4, 1, 1))], axis=1)
    A = np.stack([np.zeros((4, 1, 2)), np.broadcast_to(moved, (4, 1, 2))], axis=1)
    assert recorded_speed(Made(), np.array([0.0, 1.0]), W, A).ratio == pytest.approx(ratio)


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
