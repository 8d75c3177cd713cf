"""G-SGD on modules: a step against automatic differentiation on paths; crossings; digits from PyTorch's own start."""

from __future__ import annotations

import copy
import functools
import io
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dynamics.errors import ProblemError
from dynamics.path_space import Skeleton, SkeletonCrossing
from empirical.gsgd import GSGD
from empirical.module_training import TrainingPlan, initialised, train_module
from empirical.path_layers import layers_of_module, rescale_, wiring_of
from empirical.splits import Splits


def mlp() -> nn.Sequential:
    """Three layers with biases."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(8, 5), nn.ReLU(), nn.Linear(5, 4), nn.LeakyReLU(), nn.Linear(4, 3)
    )


def cnn() -> nn.Sequential:
    """Two convolutions with pooling, one of them without biases, and a dense layer on four positions."""
    return nn.Sequential(
        *(nn.Conv2d(2, 3, 2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(3, 4, 2, bias=False), nn.ReLU()),
        *(nn.AvgPool2d(2, stride=1), nn.Flatten(), nn.Linear(16, 3)),
    )


NETWORKS = [(mlp, (2, 4)), (cnn, (2, 9, 9))]


def data(shape: tuple[int, ...], seed: int = 0) -> tuple[Tensor, Tensor]:
    """Twenty inputs, and classes that have nothing to do with them."""
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(size=(20, *shape))), torch.from_numpy(rng.integers(3, size=20))


def cross_entropy(f: Tensor, y: Tensor) -> Tensor:
    return nn.functional.cross_entropy(f, y)


def weights_from_paths(module: nn.Module, skeleton: Skeleton, v: Tensor) -> dict[str, Tensor]:
    """Parameters of the module's function with path values v, differentiable by them.

    With in-chains ±1, of the signs that they have in the module: an edge from u to v is p(e)/(I_u I_v s(v)), where
    s(v) = p(in(v)) = p(out(v)). Written with dictionaries, edge by edge, from the definition of a basis path.
    """
    layers = layers_of_module(module)  # type: ignore[arg-type]
    wiring, position = skeleton.wiring, iter(range(len(v)))
    index = [
        np.array([[next(position) if c else -1 for c in row] for row in mask]) for mask in skeleton.chosen
    ]
    s: list[list[Tensor]] = []
    signs: list[list[float]] = []
    found = {}
    names = {id(p): name for name, p in module.named_parameters()}
    for l, layer in enumerate(layers):
        W, hidden = layer.matrix(), l < len(skeleton.into)

        def value(row: int, column: int, l: int = l) -> Tensor:
            if index[l][row, column] >= 0:
                return v[index[l][row, column]]
            return s[l - 1][int(wiring.sources[l][column])]

        def sign_below(column: int, l: int = l) -> float:
            u = int(wiring.sources[l][column])
            return 1.0 if l == 0 or u < 0 else signs[l - 1][u]

        if hidden:
            into = skeleton.into[l]
            s.append([value(row, int(into[row])) for row in range(len(W))])
            signs.append(
                [float(W[row, into[row]].sign()) * sign_below(int(into[row])) for row in range(len(W))]
            )
        rows = [
            torch.stack(
                [
                    value(row, column) * sign_below(column) / (signs[l][row] * s[l][row] if hidden else 1.0)
                    for column in range(W.shape[1])
                ]
            )
            for row in range(len(W))
        ]
        matrix = torch.stack(rows)
        if layer.bias is not None:
            found[names[id(layer.bias)]] = matrix[:, -1]
            matrix = matrix[:, :-1]
        found[names[id(layer.weight)]] = matrix.reshape(layer.weight.shape)
    return found


@pytest.mark.parametrize("choice", ["strongest", "diagonal"])
@pytest.mark.parametrize(("make", "shape"), NETWORKS)
def test_one_step_is_gradient_descent_on_paths_through_channels_and_biases(
    make: Callable[[], nn.Sequential], shape: tuple[int, ...], choice: str
) -> None:
    """v ← v − η ∂L/∂v to 1e-9, ∂L/∂v by automatic differentiation through weights that are made of the path values."""
    module = initialised(make, 3).double()
    x, y = data(shape)
    optimizer = GSGD(module, 1e-6, skeleton=choice, rebase_below=0.0)
    v = torch.from_numpy(optimizer.path_values()).requires_grad_()
    f = torch.func.functional_call(module, weights_from_paths(module, optimizer.skeleton, v), (x,))
    torch.testing.assert_close(f, module(x), rtol=1e-10, atol=1e-12)
    (gradient,) = torch.autograd.grad(cross_entropy(f, y), v)
    expected = (v - 1e-6 * gradient).detach().numpy()
    cross_entropy(module(x), y).backward()
    optimizer.step()
    after = optimizer.path_values()
    moved = after - v.detach().numpy()
    assert np.abs(moved).max() > 1e-7
    np.testing.assert_allclose(moved, -1e-6 * gradient.numpy(), atol=1e-9 * np.abs(moved).max(), rtol=1e-6)
    np.testing.assert_allclose(after, expected, rtol=1e-9, atol=1e-12)


def test_a_module_is_trained_like_its_matrices() -> None:
    """Without biases both ways of naming the weights are the same optimiser."""
    make = lambda: nn.Sequential(nn.Linear(4, 5, bias=False), nn.ReLU(), nn.Linear(5, 3, bias=False))  # noqa: E731
    x, y = data((4,))
    modules = [initialised(make, 0).double() for _ in range(2)]
    optimizers = [GSGD(modules[0], 1e-3), GSGD(modules[1].parameters(), 1e-3)]
    for module, optimizer in zip(modules, optimizers, strict=True):
        for _ in range(20):
            optimizer.zero_grad()
            cross_entropy(module(x), y).backward()
            optimizer.step()
    for p, q in zip(modules[0].parameters(), modules[1].parameters(), strict=True):
        assert torch.equal(p, q)


def crossing_problem() -> tuple[nn.Sequential, nn.Sequential, Tensor, Tensor]:
    """Thirty units whose first in-weights must change their signs, the others being right; leaky, so that none is dead.

    Weights of student and teacher are alike but for these: 0.3 and −0.5 in units of their other in-weights.
    """
    rng = np.random.default_rng(0)
    networks = []
    W = rng.choice([-1.0, 1.0], (30, 3)) * rng.uniform(0.8, 1.2, (30, 3))
    A, b = rng.choice([-1.0, 1.0], (1, 30)) * rng.uniform(0.8, 1.2, (1, 30)), rng.normal(size=30)
    for first in (0.3, -0.5):
        network = nn.Sequential(nn.Linear(3, 30), nn.LeakyReLU(0.3), nn.Linear(30, 1)).double()
        W[:, 0] = first
        with torch.no_grad():
            for p, value in zip(network.parameters(), (W, b, A, np.zeros(1)), strict=True):
                p.copy_(torch.from_numpy(value))
        networks.append(network)
    x = torch.from_numpy(rng.normal(size=(200, 3)))
    return networks[0], networks[1], x, networks[1](x).detach()


def run(module: nn.Sequential, optimizer: GSGD, x: Tensor, y: Tensor, steps: int) -> np.ndarray:
    """Outputs after every step, (steps, samples)."""
    outputs = []
    for _ in range(steps):
        optimizer.zero_grad()
        (0.5 * (module(x) - y).square().mean()).backward()
        optimizer.step()
        outputs.append(module(x).detach().numpy()[:, 0])
    return np.array(outputs)


def skeleton_through(module: nn.Sequential, column: int) -> Skeleton:
    """All units measured by one of the inputs."""
    wiring = wiring_of(layers_of_module(module))
    return Skeleton(wiring.widths, [np.full(30, column)], [np.zeros(30, dtype=int)], wiring)


def test_ten_crossings_follow_the_function_of_another_basis() -> None:
    """At every step to 1e-9, against units that are measured by another input, where nothing crosses.

    Units with one output have the same paths in all of these bases, so that descent is the same. Stopped at the first
    crossing instead, the run is at the same function until there.
    """
    student, _, x, y = crossing_problem()
    modules = [copy.deepcopy(student) for _ in range(3)]
    crossing = GSGD(modules[0], 0.05, skeleton=skeleton_through(student, 0))
    other = GSGD(modules[1], 0.05, skeleton=skeleton_through(student, 1))
    stopped = GSGD(modules[2], 0.05, skeleton=skeleton_through(student, 0), on_crossing="stop")
    f, g = run(modules[0], crossing, x, y, 150), run(modules[1], other, x, y, 150)
    assert crossing.counts["rebases"] >= 10
    assert other.counts == {"rebases": 0}
    np.testing.assert_allclose(f, g, atol=1e-9 * np.abs(g).max())
    assert np.abs(f[-1] - y.numpy()[:, 0]).max() < 0.2 * np.abs(f[0] - y.numpy()[:, 0]).max()
    with pytest.raises(SkeletonCrossing) as caught:
        run(modules[2], stopped, x, y, 150)
    first = caught.value.step
    assert first is not None and 0 < first < 149
    np.testing.assert_allclose(modules[2](x).detach().numpy()[:, 0], f[first - 1], rtol=1e-12)
    assert stopped.counts == {"rebases": 0}


def test_changes_of_the_basis_are_saved_with_the_state() -> None:
    """A run that is interrupted after its crossings goes on as one that is not: skeleton and counts are restored."""
    student, _, x, y = crossing_problem()
    whole, half = copy.deepcopy(student), copy.deepcopy(student)
    optimizer = GSGD(whole, 0.05, skeleton=skeleton_through(student, 0))
    run(whole, optimizer, x, y, 120)
    first = GSGD(half, 0.05, skeleton=skeleton_through(student, 0))
    run(half, first, x, y, 100)
    assert first.counts["rebases"] >= 5
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    second = GSGD(half, 1.0, free_layer=2)
    second.load_state_dict(torch.load(file, weights_only=True))
    for name in ("into", "out", "via"):
        for a, b in zip(getattr(first.skeleton, name), getattr(second.skeleton, name), strict=True):
            np.testing.assert_array_equal(a, b)
    run(half, second, x, y, 20)
    for p, q in zip(whole.parameters(), half.parameters(), strict=True):
        assert torch.equal(p, q)
    assert second.counts == optimizer.counts


def test_bad_options_are_refused() -> None:
    """One sentence that names the value."""
    module = mlp()
    with pytest.raises(ProblemError, match="`on_crossing` is 'go on'"):
        GSGD(module, 0.1, on_crossing="go on")
    with pytest.raises(ProblemError, match="`rebase_below` is 1, but must be below 1"):
        GSGD(module, 0.1, rebase_below=1.0)
    with pytest.raises(ProblemError, match="leave one of them out"):
        GSGD(module, 0.1, on_crossing="stop", rebase_below=0.5)
    with pytest.raises(ProblemError, match="`degree` is 2, but that of modules is 1"):
        GSGD(module, 0.1, degree=2)
    with pytest.raises(ProblemError, match="names no skeleton"):
        GSGD(module, 0.1).load_state_dict(torch.optim.SGD(module.parameters(), lr=0.1).state_dict())
    with pytest.raises(ProblemError, match="`skeleton` has the widths"):
        GSGD(cnn(), 0.1, skeleton=Skeleton.diagonal((2, 3, 4, 3)))


def test_a_bias_that_decays_is_refused() -> None:
    """‖b‖² in the loss changes when a unit is rescaled, as a bias is rescaled with the weights into it."""
    module = initialised(mlp, 0).double()
    x, y = data((2, 4))
    (cross_entropy(module(x), y) + module[1].bias.square().sum()).backward()
    with pytest.raises(ProblemError, match="hidden layer 1 is rescaled"):
        GSGD(module, 1e-3).step()


@functools.cache
def digits() -> Splits:
    """The 1,797 digits of scikit-learn, 8 × 8."""
    from sklearn.datasets import load_digits

    images = load_digits()
    return Splits.random(images.images[:, None] / 16, images.target, seed=0)


def dense() -> nn.Sequential:
    """Three layers."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 10)
    )


