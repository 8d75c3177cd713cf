"""Networks of one's own as PyTorch modules, and modules of PyTorch as networks of one's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from dynamics.errors import ProblemError
from dynamics.networks import read_network
from empirical.polynomial import PolynomialModule, PowerUnits, from_sequential, to_sequential
from tests.dynamics.networks.cases import NAMES, problem

rng = np.random.default_rng(0)


class Square(nn.Module):
    """A class of a user's own."""

    def forward(self, x):
        return x.square()


@pytest.mark.parametrize("name", NAMES)
def test_the_module_is_the_network(name):
    """Outputs equal NumPy's, alone and in an ensemble of different parameters, in double precision."""
    given = problem(name)
    net, X = given.network, rng.standard_normal((5, given.network.inputs))
    alone = PolynomialModule(net, given.theta0, dtype=torch.float64)
    assert alone(torch.tensor(X)).detach().numpy() == pytest.approx(net(given.theta0, X), rel=1e-12)
    several = PolynomialModule(net, given.theta0, ensemble=3, dtype=torch.float64)
    with torch.no_grad():
        for factor, weights in enumerate(zip(*several.weights, strict=True), 1):
            for w in weights:
                w *= factor
    x = torch.tensor(rng.standard_normal((3, 5, net.inputs)))
    outputs = several(x).detach().numpy()
    for s in range(3):
        expected = net((s + 1) * given.theta0, x[s].numpy())
        assert outputs[s] == pytest.approx(expected, rel=1e-11, abs=1e-12)
    assert several.theta() == pytest.approx(np.outer([1, 2, 3], given.theta0), rel=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_slopes_are_those_of_autograd(name):
    """The gradient on the nodes of the grid, by PyTorch's automatic differentiation."""
    given = problem(name)
    population = given.population
    model = PolynomialModule(given.network, given.theta0, dtype=torch.float64)
    X, Y, w = (torch.tensor(np.array(a)) for a in (population.X, population.Y, population.weights))
    loss = 0.5 * (w[:, None] * (model(X) - Y) ** 2).sum()
    loss.backward()
    by_autograd = np.concatenate([p.grad.numpy().ravel() for p in model.weights])
    found = population.gradient(given.theta0)
    assert found == pytest.approx(by_autograd, rel=1e-10, abs=1e-12 * np.abs(found).max())


def test_a_sequential_is_read_and_written():
    """Linear layers with and without biases, powers of any class, nested: the same outputs both ways."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(3, 4, bias=False),
        Square(),
        nn.Sequential(nn.Linear(4, 2), nn.Identity(), PowerUnits(3)),
        nn.Linear(2, 1, bias=False),
    ).double()
    net, theta = from_sequential(model)
    assert net.spec == "linear:3,4 >> square >> linear:4,2,bias >> power:3 >> linear:2,1"
    X = torch.tensor(rng.standard_normal((6, 3)))
    assert net(theta, X.numpy()) == pytest.approx(model(X).detach().numpy(), rel=1e-12)
    back = to_sequential(net, theta, torch.float64)
    assert torch.allclose(back(X), model(X), rtol=1e-12)
    assert [type(layer).__name__ for layer in back] == [
        "Linear",
        "PowerUnits",
        "Linear",
        "PowerUnits",
        "Linear",
    ]
    assert from_sequential(back)[0].spec == net.spec


@pytest.mark.parametrize(
    ("layer", "word"),
    [
        (nn.ReLU(), "ReLU"),
        (nn.Dropout(0.5), "Dropout"),
        (nn.LayerNorm(4), "LayerNorm"),
        (nn.Softmax(-1), "Softmax"),
    ],
)
def test_what_is_no_polynomial_network_is_refused(layer, word):
    with pytest.raises(ProblemError, match=word):
        from_sequential(nn.Sequential(nn.Linear(3, 4), layer, nn.Linear(4, 1)))


def test_other_networks_are_no_sequential():
    for text in ("a*x_0", "attention:2,2", "bilinear:2,2,1"):
        net = read_network(text)
        with pytest.raises(ProblemError, match="linear layers and powers"):
            to_sequential(net, net.initialise())
