"""Population losses under every loss, against integrals over the plane of inputs that know the loss alone.

The trapezoidal rule on a grid of step 0.06 over |z| ≤ 9 errs by less than 1e-12 for smooth losses of forms with
eigenvalues around one; its derivatives are those of automatic differentiation by PyTorch.
"""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import integrate
from scipy.special import erfc

from dynamics import Problem, Student, Teacher
from dynamics.errors import ComputationError
from dynamics.losses import LOSSES, Loss, residual_loss
from dynamics.population.slope_rules import SlopeRule, contours, frequencies, octave
from dynamics.population.spectral import SpectralPopulation

LOG_COSH, LOGISTIC, HUBER = LOSSES["log-cosh"], LOSSES["logistic"], Loss.parse("huber:1.5")
PSEUDO_HUBER = residual_loss(
    "pseudo-huber",
    "ℓ = √(1 + (f − y)²) − 1",
    lambda u: u * u / (1 + (1 + u * u) ** 0.5),
    lambda u: u / (1 + u * u) ** 0.5,
    lambda u: (1 + u * u) ** -1.5,
)
SIGMA = np.array([[1.2, 0.5], [0.5, 0.7]])
STUDENT = Student(
    np.array([[0.8, -0.3], [0.2, 0.5], [-0.6, 0.4]]), np.array([[0.7, -0.4, 0.5], [0.3, 0.6, -0.8]])
)
TEACHER = Teacher(np.array([[1.0, 0.3], [-0.2, 0.9]]), np.array([[0.9, -0.6], [0.5, 0.7]]))
CASES = {
    "log-cosh": {"loss": LOG_COSH},
    "log-cosh, Σ": {"loss": LOG_COSH, "covariance": SIGMA},
    "log-cosh, centred, Σ": {"loss": LOG_COSH, "covariance": SIGMA, "activation": "centred"},
    "log-cosh, two outputs": {"loss": LOG_COSH, "outputs": 2},
    "log-cosh, bias": {"loss": LOG_COSH, "bias": "trainable:0.7"},
    "own loss": {"loss": PSEUDO_HUBER},
    "own loss, centred, bias": {"loss": PSEUDO_HUBER, "activation": "centred", "bias": "trainable:0.4"},
    "logistic": {"loss": LOGISTIC},
    "logistic, fixed bias": {"loss": LOGISTIC, "bias": 0.4, "flip": 0.1},
    "logistic, Σ, bias": {"loss": LOGISTIC, "covariance": SIGMA, "bias": "trainable:-0.3"},
    "logistic, centred, Σ, bias": {
        **{"loss": LOGISTIC, "covariance": SIGMA, "activation": "centred", "bias": "trainable:0.5"},
    },
}


def problem_of(outputs=1, **parts):
    teacher = Teacher(TEACHER.V, TEACHER.B[:outputs])
    return Problem(teacher, Student(STUDENT.W, STUDENT.A[:outputs]), **parts)


def by_grid(problem, theta):
    """The loss at θ (a tensor) by the trapezoidal rule over the plane."""
    z = torch.arange(-9.0, 9.0, 0.06, dtype=torch.float64)
    X = torch.cartesian_prod(z, z)
    weights = torch.exp(-0.5 * (X**2).sum(1)) * 0.06**2 / (2 * np.pi)
    Sigma = np.eye(2) if problem.covariance is None else problem.covariance
    X = X @ torch.tensor(np.linalg.cholesky(Sigma).T)
    centred = problem.activation.trace_coupling == 0

    def outputs(W, A, beta):
        norms = torch.einsum("kd,de,ke->k", W, torch.tensor(Sigma), W) if centred else 0.0
        return ((X @ W.T) ** 2 - norms) @ A.T - beta

    K, d = problem.student.W.shape
    W, A = theta[: K * d].reshape(K, d), theta[K * d :].reshape(len(problem.student.A), -1)
    beta = A[:, K] if A.shape[1] > K else problem.bias.start
    f = outputs(W, A[:, :K], beta)
    f_star = outputs(torch.tensor(problem.teacher.V), torch.tensor(problem.teacher.B), problem.bias.teacher)
    return weights @ problem.loss.value(f, problem.labels.expected(f_star)).sum(1)


