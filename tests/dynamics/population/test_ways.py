"""Every way to compute a slope is the same slope, costs what it says, and the cheapest is taken."""

import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamics.population import quadratic_ways, samples
from dynamics.population.decayed import DecayedLoss
from dynamics.population.form import FormPopulation
from dynamics.population.fourth_moment import (
    CentredMoment,
    IndependentMoment,
    MappedMoment,
    SampleMoment,
    ScaledMoment,
)
from dynamics.population.modified import ModifiedLoss
from dynamics.population.quadratic import QuadraticPopulation
from dynamics.population.scaled import ScaledPopulation
from dynamics.population.sum import SumPopulation
from dynamics.population.ways import CALL, Way, add_product, cheapest

TEACHERS = ("anything", "few columns", "axes", "axes and zeros", "zero")
COVARIANCES = ("identity", "diagonal", "dense")
SIZES = st.integers(1, 6)


def textbook(loss, W, A):
    """The slope by its formula: ẇ_k = Σ_o A_ok G_o w_k, Ȧ_ok = ½ w_kᵀG_ow_k, G = 4ΣDΣ + 2κ tr(DΣ)Σ."""
    S = np.eye(W.shape[1]) if loss.covariance is None else loss.covariance
    D = np.einsum("om,mi,mj->oij", loss.B, loss.V, loss.V) - np.einsum("ok,ki,kj->oij", A, W, W)
    G = 4 * S @ D @ S + 2 * loss.trace_coupling * np.einsum("oij,ij->o", D, S)[:, None, None] * S
    return np.einsum("ok,oij,kj->ki", A, G, W), 0.5 * np.einsum("ki,oij,kj->ok", W, G, W)


