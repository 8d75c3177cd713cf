"""Pair kernels of every smooth activation of the table, for all lengths and angles, against PyTorch.

K_ij = E φ⁽ⁱ⁾(z_1) φ⁽ʲ⁾(z_2) with the derivatives of φ by automatic differentiation and expectations by the trapezoidal
rule in the directions (û ± v̂), which is exact to rounding where h < 2π δ/(33 |w|), φ being analytic in |Im z| < δ.
"""

import numpy as np
import pytest
import torch

from dynamics.activations import ACTIVATIONS, Activation
from dynamics.activations.pairing import kernel_of
from dynamics.activations.smooth import MIXTURES, finer
from dynamics.population.gram_pairs import GramPairs, orders

SMOOTH = ["erf", "gelu", *MIXTURES, "quadratic", "linear", "polynomial:0.3,-1,0.7,0.2", "hermite:4"]
BY = ("", "s", "1", "2", "ss", "1s", "s2", "11", "12")
CASES = [
    (s, t, r)
    for s, t in ((1e-3, 1e-3), (1e-3, 1.0), (0.3, 3.0), (1.0, 1.0))
    for r in (-1.0, -0.999, -0.3, 0.0, 0.5, 0.99, 1.0)
] + [(10.0, 10.0, r) for r in (-1.0, -0.9, 0.999, 1.0)] + [(10.0, 1e-3, 0.5), (1e-3, 10.0, -1.0)]  # fmt: skip


def derivatives(phi, z, highest=4):
    """φ, φ′, …, (highest + 1, points)."""
    z = torch.tensor(z, requires_grad=True)
    values = [phi.phi(z, None)]
    for _ in range(highest):
        (slope,) = torch.autograd.grad(values[-1].sum(), z, create_graph=True, allow_unused=True)
        values.append(torch.zeros_like(z, requires_grad=True) * z if slope is None else slope + 0 * z)
    return np.array([value.detach().numpy() for value in values])


def rule(size):
    """Nodes and weights for a Gaussian variable that is multiplied by a size; one node for the size 0."""
    if size == 0:
        return np.zeros(1), np.ones(1)
    step = min(0.12, 0.2 / size)
    p = np.arange(-9, 9 + step, step)
    return p, step / np.sqrt(2 * np.pi) * np.exp(-(p**2) / 2)


def by_quadrature(phi, s, t, r):
    """K_ij, (5, 5), and the sizes (E φ⁽ⁱ⁾²)^{1/2} of both sides."""
    plus, minus = np.sqrt((1 + r) / 2), np.sqrt((1 - r) / 2)
    (p, w), (q, v) = (rule(max(s, t) * size) for size in (plus, minus))
    z1, z2 = ((x * (plus * p[:, None] + sign * minus * q)).ravel() for x, sign in ((s, 1), (t, -1)))
    weights = np.outer(w, v).ravel()
    left, right = derivatives(phi, z1), derivatives(phi, z2)
    sizes = [np.sqrt((values**2) @ weights) for values in (left, right)]
    return (left * weights) @ right.T, np.outer(*sizes)


@pytest.mark.parametrize("name", SMOOTH)
def test_kernels_for_all_lengths_and_angles(name):
    """To 1e-10 of what the Cauchy–Schwarz inequality allows; mixtures of 24 nodes."""
    phi = finer(name, 24) if name in MIXTURES else Activation.parse(name)
    for s, t, r in CASES:
        exact, sizes = by_quadrature(phi, s, t, r)
        v = t * np.array([[r, np.sqrt(1 - r * r)]])
        ours = kernel_of(phi, phi)(GramPairs(np.array([[s, 0.0]]), v), *BY)
        for by, value in zip(BY, ours, strict=True):
            i, j, c = orders(by)
            assert abs(value.item() / c - exact[i, j]) <= 1e-10 * sizes[i, j], (s, t, r, by)


def test_the_default_nodes_are_good_to_twice_their_error():
    """20 nodes against 32, at the lengths where tanh is furthest from a line."""
    for name in MIXTURES:
        pairs = GramPairs(np.array([[1.5, 0.0], [8.0, 1.0]]), np.array([[0.4, 0.9], [-3.0, 7.0]]))
        coarse, fine = (
            kernel_of(phi, phi)(pairs, "", "s", "1") for phi in (Activation.parse(name), finer(name, 32))
        )
        size = 1 + np.sqrt(pairs.q1 * pairs.q2)
        for a, b in zip(coarse, fine, strict=True):
            assert np.all(np.abs(a - b) <= 5e-12 * size)


def test_every_smooth_activation_of_the_table_is_here():
    kinked = {phi.name for phi in ACTIVATIONS.values() if phi.name in ("relu", "abs", "relu2", "elu")}
    assert set(ACTIVATIONS) - kinked - {"centred"} <= set(SMOOTH)


@pytest.mark.parametrize("name", ["tanh", "gelu", "relu", "elu"])
def test_the_loss_is_that_of_sampled_inputs(name):
    """Monte Carlo: 4 standard errors of the mean of 200,000 samples."""
    rng = np.random.default_rng(11)
    phi = Activation.parse(name)
    W, A, V, B = (rng.standard_normal(shape) for shape in ((3, 4), (1, 3), (2, 4), (1, 2)))
    X = rng.standard_normal((200_000, 4))
    squares = 0.5 * (phi.phi(X @ W.T, None) @ A[0] - phi.phi(X @ V.T, None) @ B[0]) ** 2
    error = squares.std() / np.sqrt(len(X))
    assert phi.loss(V, B).loss(W, A) == pytest.approx(squares.mean(), abs=4 * error)
