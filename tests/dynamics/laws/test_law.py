"""Evaluation of laws, and refusals."""

import numpy as np
import pytest
import sympy
from scipy.integrate import quad

from dynamics.errors import ProblemError
from dynamics.laws.families import travel_time_laws
from dynamics.laws.law import Law
from dynamics.laws.models import quadratic

x, y = sympy.symbols("x y")


def test_a_law_evaluates_along_the_last_axis():
    law = Law(x**2 - 2 * y**2 / 3, (x, y))
    theta = np.random.default_rng(0).normal(size=(4, 5, 2))
    np.testing.assert_allclose(law(theta), theta[..., 0] ** 2 - 2 * theta[..., 1] ** 2 / 3, rtol=1e-15)
    assert law([3.0, 0.0]).shape == ()
    assert law([3, 0]) == 9


def test_parameters_that_a_law_ignores_still_count():
    assert Law(x, (x, y))(np.ones((7, 2))).shape == (7,)


def test_degree_and_text():
    assert Law(x**2 * y - x, (x, y)).degree == 3
    assert Law(x / y, (x, y)).degree is None
    assert str(Law(x - y, (x, y))) == "x - y"


@pytest.mark.parametrize("a", [0.3, -0.9, 1.4, 0.0])
@pytest.mark.parametrize("w", [0.2, 1.1])
def test_piecewise_clock_is_the_travel_time(w, a):
    """T(a) − T(a₁) = ∫ da/(c + 2a²) along one orbit by quadrature, for c of either sign, without warnings.

    Unit 0 stays at a fixed state so that its clock drops out of the difference.
    """
    c = w**2 - 2 * a**2
    later = a + 0.01  # a increases along the orbit w² = c + 2a²
    network = quadratic(1, 2)
    (law,) = travel_time_laws(network.parameters[:2], network.parameters[2:], network.parameters)
    states = (
        [[1.0, w, 0.25, a], [1.0, np.sqrt(c + 2 * later**2), 0.25, later]] if c + 2 * later**2 > 0 else None
    )
    if states is None:
        pytest.skip("the orbit has turned")
    expected = quad(lambda s: 1 / (c + 2 * s**2), a, later, epsabs=0, epsrel=1e-13)[0]
    before, after = law(np.array(states))
    assert after - before == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Law(x + sympy.Symbol("z"), (x, y)), "contains z"),
        (lambda: Law(sympy.Integer(3), (x, y)), "must depend on a parameter"),
        (lambda: Law(sympy.zoo * x, (x, y)), "finite"),
        (lambda: Law("x", (x, y)), "finite SymPy expression"),
        (lambda: Law(x, (x, y))(np.ones(3)), "shape (3,)"),
        (lambda: Law(x, (x, y))(1.0), "shape ()"),
    ],
)
def test_bad_laws_are_refused(build, message):
    with pytest.raises(ProblemError) as caught:
        build()
    assert message in str(caught.value)
