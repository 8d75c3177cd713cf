"""The twin experiment: two copies of one network under G-SGD stay one network, under SGD they part."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
import torch

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.path_space import Skeleton
from empirical.bias_free_network import HOMOGENEOUS, BiasFreeNetwork, rescale
from empirical.experiments.invariance import (
    MOST_BATCHES,
    STEP_SAMPLES,
    Invariance,
    _jacobians,
    _largest_stable_step,
    _twins,
    batch_loss,
    invariance,
)
from oracles.path_enumeration import incidence_rank


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


def test_the_experiment_is_repeated_by_hand() -> None:
    """Two layers, abs: the draws in their order, and SGD with gradients written out; path values w_ki a_ok/(w_k a_k).

    Weights: signs ±1, ordinary ones N(0, 0.49/n_in), those that join unit k to input and output k (modulo the width)
    keep their sign alone, the same for the teacher. Then the factors of the copy, 512 test inputs, and the batches.
    """
    d, K, O, eta, rng = 2, 3, 2, 0.01, np.random.default_rng(7)
    k = np.arange(K)
    signs = [rng.choice([-1.0, 1.0], (K, d)), rng.choice([-1.0, 1.0], (O, K))]
    student, teacher = (
        [rng.normal(0, 0.7 / np.sqrt(n), s.shape) for n, s in zip((d, K), signs, strict=True)]
        for _ in range(2)
    )
    for W, A in (student, teacher):
        W[k, k % d], A[k % O, k] = signs[0][k, k % d], signs[1][k % O, k]
    c = np.exp(rng.uniform(-1, 1, K) * np.log(3.0))
    assert c.min() >= 1 / 3 and c.max() <= 3
    copies = [(student[0].copy(), student[1].copy()), (student[0] * c[:, None], student[1] / c)]
    test = rng.standard_normal((512, d))
    functions, losses = [], []
    for n in range(5):
        x = rng.standard_normal((16, d))
        errors = [np.abs(x @ W.T) @ A.T - np.abs(x @ teacher[0].T) @ teacher[1].T for W, A in copies]
        if n % 2 == 0:
            losses.append([0.5 * np.sum(e**2) / 16 for e in errors])
            f, g = (np.abs(test @ W.T) @ A.T for W, A in copies)
            functions.append(np.linalg.norm(f - g) / np.linalg.norm(f))
        copies = [
            (
                W - eta * (np.sign(x @ W.T) * (e @ A)).T @ x / 16,
                A - eta * e.T @ np.abs(x @ W.T) / 16,
            )
            for (W, A), e in zip(copies, errors, strict=True)
        ]
    result = invariance(d, K, O, activation="abs", steps=4, step=eta, batch=16, spread=3.0, seed=7, records=3)
    assert result.steps.tolist() == [0, 2, 4]
    np.testing.assert_allclose(result.loss["sgd"].T, losses, rtol=1e-12)
    np.testing.assert_allclose(result.function_difference["sgd"], functions, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(result.loss["gsgd"][:, 0], losses[0], rtol=1e-12)
    assert result.about == {
        **{"widths": (2, 3, 2), "activation": "abs", "step": 0.01, "batch": 16, "spread": 3.0, "seed": 7}
    }


def test_by_default() -> None:
    """What the documentation promises of a call without arguments, and the step: a tenth of the smaller bound."""
    result = invariance(steps=1)
    step = result.about.pop("step")
    assert result.about == {
        **{"widths": (6, 8, 2), "activation": "relu", "batch": 64, "spread": 2.0, "seed": 0},
    }
    rng = np.random.default_rng(0)
    original, _ = _twins((6, 8, 2), rng)
    factors = [np.exp(rng.uniform(-1, 1, 8) * np.log(2.0))]
    skeleton = Skeleton.strongest(original)
    bounds = [
        _largest_stable_step(W, "relu", skeleton, rng, 64) for W in (original, rescale(original, factors))
    ]
    assert step == pytest.approx(min(bounds) / 10, rel=1e-12)
    assert abs(bounds[0] / bounds[1] - 1) > 0.01


def made_up(**changes: object) -> Invariance:
    """Round numbers at two records."""
    values: dict[str, object] = {
        "steps": np.array([0, 9]),
        "path_difference": {"gsgd": np.array([0, 1e-12]), "sgd": np.array([0, 0.25])},
        "function_difference": {"gsgd": np.array([0, 2e-12]), "sgd": np.array([0, 0.125])},
        "loss": {"gsgd": np.array([[4, 1.0], [4, 2]]), "sgd": np.array([[4, 3.0], [4, 0.5]])},
        **{"edges": 40, "hidden_units": 5, "basis_paths": 35, "rebases": (1, 2), "about": {"step": 0.02}},
    }
    return Invariance(**(values | changes))  # type: ignore[arg-type]


def test_what_a_result_says() -> None:
    """The last record of both optimisers; null for one that diverged, whatever it is that is not finite."""
    result = made_up()
    assert result.summary().split("\n") == [
        "40 edges, 5 hidden units, 35 basis paths; 9 steps of 0.02",
        "G-SGD: path values of the two copies differ by 1.00e-12, functions by 2.00e-12 (relative)",
        "SGD: path values of the two copies differ by 2.50e-01, functions by 1.25e-01 (relative)",
    ]
    expected = {
        "gsgd": {"path_difference": 1e-12, "function_difference": 2e-12, "loss": [1, 2], "rebases": [1, 2]},
        "sgd": {"path_difference": 0.25, "function_difference": 0.125, "loss": [3, 0.5]},
        **{"basis_paths": 35, "edges": 40, "hidden_units": 5, "steps": 9, "step": 0.02, "warnings": []},
    }
    assert result.to_dict() == expected
    lost = {"path_difference": None, "function_difference": None, "loss": None}
    for changes in (
        {"loss": {**result.loss, "sgd": np.array([[4, 3.0], [4, np.inf]])}},
        {"path_difference": {**result.path_difference, "sgd": np.array([0, np.nan])}},
    ):
        warnings = ["sgd diverged: take a smaller step than 0.02."]
        assert made_up(**changes).to_dict() == {**expected, "sgd": lost, "warnings": warnings}


def test_copies_change_their_bases_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """A teacher with other signs of the first in-weights makes a skeleton path value cross: the copies go on as one."""

    def twins(widths: tuple[int, ...], rng: np.random.Generator) -> tuple[list[Array], list[Array]]:
        student, teacher = _twins(widths, rng)
        return student, [teacher[0] * [-1, 1, 1], teacher[1]]

    monkeypatch.setattr("empirical.experiments.invariance._twins", twins)
    result = invariance(3, 4, 2, activation="linear", steps=200, step=0.4, records=5)
    one, other = result.rebases
    assert one == other > 0
    assert result.to_dict()["gsgd"]["rebases"] == [one, other]
    assert result.path_difference["gsgd"].max() < 1e-9 and result.function_difference["gsgd"].max() < 1e-9


def test_ends_of_the_spread() -> None:
    """1 leaves the copy as it is; a million is the most."""
    same = invariance(2, 2, 1, activation="abs", steps=2, spread=1.0)
    assert same.path_difference["sgd"].max() < 1e-14
    assert invariance(2, 2, 1, activation="abs", steps=1, step=1e-20, spread=1e6).about["spread"] == 1e6
    with pytest.raises(ProblemError, match=r"`spread` is 1.1e\+06, but must be between 1 and 1e\+06"):
        invariance(spread=1.1e6)


def test_the_smallest_experiment() -> None:
    """One unit, one sample, one step, two records; the memory asked for is that of its Jacobians at least."""
    result = invariance(1, 1, 1, activation="abs", steps=1, batch=1, records=2)
    assert result.steps.tolist() == [0, 1]
    assert (result.edges, result.hidden_units, result.basis_paths) == (2, 1, 1)


@pytest.mark.parametrize("layers", [2, 3])
def test_memory_is_that_of_the_jacobians(monkeypatch: pytest.MonkeyPatch, layers: int) -> None:
    """Of every output of every sample in every weight, as lists and arrays, in weights and in paths: 2 to 6 times."""
    asked: list[float] = []
    monkeypatch.setattr(
        "empirical.experiments.invariance.check_memory", lambda what, size, advice: asked.append((what, size))
    )
    invariance(30, 20, 4, layers=layers, activation="abs", steps=1, step=1e-6, batch=50)
    ((what, size),) = asked
    edges = 20 * (30 + 20 * (layers - 2) + 4)
    assert what == f"Networks of {layers} layers of weights with {edges} weights, on batches of 50,"
    jacobian = 8 * edges * 50 * 4
    assert 2 * jacobian < size < 6 * jacobian


def test_bad_input_is_refused() -> None:
    """One sentence that names the value."""
    for name in ("inputs", "hidden", "outputs", "batch", "steps"):
        with pytest.raises(ProblemError, match=f"`{name}` is 0, but must be at least 1"):
            invariance(**{name: 0})  # type: ignore[arg-type]
    with pytest.raises(ProblemError, match="`records` is 1, but must be at least 2"):
        invariance(records=1)
    with pytest.raises(ProblemError, match="`seed` is -1, but must be at least 0"):
        invariance(seed=-1)
    with pytest.raises(ProblemError, match="activation"):
        invariance(activation="tanh")
    with pytest.raises(ProblemError, match="layers"):
        invariance(layers=1)
    with pytest.raises(ProblemError, match="spread"):
        invariance(spread=0.5)
    with pytest.raises(ProblemError, match="step"):
        invariance(step=0.0)
