"""All of it over α: the columns are those of single points, files, texts, warnings."""

import numpy as np
import pytest
from scipy.optimize import brentq

from dynamics import state_evolution
from dynamics.errors import ProblemError
from dynamics.sample_size.atoms import Atoms
from dynamics.sample_size.bayes import bayes_mse
from dynamics.sample_size.best_decay import best_decay
from dynamics.sample_size.design import GaussianInputs
from dynamics.sample_size.equations import Regression
from dynamics.sample_size.marchenko_pastur import MarchenkoPastur
from dynamics.sample_size.prediction import SampleSize
from dynamics.sample_size.thresholds import thresholds
from empirical.proximal_gradient import FormData, proximal_gradient

LAW = MarchenkoPastur(2.0)


@pytest.fixture(scope="module")
def found():
    return state_evolution(LAW, [0.3, 0.6], weight_decay_order=0.2, label_noise=0.5, bayes=True, best=True)


def test_columns_are_those_of_the_points(found):
    """One by one; keys of the JSON object as the interface promises them."""
    problem = Regression(LAW, 0.2, 0.5)
    for i, alpha in enumerate((0.3, 0.6)):
        point, best = problem.solve(alpha), best_decay(problem, alpha)
        for name, value in vars(point).items():
            assert getattr(found, name)[i] == value
        assert found.bayes[i] == bayes_mse(LAW, alpha, 0.5)
        assert (found.best_decay[i], found.best_mse[i]) == (best.decay, best.mse)
    assert found.thresholds == thresholds(LAW, 0.5)
    promised = {"alpha", "mse", "training_error", "rank_fraction", "trace", "bayes", "thresholds"}
    assert found.as_dict().keys() >= promised
    assert found.as_dict()["thresholds"].keys() == {"interpolation", "recovery", "bayes"}


def test_options_reach_the_equations():
    raw = state_evolution(LAW, 0.6, label_noise=0.5, activation="quadratic")
    assert raw.mse[0] == Regression(LAW, 0.0, 0.5, raw=True).solve(0.6).mse
    assert raw.thresholds == thresholds(LAW, 0.5, raw=True)
    narrow = state_evolution(LAW, [0.6], label_noise=0.5, width=0.25, inputs=40)
    assert narrow.mse[0] == Regression(LAW, 0.0, 0.5, width=0.25, design=GaussianInputs(40)).solve(0.6).mse
    assert narrow.thresholds.interpolation is None is narrow.thresholds.recovery
    assert (narrow.bayes, narrow.best_decay, narrow.best_mse) == (None, None, None)


def test_what_is_not_proven_is_said():
    """Conjecture and heuristic, in the object and in its text; raw units say that their decay has no effect."""
    plain = state_evolution(LAW, [0.6], label_noise=0.5)
    assert (plain.conjectural, plain.heuristic, plain.warnings) == (False, False, [])
    narrow = state_evolution(LAW, [0.6], label_noise=0.5, width=0.25)
    assert narrow.conjectural and "conjecture" in narrow.summary() and "κ = 0.25" in narrow.summary()
    finite = state_evolution(LAW, [0.6], label_noise=0.5, inputs=40)
    assert finite.heuristic and "heuristic" in finite.summary() and "d = 40" in finite.summary()
    raw = state_evolution(LAW, [0.1, 0.6], label_noise=0.5, weight_decay_order=0.3, activation="quadratic")
    assert raw.heuristic
    assert [text.split(":")[0] for text in raw.warnings] == [
        "raw units that can fit all labels",
        "the weight decay has no effect on raw units",
    ]


