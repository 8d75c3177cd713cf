"""Quadratic convolutions against the quadratic layer on every patch, against ordinary convolutions and autograd."""

import pytest
import torch
from torch import nn

from dynamics import ProblemError
from dynamics.neuron import Rates
from empirical import QuadraticConv2d, QuadraticLayer
from empirical.neuron.relinear import parameter_groups, random_, relinear_, shrink_, to_quadratic
from empirical.neuron.units import quadratic_layers

SHAPES = [
    {},
    {"padding": 1},
    {"stride": 2, "padding": (1, 0)},
    {"dilation": 2, "padding": 2},
]


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


def layer_of(conv):
    """The quadratic layer that a convolution without groups applies to every patch."""
    layer = QuadraticLayer(conv.weight_r[0].numel(), len(conv.weight_r), conv.activation, dtype=torch.float64)
    with torch.no_grad():
        for name, p in layer.named_parameters():
            p.copy_(getattr(conv, name).reshape(p.shape))
    return layer


@pytest.mark.parametrize("shape", SHAPES)
def test_a_convolution_is_the_layer_on_every_patch(shape):
    """Outputs and gradients of all parameters: patches by `nn.functional.unfold`, unit by `QuadraticLayer`."""
    conv = randomised(QuadraticConv2d(2, 3, (3, 2), torch.tanh, dtype=torch.float64, **shape))
    layer = layer_of(conv)
    x = torch.randn(4, 2, 7, 6, dtype=torch.float64)
    patches = nn.functional.unfold(x, (3, 2), **shape).mT  # (4, patches, 12)
    expected = layer(patches).mT
    y = conv(x)
    torch.testing.assert_close(y.flatten(2), expected, rtol=1e-12, atol=1e-12)
    weights = torch.randn_like(expected)
    (y.flatten(2) * weights).sum().backward()
    (expected * weights).sum().backward()
    for name, p in layer.named_parameters():
        torch.testing.assert_close(getattr(conv, name).grad.reshape(p.shape), p.grad, rtol=1e-12, atol=1e-12)


def test_gradients_are_those_of_finite_differences():
    conv = randomised(QuadraticConv2d(2, 4, 2, groups=2, dtype=torch.float64))
    x = torch.randn(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    names = [name for name, _ in conv.named_parameters()]

    def output(x, *weights):
        return torch.func.functional_call(conv, dict(zip(names, weights, strict=True)), (x,))

    assert torch.autograd.gradcheck(output, (x, *conv.parameters()))


@pytest.mark.parametrize("shape", [*SHAPES, {"groups": 2}, {"padding": "same"}])
def test_it_starts_as_the_ordinary_convolution(shape):
    """Also one without bias; `relinear_` brings it back, and leaves W^r and b^r alone."""
    ordinary = nn.Conv2d(2, 4, 3, bias="padding" in shape, dtype=torch.float64, **shape)
    x = torch.randn(2, 2, 8, 8, dtype=torch.float64)
    conv = QuadraticConv2d.from_conv2d(ordinary, torch.relu)
    torch.testing.assert_close(conv(x), torch.relu(ordinary(x)), rtol=1e-13, atol=1e-13)
    with torch.no_grad():
        for group in "gb":
            for p in conv.group(group):
                p.normal_()
    assert not torch.allclose(conv(x), torch.relu(ordinary(x)))
    relinear_(conv)
    torch.testing.assert_close(conv(x), torch.relu(ordinary(x)), rtol=1e-13, atol=1e-13)


def test_the_number_of_parameters_is_three_times_that_of_the_ordinary_one():
    """Three kernels and three biases: 3 · units · (channels/groups · height · width + 1)."""
    conv = QuadraticConv2d(4, 6, (3, 5), groups=2)
    assert sum(p.numel() for p in conv.parameters()) == 3 * 6 * (2 * 15 + 1)
    assert "channels=4, units=6, kernel=(3, 5)" in repr(conv)


def test_groups_rates_and_shrinking_know_convolutions():
    """Each parameter once; one step moves a kernel by ηγ of its gradient; half of the distance to ReLinear removed."""
    network = nn.Sequential(QuadraticConv2d(1, 2, 2, torch.relu), nn.Flatten(), nn.Linear(8, 3)).double()
    randomised(network)
    conv = network[0]
    groups = parameter_groups(network, 0.1, Rates(r=1, g=0.5, b=0.2, a=2))
    assert {g["name"]: (g["lr"], sum(p.numel() for p in g["params"])) for g in groups} == {
        "r": (0.1, 10), "g": (0.05, 10), "b": (pytest.approx(0.02), 10), "a": (0.2, 27)
    }  # fmt: skip
    network(torch.randn(5, 1, 3, 3, dtype=torch.float64)).square().mean().backward()
    expected = conv.weight_b.detach() - 0.02 * conv.weight_b.grad
    torch.optim.SGD(groups).step()
    torch.testing.assert_close(conv.weight_b.detach(), expected)
    before = {name: p.detach().clone() for name, p in conv.named_parameters()}
    shrink_(network, 0.5)
    rest = {"weight_g": 0.0, "bias_g": 1.0, "weight_b": 0.0, "bias_b": 0.0}
    for name, p in conv.named_parameters():
        wanted = before[name] if name not in rest else (before[name] + rest[name]) / 2
        torch.testing.assert_close(p.detach(), wanted)


def test_a_convolutional_network_becomes_a_quadratic_one():
    """The same outputs, no ordinary layer left; padding that a quadratic layer does not know is refused."""
    network = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(27, 2)
    ).double()
    x = torch.randn(4, 1, 6, 6, dtype=torch.float64)
    quadratic = to_quadratic(network)
    assert [type(layer) for layer in quadratic_layers(quadratic)] == [QuadraticConv2d, QuadraticLayer]
    torch.testing.assert_close(quadratic(x), network(x), rtol=1e-13, atol=1e-13)
    with pytest.raises(ProblemError, match="'reflect'"):
        to_quadratic(nn.Conv2d(1, 1, 3, padding_mode="reflect"))


def test_a_random_start_draws_all_groups_alike():
    """Uniform within ± scale/√n, of variance scale²/(3n), n = 18: within 4 standard errors, √(4/5)/√N of a uniform."""
    network = nn.Sequential(QuadraticConv2d(2, 500, 3), nn.Linear(3, 3))
    kept = network[1].weight.detach().clone()
    random_(network, 0.5)
    for group in "rgb":
        weight, bias = (p.detach() for p in network[0].group(group))
        bound = 0.5 / 18**0.5
        assert 0.99 * bound < weight.abs().max() <= bound
        for values in (weight, bias):
            N = values.numel()
            assert float(values.square().mean()) == pytest.approx(bound**2 / 3, rel=4 * (0.8 / N) ** 0.5)
    assert not torch.equal(network[0].weight_r, network[0].weight_g)
    torch.testing.assert_close(network[1].weight.detach(), kept)
    with pytest.raises(ProblemError, match="scale"):
        random_(network, 0.0)


@pytest.mark.parametrize("sizes", [(0, 1), (1, 0)])
def test_sizes_are_checked(sizes):
    with pytest.raises(ProblemError, match="at least 1"):
        QuadraticConv2d(*sizes, 3)
