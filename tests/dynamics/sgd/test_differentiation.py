"""Derivatives by complex steps, against a polynomial's own."""

import numpy as np
import pytest

from dynamics.sgd.differentiation import along, derivatives, jacobian, second_along


def cubic(s):
    """f = (x²y, y³ + x), for stacks of states (x, y)."""
    x, y = s[..., 0], s[..., 1]
    return np.stack([x**2 * y, y**3 + x], axis=-1)


STATE = np.array([0.7, -1.3])


def test_first_derivatives_are_exact():
    x, y = STATE
    J = np.array([[2 * x * y, x**2], [1, 3 * y**2]])
    np.testing.assert_allclose(jacobian(cubic, STATE), J, rtol=1e-15)
    np.testing.assert_allclose(along(cubic, STATE, np.array([2.0, 5.0])), J @ [2, 5], rtol=1e-14)
    np.testing.assert_allclose(jacobian(lambda s: cubic(s)[..., 0], STATE), J[0], rtol=1e-15)


def test_second_derivatives_to_eight_digits():
    """f″[v, w] of the first component: 2y v₁w₁ + 2x(v₁w₂ + v₂w₁); of the second: 6y v₂w₂."""
    (x, y), v, w = STATE, np.array([0.3, 2.0]), np.array([-1.0, 0.5])
    expected = [2 * y * v[0] * w[0] + 2 * x * (v[0] * w[1] + v[1] * w[0]), 6 * y * v[1] * w[1]]
    np.testing.assert_allclose(second_along(cubic, STATE, v, w), expected, rtol=1e-8)
    stack = second_along(cubic, STATE, np.stack([v, 0 * v]), np.stack([w, w]))
    np.testing.assert_allclose(stack, [expected, [0, 0]], rtol=1e-8)
    scalar = second_along(lambda s: cubic(s)[..., 0], STATE, np.stack([v, w]), np.stack([w, v]))
    np.testing.assert_allclose(scalar, [expected[0]] * 2, rtol=1e-8)


def test_a_direction_of_length_zero_is_harmless():
    assert along(cubic, STATE, np.zeros(2)) == pytest.approx([0, 0])


def test_second_derivatives_at_the_origin():
    """The size of the state sets the step elsewhere; here f″ of (x²y, y³ + x) is zero, and of x² y⁰ + xy it is not."""
    v, w = np.array([0.3, 2.0]), np.array([-1.0, 0.5])
    np.testing.assert_allclose(second_along(cubic, np.zeros(2), v, w), [0, 0], atol=1e-12)
    found = second_along(lambda s: s[..., 0] ** 2 + s[..., 0] * s[..., 1], np.zeros(2), v, w)
    assert found == pytest.approx(2 * v[0] * w[0] + v[0] * w[1] + v[1] * w[0], rel=1e-8)


def test_first_and_second_derivatives_in_one_call():
    """f′ and f″:S = Σ_ab S_ab ∂_a∂_b f by hand, from one call of the function on 3u states."""
    (x, y), (a, b, c), stacks = STATE, (0.3, -0.8, 1.7), []

    def watched(s):
        stacks.append(s.shape)
        return cubic(s)

    slopes, curved = derivatives(watched, STATE, np.array([[a, b], [b, c]]))
    np.testing.assert_allclose(slopes, [[2 * x * y, x**2], [1, 3 * y**2]], rtol=1e-15)
    np.testing.assert_allclose(curved, [2 * y * a + 4 * x * b, 6 * y * c], rtol=1e-8)
    assert stacks == [(6, 2)]
