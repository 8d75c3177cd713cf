"""Balance of a unit under label noise and decay: the numbers of the theory, its limits, the exact step, networks."""

import numpy as np
import pytest

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.closed_forms import decayed_balance, noise_balance
from dynamics.sgd.one_step import step_means

OPTIONS = {"step": 0.002, "label_noise": 0.5}


def test_numbers_of_the_theory():
    """d = 6, λ = 1: section 18."""
    found = decayed_balance(1.0, 6, weight_decay=0.004, **OPTIONS)
    assert (found.a**2, found.conserved) == pytest.approx((0.41085, 0.73842), abs=6e-6)
    found = decayed_balance(1.0, 6, weight_decay=0.0, **OPTIONS)
    assert (found.a**2, found.conserved) == pytest.approx((0.32759, 1.09198), abs=6e-6)


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize("eigenvalue", [1.3, -0.7])
def test_limits(activation, eigenvalue):
    """Noise alone: the ratio of `noise_balance`; decay alone: c = 0. Either way the unit fits λ."""
    noise = decayed_balance(eigenvalue, 5, weight_decay=0.0, activation=activation, **OPTIONS)
    assert noise.norm / noise.a**2 == pytest.approx(noise_balance(5, activation))
    decay = decayed_balance(eigenvalue, 5, step=0.1, label_noise=0.0, weight_decay=0.2, activation=activation)
    assert decay.conserved == pytest.approx(0, abs=1e-14)
    for found in (noise, decay):
        assert found.a * found.norm == pytest.approx(eigenvalue)


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize("batch", [1, 4])
def test_exact_step_stands_still(activation, batch):
    """E[c'] − c of the exact moments at the balance, over its parts: −2ηρc alone would be 1; what is left is O(ηρ)."""
    rho, eta = 0.004, 0.002
    found = decayed_balance(1.0, 6, weight_decay=rho, batch=batch, activation=activation, **OPTIONS)
    w = np.sqrt(found.norm) * np.eye(1, 6)
    problem = Problem(Teacher.from_eigenvalues([1.0], 6), Student(w, [found.a]), activation, weight_decay=rho)
    after = step_means(problem, eta, batch=batch, label_noise=0.5).conserved[0]
    assert abs(after - found.conserved) < 2 * eta * rho * (2 * eta * rho * found.conserved)


@pytest.mark.slow
def test_networks_rest_in_the_balance():
    """250 runs, d = 6, λ = 1, η = .002, Δ = .5, ρ = .004, steps 3000 – 15000: within 4 standard errors and 1.5 %.

    The leading order neglects fluctuations; the theory's own Monte Carlo found a² = .4098, c = .7364.
    """
    from empirical import train

    start = decayed_balance(1.0, 6, weight_decay=0.004, **OPTIONS)
    student = Student(np.sqrt(start.norm) * np.eye(1, 6), [start.a])
    problem = Problem(Teacher.from_eigenvalues([1.0], 6), student, weight_decay=0.004)
    run = train(problem, steps=15_000, batch=1, seeds=250, record_at=np.arange(3000, 15_001, 500), **OPTIONS)
    for values, expected in ((run.A[:, :, 0, 0] ** 2, start.a**2), (run.conserved[..., 0], start.conserved)):
        means = values.mean(axis=1)
        error = means.std(ddof=1) / np.sqrt(len(means))
        assert abs(means.mean() - expected) < 4 * error + 0.015 * expected


def test_arguments_that_are_refused():
    with pytest.raises(ProblemError, match="fits nothing"):
        decayed_balance(0.0, 3, weight_decay=0.1, **OPTIONS)
    with pytest.raises(ProblemError, match="stays what it is"):
        decayed_balance(1.0, 3, step=0.1, label_noise=0.0, weight_decay=0.0)
