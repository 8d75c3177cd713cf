"""All of it over α: the columns are those of single points, files, texts, warnings."""

import numpy as np
import pytest

from dynamics import state_evolution
from dynamics.errors import ProblemError
from dynamics.sample_size.bayes import bayes_mse
from dynamics.sample_size.best_decay import best_decay
from dynamics.sample_size.design import GaussianInputs
from dynamics.sample_size.equations import Regression
from dynamics.sample_size.marchenko_pastur import MarchenkoPastur
from dynamics.sample_size.prediction import SampleSize
from dynamics.sample_size.thresholds import thresholds

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
