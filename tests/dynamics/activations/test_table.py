"""Conformance of the activation table: derivatives of every loss against automatic differentiation of a quadrature.

The quadrature knows φ alone, as PyTorch trains it. For smooth φ it is the trapezoidal rule over the plane of inputs, on
axes along and across the weights, with steps in proportion to the width of the strip in which φ is analytic: its error
is below 1e-13 (halving the steps changes nothing). For φ with kinks it is a product of Gauss–Legendre rules in polar
coordinates, between the angles where a pre-activation changes sign; where φ′ jumps PyTorch differentiates these angles
too, so that the Dirac masses of second derivatives are in its Hessians.
"""

import itertools

import numpy as np
import pytest
import torch

from dynamics import Problem, Student, Teacher
from dynamics.activations import ACTIVATIONS, Activation

SMOOTH = {  # step times length, for 1e-13 and two derivatives
    "quadratic": 0.5,
    "centred": 0.5,
    "linear": 0.5,
    "polynomial:0.3,-1,0.7,0.2": 0.5,
    "hermite:3": 0.5,
    "erf": 0.48,
    "gelu": 0.48,
    "tanh": 0.24,
    "sigmoid": 0.48,
    "softplus": 0.48,
    "silu": 0.48,
}
KINKED = {  # whether φ′ jumps
    "relu": True,
    "abs": True,
    "relu2": False,
    "leaky-relu:0.1": True,
    "elu": False,
}
# lengths of two hidden units, their correlation, length of the teacher's direction and its angle to the first
GRID = [
    (1e-3, 1e-3, 0.5, 1e-3, 0.4),
    (1e-3, 1.0, -0.9, 1.0, 2.0),
    (0.1, 0.3, -1.0, 0.2, 1.2),
    (1.0, 1.0, 0.999, 1.0, 0.7),
    (1.0, 3.0, 0.0, 2.0, -0.5),
    (3.0, 0.1, 1.0, 0.5, 0.9),
    (10.0, 10.0, 1.0, 1.0, 0.2),
    (10.0, 1e-3, -0.3, 10.0, np.pi),
]
DENSE = [(s, t, r, 1.0, 0.6) for s in (1e-3, 0.1, 1.0, 10.0) for t in (1e-3, 1.0, 10.0)
         for r in (-1.0, -0.999, 0.3, 0.99, 1.0)]  # fmt: skip


def test_every_activation_is_in_the_table():
    assert set(ACTIVATIONS) <= {*SMOOTH, *KINKED}


def problem_of(name, s, t, r, length, angle):
    tilt = np.arccos(r)
    W = np.array([[s, 0.0], [t * r, t * np.sqrt(1 - r * r) if abs(r) < 1 else 0.0]])
    V = length * np.array([[np.cos(angle), np.sin(angle)]])
    turn = np.array([[np.cos(0.3), np.sin(0.3)], [-np.sin(0.3), np.cos(0.3)]])
    assert np.isclose(np.cos(tilt), r)
    return Problem(Teacher(V @ turn, [[0.8]]), Student(W @ turn, [[1.1, -0.6]]), name)


def trapezoid(U, step):
    """Points (n, 2) and weights for functions of U x that are analytic in a strip; two axes, along and across."""
    axes = np.linalg.svd(U)[2]
    rules = []
    for axis in axes:
        h = min(0.5, step / max(np.abs(U @ axis).max(), 1e-9))
        x = h * np.arange(-np.ceil(8.8 / h), np.ceil(8.8 / h) + 1)
        rules.append((x, np.exp(-(x**2) / 2) * h / np.sqrt(2 * np.pi)))
    (x, w), (y, v) = rules
    points = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2) @ axes
    weights = np.outer(w, v).ravel()
    kept = weights > 1e-19
    return torch.tensor(points[kept]), torch.tensor(weights[kept])


def polar(U, nodes=70):
    """Points and weights between the angles where a row of U x changes sign, as functions of U."""
    u, w = (torch.tensor(x) for x in np.polynomial.legendre.leggauss(nodes))
    radii = torch.cat([0.25 + 0.25 * u, 2 + 1.5 * u, 6.5 + 3 * u])
    thickness = torch.cat([0.25 * w, 1.5 * w, 3 * w]) * radii * torch.exp(-(radii**2) / 2)
    across = torch.atan2(U[:, 0], -U[:, 1])
    breaks = torch.sort(torch.cat([across, across + torch.pi]) % (2 * torch.pi)).values
    ends = torch.cat([breaks, breaks[:1] + 2 * torch.pi])
    half = (ends[1:] - ends[:-1]) / 2
    theta = ((ends[1:] + ends[:-1]) / 2)[:, None] + half[:, None] * u
    weights = (half[:, None] * w)[..., None] * thickness / (2 * torch.pi)
    points = torch.stack([torch.cos(theta)[..., None] * radii, torch.sin(theta)[..., None] * radii], -1)
    return points.reshape(-1, 2), weights.reshape(-1)


def by_quadrature(problem, step):
    """½ E(f* − f)² as a function of θ = (W, A); a step of None is the rule of polar coordinates."""
    V, B = torch.tensor(problem.teacher.V), torch.tensor(problem.teacher.B)
    phi, K, d = problem.activation.phi, *problem.student.W.shape
    U = np.vstack([problem.student.W, problem.teacher.V])
    if step is not None:
        fixed = trapezoid(U, step)
    else:  # a jump of φ″ alone adds nothing where the angles move, but rounding
        fixed = None if KINKED[problem.activation.name] else polar(torch.tensor(U))

    def loss(theta):
        W, A = theta[: K * d].reshape(K, d), theta[K * d :].reshape(1, K)
        x, weights = polar(torch.cat([W, V])) if fixed is None else fixed
        residual = phi(x @ W.T, (W**2).sum(1)) @ A.T - phi(x @ V.T, (V**2).sum(1)) @ B.T
        return 0.5 * (weights @ residual**2).sum()

    return loss


