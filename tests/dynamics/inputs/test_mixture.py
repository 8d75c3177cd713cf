"""Mixtures beyond quadratic units: means over clusters, against quadrature, and flows of units with a kink."""

import numpy as np
import pytest
import torch

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.activations import Activation
from dynamics.inputs.laws import Mixture
from dynamics.population.samples import batches
from oracles.input_rules import three_clusters

PLANE = three_clusters(2)
TEACHER = Teacher([[0.8, -0.4], [0.1, 0.9]], [[0.7, -0.5]])
STUDENT = Student([[0.5, 0.3], [-0.4, 0.6], [0.2, -0.7]], [[0.6, 0.4, -0.5]])


def nodes(law, h=0.2):
    """A trapezoidal rule in every cluster; exact to rounding for entire functions of moderate growth."""
    z = np.arange(-8, 8, h)
    p = np.exp(-(z**2) / 2) * h / np.sqrt(2 * np.pi)
    grid, weights = np.stack(np.meshgrid(z, z), axis=-1).reshape(-1, 2), np.outer(p, p).ravel()
    clusters = zip(law.weights, law.means, law.covariances, strict=True)
    parts = [(mu + grid @ np.linalg.cholesky(S).T, pi * weights) for pi, mu, S in clusters]
    return np.vstack([x for x, _ in parts]), np.concatenate([w for _, w in parts])


@pytest.mark.parametrize(
    ("name", "taught"), [("tanh", None), ("erf", "quadratic"), ("polynomial:0.1,1,0.4", None)]
)
def test_losses_and_gradients_are_those_of_quadrature(name, taught):
    phi, psi = Activation.parse(name), Activation.parse(taught or name)
    population = Problem(TEACHER, STUDENT, phi, teacher_activation=psi, distribution=PLANE).population
    x, p = (torch.tensor(part) for part in nodes(PLANE))
    W, A = (torch.tensor(part, requires_grad=True) for part in (STUDENT.W, STUDENT.A))
    V, B = torch.tensor(TEACHER.V), torch.tensor(TEACHER.B)
    residual = phi.phi(x @ W.T, None) @ A.T - psi.phi(x @ V.T, None) @ B.T
    loss = 0.5 * (p @ residual**2).sum()
    loss.backward()
    assert population.loss(STUDENT.W, STUDENT.A) == pytest.approx(loss.item(), rel=1e-9)
    for ours, theirs in zip(population.velocity(STUDENT.W, STUDENT.A), (W.grad, A.grad), strict=True):
        np.testing.assert_allclose(-ours, theirs.numpy(), atol=1e-9)


def test_kinks_are_averaged_over_the_clusters(rng):
    """500000 draws: the loss within four standard errors."""
    phi = Activation.parse("relu")
    population = Problem(TEACHER, STUDENT, phi, distribution=PLANE).population
    clusters = rng.choice(3, 500_000, p=PLANE.weights)
    x = np.empty((len(clusters), 2))
    for c in range(3):
        inside = clusters == c
        root = np.linalg.cholesky(PLANE.covariances[c])
        x[inside] = PLANE.means[c] + rng.standard_normal((inside.sum(), 2)) @ root.T
    losses = np.concatenate(
        [
            0.5
            * (phi.phi(X @ STUDENT.W.T, None) @ STUDENT.A.T - phi.phi(X @ TEACHER.V.T, None) @ TEACHER.B.T)[
                :, 0
            ]
            ** 2
            for (X,) in batches(x)
        ]
    )
    error = losses.std() / np.sqrt(len(losses))
    assert abs(population.loss(STUDENT.W, STUDENT.A) - losses.mean()) < 4 * error < 0.02 * losses.mean()


SLOWER = [pytest.param(name, marks=pytest.mark.slow) for name in ("abs", "leaky-relu:0.1", "tanh")]


@pytest.mark.parametrize("name", ["relu", "erf", "quadratic", "centred", *SLOWER])
def test_flows_follow_the_gradient(name):
    """The implicit method, which needs the Jacobian, and an explicit one go the same way."""
    problem = Problem(TEACHER, STUDENT, name, distribution=PLANE)
    run = {"t_end": 0.2, "samples": 5, "rtol": 1e-6, "max_evaluations": 1000}
    curve, other = (GradientFlow(problem).integrate(method=method, **run) for method in ("LSODA", "DOP853"))
    np.testing.assert_allclose(curve.W, other.W, atol=1e-4)
    assert (np.diff(curve.loss) < 0).all()


def test_a_mixture_of_one_centred_cluster_is_gaussian():
    """With a kink too, whose closed form is another one without a mean."""
    sigma = np.array([[1.0, 0.4], [0.4, 0.7]])
    law = Mixture([1.0], np.zeros((1, 2)), sigma[None])
    for name in ("relu", "tanh", "quadratic", "centred"):
        ours = Problem(TEACHER, STUDENT, name, distribution=law).population
        theirs = Problem(TEACHER, STUDENT, name, sigma).population
        assert ours.loss(STUDENT.W, STUDENT.A) == pytest.approx(theirs.loss(STUDENT.W, STUDENT.A), rel=1e-12)
        np.testing.assert_allclose(
            ours.hessian(STUDENT.W, STUDENT.A), theirs.hessian(STUDENT.W, STUDENT.A), atol=1e-12
        )