def start(problem):
    """θ, with a bias that is not zero where it is trained."""
    A = problem.second_layer.copy()
    A[:, problem.student.hidden :] = 0.2
    return np.concatenate([problem.student.W.ravel(), A.ravel()])


def parts(problem, theta):
    W = problem.student.W
    return theta[: W.size].reshape(W.shape), theta[W.size :].reshape(problem.second_layer.shape)


def flat(pair):
    return np.concatenate([part.ravel() for part in pair])


@pytest.mark.parametrize("case", CASES)
def test_loss_and_derivatives(case):
    """Loss and gradient to 1e-10, a Hessian–vector product to 1e-9 of those that PyTorch finds on the grid."""
    problem = problem_of(**CASES[case])
    population, theta = problem.population, start(problem)
    assert population.force is None or not problem.bias.trainable
    W, A = problem.student.W, problem.student.A  # without a column for it, the bias is that of the start
    assert population.loss(W, A) == population.loss(W, problem.second_layer)
    direction = np.random.default_rng(1).standard_normal(theta.size)
    x = torch.tensor(theta, requires_grad=True)
    loss = by_grid(problem, x)
    (gradient,) = torch.autograd.grad(loss, x, create_graph=True)
    (turned,) = torch.autograd.grad(gradient @ torch.tensor(direction), x)
    at = parts(problem, theta)
    assert population.loss(*at) == pytest.approx(float(loss.detach()), abs=1e-10)
    np.testing.assert_allclose(-flat(population.velocity(*at)), gradient.detach(), atol=1e-10)
    product = flat(population.hessian_vector(*at, *parts(problem, direction)))
    np.testing.assert_allclose(product, turned, atol=1e-9)
    H = population.hessian(*at)
    np.testing.assert_allclose(H @ direction, product, atol=1e-12)
    np.testing.assert_allclose(H, H.T, atol=1e-12)


@pytest.mark.parametrize("case", ["logistic, fixed bias", "log-cosh, Σ", "own loss"])
def test_the_force_moves_the_units(case):
    """ẇ_k = Σ_o A_ok G_o w_k, an identity."""
    problem = problem_of(**CASES[case])
    population, (W, A) = problem.population, parts(problem, start(problem))
    G = population.force(W, A)
    np.testing.assert_allclose(population.velocity(W, A)[0], np.einsum("ok,oij,kj->ki", A, G, W), atol=1e-13)


@pytest.mark.parametrize("loss", [HUBER, LOG_COSH, PSEUDO_HUBER], ids=str)
@pytest.mark.parametrize("delta", [0.003, 0.6, -2.0, 40.0, 1e4])
def test_one_eigenvalue(loss, delta):
    """E ℓ, E ℓ′z² and E ℓ″z⁴ of δz², by adaptive quadrature over z; Huber's has breaks in it."""
    rule, moved = SlopeRule(loss).at(0.0, min(delta, 0.0), max(delta, 0.0))
    kink = np.sqrt(1.5 / abs(delta))
    points = sorted({0.0, *(x for x in (kink, 3 * kink, 0.01, 0.1, 1.0) if x < 12), 12.0})

    def mean(g):
        density = lambda z: 2 * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi) * g(z, delta * z * z)  # noqa: E731
        return sum(integrate.quad(density, a, b, epsabs=1e-15, epsrel=1e-12)[0] for a, b in pairwise(points))

    one = np.array([delta])
    assert rule.values(one, moved) == pytest.approx(
        mean(lambda z, u: loss.value(np.array(u), 0.0)), rel=1e-11
    )
    found = rule.slope_means(one, moved)[1][0]
    assert found == pytest.approx(mean(lambda z, u: z**2 * loss.slope(np.array(u), 0.0)), rel=1e-11)
    bend = rule.curvatures(one, moved).double[0, 0]
    assert bend == pytest.approx(
        mean(lambda z, u: z**4 * loss.curvature(np.array(u), 0.0)), rel=1e-9, abs=1e-12
    )


