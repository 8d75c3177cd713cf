"""Starts of a search among networks: their symmetries, descents, and roots made more symmetric."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.stationary.search import search_fixed_points
from dynamics.stationary.starts import NetworkStarts


def starts(activation, K=3, d=2, trainable=True, size=1.0):
    """Of K units that learn two of the same kind."""
    rng = np.random.default_rng(0)
    student = Student(rng.standard_normal((K, d)), rng.standard_normal(K), trainable)
    flow = GradientFlow(Problem(Teacher(np.eye(d), np.ones(d)), student, activation))
    return flow, NetworkStarts(flow, size)


def test_units_that_coincide_stay_so_under_gradient_and_hessian():
    """The first kind of start: groups of equal rows of W and A, which ∇L keeps equal.

    A descent among them keeps them so up to rounding that grows, hence to six digits here.
    """
    flow, given = starts("gelu")
    rng = np.random.default_rng(4)
    groups = []
    for number in range(0, 60, 5):
        theta = given.draw(number, rng)
        W, A = flow.unpack(theta)
        vW, vA = flow.unpack(flow(0.0, theta))
        groups.append(len(np.unique(W.round(6), axis=0)))
        for k in range(3):
            same = (np.abs(W - W[k]) < 1e-6).all(axis=1)
            np.testing.assert_array_equal(A[:, same], np.tile(A[:, [k]], same.sum()))
            np.testing.assert_allclose(vW[same], np.tile(vW[k], (same.sum(), 1)), atol=1e-6)
            np.testing.assert_allclose(vA[:, same], np.tile(vA[:, [k]], same.sum()), atol=1e-6)
    assert set(groups) == {1, 2, 3}


def test_descents_end_near_minima_or_on_their_way():
    """Of five starts the second is the end of a descent, the fourth a state before it: ∇L tells them apart."""
    flow, given = starts("tanh", K=2)
    rng = np.random.default_rng(1)
    gradients = {
        number: [np.abs(flow(0.0, given.draw(number, rng))).max() for _ in range(8)] for number in range(5)
    }
    assert np.median(gradients[1]) < 1e-7 < np.median(gradients[3])
    assert min(np.median(gradients[number]) for number in (2, 4)) > 1e-3


def test_starts_are_in_natural_units():
    """A descent of weights of another size is that of the loss in these units."""
    flow, one = starts("erf", K=2)
    two = NetworkStarts(flow, 2.0)
    x = one.draw(1, np.random.default_rng(3))
    y = two.draw(1, np.random.default_rng(3))
    assert np.abs(flow(0.0, x)).max() < 1e-7
    assert np.abs(flow(0.0, 2 * y)).max() < 1e-7


@pytest.mark.parametrize(
    ("activation", "signs"),
    [("erf", (-1, -1)), ("quadratic", (-1, 1)), ("gelu", (1, 1))],
)
def test_units_that_almost_coincide_are_put_together(activation, signs):
    """Up to reflections: (w, a) → (−w, −a) of an odd φ and (−w, a) of an even one; the third unit stays as it is."""
    flow, given = starts(activation)
    w, a, e = np.array([1.0, 0.4]), 0.7, 0.004
    W = np.array([w + e, signs[0] * (w - e), [0.5, -1.0]])
    A = np.array([[a - e, signs[1] * (a + e), 0.2]])
    found, second = flow.unpack(given.coinciding(flow.pack(W, A)))
    np.testing.assert_allclose(found, [w, signs[0] * w, [0.5, -1.0]], atol=1e-15)
    np.testing.assert_allclose(second, [[a, signs[1] * a, 0.2]], atol=1e-15)


def test_a_reflection_that_is_no_symmetry_is_none():
    """GELU: units at w and −w are two; fixed second layers are not touched; small ones vanish."""
    flow, given = starts("gelu", trainable=False)
    w = np.array([1.0, 0.4])
    W = np.array([w, -w, [0.01, 0.01]])
    found, A = flow.unpack(given.coinciding(flow.pack(W, np.zeros((1, 3)))))
    np.testing.assert_array_equal(found, [w, -w, [0, 0]])
    np.testing.assert_array_equal(A, flow.problem.student.A)
    flow, given = starts("gelu")
    _, A = flow.unpack(given.coinciding(flow.pack(W, np.array([[1.0, 2.0, 0.01]]))))
    np.testing.assert_array_equal(A, [[1, 2, 0]])


class Beside(NetworkStarts):
    """Starts beside the symmetric plateau of two erf units, in a direction in which L is flat to high order."""

    def draw(self, number, rng):
        return 6**-0.5 * np.ones(4) + 1e-2 * np.array([1, 1, -1, -1])


class Blunt(Beside):
    """The same without a more symmetric state."""

    def coinciding(self, theta):
        return theta


def test_a_degenerate_root_is_found_to_rounding_among_symmetric_states():
    """w_1 = w_2 = (v_1 + v_2)/√6: ∇L is of third order across it, so that it alone leaves an error of 1e-4 or so."""
    student = Student(np.ones((2, 2)), np.ones(2), trainable=False)
    flow = GradientFlow(Problem(Teacher(np.eye(2), np.ones(2)), student, "erf"))
    (sharp,) = search_fixed_points(flow, 1, size=1.0, given=Beside(flow, 1.0)).roots
    np.testing.assert_allclose(sharp.theta, 6**-0.5, rtol=0, atol=1e-13)
    blunt = search_fixed_points(flow, 1, size=1.0, given=Blunt(flow, 1.0)).roots
    assert not blunt or np.abs(blunt[0].theta - 6**-0.5).max() > 1e-6
