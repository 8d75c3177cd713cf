"""The loss on a data set of networks of any activation, against PyTorch."""

import numpy as np
import pytest
import torch

from dynamics.activations import Activation
from dynamics.population.samples import SampleLoss
from dynamics.population.unit_samples import UnitSampleLoss

NAMES = [
    "tanh",
    "erf",
    "gelu",
    "silu",
    "softplus",
    "sigmoid",
    "relu2",
    "polynomial:0.2,-1,0.5,0.3",
    "relu",
    "linear",
]


def loss_of(name, X, Y):
    phi = Activation.parse(name)
    return UnitSampleLoss(X, Y, lambda z: phi.phi(z, None), phi.derivative)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [6, 4099])
def test_loss_and_two_derivatives_are_those_of_autograd(name, n, rng):
    """Two outputs; more samples than a chunk. The mixtures of tanh and its kind are good to 1e-12 and their φ″ less."""
    K, d, O = 3, 4, 2
    W, A, dW, dA = (rng.standard_normal(shape) for shape in ((K, d), (O, K), (K, d), (O, K)))
    X, Y = rng.standard_normal((n, d)), rng.standard_normal((n, O))
    phi = Activation.parse(name)

    def by_definition(theta):
        w, a = theta[: K * d].reshape(K, d), theta[K * d :].reshape(O, K)
        r = phi.phi(torch.tensor(X) @ w.T, None) @ a.T - torch.tensor(Y)
        return 0.5 * (r**2).sum(1).mean()

    theta = torch.tensor(np.concatenate([W.ravel(), A.ravel()]), requires_grad=True)
    (gradient,) = torch.autograd.grad(by_definition(theta), theta)
    hessian = torch.autograd.functional.hessian(by_definition, theta).numpy()
    ours = loss_of(name, X, Y)
    assert ours.loss(W, A) == pytest.approx(by_definition(theta).item(), rel=1e-13)
    velocity = np.concatenate([v.ravel() for v in ours.velocity(W, A)])
    np.testing.assert_allclose(velocity, -gradient.numpy(), atol=1e-10)
    np.testing.assert_allclose(ours.hessian(W, A), hessian, atol=1e-8)
    along = np.concatenate([v.ravel() for v in ours.hessian_vector(W, A, dW, dA)])
    np.testing.assert_allclose(along, hessian @ np.concatenate([dW.ravel(), dA.ravel()]), atol=1e-7)


def test_quadratic_units_have_the_loss_of_their_own_class(rng):
    W, A, X, Y = (rng.standard_normal(shape) for shape in ((3, 2), (1, 3), (9, 2), (9, 1)))
    ours, theirs = loss_of("quadratic", X, Y), SampleLoss(X, Y, None)
    assert ours.loss(W, A) == pytest.approx(theirs.loss(W, A), rel=1e-13)
    for a, b in zip(ours.velocity(W, A), theirs.velocity(W, A), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    np.testing.assert_allclose(ours.hessian(W, A), theirs.hessian(W, A), rtol=1e-11, atol=1e-12)