def test_thresholds_say_what_they_are_for():
    """Recovery, of Bayes too, belongs to label noise 0; a missing value has its reason, in JSON and in the text."""
    clean = state_evolution(MarchenkoPastur(0.5), [0.3])
    assert clean.as_dict()["threshold_reasons"] == {}
    text = clean.summary()
    assert "0.422175" in text and "0.375" in text and "label noise 0" in text and "at ℓ = 0" in text
    noisy = state_evolution(MarchenkoPastur(0.5), [0.3], label_noise=0.5).as_dict()
    assert noisy["thresholds"] == {
        "interpolation": pytest.approx(0.32363, abs=5e-6),
        "recovery": None,
        "bayes": None,
    }
    assert noisy["threshold_reasons"].keys() == {"recovery", "bayes"}
    narrow = state_evolution(MarchenkoPastur(0.5), [0.3], width=0.4)
    assert narrow.thresholds.bayes == 0.375
    assert "recovery      none      not known for a width below 1" in narrow.summary()


def test_at_the_threshold_stands_the_limit_from_below():
    """S* of full rank: 0 above α = ½, and just below the σ² at which an eigenvalue of S* + σ·GOE reaches 0.

    There the least atom c of Σw/(λ − u)² = 1/σ² has its edge u − σ²G(u) at 0, of MSE σ²: two equations, solved here.
    """
    lam = 3**0.5 * np.array([4.0, 2.0, 1.0])

    def edge(u):
        sigma2 = 1 / np.mean((lam - u) ** -2)
        return u + sigma2 * np.mean(1 / (u - lam))

    found = state_evolution(Atoms(lam), [0.4999, 0.5, 0.5001])
    expected = 1 / np.mean((lam - brentq(edge, -5.0, 1.7)) ** -2)
    assert found.mse[1] == pytest.approx(expected, rel=1e-3)
    assert found.mse[0] > found.mse[1] and found.mse[2] == 0
    assert any("limit from below" in text for text in found.warnings)
    assert state_evolution(Atoms(lam), [0.4999, 0.5001]).warnings == []
    decayed = state_evolution(Atoms(lam), [0.5], weight_decay_order=0.5)
    assert decayed.warnings == []


def test_the_correction_says_how_much_it_leaves_out():
    """Sixteen draws at d = 30 with weight decay lie above it, by more than it adds to d → ∞; the warning says so."""
    law, d, alpha = MarchenkoPastur(0.5), 30, 0.75
    S = np.diag(law.eigenvalues(d))
    errors = [
        proximal_gradient(FormData.draw(S, 675, 0.5, seed=[7, s]), 1.2, tolerance=1e-5).mse(S)
        for s in range(16)
    ]
    how = {"weight_decay_order": 1.2, "label_noise": 0.5}
    limit, finite = (state_evolution(law, alpha, inputs=inputs, **how) for inputs in (None, d))
    covered = (finite.mse[0] - limit.mse[0]) / (np.mean(errors) - limit.mse[0])
    assert 0.15 < covered < 0.55
    assert "a third to a half" in finite.summary() and "too low" in finite.summary()


def test_files_are_read_again(found, tmp_path):
    found.save(tmp_path / "s.npz")
    again = SampleSize.load(tmp_path / "s.npz")
    assert again.summary() == found.summary()
    assert again.thresholds == found.thresholds
    np.testing.assert_array_equal(again.best_mse, found.best_mse)
    assert list(found.to_xarray().mse.values) == list(found.mse)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"alpha": []}, "`alpha` is empty"),
        ({"alpha": [0.5, -1]}, "`alpha` is -1"),
        ({"activation": "relu"}, "`activation` is 'relu'"),
        ({"inputs": 5}, "`inputs` is 5, but the correction of first order in 1/d needs at least 10"),
        ({"inputs": 20, "width": 0.01}, "`width` is 0.01, which of 20 inputs is not one hidden unit"),
        ({"inputs": 20, "best": True}, "known only for d → ∞"),
    ],
)
def test_refusals(arguments, words):
    with pytest.raises(ProblemError) as refused:
        state_evolution(LAW, **({"alpha": [0.5]} | arguments))
    assert words in str(refused.value)