@pytest.mark.parametrize("loss", [LOG_COSH, LOGISTIC], ids=str)
@pytest.mark.parametrize("shift", [0.0, 0.4, -1.7, 6.0])
def test_frequencies_and_contours_agree(loss, shift):
    """Two routes that share nothing but the loss: eigenvalues of both signs, equal ones, zeros, tiny and large ones."""
    for delta in ([2.0, 2.0, -1.0, 0.0], [1e-9, 0.0, -1e-4], [300.0, -2.0, 1e-3], [0.0, 0.0]):
        delta = np.array(delta)
        rule, moved = SlopeRule(loss).at(shift, delta.min(), delta.max())
        other = contours(loss, shift, (octave(delta.max()), octave(-delta.min())))
        size = max(1.0, np.abs(delta).max())
        assert rule.values(delta, moved) == pytest.approx(float(other.values(delta, 0.0)), abs=1e-12 * size)
        np.testing.assert_allclose(
            rule.slope_means(delta, moved)[1], other.slope_means(delta, 0.0)[1], atol=1e-12
        )
        one, two = rule.curvatures(delta, moved), other.curvatures(delta, 0.0)
        np.testing.assert_allclose(one.double, two.double, atol=1e-12)
        np.testing.assert_allclose(one.single, two.single, atol=1e-12)
        assert one.whole == pytest.approx(two.whole, abs=1e-12)


def test_worked_values():
    """Of the losses of plateaus of λ = (4, 2, 1) under log-cosh, and of the least logistic loss, from the theory.

    The learned values μ_i = λ_i − δ solve E[ℓ′(δχ²_r + Σ_j λ_jz_j²) χ²_r] = 0: there the force on V vanishes.
    """
    problem = Problem(
        Teacher.from_eigenvalues([4, 2, 1]), Student(np.eye(3), np.zeros((1, 3))), loss="log-cosh"
    )
    population, W = problem.population, np.eye(3)
    levels = {(): (0.0, 6.337771), (0,): (-0.875404830640, 2.110999), (0, 1): (-0.187129887785, 0.558880)}
    for learned, (delta, loss) in levels.items():
        A = np.zeros((1, 3))
        A[0, list(learned)] = np.array([4.0, 2.0, 1.0])[list(learned)] - delta
        assert population.loss(W, A) == pytest.approx(loss, abs=6e-7)
        force = population.force(W, A)[0].diagonal()
        np.testing.assert_allclose(force[list(learned)], 0.0, atol=1e-11)
    assert population.loss(W, np.array([[4.0, 2.0, 1.0]])) == 0.0
    classes = Problem(
        Teacher.from_eigenvalues([2, -1, 0.5]),
        Student(np.eye(3), np.zeros((1, 3))),
        loss="logistic",
        bias=0.4,
    )
    A = np.array([[2.0, -1.0, 0.5]])
    assert classes.population.loss(W, A) == pytest.approx(0.44045, abs=5e-6)
    np.testing.assert_allclose(classes.population.force(W, A), 0.0, atol=1e-14)


def test_losses_of_many_states_are_those_of_each():
    problem = problem_of(loss=HUBER)
    rng = np.random.default_rng(3)
    W, A = (
        rng.standard_normal((9, 3, 2)) * np.logspace(-3, 1, 9)[:, None, None],
        rng.standard_normal((9, 1, 3)),
    )
    population = problem.population
    each = [population.loss(w, a) for w, a in zip(W, A, strict=True)]
    np.testing.assert_allclose(population.losses(W, A), each, rtol=1e-14)


