"""The twin experiment: two copies of one network under G-SGD stay one network, under SGD they part."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
import torch

from dynamics.errors import ProblemError
from dynamics.path_space import Skeleton, incidence_rank
from empirical.invariance import (
    HOMOGENEOUS,
    MOST_BATCHES,
    STEP_SAMPLES,
    BiasFreeNetwork,
    _jacobians,
    _largest_stable_step,
    batch_loss,
    invariance,
    rescale,
)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"seed": 1},
        {"inputs": 4, "hidden": 5, "outputs": 1, "seed": 2},
        {"layers": 3, "activation": "leaky-relu"},
        {"layers": 4, "activation": "abs"},
        {"layers": 3, "activation": "linear"},
        {"activation": "quadratic"},
    ],
    ids=str,
)
def test_copies_agree_under_gsgd_only(options: dict[str, object]) -> None:
    """After 300 steps: path values within 1e-9 for G-SGD, more than 0.05 apart for SGD (both relative)."""
    result = invariance(**options)  # type: ignore[arg-type]
    summary = result.to_dict()
    assert summary["gsgd"]["path_difference"] < 1e-9
    assert summary["gsgd"]["function_difference"] < 1e-9
    assert summary["sgd"]["path_difference"] > 0.05
    assert result.steps[-1] == 300
    for name in ("gsgd", "sgd"):  # and all four have learnt something
        assert (result.loss[name][:, -1] < 0.5 * result.loss[name][:, 0]).all()


@pytest.mark.parametrize("layers", [2, 3])
def test_counts(layers: int) -> None:
    """m, H and m − H, the latter against the rank of the enumerated incidence matrix."""
    summary = invariance(3, 4, 2, layers=layers, steps=1).to_dict()
    widths = (3, *[4] * (layers - 1), 2)
    assert summary["hidden_units"] == sum(widths[1:-1])
    assert summary["edges"] == sum(a * b for a, b in pairwise(widths))
    assert summary["basis_paths"] == incidence_rank(widths)


def test_same_seed_same_result() -> None:
    """Bit for bit; another seed gives another result, and everything is JSON."""
    a, b, c = (invariance(steps=20, seed=s).to_dict() for s in (3, 3, 4))
    assert a == b != c
    assert json.loads(json.dumps(a)) == a


def test_diverged_copies_are_null() -> None:
    """Twice the largest step that is stable at the start for the rescaled copy: SGD explodes, JSON says so."""
    stable = invariance(activation="quadratic", steps=1, spread=4.0).about["step"] / 0.1
    summary = invariance(activation="quadratic", steps=300, spread=4.0, step=2 * stable, seed=0).to_dict()
    assert summary["sgd"]["path_difference"] is None
    assert "sgd diverged" in summary["warnings"][0]
    json.dumps(summary, allow_nan=False)


@pytest.mark.parametrize("activation", HOMOGENEOUS)
def test_rescaled_copy_computes_the_same(activation: str) -> None:
    """(w, a) → (cw, a/c^h), for every activation of the table, to rounding."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=s) for s in ((4, 3), (5, 4), (2, 5))]
    factors = [np.exp(rng.uniform(-1, 1, n)) for n in (4, 5)]
    x = torch.tensor(rng.normal(size=(10, 3)))
    f = BiasFreeNetwork(weights, activation)
    g = BiasFreeNetwork(rescale(weights, factors, f.degree), activation)
    with torch.no_grad():
        torch.testing.assert_close(f(x), g(x), rtol=1e-12, atol=0)


