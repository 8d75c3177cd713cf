"""The mean step of SGD of units of every kind: quadrature over samples, other forms of the same, trained networks."""

import numpy as np
import pytest
import torch

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.problem.one_pass import closure, mean_step_terms
from dynamics.sgd.closures import kinked_units, polynomial_units, tilted_units
from dynamics.sgd.differentiation import along
from dynamics.sgd.mean_sgd import MeanSGD
from dynamics.sgd.unit_step import UnitStep
from empirical import train

STEP, NOISE, BATCH = 0.7, 0.3, 2


def problem_of(phi, psi=None, *, d=2, K=2, R=1, O=1, scale=0.5, seed=0):
    rng = np.random.default_rng(seed)
    teacher = Teacher(scale * rng.standard_normal((R, d)), rng.standard_normal((O, R)))
    student = Student(scale * rng.standard_normal((K, d)), rng.standard_normal((O, K)))
    return Problem(teacher, student, phi, teacher_activation=psi)


def grid(d, nodes, length):
    """Trapezoidal rule on [−length, length]^d, with the weights of N(0, I)."""
    x = np.linspace(-length, length, nodes)
    w = np.exp(-x * x / 2)
    X = np.stack(np.meshgrid(*[x] * d, indexing="ij"), axis=-1).reshape(-1, d)
    return X, np.prod(np.meshgrid(*[w / w.sum()] * d, indexing="ij"), axis=0).ravel()


