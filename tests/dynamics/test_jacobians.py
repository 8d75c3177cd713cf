"""Every vector field that an implicit solver may get: its Jacobian is the derivative of its right-hand side.

A wrong Jacobian changes no result, it only makes the solver slow or lets it give up; so it is compared with central
differences, whose error with a step of 1e-5 is some 1e-10 of third derivatives and 1e-11 of rounding.
"""

import numpy as np
import pytest

from dynamics import FiniteDataFlow, GradientFlow, MeanSGD, ModifiedFlow, Problem, Student, Teacher
from dynamics.conserved.drift import DriftField
from dynamics.flows.path_space import PathFlow
from dynamics.neuron import NeuronFlow, Neurons, QuadraticTarget, Rates

STEP = 1e-5


def problem(activation="quadratic", trainable=True, covariance=None, outputs=1):
    rng = np.random.default_rng(3)
    teacher = Teacher(rng.standard_normal((2, 3)), rng.standard_normal((outputs, 2)))
    student = Student(0.5 * rng.standard_normal((3, 3)), 0.5 * rng.standard_normal((outputs, 3)), trainable)
    return Problem(teacher, student, activation, covariance)


SIGMA = np.array([[2.0, 0.3, 0.0], [0.3, 1.0, -0.2], [0.0, -0.2, 0.7]])
DATA = np.random.default_rng(4).standard_normal((12, 3))
FIELDS = {
    "quadratic": lambda: GradientFlow(problem(outputs=2)),
    "centred, second layer fixed": lambda: GradientFlow(problem("centred", trainable=False)),
    "covariance": lambda: GradientFlow(problem(covariance=SIGMA)),
    "relu": lambda: GradientFlow(problem("relu")),
    "modified": lambda: ModifiedFlow(GradientFlow(problem()), 0.05, 0.3),
    "finite data": lambda: FiniteDataFlow(problem(), DATA, DATA[:, 0] * DATA[:, 1]),
    "mean SGD": lambda: MeanSGD(problem(), 0.01, 4, 0.2),
    "path space": lambda: PathFlow(problem("relu")),
    "neurons": lambda: NeuronFlow(
        QuadraticTarget.random(2, seed=1), Neurons.initialise(2, 2, seed=2), Rates(0.5, 0.3, 0.2, 2.0), 0.1
    ),
}


def differences(field, theta):
    """Jacobian of a right-hand side by central differences, (n, n)."""
    shifts = STEP * np.eye(theta.size)
    return np.stack([(field(0.0, theta + e) - field(0.0, theta - e)) / (2 * STEP) for e in shifts], axis=1)


@pytest.mark.parametrize("name", FIELDS)
def test_the_jacobian_is_the_derivative(name):
    field = FIELDS[name]()
    theta = field.theta0
    expected = differences(field, theta)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(field.jacobian(0.0, theta), expected, atol=1e-7 * np.abs(expected).max())


def test_the_jacobian_of_drifting_quantities_leaves_out_what_acts_on_nothing():
    """q̇ depends on θ, but q acts on nothing: those rows are documented to be left out, all others are exact."""
    field = DriftField.create(problem(), 0.05, 0.3, 0.02, 0, 0.0, (0.7, 0.7))
    state, n = field.start(), field.unknowns
    J, expected = field.jacobian(0.0, state), differences(field, state)
    np.testing.assert_allclose(J[:n], expected[:n], atol=1e-7 * np.abs(expected).max())
    np.testing.assert_allclose(J[n:, n:], expected[n:, n:], atol=1e-7 * np.abs(expected).max())
    assert not J[n:, :n].any()
