"""Information exponent, signal and noise of one unit, against known exponents, samples, and a known noise."""

import numpy as np
import pytest
from numpy.polynomial.polynomial import polyval
from scipy.integrate import quad

from dynamics import ProblemError
from dynamics.escape.single_index import OnePass, SingleIndex


def he2(z):
    return (z**2 - 1) / np.sqrt(2)


def he3(z):
    return (z**3 - 3 * z) / np.sqrt(6)


def gaussian_mean(f):
    """By adaptive quadrature."""
    return quad(lambda z: f(z) * np.exp(-z * z / 2) / np.sqrt(2 * np.pi), -12, 12, epsabs=1e-13, limit=200)[0]


def relu(z):
    return z * (z > 0)


def kinked(z):
    return abs(z - 0.5) - 0.1 * z


@pytest.mark.parametrize(
    ("student", "teacher", "k", "strength"),
    [
        (np.tanh, np.tanh, 1, gaussian_mean(lambda z: 1 / np.cosh(z) ** 2) ** 2),  # E z tanh z = E tanh′, by parts
        (abs, abs, 2, 1 / np.pi),  # E |z| h₂ = 1/√π
        (relu, he2, 2, 1 / np.sqrt(4 * np.pi)),  # E ReLU h₂ = 1/√(4π)
        (relu, he3, None, 0),  # ReLU has no odd component beyond the first
        (np.tanh, he3, 3, gaussian_mean(lambda z: np.tanh(z) * he3(z))),
        (lambda z: z**2 + 3, lambda z: z**2, 2, 2),
        (lambda z: z**3, he2, None, 0),
        (lambda z: np.exp(z), he3, 3, np.exp(0.5) / np.sqrt(6)),  # E e^z h_n = √e/√n!
        (he2, lambda z: -he2(z), 2, -1),
        (lambda z: 0 * z, he2, None, 0),
    ],
)  # fmt: skip
def test_information_exponents(student, teacher, k, strength):
    index = SingleIndex(student, teacher)
    assert index.exponent == k
    assert index.strength == pytest.approx(strength, rel=1e-10)


def test_rounding_is_no_component_and_a_small_one_is():
    """h₃ with a linear part of 1e-9, which is 1e-9 of its size, and one of 1e-13, which is not told from rounding."""
    for size, k in ((1e-9, 1), (1e-13, 3)):
        index = SingleIndex(lambda z, size=size: he3(z) + size * z, lambda z: he3(z) + z)
        assert index.exponent == k


def test_sizes_do_not_matter():
    """Student and teacher in units of 1e-8."""
    index = SingleIndex(lambda z: 1e-8 * he2(z), lambda z: 1e-8 * he2(z))
    assert (index.exponent, index.strength) == (2, pytest.approx(1e-16, rel=1e-12))


def test_where_both_signs_are_alike():
    assert SingleIndex(abs, relu).is_even
    assert not SingleIndex(relu, relu).is_even
    assert SingleIndex(he2, lambda z: he2(z) + he3(z)).is_even


def test_the_noise_of_he2():
    """E[δ²φ′²] = 12(1 − m²) (theory, exactly), with labels of noise Δ: + 2Δ; a sample moves m by η²·12 at m = 0.

    The last from E[(h₂(z) − h₂(y))² 2z² y²] by the moments 1, 3, 15: 2·E[h₂²z²] E y² … = 12.
    """
    index = SingleIndex(he2, he2)
    expected = np.zeros(len(index.noise))
    expected[[0, 2]] = 12, -12
    np.testing.assert_allclose(index.noise, expected, atol=1e-11)
    assert index.slope_square == pytest.approx(2, rel=1e-13)
    z2 = np.array([1, 3, 15, 105])  # E z², z⁴, z⁶, z⁸
    own = (z2[2] - 2 * z2[1] + z2[0]) / 2  # E h₂(z)² z²
    assert index.diffusion == pytest.approx(2 * (own + own * 1 - 2 * (z2[1] - z2[0]) ** 2 / 2), rel=1e-12)


SAMPLES = 1_000_000
PAIRS = {
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2, np.tanh),
    "relu": (relu, lambda z: z > 0, lambda z: 2 * relu(z)),
    "kinked": (kinked, lambda z: np.sign(z - 0.5) - 0.1, np.sin),
    "he3": (he3, lambda z: (3 * z**2 - 3) / np.sqrt(6), lambda z: 0.5 * np.tanh(3 * z)),
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("m", [0.0, 0.6, -0.3])
def test_signal_and_noise_are_those_of_samples(name, m):
    """ṁ = −E δφ′(u − mz), the projection of the negative gradient on the teacher, V, E φ′² and the diffusion.

    Within four standard errors of a million samples, and 1e-9 where these do not vary.
    """
    student, slope, teacher = PAIRS[name]
    index = SingleIndex(student, teacher)
    z, y = np.random.default_rng(7).standard_normal((2, SAMPLES))
    u = m * z + np.sqrt(1 - m * m) * y
    deviation, derivative = student(z) - teacher(u), slope(z)
    across = u - m * z
    expected = [
        (float(index.flow().rate(m)), -deviation * derivative * across),
        (polyval(m, index.noise), deviation**2 * derivative**2),
        (index.slope_square, derivative**2),
    ]
    if m == 0:
        expected.append((index.diffusion, deviation**2 * derivative**2 * across**2))
    for value, samples in expected:
        assert abs(value - samples.mean()) < 4 * samples.std() / SAMPLES**0.5 + 1e-9


