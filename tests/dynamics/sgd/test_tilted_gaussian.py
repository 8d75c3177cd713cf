"""Moments with up to four errors, against Isserlis' theorem and exact quadrature."""

import numpy as np
import pytest

from dynamics.sgd.gradient_moments import GradientMoments
from dynamics.sgd.tilted_gaussian import PairMoments, TiltedGaussian
from dynamics.symbolic.traces import form_moment

PAIRS = (np.array([0, 0, 1, 2]), np.array([0, 1, 2, 2]))


def test_two_errors_and_two_pairs_by_the_moment_engine(rng):
    """E[xᵀDx xᵀEx (u_i·x)(u_j·x)(u_k·x)(u_l·x)], order 8, by `form_moment` in four dimensions."""
    U, C = rng.standard_normal((3, 4)), rng.standard_normal((2, 3))
    tilted = TiltedGaussian.create(U @ U.T, C, 1.0, 0.0, order=2)
    product = PairMoments(tilted, *PAIRS).product((0, 1), False, False)
    polynomial = form_moment(["D", "E"], ["i", "j", "k", "l"])
    forms = {"D": (U.T * C[0]) @ U, "E": (U.T * C[1]) @ U}
    for p, (i, j) in enumerate(zip(*PAIRS, strict=True)):
        for q, (k, l) in enumerate(zip(*PAIRS, strict=True)):
            value = polynomial.evaluate(forms | {"i": U[i], "j": U[j], "k": U[k], "l": U[l]})
            assert product[p, q] == pytest.approx(value, rel=1e-11)


@pytest.mark.parametrize("kappa", [1.0, 0.0])
@pytest.mark.parametrize("outputs", [(0,), (0, 1), (1, 1), (0, 1, 1), (1, 1, 1), (0, 0, 1, 1), (0, 1, 1, 1)])
def test_any_number_of_errors_by_quadrature(rng, quadrature, kappa, outputs):
    """Gauss–Hermite quadrature over x in two dimensions and both label noises is exact at degree 12."""
    U, C, Delta, centred = rng.standard_normal((3, 2)), rng.standard_normal((2, 3)), 0.4, kappa == 0
    nodes, weights = quadrature(4, 12)
    Omega, zeta = U @ U.T, nodes[:, :2] @ U.T
    e = zeta**2 @ C.T - (1 - kappa) * C @ Omega.diagonal() + np.sqrt(Delta) * nodes[:, 2:]
    weights = weights * e[:, outputs].prod(axis=1)
    i, j = PAIRS
    products = zeta[:, i] * zeta[:, j]
    less_mean = products - (1 - kappa) * Omega[PAIRS]
    pairs = PairMoments(TiltedGaussian.create(Omega, C, kappa, Delta, order=4), *PAIRS)
    scale = np.abs(weights) @ products**2
    assert np.abs(pairs.mean(outputs, centred) - weights @ less_mean).max() < 1e-12 * scale.max()
    mixed = np.einsum("n,np,nq->pq", weights, less_mean, products)
    assert np.abs(pairs.product(outputs, centred, False) - mixed).max() < 1e-12 * scale.max()
    both = np.einsum("n,np,nq->pq", weights, less_mean, less_mean)
    assert np.abs(pairs.product(outputs, centred, centred) - both).max() < 1e-12 * scale.max()


def test_orders_one_and_two_are_those_of_the_drift(rng):
    U, C = rng.standard_normal((3, 4)), rng.standard_normal((2, 3))
    for kappa in (1.0, 0.0):
        moments = GradientMoments(U @ U.T, C, kappa, 4, 0.3)
        pairs = PairMoments(TiltedGaussian.create(U @ U.T, C, kappa, 0.3, order=2), *PAIRS)
        np.testing.assert_allclose(pairs.mean((1,), kappa == 0), moments.first[1][PAIRS], rtol=1e-12)
        np.testing.assert_allclose(pairs.mean((1, 0), False), moments.second[0, 1][PAIRS], rtol=1e-12)
