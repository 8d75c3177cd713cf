"""Gradients of the loss of single samples, by automatic differentiation."""

import numpy as np
import torch


def autograd_samples(problem, n, label_noise, rng):
    """Gradients (n, K, d) and (n, O, K) of ½ Σ_o (f_o − y_o)² at the student, for n fresh samples."""
    Sigma = torch.eye(problem.inputs) if problem.covariance is None else torch.tensor(problem.covariance)
    Sigma = Sigma.double()
    x = torch.tensor(rng.multivariate_normal(np.zeros(problem.inputs), Sigma.numpy(), n))
    xi = torch.tensor(np.sqrt(label_noise) * rng.normal(size=(n, problem.teacher.outputs)))
    V, B, W, A = map(
        torch.tensor, (problem.teacher.V, problem.teacher.B, problem.student.W, problem.student.A)
    )
    centred = float(problem.activation.name == "centred")

    def outputs(W, A, x):
        return A @ ((W @ x) ** 2 - centred * torch.einsum("ki,ij,kj->k", W, Sigma, W))

    def loss(W, A, x, xi):
        return (outputs(W, A, x) - outputs(V, B, x) - xi).square().sum() / 2

    dW, dA = torch.func.vmap(torch.func.grad(loss, (0, 1)), (None, None, 0, 0))(W, A, x, xi)
    return dW.numpy(), dA.numpy()
