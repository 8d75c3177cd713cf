"""Losses of every kind on samples, against automatic differentiation of the network itself."""

import numpy as np
import pytest
import torch

from dynamics import Problem, Student
from dynamics.losses import FAMILIES, LOSSES, Loss

TABLE = [*LOSSES.values(), *(Loss.parse(f"{family.name}:{family.example}") for family in FAMILIES.values())]
TABLE = [loss for loss in TABLE if not loss.is_square]
RNG = np.random.default_rng(4)
X, LABELS = RNG.standard_normal((40, 3)), RNG.standard_normal((40, 2))


def problem_of(loss, activation, bias, outputs=1):
    Y = (LABELS[:, :1] > 0).astype(float) if loss.classifies else LABELS[:, :outputs]
    student = Student.initialise(4, 3, scale=1.0, seed=2, outputs=outputs)
    return Problem(None, student, activation, data=(X, Y), loss=loss, bias=bias)


def by_torch(problem, W, A):
    """The loss of the network, sample by sample."""
    inputs, Y = torch.tensor(problem.data.X), torch.tensor(problem.data.Y)
    Sigma = torch.tensor(problem.data.X.T @ problem.data.X / len(X))
    q = torch.einsum("kd,de,ke->k", W, Sigma, W)
    K = len(W)
    beta = A[:, K] if A.shape[1] > K else problem.bias.start
    f = problem.activation.phi(inputs @ W.T, q) @ A[:, :K].T - beta
    return problem.loss.value(f, Y).sum() / len(X)


@pytest.mark.parametrize("loss", TABLE, ids=str)
@pytest.mark.parametrize(
    ("activation", "bias", "outputs"),
    [("quadratic", 0.3, 2), ("centred", "trainable", 1), ("tanh", "trainable:0.2", 2)],
)
def test_two_derivatives(loss, activation, bias, outputs):
    problem = problem_of(loss, activation, bias, 1 if loss.classifies else outputs)
    population, W0 = problem.population, problem.student.W
    A0 = problem.second_layer.copy()
    A0[:, len(W0) :] = 0.4
    W, A = torch.tensor(W0, requires_grad=True), torch.tensor(A0, requires_grad=True)
    direction = [RNG.standard_normal(W.shape), RNG.standard_normal(A.shape)]
    value = by_torch(problem, W, A)
    gradient = torch.autograd.grad(value, (W, A), create_graph=True)
    along = sum((g * torch.tensor(d)).sum() for g, d in zip(gradient, direction, strict=True))
    turned = torch.autograd.grad(along, (W, A))
    assert population.loss(W0, A0) == pytest.approx(float(value.detach()), rel=1e-14)
    product = population.hessian_vector(W0, A0, *direction)
    for mine, theirs in zip(population.velocity(W0, A0), gradient, strict=True):
        np.testing.assert_allclose(-mine, theirs.detach(), atol=1e-13)
    for mine, theirs in zip(product, turned, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-12)
    flat = np.concatenate([part.ravel() for part in direction])
    wanted = np.concatenate([part.ravel() for part in product])
    np.testing.assert_allclose(population.hessian(W0, A0) @ flat, wanted, atol=1e-12)
    assert (population.force is None) == (activation == "tanh" or problem.bias.trainable)
    if population.force is not None:
        moved = np.einsum("ok,oij,kj->ki", A0, population.force(W0, A0), W0)
        np.testing.assert_allclose(population.velocity(W0, A0)[0], moved, atol=1e-13)


def test_samples_in_chunks(monkeypatch):
    """Losses and slopes do not depend on how many samples are held at a time, up to rounding."""
    problem = problem_of(LOSSES["log-cosh"], "quadratic", 0.0)
    W, A = problem.student.W, problem.student.A
    whole = (
        problem.population.loss(W, A),
        *problem.population.velocity(W, A),
        problem.population.hessian(W, A),
    )
    monkeypatch.setattr("dynamics.population.samples.CHUNK", 7)
    parts = (
        problem.population.loss(W, A),
        *problem.population.velocity(W, A),
        problem.population.hessian(W, A),
    )
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(problem.population.outputs(W, A), problem.student(X), atol=1e-14)
