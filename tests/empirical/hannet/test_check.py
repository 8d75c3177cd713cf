"""The measured promises of Han layers: singular values, norms, activation ratio, gradients through 200 layers."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

from dynamics.errors import ProblemError
from empirical.hannet.check import (
    HanCheck,
    check_hannet,
    jacobian_singular_values,
    measure_stack,
    norm_changes,
)
from empirical.hannet.layers import HanLayer, HanNet


@pytest.fixture(scope="module")
def check() -> HanCheck:
    return check_hannet()


def test_singular_values_are_one_through_200_layers(check: HanCheck) -> None:
    """All 30, to 1e-12."""
    assert check.about["layers"] == 200 and check.singular_values.shape == (30,)
    assert np.abs(check.singular_values - 1).max() < 1e-12


def test_singular_values_of_a_known_map() -> None:
    """The measurement itself, on diag(3, −2, ½)."""
    layer = nn.Linear(3, 3, bias=False, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.diag(torch.tensor([3.0, -2.0, 0.5])))
    np.testing.assert_allclose(
        jacobian_singular_values(layer, torch.ones(3, dtype=torch.float64)), [3, 2, 0.5]
    )


def test_norms_change_by_the_discretisation_only(check: HanCheck) -> None:
    """Δ‖u‖² = η² Σ‖∂L/∂u‖² to rounding; in the same time half the step leaves half of that change."""
    assert check.norm_drift < 1e-13
    assert check.norm_growth[0] > 1e-8  # the directions did move
    # Gradients differ along the two runs: a factor of 2 up to a few per cent.
    assert check.norm_growth[0] / check.norm_growth[1] == pytest.approx(2, rel=0.1)


def test_norm_law_over_long_training() -> None:
    """The law holds where ‖u‖² changes visibly: 300 steps of 0.05 on random labels."""
    torch.manual_seed(1)
    network = HanNet(2, 10, 2, layers=8, dtype=torch.float64)
    x, y = torch.randn(30, 2, dtype=torch.float64), torch.randn(30, 2, dtype=torch.float64)
    drift, growth = norm_changes(network, x, y, 0.05, 300)
    assert growth > 1e-5
    assert drift < 1e-9 * growth


def test_gradients_keep_their_norm_through_han_layers_only(check: HanCheck) -> None:
    """1 to rounding for Han layers. PyTorch's default weights have variance 1/(3n), so each ReLU layer multiplies
    the mean square by 1/6: 6^(−100) for the norm through 200 layers. He's keep it in the mean, not typically:
    the logarithm of the square loses (5/2)/n per layer on average, e^(−200·5/(4·30)) for the norm.
    """
    assert np.abs(check.gradient_norms["hannet"] - 1).max() < 1e-12
    typical = np.median(np.log(check.gradient_norms["relu-default"][:, 0]))
    assert typical == pytest.approx(-100 * np.log(6) - 200 * 5 / (4 * 30), rel=0.03)
    # Standard deviation of one stack's logarithm: ½ √(200 · 5/n) ≈ 2.9, of the median of 15 about 0.9.
    he = np.median(np.log(check.gradient_norms["relu"][:, 0]))
    assert he == pytest.approx(-200 * 5 / (4 * 30), abs=4 * 0.9)


def test_activation_ratio(check: HanCheck) -> None:
    """|·| passes every unit on; a ReLU half of them, by the symmetry of the weights.

    The 15 · 200 · 30 units of a stack are fair coins (samples of a unit are not independent): s.d. ½/√90,000.
    """
    assert check.activation_ratio["hannet"] == 1.0
    assert check.activation_ratio["relu"] == pytest.approx(0.5, abs=4 * 0.5 / 90_000**0.5)


def test_measure_stack_on_a_known_map() -> None:
    """Two layers x → 2x: gradients grow by 4 from last to first, all units active."""

    class Double(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.two = nn.Parameter(torch.full((3,), 2.0, dtype=torch.float64))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.two * x

    ratio, norms = measure_stack([Double(), Double()], 5)
    assert ratio == 1.0
    np.testing.assert_allclose(norms, [4, 2, 1])


def test_summary_has_the_promised_keys(check: HanCheck) -> None:
    """As the command prints them, JSON without NaN."""
    d = json.loads(json.dumps(check.to_dict(), allow_nan=False))
    low, high = d["singular_values"]
    assert low <= 1 + 1e-12 and high >= 1 - 1e-12
    assert d["parameters"] == {"hannet": 3032, "dense": 51002}
    assert d["norm_drift"] == check.norm_drift
    assert "singular values" in check.summary()


def test_active_units_are_counted_behind_the_layers() -> None:
    """Layers that let four, two and one of four units through; the inputs do not count."""

    class Halves(nn.Module):
        def __init__(self, kept: int) -> None:
            super().__init__()
            self.mask = nn.Parameter((torch.arange(4) < kept).double())

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.mask * x

    ratio, _ = measure_stack([Halves(4), Halves(2), Halves(1)], 5)
    assert ratio == pytest.approx((1 + 1 / 2 + 1 / 4) / 3)


def test_what_a_check_says() -> None:
    """Extremes of the singular values, medians over stacks of the gradient at the first layer; exact texts."""
    made_up = HanCheck(
        singular_values=np.array([1 + 2e-15, 1.0, 1 - 3e-15]),
        norm_drift=1e-15,
        norm_growth=np.array([0.25, 0.125]),
        parameters={"hannet": 7, "dense": 9},
        activation_ratio={"hannet": 1.0, "relu": 0.5},
        gradient_norms={
            "hannet": np.ones((3, 2)),
            "relu": np.array([[0.5, 1], [0.25, 1], [4, 1.0]]),
            "relu-default": np.array([[1e-3, 1], [1e-9, 1], [1e-6, 1]]),
        },
        about={"layers": 1, "width": 3, "step": 0.01},
    )
    assert made_up.to_dict() == {
        "singular_values": [1 - 3e-15, 1 + 2e-15],
        "norm_drift": 1e-15,
        "norm_growth": {"step": 0.01, "relative": 0.25, "relative_at_half_step": 0.125},
        "parameters": {"hannet": 7, "dense": 9},
        "activation_ratio": {"hannet": 1.0, "relu": 0.5},
        "gradient_ratio": {"hannet": 1, "relu": 0.5, "relu-default": 1e-6},
        **{"layers": 1, "width": 3, "warnings": []},
    }
    assert made_up.summary().split("\n") == [
        "singular values through 1 Han layers: 1 within 3.0e-15",
        "‖u‖² in gradient descent: drift 1.0e-15 beyond the 2.5e-01 that the step explains "
        "(1.2e-01 with half the step)",
        "parameters: HanNet 7, dense 9",
        "activation ratio: HanNet 1.000, ReLU 0.500",
        "gradient at the first layer relative to the last (median): hannet 1, relu 0.5, relu-default 1e-06",
    ]


def test_what_is_measured_is_what_was_asked_for() -> None:
    """Stacks by kind and number, one more for the singular values, then the HanNet, its inputs and labels, by hand.

    The same seed repeats everything; half the step goes on for twice as many steps, from the same start.
    """
    found = check_hannet(4, 5, samples=6, repeats=2, step=0.02, steps=3, seed=9)
    torch.manual_seed(9)
    double = torch.float64

    def relu(default: bool) -> nn.Module:
        layer = nn.Linear(5, 5, dtype=double)
        if not default:
            nn.init.normal_(layer.weight, 0, (2 / 5) ** 0.5)
            nn.init.zeros_(layer.bias)
        return nn.Sequential(layer, nn.ReLU())

    makers = {
        "hannet": lambda: HanLayer(5, dtype=double),
        "relu": lambda: relu(False),
        "relu-default": lambda: relu(True),
    }
    for name, make in makers.items():
        stacks = [measure_stack([make() for _ in range(4)], 6) for _ in range(2)]
        np.testing.assert_allclose(found.gradient_norms[name], [norms for _, norms in stacks], rtol=1e-12)
        if name in found.activation_ratio:
            assert found.activation_ratio[name] == pytest.approx(np.mean([ratio for ratio, _ in stacks]))
    stack = nn.Sequential(*(HanLayer(5, dtype=double) for _ in range(4)))
    x = torch.randn(5, dtype=double)
    np.testing.assert_allclose(found.singular_values, jacobian_singular_values(stack, x), rtol=1e-14)
    torch.manual_seed(9)
    assert set(found.activation_ratio) == {"hannet", "relu"}
    assert found.about == {
        **{"layers": 4, "width": 5, "samples": 6, "repeats": 2, "step": 0.02, "steps": 3, "seed": 9}
    }


def test_networks_of_the_norm_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """The HanNet of the checkerboard problem on points of its square with labels 0 and 1, twice from the same start."""
    seen = []

    def spy(
        network: nn.Module, x: torch.Tensor, y: torch.Tensor, step: float, steps: int
    ) -> tuple[float, float]:
        seen.append((step, steps, x, y, [p.detach().clone() for p in network.parameters()]))
        return norm_changes(network, x, y, step, steps)

    monkeypatch.setattr("empirical.hannet.check.norm_changes", spy)
    found = check_hannet(2, 3, samples=500, repeats=1, step=0.02, steps=3)
    (whole, half) = seen
    assert (whole[:2], half[:2]) == ((0.02, 3), (0.01, 6))
    for a, b in zip((*whole[2:4], *whole[4]), (*half[2:4], *half[4]), strict=True):
        assert torch.equal(a, b)
    x, y = whole[2:4]
    assert -1 <= x.min() < -0.9 and 0.9 < x.max() <= 1 and x.shape == (500, 2)
    assert y.unique().tolist() == [0, 1] and torch.equal(y[:, 0], y[:, 1])
    assert sum(p.numel() for p in whole[4]) == found.parameters["hannet"] == 3032


def test_norm_changes_by_hand() -> None:
    """One step of 0.1 and two: Σ‖∂L/∂u‖² before each, largest over the layers."""
    torch.manual_seed(3)
    network = nn.Sequential(HanLayer(3, dtype=torch.float64), HanLayer(3, dtype=torch.float64))
    x, y = torch.randn(4, 3, dtype=torch.float64), torch.randn(4, 3, dtype=torch.float64)
    u = [layer.u.detach().clone() for layer in network]
    squares = []
    loss = (network(x) - y).square().mean()
    for layer, g in zip(network, torch.autograd.grad(loss, [layer.u for layer in network]), strict=True):
        squares.append(float(0.01 * g.square().sum() / layer.u.detach().square().sum()))
    drift, growth = norm_changes(network, x, y, 0.1, 1)
    assert growth == pytest.approx(max(squares), rel=1e-9)
    assert drift < 1e-14
    assert [not torch.equal(layer.u, v) for layer, v in zip(network, u, strict=True)] == [True, True]


@pytest.mark.parametrize("name", ["layers", "width", "samples", "repeats", "steps"])
def test_sizes_are_positive(name: str) -> None:
    with pytest.raises(ProblemError, match=f"`{name}` is 0, but must be at least 1"):
        check_hannet(**{name: 0})  # type: ignore[arg-type]


def test_other_arguments_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Step and seed; and memory, which is that of the matrices of a stack and of the signals in it at least."""
    with pytest.raises(ProblemError, match="`step` is 0, but must be positive"):
        check_hannet(step=0.0)
    with pytest.raises(ProblemError, match="`seed` is -1, but must be at least 0"):
        check_hannet(seed=-1)
    asked = []
    monkeypatch.setattr("empirical.hannet.check.check_memory", lambda what, size, advice: asked.append(size))
    for layers, width, samples in ((3, 200, 1), (3, 2, 4000), (50, 1, 1)):
        check_hannet(layers, width, samples=samples, repeats=1, steps=1)
    matrices, signals, modules = asked
    assert 8 * 3 * 200**2 < matrices < 2 * 8 * 3 * 200**2
    assert 2 * 8 * 3 * 2 * 4000 < signals < 8 * 8 * 3 * 2 * 4000
    assert 50 * 5_000 < modules < 50 * 20_000


def test_global_random_state_is_left_alone() -> None:
    """The seed is the check's own; Han layers drawn before and after do not notice."""
    torch.manual_seed(5)
    expected = HanLayer(3).u.detach().clone()
    torch.manual_seed(5)
    check_hannet(layers=2, width=3, repeats=1, samples=2, steps=1)
    torch.testing.assert_close(HanLayer(3).u.detach(), expected, rtol=0, atol=0)
