"""G-SGD: one step against autograd on path values, independence of scale and free layer, refusals."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dynamics.errors import ProblemError
from dynamics.flows.path_space import PathFlow
from dynamics.path_space import Skeleton, SkeletonCrossing, path_values
from dynamics.problem import Problem, Student, Teacher
from empirical.gsgd import GSGD
from oracles.path_enumeration import enumerate_paths, incidence

SLOPES: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "relu": (torch.relu, lambda z: (z > 0).double()),
    "leaky": (lambda z: nn.functional.leaky_relu(z, 0.1), lambda z: 0.1 + 0.9 * (z > 0).double()),
    "abs": (torch.abs, torch.sign),
    "linear": (lambda z: z, torch.ones_like),
}
"""φ and φ′ of activations with φ(z) = φ′(z) z."""

NETWORKS = [
    ((4, 5, 2), "relu"),
    ((4, 5, 1), "abs"),
    ((3, 3, 3, 2), "relu"),
    ((2, 3, 2, 3, 2), "leaky"),
    ((3, 2, 4, 2), "linear"),
]


def make_weights(widths: tuple[int, ...], seed: int) -> list[Tensor]:
    """Weights of sizes in [½, 1.5] and both signs, in double precision."""
    rng = np.random.default_rng(seed)
    shapes = [(n, below) for below, n in pairwise(widths)]
    arrays = [rng.choice([-1, 1], shape) * rng.uniform(0.5, 1.5, shape) for shape in shapes]
    return [torch.tensor(W, requires_grad=True) for W in arrays]


def make_data(widths: tuple[int, ...], seed: int) -> tuple[Tensor, Tensor]:
    """A batch of 20 inputs and unrelated labels."""
    rng = np.random.default_rng(seed)
    return tuple(torch.tensor(rng.normal(size=(20, n))) for n in (widths[0], widths[-1]))  # type: ignore[return-value]


def forward(weights: list[Tensor], x: Tensor, phi: Callable[[Tensor], Tensor]) -> Tensor:
    """Outputs (B, n_L)."""
    for W in weights[:-1]:
        x = phi(x @ W.T)
    return x @ weights[-1].T


def arrays(weights: list[Tensor]) -> list[np.ndarray]:
    return [W.detach().numpy().copy() for W in weights]


def loss_of(f: Tensor, y: Tensor) -> Tensor:
    return 0.5 * (f - y).square().sum(-1).mean()


def path_gradient_by_autograd(
    weights: list[Tensor], skeleton: Skeleton, x: Tensor, y: Tensor, name: str
) -> np.ndarray:
    """∂L/∂v by autograd through f_o(x) = Σ_paths v_q x_{i(q)} Π φ′, all v_q made from the basis values.

    The exponents of v_q = Π_p v_p^α come from a least-squares solution over the enumerated incidence matrix, so
    nothing of the optimiser's algebra is used.
    """
    phi, slope = SLOPES[name]
    widths = skeleton.widths
    M = incidence(widths).astype(float)
    log_basis = []  # rows of the incidence matrix that are the basis paths, found by their values
    flat = np.concatenate([W.detach().numpy().ravel() for W in weights])
    all_values = np.array([np.prod(flat[row.astype(bool)]) for row in M])
    v0 = path_values(arrays(weights), skeleton)
    for value in v0:
        matches = np.flatnonzero(np.isclose(all_values, value, rtol=1e-12))
        assert len(matches) == 1
        log_basis.append(M[matches[0]])
    alpha = np.linalg.lstsq(np.array(log_basis).T, M.T, rcond=None)[0].T  # (paths, basis)
    assert np.abs(alpha - alpha.round()).max() < 1e-9
    v = torch.tensor(v0, requires_grad=True)
    exponents = torch.tensor(alpha.round())
    signs = torch.tensor(np.sign(all_values))
    values = signs * torch.exp(exponents @ torch.log(v.abs()))
    assert np.allclose(values.detach().numpy(), all_values, rtol=1e-12)
    slopes, h = [], x
    for W in weights[:-1]:
        z = (h @ W.T).detach()
        slopes.append(slope(z))
        h = phi(z)
    paths = enumerate_paths(widths)
    terms = x[:, paths[:, 0]] * values
    for l, s in enumerate(slopes, start=1):
        terms = terms * s[:, paths[:, l]]
    f = torch.zeros(len(x), widths[-1], dtype=torch.float64).index_add(1, torch.tensor(paths[:, -1]), terms)
    assert torch.allclose(f, forward(weights, x, phi), rtol=1e-12)
    return torch.autograd.grad(loss_of(f, y), v)[0].numpy()


@pytest.mark.parametrize("choice", ["strongest", "diagonal"])
@pytest.mark.parametrize(("widths", "name"), NETWORKS)
def test_one_step_is_gradient_descent_on_basis_paths(widths: tuple[int, ...], name: str, choice: str) -> None:
    """Path values after the step are v − η ∂L/∂v to 1e-8 (relative), ∂L/∂v by autograd on path values."""
    weights = make_weights(widths, 1)
    x, y = make_data(widths, 2)
    optimizer = GSGD(weights, 1e-3, skeleton=choice)
    before = path_values(arrays(weights), optimizer.skeleton)
    expected = before - 1e-3 * path_gradient_by_autograd(weights, optimizer.skeleton, x, y, name)
    loss_of(forward(weights, x, SLOPES[name][0]), y).backward()
    optimizer.step()
    after = path_values(arrays(weights), optimizer.skeleton)
    assert np.abs(after - before).max() > 1e-4  # the step is not a rounding error
    np.testing.assert_allclose(after, expected, rtol=1e-8)


def test_one_quadratic_step_is_gradient_descent_on_basis_paths() -> None:
    """h = 2: f_o = Σ_k u_ok (v_k·x)²/s_k² in basis-path values v_k = a_s w_s w_k, u_o = a_o w_s², by autograd."""
    weights = make_weights((4, 3, 2), 3)
    x, y = make_data((4, 3, 2), 4)
    optimizer = GSGD(weights, 1e-3, degree=2)
    into, out = optimizer.skeleton.into[0], optimizer.skeleton.out[0]
    W, A = (W.detach() for W in weights)
    units = torch.arange(3)
    w_s, a_s = W[units, into], A[out, units]
    V = (a_s * w_s)[:, None] * W
    U = A * w_s**2
    free = torch.ones(2, 3, dtype=torch.bool)
    free[out, units] = False
    v = V.clone().requires_grad_()
    u = U[free].clone().requires_grad_()
    s = v[units, into]
    full = torch.zeros(2, 3, dtype=torch.float64).masked_scatter(free, u) + torch.where(free, 0.0, s)
    f = ((x @ v.T) ** 2 / s**2) @ full.T
    assert torch.allclose(f, forward(weights, x, torch.square), rtol=1e-12)
    gv, gu = torch.autograd.grad(loss_of(f, y), [v, u])
    expected = torch.cat([(v - 1e-3 * gv).flatten(), u - 1e-3 * gu]).detach().numpy()
    loss_of(forward(weights, x, torch.square), y).backward()
    optimizer.step()
    np.testing.assert_allclose(path_values(arrays(weights), optimizer.skeleton, 2), expected, rtol=1e-8)


def test_small_steps_follow_the_theory_in_path_space() -> None:
    """Training on the exact population loss ‖D‖² + (tr D)²/2 tends to the path flow, with an error linear in η."""
    rng = np.random.default_rng(5)
    W, A = 0.3 * rng.normal(size=(2, 3)), np.array([[0.9, -1.0]])
    W[[0, 1], [0, 1]] = [1.0, -1.1]
    V, b = W + 0.2 * rng.normal(size=W.shape), A + 0.2 * rng.normal(size=A.shape)
    flow = PathFlow(Problem(Teacher(V, b), Student(W, A)))
    end = flow.integrate(0.2).values[-1]
    target = torch.tensor(V.T @ np.diag(b[0]) @ V)
    errors = []
    for steps in (200, 400):
        weights = [torch.tensor(W, requires_grad=True), torch.tensor(A, requires_grad=True)]
        optimizer = GSGD(weights, 0.2 / steps, degree=2, skeleton=flow.skeleton)
        for _ in range(steps):
            D = target - weights[0].T @ torch.diag(weights[1][0]) @ weights[0]
            optimizer.zero_grad()
            (D.square().sum() + D.trace() ** 2 / 2).backward()
            optimizer.step()
        errors.append(np.abs(path_values(arrays(weights), flow.skeleton, 2) - end).max())
    assert errors[0] < 0.05 * np.abs(end).max()
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize(("widths", "degree"), [((4, 5, 2), 1), ((4, 5, 2), 2), ((3, 4, 2, 3, 2), 1)])
def test_free_layer_does_not_matter(widths: tuple[int, ...], degree: int) -> None:
    """100 steps with any free layer: the same functions to 1e-10, in different weights."""
    phi = torch.square if degree == 2 else torch.abs
    x, y = make_data(widths, 7)
    outputs, finals = [], []
    for free in range(1, len(widths)):
        weights = make_weights(widths, 6)
        optimizer = GSGD(weights, 1e-4, degree=degree, free_layer=free)
        for _ in range(100):
            optimizer.zero_grad()
            loss_of(forward(weights, x, phi), y).backward()
            optimizer.step()
        outputs.append(forward(weights, x, phi).detach().numpy())
        finals.append(np.concatenate([W.ravel() for W in arrays(weights)]))
    for f in outputs[1:]:
        np.testing.assert_allclose(f, outputs[0], atol=1e-10 * np.abs(outputs[0]).max())
    assert np.abs(finals[0] - finals[-1]).max() > 1e-4


def test_ensemble_trains_like_its_members() -> None:
    """A leading axis (as in `QuadraticNetwork`) holds independent networks that share a skeleton."""
    widths = (3, 4, 2)
    members = [make_weights(widths, seed) for seed in (8, 9)]
    skeleton = Skeleton.diagonal(widths)
    x, y = make_data(widths, 10)
    stacked = [
        torch.stack([W.detach() for W in layer]).requires_grad_() for layer in zip(*members, strict=True)
    ]
    jobs = [(members[0], x), (members[1], x)]
    for weights, inputs in jobs:
        optimizer = GSGD(weights, 1e-3, skeleton=skeleton)
        loss_of(forward(weights, inputs, torch.relu), y).backward()
        optimizer.step()
    optimizer = GSGD(stacked, 1e-3, skeleton=skeleton)
    f = torch.relu(x @ stacked[0].mT) @ stacked[1].mT
    (0.5 * (f - y).square().sum(-1).mean(-1)).sum().backward()
    optimizer.step()
    for l, layer in enumerate(stacked):
        for s, weights in enumerate(members):
            np.testing.assert_allclose(layer[s].detach().numpy(), weights[l].detach().numpy(), rtol=1e-12)


def test_state_is_saved_and_restored() -> None:
    """A run interrupted after 10 steps and resumed from a file ends at the same weights; a new run does not."""
    widths = (3, 4, 2)
    x, y = make_data(widths, 12)

    def descend(weights: list[Tensor], optimizer: GSGD, steps: int) -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            loss_of(forward(weights, x, torch.relu), y).backward()
            optimizer.step()

    whole = make_weights(widths, 11)
    descend(whole, GSGD(whole, 1e-3, skeleton="diagonal"), 20)
    half = make_weights(widths, 11)
    first = GSGD(half, 1e-3, skeleton="diagonal")
    descend(half, first, 10)
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    second = GSGD(half, 1.0, skeleton="strongest", free_layer=2)
    second.load_state_dict(torch.load(file, weights_only=True))
    descend(half, second, 10)
    for a, b in zip(whole, half, strict=True):
        assert torch.equal(a, b)
    assert second.param_groups[0]["steps_done"] == 20


def test_schedulers_and_closures_work() -> None:
    """The usual protocol of `torch.optim`: a closure's value is returned, a scheduler changes the step size."""
    widths = (3, 4, 2)
    weights = make_weights(widths, 13)
    x, y = make_data(widths, 14)
    optimizer = GSGD(weights, 1e-3)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)

    def closure() -> float:
        optimizer.zero_grad()
        loss = loss_of(forward(weights, x, torch.relu), y)
        loss.backward()
        return float(loss.detach())

    first = optimizer.step(closure)
    schedule.step()
    second = optimizer.step(closure)
    assert second < first
    assert optimizer.param_groups[0]["lr"] == 5e-4


