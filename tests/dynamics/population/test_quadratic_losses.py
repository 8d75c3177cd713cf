"""Losses at many weights: as good through products as entry by entry, in memory that stays bounded."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamics.population import quadratic_losses
from dynamics.population.quadratic import QuadraticPopulation
from dynamics.population.scaled import ScaledPopulation


def exactly(loss, W, A):
    """The definition Σ_o [tr(D_oΣD_oΣ) + ½κ tr(D_oΣ)²] in extended precision, 64 bits of mantissa for 53."""
    long = [np.asarray(x, dtype=np.longdouble) for x in (loss.V, loss.B, W, A)]
    V, B, W, A = long
    S = np.eye(W.shape[1]) if loss.covariance is None else loss.covariance
    S = S.astype(np.longdouble)
    total = np.longdouble(0)
    for b, a in zip(B, A, strict=True):
        D = ((V.T * b) @ V - (W.T * a) @ W) @ S
        total += np.sum(D * D.T) + loss.trace_coupling * np.trace(D) ** 2 / 2
    return float(total)


def many(rng, T, K, d, R, O, axes=False, covariance=False, coupling=1.0):
    """A loss, and weights that come from far to near: the last of them at a distance of 1e-6 from the teacher."""
    V = np.eye(R, d) if axes else rng.standard_normal((R, d)) / np.sqrt(d)
    F = rng.standard_normal((d, d)) / np.sqrt(d)
    Sigma = F @ F.T + np.eye(d) if covariance else None
    loss = QuadraticPopulation(V, rng.standard_normal((O, R)), Sigma, coupling)
    W0, A0 = np.zeros((K, d)), np.zeros((O, K))
    n = min(K, R)
    W0[:n], A0[:, :n] = V[:n], loss.B[:, :n]
    steps = np.logspace(0, -6, T)[:, None, None]
    return (
        loss,
        W0 + steps * rng.standard_normal((K, d)) / np.sqrt(d),
        A0 + steps * rng.standard_normal((O, K)),
    )


SIZES = st.integers(1, 5)


@given(
    SIZES,
    st.integers(1, 12),
    SIZES,
    st.integers(1, 3),
    st.booleans(),
    st.booleans(),
    st.sampled_from((0.0, 1.0)),
    st.integers(0, 2**32 - 1),
)
def test_losses_are_the_definition(K, d, R, O, axes, covariance, coupling, seed):
    """Entries of D err by some ε of M* and M, hence L by some ε √L times their size; products by 1e-12 of L."""
    loss, W, A = many(np.random.default_rng(seed), 5, K, d, R, O, axes, covariance, coupling)
    exact = np.array([exactly(loss, w, a) for w, a in zip(W, A, strict=True)])
    size = 1 if loss.covariance is None else np.linalg.norm(loss.covariance, 2)
    size *= (np.sum(np.abs(loss.B) @ loss.V**2) + np.sum(np.abs(A) @ W**2)) * (1 + coupling)
    allowed = 1e-12 * exact + 20 * np.finfo(float).eps * np.sqrt(exact) * size
    assert (np.abs(loss.losses(W, A) - exact) <= allowed).all()
    singly = [loss.loss(w, a) for w, a in zip(W, A, strict=True)]
    assert (np.abs(singly - exact) <= allowed).all()


@pytest.mark.parametrize(("O", "covariance"), [(1, False), (1, True), (4, False), (4, True)])
def test_products_know_when_they_are_as_good_as_entries(rng, O, covariance):
    """Many inputs, few units: far from the teacher they are, to 1e-12, and near it they say that they are not."""
    loss, W, A = many(rng, 9, 6, 40, 6, O, covariance=covariance)
    exact = np.array([exactly(loss, w, a) for w, a in zip(W, A, strict=True)])
    found, good = quadratic_losses.losses_by_products(loss._side, loss._squares, W, A)
    assert good[0]
    assert not good[-1]
    np.testing.assert_allclose(found[good], exact[good], rtol=1e-12)
    assert abs(found[-1] / exact[-1] - 1) > 1e-9
    np.testing.assert_allclose(
        loss.losses(W, A), exact, rtol=1e-9
    )  # entries are good to 1e-16 of the weights


def test_far_from_the_teacher_no_matrix_is_written_down(rng, monkeypatch):
    """500 modes, 20 units: where products are good enough nobody asks for a d × d matrix."""
    loss, W, A = many(rng, 3, 20, 520, 500, 1, axes=True)
    expected = loss._losses_by_entries(W, A)
    monkeypatch.setattr(quadratic_losses, "losses_by_entries", None)
    monkeypatch.setattr(QuadraticPopulation, "_losses_by_entries", None)
    np.testing.assert_allclose(loss.losses(W, A), expected, rtol=1e-12)


@pytest.mark.parametrize("O", [1, 3])
def test_batches_change_nothing(rng, monkeypatch, O):
    loss, W, A = many(rng, 30, 3, 40, 5, O)
    whole = loss.losses(W, A)
    monkeypatch.setattr(quadratic_losses, "AT_ONCE", 7 * 40)
    np.testing.assert_allclose(loss.losses(W, A), whole, rtol=1e-13)


def test_memory_does_not_grow_with_the_number_of_samples(rng):
    """Twenty times the samples take the same, but for a few numbers for each."""
    loss, W, A = many(rng, 20, 20, 300, 280, 1, axes=True)
    peaks = []
    for times in (20, 400):
        w, a = (np.broadcast_to(x[:1], (times, *x.shape[1:])) for x in (W, A))
        loss.losses(w, a)
        tracemalloc.start()
        loss.losses(w, a)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 8 * 4 * quadratic_losses.AT_ONCE
    assert peaks[1] < 5 * peaks[0]


def test_weights_that_left_the_numbers_have_no_finite_loss(rng):
    loss, W, A = many(rng, 2, 3, 40, 5, 1)
    W[0] *= 1e200
    with np.errstate(all="ignore"):
        found = loss.losses(W, A)
    assert not np.isfinite(found[0])
    assert np.isfinite(found[1])


def test_a_negative_coupling_makes_no_negative_loss():
    """κ = −2/d takes everything off D = I, whose loss d(1 + κd/2) is 0: as of the sphere, where xᵀx is constant."""
    raw = []
    for b in np.linspace(0.1, 2, 20):
        loss = QuadraticPopulation(np.eye(7), np.full((1, 7), b), None, -2 / 7)
        W, A = np.zeros((1, 1, 7)), np.zeros((1, 1, 1))
        raw += loss._losses_by_entries(W, A).tolist()
        assert 0 <= loss.losses(W, A)[0] < 1e-14 * b**2
    assert min(raw) < 0  # by rounding


def test_of_a_loss_times_a_number_they_are_that_much_larger(rng):
    loss, W, A = many(rng, 4, 2, 3, 2, 2)
    np.testing.assert_array_equal(ScaledPopulation(loss, 3.0).losses(W, A), 3 * loss.losses(W, A))
