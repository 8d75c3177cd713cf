"""Quadratic networks under every law: operator C, loss, gradient and Hessian against autograd of sums over nodes."""

import numpy as np
import pytest
import torch

from dynamics import Problem, Student, Teacher
from dynamics.population.form import FormPopulation
from oracles.input_rules import IDS, RULES, correlated, signs

SIGMA = np.array([[1.0, 0.3, 0.0], [0.3, 0.8, -0.2], [0.0, -0.2, 1.3]])


def given(law):
    return {"data": law} if law.labelled else {"distribution": law}


def problem_under(law, rng, *, activation="quadratic", covariance=None, d=3, K=4, O=2):
    teacher = Teacher(rng.standard_normal((2, d)), rng.standard_normal((O, 2)))
    student = Student(rng.standard_normal((K, d)), rng.standard_normal((O, K)))
    return Problem(teacher, student, activation, covariance, **given(law))


def loss_by_definition(problem, rule):
    """L(θ) = ½ Σ weights |f − f*|², q = wᵀ(E xxᵀ)w from the same nodes."""
    x, p = (torch.tensor(part) for part in rule)
    second = x.T @ (p[:, None] * x)
    (K, d), O = problem.student.W.shape, len(problem.student.A)

    def output(activation, W, A):
        return activation.phi(x @ W.T, torch.einsum("ki,ij,kj->k", W, second, W)) @ A.T

    target = output(
        problem.teacher_activation, torch.tensor(problem.teacher.V), torch.tensor(problem.teacher.B)
    )

    def loss(theta):
        W, A = theta[: K * d].reshape(K, d), theta[K * d :].reshape(O, K)
        return 0.5 * (p @ (output(problem.activation, W, A) - target) ** 2).sum()

    return loss


def assert_is_autograd(problem, rule, rtol):
    """Loss, gradient, dense Hessian and its products, relative to the largest entry."""
    population, student = problem.population, problem.student
    loss = loss_by_definition(problem, rule)
    theta = torch.tensor(np.concatenate([student.W.ravel(), student.A.ravel()]), requires_grad=True)
    value = loss(theta)
    gradient = torch.autograd.grad(value, theta)[0].numpy()
    hessian = torch.autograd.functional.hessian(loss, theta.detach()).numpy()
    assert population.loss(student.W, student.A) == pytest.approx(value.item(), rel=rtol)
    velocity = np.concatenate([part.ravel() for part in population.velocity(student.W, student.A)])
    np.testing.assert_allclose(-velocity, gradient, rtol=0, atol=rtol * abs(gradient).max())
    ours = population.hessian(student.W, student.A)
    np.testing.assert_allclose(ours, hessian, rtol=0, atol=rtol * abs(hessian).max())
    direction = np.random.default_rng(1).standard_normal(len(theta))
    dW, dA = (
        direction[: student.W.size].reshape(student.W.shape),
        direction[student.W.size :].reshape(student.A.shape),
    )
    along = np.concatenate([part.ravel() for part in population.hessian_vector(student.W, student.A, dW, dA)])
    expected = hessian @ direction
    np.testing.assert_allclose(along, expected, rtol=0, atol=2 * rtol * abs(expected).max())


def accuracy(law):
    """The radial rule of Student's law adds some thousand numbers of very different sizes."""
    return 1e-11 if law.name.startswith("student") else 1e-13


@pytest.mark.parametrize(("law", "rule"), RULES, ids=IDS)
def test_the_operator_is_the_mean(law, rule, rng):
    """C[D] = E (xᵀDx) xxᵀ and E xxᵀ, for a stack of matrices and for one; 1e-13 of the largest entry."""
    x, p = rule(3, 4)
    D = rng.standard_normal((2, 3, 3))
    D += D.swapaxes(1, 2)
    expected = np.einsum("n,na,oab,nb,ni,nj->oij", p, x, D, x, x, x, optimize=True)
    C = law.fourth_moment(None, 3)
    assert C.inputs == 3
    atol = accuracy(law) * abs(expected).max()
    np.testing.assert_allclose(C(D), expected, rtol=0, atol=atol)
    np.testing.assert_allclose(C(D[0]), expected[0], rtol=0, atol=atol)
    second = law.second_moment(None)
    np.testing.assert_allclose(np.eye(3) if second is None else second, x.T @ (p[:, None] * x), atol=1e-12)


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize(("law", "rule"), RULES, ids=IDS)
def test_losses_are_those_of_autograd(law, rule, activation, rng):
    """Two outputs; sums over the nodes of an exact rule."""
    problem = problem_under(law, rng, activation=activation)
    assert_is_autograd(problem, rule(3, 4), accuracy(law))


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize(
    ("law", "rule"), [r for r in RULES if r[0].standard], ids=[law.name for law, _ in RULES if law.standard]
)
def test_correlated_inputs_are_those_of_the_symmetric_root(law, rule, activation, rng):
    """SciPy's matrix root; that of the Gaussian law could be any other."""
    problem = problem_under(law, rng, activation=activation, covariance=SIGMA)
    assert_is_autograd(problem, correlated(rule(3, 4), SIGMA), accuracy(law))


