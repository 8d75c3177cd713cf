"""What is known of single laws: clocks, levels, the wrong mode, and the span that independent coordinates leave."""

from itertools import combinations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chi2

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.inputs.laws import Sphere, StudentT, parse_law
from dynamics.problem.reduction import reduce_problem
from oracles.input_rules import data_set


@pytest.mark.parametrize("h", [1, 2, 3, 4])
def test_clocks_are_ratios_of_radial_moments(h):
    """γ_h = E R^{2h} over that of a Gaussian; χ²_d is the squared length of one, and Student's is that times a mean."""
    d, nu = 5, 12
    gaussian = quad(lambda q: q**h * chi2.pdf(q, d), 0, np.inf)[0]
    spread = quad(lambda q: ((nu - 2) / q) ** h * chi2.pdf(q, nu), 0, np.inf)[0]
    assert float(Sphere(d).radial(h)) == pytest.approx(d**h / gaussian, rel=1e-9)
    assert float(StudentT(nu).radial(h)) == pytest.approx(spread, rel=1e-8)
    assert StudentT(2 * h + 1).radial(h) is not None or h == 1
    assert StudentT(2 * h + 1e-9).radial(h) is not None
    if h > 1:
        assert StudentT(2.0 * h).radial(h) is None


def test_clocks_in_closed_form():
    """d/(d + 2) and (ν − 2)/(ν − 4)."""
    assert Sphere(10).clock == pytest.approx(10 / 12, rel=1e-15)
    assert StudentT(6.5).clock == pytest.approx(4.5 / 2.5, rel=1e-15)
    assert parse_law("student-t:4").clock == float("inf")


def test_the_flow_of_the_sphere_is_the_gaussian_one_by_another_clock(rng):
    """W(t) on the sphere is the Gaussian W(γt), and its loss γ times the Gaussian one."""
    teacher = Teacher.from_eigenvalues([2.0, 1.0], 4)
    student = Student.initialise(2, 4, scale=0.3, seed=1)
    gamma, t = 4 / 6, np.linspace(0, 6, 13)
    run = {"rtol": 1e-10, "max_evaluations": 4000}
    sphere = GradientFlow(Problem(teacher, student, distribution="sphere")).integrate(times=t, **run)
    gaussian = GradientFlow(Problem(teacher, student)).integrate(times=gamma * t, **run)
    np.testing.assert_allclose(sphere.W, gaussian.W, atol=1e-8)
    np.testing.assert_allclose(sphere.loss, gamma * gaussian.loss, rtol=1e-7)


def axis_parallel_point(lam, S, kappa):
    """M of the stationary point S: μ_i = λ_i + T/(r + 2 + κ), T = Σ_{j∉S} λ_j."""
    T = sum(lam[j] for j in range(len(lam)) if j not in S)
    M = np.zeros(len(lam))
    M[list(S)] = lam[list(S)] + T / (len(S) + 2 + kappa)
    return M, T


def losses_of(lam, kappa, points):
    """Loss and largest velocity at diagonal networks √μ_i e_i."""
    problem = Problem(
        Teacher.from_eigenvalues(lam),
        Student(np.eye(len(lam)), np.ones((1, len(lam)))),
        distribution=f"independent:{kappa}",
    )
    for M in points:
        W, A = np.diag(np.sqrt(np.abs(M))), np.sign(M)[None, :]
        yield (
            problem.population.loss(W, A),
            max(abs(part).max() for part in problem.population.velocity(W, A)),
        )


def test_the_levels_of_one_example():
    """κ = 1, λ = (4, 2, 1): 56, 10.875, 1.8 and 0 for ∅, {1}, {1, 2} and all."""
    lam = np.array([4.0, 2.0, 1.0])
    points = [axis_parallel_point(lam, S, 1.0)[0] for S in ((), (0,), (0, 1), (0, 1, 2))]
    levels, speeds = zip(*losses_of(lam, 1.0, points), strict=True)
    assert levels == pytest.approx([56, 10.875, 1.8, 0], abs=1e-12)
    assert max(speeds) < 1e-13


@pytest.mark.parametrize("kappa", [-1.9, -1.2, 0.0, 0.7, 3.0])
def test_all_axis_parallel_points_rest_at_their_levels(kappa, rng):
    """L_S = (1 + κ/2)[Σ_{j∉S} λ_j² + T²/(r + 2 + κ)] (derived here): 2 → 2 + κ in the Gaussian formula."""
    lam = rng.standard_normal(4)
    sets = [S for r in range(5) for S in combinations(range(4), r)]
    points = [axis_parallel_point(lam, S, kappa) for S in sets]
    for S, (_, T), (level, speed) in zip(
        sets, points, losses_of(lam, kappa, [M for M, _ in points]), strict=True
    ):
        rest = sum(lam[j] ** 2 for j in range(4) if j not in S)
        expected = (1 + kappa / 2) * (rest + T**2 / (len(S) + 2 + kappa))
        assert level == pytest.approx(expected, rel=1e-12, abs=1e-14)
        assert speed < 1e-12


