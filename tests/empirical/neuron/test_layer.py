"""The quadratic layer: its definition, ReLinear, conversion, and the laws of units with any outer activation."""

import numpy as np
import pytest
import torch
from torch import nn

from dynamics import ProblemError
from dynamics.neuron import NeuronLaws, Rates
from empirical.neuron.layer import QuadraticLayer, quadratic_units
from empirical.neuron.relinear import parameter_groups, relinear_, shrink_, to_quadratic
from empirical.neuron.units import quadratic_layers

NAMES = [f"{kind}_{group}" for group in "rgb" for kind in ("weight", "bias")]


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def randomised(module):
    """Every parameter N(0, ½²)."""
    with torch.no_grad():
        for p in module.parameters():
            p.normal_(std=0.5)
    return module


def inputs(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def test_one_neuron_written_out():
    """Unit 1 of a layer, computed entry by entry from its definition, before and after the outer activation."""
    layer = randomised(QuadraticLayer(3, 2, torch.tanh, dtype=torch.float64))
    x = inputs(3)
    r, g, b = (getattr(layer, f"weight_{k}")[1].tolist() for k in "rgb")
    br, bg, c = (getattr(layer, f"bias_{k}")[1].tolist() for k in "rgb")
    z = x.tolist()
    first = sum(p * q for p, q in zip(r, z, strict=True)) + br
    second = sum(p * q for p, q in zip(g, z, strict=True)) + bg
    q = first * second + sum(p * y**2 for p, y in zip(b, z, strict=True)) + c
    assert layer(x)[1].tolist() == pytest.approx(np.tanh(q), rel=1e-12)
    assert layer(inputs(5, 4, 3)).shape == (5, 4, 2)
    assert "inputs=3, units=2" in repr(layer)


def test_an_ensemble_is_its_members():
    """`quadratic_units` with a leading axis equals the layers one by one."""
    layers = [randomised(QuadraticLayer(3, 2, dtype=torch.float64)) for _ in range(4)]
    x = inputs(4, 5, 3)
    stacked = [torch.stack([getattr(layer, name) for layer in layers]) for name in NAMES]
    expected = torch.stack([layer(y) for layer, y in zip(layers, x, strict=True)])
    torch.testing.assert_close(quadratic_units(x, *stacked), expected, rtol=1e-13, atol=1e-13)


def test_a_new_layer_is_an_ordinary_one():
    """W^g = 0, b^g = 1, W^b = 0, c = 0: the layer computes σ(W^r x + b^r)."""
    layer = QuadraticLayer(3, 4, torch.relu, dtype=torch.float64)
    x = inputs(7, 3)
    ordinary = torch.relu(x @ layer.weight_r.T + layer.bias_r)
    torch.testing.assert_close(layer(x), ordinary, rtol=1e-13, atol=0)
    relinear_(randomised(layer))
    torch.testing.assert_close(layer(x), torch.relu(x @ layer.weight_r.T + layer.bias_r), rtol=1e-13, atol=0)


def test_shrinking_removes_a_part_of_the_distance():
    """Half of the way to 0, and to 1 for b^g; W^r, b^r and other layers stay."""
    network = randomised(nn.Sequential(QuadraticLayer(3, 4), nn.Linear(4, 1)))
    before = {k: p.detach().clone() for k, p in network.named_parameters()}
    shrink_(network, 0.5)
    rest = {"0.weight_g": 0.0, "0.bias_g": 1.0, "0.weight_b": 0.0, "0.bias_b": 0.0}
    for k, p in network.named_parameters():
        expected = before[k] if k not in rest else (before[k] + rest[k]) / 2
        torch.testing.assert_close(p.detach(), expected)
    with pytest.raises(ProblemError, match="at most 1"):
        shrink_(network, 1.5)


def test_a_trained_network_becomes_a_quadratic_one():
    """Any depth, nested, with and without biases: the same outputs to rounding."""
    block = nn.Sequential(nn.Linear(5, 5, bias=False), nn.Tanh())
    network = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), block, nn.Linear(5, 2)).double()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    x = inputs(20, 3)
    for _ in range(5):
        optimizer.zero_grad()
        network(x).square().mean().backward()
        optimizer.step()
    quadratic = to_quadratic(network)
    assert len(list(quadratic_layers(quadratic))) == 3
    assert not any(isinstance(m, nn.Linear) for m in quadratic.modules())
    torch.testing.assert_close(quadratic(x), network(x), rtol=1e-13, atol=1e-14)
    with torch.no_grad():
        next(quadratic_layers(quadratic)).weight_r.zero_()
    assert float(network[0].weight.detach().abs().sum()) > 0  # a copy: the original does not change


