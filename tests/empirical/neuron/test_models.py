"""Descriptions of networks: what they become, how many parameters they have, how they start and are trained."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from dynamics import ProblemError
from empirical.module_training import TrainingPlan, train_module
from empirical.neuron.architectures import Mlp, SmallCnn
from empirical.neuron.kinds import OrdinaryNeurons, QuadraticNeurons
from empirical.neuron.models import Model, ordinary_equal
from empirical.splits import Splits

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(60, 1, 6, 6))
DATA = Splits.random(IMAGES, (IMAGES.sum((1, 2, 3)) > 0).astype(int), seed=1)
ARCHITECTURES = {"mlp": Mlp((5, 4)), "cnn": SmallCnn((3, 4))}
QUADRATIC = QuadraticNeurons()


def counted(architecture, neurons):
    return Model(architecture, neurons).parameters((1, 6, 6), 2)


@pytest.mark.parametrize(("neurons", "groups"), [(OrdinaryNeurons(), 1), (QUADRATIC, 3)])
def test_numbers_of_parameters(neurons, groups):
    """Layer by layer: weights and bias of the hidden layers once or three times, the output layer once.

    6 × 6 images are 36 numbers; after two maxima over 2 × 2 there is 1 pixel left, of 4 channels.
    """
    assert counted(Mlp((5, 4)), neurons) == groups * (5 * 37 + 4 * 6) + 2 * 5
    assert counted(SmallCnn((3, 4)), neurons) == groups * (3 * 10 + 4 * 28) + 2 * 5
    assert counted(SmallCnn((3,), kernel=5), neurons) == groups * 3 * 26 + 2 * (3 * 9 + 1)


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_modules_have_the_parameters_that_were_counted(architecture):
    """Built for good, they map samples to outputs; what is 1 pixel high keeps its height."""
    model = Model(architecture, QUADRATIC)
    for shape in ((1, 6, 6), (2, 1, 8)):
        module = model.build(shape, 3, seed=1)
        assert sum(p.numel() for p in module.parameters()) == model.parameters(shape, 3)
        assert module(torch.zeros(7, *shape)).shape == (7, 3)


def test_architectures_written_out():
    """Layers, activations and maxima in their order, from the functions of PyTorch and the parameters in theirs."""
    f = nn.functional
    x = torch.from_numpy(IMAGES[:4]).float()
    mlp = Model(Mlp((5, 4)), OrdinaryNeurons(), "tanh").build((1, 6, 6), 2, seed=1)
    W1, b1, W2, b2, W3, b3 = mlp.parameters()
    hidden = f.linear(f.linear(x.flatten(1), W1, b1).tanh(), W2, b2).tanh()
    torch.testing.assert_close(mlp(x), f.linear(hidden, W3, b3))
    cnn = Model(SmallCnn((3, 4)), OrdinaryNeurons(), "tanh").build((1, 6, 6), 2, seed=1)
    W1, b1, W2, b2, W3, b3 = cnn.parameters()
    hidden = f.max_pool2d(f.conv2d(x, W1, b1, padding=1).tanh(), 2)
    hidden = f.max_pool2d(f.conv2d(hidden, W2, b2, padding=1).tanh(), 2)
    torch.testing.assert_close(cnn(x), f.linear(hidden.flatten(1), W3, b3))


@pytest.mark.parametrize("architecture", [Mlp((16,)), Mlp((9, 3)), SmallCnn((4, 8)), Mlp((1,))])
def test_the_equal_ordinary_network_is_the_closest_of_all(architecture):
    """Against every width up to 60, of the largest layer, the others in proportion."""
    model = Model(architecture, QUADRATIC, "tanh")
    wanted = model.parameters((1, 6, 6), 3)
    widths = architecture.widths
    counts = {}
    for n in range(1, 61):
        part = tuple(max(1, round(w * n / max(widths))) for w in widths)
        counts[part] = Model(architecture.of(part), OrdinaryNeurons()).parameters((1, 6, 6), 3)
    found = ordinary_equal(model, (1, 6, 6), 3)
    assert found.wanted == wanted
    assert found.parameters == counts[found.model.architecture.widths]
    assert abs(found.parameters - wanted) == min(abs(count - wanted) for count in counts.values())
    assert (found.model.activation, found.model.neurons) == ("tanh", OrdinaryNeurons())


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_starts_of_a_seed_share_their_ordinary_weights(architecture):
    """ReLinear computes what the ordinary network of its seed does; a random start shares W^r alone."""
    x = torch.from_numpy(IMAGES[:5]).float()
    kinds = OrdinaryNeurons(), QUADRATIC, QuadraticNeurons(init="random"), QuadraticNeurons("random", scale=2)
    ordinary, relinear, random, doubled = (
        Model(architecture, kind, "tanh").build((1, 6, 6), 2, seed=4) for kind in kinds
    )
    torch.testing.assert_close(relinear(x), ordinary(x))
    assert not torch.allclose(random(x), ordinary(x), atol=1e-2)
    for layer, twin, larger in zip(relinear, random, doubled, strict=True):
        if hasattr(layer, "weight_r"):
            assert torch.equal(layer.weight_r, twin.weight_r) and torch.equal(layer.bias_r, twin.bias_r)
            assert torch.equal(larger.weight_r, 2 * twin.weight_r)
            assert torch.equal(larger.weight_g, 2 * twin.weight_g)
    assert torch.equal(ordinary[-1].weight, random[-1].weight)
    other = Model(architecture, QUADRATIC).build((1, 6, 6), 2, seed=5)
    assert not torch.equal(other[-1].weight, ordinary[-1].weight)


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_with_frozen_quadratic_weights_relinear_is_the_ordinary_network(architecture):
    """γ = 0: all losses of the training of the ordinary network; γ = 1: others, and other quadratic weights."""
    plan = TrainingPlan(3, 16, records=4)
    runs, modules = {}, {}
    for name, neurons in {
        "ordinary": OrdinaryNeurons(),
        **{gamma: QuadraticNeurons(gamma=gamma) for gamma in (0.0, 1.0)},
    }.items():
        model = Model(architecture, neurons)
        modules[name] = model.build((1, 6, 6), 2, seed=2).double()
        runs[name] = train_module(modules[name], model.optimizer(0.1, 0.5), DATA, plan)
    np.testing.assert_allclose(runs[0.0].loss, runs["ordinary"].loss, rtol=1e-12)
    assert np.abs(runs[1.0].loss - runs["ordinary"].loss).max() > 1e-3


def test_one_step_of_every_group_by_hand():
    """γ = ¼, momentum 0: W^r by ηg, W^g by ηg/4; then shrunk by ηλ = 0.04 of the distance to 0 and 1."""
    model = Model(Mlp((4,)), QuadraticNeurons("random", gamma=0.25, shrink=0.2))
    module = model.build((1, 6, 6), 2, seed=3).double()
    layer = module[1]
    x, y = torch.from_numpy(DATA.train.X), torch.from_numpy(DATA.train.y)
    names = ["weight_r", "weight_g", "bias_g", "weight_b", "bias_b"]
    parameters = [getattr(layer, name) for name in names]
    gradients = torch.autograd.grad(nn.functional.cross_entropy(module(x), y), parameters)
    rates, rest = [0.2, 0.05, 0.05, 0.05, 0.05], {"bias_g": 1.0}
    expected = []
    for name, p, g, rate in zip(names, parameters, gradients, rates, strict=True):
        moved = p.detach() - rate * g
        expected.append(moved if name == "weight_r" else 0.96 * moved + 0.04 * rest.get(name, 0.0))
    train_module(
        module, model.optimizer(0.2), DATA, TrainingPlan(1, 0, records=2), after_step=model.after_step(0.2)
    )
    for p, wanted in zip(parameters, expected, strict=True):
        torch.testing.assert_close(p.detach(), wanted, rtol=1e-12, atol=1e-14)
    assert Model(Mlp((4,)), QUADRATIC).after_step(0.2) is None


def test_shrinking_by_more_than_the_distance_is_refused():
    """ηλ = 3."""
    model = Model(Mlp((2,)), QuadraticNeurons(shrink=2.0))
    with pytest.raises(ProblemError, match="`amount` is 3"):
        model.after_step(1.5)(model.build((3,), 1))


def test_labels_name_what_is_unusual():
    assert OrdinaryNeurons().label == "ordinary"
    assert QUADRATIC.label == "ReLinear"
    assert QuadraticNeurons(gamma=0.1, shrink=0.5).label == "ReLinear, γ = 0.1, λ = 0.5"
    assert QuadraticNeurons("random", scale=0.5).label == "random start, scale = 0.5"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: QuadraticNeurons("sorted"), "relinear"),
        (lambda: QuadraticNeurons(gamma=-1), "gamma"),
        (lambda: QuadraticNeurons(shrink=-1), "shrink"),
        (lambda: QuadraticNeurons(scale=2.0), "only a random start"),
        (lambda: QuadraticNeurons("random", scale=0.0), "scale"),
        (lambda: Mlp(()), "empty"),
        (lambda: Mlp((3, 0)), "widths"),
        (lambda: SmallCnn((3,), kernel=0), "kernel"),
        (lambda: Model(Mlp(), QUADRATIC, "cubic"), "relu"),
        (lambda: Model(SmallCnn(), QUADRATIC).build((36,), 2), r"\(36,\), but a convolutional"),
    ],
)
def test_refusals(make, words):
    with pytest.raises(ProblemError, match=words):
        make()
