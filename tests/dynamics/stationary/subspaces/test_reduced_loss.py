"""L*(V) and its derivatives against least squares over the samples, in coordinates of the subspace."""

from __future__ import annotations

import numpy as np
import pytest

from dynamics.aliases import Array
from dynamics.stationary.subspaces.form import FormLoss
from dynamics.stationary.subspaces.reduced_loss import framed, moved, reduced_loss


def least_squares(X: Array, y: Array, Z: Array) -> float:
    """Least loss of y ≈ zᵀAz over symmetric A, z = Zᵀx: a regression on the products of coordinates."""
    z = X @ Z
    i, j = np.triu_indices(Z.shape[1])
    features = z[:, i] * z[:, j]
    residual = y - features @ np.linalg.lstsq(features, y, rcond=None)[0]
    return float(residual @ residual) / (2 * len(y))


@pytest.mark.parametrize(("d", "r"), [(3, 1), (4, 2), (5, 3)])
def test_against_regression(labelled, d: int, r: int) -> None:
    """Central differences of the regression, steps of 1e-4: errors of some 1e-8, and 1e-16/1e-8 of rounding."""
    problem = labelled(d, d)
    form, data = FormLoss.of(problem), problem.data
    rng = np.random.default_rng(0)
    frame = framed(rng.standard_normal((2, d, r)))
    found = reduced_loss(form, frame, r)
    m, h = (d - r) * r, 1e-4
    for n in range(2):

        def value(x: Array, n: int = n) -> float:
            U, N = frame[n][:, :r], frame[n][:, r:]
            return least_squares(data.X, data.Y[:, 0], U + N @ x.reshape(d - r, r))

        steps = h * np.eye(m)
        gradient = [(value(s) - value(-s)) / (2 * h) for s in steps]
        hessian = [
            [(value(s + t) - value(s - t) - value(t - s) + value(-s - t)) / (4 * h**2) for s in steps]
            for t in steps
        ]
        assert found.loss[n] == pytest.approx(value(np.zeros(m)), rel=1e-12)
        size = np.abs(found.hessian[n]).max()
        np.testing.assert_allclose(found.gradient[n], gradient, atol=1e-6 * size)
        np.testing.assert_allclose(found.hessian[n], hessian, atol=1e-5 * size)


def test_best_form_on_a_subspace(labelled) -> None:
    """UᵀGU = 0 at M = UAUᵀ."""
    form = FormLoss.of(labelled(4, 4))
    found = reduced_loss(form, framed(np.random.default_rng(1).standard_normal((1, 4, 2))), 2)
    U = found.frame[0][:, :2]
    np.testing.assert_allclose(found.M[0], U @ found.A[0] @ U.T, atol=1e-14)
    assert np.abs(U.T @ form.force(found.M[0]) @ U).max() < 1e-13 * np.abs(form.force(0 * found.M[0])).max()
    assert found.loss[0] == pytest.approx(form.loss(found.M[0]), rel=1e-13)


def test_moved_frames_span_the_chart() -> None:
    rng = np.random.default_rng(2)
    frame = framed(rng.standard_normal((1, 5, 2)))
    X = rng.standard_normal((1, 3, 2))
    new = moved(frame, X)[0]
    Z = frame[0][:, :2] + frame[0][:, 2:] @ X[0]
    np.testing.assert_allclose(new.T @ new, np.eye(5), atol=1e-14)
    np.testing.assert_allclose(new[:, 2:].T @ Z, 0, atol=1e-14)