def test_crossing_carries_step_and_unit() -> None:
    """f = a w x with v = aw = 1 and label −1: v ← v − 1.5 (v + 1) ends at −2, refused at step 0, unit 0.

    With η = 0.1, v_n = −1 + 2·0.9ⁿ is first negative for n = 7, so that step 6 is the one refused.
    """
    x, y = torch.ones(1, 1, dtype=torch.float64), -torch.ones(1, 1, dtype=torch.float64)
    for eta, at in ((1.5, 0), (0.1, 6)):
        weights = [torch.ones(1, 1, dtype=torch.float64, requires_grad=True) for _ in range(2)]
        optimizer = GSGD(weights, eta)
        with pytest.raises(SkeletonCrossing, match="unit 0 of hidden layer 1") as caught:
            for _ in range(10):
                optimizer.zero_grad()
                loss_of(forward(weights, x, SLOPES["linear"][0]), y).backward()
                optimizer.step()
        assert (caught.value.step, caught.value.unit) == (at, (1, 0))
        expected = -1 + 2 * 0.9**6 if at else 1.0
        assert float((weights[0] * weights[1]).detach()) == pytest.approx(expected, rel=1e-12)


def test_losses_that_rescaling_changes_are_refused() -> None:
    """Weight decay in the loss, and an activation of another degree."""
    x, y = make_data((3, 4, 2), 16)
    weights = make_weights((3, 4, 2), 15)
    (loss_of(forward(weights, x, torch.relu), y) + sum(W.square().sum() for W in weights)).backward()
    with pytest.raises(ProblemError, match="no weight decay"):
        GSGD(weights, 1e-3).step()
    weights = make_weights((3, 4, 2), 15)
    loss_of(forward(weights, x, torch.square), y).backward()
    with pytest.raises(ProblemError, match="homogeneous of degree 1"):
        GSGD(weights, 1e-3).step()


