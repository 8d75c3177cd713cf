"""The measured promises of Han layers: singular values, norms, activation ratio, gradients through 200 layers."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

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


def test_global_random_state_is_left_alone() -> None:
    """The seed is the check's own; Han layers drawn before and after do not notice."""
    torch.manual_seed(5)
    expected = HanLayer(3).u.detach().clone()
    torch.manual_seed(5)
    check_hannet(layers=2, width=3, repeats=1, samples=2, steps=1)
    torch.testing.assert_close(HanLayer(3).u.detach(), expected, rtol=0, atol=0)
