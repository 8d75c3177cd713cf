"""The tangent kernel on given inputs against Jacobians by automatic differentiation, and along a flow."""

import numpy as np
import pytest
import torch

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.activations import Activation
from dynamics.curvature import tangent_kernel

D = 3
NAMES = ("quadratic", "centred", "relu", "leaky-relu:0.1", "erf", "gelu", "polynomial:0,1,0,0.3")
SIGMA = np.array([[2.0, 0.3, 0.1], [0.3, 0.7, 0.0], [0.1, 0.0, 1.1]])


def student(outputs=1, trainable=True):
    rng = np.random.default_rng(1)
    return Student(rng.standard_normal((4, D)), rng.standard_normal((outputs, 4)), trainable)


def jacobian(net, X, phi, Sigma=None):
    """∂f_o(x_i)/∂θ by PyTorch, (n·O, weights)."""
    W, A, x = (torch.tensor(array) for array in (net.W, net.A, X))
    S = torch.eye(D, dtype=torch.float64) if Sigma is None else torch.tensor(Sigma)

    def f(W, A):
        return (phi.phi(x @ W.T, ((W @ S) * W).sum(1)) @ A.T).reshape(-1)

    first, second = torch.autograd.functional.jacobian(f, (W, A))
    parts = [first.flatten(1), second.flatten(1)] if net.trainable else [first.flatten(1)]
    return torch.cat(parts, 1).numpy()


@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize(
    "name", ["quadratic", "centred", "relu", "leaky-relu:0.1", "erf", "gelu", "polynomial:0,1,0,0.3"]
)
def test_against_jacobians(name, outputs, trainable):
    net, phi = student(outputs, trainable), Activation.parse(name)
    rng = np.random.default_rng(2)
    X, Y = rng.standard_normal((5, D)), rng.standard_normal((2, D))
    for Sigma in (None, SIGMA):
        J, other = jacobian(net, X, phi, Sigma), jacobian(net, Y, phi, Sigma)
        K = tangent_kernel(net, X, activation=phi, covariance=Sigma)
        np.testing.assert_allclose(K, J @ J.T, rtol=1e-12, atol=1e-12 * np.abs(K).max())
        mixed = tangent_kernel(net, X, Y, activation=phi, covariance=Sigma)
        np.testing.assert_allclose(mixed, J @ other.T, rtol=1e-12, atol=1e-12 * np.abs(K).max())


def test_an_activation_of_ones_own():
    """Its derivative is that of its expansion."""
    phi = Activation.from_callable(lambda z: z / (1 + z * z) ** 0.5, torch=lambda z: z / (1 + z * z) ** 0.5)
    assert phi.slope is None
    X = np.random.default_rng(2).standard_normal((4, D))
    J = jacobian(student(), X, phi)
    np.testing.assert_allclose(tangent_kernel(student(), X, activation=phi), J @ J.T, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("name", ["quadratic", "centred", "erf"])
@pytest.mark.parametrize("trainable", [True, False])
def test_it_moves_the_function_along_the_flow_on_data(name, trainable):
    """ḟ(x) = −(1/n) Σ_i K(x, x_i)(f(x_i) − y_i), at samples and elsewhere: by central differences."""
    rng = np.random.default_rng(3)
    X, Y, elsewhere = rng.standard_normal((6, D)), rng.standard_normal((6, 2)), rng.standard_normal((2, D))
    problem = Problem(None, student(2, trainable), name, data=(X, Y))
    curve, t, h = GradientFlow(problem).integrate(0.1, samples=2), 0.04, 1e-4
    here, net = curve.at(t), curve.at(t).student_at(0)
    errors = (here.outputs(X)[0] - Y).ravel()
    for inputs in (X, elsewhere):
        K = tangent_kernel(net, inputs, X, activation=name, covariance=problem.variance)
        before, after = curve.at([t - h, t + h]).outputs(inputs)
        speed = -(K @ errors) / len(X)
        np.testing.assert_allclose((after - before).ravel() / (2 * h), speed, atol=1e-4 * np.abs(speed).max())


def test_what_is_refused():
    with pytest.raises(
        ProblemError, match=r"`X` has shape \(2, 5\), but a network of 3 inputs takes \(n, 3\)"
    ):
        tangent_kernel(student(), np.ones((2, 5)))
    with pytest.raises(ProblemError, match=r"`X` has shape \(2, 5\)"):
        tangent_kernel(student(), np.ones((2, 3)), np.ones((2, 5)))
    with pytest.warns(UserWarning, match="fitted only to"):
        wave = Activation.from_callable(np.sin, "wave", torch=torch.sin)
    with pytest.raises(
        ProblemError, match="`activation` is 'wave', of which no derivative is known: give `slope`"
    ):
        tangent_kernel(student(), np.ones((2, 3)), activation=wave)


def test_a_slope_that_is_given():
    """Of a function without an expansion it is the one that is given."""
    with pytest.warns(UserWarning, match="fitted only to"):
        wave = Activation.from_callable(np.sin, "wave", torch=torch.sin, slope=lambda z: np.cos(z))
    X = np.random.default_rng(2).standard_normal((4, D))
    J = jacobian(student(), X, wave)
    np.testing.assert_allclose(tangent_kernel(student(), X, activation=wave), J @ J.T, rtol=1e-12)


def test_the_student_at_a_sample():
    """Weights, and whether the second layer is trained, of a reduced problem too."""
    problem = Problem(
        Teacher.from_eigenvalues([1.0], 9), Student.initialise(2, 9, scale=0.5, second_layer="fixed")
    )
    curve = GradientFlow(problem).integrate(0.5, samples=3)
    net = curve.student_at(-1)
    np.testing.assert_array_equal(net.W, curve.W[-1])
    np.testing.assert_array_equal(net.A, curve.A[-1])
    assert not net.trainable