def test_bad_parameters_are_refused() -> None:
    """One sentence that names what is wrong."""
    weights = make_weights((3, 4, 2), 17)
    biased = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    with pytest.raises(ProblemError, match="give it the module itself"):
        GSGD(biased.parameters(), 0.1)
    with pytest.raises(ProblemError, match="do not follow"):
        GSGD(weights[::-1], 0.1)
    with pytest.raises(ProblemError, match="two layers"):
        GSGD(weights[:1], 0.1)
    with pytest.raises(ProblemError, match="lr"):
        GSGD(weights, -1.0)
    with pytest.raises(ProblemError, match="free_layer"):
        GSGD(weights, 0.1, free_layer=3)
    with pytest.raises(ProblemError, match="strongest or diagonal"):
        GSGD(weights, 0.1, skeleton="weakest")
    with pytest.raises(ProblemError, match="widths"):
        GSGD(weights, 0.1, skeleton=Skeleton.diagonal((3, 3, 2)))
    with pytest.raises(ProblemError, match="backward"):
        GSGD(weights, 0.1).step()
    with pytest.raises(ProblemError, match="one parameter group"):
        GSGD(weights, 0.1).add_param_group({"params": make_weights((3, 4, 2), 18)})
    with torch.no_grad():
        weights[1].zero_()
    with pytest.raises(ProblemError, match="is zero"):
        GSGD(weights, 0.1)
