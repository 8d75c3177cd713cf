"""A law plus a semicircle against closed forms, a cubic, moments, and eigenvalues of drawn matrices."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from dynamics.errors import ProblemError
from dynamics.sample_size.atoms import Atoms
from dynamics.sample_size.free_sum import FreeSum
from dynamics.sample_size.marchenko_pastur import MarchenkoPastur
from dynamics.sample_size.roots import roots

POWER = Atoms(np.arange(1.0, 401) ** -1.25)
LAWS = [
    *[(MarchenkoPastur(k), s) for k in (0.001, 0.2, 1.0, 50.0) for s in (0.05, 0.6, 8.0)],
    *[(POWER, s) for s in (0.003, 0.1, 2.0)],
    (Atoms([0, 0, 0, 5, 1, 1e-3]), 0.02),
    (Atoms([3.0]), 0.5),
]


@pytest.mark.parametrize(("law", "sigma"), LAWS)
def test_identities(law, sigma):
    """∫ρ = 1, ∫xρ = m₁, ∫x²ρ = m₂ + σ²; ∫Hρ = 0, ∫xHρ = ½ by symmetry; ∫H²ρ = (π²/3)∫ρ³ for every density."""
    mass, first, second, hilbert, x_hilbert, hilbert2, cube = FreeSum(law, sigma).totals
    assert mass == pytest.approx(1, rel=1e-12)
    assert first == pytest.approx(law.mean, rel=1e-12)
    assert second == pytest.approx(law.second + sigma**2, rel=1e-12)
    assert hilbert * sigma == pytest.approx(0, abs=1e-12)
    assert x_hilbert == pytest.approx(
        0.5, rel=1e-10
    )  # x far from H's place cancels digits of a far eigenvalue
    assert hilbert2 == pytest.approx(np.pi**2 / 3 * cube, rel=1e-12)


@pytest.mark.parametrize("t", [-0.9, 0.0, 0.3, 0.99])
def test_of_nothing_and_noise_it_is_the_semicircle(t):
    """ρ = √(4σ² − x²)/(2πσ²), H = x/(2σ²), integrated by an adaptive rule."""
    sigma = 0.5
    found = FreeSum(Atoms([0.0]), sigma).above(t)
    density = lambda x: np.sqrt(4 * sigma**2 - x**2) / (2 * np.pi * sigma**2)  # noqa: E731
    for value, factor in zip(
        found,
        (lambda x: 1, lambda x: x, lambda x: x**2, lambda x: x / (2 * sigma**2), lambda x: 2 * x**2),
        strict=True,
    ):
        expected = quad(lambda x, f=factor: density(x) * f(x), t, 2 * sigma, epsabs=1e-13)[0]
        assert value == pytest.approx(expected, abs=2e-12)


@pytest.mark.parametrize(("kappa", "sigma"), [(0.2, 0.3), (0.5, 0.8), (3.0, 0.2)])
def test_marchenko_pastur_by_its_cubic(kappa, sigma):
    """G = g of the sum solves x = 1/g + 1/(1 − cg) + σ²g, R transforms being added; ρ = −Im g/π, H = Re g."""
    c = 1 / kappa

    def green(x):
        # times g(1 − cg): −σ²c g³ + (σ² + cx) g² − (x + c − 1) g + 1 = 0
        found = np.roots([-(sigma**2) * c, sigma**2 + c * x, -(x + c - 1), 1])
        return found[found.imag.argmin()]

    law, t = FreeSum(MarchenkoPastur(kappa), sigma), 1.1
    rho = lambda x: -green(x).imag / np.pi  # noqa: E731
    parts = np.linspace(t, law.high, 30)
    for i, f in enumerate(
        (lambda x: rho(x), lambda x: x * rho(x), lambda x: x**2 * rho(x), lambda x: green(x).real * rho(x))
    ):
        expected = sum(quad(f, a, b, epsabs=1e-11)[0] for a, b in pairwise(parts))
        assert law.above(t)[i] == pytest.approx(expected, abs=1e-8)


def test_edges_are_those_of_the_sum_of_two_eigenvalues():
    """μ* = ½δ₀ + ½δ₁: one interval from σ = ½ on, where ½/u² + ½/(1 − u)² is 4 = 1/σ² in the middle."""
    apart, joined = FreeSum(Atoms([0.0, 1.0]), 0.499), FreeSum(Atoms([0.0, 1.0]), 0.501)
    assert (len(apart.intervals), len(joined.intervals)) == (2, 1)
    assert apart.above(0.5)[0] == pytest.approx(0.5, abs=1e-12)
    assert apart.above(apart.high + 1)[0] == 0
    assert apart.above(apart.low - 1)[0] == pytest.approx(1, abs=1e-12)


def test_eigenvalues_of_drawn_matrices():
    """d = 400: the part above t and its mean; linear statistics fluctuate by O(1/d), six times that is allowed."""
    d, sigma, law = 400, 0.7, MarchenkoPastur(0.5)
    rng = np.random.default_rng(0)
    G, A = rng.standard_normal((d, d // 2)), rng.standard_normal((d, d))
    lam = np.linalg.eigvalsh(G @ G.T / (d // 2) + sigma * (A + A.T) / np.sqrt(2 * d))
    for t in (-0.5, 0.5, 2.0):
        mass, first, second = FreeSum(law, sigma).above(t)[:3]
        above = lam[lam > t]
        assert len(above) / d == pytest.approx(mass, abs=6 / d)
        assert above.sum() / d == pytest.approx(first, abs=6 * (2 + abs(t)) / d)
        assert (above**2).sum() / d == pytest.approx(second, abs=12 * (2 + abs(t)) ** 2 / d)


def test_the_gap_of_marchenko_pastur_is_least_where_it_says():
    """By the neighbours of the point, on the real axis."""
    law = MarchenkoPastur(0.1)
    (u, least), h = law.gaps[0], 1e-3
    value = -law.transform(np.array([u - h, u, u + h]), np.zeros(3))[1].real
    assert value[1] == pytest.approx(least, rel=1e-12)
    assert value[0] > value[1] < value[2]


def test_transforms_are_those_of_many_eigenvalues():
    """G and G′ of Marchenko–Pastur by quadrature of its density, √((λ₊ − λ)(λ − λ₋))/(2πcλ), and its zeros."""
    law = MarchenkoPastur(0.4)
    (low, high), u, v = law.edges, np.array([-0.3, 1.0, 7.0]), np.array([0.2, 0.01, 0.0])
    theta = (np.arange(20_000) + 0.5) * np.pi / 20_000
    lam = (low + high) / 2 - (high - low) / 2 * np.cos(theta)
    w = ((high - low) / 2 * np.sin(theta)) ** 2 / (2 * np.pi * law.c * lam) * np.pi / 20_000
    z = (u + 1j * v)[:, None]
    G, slope = law.transform(u, v)
    np.testing.assert_allclose(G, (w / (z - lam)).sum(axis=1) + 0.6 / z[:, 0], rtol=1e-9)
    np.testing.assert_allclose(slope, -(w / (z - lam) ** 2).sum(axis=1) - 0.6 / z[:, 0] ** 2, rtol=1e-9)


def test_roots_of_many_functions_at_once():
    """x³ = c, steep and flat."""
    c = np.array([1e-12, 0.3, 8.0])
    np.testing.assert_allclose(
        roots(lambda x: x**3 - c, np.zeros(3), np.full(3, 3.0)), np.cbrt(c), rtol=1e-12
    )


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: MarchenkoPastur(1e-4), "`kappa` of Marchenko–Pastur is 0.0001, but must lie between"),
        (lambda: MarchenkoPastur(-1), "`kappa` is -1, but must be positive"),
        (
            lambda: Atoms([1, -1e-3]),
            "`eigenvalues` has -0.001, but a teacher of positive second layer has none below 0",
        ),
        (lambda: Atoms([]), "`eigenvalues` has shape"),
        (lambda: Atoms([1, np.inf]), "not finite"),
    ],
)
def test_refusals(make, words):
    with pytest.raises(ProblemError) as refused:
        make()
    assert words in str(refused.value)
