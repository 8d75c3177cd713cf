"""One body for every activation in the table and for some that are registered here: φ, its claims and its loss."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.activations import ACTIVATIONS, Activation, register
from dynamics.activations.polynomial import polynomial_terms
from dynamics.problem.modes import mode_targets, teacher_modes

CUBIC = Activation("cubic", "φ(w·x) = (w·x)³", lambda z, q: z**3, degree=3, parity=-1)
HERMITE_3 = Activation("he3", "φ(w·x) = z³ − 3zq", lambda z, q: z**3 - 3 * z * q, degree=3, parity=-1)
MIXED = Activation("mixed", "φ(w·x) = z + z²/2", lambda z, q: z + 0.5 * z**2, degree=None, parity=None)
ALL = [*ACTIVATIONS.values(), CUBIC, HERMITE_3, MIXED]
ALL += [Activation.parse(name) for name in ("polynomial:0.5,1,-0.3,0.2", "hermite:3", "leaky-relu:0.1")]
POLYNOMIALS = [phi for phi in ALL if polynomial_terms(phi.phi) is not None]


def problem_of(phi, seed=0, outputs=2, correlated=True):
    rng = np.random.default_rng(seed)
    teacher = Teacher(rng.standard_normal((2, 3)), rng.standard_normal((outputs, 2)))
    student = Student(rng.standard_normal((4, 3)), rng.standard_normal((outputs, 4)))
    root = rng.standard_normal((3, 3))
    return Problem(teacher, student, phi, root @ root.T / 3 if correlated else None)


def quadrature_loss(problem, nodes):
    """½ E‖f* − f‖² from the definition of the network, in PyTorch, as a function of θ = (W, A)."""
    Sigma = np.eye(problem.inputs) if problem.covariance is None else problem.covariance
    x, weights = nodes
    X = torch.tensor(x @ np.linalg.cholesky(Sigma).T)
    phi, Sigma = problem.activation.phi, torch.tensor(Sigma)

    def outputs(W, A):
        q = torch.einsum("ki,ij,kj->k", W, Sigma, W)
        return phi(X @ W.T, q) @ A.T

    target = outputs(torch.tensor(problem.teacher.V), torch.tensor(problem.teacher.B))
    shape = problem.student.W.shape

    def loss(theta):
        W, A = theta[: shape[0] * shape[1]].reshape(shape), theta[shape[0] * shape[1] :]
        residual = outputs(W, A.reshape(problem.student.A.shape)) - target
        return 0.5 * (torch.tensor(weights) * (residual**2).sum(1)).sum()

    return loss


@pytest.fixture(scope="module")
def nodes():
    """Gauss–Hermite product rule in three dimensions, exact for squares of cubic polynomials."""
    x, w = np.polynomial.hermite_e.hermegauss(5)
    grid = np.stack(np.meshgrid(x, x, x), axis=-1).reshape(-1, 3)
    return grid, np.prod(np.stack(np.meshgrid(w, w, w), axis=-1).reshape(-1, 3), axis=1) / (2 * np.pi) ** 1.5


@pytest.mark.parametrize("correlated", [False, True])
@pytest.mark.parametrize("phi", POLYNOMIALS, ids=str)
def test_loss_and_derivatives_are_those_of_the_network(phi, correlated, nodes):
    """Exact quadrature over the inputs and automatic differentiation of φ itself."""
    problem = problem_of(phi, correlated=correlated)
    W, A = problem.student.W, problem.student.A
    loss = quadrature_loss(problem, nodes)
    theta = torch.tensor(np.concatenate([W.ravel(), A.ravel()]), requires_grad=True)
    value = loss(theta)
    gradient = torch.autograd.grad(value, theta)[0].numpy()
    H = torch.autograd.functional.hessian(loss, theta.detach()).numpy()
    population = problem.population
    assert population.loss(W, A) == pytest.approx(value.item(), rel=1e-12)
    ours = np.concatenate([x.ravel() for x in population.velocity(W, A)])
    np.testing.assert_allclose(ours, -gradient, rtol=0, atol=1e-12 * abs(gradient).max())
    np.testing.assert_allclose(population.hessian(W, A), H, rtol=0, atol=1e-12 * abs(H).max())
    v = np.random.default_rng(1).standard_normal(len(ours))
    Hv = population.hessian_vector(W, A, v[: W.size].reshape(W.shape), v[W.size :].reshape(A.shape))
    np.testing.assert_allclose(
        np.concatenate([h.ravel() for h in Hv]), H @ v, rtol=0, atol=1e-12 * abs(H @ v).max()
    )


@pytest.mark.parametrize("phi", ALL, ids=str)
def test_arrays_and_tensors_give_the_same(phi):
    z, q = np.linspace(-2, 2, 9), np.linspace(0.5, 3, 9)
    theirs = phi.phi(torch.tensor(z), torch.tensor(q)).numpy()
    np.testing.assert_allclose(theirs, phi.phi(z, q), rtol=4e-16, atol=0)


@pytest.mark.parametrize("phi", ALL, ids=str)
def test_a_student_that_is_the_teacher_has_learned_all_modes(phi):
    teacher = Teacher.from_eigenvalues([2, -1, 0.5], 4)
    modes = teacher_modes(teacher, teacher.V, teacher.B, phi)
    targets = mode_targets(teacher, phi)
    np.testing.assert_allclose(modes, targets, atol=1e-15)
    assert targets.tolist() == ([] if phi.degree is None else [2, 0.5, -1])


@pytest.mark.parametrize("phi", [ACTIVATIONS["linear"], CUBIC, HERMITE_3], ids=str)
def test_modes_of_odd_units_do_not_depend_on_the_sign_of_the_weights(phi):
    """(a, w) and (−a, −w) are the same odd unit."""
    rng = np.random.default_rng(3)
    teacher = Teacher(rng.standard_normal((2, 3)), np.array([1.5, -0.7]))
    W, A = rng.standard_normal((3, 3)), rng.standard_normal((1, 3))
    flip = np.array([1, -1, -1])
    np.testing.assert_allclose(
        teacher_modes(teacher, flip[:, None] * W, flip * A, phi),
        teacher_modes(teacher, W, A, phi),
        rtol=1e-12,
    )


def test_what_the_table_claims():
    facts = {
        phi.name: (
            phi.degree,
            phi.parity,
            phi.trace_coupling,
            phi.uses_variance,
            phi.mode_order,
            phi.is_identity,
        )
        for phi in ALL
    }
    assert facts == {
        "quadratic": (2, 1, 1.0, False, 2, False),
        "centred": (2, 1, 0.0, True, 2, False),
        "linear": (1, -1, None, False, 1, True),
        "relu": (1, None, None, False, 2, False),
        "abs": (1, 1, None, False, 2, False),
        "relu2": (2, None, None, False, 2, False),
        "erf": (None, -1, None, False, 1, False),
        "tanh": (None, -1, None, False, 1, False),
        **{
            name: (None, None, None, False, 2, False)
            for name in ("sigmoid", "softplus", "silu", "elu", "gelu")
        },
        "polynomial:0.5,1,-0.3,0.2": (None, None, None, False, 2, False),
        "hermite:3": (None, -1, None, False, 1, False),
        "leaky-relu:0.1": (1, None, None, False, 2, False),
        "cubic": (3, -1, None, False, 3, False),
        "he3": (3, -1, None, True, 3, False),
        "mixed": (None, None, None, False, 2, False),
    }


def test_terms_of_polynomials():
    assert polynomial_terms(HERMITE_3.phi) == {(3, 0): 1.0, (1, 1): -3.0}
    assert polynomial_terms(MIXED.phi) == {(1, 0): 1.0, (2, 0): 0.5}
    assert polynomial_terms(ACTIVATIONS["relu"].phi) is None
    assert polynomial_terms(ACTIVATIONS["abs"].phi) is None


@pytest.mark.parametrize(
    ("degree", "parity", "said"), [(1, 1, "degree 1"), (3, None, "degree 3"), (2, -1, "parity -1")]
)
def test_false_claims_are_refused(degree, parity, said):
    with pytest.raises(ProblemError, match=said):
        Activation("wrong", "z²", lambda z, q: z**2, degree=degree, parity=parity)


def test_names():
    relu = ACTIVATIONS["relu"]
    assert Activation.parse("relu") is relu and Activation.parse(CUBIC) is CUBIC
    assert str(relu) == "relu" and f"{relu}" == "relu"
    assert repr(relu) == "Activation('relu': φ(w·x) = max(w·x, 0))"
    with pytest.raises(ProblemError, match="relux"):
        Activation.parse("relux")
    with pytest.raises(ProblemError, match="belongs to another"):
        register(Activation("relu", "z", lambda z, q: z, degree=1, parity=-1))
    assert register(relu) is relu
    assert pickle.loads(pickle.dumps(relu)) is relu


def test_an_activation_without_a_loss_says_so():
    strange = Activation("strange", "|z|³", lambda z, q: abs(z) ** 3, degree=3, parity=1)
    with pytest.raises(ProblemError, match=r"strange.*no closed form"):
        problem_of(strange).population  # noqa: B018


@pytest.mark.parametrize("name", ["softplus", "elu", "silu", "gelu", "tanh", "sigmoid", "erf"])
def test_slopes_at_zero_are_those_of_the_function(name):
    """A unit of weight zero has the pre-activation 0 for every input: its gradient is φ′(0), by differences."""
    phi = Activation.parse(name).phi
    z = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    phi(z, None).sum().backward()
    difference = (phi(np.array([1e-5]), None) - phi(np.array([-1e-5]), None)) / 2e-5
    assert z.grad.item() == pytest.approx(difference.item(), abs=3e-6)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("polynomial:1", "is constant"),
        ("polynomial:", "coefficients must be numbers"),
        ("polynomial:0,1e300", "numbers, as in .*, finite and at most 1e\\+20 in size"),
        ("polynomial:0,nan", "numbers, as in .*, finite and at most 1e\\+20 in size"),
        ("polynomial:" + "0," * 25 + "1", "degree 25"),
        ("hermite:0", "between 1 and 20"),
        ("hermite:²", "between 1 and 20"),
        ("leaky-relu:x", "slope must be a number"),
        ("leaky-relu:1e300", "a number, as in .*, finite and at most 1e\\+20 in size"),
        ("spline:3", "must be one of: quadratic, .*, polynomial:c0,c1,…, hermite:K, leaky-relu:SLOPE"),
    ],
)
def test_parameters_that_are_refused(name, said):
    with pytest.raises(ProblemError, match=said):
        Activation.parse(name)


@pytest.mark.parametrize(
    "name", ["polynomial:1,nan", "polynomial:x", "hermite:21", "leaky-relu:inf", "spline:3"]
)
def test_a_refusal_names_the_option_and_the_value(name):
    with pytest.raises(ProblemError, match=f"^`activation` is '{name}', but "):
        Activation.parse(name)
    with pytest.raises(ProblemError, match=f"^`teacher_activation` is '{name}', but "):
        Activation.parse(name, "teacher_activation")


def test_families():
    """Values and claims of members: He₃/√6 has mean square 1, a leaky ReLU of slope −1 is |z|, one of slope 1 is z."""
    x, w = np.polynomial.hermite_e.hermegauss(12)
    for k in (1, 2, 3, 8):
        h = Activation.parse(f"hermite:{k}").phi(x, None)
        assert (w / np.sqrt(2 * np.pi)) @ h**2 == pytest.approx(1, rel=1e-12)
        assert abs(w @ (h * Activation.parse(f"hermite:{k + 1}").phi(x, None))) < 1e-12
    z = np.linspace(-2, 2, 9)
    np.testing.assert_array_equal(Activation.parse("leaky-relu:-1").phi(z, None), abs(z))
    assert Activation.parse("leaky-relu:-1").parity == 1 and Activation.parse("leaky-relu:1").parity == -1
    np.testing.assert_allclose(Activation.parse("polynomial:1,0,-2").phi(z, None), 1 - 2 * z**2, rtol=1e-15)
    assert Activation.parse("polynomial:0,0,0,2").degree == 3
    assert Activation.parse("hermite:3") == Activation.parse("hermite:3")
    assert pickle.loads(pickle.dumps(Activation.parse("hermite:3"))) == Activation.parse("hermite:3")


def test_an_activation_is_its_function():
    """Neither what figures call it nor the form in which its loss is computed makes it another one."""
    relu = ACTIVATIONS["relu"]
    assert replace(relu, label="rectifier") == relu
    assert replace(relu, population=lambda V, B, covariance: None) == relu
    assert replace(relu, degree=None) != relu
    assert replace(relu, phi=lambda z, q: relu.phi(z, q)) != relu
