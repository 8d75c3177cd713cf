"""Whether a Hessian leads down: dense, by a Cholesky factor, and by Lanczos iterations."""

from functools import partial

import numpy as np
import pytest

from dynamics.flows import spectrum
from dynamics.flows.spectrum import descent

LOWEST = 1e-3


class Hessian:
    """Q diag(λ) Qᵀ with λ = −1e-3, many zeros and a few up to 70, as at the end of training; counts products."""

    def __init__(self, n):
        values = np.concatenate([[-LOWEST], np.zeros(n - 21), np.geomspace(1.0, 70.0, 20)])
        Q = np.linalg.qr(np.random.default_rng(0).standard_normal((n, n)))[0]
        self.H, self.down, self.products = (Q * values) @ Q.T, Q[:, 0], 0

    def dense(self):
        return self.H.copy()

    def product(self, v):
        self.products += 1
        return self.H @ v


@pytest.mark.parametrize(("unknowns", "largest_factor"), [(60, 6000), (320, 6000), (320, 310)])
def test_the_steepest_way_down_is_told_from_none(unknowns, largest_factor, monkeypatch):
    """By the eigenvalue that the matrix was made of, to 1e-2 of it and of the least that counts."""
    monkeypatch.setattr(spectrum, "LARGEST_FACTOR", largest_factor)
    hessian = Hessian(unknowns)
    kept = np.ones(unknowns, dtype=bool)
    rate = partial(descent, hessian.dense, hessian.product, kept)
    assert rate(0.5 * LOWEST) == pytest.approx(LOWEST, rel=0.02)
    before = hessian.products
    assert rate(2 * LOWEST) == 0
    if unknowns < largest_factor:
        assert hessian.products == before  # a factor, or all eigenvalues


@pytest.mark.parametrize(("unknowns", "largest_factor"), [(60, 6000), (320, 6000), (320, 310)])
def test_only_the_unknowns_that_are_meant_count(unknowns, largest_factor, monkeypatch):
    """Without the unknowns in which the one direction lies the part of the Hessian has the eigenvalue of `eigvalsh`."""
    monkeypatch.setattr(spectrum, "LARGEST_FACTOR", largest_factor)
    hessian = Hessian(unknowns)
    hessian.H = np.diag(np.linspace(0.0, 5.0, unknowns))
    hessian.H[:2, :2] = [[0.0, 1.0], [1.0, 0.0]]
    kept = np.ones(unknowns, dtype=bool)
    assert descent(hessian.dense, hessian.product, kept, 0.1) == pytest.approx(1.0, rel=0.02)
    kept[1], before = False, hessian.products
    assert descent(hessian.dense, hessian.product, kept, 0.1) == 0
    assert (hessian.products == before) == (unknowns < largest_factor)
