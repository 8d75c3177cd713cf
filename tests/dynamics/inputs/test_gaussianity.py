"""How far a fourth moment is from the Gaussian one: against generalised eigenvalues of moments that are written down.

The oracle forms the moments of all products x_a x_b, a ≤ b, of samples by summing, those of Gaussian inputs by
Isserlis' theorem, and lets LAPACK solve A c = (1 + ε) B c: no whitening, operator or closed form of C_G^{−½} is shared.
"""

import numpy as np
import pytest
from scipy.linalg import eigh

from dynamics.inputs import gaussianity as module
from dynamics.inputs.gaussianity import gaussianity, whitening
from dynamics.inputs.laws import parse_law
from dynamics.population.fourth_moment import IndependentMoment, SampleMoment, ScaledMoment


def samples(n=300, d=5, seed=0):
    """Skewed, correlated, of non-zero mean."""
    rng = np.random.default_rng(seed)
    return rng.gamma(2.0, size=(n, d)) @ rng.standard_normal((d, d)) + rng.standard_normal(d)


def eigenvalues(X, centred):
    """1 + ε, all of them."""
    i, j = np.triu_indices(X.shape[1])
    S = X.T @ X / len(X)
    products = X[:, i] * X[:, j]
    A = products.T @ products / len(X)
    means = np.outer(S[i, j], S[i, j])
    B = means + S[np.ix_(i, i)] * S[np.ix_(j, j)] + S[np.ix_(i, j)] * S[np.ix_(j, i)]
    return eigh(A - means, B - means)[0] if centred else eigh(A, B)[0]


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("dense", [True, False])
def test_against_generalised_eigenvalues(centred, dense, monkeypatch):
    """γ is their mean, the spectrum begins and ends where they do; both by LAPACK and by Lanczos' method."""
    monkeypatch.setattr(module, "DENSE", 300 if dense else 0)
    monkeypatch.setattr(module, "LANCZOS", 10)  # of 15
    X = samples()
    found = gaussianity(SampleMoment(X), X.T @ X / len(X), centred=centred)
    expected = eigenvalues(X, centred)
    assert (found.dimension, found.products) == (5, 15)
    assert found.gamma == pytest.approx(expected.mean(), rel=1e-11)
    tolerance = 1e-11 if dense else 2 * module.DIGITS * expected[-1]
    assert found.lowest == pytest.approx(expected[0] - 1, abs=tolerance)
    assert found.highest == pytest.approx(expected[-1] - 1, abs=tolerance)
    assert found.bound == max(-found.lowest, found.highest)


@pytest.mark.parametrize("centred", [False, True])
def test_inputs_in_a_subspace_are_those_of_the_subspace(centred):
    X = samples(d=3)
    Q = np.linalg.qr(np.random.default_rng(1).standard_normal((6, 3)))[0]
    inside, outside = (gaussianity(SampleMoment(Z), Z.T @ Z / len(Z), centred=centred) for Z in (X, X @ Q.T))
    assert outside.dimension == 3
    for name in ("gamma", "lowest", "highest"):
        assert getattr(outside, name) == pytest.approx(getattr(inside, name), rel=1e-10)


def test_whitened_inputs_have_second_moment_one():
    X = samples(d=3) @ np.random.default_rng(1).standard_normal((3, 5))
    Z = X @ whitening(X.T @ X / len(X)).T
    np.testing.assert_allclose(Z.T @ Z / len(Z), np.eye(3), atol=1e-11)


@pytest.mark.parametrize("kurtosis", [-2.0, -1.2, 3.0])
@pytest.mark.parametrize("dense", [True, False])
def test_independent_coordinates(kurtosis, dense, monkeypatch):
    """C − C_G = κ diag: 0 on forms without diagonal, κ/2 on diagonal ones without trace, κ/(d + 2) on the identity.

    E‖z‖⁴ = d(d + 2) + κd. Derived here by hand.
    """
    monkeypatch.setattr(module, "DENSE", 300 if dense else 0)
    monkeypatch.setattr(module, "LANCZOS", 20)
    d = 7
    plain = gaussianity(IndependentMoment(d, kurtosis), None)
    centred = gaussianity(IndependentMoment(d, kurtosis), None, centred=True)
    assert plain.gamma == pytest.approx(1 + kurtosis / (d + 2), rel=1e-14)
    assert centred.gamma == pytest.approx(1 + kurtosis / (d + 1), rel=1e-14)
    for found in (plain, centred):
        assert found.lowest == pytest.approx(min(kurtosis / 2, 0), abs=1e-6 * abs(kurtosis))
        assert found.highest == pytest.approx(max(kurtosis / 2, 0), abs=1e-6 * abs(kurtosis))
        assert found.bound == pytest.approx(abs(kurtosis) / 2, rel=1e-5)


@pytest.mark.parametrize("name", ["sphere", "student-t:7", "gaussian"])
@pytest.mark.parametrize("dense", [True, False])
def test_rotation_invariant_laws_are_another_clock(name, dense, monkeypatch):
    """C = γC_G: all of the spectrum is γ − 1, under any covariance. Lanczos' method has one eigenvalue to find."""
    monkeypatch.setattr(module, "DENSE", 300 if dense else 0)
    monkeypatch.setattr(module, "LANCZOS", 8)
    S = np.array([[2.0, 0.5, 0.1], [0.5, 1.0, 0.0], [0.1, 0.0, 0.3]])
    S = np.block([[S, np.zeros((3, 1))], [np.zeros((1, 3)), 0.7]])
    law = parse_law(name).bound(4)
    found = gaussianity(law.fourth_moment(S, 4), S)
    clock = {"sphere": 4 / 6, "student-t:7": 5 / 3, "gaussian": 1.0}[name]
    assert (found.gamma, 1 + found.lowest, 1 + found.highest) == pytest.approx((clock,) * 3, rel=1e-6)
    assert found.gamma == pytest.approx(clock, rel=1e-12)


def test_centred_units_under_another_clock():
    """γ(2D + τI) − τI: γ − 1 on forms without trace, (γ − 1)(d + 2)/2 on the identity. Derived here by hand."""
    d, clock = 4, 1.5
    found = gaussianity(ScaledMoment(IndependentMoment(d), clock), None, centred=True)
    assert (found.lowest, found.highest) == pytest.approx((clock - 1, (clock - 1) * (d + 2) / 2), rel=1e-12)
    assert found.gamma == pytest.approx((clock * (d + 2) - 1) / (d + 1), rel=1e-12)


def test_losses_of_random_forms_are_within_the_bound():
    """½⟨D, C[D]⟩ = ½E(xᵀDx)² between 1 + lowest and 1 + highest times 2|ΣD|² + tr(ΣD)², halved."""
    X, rng = samples(), np.random.default_rng(2)
    S = X.T @ X / len(X)
    found = gaussianity(SampleMoment(X), S)
    for _ in range(100):
        D = rng.standard_normal((5, 5)) * rng.choice([0.0, 1.0], (5, 1))
        D = D + D.T
        exact = np.mean(np.einsum("ni,ij,nj->n", X, D, X) ** 2)
        gaussian = 2 * np.trace(S @ D @ S @ D) + np.trace(S @ D) ** 2
        assert (1 + found.lowest) * gaussian <= exact * (1 + 1e-9)
        assert exact <= (1 + found.highest) * gaussian * (1 + 1e-9)
        assert abs(exact - gaussian) <= found.bound * gaussian * (1 + 1e-9)
