"""Gradient descent on the population loss: steps written out with the gradients of ‖D‖² + ½ (tr D)² by autograd."""

import numpy as np
import pytest
import torch

from dynamics import ComputationError, GradientFlow, Problem, ProblemError, Student, Teacher
from empirical.descent import gradient_descent_loss, population_descent


def problem(trainable=True):
    start = Student.initialise(3, 2, scale=0.5, seed=2)
    return Problem(Teacher.from_eigenvalues([2, -1]), Student(start.W, start.A, trainable))


def gradients(given, W, A):
    """Loss and its gradients in both layers."""
    W, A = (torch.tensor(x, requires_grad=True) for x in (W, A))
    D = torch.tensor(given.teacher.matrix()) - (W.T * A[0]) @ W
    loss = D.square().sum() + 0.5 * D.trace() ** 2
    return loss.item(), [g.numpy() for g in torch.autograd.grad(loss, [W, A])]


@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.parametrize(
    ("options", "beta", "decay", "rates"),
    [
        ({}, 0, 0, (1, 1)),
        ({"momentum": 0.7, "weight_decay": 0.1}, 0.7, 0.1, (1, 1)),
        ({"rates": (0.5, 2.0)}, 0, 0, (0.5, 2)),
    ],
)
def test_steps_are_torch_s_with_the_exact_gradient(options, beta, decay, rates, trainable):
    """v ← βv + ∇L + decay · θ, θ ← θ − η rate v; recorded at the steps that were asked for, times η n/(1 − β)."""
    given = problem(trainable)
    theta = [given.student.W.copy(), given.student.A.copy()]
    velocity, states = [np.zeros_like(x) for x in theta], []
    for n in range(21):
        if n in (0, 3, 20):
            states.append([x.copy() for x in theta])
        for layer, g in enumerate(gradients(given, *theta)[1]):
            velocity[layer] = beta * velocity[layer] + g + decay * theta[layer]
        for layer in range(1 + trainable):
            theta[layer] = theta[layer] - 0.01 * rates[layer] * velocity[layer]
    path = population_descent(given, 0.01, [0, 3, 20], **options)
    assert path.steps.tolist() == [0, 3, 20]
    np.testing.assert_allclose(path.times, np.array([0, 3, 20]) * 0.01 / (1 - beta))
    for i, (W, A) in enumerate(states):
        np.testing.assert_allclose(path.W[i], W, atol=1e-13)
        np.testing.assert_allclose(path.A[i], A, atol=1e-13)


@pytest.mark.parametrize("beta", [0.0, 0.6])
def test_losses_of_heavy_ball(beta):
    """v ← βv − ∇L, θ ← θ + ηv from rest; losses before the steps 0, 2 and 5."""
    given = problem()
    theta = [given.student.W, given.student.A]
    velocity, losses = [0 * x for x in theta], []
    for _ in range(6):
        loss, steepest = gradients(given, *theta)
        losses.append(loss)
        velocity = [beta * v - g for v, g in zip(velocity, steepest, strict=True)]
        theta = [x + 0.02 * v for x, v in zip(theta, velocity, strict=True)]
    found = gradient_descent_loss(GradientFlow(given), 0.02, np.array([0, 2, 5]), beta)
    np.testing.assert_allclose(found, [losses[n] for n in (0, 2, 5)], rtol=1e-12)


def test_what_is_refused():
    with pytest.raises(ComputationError, match="`step` is 5, try a smaller one"):
        population_descent(problem(), 5.0, [0, 100])
    for options, words in (
        ({"step": 0.0}, "`step`"),
        ({"at": [-1]}, "`at` is -1"),
        ({"rates": (0.0, 1.0)}, "`rates`"),
        ({"rates": (1.0, -1.0)}, "`rates`"),
    ):
        with pytest.raises(ProblemError, match=words):
            population_descent(problem(), **({"step": 0.1, "at": [1]} | options))


def test_one_step_in_more_inputs_than_weights_and_teacher_span():
    """W + η Ẇ and A + η Ȧ of the population in all six inputs, though two directions would do."""
    rng = np.random.default_rng(0)
    problem = Problem(
        Teacher(rng.standard_normal((1, 6)), [1.0]), Student(rng.standard_normal((1, 6)), [0.5])
    )
    found = population_descent(problem, 0.01, [1])
    dW, dA = problem.population.velocity(problem.student.W, problem.student.A)
    np.testing.assert_allclose(found.W[0], problem.student.W + 0.01 * dW, rtol=1e-12)
    np.testing.assert_allclose(found.A[0], problem.student.A + 0.01 * dA, rtol=1e-12)
