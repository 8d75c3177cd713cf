"""Linear systems of implicit steps, by products alone."""

import numpy as np
import pytest

from dynamics.integration.conjugate_gradients import ShiftedSystem


def matrix(values, seed=0):
    Q = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(values), len(values))))[0]
    return (Q * values) @ Q.T


@pytest.mark.parametrize("c", [0.01, 1.0, 100.0])
def test_the_solution_is_that_of_the_dense_matrix(c):
    """Against LAPACK; what is left is as small as was asked for, in the units that were asked for."""
    H, rng = matrix(np.linspace(0, 3, 40)), np.random.default_rng(1)
    b, weights = rng.standard_normal(40), 10.0 ** rng.uniform(-2, 2, 40)
    x = ShiftedSystem(40).solve(lambda v: H @ v, c, b, weights, 1e-9, 200)
    left = b - x - c * H @ x
    assert np.sqrt(np.mean((weights * left) ** 2)) <= 1.1e-9
    np.testing.assert_allclose(x, np.linalg.solve(np.eye(40) + c * H, b), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("values", "most"), [([0.0] * 30, 1), ([0.0] * 15 + [7.0] * 15, 2), ([0, 1e3, 2e3] * 10, 3)]
)
def test_eigenvalues_that_coincide_are_one(values, most):
    """As many products as different eigenvalues are enough, however many unknowns there are."""
    H, calls = matrix(np.array(values, float)), []

    def product(v):
        calls.append(1)
        return H @ v

    b = np.random.default_rng(1).standard_normal(30)
    system = ShiftedSystem(30)
    x = system.solve(product, 1.0, b, np.ones(30), 1e-8, 100)
    np.testing.assert_allclose(x + H @ x, b, atol=1e-7)
    assert len(calls) == most
    assert system.stiffness <= max(values) * (1 + 1e-12)
    assert system.stiffness >= 0.3 * max(values)


def test_no_solution_is_given_where_none_is_sure():
    """An eigenvalue below −1/c, too few products, and what is no number."""
    H, b, ones = matrix(np.linspace(-1, 3, 40)), np.ones(40), np.ones(40)
    system = ShiftedSystem(40)
    assert system.solve(lambda v: H @ v, 0.9, b, ones, 1e-6, 100) is not None
    assert system.solve(lambda v: H @ v, 1.5, b, ones, 1e-6, 100) is None
    assert system.solve(lambda v: H @ v, 0.9, b, ones, 1e-6, 2) is None
    assert system.solve(lambda v: np.nan * v, 0.9, b, ones, 1e-6, 100) is None
    assert system.solve(lambda v: H @ v, 0.9, np.nan * b, ones, 1e-6, 100) is None
    np.testing.assert_array_equal(system.solve(lambda v: H @ v, 0.9, 0 * b, ones, 1e-6, 100), 0)
