"""Exit times of networks that share their data: against networks with data of their own, against NumPy, and the law."""

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.activations import Activation
from dynamics.escape.prediction import escape_time
from empirical import exits
from empirical.escape import train_escape
from empirical.exits import train_exits
from empirical.experiments.exit_times import HALF, exit_times, kolmogorov_smirnov
from empirical.seeds import data_generator


def unit(d, activation="quadratic", a=1.0, b=1.0, length=1.0):
    direction = length * np.eye(1, d)
    return Problem(Teacher(direction, [b]), Student(np.ones((1, d)), [a], trainable=False), activation)


@pytest.mark.parametrize("activation", ["quadratic", "centred", "tanh"])
def test_step_by_step(activation, monkeypatch):
    """The same data, weights and steps in NumPy: a network is there when its overlap first is, in single precision."""
    monkeypatch.setattr(exits, "EVERY", 7)
    problem, eta, B, d = unit(5, activation, a=0.9, b=1.2, length=1.1), 0.02, 3, 5
    run = train_exits(
        problem,
        step=eta,
        t_end=12,
        batch=B,
        overlap=0.8,
        overlap_at_start=0.3,
        label_noise=0.2,
        seeds=4,
        seed=6,
    )
    phi = problem.activation
    W = exits._starts(4, d, 0.3, np.random.default_rng(6)).numpy().astype(float)
    np.testing.assert_allclose(np.diag(W), 0.3, atol=1e-6)
    generator = data_generator("cpu", 6, 0)
    at = np.full(4, np.inf)
    for n in range(1, 601):
        X = torch.randn(d, B, generator=generator).numpy()
        xi = torch.randn(4, B, generator=generator).numpy()
        z, y = W @ X, X[:4]
        error = 0.9 * phi.phi(z, 1.0) - 1.2 * phi.phi(1.1 * y, 1.21) - np.sqrt(0.2) * xi
        h = 1e-6
        slope = (phi.phi(z + h, 1.0) - phi.phi(z - h, 1.0)) / (2 * h)
        W = W - eta / B * (0.9 * slope * error) @ X.T
        W /= np.linalg.norm(W, axis=1)[:, None]
        m = np.diag(W) if activation == "tanh" else np.abs(np.diag(W))
        at = np.where(np.isinf(at) & (m >= 0.8), n, at)
        if activation == "tanh" and np.isfinite(at).all():
            break
    assert np.isfinite(at).any()
    np.testing.assert_allclose(run.times, eta * at, rtol=1e-12)


def test_the_same_law_as_with_data_of_their_own():
    """Two samples of 200 networks, by Kolmogorov–Smirnov: of groups that share data, and of networks alone."""
    how = {"step": 2e-3, "t_end": 12, "batch": 2, "overlap": 0.7, "seeds": 200, "label_noise": 0.5}
    shared, alone = train_exits(unit(50), seed=1, **how), train_escape(unit(50), seed=2, **how)
    assert ks_2samp(shared.times, alone.times).pvalue > 0.01
    assert shared.unfinished == alone.unfinished == 0


def test_labels_are_independent(monkeypatch):
    """Networks of a group look at different axes, groups at different data; starts scatter as 1/√d."""
    W = exits._starts(30, 30, None, np.random.default_rng(0))
    assert np.diag(W.numpy()).std() == pytest.approx(30**-0.5, rel=4 / np.sqrt(60))
    run = train_exits(unit(10), step=0.01, t_end=20, seeds=25, overlap=0.9)
    assert len(np.unique(run.times)) > 20 and run.inputs == 10


def test_the_end_of_the_time():
    run = train_exits(unit(100), step=1e-3, t_end=0.2, seeds=8)
    assert run.unfinished == 8 and run.as_dict()["times"] == [None] * 8


def test_what_is_refused():
    plain = Activation("plain", "φ(z) = z² + z⁴", lambda z, q: z**2 + z**4, degree=None, parity=1)
    with pytest.raises(ProblemError, match="does not say its slope"):
        train_exits(unit(5, plain), step=1e-3, t_end=1)


@pytest.mark.parametrize(("d", "rate", "noise"), [(200, 0.05, 0.0), (300, 0.06, 1.0)])
def test_the_law_in_two_settings(d, rate, noise):
    """300 networks that share data, batch 4: p > 0.01, mean within four standard errors; not so another law."""
    how = {"step": 4 * rate / d, "batch": 4, "overlap": HALF, "label_noise": noise}
    law = escape_time(unit(d), **how).exit_law
    run = train_exits(unit(d), t_end=law.quantile(1 - 1e-5), seeds=300, seed=1, **how)
    assert kolmogorov_smirnov(run.times, law) > 0.01
    assert abs(np.mean(run.times) - law.mean) < 4 * law.deviation / np.sqrt(300)
    wrong = escape_time(unit(d), **(how | {"step": 0.8 * how["step"]})).exit_law
    assert kolmogorov_smirnov(run.times, wrong) < 0.01


@pytest.mark.slow
@pytest.mark.parametrize(("d", "rate", "noise"), [(200, 0.05, 0.0), (300, 0.06, 1.0)])
def test_the_law_of_networks_with_data_of_their_own(d, rate, noise):
    """400 and 300 networks, one sample a step, each with its own data: Kolmogorov–Smirnov p > 0.01."""
    how = {"step": rate / d, "overlap": HALF, "label_noise": noise}
    law = escape_time(unit(d), **how).exit_law
    run = train_escape(unit(d), t_end=law.quantile(1 - 1e-5), seeds=400 if d == 200 else 300, seed=3, **how)
    assert kolmogorov_smirnov(run.times, law) > 0.01


@pytest.mark.slow
def test_the_figure():
    """Its 400 networks at d = 200 and 2,000, p > 0.01."""
    assert all(part.p_value > 0.01 for part in exit_times().exits)
