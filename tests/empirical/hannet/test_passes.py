"""Passes written out against automatic differentiation: losses and gradients to the last bit, and training too."""

import pytest
import torch
from torch import nn

from empirical.hannet.layers import Absolute, DenseNet, HanLayer, HanNet
from empirical.hannet.passes import PASSES, Passes

NETWORKS = {
    "hannet": lambda: HanNet(width=7, layers=6),
    "dense": lambda: DenseNet(width=9, layers=3),
    "shallow": lambda: HanNet(width=5, layers=3),  # no Han layer
    "mixed": lambda: nn.Sequential(
        nn.Linear(2, 4), nn.ReLU(), HanLayer(4), Absolute(), HanLayer(4), nn.Linear(4, 2)
    ),
}


def by_autograd(network, x, y):
    loss = (network(x) - y).square().mean()
    return loss.detach(), torch.autograd.grad(loss, list(network.parameters()))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("batch", [1, 10, 33])
def test_they_are_those_of_automatic_differentiation(name, dtype, batch):
    """In three steps of descent, after which no bias is zero; on each the weights are the same, bit by bit."""
    torch.manual_seed(3)
    network = NETWORKS[name]().to(dtype)
    passes = Passes(network)
    for _ in range(3):
        x, y = torch.randn(batch, 2, dtype=dtype), torch.rand(batch, 1, dtype=dtype).expand(-1, 2)
        (loss, gradients), (expected, slopes) = passes(x, y), by_autograd(network, x, y)
        assert torch.equal(loss, expected)
        for ours, theirs, parameter in zip(gradients, slopes, network.parameters(), strict=True):
            assert torch.equal(ours, theirs)
            with torch.no_grad():
                parameter.sub_(0.05 * theirs)


def test_every_layer_of_the_networks_has_a_pass():
    used = {type(layer) for make in NETWORKS.values() for layer in make()}
    assert used == set(PASSES)
