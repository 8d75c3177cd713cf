"""`train(optimizer="gsgd")`: path values of the trained network do not depend on how the start was scaled."""

import numpy as np
import pytest

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.path_space import Skeleton, path_values
from empirical import train
from quadflow.results import run_json

RNG = np.random.default_rng(0)
W0 = np.eye(3) + 0.1 * RNG.standard_normal((3, 3))
A0 = np.array([1.0, 0.8, 1.2])
FACTORS = np.array([0.5, 1.3, 2.0])
TEACHER = Teacher.from_eigenvalues([1.5, 1.0, 0.7])


def trained(W, a, optimizer="gsgd", activation="quadratic", degree=2, **options):
    """Path values (S, basis paths) and loss after 200 steps from weights W, a."""
    problem = Problem(TEACHER, Student(W, a), activation)
    options = {
        "steps": 200,
        "step": 2e-3,
        "batch": 32,
        "seeds": 2,
        "dtype": "float64",
        "records": 2,
        **options,
    }
    run = train(problem, optimizer=optimizer, **options)
    skeleton = Skeleton.strongest([W0, A0[None]], degree)
    return np.array(
        [path_values([w[-1], v[-1]], skeleton, degree) for w, v in zip(run.W, run.A, strict=True)]
    ), run


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_path_values_do_not_depend_on_a_positive_rescaling(activation):
    """(w, a) → (cw, a/c²): G-SGD ends with the same path values to 1e-12, SGD on the same data does not."""
    rescaled = (FACTORS[:, None] * W0, A0 / FACTORS**2)
    ours, run = trained(W0, A0, activation=activation)
    theirs, _ = trained(*rescaled, activation=activation)
    np.testing.assert_allclose(theirs, ours, rtol=1e-12)
    assert (run.loss[:, -1] < 0.5 * run.loss[:, 0]).all()
    assert run.about["optimizer"] == "gsgd"
    sgd, _ = trained(W0, A0, "sgd", activation)
    other, _ = trained(*rescaled, "sgd", activation)
    assert np.abs(other - sgd).max() > 0.01


def test_degree_is_that_of_the_activation():
    """ReLU is homogeneous of degree 1: (w, a) → (cw, a/c) leaves path values alone."""
    ours, _ = trained(W0, A0, activation="relu", degree=1)
    theirs, _ = trained(FACTORS[:, None] * W0, A0 / FACTORS, activation="relu", degree=1)
    np.testing.assert_allclose(theirs, ours, rtol=1e-12)


def test_changes_of_the_basis_are_reported():
    """A ReLU unit from (1, 0.9) to (−0.3, 1.2): its strongest path value must cross zero, once for both networks.

    It does so without a stop, the loss falls on, and another optimiser has nothing to report.
    """
    problem = Problem(Teacher([[-0.3, 1.2]], [1.0]), Student([[1.0, 0.9]], [1.0]), "relu")
    options = {"steps": 800, "step": 5e-3, "seeds": 2, "dtype": "float64", "records": 2}
    run = train(problem, optimizer="gsgd", **options)
    assert run.about["rebases"] == 1
    assert (run.W[:, 0, 0, 0] > 0).all() and (run.W[:, -1, 0, 0] < 0).all()
    assert (run.loss[:, -1] < 0.1 * run.loss[:, 0]).all()
    assert (
        "\n1 change of the basis of path space, where a path value would have passed zero\n" in run.summary()
    )
    assert run_json(run)["rebases"] == 1
    early = train(problem, optimizer="gsgd", **options | {"steps": 500})
    w = early.W[:, -1, 0]
    assert ((w[:, 0] > 0) & (w[:, 0] < 0.4 * w[:, 1])).all()
    assert (
        early.about["rebases"] == 0
    )  # it is still the descent that `PathFlow` follows, in the basis of the start
    short = options | {"steps": 2}
    still = train(problem, optimizer="gsgd", **short)
    assert run_json(still)["rebases"] == 0
    assert "change" not in still.summary()
    other = train(problem, optimizer="sgd", **short)
    assert "rebases" not in other.about and "rebases" not in run_json(other)


def test_refusals():
    fixed = Problem(TEACHER, Student(W0, A0, trainable=False))
    with pytest.raises(ProblemError, match="train both"):
        train(fixed, steps=1, step=1e-3, optimizer="gsgd")
    with pytest.raises(ProblemError, match="leave it out"):
        train(Problem(TEACHER, Student(W0, A0)), steps=1, step=1e-3, optimizer="gsgd", momentum=0.5)