def test_shared_and_single_layers_are_converted():
    """A layer used twice stays one layer; a bare `nn.Linear` becomes one; without any there is nothing to do."""
    shared = nn.Linear(3, 3)
    quadratic = to_quadratic(nn.Sequential(shared, nn.ReLU(), shared))
    assert quadratic[0] is quadratic[2]
    assert isinstance(to_quadratic(shared), QuadraticLayer)
    with pytest.raises(ProblemError, match=r"no torch\.nn\.Linear"):
        to_quadratic(nn.ReLU())


def test_groups_have_their_rates_and_all_parameters():
    """Every parameter once; lr = η γ; one optimiser step moves W^g by exactly ηγ_g of its gradient, none of γ_b = 0."""
    network = randomised(nn.Sequential(QuadraticLayer(3, 4), QuadraticLayer(4, 2), nn.Linear(2, 1)))
    groups = parameter_groups(network, 0.1, Rates(g=0.3, b=0.0))
    assert [(g["name"], g["lr"]) for g in groups] == [
        ("r", 0.1),
        ("g", pytest.approx(0.03)),
        ("b", 0.0),
        ("a", 0.1),
    ]
    members = [id(p) for g in groups for p in g["params"]]
    assert sorted(members) == sorted(id(p) for p in network.parameters())
    network(torch.randn(6, 3)).square().mean().backward()
    layer = network[0]
    expected = layer.weight_g.detach() - 0.03 * layer.weight_g.grad
    frozen = layer.weight_b.detach().clone()
    torch.optim.SGD(groups).step()
    torch.testing.assert_close(layer.weight_g.detach(), expected)
    torch.testing.assert_close(layer.weight_b.detach(), frozen)
    with pytest.raises(ProblemError, match="step"):
        parameter_groups(network, 0.0, Rates())


@pytest.mark.parametrize(
    ("activation", "laws"),
    [(None, ("Q1", "Q2")), (torch.relu, ("Q1", "Q2")), (torch.abs, ("Q1", "Q2")), (torch.tanh, ("Q1",))],
)
@pytest.mark.parametrize("rates", [Rates(), Rates(2, 0.3, 0.1, 0.5)])
def test_laws_change_by_the_square_of_the_step_alone(activation, laws, rates):
    """One step of descent changes Q by η² times its value at the preconditioned gradients: the term in η cancels.

    For tanh, which is not homogeneous, only Q1: there the change of Q2 is of order η.
    """
    eta = 1e-3
    hidden, output = QuadraticLayer(3, 4, activation), nn.Linear(4, 1, bias=False)
    network = randomised(nn.Sequential(hidden, output)).double()
    x = inputs(50, 3)
    (network(x)[:, 0] - x[:, 0] * x[:, 1]).square().mean().backward()
    before, slopes = weights(hidden, output), weights(hidden, output, gradient=True)
    torch.optim.SGD(parameter_groups(network, eta, rates)).step()
    after = weights(hidden, output)
    Q = NeuronLaws(rates)
    gammas = (rates.r, rates.g, rates.b, rates.a)
    quadratic = Q(*(gamma * g for gamma, g in zip(gammas, slopes, strict=True)))
    for name in ("Q1", "Q2"):
        change = Q(*after)[name] - Q(*before)[name]
        error = np.abs(change - eta**2 * quadratic[name]).max()
        if name in laws:
            assert error < 1e-14
        else:
            assert error > 1e-6


def weights(hidden, output, gradient=False):
    """R, G, B (K, d + 1) and a (K,) of a layer and its output weights, or their gradients."""

    def array(p):
        return (p.grad if gradient else p.detach()).numpy().copy()

    groups = [
        np.column_stack([array(getattr(hidden, f"weight_{g}")), array(getattr(hidden, f"bias_{g}"))])
        for g in "rgb"
    ]
    return [*groups, array(output.weight)[0]]


def test_Q1_holds_at_any_depth():
    """Both layers of a deep quadratic network with tanh: halving the step quarters the change of Q1 in one step."""
    changes = []
    for eta in (1e-3, 5e-4):
        torch.manual_seed(3)
        layers = [QuadraticLayer(3, 4, torch.tanh), QuadraticLayer(4, 4, torch.tanh), nn.Linear(4, 1)]
        network = randomised(nn.Sequential(*layers)).double()
        Q = [NeuronLaws(Rates())(*weights(layer, nn.Linear(4, 1)))["Q1"] for layer in layers[:2]]
        x = inputs(50, 3)
        network(x).square().mean().backward()
        torch.optim.SGD(parameter_groups(network, eta, Rates())).step()
        new = [NeuronLaws(Rates())(*weights(layer, nn.Linear(4, 1)))["Q1"] for layer in layers[:2]]
        changes.append(np.array(new) - np.array(Q))
    assert np.abs(changes[0]).max() > 1e-9
    np.testing.assert_allclose(changes[0], 4 * changes[1], atol=1e-13)