def check(problem, step, tolerance):
    """Gradient, Hessian and its products, each block relative to its largest entry."""
    W, A = problem.student.W, problem.student.A
    loss, population = by_quadrature(problem, step), problem.population
    theta = torch.tensor(np.concatenate([W.ravel(), A.ravel()]), requires_grad=True)
    gradient = torch.autograd.grad(loss(theta), theta)[0].numpy()
    H = torch.autograd.functional.hessian(loss, theta.detach()).numpy()
    ours, hessian = -np.concatenate([g.ravel() for g in population.velocity(W, A)]), population.hessian(W, A)
    v = np.array([0.5, -0.2, 0.3, 0.7, -0.4, 0.6])
    product = np.concatenate(
        [h.ravel() for h in population.hessian_vector(W, A, v[:4].reshape(2, 2), v[None, 4:])]
    )
    errors = [np.abs(product - hessian @ v).max() / np.abs(hessian @ v).max()]
    weights, outer = slice(0, 4), slice(4, 6)
    for b in (weights, outer):
        errors.append(np.abs(ours - gradient)[b].max() / np.abs(gradient[b]).max())
    for b in ((weights, weights), (weights, outer), (outer, outer)):
        errors.append(np.abs(hessian - H)[b].max() / np.abs(H[b]).max())
    assert max(errors) < tolerance, np.array(errors)


@pytest.mark.parametrize("point", GRID, ids=str)
@pytest.mark.parametrize("name", SMOOTH)
def test_derivatives_of_smooth_activations(name, point):
    """Lengths from 1e-3 to 10, correlations from −1 to 1."""
    check(problem_of(name, *point), SMOOTH[name], 1e-10)


APART = [p for p in GRID if abs(p[2]) < 1 and p[4] != np.pi]


@pytest.mark.parametrize(
    ("name", "point"),
    [*itertools.product(KINKED, APART), *(("elu", p) for p in GRID if p not in APART)],
    ids=str,
)
def test_derivatives_of_kinked_activations(name, point):
    """Correlations to ±0.999: second derivatives of a kink are singular where vectors are parallel, but not ELU's."""
    check(problem_of(name, *point), None, 1e-10)


CALLABLES = {  # step times length, or None for a jump of φ″
    "softsign": (None, lambda z: z / (1 + abs(z)), None),
    "mish": (0.24, lambda z: z * np.tanh(np.logaddexp(0, z)), torch.nn.functional.mish),
    "GELU by tanh": (
        0.12,
        lambda z: 0.5 * z * (1 + np.tanh(0.8 * (z + 0.04 * z**3))),
        lambda z: 0.5 * z * (1 + torch.tanh(0.8 * (z + 0.04 * z**3))),
    ),
}


@pytest.mark.parametrize("point", [(1e-2, 1e-2, 0.5, 1e-2, 0.4), *GRID[2:5]], ids=str)
@pytest.mark.parametrize("name", CALLABLES)
def test_derivatives_of_fitted_callables(name, point, monkeypatch):
    """Functions that are fitted by smoothed kinks, for lengths from 1e-2."""
    step, phi, twin = CALLABLES[name]
    monkeypatch.setitem(KINKED, name, False)
    check(problem_of(Activation.from_callable(phi, name, torch=twin), *point), step, 1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*SMOOTH, *KINKED])
def test_derivatives_on_a_dense_grid(name):
    step = SMOOTH.get(name)
    for point in DENSE:
        alike = (
            1e-4 < point[0] / point[1] < 1e4
        )  # else the angles' rounding is all that PyTorch sees of a kink
        if step is not None or (alike and (name == "elu" or abs(point[2]) < 1)):
            check(problem_of(name, *point), step, 1e-10)


@pytest.mark.parametrize("name", [*SMOOTH, *KINKED])
def test_loss_and_gradient_of_samples(name):
    """200 000 inputs in 100 batches: the mean of their losses and gradients, within five of its standard errors."""
    problem = problem_of(name, 1.0, 0.7, -0.4, 1.2, 0.8)
    X = np.random.default_rng(7).standard_normal((100, 2000, 2))
    W, A = (torch.tensor(x, requires_grad=True) for x in (problem.student.W, problem.student.A))
    V, B = torch.tensor(problem.teacher.V), torch.tensor(problem.teacher.B)
    phi, rows = problem.activation.phi, []
    for x in torch.tensor(X):
        residual = phi(x @ W.T, (W**2).sum(1)) @ A.T - phi(x @ V.T, (V**2).sum(1)) @ B.T
        loss = 0.5 * (residual**2).mean()
        rows.append(
            torch.cat([loss[None], *(g.ravel() for g in torch.autograd.grad(loss, (W, A)))]).detach().numpy()
        )
    mean, error = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1) / 10
    population, (W, A) = problem.population, (problem.student.W, problem.student.A)
    ours = [[population.loss(W, A)], *(-g.ravel() for g in population.velocity(W, A))]
    assert np.abs((np.concatenate(ours) - mean) / error).max() < 5