def test_signs_in_eight_dimensions(rng):
    """All 256 of them."""
    problem = problem_under(RULES[4][0], rng, d=8, K=2, O=1)
    assert_is_autograd(problem, signs(8, 4), 1e-13)


@pytest.mark.parametrize(("law", "rule"), RULES, ids=IDS)
def test_the_force_is_twice_the_operator(law, rule, rng):
    """G = 2C[D] against autograd of the loss as a function of the forms, −2∂L/∂M."""
    problem = problem_under(law, rng)
    W, A, teacher = problem.student.W, problem.student.A, problem.teacher
    x, p = (torch.tensor(part) for part in rule(3, 4))
    M = torch.tensor(np.einsum("ok,ki,kj->oij", A, W, W), requires_grad=True)
    target = torch.tensor(np.einsum("or,ri,rj->oij", teacher.B, teacher.V, teacher.V))
    residual = torch.einsum("ni,oij,nj->no", x, target - M, x)
    G = -2 * torch.autograd.grad(0.5 * (p @ residual**2).sum(), M)[0].numpy()
    for population in (problem.population, FormPopulation(teacher.V, teacher.B, law.fourth_moment(None, 3))):
        np.testing.assert_allclose(population.force(W, A), G, rtol=0, atol=accuracy(law) * abs(G).max())


POLYNOMIALS = [
    ("polynomial:0.2,-1,0.5,0.3", None),
    ("hermite:3", None),
    ("linear", None),
    ("centred", "quadratic"),
    ("quadratic", "centred"),
    ("quadratic", "polynomial:0.2,-1,0.5,0.3"),
    ("hermite:3", "centred"),
]


@pytest.mark.parametrize(("activation", "taught"), POLYNOMIALS)
@pytest.mark.parametrize("number", [1, 2])
def test_rotations_leave_all_polynomials_known(number, activation, taught, rng):
    """Sphere and Student's law: every product of powers has its own γ_h; nodes are exact to degree 6."""
    law, rule = RULES[number]
    base = problem_under(law, rng)
    for Sigma in (None, SIGMA):
        problem = Problem(
            base.teacher, base.student, activation, Sigma, teacher_activation=taught, distribution=law
        )
        nodes = rule(3, 6) if Sigma is None else correlated(rule(3, 6), Sigma)
        assert_is_autograd(problem, nodes, 10 * accuracy(law))


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize(("law", "rule"), RULES, ids=IDS)
def test_the_metric_is_the_mean_square_of_the_slopes(law, rule, activation, rng):
    """E JᵀJ, with ∂f_o/∂w_k = 2A_ok (z_k x − Σw_k [centred]) and ∂f_o/∂A_ok = φ_k at every node."""
    problem = problem_under(law, rng, activation=activation, K=2)
    W, A, (x, p) = problem.student.W, problem.student.A, rule(3, 4)
    shift = (activation == "centred") * W @ (x.T @ (p[:, None] * x))
    Z = x @ W.T
    slopes = 2 * (Z[:, :, None] * x[:, None] - shift)  # (n, K, d)
    phi = Z**2 - (shift * W).sum(axis=1)
    J = np.zeros((len(x), 2, 10))
    for o in range(2):
        J[:, o, :6] = (A[o][:, None] * slopes).reshape(-1, 6)
        J[:, o, 6 + 2 * o : 8 + 2 * o] = phi
    expected = np.einsum("n,noi,noj->ij", p, J, J, optimize=True)
    np.testing.assert_allclose(
        law.metric(problem, W, A), expected, atol=10 * accuracy(law) * abs(expected).max()
    )