def quadratic(rng, R, d, O, teacher="anything", covariance="identity", coupling=1.0):
    """A loss of random numbers."""
    V = rng.standard_normal((R, d))
    if teacher == "few columns":
        V[:, (d + 1) // 2 :] = 0
    elif teacher in ("axes", "axes and zeros"):
        V = np.zeros((min(R, d), d))
        np.fill_diagonal(V, rng.standard_normal(len(V)))
        V[-1] *= teacher == "axes"
    elif teacher == "zero":
        V = np.zeros((0, d))
    F = rng.standard_normal((d, d))
    Sigma = {"identity": None, "diagonal": np.diag(rng.uniform(0.5, 2, d)), "dense": F @ F.T}[covariance]
    return QuadraticPopulation(V, rng.standard_normal((O, len(V))), Sigma, coupling)


def agree(slope, loss, W, A, trainable):
    """Whether a slope is that of the textbook, to rounding."""
    vW, vA = np.full(W.shape, np.nan), np.full(A.shape, np.nan) if trainable else None
    for _ in range(2):  # buffers keep nothing that matters
        slope(W, A, vW, vA)
    expected = textbook(loss, W, A)
    # sums of at most (R + K) d² products of sizes up to these
    bound = (
        1e-13
        * (np.abs(loss.B).sum() + np.abs(A).sum() + 1) ** 2
        * (np.abs(loss.V).max(initial=1) + np.abs(W).max()) ** 4
    )
    bound *= 1 if loss.covariance is None else np.abs(loss.covariance).sum() ** 2
    np.testing.assert_allclose(vW, expected[0], rtol=0, atol=bound)
    if trainable:
        np.testing.assert_allclose(vA, expected[1], rtol=0, atol=bound)


@given(
    SIZES,
    SIZES,
    SIZES,
    st.integers(1, 4),
    st.sampled_from(TEACHERS),
    st.sampled_from(COVARIANCES),
    st.sampled_from((0.0, 1.0, -0.5)),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_all_ways_are_the_formula(K, d, R, O, teacher, covariance, coupling, trainable, seed):
    """Of any sizes; the formula is written with the matrices D_o and einsum, and shares nothing with them."""
    rng = np.random.default_rng(seed)
    loss = quadratic(rng, R, d, O, teacher, covariance, coupling)
    W, A = rng.standard_normal((K, d)), rng.standard_normal((O, K))
    ways = loss.ways(K, O, trainable)
    assert len(ways) == (3 if O == 1 else 2)
    for way in ways:
        agree(way.build(), loss, W, A, trainable)


@pytest.fixture
def multiplications(monkeypatch):
    """A list to which every matrix product adds the number of its multiplications."""
    found, matmul = [], np.matmul

    def counted(a, b, out=None):
        found.append((*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), *a.shape[-2:], b.shape[-1]))
        return matmul(a, b, out=out)

    def counted_too(X, Y, out):
        found.append((*X.shape, Y.shape[-1]))
        add_product(X, Y, out)

    monkeypatch.setattr(np, "matmul", counted)
    monkeypatch.setattr(quadratic_ways, "add_product", counted_too)
    return found


def total(shapes):
    return sum(int(np.prod(shape)) for shape in shapes)


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("teacher", TEACHERS)
@pytest.mark.parametrize(
    ("K", "d", "R", "O"), [(3, 11, 2, 1), (3, 11, 9, 1), (9, 4, 3, 1), (5, 7, 3, 6), (2, 3, 8, 4)]
)
@pytest.mark.parametrize("trainable", [True, False])
def test_operations_are_the_multiplications_that_are_done(
    rng, multiplications, K, d, R, O, teacher, covariance, trainable
):
    """Counted in every matrix product of one evaluation; the slope of the loss does as many as the cheapest way."""
    loss = quadratic(rng, R, d, O, teacher, covariance)
    W, A, vW = rng.standard_normal((K, d)), rng.standard_normal((O, K)), np.empty((K, d))
    vA = np.empty((O, K)) if trainable else None
    ways = loss.ways(K, O, trainable)
    for way in ways:
        slope = way.build()
        multiplications.clear()
        slope(W, A, vW, vA)
        assert total(multiplications) == way.operations, way.name
    slope = loss.slope(K, O, trainable)
    multiplications.clear()
    slope(W, A, vW, vA)
    assert total(multiplications) == min(ways, key=lambda way: way.operations + CALL * way.calls).operations


@pytest.mark.parametrize(
    ("K", "d", "R", "O", "name"),
    [
        (50, 53, 3, 1, "one output"),
        (20, 520, 500, 1, "one output"),
        (50, 4, 3, 1, "matrices"),
        (3, 4, 3, 2, "matrices"),
        (50, 55, 5, 10, "factors"),
        (50, 55, 5, 100, "factors"),
    ],
)
def test_the_way_that_is_taken(rng, K, d, R, O, name):
    """Few units: through their products. Few inputs: through D. Many outputs: summed over before anything else."""
    assert cheapest(quadratic(rng, R, d, O, "axes").ways(K, O, True)).name == name


def test_of_equal_ways_the_one_that_keeps_less():
    one, two = Way("one", 10, 2, 5, tuple), Way("two", 10 + CALL, 1, 4, tuple)
    assert cheapest([one, two]) is two
    assert cheapest([one, Way("three", 9 + CALL, 1, 40, tuple)]).name == "three"


@pytest.mark.parametrize("covariance", ["identity", "dense"])
@pytest.mark.parametrize("O", [1, 3])
def test_nothing_is_allocated_in_the_loop(rng, O, covariance):
    """Evaluations take less new memory at a time than one array of units; NumPy's iterators keep 8192 numbers each."""
    K = d = 200
    loss = quadratic(rng, 90, d, O, "axes", covariance)
    W, A, vW, vA = (
        rng.standard_normal((K, d)),
        rng.standard_normal((O, K)),
        np.empty((K, d)),
        np.empty((O, K)),
    )
    for way in loss.ways(K, O, True):
        slope = way.build()
        slope(W, A, vW, vA)
        tracemalloc.start()
        for _ in range(10):
            slope(W, A, vW, vA)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < vW.nbytes, way.name


def test_memory_is_what_buffers_take(rng):
    """Numbers that a call of `build` allocates, to a tenth; constants of the loss are there before."""
    K, d, moments = 40, 150, form_moments(rng, 150)
    for O in (1, 5):
        losses = [
            quadratic(rng, 100, d, O, "few columns", covariance) for covariance in ("identity", "dense")
        ]
        V, B = rng.standard_normal((3, d)), rng.standard_normal((O, 3))
        losses += [FormPopulation(V, B, moments[name]) for name in ("independent", "mapped")]
        X, Y = rng.standard_normal((300, d)), rng.standard_normal((300, O))
        losses += [samples.SampleLoss(X, Y, mean) for mean in (None, np.eye(d))]
        for loss in losses:
            for way in loss.ways(K, O, True):
                way.build()
                tracemalloc.start()
                kept = way.build()
                size = tracemalloc.get_traced_memory()[0]
                tracemalloc.stop()
                assert size == pytest.approx(8 * way.memory, rel=0.1), way.name
                del kept


def test_a_loss_that_was_asked_for_its_slope_still_goes_to_other_processes(rng):
    loss = quadratic(rng, 3, 4, 1)
    W, A = rng.standard_normal((2, 4)), rng.standard_normal((1, 2))
    expected = loss.velocity(W, A)
    for ours, theirs in zip(pickle.loads(pickle.dumps(loss)).velocity(W, A), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def form_moments(rng, d):
    """Fourth moments of every kind."""
    F, S = rng.standard_normal((d, d)), np.diag(rng.uniform(0.5, 2, d))
    independent = IndependentMoment(d, -0.7)
    mapped = MappedMoment(independent, F)
    return {
        "independent": independent,
        "mapped": mapped,
        "mapped twice": MappedMoment(mapped, F),
        "scaled": ScaledMoment(mapped, 1.7),
        "centred": CentredMoment(independent, np.eye(d)),
        "centred, mapped": CentredMoment(ScaledMoment(mapped, 1.7), F @ F.T),
        "centred by another": CentredMoment(mapped, S),
        "samples": SampleMoment(rng.standard_normal((15, d))),
    }


@pytest.mark.parametrize("kind", form_moments(np.random.default_rng(0), 2))
@pytest.mark.parametrize(("O", "trainable"), [(1, True), (3, True), (2, False)])
def test_forms_and_units_are_the_formula(rng, multiplications, kind, O, trainable):
    """ẇ_k = Σ_o A_ok G_o w_k, Ȧ_ok = ½ w_kᵀG_ow_k with G = 2C[D], C applied to D; operations are counted."""
    K, d = 3, 5
    moment = form_moments(rng, d)[kind]
    loss = FormPopulation(rng.standard_normal((2, d)), rng.standard_normal((O, 2)), moment)
    W, A = rng.standard_normal((K, d)), rng.standard_normal((O, K))
    D = np.einsum("om,mi,mj->oij", loss.B, loss.V, loss.V) - np.einsum("ok,ki,kj->oij", A, W, W)
    G = 2 * moment(D)
    expected = np.einsum("ok,oij,kj->ki", A, G, W), 0.5 * np.einsum("ki,oij,kj->ok", W, G, W)
    ways = loss.ways(K, O, trainable)
    assert [way.name for way in ways] == ["forms", "units"][
        : 1 if kind in ("samples", "centred by another") else 2
    ]
    for way in ways:
        vW, vA = np.full((K, d), np.nan), np.full((O, K), np.nan) if trainable else None
        slope = way.build()
        multiplications.clear()
        slope(W, A, vW, vA)
        assert total(multiplications) == way.operations
        slope(W, A, vW, vA)
        np.testing.assert_allclose(vW, expected[0], rtol=0, atol=1e-12 * np.abs(expected[0]).max())
        if vA is not None:
            np.testing.assert_allclose(vA, expected[1], rtol=0, atol=1e-12 * np.abs(expected[1]).max())


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize(("O", "trainable"), [(1, True), (3, True), (2, False)])
def test_through_samples(rng, monkeypatch, multiplications, O, trainable, centred):
    """Sample by sample: ẇ_k = −(2/n) Σ_io r_io A_ok (z_ik x_i − Σw_k), Ȧ_ok = −(1/n) Σ_i r_io φ_ik; in batches of 4."""
    monkeypatch.setattr(samples, "CHUNK", 4)
    n, K, d = 11, 3, 5
    X, Y, W, A = (rng.standard_normal(shape) for shape in ((n, d), (n, O), (K, d), (O, K)))
    mean = np.diag(rng.uniform(0.5, 2, d)) if centred else np.zeros((d, d))
    loss = samples.SampleLoss(X, Y, mean if centred else None)
    expected_W, expected_A = np.zeros((K, d)), np.zeros((O, K))
    for x, y in zip(X, Y, strict=True):
        phi = (W @ x) ** 2 - np.einsum("ki,ij,kj->k", W, mean, W)
        r = A @ phi - y
        expected_W -= 2 / n * (A.T @ r)[:, None] * (np.outer(W @ x, x) - W @ mean)
        expected_A -= np.outer(r, phi) / n
    (way,) = loss.ways(K, O, trainable)
    slope = way.build()
    multiplications.clear()
    vW, vA = np.full((K, d), np.nan), np.full((O, K), np.nan) if trainable else None
    slope(W, A, vW, vA)
    assert total(multiplications) == way.operations
    slope(W, A, vW, vA)
    np.testing.assert_allclose(vW, expected_W, rtol=0, atol=1e-13 * np.abs(expected_W).max())
    if vA is not None:
        np.testing.assert_allclose(vA, expected_A, rtol=0, atol=1e-13 * np.abs(expected_A).max())


def composed(rng, K, d, O):
    """Losses that are made of others."""
    one, two = quadratic(rng, 2, d, O), quadratic(rng, 3, d, O, coupling=0.0)
    plain = samples.MomentLoss.from_samples(rng.standard_normal((9, d)), rng.standard_normal((9, O)), None)
    return {
        "scaled": ScaledPopulation(one, 2.5),
        "scaled, of one without ways": ScaledPopulation(plain, 2.5),
        "decayed": DecayedLoss(one, 0.3, 0.7),
        "decayed, of one without ways": DecayedLoss(plain, 0.3, 0.7),
        "sum": SumPopulation((one, two, plain)),
        "decayed sum": DecayedLoss(SumPopulation((ScaledPopulation(one, 0.5), two)), 0.3, 0.0),
        "modified": ModifiedLoss(one, 0.01, True),
    }


@pytest.mark.parametrize("name", composed(np.random.default_rng(0), 2, 2, 1))
@pytest.mark.parametrize(("K", "d", "O"), [(3, 5, 2), (2, 2, 2), (4, 3, 1)])
@pytest.mark.parametrize("trainable", [True, False])
def test_slopes_of_composed_losses_are_their_velocities(rng, name, K, d, O, trainable):
    """Velocities, of other code, are held against losses elsewhere. K = d = O: arrays of one shape are not mixed up."""
    loss = composed(rng, K, d, O)[name]
    slope = loss.slope(K, O, trainable)
    for _ in range(2):
        W, A = rng.standard_normal((K, d)), rng.standard_normal((O, K))
        expected = loss.velocity(W, A)
        vW, vA = np.full((K, d), np.nan), np.full((O, K), np.nan) if trainable else None
        slope(W, A, vW, vA)
        np.testing.assert_allclose(vW, expected[0], rtol=0, atol=1e-13 * np.abs(expected[0]).max())
        if vA is not None:
            np.testing.assert_allclose(vA, expected[1], rtol=0, atol=1e-13 * np.abs(expected[1]).max())


def test_a_loss_times_a_number_has_the_ways_of_that(rng):
    base = quadratic(rng, 3, 4, 1)
    assert [way.name for way in ScaledPopulation(base, 2.0).ways(5, 1, True)] == [
        way.name for way in base.ways(5, 1, True)
    ]


@pytest.mark.parametrize("place", ["own memory", "every other row", "columns"])
def test_a_product_is_added_wherever_it_belongs(rng, place):
    """Whether BLAS may write there or not."""
    X, Y = rng.standard_normal((3, 4)), rng.standard_normal((4, 5))
    out = {
        "own memory": rng.standard_normal((3, 5)),
        "every other row": rng.standard_normal((6, 5))[::2],
        "columns": rng.standard_normal((3, 9))[:, 2:7],
    }[place]
    expected = out + X @ Y
    add_product(X, Y, out)
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-14 * 4)


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("teacher", ["anything", "axes"])
@pytest.mark.parametrize("O", [1, 3])
def test_copies_stay_copies_to_the_last_bit(rng, O, teacher, covariance):
    """Units that start as one another lie on an invariant manifold that repels: rounding must not leave it."""
    K, d = 8, 12
    loss = quadratic(rng, 6, d, O, teacher, covariance)
    W, A = rng.standard_normal((K, d)), rng.standard_normal((O, K))
    W[4:], A[:, 4:] = W[:4], A[:, :4]
    for way in loss.ways(K, O, True):
        vW, vA = np.empty((K, d)), np.empty((O, K))
        way.build()(W, A, vW, vA)
        np.testing.assert_array_equal(vW[4:], vW[:4], way.name)
        np.testing.assert_array_equal(vA[:, 4:], vA[:, :4], way.name)
