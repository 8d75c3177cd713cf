"""State evolution: the rows and thresholds that the design document computed by another program, limits, identities."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from dynamics.errors import ProblemError
from dynamics.sample_size.atoms import Atoms
from dynamics.sample_size.bayes import bayes_mse, bayes_threshold
from dynamics.sample_size.best_decay import best_decay
from dynamics.sample_size.denoiser import Denoiser
from dynamics.sample_size.design import INFINITE, GaussianInputs, SymmetricNoise
from dynamics.sample_size.equations import Regression
from dynamics.sample_size.marchenko_pastur import MarchenkoPastur
from dynamics.sample_size.thresholds import (
    cone_threshold,
    interpolation_threshold,
    thresholds,
    trace_threshold,
)

HALF = MarchenkoPastur(0.5)
FIFTH = MarchenkoPastur(0.2)
FULL = MarchenkoPastur(2)  # the quickest
# α, ℓ, Δ, κ* → MSE at d = ∞, corrected for d = 80 and 40, training error, rank: another program of the same equations
ROWS = [
    (0.2, 0.3, 0.0, 0.5, 1.1030, 1.1292, 1.1555, 0.0206, 0.379),
    (0.5, 0.1, 0.5, 0.5, 0.4172, 0.4372, 0.4577, 0.1269, 0.624),
    (0.35, 0.2, 0.5, 0.2, 0.4527, 0.4742, 0.4961, 0.0978, 0.479),
    (0.8, 0.05, 0.5, 0.5, 0.2026, 0.2102, 0.2180, 0.2494, 0.674),
    (0.8, 0.0, 0.5, 0.5, 0.2226, 0.2320, 0.2417, 0.2477, 0.695),
    (0.5, 0.4, 1.0, 2.0, 0.6519, 0.6671, 0.6819, 0.3007, 0.601),
]


@pytest.mark.parametrize("row", ROWS)
def test_rows(row):
    """To the digits that were stated, half a unit of the last one."""
    alpha, decay, noise, kappa, mse, _, _, error, rank = row
    found = Regression(MarchenkoPastur(kappa), decay, noise).solve(alpha)
    assert found.mse == pytest.approx(mse, abs=6e-5)
    assert found.training_error == pytest.approx(error, abs=6e-5)
    assert found.rank_fraction == pytest.approx(rank, abs=6e-4)


@pytest.mark.parametrize("row", [ROWS[-1], *(pytest.param(row, marks=pytest.mark.slow) for row in ROWS[:-1])])
def test_rows_at_finite_dimension(row):
    """Corrected to first order; what was stated had been rounded after fewer digits."""
    alpha, decay, noise, kappa, _, at80, at40, *_ = row
    for d, expected in ((80, at80), (40, at40)):
        problem = Regression(MarchenkoPastur(kappa), decay, noise, design=GaussianInputs(d))
        assert problem.solve(alpha).mse == pytest.approx(expected, abs=2e-4)


def test_raw_units_that_can_fit_all_labels_have_more_noise():
    """With the least trace, hence the most negative intercept δ: as at the threshold of the noise Δ + δ²."""
    alpha = interpolation_threshold(FULL, 2.0, raw=True)
    assert alpha < interpolation_threshold(FULL, 0.5, raw=True)
    found, there = (Regression(FULL, 0.0, noise, raw=True).solve(alpha) for noise in (0.5, 2.0))
    assert found.mse == pytest.approx(there.mse, rel=1e-6)
    assert found.sigma == pytest.approx(there.sigma, rel=1e-6)
    assert (found.trace, found.training_error) == (pytest.approx(1, abs=1e-12), pytest.approx(0, abs=1e-15))


def test_raw_units():
    """κ* = 1, Δ = .2, α = .6, whatever the decay; corrected for finite d; rank and training error; the trace is m₁."""
    problem = Regression(MarchenkoPastur(1), 0.3, 0.2, raw=True)
    found = problem.solve(0.6)
    assert found.mse == pytest.approx(0.1949, abs=6e-5)
    assert (found.rank_fraction, found.training_error) == pytest.approx((0.763, 0.0511), abs=6e-4)
    assert found.trace == pytest.approx(1, abs=1e-12)
    assert replace(problem, decay=0.0).solve(0.6) == found
    for d, mse in ((20, 0.2408), (110, 0.2028)):
        assert replace(problem, design=GaussianInputs(d)).solve(0.6).mse == pytest.approx(mse, abs=2e-4)
    half = Regression(HALF, 0.05, 0.5, raw=True).solve(0.8)
    assert (half.mse, half.training_error, half.rank_fraction) == pytest.approx(
        (0.1781, 0.2663, 0.624), abs=6e-4
    )


@pytest.mark.parametrize(("alpha", "mse", "loss"), [(0.1507, 1.535, 0.00166), (0.2679, 0.0614, 0.00248)])
def test_few_units(alpha, mse, loss):
    """Width .3 of κ* = .2, ℓ = .2: as a public repository's equations have it, in whose units the loss is a quarter."""
    found = Regression(FIFTH, 0.2, width=0.3).solve(alpha)
    assert found.mse == pytest.approx(mse, rel=2e-3)
    assert found.training_error / 4 == pytest.approx(loss, abs=6e-6)
    assert found.rank_fraction <= 0.3 + 1e-12