def convolutional() -> nn.Sequential:
    """Two convolutions and a dense layer."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(48, 10)),
    )


@pytest.mark.parametrize("make", [dense, convolutional])
def test_rescaled_copies_stay_together_on_digits(make: Callable[[], nn.Sequential]) -> None:
    """From PyTorch's own start, over the first epoch, in double precision: losses to 1e-6, and SGD's by far not.

    Factors of all hidden units and channels lie between ¼ and 4. The bases change alike, some of them at the start.
    """
    module = initialised(make, 0).double()
    rng = np.random.default_rng(1)
    widths = wiring_of(layers_of_module(module)).widths
    factors = [4 ** rng.uniform(-1, 1, n) for n in widths[1:-1]]
    found, counts = {}, {}
    for name, optimizer in (
        ("gsgd", lambda m: GSGD(m, lr=5e-4)),
        ("sgd", lambda m: torch.optim.SGD(m.parameters(), lr=0.1)),
    ):
        copies = copy.deepcopy(module), rescale_(copy.deepcopy(module), factors)
        runs = [train_module(m, optimizer, digits(), TrainingPlan(1, 32, records=4)) for m in copies]
        assert not any(r.failure for r in runs)
        found[name] = np.abs(runs[0].loss / runs[1].loss - 1).max()
        counts[name] = [r.about.get("rebases") for r in runs]
    assert found["gsgd"] < 1e-6 < 1e-3 < found["sgd"]
    assert counts["gsgd"][0] == counts["gsgd"][1] > 10


@pytest.mark.slow
@pytest.mark.parametrize(("make", "lr"), [(dense, 1e-3), (convolutional, 2e-3)])
def test_digits_are_learned_from_the_default_start(make: Callable[[], nn.Sequential], lr: float) -> None:
    """Ten epochs in single precision without a failure, from three starts: more than 85 % of the test set are right."""
    for seed in range(3):
        module = initialised(make, seed)
        run = train_module(module, lambda m: GSGD(m, lr=lr), digits(), TrainingPlan(10, 32, seed=seed))
        assert not run.failure
        accuracy = run.last("test")["accuracy"]
        assert accuracy is not None and accuracy > 0.85
        assert run.about["rebases"] > 0
