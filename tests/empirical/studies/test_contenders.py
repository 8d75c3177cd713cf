"""Contenders: equal budgets, paired starts, rescaled copies, gradients through depth."""

import numpy as np
import pytest
import torch
from torch import nn

from dynamics import ProblemError
from empirical.hannet.layers import DenseNet, HanLayer, parameter_count
from empirical.module_training import cross_entropy, half_square, initialised
from empirical.studies import evaluation
from empirical.studies.contenders import PathContender, parameters_of
from empirical.studies.depth import DenseHead, DenseStack, HanHead, HanStack, dense_width, hidden_layers
from empirical.studies.gradients import MOMENTS, GradientWatch, gradient_norms
from empirical.studies.gsgd import NETWORKS
from empirical.studies.rescaling import rescale_
from empirical.studies.study import Settings
from empirical.studies.table import STUDIES, find_study

ALL = [(name, network) for name in STUDIES for network in ("mlp", "cnn")]


def study_of(name, network, **more):
    return find_study(name, Settings("digits", network=network, **more))


def mlp(dtype=torch.float64):
    make = lambda: nn.Sequential(  # noqa: E731
        *(nn.Flatten(), nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 6), nn.ReLU(), nn.Linear(6, 3))
    )
    return initialised(make, 3).to(dtype)


def test_rescaled_copies_compute_the_same(rng):
    """Up to rounding in double precision; yet every hidden weight has changed, and by the factors that are said."""
    x = torch.from_numpy(rng.standard_normal((40, 5)))
    one, two = mlp(), mlp()
    rescale_(two, 1.5, 11)
    torch.testing.assert_close(two(x), one(x), rtol=1e-12, atol=1e-12)
    first, second, last = (i for i, part in enumerate(one) if isinstance(part, nn.Linear))
    factors = (two[first].weight / one[first].weight).detach()
    np.testing.assert_allclose(factors, factors[:, :1].expand(-1, 5), rtol=1e-12)
    np.testing.assert_allclose(two[first].bias.detach(), (factors[:, 0] * one[first].bias).detach())
    logs = factors[:, 0].log()
    assert 0.3 < logs.std() < 4 and abs(two[last].weight / one[last].weight - 1).min() > 1e-6
    np.testing.assert_allclose(two[last].bias.detach(), one[last].bias.detach(), rtol=0)
    again = mlp()
    rescale_(again, 1.5, 12)
    assert not torch.allclose(again[second].weight, two[second].weight)


def test_convolutions_have_no_rescaled_copies():
    """Their study has none, and the function says so."""
    with pytest.raises(ProblemError, match="fully connected layers alone"):
        PathContender("x", NETWORKS["cnn"], spread=1.0).build((1, 8, 8), 10, 0)
    assert study_of("gsgd", "cnn").labels == ("SGD", "G-SGD")


@pytest.mark.parametrize(("name", "network"), ALL)
def test_labels_and_pairs(name, network):
    """Every pair is of two contenders; a quick study is a part of the whole."""
    whole, quick = study_of(name, network), study_of(name, network, quick=True)
    assert set(quick.labels) <= set(whole.labels) and set(quick.pairs) <= set(whole.pairs)
    assert set(quick.rates) <= set(whole.rates)
    assert {label for pair in whole.pairs for label in pair} <= set(whole.labels)


@pytest.mark.parametrize(("name", "network"), ALL)
def test_starts_follow_from_the_seed(name, network):
    """The same weights for the same seed, others for another."""
    for contender in study_of(name, network).contenders:
        one, same, other = (
            torch.cat([p.detach().flatten() for p in contender.build((1, 8, 8), 10, seed).parameters()])
            for seed in (5, 5, 6)
        )
        assert torch.equal(one, same) and not torch.equal(one, other)


def test_sgd_and_gsgd_start_from_the_same_network():
    """From the same weights, or the same rescaled ones."""
    for study in (study_of("gsgd", "mlp"), study_of("gsgd", "cnn")):
        built = [c.build((1, 8, 8), 10, 4).state_dict() for c in study.contenders]
        for one, two in zip(built[::2], built[1::2], strict=True):
            assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("network", ["mlp", "cnn"])
def test_ordinary_networks_of_equal_parameters(network):
    """Within what one unit more or less in the widest layer would change, about a tenth of a small network."""
    study = study_of("relinear", network)
    wanted = parameters_of(study.contender("ReLinear"), (1, 8, 8), 10)
    found = parameters_of(study.contender("ordinary, equal parameters"), (1, 8, 8), 10)
    assert abs(found / wanted - 1) < 0.1
    assert parameters_of(study.contender("ordinary, equal widths"), (1, 8, 8), 10) < 0.5 * wanted


