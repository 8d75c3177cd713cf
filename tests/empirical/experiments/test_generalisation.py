"""Train and test curves: theory on the very data sets against the networks trained on them."""

import numpy as np
import pytest
import torch

from dynamics import Problem, ProblemError, Student, Teacher
from empirical.data import TrainingData
from empirical.experiments.generalisation import train_and_test
from empirical.networks import QuadraticNetwork


def problem(activation="quadratic", inputs=4, covariance=None):
    student = Student.initialise(3, inputs, scale=0.4, seed=1)
    return Problem(Teacher.from_eigenvalues([2, 1], inputs), student, activation, covariance)


SIGMA = np.array([[2.0, 0.5, 0, 0], [0.5, 1, 0, 0], [0, 0, 1.5, 0.2], [0, 0, 0.2, 0.7]])


@pytest.mark.parametrize(
    ("options", "samples"),
    [
        ({}, 30),
        ({"activation": "centred"}, 30),
        ({"activation": "centred", "covariance": SIGMA}, 30),
        ({"covariance": SIGMA}, 30),
        ({"activation": "centred", "covariance": np.diag([2.0, 1, 0.5, 0])}, 30),
        ({"inputs": 12}, 5),  # 5 samples, 3 units and 2 modes span 10 of 12 dimensions
        ({"inputs": 12, "activation": "centred"}, 5),
        ({"activation": "tanh"}, 30),
    ],
)
def test_train_loss_is_the_network_s_own(options, samples):
    """At the start, against the forward pass of the network on the data that `train` draws for this seed."""
    p = problem(**options)
    activation = p.activation
    curves = train_and_test(
        p, samples=samples, steps=4, step=1e-3, label_noise=0.3, seeds=2, seed=5, records=2
    )
    X, Y = next(TrainingData(p, 0, samples, 0.3, 2, 5).batches(torch.float64, "cpu"))
    network = QuadraticNetwork.from_student(
        p.student, activation=activation, covariance=p.covariance, dtype=torch.float64
    )
    with torch.no_grad():
        expected = [0.5 * ((network(x) - y) ** 2).sum(-1).mean().item() for x, y in zip(X, Y, strict=True)]
    np.testing.assert_allclose(curves.train[:, 0], expected, rtol=1e-12)
    np.testing.assert_allclose(curves.theory_train[:, 0], expected, rtol=1e-10)
    np.testing.assert_allclose(curves.theory_test[:, 0], curves.test[:, 0], rtol=1e-10)
    after = [np.abs(c[:, -1] - expected) for c in (curves.theory_train, curves.train)]
    np.testing.assert_allclose(*after, rtol=0.05)  # 4 steps of descent: by as much as the flow, to O(η)
    assert (curves.samples, curves.label_noise) == (samples, 0.3)


def test_both_curves_agree_to_second_order_in_the_step():
    """Halve η: a quarter of the distance between theory and networks, for the train and for the test loss."""
    gaps = []
    for eta in (4e-3, 2e-3):
        c = train_and_test(
            problem(), samples=50, steps=round(0.8 / eta), step=eta, label_noise=0.1, records=21
        )
        gaps.append([np.abs(c.theory_train - c.train).max(), np.abs(c.theory_test - c.test).max()])
    ratios = np.divide(*gaps)
    np.testing.assert_allclose(ratios, 4, rtol=0.1)


def test_few_samples_generalise_worse_than_they_fit():
    c = train_and_test(problem(), samples=20, steps=1500, step=2e-3, label_noise=0.5, seeds=3, records=5)
    assert (c.train[:, -1] < c.test[:, -1]).all()
    assert (np.diff(c.train) < 0).all()  # descent on the loss it descends on


def test_momentum_is_on_the_clock_of_the_theory():
    """Times are η n/(1 − β), and the theory is that of heavy ball: with β = 0.5 it is twice as fast as without."""
    options = {"samples": 40, "steps": 200, "step": 1e-3, "records": 3}
    heavy = train_and_test(problem(), momentum=0.5, **options)
    np.testing.assert_allclose(heavy.times, [0, 0.2, 0.4])
    plain = train_and_test(problem(), **options)
    np.testing.assert_allclose(heavy.theory_test[:, 1], plain.theory_test[:, 2], rtol=0.05)
    np.testing.assert_allclose(heavy.test[:, -1], heavy.theory_test[:, -1], rtol=0.01)


def test_weights_that_were_too_many_to_keep(monkeypatch):
    """A run keeps 12 weights × 2 records × 2 seeds = 48 numbers, or none; without them there is no train loss."""
    options = {"samples": 5, "steps": 2, "step": 1e-3, "records": 2, "seeds": 2}
    monkeypatch.setattr("empirical.recorder.LARGEST_KEPT_WEIGHTS", 48)
    train_and_test(problem(), **options)
    monkeypatch.setattr("empirical.recorder.LARGEST_KEPT_WEIGHTS", 47)
    with pytest.raises(ProblemError, match="too many to be kept"):
        train_and_test(problem(), **options)


def test_no_data_is_refused():
    with pytest.raises(ProblemError, match="samples"):
        train_and_test(problem(), samples=0, steps=4, step=1e-3)
