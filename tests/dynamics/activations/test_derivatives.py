"""φ′ and φ″ of every activation, as PyTorch differentiates the φ that networks train with."""

import numpy as np
import pytest
import torch

from dynamics import ProblemError
from dynamics.activations import ACTIVATIONS, Activation
from dynamics.activations.derivatives import smoothed_kink

NAMES = [
    *(name for name in ACTIVATIONS if name != "centred"),
    "polynomial:0.3,-1,0.7,0.2",
    "hermite:4",
    "leaky-relu:0.1",
]
FITTED = {"tanh": 1e-10, "sigmoid": 1e-10, "softplus": 1e-10, "silu": 1e-10, "elu": 1e-6}  # mixtures


def by_autograd(phi, z):
    """φ′ and φ″ by automatic differentiation, twice."""
    x = torch.tensor(z, requires_grad=True)
    (first,) = torch.autograd.grad(phi.phi(x, None).sum(), x, create_graph=True)
    if not first.requires_grad:
        return first.numpy(), np.zeros_like(z)
    (second,) = torch.autograd.grad(first.sum(), x, allow_unused=True)
    return first.detach().numpy(), np.zeros_like(z) if second is None else second.numpy(force=True)


@pytest.mark.parametrize("name", NAMES)
def test_derivatives_are_those_of_automatic_differentiation(name):
    """Of every activation in the table; mixtures have some digits less the higher the derivative."""
    z = np.concatenate([np.linspace(-6, 6, 40), [-1e-3, 1e-3]]).reshape(6, 7)
    phi = Activation.parse(name)
    first, second = phi.derivative(1, z), phi.derivative(2, z)
    expected = by_autograd(phi, z)
    error = FITTED.get(name, 1e-13)
    np.testing.assert_allclose(first, expected[0], rtol=1e-12, atol=error)
    np.testing.assert_allclose(second, expected[1], rtol=1e-12, atol=100 * error)


@pytest.mark.parametrize("name", ["relu", "abs", "leaky-relu:0.1", "relu2", "linear"])
def test_a_kink_has_the_derivative_that_automatic_differentiation_takes(name):
    """At zero, where every sample of a unit without weights is: 0 of ReLU, |·| and ReLU², 0.1 of the leaky one."""
    phi, zero = Activation.parse(name), np.zeros((1, 1))
    np.testing.assert_allclose(phi.derivative(1, zero), by_autograd(phi, zero)[0], rtol=1e-15)


@pytest.mark.parametrize("a", [0.7, 0.0])
def test_orders_of_a_smoothed_kink_are_derivatives_of_each_other(a):
    """Central differences, error h²/6 times the next but one derivative; without width away from the kink."""
    z, h = np.array([-2.1, -0.4, 0.3, 1.7]), 1e-5
    for order in range(-1, 4):
        up, down = (smoothed_kink(order, z + s, a) for s in (h, -h))
        np.testing.assert_allclose((up - down) / (2 * h), smoothed_kink(order + 1, z, a), atol=1e-8)
    np.testing.assert_allclose(smoothed_kink(1, 50 * z, a), np.sign(z) / 2)


def test_what_has_none_is_refused():
    """Centred units depend on the variance too; others have to have an expansion."""
    assert not Activation.parse("centred").is_differentiable
    with pytest.raises(ProblemError, match="'centred', of which no derivatives are known"):
        Activation.parse("centred").derivative(1, np.zeros(2))
    odd = Activation("odd one", "φ = z/(1 + |z|)", lambda z, q: z / (1 + abs(z)), None, -1)
    with pytest.raises(ProblemError, match="'odd one', of which"):
        odd.derivative(1, np.zeros(2))
    cube = Activation("own cube", "φ = z³", lambda z, q: z**3, 3, -1)  # needs no expansion
    np.testing.assert_allclose(cube.derivative(2, np.array([2.0])), [12.0])
