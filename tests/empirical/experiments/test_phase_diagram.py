"""Grids of trained networks against the verdicts of theory."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.errors import ComputationError
from dynamics.flows import in_bulk
from dynamics.outcome import diagnose
from empirical.descent import population_descent
from empirical.experiments import phase_diagram
from empirical.experiments.grid_training import train_grid
from empirical.experiments.phase_diagram import scale_diagram, single_mode_diagram

MARGIN = 0.05  # in |c|: see the test that states it


def test_single_mode_grid():
    """1,120 starts, trained: agreement wherever |c| > 0.05, the stated margin.

    The margin is what training may add to c: the largest change of c that any failing network shows in the whole
    run is measured here (those that succeed stop drifting when they fit). A start with c > 0.05 has crossed a = 0
    after π/(3√(2c)) = 3.3 of the 20 units of time.
    """
    diagram = single_mode_diagram(np.linspace(-1.2, 1.2, 35), np.linspace(0.05, 1.75, 32))
    assert np.sum(np.abs(diagram.conserved) > MARGIN) >= 900
    assert diagram.disagreement(MARGIN) == 0
    assert diagram.disagreement(0.0) <= 5
    assert 0.1 < diagram.trained.mean() < 0.9
    failed = (~diagram.trained).ravel()
    final = diagram.training.W[:, 0, 0] ** 2 - 2 * diagram.training.A[:, 0, 0] ** 2
    assert np.abs(final - diagram.conserved.ravel())[failed].max() < MARGIN
    # the zero function, L = 1 + 1/2; outside the margin w has decayed as e^(−6√(c/2)t)
    clear = np.abs(diagram.conserved.ravel()) > MARGIN
    np.testing.assert_allclose(diagram.loss.ravel()[failed & clear], 1.5, atol=1e-3)


def test_a_grid_is_trained_as_each_network_would_be():
    """Batched and alone, with the same inputs: the same weights to rounding."""
    rng = np.random.default_rng(3)
    teacher = Teacher.from_eigenvalues([2, -1.9])
    W, a = 0.4 * rng.normal(size=(3, 4, 2)), 0.3 * rng.normal(size=(3, 4))
    options = {"step": 5e-3, "steps": 50, "batch": 8, "seed": 5, "dtype": torch.float64}
    together = train_grid(teacher, W, a, **options)
    for n in range(3):
        alone = train_grid(teacher, W[n : n + 1], a[n : n + 1], **options)
        np.testing.assert_allclose(together.W[n], alone.W[0], atol=1e-12)
        np.testing.assert_allclose(together.A[n], alone.A[0], atol=1e-12)
        assert together.loss[n] == pytest.approx(alone.loss[0], abs=1e-10)


def test_teacher_of_both_signs_is_confirmed_by_training():
    """λ = (2, −1.9), four units, all a > 0: twelve networks with c_k < 0 fail at 4.8133…, twelve with c_k > 0 succeed.

    Gradient descent on the population loss reaches the predicted loss to 1e-6. SGD hovers above it, because it is
    the least loss of these signs, by an amount proportional to the step.
    """
    rng = np.random.default_rng(7)
    teacher = Teacher.from_eigenvalues([2, -1.9])
    W = 0.4 * rng.normal(size=(24, 4, 2))
    scale = np.where(np.arange(24) < 12, rng.uniform(0.8, 1.2, 24), rng.uniform(0.05, 0.2, 24))
    a = scale[:, None] * np.linalg.norm(W, axis=2)
    diagnoses = [diagnose(Problem(teacher, Student(w, b))) for w, b in zip(W, a, strict=True)]
    assert [d.verdict for d in diagnoses] == ["fails"] * 12 + ["succeeds"] * 12
    level = 1.9**2 * 4 / 3
    assert all(d.predicted_loss == pytest.approx(level) for d in diagnoses[:12])
    trained = train_grid(teacher, W, a, step=2e-3, steps=6000, batch=128)
    assert (trained.loss[12:] < 1e-6).all()
    assert (trained.loss[:12] > level - 1e-6).all()
    assert (trained.loss[:12] < 1.02 * level).all()
    for n in (0, 1, 12, 13):
        problem = Problem(teacher, Student(W[n], a[n]))
        path = population_descent(problem, 5e-3, [0, 6000])
        D = np.diag([2, -1.9]) - (path.W[-1].T * path.A[-1, 0]) @ path.W[-1]
        loss = np.sum(D * D) + 0.5 * np.trace(D) ** 2
        assert loss == pytest.approx(diagnoses[n].predicted_loss, abs=1e-6)


def test_scales_of_both_layers():
    """Small a: success; large a: all signs frozen positive, failure; few networks differ from their verdict."""
    diagram = scale_diagram([2, -1.9], [0.05, 1.0], [0.03, 3.0], replicates=8, step=2e-3, time=12.0)
    np.testing.assert_allclose(diagram.succeeds + diagram.fails, 1, atol=1e-12)
    assert diagram.succeeds[1, 0] >= 0.75
    assert diagram.fails[0, 1] == 1
    assert diagram.disagreements <= 1
    # every network that differs moves one of the fractions, which are of 8 starts
    assert 8 * np.abs(diagram.trained - diagram.succeeds).sum() <= diagram.disagreements + 1e-9


def test_a_grid_is_trained_by_sgd():
    """Two starts, three outputs' worth of gradients written out: ½ E‖Σ_k a_ok (w_k·x)² − y‖² on the same inputs.

    Loss at the end from the definition; infinite for a network whose weights are, and for it alone.
    """
    rng = np.random.default_rng(4)
    teacher = Teacher(rng.normal(size=(2, 2)), rng.normal(size=(3, 2)))
    W, A = 0.3 * rng.normal(size=(2, 4, 2)), 0.3 * rng.normal(size=(2, 3, 4))
    start = W.copy(), A.copy()
    generator = torch.Generator().manual_seed(6)
    for _ in range(5):
        x = torch.randn(7, 2, generator=generator, dtype=torch.float64).numpy()
        y = (x @ teacher.V.T) ** 2 @ teacher.B.T
        for w, a in zip(W, A, strict=True):
            z = x @ w.T
            e = z**2 @ a.T - y
            w[:], a[:] = w - 0.02 * (2 * z * (e @ a)).T @ x / 7, a - 0.02 * e.T @ z**2 / 7
    options = {"step": 0.02, "steps": 5, "batch": 7, "seed": 6, "dtype": torch.float64}
    found = train_grid(teacher, *start, **options)
    np.testing.assert_allclose(found.W, W, rtol=1e-12)
    np.testing.assert_allclose(found.A, A, rtol=1e-12)
    assert (found.step, found.steps, found.batch) == (0.02, 5, 7)
    for n in range(2):
        loss = 0
        for o in range(3):
            D = teacher.matrix(o) - (W[n].T * A[n, o]) @ W[n]
            loss += np.sum(D * D) + 0.5 * np.trace(D) ** 2
        assert found.loss[n] == pytest.approx(loss, rel=1e-10)
    lost = train_grid(teacher, start[0] * [[[1]], [[1e3]]], start[1], **(options | {"steps": 20}))
    assert np.isfinite(lost.loss).tolist() == [True, False]
    assert lost.loss[1] == np.inf
    single = train_grid(teacher, *start, step=0.02, steps=5)
    explicit = train_grid(
        teacher, *start, step=0.02, steps=5, batch=64, activation="quadratic", seed=0, dtype=torch.float32
    )
    np.testing.assert_array_equal(single.W, explicit.W)


def test_single_mode_by_its_parts():
    """Axes, c = p² − 2a², the loss and the threshold ½ · (3/2) λ² at round numbers, and how disagreement is counted."""
    diagram = single_mode_diagram([0.1, -1.0, -0.5], [0.5, 1.0], eigenvalue=2.0, time=4.0)
    assert (diagram.eigenvalue, diagram.a0.tolist(), diagram.p0.tolist()) == (2, [0.1, -1, -0.5], [0.5, 1])
    np.testing.assert_allclose(diagram.conserved, [[0.23, 0.98], [-1.75, -1.0], [-0.25, 0.5]])
    assert diagram.predicted.tolist() == [[True, True], [False, False], [False, True]]
    assert diagram.trained.tolist() == (diagram.loss < 3).tolist()
    assert diagram.training.steps == 800 and diagram.training.batch == 64 and diagram.training.step == 5e-3
    np.testing.assert_array_equal(diagram.loss.ravel(), diagram.training.loss)
    teacher = Teacher.from_eigenvalues([2.0])
    W = np.array([0.5, 1, 0.5, 1, 0.5, 1]).reshape(-1, 1, 1)
    a = np.array([0.1, 0.1, -1, -1, -0.5, -0.5]).reshape(-1, 1)
    np.testing.assert_array_equal(
        diagram.training.W, train_grid(teacher, W, a, step=5e-3, steps=800, batch=64, seed=0).W
    )
    wrong = dataclasses.replace(
        diagram,
        predicted=np.array([[True, False], [False, True], [False, True]]),
        trained=np.array([[False, False], [False, False], [True, True]]),
    )
    # wrong where c is 0.23, −1, −0.25
    assert [wrong.disagreement(m) for m in (0.0, 0.24, 0.26, 1.0)] == [3, 2, 1, 0]


@pytest.mark.parametrize("positive", [True, False])
def test_starts_of_a_scale_diagram(positive):
    """A step of 1e-12 leaves the starts as drawn: W ~ N(0, s²/d) first, then a, seed 3; training has the seed 4.

    Nothing is learned, so that every verdict of success is wrong.
    """
    options = {"hidden": 2, "replicates": 3, "step": 1e-12, "time": 1e-12, "seed": 3}
    diagram = scale_diagram([2.0, -1.0, 0.0], [0.1, 0.5], [0.2, 0.3], positive=positive, **options)
    rng = np.random.default_rng(3)
    W = rng.standard_normal((2, 2, 3, 2, 3)) * np.array([0.1, 0.5]).reshape(2, 1, 1, 1, 1) / np.sqrt(3)
    a = rng.standard_normal((2, 2, 3, 2)) * np.array([0.2, 0.3]).reshape(1, 2, 1, 1)
    a = np.abs(a) if positive else a
    W, a = W.reshape(12, 2, 3), a.reshape(12, 2)
    np.testing.assert_allclose(diagram.training.W, W, rtol=1e-6)
    np.testing.assert_allclose(diagram.training.A[:, 0], a, rtol=1e-6)
    assert (diagram.hidden, diagram.inputs, diagram.replicates, diagram.positive) == (2, 3, 3, positive)
    assert (diagram.eigenvalues.tolist(), diagram.scale_w.tolist()) == ([2, -1, 0], [0.1, 0.5])
    assert (diagram.scale_a.tolist(), diagram.training.batch) == ([0.2, 0.3], 64)
    verdicts = [
        diagnose(Problem(Teacher.from_eigenvalues([2, -1, 0]), Student(w, b))).verdict
        for w, b in zip(W, a, strict=True)
    ]
    assert not diagram.trained.any()
    assert diagram.disagreements == verdicts.count("succeeds")
    for name, fractions in (("succeeds", diagram.succeeds), ("fails", diagram.fails)):
        expected = np.reshape([v == name for v in verdicts], (2, 2, 3)).mean(axis=-1)
        np.testing.assert_allclose(fractions, expected)


def test_what_has_succeeded(monkeypatch):
    """Half of the loss of the zero function, ¾ λ² = 3 for λ = 2; steps are those until the time."""
    losses, asked = np.array([2.99, 3.01, 0.0, np.inf]), []

    def fake(*arrays, **options):
        asked.append(options)
        return SimpleNamespace(loss=losses)

    monkeypatch.setattr(phase_diagram, "train_grid", fake)
    diagram = single_mode_diagram([0.1, 0.2], [0.5, 1.0], eigenvalue=2.0, step=0.1, time=0.5, batch=9, seed=4)
    assert diagram.trained.tolist() == [[True, False], [True, False]]
    assert asked == [{"step": 0.1, "steps": 5, "batch": 9, "seed": 4, "progress": False}]


def test_memory_of_the_starts(monkeypatch):
    """W and a of every start, in double precision, while they are drawn, scaled and handed on: three copies."""
    asked = []
    monkeypatch.setattr(phase_diagram, "check_memory", lambda what, size, advice: asked.append((what, size)))
    scale_diagram(
        [2.0, 1, 0], [0.1] * 5, [0.1] * 4, hidden=2, replicates=3, step=1e-9, time=1e-9, follow=False
    )
    assert asked == [("A diagram of 60 starts with 2 units in 3 dimensions", 3 * 8 * 60 * (2 * 3 + 2))]


def test_disagreements_go_both_ways(monkeypatch):
    """Below half of the smallest λ², ½ here, is done: two networks fail against their verdict, one succeeds."""
    verdicts = iter(["succeeds", "succeeds", "fails", "fails", "undecided", "succeeds"])

    def diagnosing(*_, **__):
        yield from ()  # asks for nothing
        return SimpleNamespace(verdict=next(verdicts))

    monkeypatch.setattr(phase_diagram, "diagnosing", diagnosing)
    losses = np.array([0.51, 0.49, 0.49, 0.51, 0.1, 3.0])
    seeds = []

    def fake(*arrays, seed, **options):
        seeds.append(seed)
        return SimpleNamespace(loss=losses)

    monkeypatch.setattr(phase_diagram, "train_grid", fake)
    diagram = scale_diagram([2.0, -1.0], [0.1], [0.1, 0.2, 0.3], hidden=2, replicates=2, seed=8)
    assert diagram.disagreements == 3
    np.testing.assert_allclose(diagram.succeeds, [[1, 0, 0.5]])
    np.testing.assert_allclose(diagram.fails, [[0, 1, 0]])
    np.testing.assert_allclose(diagram.trained, [[0.5, 0.5, 0.5]])
    assert seeds == [9]


def test_arguments_are_checked():
    teacher, W, a = Teacher.from_eigenvalues([1]), np.ones((1, 1, 1)), np.ones((1, 1))
    for options, words in (
        ({"steps": 0}, "`steps` is 0"),
        ({"batch": 0}, "`batch` is 0"),
        ({"step": 0.0}, "`step`.*positive"),
        ({"seed": -1}, "`seed` is -1"),
    ):
        with pytest.raises(ProblemError, match=words):
            train_grid(teacher, W, a, **({"step": 0.1, "steps": 1} | options))
    for options, words in (
        ({"hidden": 0}, "`hidden` is 0"),
        ({"replicates": 0}, "`replicates` is 0"),
        ({"seed": -1}, "`seed` is -1"),
        ({"time": 0.0}, "`time`.*positive"),
    ):
        with pytest.raises(ProblemError, match=words):
            scale_diagram([1], [0.1], [0.1], **({"hidden": 1, "replicates": 1} | options))
    with pytest.raises(ProblemError, match="rank of the teacher, 0, which must not be zero"):
        scale_diagram([0.0, 0.0], [0.1], [0.1])
    with pytest.raises(ProblemError, match=r"`time`.*positive"):
        single_mode_diagram([0.1], [0.1], time=-1.0)
    with pytest.raises(ProblemError, match="rank"):
        scale_diagram([2, 1], [0.1], [0.1], hidden=1)
    with pytest.raises(ProblemError, match="positive"):
        single_mode_diagram([0.1], [0.1], eigenvalue=-1.0)
    with pytest.raises(ProblemError, match="axes"):
        train_grid(Teacher.from_eigenvalues([1]), np.ones((2, 1)), np.ones((2, 1)), step=0.1, steps=1)


@pytest.mark.parametrize("sizes", [{"hidden": 2**62}, {"replicates": 2**62}])
def test_diagrams_beyond_all_memory_are_refused(sizes):
    with pytest.raises(ProblemError, match=r"of memory, but at most .* lower `hidden`, `replicates`"):
        scale_diagram([1.0], scale_w=[0.1], scale_a=[0.1], **({"hidden": 1, "replicates": 1} | sizes))


def test_flows_that_decide_are_followed_together(monkeypatch):
    """Twelve starts of which some have to be followed: each verdict is that of `diagnose`, all flows in one call."""
    calls = []
    bulk = in_bulk.integrate_together
    monkeypatch.setattr(in_bulk, "integrate_together", lambda asked: calls.append(len(asked)) or bulk(asked))
    rng = np.random.default_rng(11)
    teacher = Teacher.from_eigenvalues([2, -1.9])
    W, a = 0.3 * rng.normal(size=(12, 4, 2)), 0.2 * np.abs(rng.normal(size=(12, 4)))
    found = phase_diagram._verdicts(teacher, W, a)
    assert len(calls) == 1 and calls[0] > 3
    alone = [diagnose(Problem(teacher, Student(w, b))) for w, b in zip(W, a, strict=True)]
    assert found.tolist() == [diagnosis.verdict for diagnosis in alone]


def test_a_diagnosis_that_fails_is_reported(monkeypatch):
    def diagnosing(*_, **__):
        yield from ()
        raise ComputationError("lost")

    monkeypatch.setattr(phase_diagram, "diagnosing", diagnosing)
    with pytest.raises(ComputationError, match="lost"):
        scale_diagram([1.0], [0.1], [0.1], hidden=1, replicates=2)
