"""Student's law as a mixture over lengths: other activations, against the density of the law itself."""

import numpy as np
import pytest
import torch
from scipy.stats import f as fisher

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.activations import Activation
from dynamics.inputs.laws import StudentT
from dynamics.inputs.lengths import growth, lengths

TEACHER = Teacher([[0.8, -0.4], [0.1, 0.9]], [[0.7, -0.5]])
STUDENT = Student([[0.5, 0.3], [-0.4, 0.6], [0.2, -0.7]], [[0.6, 0.4, -0.5]])
SIGMA = np.array([[1.0, 0.4], [0.4, 0.7]])


def polar_rule(nu, root):
    """The plane in polar coordinates: R²/2 · ν/(ν − 2) is of Fisher's law; trapezoidal rules in ln R and the angle."""
    h, m = 0.02, 96
    y = np.arange(-14.0, 60 / (nu - 2), h)  # ln R²
    scale = 2 * (nu - 2) / nu
    weights = h * np.exp(y) * fisher.pdf(np.exp(y) / scale, 2, nu) / scale
    angle = 2 * np.pi * np.arange(m) / m
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    x = (np.exp(y / 2)[:, None, None] * circle).reshape(-1, 2) @ root
    return torch.tensor(x), torch.tensor(np.repeat(weights, m) / m)


@pytest.mark.parametrize("nu", [5, 12])
@pytest.mark.parametrize(
    ("name", "taught", "correlated"),
    [("erf", None, True), ("gelu", None, False), ("tanh", "linear", True), ("softplus", "erf", False)],
)
def test_losses_and_gradients_are_means_over_the_law(nu, name, taught, correlated):
    """Loss and gradient, by autograd of the integral; 5e-7 is left of inner radii below e⁻⁷ and of the outer ones."""
    phi, psi = Activation.parse(name), Activation.parse(taught or name)
    lam, E = np.linalg.eigh(SIGMA)
    root = (E * np.sqrt(lam)) @ E.T if correlated else np.eye(2)
    problem = Problem(
        TEACHER,
        STUDENT,
        phi,
        SIGMA if correlated else None,
        teacher_activation=psi,
        distribution=StudentT(nu),
    )
    x, p = polar_rule(nu, root)
    W, A = (torch.tensor(part, requires_grad=True) for part in (STUDENT.W, STUDENT.A))
    V, B = torch.tensor(TEACHER.V), torch.tensor(TEACHER.B)
    loss = 0.5 * (p @ (phi.phi(x @ W.T, None) @ A.T - psi.phi(x @ V.T, None) @ B.T) ** 2).sum()
    loss.backward()
    population = problem.population
    assert population.loss(STUDENT.W, STUDENT.A) == pytest.approx(loss.item(), rel=5e-7)
    for ours, theirs in zip(population.velocity(STUDENT.W, STUDENT.A), (W.grad, A.grad), strict=True):
        np.testing.assert_allclose(-ours, theirs.numpy(), atol=5e-7)


@pytest.mark.parametrize(("nu", "power"), [(3.0, 1), (5.0, 0), (5.0, 1), (12.0, 2), (100.0, 3)])
def test_moments_of_the_lengths(nu, power):
    """E s^{2h} = (ν − 2)^h/[(ν − 2)(ν − 4) ⋯], as far as it is promised, to 2e-12 where the tail is not close."""
    squares, weights = lengths(nu, power)
    for h in range(power + 1):
        assert weights @ squares**h == pytest.approx(float(StudentT(nu).radial(h)), rel=2e-12)
    assert 30 < len(weights) < 450


def test_growth_is_measured():
    powers = {"tanh": 0, "erf": 0, "sigmoid": 0, "relu": 1, "gelu": 1, "softplus": 1, "elu": 1, "relu2": 2}
    assert {name: growth(Activation.parse(name)) for name in powers} == powers
    assert growth(Activation.parse("hermite:3")) == 3
    assert growth(Activation.parse("centred")) is None
    exploding = Activation("e", "exp", lambda z, q: np.exp(z), None, None, quadrature=True)
    assert growth(exploding) is None


def test_a_flow_under_heavy_tails():
    """The flow goes down the loss, and its Hessian is the derivative of its velocity."""
    flow = GradientFlow(Problem(TEACHER, STUDENT, "erf", distribution="student-t:5"))
    curve = flow.integrate(t_end=0.3, samples=4, rtol=1e-5, max_evaluations=200)
    assert (np.diff(curve.loss) < 0).all()
    theta, h = flow.theta0, 1e-4
    columns = [(flow(0, theta + h * e) - flow(0, theta - h * e)) / (2 * h) for e in np.eye(len(theta))]
    np.testing.assert_allclose(flow.jacobian(0, theta), columns, atol=1e-6)