def test_finite_dimension_of_symmetric_noise():
    """κ* = .5, Δ = .5, ℓ = 0, d = 100; 1/d at leading order."""
    for alpha, mse in ((0.4151, 1.059), (0.8, 0.2264)):
        found = Regression(HALF, 0.0, 0.5, design=SymmetricNoise(100)).solve(alpha)
        assert found.mse == pytest.approx(mse, abs=6e-4)
    problem = Regression(FULL, 0.4, 0.5)
    limit = problem.solve(0.6).mse
    for design in (SymmetricNoise, GaussianInputs):
        first, second = (replace(problem, design=design(d)).solve(0.6).mse - limit for d in (2000, 4000))
        assert first / second == pytest.approx(2, rel=0.01)  # the next order is 1/d of it


@pytest.mark.parametrize(
    ("kappa", "trace", "cone", "bayes"),
    [
        (0.1, 0.157572, 0.2975, 0.095),
        (0.2, 0.255562, 0.34, 0.18),
        (0.3, 0.327155, 0.3775, 0.255),
        (0.5, 0.422175, 0.4375, 0.375),
        (0.7, 0.474623, 0.4775, 0.455),
    ],
)
def test_thresholds_without_noise(kappa, trace, cone, bayes):
    """To the stated digits; 3κ* for few directions."""
    law = MarchenkoPastur(kappa)
    found = thresholds(law)
    assert (found.recovery, found.interpolation, found.bayes) == pytest.approx((trace, cone, bayes), abs=6e-7)
    assert thresholds(law, raw=True).interpolation == found.recovery
    assert trace_threshold(SimpleNamespace(rank=1e-9)) == pytest.approx(3e-9, rel=0.01)


@pytest.mark.parametrize(
    ("kappa", "noise", "alpha"),
    [
        *[(0.5, 0.1, 0.35974), (0.5, 0.5, 0.32363), (0.5, 1, 0.30696), (0.5, 2, 0.29110), (0.5, 10, 0.26409)],
        *[(0.2, 0.5, 0.29464), (1, 0.5, 0.34466), (2, 0.5, 0.36038)],
    ],
)
def test_interpolation_with_noise(kappa, noise, alpha):
    """To the stated digits."""
    assert interpolation_threshold(MarchenkoPastur(kappa), noise) == pytest.approx(alpha, abs=6e-6)


def test_interpolation_between_its_limits():
    """½ − e²/4 at Δ → 0 and ¼ at Δ → ∞ for centred units, the minimum of the trace and 0 for raw ones."""
    assert interpolation_threshold(FIFTH, 1e-9) == pytest.approx(cone_threshold(FIFTH), abs=1e-3)
    assert interpolation_threshold(FIFTH, 1e30) == pytest.approx(0.25, abs=1e-6)
    assert interpolation_threshold(FIFTH, 1e-9, raw=True) == pytest.approx(trace_threshold(FIFTH), abs=1e-3)
    assert interpolation_threshold(FIFTH, 1e30, raw=True) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("raw", [False, True])
def test_training_errors_begin_at_the_interpolation_threshold(raw):
    """On either side of it, at ℓ = 0."""
    alpha = interpolation_threshold(FULL, 0.5, raw=raw)
    problem = Regression(FULL, 0.0, 0.5, raw)
    below, above = problem.solve(alpha - 1e-7), problem.solve(alpha + 1e-7)
    assert below.training_error == pytest.approx(0, abs=1e-15)
    assert 0 < above.training_error < 1e-10
    assert below.mse == pytest.approx(above.mse, rel=1e-2)  # continuous, with a square root on its left


