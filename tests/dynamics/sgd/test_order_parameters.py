"""Order parameters carry the same information as the weights."""

import numpy as np
import pytest

from dynamics.activations import ACTIVATIONS
from dynamics.curves.units import unit_invariants
from dynamics.problem.modes import teacher_modes
from dynamics.sgd.order_parameters import OrderParameters


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize("trainable", [False, True])
def test_loss_modes_and_balance_are_those_of_the_weights(make_problem, rng, activation, trainable):
    """Oracle: the same read off W and A; the teacher's directions are neither orthogonal nor normalised."""
    problem = make_problem(rng, d=6, K=3, R=4, O=2, activation=activation, trainable=trainable)
    order, W, A = OrderParameters(problem), problem.student.W, problem.student.A
    population = ACTIVATIONS[activation].population(problem.teacher.V, problem.teacher.B, None)
    assert order.loss(order.start) == pytest.approx(population.loss(W, A), rel=1e-12)
    np.testing.assert_allclose(order.modes(order.start), teacher_modes(problem.teacher, W, A), rtol=1e-10)
    np.testing.assert_allclose(order.balance(order.start), unit_invariants(W, A, 2), rtol=1e-13)


@pytest.mark.parametrize(
    "activation", ["linear", "polynomial:0,0,0,2", "polynomial:0,0,0,0,1", "erf", "hermite:3"]
)
def test_the_same_of_other_activations(make_problem, rng, activation):
    """Odd and even modes, c_k with the degree; of φ that are not homogeneous neither."""
    problem = make_problem(rng, d=6, K=3, R=4, O=2, activation=activation)
    order, W, A = OrderParameters(problem), problem.student.W, problem.student.A
    assert order.loss(order.start) == pytest.approx(problem.population.loss(W, A), rel=1e-11)
    modes = problem.modes(W, A)
    assert bool(modes.size) == problem.has_modes
    np.testing.assert_allclose(order.modes(order.start), modes, rtol=1e-9)
    degree = problem.activation.degree
    np.testing.assert_allclose(order.balance(order.start), unit_invariants(W, A, degree), rtol=1e-13)


@pytest.mark.parametrize("activation", ["relu", "abs"])
def test_the_same_of_one_kinked_unit(make_problem, rng, activation):
    problem = make_problem(rng, d=6, K=1, R=1, O=2, activation=activation)
    order, W, A = OrderParameters(problem), problem.student.W, problem.student.A
    assert order.loss(order.start) == pytest.approx(problem.population.loss(W, A), rel=1e-12)
    np.testing.assert_allclose(order.modes(order.start), problem.modes(W, A), rtol=1e-10)
    np.testing.assert_allclose(order.balance(order.start), unit_invariants(W, A, 1), rtol=1e-13)


def test_states_can_be_stacked_and_taken_apart(make_problem, rng):
    problem = make_problem(rng, d=5, K=3, R=2, O=2)
    order = OrderParameters(problem)
    stack = order.start + rng.standard_normal((4, 1, order.start.size))
    assert order.loss(stack).shape == (4, 1)
    np.testing.assert_array_equal(order.pack(*order.unpack(stack)), stack)
    Omega, C = order.gram(stack)
    assert (Omega.shape, C.shape) == ((4, 1, 5, 5), (4, 1, 2, 5))
    np.testing.assert_allclose(order.loss(stack)[2, 0], order.loss(stack[2, 0]), rtol=1e-13)


def test_every_unknown_knows_its_pair(make_problem, rng):
    """Q_kl and R_km are entries of Ω = UUᵀ, U = [W; V]; A_ok goes with the square of unit k."""
    problem = make_problem(rng, d=5, K=2, R=3, O=2)
    order, U = OrderParameters(problem), np.vstack([problem.student.W, problem.teacher.V])
    i, j = order.pairs
    np.testing.assert_allclose((U @ U.T)[i, j][:9], order.start[:9], rtol=1e-13)
    np.testing.assert_array_equal(np.stack([i, j], axis=1)[9:], [[0, 0], [1, 1]] * 2)


def test_a_teacher_without_directions():
    """M* = 0: no overlaps R, no modes."""
    from dynamics import Problem, Student, Teacher

    student = Student([[1.0, 2.0]], [0.5])
    order = OrderParameters(Problem(Teacher.from_eigenvalues([0.0], 2), student))
    assert order.start.size == 2
    assert order.modes(order.start).shape == (0,)
    assert order.loss(order.start) == pytest.approx(0.25 * 25 * 1.5)  # a²‖w‖⁴(1 + ½)
