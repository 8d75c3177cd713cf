"""Train and test curves: theory on the very data sets against the networks trained on them."""

import numpy as np
import pytest
import torch

from dynamics import Problem, ProblemError, Student, Teacher
from empirical import recorder
from empirical.data import GaussianData
from empirical.generalisation import train_and_test
from empirical.networks import QuadraticNetwork


def problem(activation="quadratic", covariance=None):
    return Problem(
        Teacher.from_eigenvalues([2, 1], 4),
        Student.initialise(3, 4, scale=0.4, seed=1),
        activation,
        covariance,
    )


@pytest.mark.parametrize("Sigma", [None, np.diag([2.0, 1, 0.5, 0.25]) + 0.1, np.diag([2.0, 1, 0.5, 0])])
@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_train_loss_is_the_network_s_own(activation, Sigma):
    """At the start, against the forward pass of the network on the data that `train` draws for this seed."""
    p = problem(activation, Sigma)
    curves = train_and_test(p, samples=30, steps=4, step=1e-3, label_noise=0.3, seeds=2, seed=5, records=2)
    X, Y = next(GaussianData(p, 0, 30, 0.3, 2, 5).batches(torch.float64, "cpu"))
    network = QuadraticNetwork.from_student(
        p.student, activation=activation, covariance=Sigma, dtype=torch.float64
    )
    with torch.no_grad():
        expected = [0.5 * ((network(x) - y) ** 2).sum(-1).mean().item() for x, y in zip(X, Y, strict=True)]
    np.testing.assert_allclose(curves.train[:, 0], expected, rtol=1e-12)
    np.testing.assert_allclose(curves.theory_train[:, 0], expected, rtol=1e-10)
    np.testing.assert_allclose(curves.theory_test[:, 0], curves.test[:, 0], rtol=1e-10)


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


def test_weights_that_were_not_kept_are_asked_for(monkeypatch):
    """A run too large to keep its weights, here one of more than none: the loss on the set would need them."""
    monkeypatch.setattr(recorder, "LARGEST_KEPT_WEIGHTS", 0)
    with pytest.raises(ProblemError, match="take fewer records, seeds or inputs"):
        train_and_test(problem(), samples=10, steps=2, step=1e-3, records=2)


def test_no_data_is_refused():
    with pytest.raises(ProblemError, match="samples"):
        train_and_test(problem(), samples=0, steps=4, step=1e-3)