@pytest.mark.parametrize("raw", [False, True])
def test_recovery_begins_at_its_threshold(raw):
    """Δ = 0, ℓ = 0: the closed form of a cone against the root of the equations, for atoms too."""
    for law in (FIFTH, Atoms([0] * 80 + [1.0] * 5 + [3.0] * 15)):
        alpha = trace_threshold(law)
        problem = Regression(law, raw=raw)
        assert problem.solve(alpha + 2e-4).mse == 0
        assert problem.solve(alpha - 2e-3).mse > 1e-6
    assert problem.solve(0.3).trace == law.mean


def test_double_descent():
    """At ℓ = 0 the error rises up to the interpolation threshold and falls beyond; the best decay has no peak."""
    peak = interpolation_threshold(FULL, 2.0)
    bare = Regression(FULL, 0.0, 2.0)
    before, there, after = (bare.solve(a).mse for a in (0.5 * peak, peak, 2 * peak))
    assert before < there > after
    tuned = [best_decay(bare, a).mse for a in (0.5 * peak, peak, 2 * peak)]
    assert tuned == sorted(tuned, reverse=True)


def test_with_many_samples_the_threshold_is_that_of_the_population():
    """α → ∞: eigenvalues of S* are moved down by ℓ/2, the MSE is ∫ min(λ, ℓ/2)²; 1/α is the next order."""
    law = Atoms([0.0, 0.1, 1.0, 2.0])
    found = Regression(law, 0.6, 0.5).solve(1e4)
    assert found.mse == pytest.approx((0.1**2 + 2 * 0.3**2) / 4, abs=1e-3)
    assert found.trace == pytest.approx((0.7 + 1.7) / 4, abs=1e-3)


def test_large_decay_leaves_nothing():
    """ℓ/2 above everything: Ŝ = 0, MSE = m₂, every label is left."""
    found = Regression(HALF, 50.0, 0.5).solve(0.5)
    assert (found.mse, found.rank_fraction, found.trace) == pytest.approx((3.0, 0.0, 0.0), abs=1e-12)
    assert found.training_error == pytest.approx(2 * 3.0 + 0.5)


def test_everything_scales_with_the_teacher():
    """S* → cS* with Δ → c²Δ and ℓ → cℓ: MSE → c² MSE."""
    lam = np.array([0, 0, 0.5, 1, 3.0])
    one, other = (
        Regression(Atoms(lam), 0.2, 0.3).solve(0.4),
        Regression(Atoms(1e4 * lam), 2e3, 3e7).solve(0.4),
    )
    assert other.mse == pytest.approx(1e8 * one.mse, rel=1e-9)
    assert other.threshold == pytest.approx(1e4 * one.threshold, rel=1e-9)


@pytest.mark.parametrize(
    ("kappa", "noise", "alpha", "decay", "mse", "bayes"),
    [
        pytest.param(0.5, 0.5, 0.5, 0.305, 0.35240, 0.32778, marks=pytest.mark.slow),
        (1, 1, 1, 0.287, 0.28118, 0.23005),
    ],
)
def test_best_decay(kappa, noise, alpha, decay, mse, bayes):
    """As a search found it, elsewhere and here: no other decay leaves less."""
    problem = Regression(MarchenkoPastur(kappa), 0.0, noise)
    found = best_decay(problem, alpha)
    assert found.decay == pytest.approx(decay, abs=6e-4)
    assert found.mse == pytest.approx(mse, abs=6e-6)
    assert bayes_mse(problem.law, alpha, noise) == pytest.approx(bayes, abs=6e-6)
    there, lower, higher = (
        replace(problem, decay=factor * found.decay).solve(alpha).mse for factor in (1, 0.97, 1.03)
    )
    assert there == pytest.approx(found.mse, rel=1e-9)
    assert lower > found.mse < higher


def test_bayes_curve():
    """Stored by a public repository, κ* MSE: Δ = 0 and Δ = .5. Its threshold, for point masses too."""
    stored = ((0.0540079, 0.0, 0.867747), (0.1129055, 0.0, 0.680520), (0.3074725, 0.5, 0.3253211))
    for alpha, noise, error in stored:
        assert 0.5 * bayes_mse(HALF, alpha, noise) == pytest.approx(error, abs=2e-6)
    assert bayes_mse(HALF, 0.376) == 0 < bayes_mse(HALF, 0.374)
    two = Atoms([0, 0, 0, 2.0])  # 1 − (¾)² − (¼)² = ⅜ of all parameters of S* are free
    assert bayes_threshold(two) == pytest.approx(3 / 16)
    assert bayes_mse(two, 3 / 16 + 1e-4) == 0 < bayes_mse(two, 3 / 16 - 1e-3)


