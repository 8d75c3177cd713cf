"""The loss of directions: gradient and Hessian against differences and against the Riemannian Hessian by hand."""

from dataclasses import replace

import numpy as np
import pytest

from dynamics import Problem, Student, Teacher

H = 1e-5
rng = np.random.default_rng(3)
W = rng.standard_normal((3, 4))  # of any norm
DIRECTION = rng.standard_normal((3, 4))


def losses(activation="quadratic", a=(1.0, 0.5, -0.7)):
    problem = Problem(
        Teacher.from_eigenvalues([3, 2, 1, 0.3]),
        Student(W, a, trainable=False),
        activation,
        constraint="sphere",
    )
    return problem.population, problem.objective, np.array([a])


@pytest.mark.parametrize("anchor", [0.0, 0.7])
@pytest.mark.parametrize("activation", ["quadratic", "centred", "relu", "tanh", "hermite:3"])
def test_derivatives(activation, anchor):
    """Central differences, of error h²: of the loss L(w/‖w‖) its gradient, of the gradient the Hessian."""
    plain, loss, A = losses(activation)
    unit = W / np.linalg.norm(W, axis=1)[:, None]
    assert replace(loss, anchor=0.8).loss(W, A) == pytest.approx(
        loss.loss(W, A) + 0.2 * np.sum((np.sum(W**2, axis=1) - 1) ** 2)
    )
    assert loss.loss(W, A) == pytest.approx(plain.loss(unit, A), rel=1e-14)
    assert loss.loss(7 * W, A) == pytest.approx(loss.loss(W, A), rel=1e-14)
    loss = replace(loss, anchor=anchor)
    slope = (loss.loss(W + H * DIRECTION, A) - loss.loss(W - H * DIRECTION, A)) / (2 * H)
    assert -np.sum(loss.velocity(W, A)[0] * DIRECTION) == pytest.approx(slope, rel=1e-7)
    bend = -(loss.velocity(W + H * DIRECTION, A)[0] - loss.velocity(W - H * DIRECTION, A)[0]) / (2 * H)
    found = loss.hessian_vector(W, A, DIRECTION, 0 * A)[0]
    np.testing.assert_allclose(found, bend, atol=1e-7 * np.abs(bend).max())
    np.testing.assert_allclose(
        loss.hessian(W, A)[:12, :12] @ DIRECTION.ravel(), found.ravel(), rtol=1e-9, atol=1e-9
    )


def test_the_second_layer_is_as_in_the_base():
    """Mixed derivatives by differences in A."""
    _, loss, A = losses()
    dA = np.array([[0.3, -0.2, 0.5]])
    bend = -(loss.velocity(W, A + H * dA)[0] - loss.velocity(W, A - H * dA)[0]) / (2 * H)
    np.testing.assert_allclose(loss.hessian_vector(W, A, 0 * W, dA)[0], bend, atol=1e-8)


def test_the_flow_is_across_each_unit():
    """v = (I − wwᵀ) a G w at norm 1, with G = 4(M* − M) + 2τ written out; τ does not matter."""
    _, loss, A = losses()
    unit = W / np.linalg.norm(W, axis=1)[:, None]
    D = np.diag([3, 2, 1, 0.3]) - unit.T @ (A.T * unit)
    for tau in (2 * np.trace(D), 0.0):
        pull = A.T * (unit @ (4 * D + tau * np.eye(4)))
        expected = pull - unit * np.sum(unit * pull, axis=1)[:, None]
        np.testing.assert_allclose(loss.velocity(unit, A)[0], expected, atol=1e-13)
    np.testing.assert_allclose(losses("centred")[1].velocity(unit, A)[0], expected, atol=1e-13)


def test_a_unit_of_zeros_has_no_direction():
    _, loss, A = losses()
    assert loss.loss(0 * W, 0 * A) == pytest.approx(losses()[0].loss(0 * W, 0 * A))
    assert np.isfinite(loss.velocity(0 * W, A)[0]).all()


def test_other_properties_are_those_of_the_base():
    plain, loss, A = losses()
    unit = W / np.linalg.norm(W, axis=1)[:, None]
    np.testing.assert_allclose(loss.invariants(3 * W, A), plain.invariants(unit, A), rtol=1e-12)
    np.testing.assert_allclose(
        loss.losses(np.stack([W, 2 * W]), np.stack([A, A])), loss.loss(W, A), rtol=1e-13
    )
    assert loss.smooth and loss.forms is None
