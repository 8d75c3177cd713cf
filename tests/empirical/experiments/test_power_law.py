"""Scaling laws: exact curve, law and trained network belong together."""

from types import SimpleNamespace

import numpy as np
import pytest

from empirical.experiments import power_law
from empirical.experiments.power_law import scaling_laws


def test_trained_networks_fall_with_the_predicted_exponent():
    """Trained against the exact loss of as many modes, and the exact curve against its law near its end.

    The step changes the loss by a fraction of about 4ηλ₁ = 1 %, batches of 512 by 2 × (1/√512) of the largest
    single mode: 5 % allowed. The law leaves out modes beyond N, (8t/N^α)^(2 − 1/α) = 0.2 % of what is left, and
    the sum's difference from the integral.
    """
    law = scaling_laws([1.5], count=100_000, trained_modes=64, step=2e-3)[0]
    np.testing.assert_allclose(law.trained_loss, law.trained_theory, rtol=0.05)
    assert law.tail_exponent == pytest.approx(2 - 1 / 1.5)
    tail = law.prefactor * law.times**-law.tail_exponent
    np.testing.assert_allclose(law.loss[-10:], tail[-10:], rtol=0.01)
    late = law.trained_times > 2
    slope = np.polyfit(np.log(law.trained_times[late]), np.log(law.trained_loss[late]), 1)[0]
    assert slope == pytest.approx(-law.tail_exponent, rel=0.1)


def test_what_is_trained_and_how_far_curves_go(monkeypatch):
    """Ends of the docstrings: 8t = 0.01 N^α, but ten times the start with few modes; networks 0.1 N^α, half learned.

    Exact curves end a hundred times later than networks of four modes, at 8t = 100 × 0.1 × 4^1.5, at the latest.
    Thirty records, evenly spaced in the logarithm of the step, without the start, where the law has no meaning.
    """
    asked = []

    def fake(problem, **options):
        asked.append(options)
        assert problem.activation.name == "centred" and not problem.student.trainable
        lam = np.arange(1, 5) ** -1.5
        np.testing.assert_allclose(problem.teacher.matrix(), np.diag(lam))
        np.testing.assert_allclose(problem.student.W, np.diag(np.sqrt(lam / 2)))
        np.testing.assert_array_equal(problem.student.A, np.ones((1, 4)))
        return SimpleNamespace(times=np.array([0.0, 1.0]), loss=np.ones((1, 2)))

    monkeypatch.setattr(power_law, "train", fake)
    few, some, many = (scaling_laws([1.5], count=n, trained_modes=4)[0] for n in (9, 200, 10_000))
    np.testing.assert_allclose(8 * few.times[[0, -1]], [0.05, 0.5])
    np.testing.assert_allclose(8 * some.times[[0, -1]], [0.05, 0.01 * 200**1.5])
    np.testing.assert_allclose(8 * many.times[[0, -1]], [0.05, 80])
    assert len(few.times) == 60
    for options in asked:
        assert options == {
            **{"steps": 25, "step": 4e-3, "batch": 512, "seed": 0, "records": 30, "log_times": True},
            "progress": False,
        }
    assert (few.trained_times.tolist(), few.trained_loss.tolist()) == ([1], [1])
    # mode j lacks λ_j/(1 + e^{8 λ_j t}) at the time t = 1, and the loss is the sum of the squares
    lam = np.arange(1, 5) ** -1.5
    assert few.trained_theory == pytest.approx([np.sum((lam / (1 + np.exp(8 * lam))) ** 2)], rel=1e-9)
    at = np.exp(8 * np.outer(few.times, lam))
    np.testing.assert_allclose(few.few_loss, np.sum((lam / (1 + at)) ** 2, axis=1), rtol=1e-9)
    assert (few.exponent, few.count, few.trained_modes) == (1.5, 9, 4)


@pytest.mark.parametrize(("alpha", "modes"), [(0.9, 167), (0.75, 300), (0.51, 300), (1.0, 100), (2.0, 100)])
def test_slowly_falling_eigenvalues_need_more_modes(monkeypatch, alpha, modes):
    """100^(1/α), so that the last mode is learned at the same time as that of 100 modes at α = 1; at most 300."""
    nothing = SimpleNamespace(times=np.array([0.0, 1.0]), loss=np.ones((1, 2)))
    monkeypatch.setattr(power_law, "train", lambda problem, **options: nothing)
    law = scaling_laws([alpha], count=1000, trained_modes=100)[0]
    assert (law.trained_modes, law.count) == (modes, 1000)
