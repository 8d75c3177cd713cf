"""Modules as exact networks: the same function, digit by digit; pieces of trained ones."""

import numpy as np
import pytest
import torch
from torch import nn, optim

from dynamics import ProblemError
from dynamics.neuron.pieces.line import pieces_along_line
from empirical.module_training import TrainingPlan, initialised, train_module
from empirical.neuron.architectures import Mlp
from empirical.neuron.exact_network import exact_network
from empirical.neuron.kinds import OrdinaryNeurons, QuadraticNeurons
from empirical.neuron.layer import QuadraticLayer
from empirical.neuron.models import Model
from empirical.splits import Splits

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3))
DATA = Splits.random(X, ((X**2).sum(1) > 2.5).astype(int), seed=1)


def trained(neurons):
    model = Model(Mlp((4, 3)), neurons)
    module = model.build((3,), 2, seed=1).double()
    train_module(module, model.optimizer(0.1), DATA, TrainingPlan(10, 8, records=2))
    return module


@pytest.mark.parametrize("neurons", [OrdinaryNeurons(), QuadraticNeurons("random")], ids=lambda n: n.label)
@pytest.mark.parametrize("output", [0, 1])
def test_pieces_of_trained_networks_are_their_outputs(neurons, output):
    """On a line, from the coefficients of the pieces, against the module in double precision."""
    module = trained(neurons)
    point, direction = np.array([0.5, -1, 0.25]), np.array([1, 2, -0.5])
    pieces = pieces_along_line(exact_network(module, output), point, direction)
    assert pieces.number > 2
    s = RNG.uniform(-3, 3, size=100)
    found = [
        sum(float(c) * at**n for n, c in enumerate(pieces.polynomials[i]))
        for at, i in zip(s, np.searchsorted(pieces.breakpoints, s), strict=True)
    ]
    with torch.no_grad():
        expected = module(torch.from_numpy(point + np.outer(s, direction)))[:, output].numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12 * np.abs(expected).max())


def test_relinear_starts_with_the_pieces_of_the_ordinary_network():
    """The same polynomials and breakpoints, coefficient by coefficient: single precision is exact as well."""
    modules = [
        Model(Mlp((4, 3)), kind).build((3,), 1, seed=2) for kind in (OrdinaryNeurons(), QuadraticNeurons())
    ]
    one, other = (pieces_along_line(exact_network(m), [0, 0, 0], [1, 1, 1]) for m in modules)
    assert one.polynomials == other.polynomials
    assert one.number > 2


@pytest.mark.parametrize("activation", [torch.abs, torch.square, nn.ReLU(), None])
def test_activations_inside_of_layers(activation):
    """Given to the layer instead of standing after it; a layer without bias."""
    layers = QuadraticLayer(2, 3, activation), nn.Linear(3, 1, bias=False)
    module = initialised(lambda: nn.Sequential(*layers), 0).double()
    with torch.no_grad():
        for p in module.parameters():
            p.normal_(generator=torch.Generator().manual_seed(1))
    x = RNG.normal(size=(20, 2))
    np.testing.assert_allclose(
        exact_network(module)(x), module(torch.from_numpy(x)).detach().numpy()[:, 0], rtol=1e-11, atol=1e-12
    )


@pytest.mark.parametrize(
    ("parts", "output", "words"),
    [
        ([nn.Linear(2, 1), nn.Tanh()], 0, "Tanh is not"),
        ([nn.ReLU(), nn.Linear(2, 1)], 0, "ReLU is not"),
        ([nn.Linear(2, 1), nn.ReLU(), nn.ReLU()], 0, "ReLU is not"),
        ([nn.Linear(2, 1)], 1, "`output` is 1, but the module has 1"),
        ([], 0, "has 0 outputs"),
        ([QuadraticLayer(2, 1, torch.tanh)], 0, "tanh"),
    ],
)
def test_refusals(parts, output, words):
    with pytest.raises(ProblemError, match=words):
        exact_network(nn.Sequential(*parts), output)


def test_it_is_the_weights_of_the_moment():
    """A step of an optimiser changes the network that is made next, not the one that was made."""
    module = nn.Sequential(nn.Linear(1, 1))
    before = exact_network(module)
    module(torch.ones(1, 1)).sum().backward()
    optim.SGD(module.parameters(), lr=1.0).step()
    assert exact_network(module) != before
    assert before(np.ones((1, 1))) - exact_network(module)(np.ones((1, 1))) == pytest.approx(2.0)