def test_default_step_is_a_tenth_of_the_stable_one() -> None:
    """Where labels are fitted exactly the Gauss–Newton matrix is the Hessian, which autograd computes."""
    rng = np.random.default_rng(1)
    weights = [np.eye(3, 2) + 0.2 * rng.normal(size=(3, 2)), 3 * rng.normal(size=(1, 3))]
    bound = _largest_stable_step(weights, "abs", Skeleton.strongest(weights), np.random.default_rng(2), 8)
    x = torch.tensor(np.random.default_rng(2).standard_normal((8, 2)))
    network = BiasFreeNetwork(weights, "abs")
    y = network(x).detach()

    def loss(flat: torch.Tensor) -> torch.Tensor:
        parts = {"weights.0": flat[:6].reshape(3, 2), "weights.1": flat[6:].reshape(1, 3)}
        return batch_loss(lambda z: torch.func.functional_call(network, parts, z), x, y)  # type: ignore[arg-type]

    flat = torch.tensor(np.concatenate([W.ravel() for W in weights]))
    top = torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, flat))[-1]
    # Large second-layer weights make the weights, not the path values, the stiffer coordinates.
    assert bound == pytest.approx(2 / float(top), rel=1e-10)


@pytest.mark.parametrize("activation", HOMOGENEOUS)
def test_jacobian_in_the_weights_is_that_of_autograd(activation: str) -> None:
    """All outputs of three layers on four samples, (4·2, 12 + 20 + 10) derivatives."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=s) for s in ((4, 3), (5, 4), (2, 5))]
    network, x = BiasFreeNetwork(weights, activation), torch.tensor(rng.normal(size=(4, 3)))
    found, _ = _jacobians(weights, network, Skeleton.strongest(weights), x)

    def outputs(*parts: torch.Tensor) -> torch.Tensor:
        named = {f"weights.{l}": W for l, W in enumerate(parts)}
        return torch.func.functional_call(network, named, x).ravel()

    by_layer = torch.autograd.functional.jacobian(outputs, tuple(torch.tensor(W) for W in weights))
    expected = torch.cat([J.reshape(8, -1) for J in by_layer], dim=1).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_a_part_of_a_large_batch_tells_the_step() -> None:
    """Of 20,000 samples the first ones are drawn and no others."""
    weights = [np.eye(3, 2), np.ones((1, 3))]
    bounds = [
        _largest_stable_step(weights, "abs", Skeleton.strongest(weights), np.random.default_rng(2), batch)
        for batch in (STEP_SAMPLES, 20_000)
    ]
    assert bounds[0] == pytest.approx(bounds[1], rel=1e-12)


def test_gradients_beyond_all_numbers_are_refused() -> None:
    """30^(2⁹) of nine squaring layers is no number; 1000 layers are the most."""
    weights = [np.full((1, 1), 30.0)] * 10
    with pytest.raises(ProblemError, match="exceeds all numbers: take fewer `layers`"):
        _largest_stable_step(
            weights, "quadratic", Skeleton.strongest(weights, 2), np.random.default_rng(0), 8
        )
    with pytest.raises(ProblemError, match="at most 1,000"):
        invariance(hidden=1, layers=1001)


def test_stable_step_of_a_unit_that_is_seldom_active() -> None:
    """f = φ(x): the gradients in both weights and that in the path value are x, and φ' = 0 for x < 0.

    2/‖J‖² is 2/(2x²) at the first positive x. A network that is zero everywhere has no such step.
    """
    x = np.random.default_rng(5).standard_normal(MOST_BATCHES)
    assert x[0] < 0
    one, rng = [np.ones((1, 1))] * 2, np.random.default_rng(5)
    bound = _largest_stable_step(one, "relu", Skeleton.strongest(one), rng, 1)
    assert bound == pytest.approx(x[x > 0][0] ** -2, rel=1e-12)
    dead = [np.ones((1, 1)), -np.ones((1, 1)), np.ones((1, 1))]
    with pytest.raises(ProblemError, match="zero gradient"):
        _largest_stable_step(dead, "relu", Skeleton.strongest(dead), rng, 8)


def test_bad_input_is_refused() -> None:
    """One sentence that names the value."""
    with pytest.raises(ProblemError, match="activation"):
        invariance(activation="tanh")
    with pytest.raises(ProblemError, match="layers"):
        invariance(layers=1)
    with pytest.raises(ProblemError, match="spread"):
        invariance(spread=0.5)
    with pytest.raises(ProblemError, match="step"):
        invariance(step=0.0)