def test_pure_noise():
    """μ* = δ₀, t = 0: half of the eigenvalues, A = ¼, MSE = σ²/2, all at once by symmetry."""
    found = Denoiser(Atoms([0.0]), 0.7, INFINITE).at(0.0)
    assert (found.freedom, found.mse, found.rank) == pytest.approx((0.25, 0.245, 0.5), abs=1e-12)


def test_denoising_drawn_matrices():
    """Eight draws: MSE by subtraction, degrees of freedom by Σ (f_i − f_j)/(λ_i − λ_j); within 5 s.e. and 2/d."""
    d, sigma, t = 300, 0.8, 0.4
    expected = Denoiser(HALF, sigma, INFINITE).at(t)
    rows = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        G, A = rng.standard_normal((d, d // 2)), rng.standard_normal((d, d))
        S = G @ G.T / (d // 2)
        lam, E = np.linalg.eigh(S + sigma * (A + A.T) / np.sqrt(2 * d))
        f = np.maximum(lam - t, 0)
        apart = lam[:, None] - lam + np.eye(d)
        freedom = ((f[:, None] - f) / apart).sum() / 2 / d**2
        rows.append([(((E * f) @ E.T - S) ** 2).sum() / d, freedom, (f > 0).mean(), f.sum() / d])
    mean, error = np.mean(rows, axis=0), np.std(rows, axis=0) / np.sqrt(7)
    theory = np.array([expected.mse, expected.freedom, expected.rank, expected.trace])
    assert (np.abs(mean - theory) < 5 * error + 2 / d * theory).all()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Regression(HALF).solve(0.0), "`alpha` is 0, but must be positive"),
        (lambda: Regression(HALF).solve(1e5), "`alpha` is 100000, but must lie between 0.0001 and 10000"),
        (lambda: Regression(HALF, -1.0), "`weight_decay_order` is -1"),
        (lambda: Regression(HALF, label_noise=-1.0), "`label_noise` is -1"),
        (lambda: Regression(HALF, width=0.5, raw=True), "raw units are known only from a width of 1 on"),
        (lambda: Regression(HALF, width=1e-9), "`width` is 1e-09, but must be at least 0.001"),
        (lambda: Regression(Atoms([0.0])), "`teacher` is zero"),
        (lambda: best_decay(Regression(HALF, raw=True), 0.5), "Raw units have no best weight decay"),
        (lambda: best_decay(Regression(HALF, design=SymmetricNoise(50)), 0.5), "known only for d → ∞"),
    ],
)
def test_refusals(make, words):
    with pytest.raises(ProblemError) as refused:
        make()
    assert words in str(refused.value)


@pytest.mark.slow
def test_random_parameters():
    """Three hundred laws, decays, noises, widths and designs over many decades: a solution, and none below Bayes."""
    for seed in range(300):
        rng = np.random.default_rng(seed)
        law = MarchenkoPastur(10 ** rng.uniform(-3, 3)) if rng.random() < 0.7 else _some_atoms(rng)
        scale, raw, alpha = law.second**0.5, rng.random() < 0.3, 10 ** rng.uniform(-3, 1)
        problem = Regression(
            law,
            scale * 10 ** rng.uniform(-4, 2) * (rng.random() < 0.8),
            law.second * 10 ** rng.uniform(-6, 4) * (rng.random() < 0.8),
            raw,
            1.0 if raw or rng.random() < 0.6 else 10 ** rng.uniform(-2.5, 0.2),
        )
        found = problem.solve(alpha)
        assert np.isfinite(list(vars(found).values())).all(), (seed, found)
        assert 0 <= found.rank_fraction <= 1 + 1e-9
        assert found.training_error >= 0
        if problem.width == 1:
            least = bayes_mse(law, alpha, problem.label_noise)
            assert least <= found.mse * (1 + 1e-6) + 1e-9 * scale**2, (seed, least, found)
        if not raw:
            tuned = best_decay(problem, alpha).mse
            assert tuned <= found.mse * (1 + 1e-6) + 1e-9 * scale**2, (seed, tuned, found)


def _some_atoms(rng):
    count = int(10 ** rng.uniform(0, 1.7))
    lam = 10 ** rng.uniform(-3, 3) * rng.choice(
        [np.arange(1.0, count + 1) ** -1.3, rng.exponential(size=count)]
    )
    lam[1:][rng.random(count - 1) < 0.4 * (rng.random() < 0.5)] = 0
    return Atoms(lam)