def angular(nodes, kinks):
    """Gauss–Legendre rule over the angles between given ones: E over directions in the plane."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    ends = np.unique(np.mod(kinks, 2 * np.pi))
    ends = np.append(ends, ends[0] + 2 * np.pi)
    half = np.diff(ends) / 2
    angles = ((ends[:-1] + half)[:, None] + half[:, None] * x).ravel()
    return np.stack([np.cos(angles), np.sin(angles)], axis=1), (half[:, None] * w).ravel() / (2 * np.pi)


def sample_parts(problem, X):
    """Errors without noise (N, O), φ and φ′ (N, K), by automatic differentiation."""
    Z = torch.tensor(X @ problem.student.W.T, requires_grad=True)
    F = problem.activation.phi(Z, None)
    (slopes,) = torch.autograd.grad(F.sum(), Z)
    F, slopes = F.detach().numpy(), slopes.numpy()
    teacher = problem.teacher_activation.phi(X @ problem.teacher.V.T, None) @ problem.teacher.B.T
    return teacher - F @ problem.student.A.T, F, slopes


def mean_step(problem, X, P):
    """(ΔQ, ΔR, ΔA)/η for batches of 2 and label noise, and the loss, by summing over the samples."""
    A, W, V = problem.student.A, problem.student.W, problem.teacher.V
    e, F, slopes = sample_parts(problem, X)
    g = np.einsum("no,ok,nk,ni->nki", e, A, slopes, X)
    mean = np.einsum("n,nki->ki", P, g)
    noise = np.einsum("n,nk,nl,ni->kl", P, slopes, slopes, X**2) * NOISE * (A.T @ A)
    sampled = np.einsum("n,nki,nli->kl", P, g, g) + noise
    squares = sampled / BATCH + (1 - 1 / BATCH) * mean @ mean.T
    dQ = mean @ W.T + W @ mean.T + STEP * squares
    return dQ, mean @ V.T, np.einsum("n,no,nk->ok", P, e, F), 0.5 * P @ np.sum(e**2, axis=1)


def compare(problem, expected, tolerance):
    theory = MeanSGD(problem, STEP, BATCH, NOISE)
    found = (*theory.order.unpack(theory.drift(theory.theta0)), theory.order.loss(theory.theta0))
    for name, ours, theirs in zip(("Q", "R", "A", "loss"), found, expected, strict=True):
        assert np.abs(ours - theirs).max() < tolerance * np.abs(theirs).max(), name
    assert found[3] == pytest.approx(problem.population.loss(problem.student.W, problem.student.A), rel=1e-11)


SMOOTH = [
    ("erf", "erf", 1, 3e-13),
    ("erf", "tanh", 2, 1e-10),
    ("sigmoid", "erf", 1, 1e-9),
    ("tanh", "tanh", 1, 1e-9),
]


@pytest.mark.parametrize(("phi", "psi", "outputs", "tolerance"), SMOOTH)
def test_mean_step_of_steps_is_exact(phi, psi, outputs, tolerance):
    """Every ΔQ, ΔR, ΔA and the loss, η = 0.7, Δ = 0.3, B = 2, on a grid of 141² points, exact to 1e-13 for these norms.

    The mixtures of tanh and sigmoid are good to 1.4e-12, their slopes, which enter twice, to some 1e-11.
    """
    problem = problem_of(phi, psi, O=outputs)
    compare(problem, mean_step(problem, *grid(2, 141, 9.0)), tolerance)


def test_mean_step_of_erf_in_three_dimensions():
    """d = 3, K = 2, R = 1: the factor d of the noise; 3e-13 in the theory. Without 2c∂_c it is off by some per cent."""
    problem = problem_of("erf", d=3, scale=0.4, seed=2)
    X, P = grid(3, 61, 8.5)
    kept = P > 1e-18
    compare(problem, mean_step(problem, X[kept], P[kept]), 1e-12)
    units, theory = tilted_units(problem), MeanSGD(problem, STEP, 1, NOISE)
    Omega, C = theory.order.gram(theory.theta0)
    args = (Omega, C, problem.student.A)
    with_derivative, without = (UnitStep(units, *args, d, NOISE).squares(1) for d in (3, 4))
    per_dimension = without - with_derivative  # E[(δ² + Δ)φ′φ′]
    assert np.abs(with_derivative - 3 * per_dimension).max() > 0.02 * np.abs(with_derivative).max()


POLYNOMIALS = [
    ("polynomial:0.3,-1,0.7,0.2", None, 1),
    ("polynomial:0.3,-1,0.7,0.2", "hermite:4", 2),
    ("hermite:3", "quadratic", 1),
    ("linear", "hermite:3", 1),
    ("hermite:2", None, 2),
]


@pytest.mark.parametrize(("phi", "psi", "outputs"), POLYNOMIALS)
def test_mean_step_of_polynomials_is_exact(quadrature, phi, psi, outputs):
    """Gauss–Hermite quadrature of degree 2·4 + 2·2 + 2 and more, which is exact; rounding of some 100 terms."""
    problem = problem_of(phi, psi, d=3, K=2, R=2, O=outputs)
    compare(problem, mean_step(problem, *quadrature(3, 18)), 1e-12)


KINKS = [
    ("relu", None),
    ("abs", "relu"),
    ("leaky-relu:0.2", "abs"),
    ("relu", "linear"),
    ("relu", "leaky-relu:-0.4"),
]


@pytest.mark.parametrize(("phi", "psi"), KINKS)
def test_mean_step_of_one_kinked_unit_is_exact(phi, psi):
    """In the plane all is a power of the length times a function of the angle, smooth between the kinks.

    E r² = 2, E r⁴ = 8: (δφ′)²‖x‖² has degree 4, φ′²‖x‖² and δφ′x have degree 2, as have δφ and δ².
    """
    problem = problem_of(phi, psi, d=2, K=1, R=1)
    directions = np.array([np.arctan2(v[1], v[0]) for v in (problem.student.W[0], problem.teacher.V[0])])
    X, P = angular(20, np.concatenate([directions - np.pi / 2, directions + np.pi / 2]))
    A, W, V = problem.student.A, problem.student.W, problem.teacher.V
    e, F, slopes = sample_parts(problem, X)
    g = np.einsum("no,ok,nk,ni->nki", e, A, slopes, X)
    mean = 2 * np.einsum("n,nki->ki", P, g)
    sampled = 8 * np.einsum("n,nki,nli->kl", P, g, g) + 2 * NOISE * A.T @ A * (P @ slopes**2)
    dQ = 2 * mean @ W.T + STEP * (sampled / BATCH + (1 - 1 / BATCH) * mean @ mean.T)
    compare(problem, (dQ, mean @ V.T, 2 * np.einsum("n,no,nk->ok", P, e, F), P @ e[:, 0] ** 2), 1e-13)


@pytest.mark.parametrize("angle", [0.3, 2.0, 1e-6, 0.0])
def test_relu_is_its_closed_form(angle):
    """I = b²t²[(π − α) + ρ sin α]/2π − 2ab K_00 + a²s²/2, derived for this project; parallel vectors too.

    There √(st − c²) has half of the digits: 1e-12 is allowed at 1e-6.
    """
    s, t, a, b, rho = 1.3, 0.7, 0.8, -1.1, np.cos(angle)
    Omega = np.array([[s * s, s * t * rho], [s * t * rho, t * t]])
    problem = Problem(Teacher([[t, 0.0]], [b]), Student([[s * rho, s * np.sin(angle)]], [a]), "relu")
    kappa = s * t * (np.sin(angle) + (np.pi - angle) * rho) / (2 * np.pi)
    squared = b * b * t * t * ((np.pi - angle) + rho * np.sin(angle)) / (2 * np.pi)
    expected = squared - 2 * a * b * kappa + a * a * s * s / 2
    step = UnitStep(kinked_units(problem), Omega, np.array([[-a, b]]), np.array([[a]]), 2, NOISE)
    assert step.squares(1)[0, 0] == pytest.approx(a * a * (4 * expected + 2 * NOISE / 2), rel=1e-12)


def test_quadratic_units_are_polynomials_too():
    """The form for z², exact for every d, is that of polynomials, for two outputs, stacks and complex states."""
    problem = problem_of("quadratic", d=5, K=3, R=2, O=2)
    theory = MeanSGD(problem, STEP, 3, NOISE)
    rng = np.random.default_rng(1)
    state = theory.theta0 * (1 + 0.1 * rng.standard_normal((2, 3, 1)) + 0.1j)
    ours = theory.order.step_moments(state, NOISE)
    args = (*theory.order.gram(state), theory.order.unpack(state)[2], 5, NOISE)
    theirs = UnitStep(polynomial_units(problem), *args)
    for one, other in (
        (ours.loss, theirs.loss),
        (ours.speed, theirs.speed),
        (ours.lifts, theirs.lifts),
        (ours.squares(3), theirs.squares(3)),
    ):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-13 * np.abs(one).max())


@pytest.mark.parametrize(
    ("phi", "of_errors", "of_noise"),
    [("quadratic", 6, 2), ("polynomial:0,0,0,1", 10, 4), ("relu", 2, 0), ("linear", 2, 0)],
)
def test_homogeneous_units_multiply_by_the_degree(phi, of_errors, of_noise):
    """‖x‖² acts as d + degree: 4h − 2 of δ²φ′², 2h − 2 of φ′²."""
    problem = problem_of(phi, K=1)
    units = {"polynomials": polynomial_units, "kinks": kinked_units, "forms": polynomial_units}[
        closure(problem)
    ](problem)
    Omega = MeanSGD(problem, STEP).order.gram(MeanSGD(problem, STEP).theta0)[0]
    i, j = np.triu_indices(2)
    value, scaled = units.products(Omega, 0, 0, i, j)
    np.testing.assert_allclose(2 * scaled, of_errors * value, rtol=1e-13)
    value, scaled = units.slopes(Omega, 0, 0)
    np.testing.assert_allclose(2 * scaled, of_noise * value, rtol=1e-13)


def test_erf_is_the_formula_of_saad_and_solla():
    """(4/π²) Λ^{−1/2} asin(f(c,d)/√((Λ + f(c,c))(Λ + f(d,d)))) and (2/π)Λ^{−1/2}, as published, for all indices."""
    problem = problem_of("erf", d=6, K=3, R=2, scale=0.7)
    U = np.vstack([problem.student.W, problem.teacher.V])
    O = U @ U.T
    i, j = np.triu_indices(5)
    for a, b in ((0, 0), (0, 1), (1, 2)):
        L = (1 + O[a, a]) * (1 + O[b, b]) - O[a, b] ** 2
        f = L * O - np.outer(O[b], O[b]) * (1 + O[a, a]) - np.outer(O[a], O[a]) * (1 + O[b, b])
        f = f + O[a, b] * (np.outer(O[a], O[b]) + np.outer(O[b], O[a]))
        sizes = L + np.diag(f)
        expected = 4 / np.pi**2 / np.sqrt(L) * np.arcsin(f / np.sqrt(np.outer(sizes, sizes)))
        units = tilted_units(problem)
        np.testing.assert_allclose(units.products(O, a, b, i, j)[0], expected[i, j], rtol=1e-12)
        assert units.slopes(O, a, b)[0] == pytest.approx(2 / np.pi / np.sqrt(L), rel=1e-14)


@pytest.mark.parametrize("phi", ["erf", "tanh", "polynomial:0.3,-1,0.7,0.2", "relu"])
def test_scale_derivative_and_complex_steps(phi):
    """c∂_c, and derivatives along any direction, by central differences: error h² + 1e-16/h = 1e-10 for h = 1e-5."""
    problem = problem_of(phi, d=4, K=1, R=1, scale=0.7)
    theory = MeanSGD(problem, STEP, label_noise=NOISE)
    make = {"steps": tilted_units, "polynomials": polynomial_units, "kinks": kinked_units}[closure(problem)]
    units, Omega = make(problem), theory.order.gram(theory.theta0)[0]
    i, j = np.triu_indices(2)
    h = 1e-5
    for function in (lambda O: units.products(O, 0, 0, i, j), lambda O: units.slopes(O, 0, 0)):
        up, down = function((1 + h) * Omega)[0], function((1 - h) * Omega)[0]
        np.testing.assert_allclose(function(Omega)[1], (up - down) / (2 * h), rtol=1e-8, atol=1e-9)
    direction = np.random.default_rng(3).standard_normal(len(theory.theta0))
    up, down = theory.drift(theory.theta0 + h * direction), theory.drift(theory.theta0 - h * direction)
    expected = (up - down) / (2 * h)
    found = along(theory.drift, theory.theta0, direction)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8 * np.abs(expected).max())


@pytest.mark.parametrize("m", [0.0, 0.3, -0.9, 1.0])
def test_second_hermite_unit_on_the_sphere(m):
    """E[δ²φ′²] = 12(1 − m²) for φ = ψ = He₂/√2, unit norms, a = b = 1: SGD learns 1 − 3ηd times as fast."""
    problem = Problem(Teacher([[1.0, 0.0]], [1.0]), Student([[m, np.sqrt(1 - m * m)]], [1.0]), "hermite:2")
    Omega = np.array([[1.0, m], [m, 1.0]])
    value, _ = polynomial_units(problem).products(Omega, 0, 0, *np.triu_indices(2))
    assert value @ [1, -2, 1] == pytest.approx(12 * (1 - m * m), abs=1e-12)


def test_parallel_and_equal_units_are_no_exception():
    """At the fit, W = V twice over, nothing moves but by label noise, and derivatives stay finite."""
    for phi in ("erf", "hermite:3"):
        V = np.array([[0.6, 0.0, 0.2]])
        problem = Problem(Teacher(V, [1.0]), Student(np.vstack([V, V]), [0.5, 0.5]), phi)
        theory = MeanSGD(problem, STEP)
        assert np.abs(theory.drift(theory.theta0)).max() < 1e-15
        assert theory.order.loss(theory.theta0) < 1e-15
        assert np.isfinite(theory.jacobian(0.0, theory.theta0)).all()


def test_one_step_of_trained_networks():
    """4,000 networks take one step in PyTorch, each on 2 samples of its own: means within 4.5 standard errors."""
    problem = problem_of("erf", d=20, K=2, R=2, scale=0.3)
    theory = MeanSGD(problem, 0.5, BATCH, NOISE)
    run = train(problem, steps=1, step=0.5, batch=BATCH, label_noise=NOISE, seeds=4_000, dtype="float64")
    W, V = run.W[:, 1], problem.teacher.V
    after = theory.order.pack(W @ W.swapaxes(1, 2), W @ V.T, run.A[:, 1])
    change = (after - theory.theta0) / 0.5
    error = change.std(axis=0, ddof=1) / np.sqrt(len(change))
    assert (np.abs(change.mean(axis=0) - theory.drift(theory.theta0)) < 4.5 * error).all()


REFUSED = [
    (
        ("gelu", None, 2, 1),
        "`activation` is 'gelu', but the mean dynamics of SGD is known only for students and teachers that are both "
        "quadratic, polynomials in w·x, sums of erf such as tanh and sigmoid, or single units with a kink: train "
        "networks instead.",
    ),
    (
        ("erf", "hermite:2", 1, 1),
        "`activation` is 'erf' and `teacher_activation` is 'hermite:2', but the mean dynamics of SGD is known only for "
        "students and teachers that are both quadratic, polynomials in w·x, sums of erf such as tanh and sigmoid, or "
        "single units with a kink: train networks instead.",
    ),
    (
        ("relu", None, 2, 1),
        "`activation` is 'relu' with 2 hidden and 1 teacher unit, but the mean dynamics of SGD is known only for one "
        "hidden and one teacher unit of this activation: train networks instead.",
    ),
    (
        ("tanh", None, 3, 2),
        "`activation` is 'tanh' with 3 hidden and 2 teacher units, so that every mean step is a sum of 1.4e+07 terms, "
        "but the mean dynamics of SGD is known only for sums of 1e+07 terms, some tenths of a second each, or fewer: "
        "train networks instead.",
    ),
]


@pytest.mark.parametrize(("case", "sentence"), REFUSED)
def test_what_is_not_known_or_costs_too_much_is_refused(case, sentence):
    phi, psi, K, R = case
    with pytest.raises(ProblemError) as refused:
        MeanSGD(problem_of(phi, psi, K=K, R=R), STEP)
    assert str(refused.value) == sentence


def test_terms_are_counted():
    """tanh: 20² tilts and 20² pairs of components each for 3 pairs k ≤ l and 6 pairs i ≤ j; erf: one each."""
    assert mean_step_terms(problem_of("tanh", K=2, R=1)) == 3 * 6 * 20**4
    assert mean_step_terms(problem_of("erf", "tanh", K=2, R=1)) == 3 * (3 + 2 * 20 + 20**2)
    assert mean_step_terms(problem_of("quadratic", K=40, R=2)) == 0
    degree_four = problem_of("polynomial:1,1,1,1,1", K=1, R=1)
    counted = 3 * polynomial_units(degree_four)._pairings[0].shape[1]
    assert mean_step_terms(degree_four) == pytest.approx(counted, rel=0.15)
