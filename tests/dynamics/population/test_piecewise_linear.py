"""Population loss of degree 1 against autograd and Monte Carlo; balanced starts, stationary levels, refusals."""

import itertools

import numpy as np
import pytest
import torch

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.activations import ACTIVATIONS
from dynamics.population.piecewise_linear import _inverse
from dynamics.problem.modes import teacher_modes
from dynamics.stationary import fixed_points
from dynamics.stationary.search import search_fixed_points

NAMES = ["linear", "relu", "abs"]
CASES = list(itertools.product(NAMES, [False, True], [1, 3]))
PHI = {"linear": lambda z: z, "relu": lambda z: np.maximum(z, 0), "abs": np.abs}
CURVATURE = {
    "linear": (1.0, 0.0),
    "relu": (0.25, 0.25),
    "abs": (0.0, 1.0),
}  # weights of u·v and of E|u·z||v·z|


def population_of(problem):
    return problem.population


def arc_cosine_loss(problem, W, A):
    """½ Σ_o CᵀκC with the kernels written down by their textbook formula, in PyTorch; no two vectors parallel."""
    V, B = (torch.tensor(x) for x in (problem.teacher.V, problem.teacher.B))
    Sigma = np.eye(W.shape[1]) if problem.covariance is None else problem.covariance
    U, C = torch.cat([W, V]), torch.cat([A, -B], dim=1)
    G = U @ torch.tensor(Sigma) @ U.T
    r = torch.sqrt(G.diagonal())
    diagonal = torch.eye(len(U), dtype=torch.bool)
    theta = torch.acos(torch.where(diagonal, 0.0, G / torch.outer(r, r)))
    arc = 2 / np.pi * torch.outer(r, r) * (torch.sin(theta) + (np.pi / 2 - theta) * torch.cos(theta))
    linear, folded = CURVATURE[problem.activation.name]
    return 0.5 * ((C.T @ C) * (linear * G + folded * torch.where(diagonal, G, arc))).sum()


@pytest.mark.parametrize(("activation", "covariance", "O"), CASES)
@pytest.mark.parametrize("R", [0, 1, 4])
def test_loss_and_derivatives_equal_autograd(make_problem, rng, activation, covariance, O, R):
    problem = make_problem(rng, R=R, O=O, activation=activation, covariance=covariance)
    population = population_of(problem)
    W, A = problem.student.W, problem.student.A

    def flat(theta):
        return arc_cosine_loss(problem, theta[: W.size].reshape(W.shape), theta[W.size :].reshape(A.shape))

    theta = torch.tensor(np.concatenate([W.ravel(), A.ravel()]), requires_grad=True)
    loss = flat(theta)
    gradient = torch.autograd.grad(loss, theta)[0].numpy()
    H = torch.autograd.functional.hessian(flat, theta.detach()).numpy()
    v = rng.standard_normal(len(theta))
    Hv = population.hessian_vector(W, A, v[: W.size].reshape(W.shape), v[W.size :].reshape(A.shape))
    velocity = np.concatenate([x.ravel() for x in population.velocity(W, A)])
    assert population.loss(W, A) == pytest.approx(loss.item(), rel=1e-12)
    np.testing.assert_allclose(velocity, -gradient, rtol=0, atol=1e-12 * abs(gradient).max())
    np.testing.assert_allclose(population.hessian(W, A), H, rtol=0, atol=1e-12 * abs(H).max())
    np.testing.assert_allclose(
        np.concatenate([x.ravel() for x in Hv]), H @ v, rtol=0, atol=1e-12 * abs(H @ v).max()
    )


@pytest.mark.parametrize("activation", ["relu", "abs"])
@pytest.mark.parametrize("angle", [0.0, 1e-15, 1e-9, 1e-4])
@pytest.mark.parametrize("sign", [1, -1])
def test_hessian_and_product_agree_for_units_that_are_almost_parallel(rng, activation, angle, sign):
    """Two independent formulas; and both are continuous there (the kernel is twice differentiable): O(angle) from 0."""
    u, w = np.linalg.qr(rng.standard_normal((3, 2)))[0].T
    V = sign * (np.cos(angle) * u + np.sin(angle) * w)[None]
    W, A = np.stack([1.3 * u, rng.standard_normal(3)]), rng.standard_normal((1, 2))
    population = ACTIVATIONS[activation].population(V, np.array([[0.7]]), None)
    dW, dA = rng.standard_normal(W.shape), rng.standard_normal(A.shape)
    H = population.hessian(W, A)
    product = np.concatenate([x.ravel() for x in population.hessian_vector(W, A, dW, dA)])
    np.testing.assert_allclose(H @ np.concatenate([dW.ravel(), dA.ravel()]), product, atol=1e-13)
    parallel = ACTIVATIONS[activation].population(sign * u[None], np.array([[0.7]]), None).hessian(W, A)
    np.testing.assert_allclose(H, parallel, atol=3 * angle + 1e-14)