@pytest.mark.parametrize("layers", [2, 3, 8])
@pytest.mark.parametrize("wanted", [1, 217, 4537])
def test_the_dense_width_is_the_closest(layers, wanted):
    """Against counting the parameters of networks of all widths."""
    counts = [parameter_count(DenseNet(10, n, 2, layers=layers)) for n in range(1, 80)]
    best = 1 + int(np.argmin(np.abs(np.array(counts) - wanted)))
    assert dense_width(10, 2, layers, wanted) == best


def test_dense_networks_have_about_as_many_parameters_as_the_hannet():
    for width in (6, 42):
        stack = HanStack(width, 8)
        counts = [parameter_count(net.build((13,), 3)) for net in (stack, DenseStack(stack, 3))]
        assert abs(counts[1] / counts[0] - 1) < 0.12


def test_han_layers_cost_two_numbers_a_unit_and_dense_ones_a_row():
    """Behind convolutions that leave n numbers: 2n and n² + n."""
    convolutions = find_study("hannet", Settings("digits", network="cnn")).contenders[0].network.convolutions
    plain, han, dense = (
        parameter_count(net.build((1, 8, 8), 10))
        for net in (HanHead(convolutions, 0), HanHead(convolutions, 3), DenseHead(convolutions, 3))
    )
    n = 12 * 2 * 2
    assert (han - plain, dense - plain) == (3 * 2 * n, 3 * (n**2 + n))


def test_han_layers_hand_gradients_on_unchanged():
    """|H x + b| is an isometry but for signs: relative norms are 1 to rounding, of dense layers not."""
    rng = np.random.default_rng(0)
    x, y = torch.from_numpy(rng.standard_normal((20, 6))), torch.arange(20) % 3
    han = initialised(lambda: nn.Sequential(*(HanLayer(6) for _ in range(5)), nn.Linear(6, 3)), 1).double()
    norms = gradient_norms(han, hidden_layers(han), x, y, cross_entropy)
    np.testing.assert_allclose(norms, np.ones(5), rtol=1e-12)
    dense = initialised(lambda: DenseNet(6, 6, 3, layers=5), 1).double()
    assert np.ptp(gradient_norms(dense, hidden_layers(dense), x, y, cross_entropy)) > 0.1


def test_gradients_against_the_chain_rule(rng):
    """f = a·relu(W relu(V x)): ∂ℓ/∂h_2 = (f − y) a, ∂ℓ/∂h_1 = Wᵀ(∂ℓ/∂h_2 · 1[h_2 > 0]); none is left behind."""
    net = initialised(
        lambda: nn.Sequential(
            nn.Linear(4, 5, bias=False), nn.ReLU(), nn.Linear(5, 6, bias=False), nn.ReLU(), nn.Linear(6, 1)
        ),
        2,
    ).double()
    x, y = torch.from_numpy(rng.standard_normal((9, 4))), torch.from_numpy(rng.standard_normal((9, 1)))
    h1 = net[1](net[0](x))
    h2 = net[3](net[2](h1))
    last = ((net[4](h2) - y) * net[4].weight).detach()
    first = (last * (h2 > 0)) @ net[2].weight.detach()
    sizes = [g.square().sum(1).mean().sqrt().item() for g in (first, last)]
    with torch.no_grad():  # as hooks of training are called
        norms = gradient_norms(net, hidden_layers(net), x, y, half_square)
    np.testing.assert_allclose(norms, [sizes[0] / sizes[1], 1.0], rtol=1e-12)
    assert all(p.grad is None for p in net.parameters())
    assert not any(part._forward_hooks for part in net.modules())


def test_gradients_are_measured_at_their_moments():
    """At the start, after half and after all of ten steps, of weights that each step doubles: logits are too, so
    that a saturated output has no gradient and the relative norm is not there.
    """
    net = nn.Sequential(nn.Linear(1, 1, bias=False), nn.ReLU(), nn.Linear(1, 2, bias=False)).double()
    nn.init.ones_(net[0].weight)
    net[2].weight.data = torch.tensor([[1.0], [-1.0]], dtype=torch.float64)
    watch = GradientWatch([net[1]], torch.ones(1, 1).double(), torch.tensor([0]), cross_entropy, 10)
    assert MOMENTS == (0.0, 0.5, 1.0)
    watch(net)
    assert watch.norms[0, 0] == 1 and np.isnan(watch.norms[1:]).all()
    for n in range(1, 11):
        if n == 10:
            net[2].weight.data *= 1e4
        watch(net)
        assert np.isnan(watch.norms[1, 0]) == (n < 5)
    assert watch.norms[1, 0] == 1 and np.isnan(watch.norms[2, 0])  # the gradient is 0


def test_two_hooks_are_both_called_in_order():
    seen = []
    both = evaluation._both(lambda _: seen.append(1), None, lambda _: seen.append(2))
    both(nn.Linear(1, 1))
    assert seen == [1, 2] and evaluation._both(None, None) is None
