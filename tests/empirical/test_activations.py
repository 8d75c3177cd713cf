"""Networks of degree 1: what they compute, what is measured of them, and that they follow their flow."""

from functools import cache

import numpy as np
import pytest
import torch

from dynamics import Problem, Student, Teacher
from empirical import QuadraticNetwork, Recorder, TrainingData, compare

PHI = {"linear": lambda z: z, "relu": lambda z: max(z, 0.0), "abs": abs}


@pytest.mark.parametrize("activation", PHI)
def test_forward_is_the_sum_over_units(rng, activation):
    """f_o(x) = Σ_k A_ok φ(w_k·x), written as loops."""
    student = Student(rng.standard_normal((4, 3)), rng.standard_normal((2, 4)))
    network = QuadraticNetwork.from_student(student, activation=activation)
    x = rng.standard_normal((5, 3))
    expected = np.zeros((5, 2))
    for b, o, k in np.ndindex(5, 2, 4):
        expected[b, o] += student.A[o, k] * PHI[activation](student.W[k] @ x[b])
    np.testing.assert_allclose(network(torch.tensor(x)).detach().numpy(), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("activation", PHI)
def test_labels_are_those_of_the_teacher_network(make_problem, rng, activation):
    """Σ_m B_om φ(v_m·x) for every sample, not a quadratic form."""
    problem = make_problem(rng, activation=activation, O=2)
    x, y = next(TrainingData(problem, batch=6).batches(torch.float64, "cpu"))
    z = np.vectorize(PHI[activation])(x[0].numpy() @ problem.teacher.V.T)
    np.testing.assert_allclose(y[0].numpy(), z @ problem.teacher.B.T, rtol=1e-12)


@pytest.mark.parametrize("activation", PHI)
@pytest.mark.parametrize("covariance", [False, True])
def test_the_recorded_loss_is_the_generalisation_loss(make_problem, rng, activation, covariance):
    """Exactly from the weights, against the mean over 200,000 test samples: within 4.5 standard errors."""
    problem = make_problem(rng, activation=activation, covariance=covariance)
    network = QuadraticNetwork.from_student(problem.student, activation=activation)
    recorder = Recorder(problem, step=1.0)
    recorder.record(network, 0)
    x, y = next(TrainingData(problem, batch=200_000, seed=3).batches(torch.float64, "cpu"))
    with torch.no_grad():
        squares = 0.5 * (y[0] - network(x[0])).square().sum(-1).numpy()
    error = squares.std() / np.sqrt(len(squares))
    assert abs(squares.mean() - recorder.run().loss[0, 0]) < 4.5 * error


@cache
def trained(activation):
    """Eight networks beside the flow from the same weights."""
    teacher, student = Teacher.from_eigenvalues([2, 1], 3), Student.initialise(4, 3, scale=0.1, seed=1)
    return compare(Problem(teacher, student, activation), steps=5000, step=2e-3, batch=256, seeds=8, seed=1)


@pytest.mark.parametrize("activation", ["relu", "abs"])
def test_trained_networks_lie_on_the_flow(activation):
    """Through plateaus, vanishing units and their return: the mean of 8 networks within 2 % of the initial loss.

    At a step η and a batch B the error is O(η) + O(√(η/(8B))) in units of the natural time and loss. The quadratic
    network with the same options is held to the same bound.
    """
    found = trained(activation)
    assert (np.linalg.norm(found.trajectory.W, axis=2) == 0).any()
    assert found.trajectory.conserved_drift < 1e-9
    assert found.relative_error["loss_sup"] < 0.02
    assert found.relative_error["modes_sup"] < 0.02
    assert found.relative_error["loss_sup"] < 2 * trained("quadratic").relative_error["loss_sup"]
