"""Modules as layers of path space: what is read, what is refused, and that rescaling keeps the function."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from dynamics.errors import ProblemError
from dynamics.path_space import CONSTANT
from empirical.module_training import initialised
from empirical.path_layers import READERS, layers_of_module, rescale_, wiring_of


def mlp() -> nn.Sequential:
    """Three layers with biases."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(12, 5), nn.ReLU(), nn.Linear(5, 4), nn.LeakyReLU(), nn.Linear(4, 3)
    )


def cnn() -> nn.Sequential:
    """Two convolutions, the second without biases, with pooling, and a dense layer on four positions."""
    first = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    second = nn.Sequential(
        nn.Conv2d(3, 4, 2, bias=False), nn.Identity(), nn.ReLU(), nn.AvgPool2d(2, stride=1)
    )
    return nn.Sequential(first, second, nn.Flatten(), nn.Linear(4 * 4, 5), nn.ReLU(), nn.Linear(5, 3))


def cnn1d() -> nn.Sequential:
    """A convolution along time and its mean."""
    return nn.Sequential(
        *(nn.MaxPool1d(2), nn.Conv1d(2, 4, 3), nn.ReLU(), nn.AvgPool1d(2), nn.Conv1d(4, 3, 2), nn.ReLU()),
        *(nn.AdaptiveAvgPool1d(2), nn.Flatten(), nn.Linear(6, 3, bias=False)),
    )


NETWORKS: list[tuple[Callable[[], nn.Sequential], tuple[int, ...]]] = [
    (mlp, (3, 4)),
    (cnn, (2, 8, 8)),
    (cnn1d, (2, 30)),
]


@pytest.mark.parametrize(("make", "shape"), NETWORKS)
def test_rescaled_networks_compute_the_same(
    make: Callable[[], nn.Sequential], shape: tuple[int, ...]
) -> None:
    """In double precision, to rounding; every weight of the hidden layers has moved, and outputs still depend on x."""
    module, copy = (initialised(make, 0).double() for _ in range(2))
    rng = np.random.default_rng(1)
    widths = wiring_of(layers_of_module(copy)).widths
    rescale_(copy, [np.exp(rng.uniform(0.2, 1.5, n)) for n in widths[1:-1]])
    x = torch.from_numpy(rng.normal(size=(6, *shape)))
    with torch.no_grad():
        torch.testing.assert_close(copy(x), module(x), rtol=1e-12, atol=1e-14)
        assert module(x).std(0).min() > 1e-3
    for layer, other in list(zip(layers_of_module(module), layers_of_module(copy), strict=True))[:-1]:
        for p, q in zip(layer.parameters, other.parameters, strict=True):
            assert ((p - q).abs() > 1e-6 * p.abs()).all()


def test_what_is_read() -> None:
    """Channels are units; kernels, positions and biases are columns, as many as PyTorch has weights."""
    layers = layers_of_module(cnn())
    wiring = wiring_of(layers)
    assert wiring.widths == (2, 3, 4, 5, 3)
    assert wiring.shapes == ((3, 2 * 9 + 1), (4, 3 * 4), (5, 4 * 4 + 1), (3, 5 + 1))
    counts = [np.bincount(s - CONSTANT).tolist() for s in wiring.sources]
    assert counts == [[1, 9, 9], [0, 4, 4, 4], [1, 4, 4, 4, 4], [1, 1, 1, 1, 1, 1]]
    assert sum(n * c for n, c in wiring.shapes) == sum(p.numel() for p in cnn().parameters())


@pytest.mark.parametrize(("make", "shape"), NETWORKS)
def test_matrices_go_back_where_they_came_from(
    make: Callable[[], nn.Sequential], shape: tuple[int, ...]
) -> None:
    """Row k belongs to output k, the last column to its bias: setting it alone to 1 in the last layer adds 1 there."""
    module = initialised(make, 0)
    before = [p.detach().clone() for p in module.parameters()]
    layers = layers_of_module(module)
    with torch.no_grad():
        for layer in layers:
            layer.write(layer.matrix())
    for p, q in zip(module.parameters(), before, strict=True):
        assert torch.equal(p, q)
    if layers[-1].bias is not None:
        x = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            f = module(x)
            matrix = layers[-1].matrix()
            matrix[1, -1] += 1
            layers[-1].write(matrix)
            torch.testing.assert_close(module(x) - f, torch.tensor([[0.0, 1, 0]] * 2))


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)), "contains Tanh"),
        ((nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1)), "contains BatchNorm1d"),
        ((nn.Linear(2, 3), nn.ReLU()), "has 1 layers of weights"),
        ((nn.Conv2d(1, 4, 3), nn.Linear(4, 2)), "put Flatten between"),
        ((nn.Linear(2, 4), nn.Conv2d(4, 2, 3)), "does not follow channels"),
        ((nn.Conv2d(1, 4, 3), nn.Conv2d(2, 2, 3)), "does not follow channels"),
        ((nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3, groups=2)), "2 groups"),
        ((nn.Linear(2, 4), nn.MaxPool1d(2), nn.Linear(2, 1)), "units without positions"),
        ((nn.Conv2d(1, 4, 3), nn.Flatten(2), nn.Linear(4, 1)), "start_dim = 2"),
        ((nn.Linear(2, 3), nn.ReLU(), nn.Linear(5, 1)), "no multiple"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_paths_cannot_pass_is_refused(parts: tuple[nn.Module, ...], words: str) -> None:
    """One sentence that names the module."""
    with pytest.raises(ProblemError, match=words) as caught:
        layers_of_module(nn.Sequential(*parts))
    assert str(caught.value).count(". ") == 0


def test_other_refusals() -> None:
    """Modules that are no sequence; shared and frozen weights; factors that do not fit."""
    with pytest.raises(ProblemError, match="got a Linear"):
        layers_of_module(nn.Linear(2, 2))
    twice = nn.Linear(2, 2)
    with pytest.raises(ProblemError, match="share weights"):
        layers_of_module(nn.Sequential(twice, nn.ReLU(), twice))
    frozen = mlp()
    frozen[3].weight.requires_grad_(False)
    with pytest.raises(ProblemError, match="frozen"):
        layers_of_module(frozen)
    with pytest.raises(ProblemError, match="`factors` are 1, but the network has 2"):
        rescale_(mlp(), [np.ones(5)])
    for bad in (np.ones(3), np.zeros(4)):
        with pytest.raises(ProblemError, match="hidden layer 2 must be 4 positive"):
            rescale_(mlp(), [np.ones(5), bad])


def test_every_entry_of_the_table_is_tested() -> None:
    """By standing in one of the networks above, but for pooling in two dimensions to a given size."""
    met = {type(part) for make, _ in NETWORKS for part in make().modules()} - {nn.Sequential}
    assert set(READERS) - met == {nn.AdaptiveAvgPool2d}
