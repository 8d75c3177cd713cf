"""Counted signatures against numerical Hessians, and the theorem on minima against descents."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.stationary import fixed_points
from dynamics.stationary.hessian import Units, signature
from dynamics.stationary.spectrum import Spectrum


def random_catalogue(rng):
    """Catalogue of a random problem, d = 2 … 5: any signs, rank, repetition, rotation, covariance, second layer."""
    d = int(rng.integers(2, 6))
    K = int(rng.integers(1, d + 3))
    lam = rng.standard_normal(d)
    style = rng.integers(4)
    if style == 1:
        lam[rng.integers(d)] = 0
    elif style == 2:
        lam = np.round(2 * lam) / 2 + 0.5 * (not lam.any())  # repeated, and many accidental zeros of μ and λ̃
    elif style == 3:
        lam = np.abs(lam)
    Q = np.linalg.qr(rng.standard_normal((d, d)))[0]
    F = rng.standard_normal((d, d))
    options = {"activation": ("quadratic", "centred")[rng.integers(2)]}
    if rng.random() < 0.3:
        options["covariance"] = F @ F.T / d + 0.3 * np.eye(d)
    if rng.random() < 0.3:
        options |= {"second_layer": "fixed", "second_layer_value": float(rng.choice([1, -1, 0.5, -2]))}
    elif rng.random() < 0.7:
        options["signs"] = rng.choice([1, -1, 0], K, p=[0.45, 0.45, 0.1]).tolist()
    return fixed_points(Teacher.from_matrix((Q * lam) @ Q.T), K, **options)


def numerical_signature(flow, theta):
    """Index, nullity, positive. Zeros come out as rounding errors: below n·ε·‖H‖ ≈ 1e-14 ‖H‖, with a margin."""
    h = np.linalg.eigvalsh(flow.hessian(theta))
    zero = 1e-12 * np.abs(h).max()
    return int(np.sum(h < -zero)), int(np.sum(np.abs(h) <= zero)), int(np.sum(h > zero))


def compare_random_points(number, seed):
    """Compare that many random points, units redundant and dead, with their numerical loss, gradient, Hessian."""
    rng = np.random.default_rng(seed)
    compared = 0
    while compared < number:
        catalogue = random_catalogue(rng)
        feasible = catalogue.feasible
        for i in rng.permutation(len(feasible))[:6]:
            point = feasible[i]
            student = catalogue.representative(point, seed=int(rng.integers(2**31)))
            problem = Problem(catalogue.teacher, student, catalogue.activation, catalogue.covariance)
            flow = GradientFlow(problem, reduce=False)
            scale = catalogue.spectrum.scale
            assert np.abs(flow(0, flow.theta0)).max() < 1e-10 * max(scale, 1) ** 2
            assert abs(flow.loss(flow.theta0) - point.loss) < 1e-12 * max(scale**2, point.loss)
            counted = (point.index, point.nullity, point.positive)
            assert numerical_signature(flow, flow.theta0) == counted, (catalogue, point)
            compared += 1


def test_signatures_of_random_points():
    compare_random_points(400, seed=0)


def test_signatures_of_many_random_points():
    compare_random_points(3000, seed=1)


def test_signature_with_a_fixed_second_layer_of_unequal_values():
    """Only the signs of the a_k count, also when they are fixed and differ in size."""
    rng = np.random.default_rng(4)
    a = np.array([1.0, 0.5, -2.0, -0.3, 1.7])
    teacher = Teacher.from_eigenvalues([2, 0.7, 0, -1])
    catalogue = fixed_points(Problem(teacher, Student(np.zeros((5, 4)), a, trainable=False)))
    for point in catalogue.feasible:
        student = catalogue.representative(point, seed=int(rng.integers(100)))
        np.testing.assert_array_equal(student.a, a)
        flow = GradientFlow(teacher, student, reduce=False)
        assert np.abs(flow(0, flow.theta0)).max() < 1e-12
        assert numerical_signature(flow, flow.theta0) == (point.index, point.nullity, point.positive)


def test_nullity_is_the_dimension_of_the_manifold():
    """Independent of the Hessian: unknowns (Y, a) less the rank of a numerical differential of YᵀaY, plus rotations.

    λ̃_j vanishes nowhere for this spectrum, so the Hessian must have no other null directions.
    """
    catalogue = fixed_points(Teacher.from_eigenvalues([2, 2, 1, -0.7]), 5)
    for point in catalogue.feasible:
        student = catalogue.representative(point, seed=3)
        Y = student.W @ catalogue.spectrum.eigenvectors(point.learned_modes).T
        r, K = point.rank, 5

        def P(x, K=K, r=r):
            y = x[: K * r].reshape(K, r)
            return ((y.T * x[K * r :]) @ y)[np.triu_indices(r)]

        x = np.concatenate([Y.ravel(), student.a])
        differential = np.array([P(x + 1e-6 * e) - P(x - 1e-6 * e) for e in np.eye(len(x))]) / 2e-6
        rank = np.linalg.matrix_rank(differential, tol=1e-6) if r else 0
        rotations = (
            1 if len({0, 1} & set(point.learned_modes)) == 1 else 0
        )  # one of the two equal eigenvalues
        assert point.family_dimension == rotations
        assert point.multiplicity == 1 + rotations
        assert point.manifold_dimension == len(x) - rank + rotations == point.nullity
        assert not point.degenerate


@given(
    st.lists(st.floats(-2, 2), min_size=3, max_size=3),
    st.integers(0, 3),
    st.integers(0, 2**31),
    st.sampled_from([0.0, 1.0]),
)
@settings(deadline=None, max_examples=100)
def test_exact_expansion_behind_the_theorem_on_minima(lam, r, seed, coupling):
    """L − L_S = ‖P − μ‖² + ‖E‖² + ½(tr P − Σμ + tr E)² + ½ Σ_j x_jᵀQ_j x_j for *any* weights, not only nearby ones."""
    rng = np.random.default_rng(seed)
    lam, K = np.array(lam), 4
    shift = coupling * lam[r:].sum() / (r + 2)
    W, a = rng.standard_normal((K, 3)), rng.standard_normal(K)
    Y, X = W[:, :r], W[:, r:]
    P, E = (Y.T * a) @ Y, (X.T * a) @ X
    mu, tilde = lam[:r] + shift, lam[r:] + shift
    excess = np.sum((P - np.diag(mu)) ** 2) + np.sum(E**2)
    excess += coupling * (np.trace(P) - mu.sum() + np.trace(E)) ** 2 / 2
    for x, gain in zip(X.T, tilde, strict=True):
        Q = 4 * (np.outer(a, a) * (Y @ Y.T) - gain * np.diag(a))
        excess += x @ Q @ x / 2
    level = np.sum(lam[r:] ** 2) + coupling * lam[r:].sum() ** 2 / (r + 2)
    D = np.diag(lam) - (W.T * a) @ W
    loss = np.sum(D**2) + coupling * np.trace(D) ** 2 / 2
    assert loss == pytest.approx(level + excess, rel=1e-10, abs=1e-10)


# Spectra with a vanishing gain λ̃_j: centred activation with λ_j = 0, raw activation with T/(r+2) = −λ_j.
FLAT_MINIMA = [
    ([1, 0, -1], {"activation": "centred", "signs": "+,+"}, (0,)),  # a negative mode without negative units
    ([2, 1, 0], {"activation": "centred", "signs": "+,-,-"}, (0,)),  # all positive units engaged
    ([3, 0.5, -2], {"signs": "+,+"}, (0,)),  # T = −1.5, T/3 = −0.5: λ̃_1 = 0, λ̃_2 < 0
]


@pytest.mark.parametrize(("lam", "options", "modes"), FLAT_MINIMA)
def test_vanishing_gains_leave_minima_minima(lam, options, modes):
    """Hessian flat beyond the manifold, index 0, all a_k ≠ 0: descents from 40 nearby states end at the same level."""
    catalogue = fixed_points(Teacher.from_eigenvalues(lam), options["signs"].count(",") + 1, **options)
    point = catalogue.point(modes)
    assert (point.index, point.degenerate, point.kind) == (0, True, "spurious minimum")
    assert "flat" in point.reason
    rng = np.random.default_rng(0)
    for seed in range(8):
        student = catalogue.representative(point, seed=seed)
        flow = GradientFlow(Problem(catalogue.teacher, student, catalogue.activation), reduce=False)
        for _ in range(5):
            start = flow.theta0 + 0.02 * rng.standard_normal(flow.theta0.size)
            end = minimize(flow.loss, start, jac=lambda x, flow=flow: -flow(0, x), method="BFGS", tol=1e-12)
            assert end.fun > point.loss - 1e-12


def test_a_trained_unit_with_vanishing_a_always_finds_a_descent():
    """At the origin, or with w in V: the Hessian sees no descent, the loss descends at higher order all the same.

    One positive unit has learned mode 0; the gains of the other modes are negative, so G asks for a' < 0.
    """
    teacher = Teacher.from_eigenvalues([2, -1, -0.5])
    mu = 2 - 1.5 / 3
    for w in ([0.0, 0, 0], [0.7, 0, 0]):
        student = Student([[np.sqrt(mu), 0, 0], w], [1.0, 0.0])
        flow = GradientFlow(teacher, student, reduce=False)
        assert np.abs(flow(0, flow.theta0)).max() < 1e-14
        level = flow.loss(flow.theta0)
        assert np.linalg.eigvalsh(flow.hessian(flow.theta0))[0] > -1e-12  # the Hessian sees no descent
        for distance in (1e-1, 1e-2, 1e-3):
            theta = flow.theta0.copy()
            theta[4], theta[7] = distance, -(distance**3)
            assert flow.loss(theta) < level


def test_silent_units_add_a_negative_direction():
    """Theory, section 3, for random cones: one more negative eigenvalue than the same point with the unit dead."""
    rng = np.random.default_rng(2)
    teacher = Teacher.from_eigenvalues([1.5, 0.4, -0.2, -1.1])
    for _ in range(20):
        catalogue = fixed_points(teacher, 2, signs="+,0")
        point = catalogue.point((0,))
        gains = np.array([0, 0.4, -0.2, -1.1]) + point.residual_trace / 3
        gains[0] = 0
        w = rng.standard_normal(4)
        # balance the positive and negative parts of Σ λ̃_j w_j²
        plus, minus = gains @ (w**2 * (gains > 0)), -gains @ (w**2 * (gains < 0))
        w[gains > 0] *= np.sqrt(minus / plus)
        student = catalogue.representative(point)
        W = student.W.copy()
        W[1] = w
        flow = GradientFlow(teacher, Student(W, student.a), reduce=False)
        assert np.abs(flow(0, flow.theta0)).max() < 1e-13
        assert numerical_signature(flow, flow.theta0)[0] >= point.index + 1


def test_counts_do_not_depend_on_the_size_of_a_kernel():
    """Exact integers for d = 10⁶: the index of the dead network is units × positive gains."""
    spectrum = Spectrum.of(Teacher.from_eigenvalues([2, -1], inputs=10**6))
    hessian = signature(spectrum, (0, 0, 0), 1 / 2, Units(3, 1), True)
    # gains 2.5, 0.5 (10⁶ − 2 times), −0.5: positive units descend along the first, the negative one along the last
    assert hessian.index == 3 * (1 + 10**6 - 2) + 1
    assert hessian.positive == 1 * (1 + 10**6 - 2) + 3
    assert hessian.nullity == 4 * (10**6 + 1) - hessian.index - hessian.positive
