"""Networks called on inputs, against the sum over units written out."""

from __future__ import annotations

import numpy as np
import pytest

from dynamics import ProblemError, Student, Teacher
from dynamics.problem.teacher import NoTeacher

RNG = np.random.default_rng(0)
W, A, X = RNG.standard_normal((3, 4)), RNG.standard_normal((2, 3)), RNG.standard_normal((5, 4))
SIGMA = np.diag([2.0, 1.0, 0.5, 3.0])


def by_hand(phi) -> np.ndarray:
    return np.array([[sum(A[o, k] * phi(W[k] @ x, W[k]) for k in range(3)) for o in range(2)] for x in X])


@pytest.mark.parametrize("make", [Student, Teacher])
@pytest.mark.parametrize(
    ("arguments", "phi"),
    [
        ({}, lambda z, w: z**2),
        ({"activation": "centred"}, lambda z, w: z**2 - w @ w),
        ({"activation": "centred", "covariance": SIGMA}, lambda z, w: z**2 - w @ SIGMA @ w),
        ({"activation": "relu"}, lambda z, w: max(z, 0.0)),
        ({"activation": "leaky-relu:0.1"}, lambda z, w: z if z > 0 else 0.1 * z),
    ],
)
def test_outputs_are_sums_over_units(make, arguments, phi):
    network, expected = make(W, A), by_hand(phi)
    np.testing.assert_allclose(network(X, **arguments), expected, rtol=0, atol=1e-13)
    one = network(X[1], **arguments)
    assert one.shape == (2,)
    np.testing.assert_allclose(one, expected[1], rtol=0, atol=1e-13)


def test_a_quadratic_teacher_is_its_form():
    M = np.array([[1.0, 0.5], [0.5, -2.0]])
    x = RNG.standard_normal((4, 2))
    np.testing.assert_allclose(Teacher.from_matrix(M)(x)[:, 0], np.einsum("ni,ij,nj->n", x, M, x), atol=1e-14)


@pytest.mark.parametrize("shape", [(5, 3), (2, 5, 4), (3,)])
def test_inputs_of_another_shape_are_refused(shape):
    with pytest.raises(ProblemError, match=r"`X` has shape .*, but a network of 4 inputs takes"):
        Student(W, A)(np.zeros(shape))


def test_no_teacher_cannot_be_called():
    with pytest.raises(ProblemError, match="no teacher that gives others"):
        NoTeacher.of(4, 1)(X)