def test_independent_coordinates_leave_the_span():
    """v = (1, 2, 0)/√5, D = ¾vvᵀ, κ = 0.7: the part of Gv across v is 2κ times that of diag(D)v, .2520 in length."""
    v, kappa = np.array([1.0, 2.0, 0.0]) / np.sqrt(5), 0.7
    D = 0.75 * np.outer(v, v)
    across = np.eye(3) - np.outer(v, v)
    G = 2 * parse_law("independent:0.7").fourth_moment(None, 3)(D)
    leak = across @ G @ v
    np.testing.assert_allclose(leak, 2 * kappa * across @ (np.diag(D) * v), atol=1e-15)
    assert np.linalg.norm(leak) == pytest.approx(0.2520, abs=5e-5)
    problem = Problem(Teacher([v], [1.0]), Student([0.5 * v], [[1.0]]), distribution="independent:0.7")
    basis = reduce_problem(problem).basis
    np.testing.assert_array_equal(basis, np.eye(3)[:, :2])


def test_correlations_across_used_inputs_forbid_the_reduction():
    """Σ couples the used inputs to the third one, so that weights grow there."""
    Sigma = np.array([[1.0, 0.2, 0.1], [0.2, 1.0, 0.0], [0.1, 0.0, 1.0]])
    problem = Problem(
        Teacher([[1.0, 2.0, 0.0]], [1.0]), Student([[0.5, 0.1, 0.0]], [[1.0]]), "quadratic", Sigma,
        distribution="uniform",
    )  # fmt: skip
    assert reduce_problem(problem).basis is None
    assert abs(GradientFlow(problem).integrate(t_end=0.1).W[-1, 0, 2]) > 1e-3


def test_uniform_inputs_learn_the_wrong_mode():
    """λ = (2, 1), one unit from w = (.15, .6), a = .3: uniform inputs end at L = 2.48889, Gaussian ones at mode 1.

    The levels are those of {2} for κ = −6/5, 0.4 (4 + 4/1.8), and of {1} for κ = 0, 1 + 1/3.
    """
    teacher, student = Teacher.from_eigenvalues([2.0, 1.0]), Student([[0.15, 0.6]], [[0.3]])
    ends = {
        name: GradientFlow(Problem(teacher, student, distribution=name)).integrate(
            t_end=60.0, max_evaluations=4000
        )
        for name in ("uniform", "gaussian")
    }
    assert ends["uniform"].loss[-1] == pytest.approx(0.4 * (4 + 4 / 1.8), rel=1e-6)
    assert ends["gaussian"].loss[-1] == pytest.approx(4 / 3, rel=1e-6)
    assert abs(ends["uniform"].W[-1, 0, 0]) < 1e-6 < 1 < abs(ends["uniform"].W[-1, 0, 1])
    assert abs(ends["gaussian"].W[-1, 0, 1]) < 1e-6 < 1 < abs(ends["gaussian"].W[-1, 0, 0])


def test_signs_do_not_see_the_diagonal():
    """κ = −2: C of a diagonal matrix is its trace times the identity, zero for traceless ones."""
    C = parse_law("rademacher").fourth_moment(None, 3)
    np.testing.assert_array_equal(C(np.diag([1.0, 1.0, -2.0])), np.zeros((3, 3)))
    np.testing.assert_array_equal(C(np.diag([1.0, 2.0, 4.0])), 7 * np.eye(3))


@pytest.mark.parametrize(("distribution", "activation"), [("rademacher", "quadratic"), ("sphere", "centred")])
def test_rounding_makes_no_loss_negative(distribution, activation, rng):
    """Residuals that signs, or centred units on the sphere, do not see: D = diag, tr D = 0, and D = I.

    The loss is a difference of numbers of size ‖D‖², of which 1e-14 may be left.
    """
    for _ in range(100):
        diagonal = rng.standard_normal(3)
        diagonal = diagonal - diagonal.mean() if distribution == "rademacher" else np.full(3, diagonal[0])
        Q = np.eye(3) if distribution == "rademacher" else np.linalg.qr(rng.standard_normal((3, 3)))[0]
        student = Student(np.zeros((1, 3)), [[1.0]])
        problem = Problem(Teacher(Q, diagonal), student, activation, distribution=distribution)
        assert 0 <= problem.population.loss(student.W, student.A) < 1e-14 * (diagonal @ diagonal)


@pytest.mark.parametrize("activation", ["quadratic", "centred", "tanh"])
def test_a_teacher_labels_the_samples(activation, rng):
    """A student that is the teacher has no loss on the samples, nor on those held out; labels by hand."""
    data = data_set(3, outputs=1)
    V, B = rng.standard_normal((2, 3)), np.array([[0.7, -0.4]])
    problem = Problem(Teacher(V, B), Student(V, B), activation, data=data)
    assert problem.population.loss(V, B) < 1e-28
    assert problem.test_population.loss(V, B) < 1e-28
    second = data.X.T @ data.X / len(data.X)
    for X, Y in ((data.X, problem.data.Y), (data.X_test, problem.data.Y_test)):
        z = X @ V.T
        phi = {"quadratic": z**2, "centred": z**2 - np.diag(V @ second @ V.T), "tanh": np.tanh(z)}[activation]
        np.testing.assert_allclose(Y, phi @ B.T, rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(Problem(None, Student(V, B), activation, data=data).data.Y, data.Y)