@pytest.mark.parametrize(("activation", "covariance", "O"), CASES)
def test_loss_equals_monte_carlo(make_problem, rng, activation, covariance, O):
    """½ E‖f* − f‖² over 200,000 sampled inputs, within 4.5 standard errors of the sample mean."""
    problem = make_problem(rng, O=O, activation=activation, covariance=covariance)
    Sigma = np.eye(problem.inputs) if problem.covariance is None else problem.covariance
    x = rng.multivariate_normal(np.zeros(problem.inputs), Sigma, size=200_000)
    phi, V, W = PHI[activation], problem.teacher.V, problem.student.W
    residual = phi(x @ V.T) @ problem.teacher.B.T - phi(x @ W.T) @ problem.student.A.T
    squares = 0.5 * np.sum(residual**2, axis=1)
    loss = population_of(problem).loss(W, problem.student.A)
    assert abs(squares.mean() - loss) < 4.5 * squares.std() / np.sqrt(len(squares))


def test_the_loss_of_a_perfect_student_is_zero(make_problem, rng):
    """Up to rounding of terms of size Σ|B|²r²; never negative."""
    for activation in NAMES:
        problem = make_problem(rng, activation=activation, d=4, R=3)
        loss = population_of(problem).loss(problem.teacher.V, problem.teacher.B)
        assert 0 <= loss < 1e-14


@pytest.mark.parametrize("activation", ["relu", "abs"])
def test_a_zero_unit_gets_the_velocity_of_automatic_differentiation(rng, activation):
    """PyTorch's gradient at w = 0 on any sample is zero, and so is the closed form's, for both layers."""
    problem = Problem(Teacher.from_eigenvalues([2, 1]), Student([[0, 0], [1.0, 0.5]], [1.0, 0.3]), activation)
    W = torch.tensor(problem.student.W, requires_grad=True)
    x = torch.tensor(rng.standard_normal((50, 2)))
    phi = {"relu": torch.relu, "abs": torch.abs}[activation]
    (phi(x @ W.T) @ torch.tensor(problem.student.A[0])).square().sum().backward()
    dW, dA = population_of(problem).velocity(problem.student.W, problem.student.A)
    assert not W.grad[0].any()
    assert not dW[0].any()
    assert dA[0, 0] == 0
    assert dW[1].any()


@pytest.mark.parametrize(("activation", "covariance"), list(itertools.product(NAMES, [False, True])))
def test_the_span_reduction_is_exact(make_problem, rng, activation, covariance):
    """The flow in 12 inputs and in its invariant subspace: the same loss and the same lifted weights."""
    problem = make_problem(rng, d=12, K=3, R=2, activation=activation, scale=0.3)
    if covariance:  # Σ maps the span of three axes into itself: the closure of few weights stays small
        Sigma = np.diag([1.0, 2.0, 0.5] + [1.5] * 9)
        teacher = Teacher(np.eye(2, 12), problem.teacher.B)
        W = np.pad(problem.student.W[:, :3], ((0, 0), (0, 9)))
        problem = Problem(teacher, Student(W, problem.student.A), activation, Sigma)
    reduced = GradientFlow(problem)
    assert reduced.reduction.dimension < 12
    small, full = (
        flow.integrate(t_end=3.0, samples=7) for flow in (reduced, GradientFlow(problem, reduce=False))
    )
    np.testing.assert_allclose(small.loss, full.loss, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(small.W, full.W, atol=1e-7)


@pytest.mark.parametrize(("degree", "activation"), [(1, "relu"), (2, "quadratic")])
def test_balanced_starts_have_no_balance(degree, activation):
    """c_k = ‖w_k‖² − h a_k² = 0."""
    student = Student.initialise(5, 3, init="balanced", degree=degree, seed=1)
    flow = GradientFlow(Problem(Teacher.from_eigenvalues([1.0], 3), student, activation))
    np.testing.assert_allclose(flow.integrate(times=[0]).conserved, 0, atol=1e-17)


def test_stationary_levels_of_absolute_values_have_the_quadratic_form():
    """Aligned points, L = ½ xᵀ[(1 − c)I + c11ᵀ]x minimised over the learned x_i, c = 2/π (derived here).

    With T = Σ_{j∉S} λ_j, r = |S|: learned values λ_i + cT/(1 + (r−1)c), L_S = ½(1−c)[Σ_{j∉S} λ_j² + cT²/(1 + (r−1)c)].
    For c = 1/3, times 3, these are the levels of the quadratic catalogue.
    """
    c, lam = 2 / np.pi, np.array([2.0, 1.0])
    problem = Problem(Teacher.from_eigenvalues(lam), Student.initialise(1, 2, scale=1.0), "abs")
    flow = GradientFlow(problem)
    search = search_fixed_points(flow, 40)
    for learned, left in ((0, 1), (1, 0)):
        level = 0.5 * (1 - c) * lam[left] ** 2 * (1 + c)
        root = min(search.roots, key=lambda root: abs(root.loss - level))
        assert root.loss == pytest.approx(level, rel=1e-9)
        modes = teacher_modes(problem.teacher, *flow.unpack(root.theta), "abs")
        assert modes[learned] == pytest.approx(lam[learned] + c * lam[left], rel=1e-6)


@pytest.mark.parametrize("activation", NAMES)
def test_what_is_known_for_quadratic_units_only_is_refused(activation):
    problem = Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(2, 2), activation)
    with pytest.raises(ProblemError, match="only for quadratic and centred"):
        fixed_points(problem)


def test_the_inverse_of_a_length():
    """A unit without weights has no direction, and nothing is divided by its length."""
    np.testing.assert_array_equal(_inverse(np.array([0.0, 0.5, 4.0])), [0.0, 2.0, 0.25])