def test_a_step_of_sgd_in_many_dimensions():
    """Mean change of m in one step from a given m, networks of d = 400 put back on the sphere, against the equation.

    What the equation leaves out is of order 1/d of the noise term, and η² of the signal: 1 % of the change here, beside
    four standard errors of 200 000 steps.
    """
    d, m, eta, noise, trials = 400, 0.4, 0.1 / 400, 0.5, 200_000
    rng = np.random.default_rng(3)
    z, y, label = rng.standard_normal((3, trials))
    rest = rng.chisquare(d - 2, trials)
    u = m * z + np.sqrt(1 - m * m) * y
    pull = eta * (he2(z) - he2(u) - np.sqrt(noise) * label) * np.sqrt(2) * z
    along, across = 1 - pull * z, -pull * y
    after = (m * along + np.sqrt(1 - m * m) * across) / np.sqrt(along**2 + across**2 + pull**2 * rest)
    change = (after - m) / eta
    expected = float(SingleIndex(he2, he2).sgd(OnePass(eta, label_noise=noise), d).rate(m))
    assert abs(change.mean() - expected) < 4 * change.std() / trials**0.5 + 0.01 * abs(expected)
    flow = float(SingleIndex(he2, he2).flow().rate(m))
    assert abs(flow - expected) > 10 * change.std() / trials**0.5  # the noise shows


def test_sgd_slows_he2_by_one_minus_three_eta_d():
    """(theory, exactly) from 0.3 to 0.8: 1.806 at ηd = 0.2 for the flow's 0.722; at ηd ≥ 1/3 it never gets there."""
    index, d = SingleIndex(he2, he2), 400
    plain = index.flow().time(0.3, 0.8)
    assert plain == pytest.approx(0.722, abs=5e-4)
    for rate in (0.05, 0.2, 0.3):
        assert index.sgd(OnePass(rate / d), d).time(0.3, 0.8) == pytest.approx(
            plain / (1 - 3 * rate), rel=1e-9
        )
    assert index.sgd(OnePass(0.2 / d), d).time(0.3, 0.8) == pytest.approx(1.806, abs=5e-4)
    assert index.sgd(OnePass(0.34 / d), d).time(0.3, 0.8) == np.inf
    assert index.sgd(OnePass(0.34 / d), d).limit(0.3) == 0
    assert index.sgd(OnePass(0.34 / d, batch=2), d).time(0.3, 0.8) == pytest.approx(
        plain / (1 - 3 * 0.17), rel=1e-9
    )
    assert index.largest_step(d, 0.3, 0.8) == pytest.approx(1 / (3 * d), rel=1e-9)
    assert index.largest_step(d, 0.3, 0.8, batch=5) == pytest.approx(5 / (3 * d), rel=1e-9)
    # label noise: 2m(1 − m²) against ½ηd m (12(1 − m²) + 2Δ), tightest at the end
    assert index.largest_step(d, 0.3, 0.8, label_noise=0.5) == pytest.approx(
        2 * 0.36 / (0.5 * d * (12 * 0.36 + 1)), rel=1e-9
    )


def test_the_largest_step_of_a_plateau_falls_like_d_to_minus_k_half():
    """k = 3: noise wins at the start 1/√d, where 3m² meets ½ηd m V(0), V(0) = 96 (E h₃²h₃′² + E h₃′², by moments)."""
    index = SingleIndex(he3, he3)
    for d in (10**4, 10**6):
        assert index.largest_step(d, d**-0.5, 0.5) == pytest.approx(6 * d**-1.5 / 96, rel=5 / d**0.5)


def test_a_random_start_of_sgd_is_stretched_for_k_2_alone():
    """He₂ in batches of 2 with labels of noise Δ = 0.5: √(1 + d η (12 + 2Δ)/(2λB)), λ = 2 − ½(ηd/B)(12 + 2Δ)."""
    how = OnePass(0.15 / 400, batch=2, label_noise=0.5)
    expected = np.sqrt(1 + 0.15 * 13 / (2 * (2 - 0.25 * 0.15 * 13) * 2))
    assert SingleIndex(he2, he2).stretch(how, 400) == pytest.approx(expected, rel=1e-9)
    assert SingleIndex(np.tanh, np.tanh).stretch(how, 400) == 1


@pytest.mark.parametrize("bad", [{"step": 0.0}, {"batch": 0}, {"label_noise": -1.0}])
def test_bad_training_is_refused(bad):
    (name,) = bad
    with pytest.raises(ProblemError, match=f"`{name}` is"):
        OnePass(**({"step": 0.1} | bad))