def test_inputs_that_nobody_looks_at_change_nothing():
    """Zero eigenvalues, exactly: a problem padded by four inputs."""
    for loss, bias in ((LOG_COSH, 0.0), (HUBER, 0.0), (LOGISTIC, 0.4)):
        small = problem_of(loss=loss, bias=bias)
        large = Problem(small.teacher.padded(6), small.student.padded(6), loss=loss, bias=bias)
        W, A = small.student.W, small.student.A
        vW, vA = small.population.velocity(W, A)
        wide = large.population.velocity(large.student.W, A)
        np.testing.assert_allclose(wide[0], np.pad(vW, ((0, 0), (0, 4))), atol=1e-13)
        np.testing.assert_allclose(wide[1], vA, atol=1e-13)


def test_huber_is_the_square_up_to_its_threshold():
    """For C → ∞ its loss and gradient are those of the square loss, whose population is another formula."""
    square, huber = problem_of(), problem_of(loss="huber:1e6")
    W, A = square.student.W, square.student.A
    assert huber.population.loss(W, A) == pytest.approx(square.population.loss(W, A), rel=1e-12)
    for one, two in zip(huber.population.velocity(W, A), square.population.velocity(W, A), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-11)


def test_students_law_is_a_mean_over_lengths():
    """Against a Monte Carlo mean over 400,000 draws of Student's law, within four of its standard errors."""
    problem = problem_of(loss=LOG_COSH, distribution="student-t:7")
    rng = np.random.default_rng(5)
    X = rng.standard_normal((400_000, 2)) * np.sqrt(5 / rng.chisquare(7, 400_000))[:, None]
    values = LOG_COSH.value(problem.student(X), problem.teacher(X))[:, 0]
    error = values.std() / np.sqrt(len(values))
    loss = problem.population.loss(problem.student.W, problem.student.A)
    assert abs(loss - values.mean()) < 4 * error


def test_a_curvature_that_no_panels_resolve_is_refused():
    """One that jumps everywhere."""
    bad = SpectralPopulation(np.zeros((1, 1, 1)), _Rough())
    with pytest.raises(ComputationError, match="'rough' is not resolved by"):
        bad.loss(np.ones((1, 1)), np.ones((1, 1)))


class _Rough:
    """A loss with a curvature of noise."""

    name, of_residual, transform, breaks, pieces = "rough", True, None, (), ()

    def value(self, f, y):
        return f * f

    def slope(self, f, y):
        return 2 * f

    def curvature(self, f, y):
        return 1.0 + 0.5 * np.sin(1e9 * f)


def test_frequencies_are_few():
    """200 nodes say tanh to 3e-14, as the theory says."""
    assert len(frequencies(LOG_COSH).nodes) < 220


@pytest.mark.parametrize("loss", [LOG_COSH, HUBER, PSEUDO_HUBER], ids=str)
def test_small_entries_of_a_form_keep_their_digits(loss) -> None:
    """Off the diagonal S_ij = E_ij times the divided difference of the eigenvalues of S, beyond the rounding of S.

    That is first order in the E_ij, of which the second is below 1e-38 here; rules err by 1e-13, and differences of
    eigenvalues of S that are some tenths lose one digit more. Where eigenvectors turn, all entries are known to 1e-15.
    """
    values = np.array([1.0, 0.25, -0.5])
    E = np.diag(values)
    E[0, 1] = E[1, 0] = 3e-20
    E[1, 2] = E[2, 1] = -2e-25
    rule, shift = SlopeRule(loss).at(0.3, -0.5, 1.0)
    _, g = rule.slope_means(values, shift)
    _, S = rule.slope_matrix(E, values, np.eye(3), shift)
    assert S.diagonal() == pytest.approx(g, rel=1e-12)
    assert S[0, 1] / 3e-20 == pytest.approx((g[0] - g[1]) / 0.75, rel=1e-11, abs=0)
    assert S[1, 2] / -2e-25 == pytest.approx((g[1] - g[2]) / 0.75, rel=1e-11, abs=0)


