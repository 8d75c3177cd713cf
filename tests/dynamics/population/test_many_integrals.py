"""Many integrals at once: Kronrod's rule against what it must integrate, and singular integrands in closed form."""

import numpy as np
import pytest

from dynamics.population.many_integrals import integrals, kronrod


def test_one_node_is_extended_to_three_of_gauss():
    """n = 1: the roots of P₁ and of P₂ + c with ∫ P₁ E P₁ = 0 are 0 and ±√⅗, Gauss's three."""
    nodes, weights, gauss = kronrod(1)
    np.testing.assert_allclose(nodes, [-np.sqrt(0.6), 0, np.sqrt(0.6)], atol=1e-15)
    np.testing.assert_allclose(weights, [5 / 9, 8 / 9, 5 / 9], atol=1e-15)
    np.testing.assert_allclose(gauss, [0, 2, 0], atol=1e-15)


@pytest.mark.parametrize("n", [4, 7, 10])
def test_degrees(n):
    """Exact for all powers up to 3n + 1, and Gauss's within for those up to 2n − 1; not for the next even one."""
    nodes, weights, gauss = kronrod(n)
    for rule, highest in ((weights, 3 * n + 1), (gauss, 2 * n - 1)):
        powers = np.arange(highest + 1)
        np.testing.assert_allclose(
            rule @ nodes[:, None] ** powers, (1 + (-1.0) ** powers) / (powers + 1), atol=2e-14
        )
    assert abs(gauss @ nodes ** (2 * n) - 2 / (2 * n + 1)) > 1e-8


def test_singular_ends_and_a_peak():
    """Logarithm, roots and a peak that halving has to find: values in closed form, within the stated error."""
    functions = [
        np.log,
        np.sqrt,
        lambda y: y**-0.5,
        lambda y: 1 / (1e-4 + (y - 0.5) ** 2),
    ]
    peak = 2 * np.arctan(50.0) / 1e-2
    wanted = np.array([-1, 2 / 3, 2, peak])

    def together(y, which):
        return np.array([functions[i](row) for i, row in zip(which, y, strict=True)])

    values, errors = integrals(together, np.zeros(4), np.ones(4), 1e-7)
    assert (np.abs(values - wanted) <= errors + 1e-14 * wanted).all()
    assert (errors < 1e-6).all()


def test_each_has_its_interval():
    """∫ y² of intervals apart, one of them empty."""
    start, end = np.array([-1.0, 2.0, 5.0]), np.array([0.5, 4.0, 5.0])
    values, errors = integrals(lambda y, which: y * y, start, end, 1e-3)
    np.testing.assert_allclose(values, (end**3 - start**3) / 3, rtol=1e-14)
    assert (errors < 1e-3).all()
