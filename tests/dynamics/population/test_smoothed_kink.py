"""The tower of kernels of a smoothed kink: by differentiation, by quadrature, and for short vectors."""

import numpy as np
import pytest
import sympy

from dynamics.population.gram_pairs import GramPairs
from dynamics.population.smoothed_kink import TOWER, SmoothedPairs, kink_mean

A, B, S = sympy.symbols("A B s", positive=True)


def symbolic(i, j, values):
    """F_ij from F_{−1,−1} by ∂/∂s and 2∂/∂A, at numbers, with 30 digits."""
    D = A * B - S**2
    theta = sympy.asin(S / sympy.sqrt(A * B))
    F = (3 * sympy.sqrt(D) * S + theta * (A * B + 2 * S**2)) / (8 * sympy.pi)
    F = sympy.diff(F, S, min(i, j) + 1)
    F = 2 ** (abs(i - j) // 2) * sympy.diff(F, A if i > j else B, abs(i - j) // 2)
    return float(F.evalf(30, subs=dict(zip((A, B, S), values, strict=True))))


@pytest.mark.parametrize(("i", "j"), TOWER)
def test_every_entry_is_a_derivative_of_the_first(i, j):
    """∂F_ij/∂s = F_{i+1,j+1} and ∂F_ij/∂A = ½ F_{i+2,j} (Price), starting from half the kernel of z|z|/2, by SymPy."""
    for values in ((1.3, 0.7, 0.4), (0.2, 5.0, -0.9)):
        a, b, s = (np.array([x]) for x in values)
        pairs = SmoothedPairs(a, b, s, a * b - s * s, a, b)
        expected = symbolic(i, j, values)
        assert pairs.F(i, j)[0] == pytest.approx(expected, rel=1e-12)
        swapped = SmoothedPairs(b, a, s, a * b - s * s, b, a)
        assert swapped.F(j, i)[0] == pytest.approx(expected, rel=1e-12)


def test_the_first_entry_is_the_kernel_of_a_kink():
    """E S̃_a(z_1) S̃_b(z_2), S̃_a(z) = E|z + aξ|/2, by the product of two trapezoidal rules."""
    from scipy.stats import norm

    a, b, q1, q2, s = 0.7, 1.1, 0.8, 1.5, -0.6
    x = np.linspace(-9, 9, 301)
    w = np.exp(-(x**2) / 2) * (x[1] - x[0]) / np.sqrt(2 * np.pi)
    z1 = np.sqrt(q1) * x[:, None]
    z2 = s / np.sqrt(q1) * x[:, None] + np.sqrt(q2 - s * s / q1) * x

    def kink(z, width):
        return z * (norm.cdf(z / width) - 0.5) + width * norm.pdf(z / width)

    brute = float(np.einsum("i,j,ij,ij->", w, w, kink(z1, a) + 0 * z2, kink(z2, b)))
    mean = float(w @ kink(np.sqrt(q1) * x, a))
    U, V = np.array([[np.sqrt(q1), 0.0]]), np.array([[s / np.sqrt(q1), np.sqrt(q2 - s * s / q1)]])
    pairs = SmoothedPairs.of(GramPairs(U, V), np.array(a * a), np.array(b * b))
    assert pairs.F(0, 0).item() == pytest.approx(brute, rel=1e-12)
    assert kink_mean(0, np.array([a * a + q1])).item() == pytest.approx(mean, rel=1e-12)


@pytest.mark.parametrize("order", [2, 4, 6, 8])
def test_means_are_derivatives(order):
    """E S̃⁽ⁱ⁺²⁾ = 2 d/dA E S̃⁽ⁱ⁾ of √(A/2π); odd orders vanish."""
    mean = 2 ** (order // 2) * sympy.diff(sympy.sqrt(A / (2 * sympy.pi)), A, order // 2)
    at = np.array([0.3, 4.0])
    np.testing.assert_allclose(kink_mean(order, at), [float(mean.subs(A, x)) for x in at], rtol=1e-14)
    assert not kink_mean(order - 1, at).any() and not kink_mean(-1, at).any()


def test_determinants_of_nearly_parallel_vectors():
    """|u|²|v|² − (u·v)² = |u|²|v|² sin² of an angle of 1e-9, of which the difference would keep no digit."""
    angle = 1e-9
    U, V = np.array([[2.0, 0.0]]), 3 * np.array([[np.cos(angle), np.sin(angle)]])
    assert GramPairs(U, V).determinant.item() == pytest.approx(36 * np.sin(angle) ** 2, rel=1e-7)
