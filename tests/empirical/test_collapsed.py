"""Which runs have collapsed: by a rule that is written out here for each of its cases; shares against SciPy."""

import numpy as np
import pytest
from scipy import stats
from torch import nn, optim

from dynamics import ProblemError
from empirical.collapsed import chance_accuracy, collapse_reason, share_interval
from empirical.module_training import ModuleRun, TrainingPlan, initialised, train_module
from empirical.neuron.architectures import Mlp
from empirical.neuron.kinds import QuadraticNeurons
from empirical.neuron.models import Model
from empirical.splits import Samples, Splits

RNG = np.random.default_rng(0)
X = RNG.normal(size=(100, 3))
CLASSES = np.repeat([0, 1, 2], [50, 30, 20])
NUMBERS = np.column_stack([X[:, 0] * 2, X[:, 1]])


def ended(loss, accuracy=None, failure=""):
    """A run with these numbers at its end, everything better before."""
    of = [[0.1, loss], [0.1, 0.0], [0.1, 0.0]]
    shares = None if accuracy is None else np.array([[1.0, accuracy], [1, 1], [1, 1]])
    return ModuleRun(np.array([0, 9]), np.array([0.0, 1]), np.array(of), shares, 5, 0.0, failure)


def test_an_accuracy_of_guesses_is_a_collapse():
    """p = ½, n = 100: the bound is ½ + 3 · 0.05."""
    samples = Samples(X, CLASSES)
    assert chance_accuracy(samples) == pytest.approx(0.65)
    for accuracy, collapsed in ((0.0, True), (0.33, True), (0.649, True), (0.66, False), (1.0, False)):
        assert bool(collapse_reason(ended(0.0, accuracy), samples)) == collapsed
    assert collapse_reason(ended(0.0, 0.5), samples) == (
        "Training ended at chance: its accuracy is 0.5, at most 0.65."
    )


def test_guesses_are_recognised_as_often_as_promised():
    """Answers drawn without the inputs, for two classes as often as each other: at most 0.00135 exceed three standard
    deviations, by the normal law; of 4000 draws 5.4 ± 2.3.
    """
    y = np.repeat([0, 1], 200)
    bound = chance_accuracy(Samples(np.zeros((400, 1)), y))
    accuracies = (RNG.integers(0, 2, size=(4000, 400)) == y).mean(axis=1)
    assert np.sum(accuracies > bound) <= 5.4 + 4 * 2.3
    assert np.sum(accuracies > 0.5 + 0.5 * (bound - 0.5)) > 100  # half of the distance is often exceeded


def test_a_loss_of_the_mean_label_is_a_collapse():
    """½ Σ var y, by the best constant of a least-squares fit."""
    samples = Samples(X, NUMBERS)
    _, rest, *_ = np.linalg.lstsq(np.ones((100, 1)), NUMBERS, rcond=None)
    constant = 0.5 * float(rest.sum()) / 100
    assert collapse_reason(ended(0.999 * constant), samples) == ""
    assert collapse_reason(ended(1.001 * constant), samples).startswith(
        "Training ended at chance: its loss is"
    )


def test_a_training_that_failed_says_why():
    """Whatever it had reached before."""
    assert collapse_reason(ended(0.0, 1.0, "Diverged."), Samples(X, CLASSES)) == "Diverged."


def test_real_trainings():
    """Classes that a plane tells apart: learned by a linear map; at chance with units of ReLU that are never active;
    diverged where quadratic neurons explode.
    """
    y = (X[:, 0] > 0).astype(int)
    data = Splits.random(X, y, seed=1)

    def reason(module, rate):
        plan = TrainingPlan(20, 10, records=2)
        run = train_module(module, lambda m: optim.SGD(m.parameters(), lr=rate), data, plan)
        return collapse_reason(run, data.train)

    linear = initialised(lambda: nn.Linear(3, 2), 0)
    assert reason(linear, 0.3) == ""
    dead = initialised(lambda: nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 2)), 0)
    nn.init.constant_(dead[0].bias, -100.0)
    assert reason(dead, 0.3).startswith("Training ended at chance")
    model = Model(Mlp((8, 8)), QuadraticNeurons("random", scale=3.0))
    assert "diverged" in reason(model.build((3,), 2, seed=0), 10.0)


@pytest.mark.parametrize(("count", "total"), [(0, 5), (5, 5), (3, 10), (1, 1000)])
def test_intervals_are_those_of_scipy(count, total):
    expected = stats.binomtest(count, total).proportion_ci(method="wilson")
    np.testing.assert_allclose(share_interval(count, total), [expected.low, expected.high], atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [((3, 2), "at most all"), ((-1, 2), "count"), ((0, 0), "total"), ((1, 2, 0.0), "dev")],
)
def test_refusals(arguments, words):
    with pytest.raises(ProblemError, match=words):
        share_interval(*arguments)
