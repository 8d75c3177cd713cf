"""The whitened spectrum, its grouping and its eigenvectors."""

import numpy as np
import pytest
import scipy.linalg

from dynamics import Teacher
from dynamics.stationary.spectrum import Spectrum


def random_covariance(rng, d):
    F = rng.standard_normal((d, d))
    return F @ F.T / d + 0.3 * np.eye(d)


def test_zeros_sort_between_positive_and_negative_eigenvalues():
    spectrum = Spectrum.of(Teacher.from_eigenvalues([-1, 3, 0, 3], inputs=6))
    np.testing.assert_allclose(spectrum.values, [3, 0, -1])
    assert spectrum.multiplicities.tolist() == [2, 3, 1]
    assert spectrum.starts.tolist() == [0, 2, 5]
    assert spectrum.zeros == {2, 3, 4}
    assert spectrum.modes((1, 2, 1)) == (0, 2, 3, 5)
    assert spectrum.counts((0, 2, 3, 5)) == (1, 2, 1)
    assert spectrum.counts(()) == (0, 0, 0)


def test_eigenvalues_that_differ_by_rounding_are_one():
    """A rotation leaves errors of some 1e-16 on repeated eigenvalues; 1e-6 is a real difference."""
    Q = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0]
    spectrum = Spectrum.of(Teacher.from_matrix((Q * [2, 2, 2, 1, 1 + 1e-6]) @ Q.T))
    assert spectrum.multiplicities.tolist() == [3, 1, 1]


def test_whitened_spectrum_is_that_of_the_symmetric_square_root():
    """The module uses Cholesky factors; `scipy.linalg.sqrtm` is an independent way to Σ^{1/2} M* Σ^{1/2}."""
    rng = np.random.default_rng(1)
    Sigma, M = random_covariance(rng, 4), np.diag([2.0, 1.0, 0.0, -1.0])
    root = scipy.linalg.sqrtm(Sigma)
    expected = np.linalg.eigvalsh(root @ M @ root)[::-1]
    spectrum = Spectrum.of(Teacher.from_matrix(M), Sigma)
    assert spectrum.values == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize("correlated", [False, True])
def test_eigenvectors_solve_the_eigenproblem(correlated):
    rng = np.random.default_rng(2)
    V, b = rng.standard_normal((3, 7)), np.array([1.0, -2.0, 0.5])
    Sigma = random_covariance(rng, 7) if correlated else None
    teacher = Teacher(V, b)
    spectrum = Spectrum.of(teacher, Sigma)
    F = np.eye(7) if Sigma is None else np.linalg.cholesky(Sigma)
    modes = (0, 1, 2, 3, 5, 6)  # some of the four zeros among them
    E = spectrum.eigenvectors(modes)
    lam = np.repeat(spectrum.values, spectrum.multiplicities)[list(modes)]
    np.testing.assert_allclose(E @ E.T, np.eye(6), atol=1e-13)
    np.testing.assert_allclose(E @ (F.T @ teacher.matrix() @ F), lam[:, None] * E, atol=1e-12)


def test_a_huge_kernel_costs_nothing():
    """d = 300,000: a d × d matrix would need 720 GB."""
    spectrum = Spectrum.of(Teacher.from_eigenvalues([2, -1], inputs=300_000))
    E = spectrum.eigenvectors((0, 1, 2, 299_999))
    assert spectrum.multiplicities.tolist() == [1, 299_998, 1]
    np.testing.assert_allclose(E @ E.T, np.eye(4), atol=1e-14)


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_tolerances_are_in_units_of_the_teacher(unit):
    """The largest |λ| is the scale, and what counts as zero a fixed part of it; of a zero teacher the scale is 1."""
    spectrum = Spectrum.of(Teacher.from_eigenvalues(unit * np.array([1.0, -3.0])))
    assert spectrum.scale == pytest.approx(3 * unit)
    assert spectrum.tolerance == pytest.approx(1e-11 * 3 * unit)
    assert Spectrum.of(Teacher.from_eigenvalues([0.0], 2)).scale == 1


def test_how_equal_eigenvalues_are_does_not_depend_on_the_weakest():
    """1e-12 of the largest is rounding, also where that is 1e-6 of the weakest; 1e-10 of it is a difference."""
    close = Spectrum.of(Teacher.from_eigenvalues([1, 1 - 1e-12, 1e-6], 3))
    assert close.multiplicities.tolist() == [2, 1]
    assert Spectrum.of(Teacher.from_eigenvalues([1, 1 - 1e-10, 1e-6], 3)).multiplicities.tolist() == [1, 1, 1]