@pytest.mark.parametrize("repeated", [False, True])
def test_newtons_form_is_that_of_the_eigenvectors(repeated) -> None:
    """Of random forms; where half of the eigenvalues are equal, at size 1e3, that is by resolvents."""
    rng = np.random.default_rng(4)
    for d, size in ((1, 1.0), (3, 30.0), (12, 1e3), (24, 1.0)):
        E = size * rng.standard_normal((d, d))
        E = E + E.T
        if repeated:
            E[: d // 2], E[:, : d // 2] = 0.0, 0.0
        delta, R = np.linalg.eigh(E)
        rule, shift = SlopeRule(LOG_COSH).at(0.3, delta[0], delta[-1])
        whole, single = rule.slope_means(delta, shift)
        mean, S = rule.slope_matrix(E, delta, R, shift)
        assert mean == whole
        np.testing.assert_allclose(S, (R * single) @ R.T, rtol=0, atol=1e-11)


@pytest.mark.parametrize("case", ["log-cosh, centred, Σ", "log-cosh, two outputs", "logistic, fixed bias"])
def test_forces_entry_by_entry(case) -> None:
    """The same as by eigenvectors."""
    problem = problem_of(**CASES[case])
    W, A = problem.student.W, problem.student.A
    np.testing.assert_allclose(
        problem.population.graded_force(W, A), problem.population.force(W, A), rtol=0, atol=1e-13
    )


@pytest.mark.parametrize("loss", [LOG_COSH, LOGISTIC, Loss.parse("huber:1"), PSEUDO_HUBER], ids=str)
@pytest.mark.parametrize("size", [1e6, 1e12, 1e20])
def test_large_outputs(loss, size) -> None:
    """Of large forms the slope is that of the sign, whatever the loss.

    E ℓ′ is −1 or 0, and that plus the rest at P(δz² > b) = erfc √(b/2δ); with δ and −δ z_1² sign(z_1² − z_2²) has the
    mean 2/π (both derived here). Corrections are of order 1/δ, and rules err by 1e-11 in the latter.
    """
    low, high = float(loss.slope(np.array(-1e9), 0.0)), float(loss.slope(np.array(1e9), 0.0))
    for share in (0.3, -0.3):
        rule, shift = SlopeRule(loss).at(share * size, 0.0, size)
        above = erfc(np.sqrt(0.15)) if share > 0 else 1.0
        slope, _ = rule.slope_means(np.array([size]), shift)
        assert slope == pytest.approx(low + (high - low) * above, abs=1e-10 + 1 / size)
    rule, shift = SlopeRule(loss).at(0.0, -size, size)
    _, single = rule.slope_means(np.array([size, -size]), shift)
    middle = (high + low) / 2
    wanted = middle + (high - low) / 2 * np.array([2 / np.pi, -2 / np.pi])
    assert single == pytest.approx(wanted, abs=1e-10 + 4 / size)


@pytest.mark.parametrize("scale", [1e2, 1e4, 1e6])
def test_separated_classes_at_a_large_scale(scale) -> None:
    """L = π² p(c)/6s of f = s(z² − c), with the density p(c) = e^{−c/2}/√(2πc) of z²; the next order is s^{−2}.

    What is left of E softplus(f) and E yf, of the size s, is known to some 1e-15 s.
    """
    c = 0.5
    problem = Problem(
        Teacher.from_eigenvalues([1.0]),
        Student(np.ones((1, 1)), np.array([1.0])),
        loss="logistic",
        labels="hard",
        bias=f"trainable:{c}",
    )
    density = np.exp(-c / 2) / np.sqrt(2 * np.pi * c)
    found = problem.population.loss(np.ones((1, 1)), scale * np.array([[1.0, c]]))
    assert found == pytest.approx(np.pi**2 * density / 6 / scale, rel=20 / scale**2 + 1e-14 * scale**2)
