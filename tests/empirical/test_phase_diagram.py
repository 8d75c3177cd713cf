"""Grids of trained networks against the verdicts of theory."""

import numpy as np
import pytest
import torch

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.conservation import diagnose
from empirical.descent import population_descent
from empirical.phase_diagram import scale_diagram, single_mode_diagram, train_grid

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


def test_arguments_are_checked():
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
