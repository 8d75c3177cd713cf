"""Certificates: what they claim holds at high precision, and false claims are not certified."""

from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.stationary import catalogue_flow, fixed_points, match_fixed_points, search_fixed_points

pytest.importorskip("flint")
from dynamics.stationary import certify, certify_point

rng = np.random.default_rng(0)
Q = np.linalg.qr(rng.standard_normal((4, 4)))[0]
F = rng.standard_normal((4, 4))
CASES = {
    "worked example": ([4, 2, 1], 3, {}),
    "one unit": ([2, -1.9], 1, {}),
    "repeated, with a kernel": ([2, 2, 1, 0, -1], 7, {}),
    "centred": ([2, 2, 1, 0, -1], 6, {"activation": "centred"}),
    "fixed": ([2, 1, -1], 3, {"second_layer": "fixed", "second_layer_value": -0.5}),
    "units at the origin": ([2, 1, -1], 4, {"signs": "+,+,-,0"}),
    "rotated": ((Q * [4, 2, 1, -1]) @ Q.T, 5, {}),
    "correlated inputs": ((Q * [4, 2, 1, -1]) @ Q.T, 5, {"covariance": F @ F.T / 4 + 0.3 * np.eye(4)}),
    "large kernel": (np.array([3, 1, -1.0]), 4, {"inputs": 500}),
}


def build(lam, hidden, options):
    options = dict(options)
    inputs = options.pop("inputs", None)
    teacher = Teacher.from_matrix(lam) if np.ndim(lam) == 2 else Teacher.from_eigenvalues(lam, inputs)
    return fixed_points(teacher, hidden, **options)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_every_feasible_point_is_certified(case):
    """Existence within a few rounding errors of the floats, all signs of the Hessian, for every kind of problem."""
    catalogue = certify(build(*case))
    assert len(catalogue.feasible) > 0
    for point in catalogue.points:
        if point.feasible:
            assert point.certified is True
            assert 0 <= point.radius < 1e-12
            assert point.to_dict()["certified"] is True
        else:
            assert point.certified is None
    assert catalogue.origin.certified


@pytest.mark.parametrize(
    "name", ["worked example", "repeated, with a kernel", "centred", "units at the origin"]
)
def test_random_students_at_a_point_are_certified_too(name):
    """Redundant units in random directions; the proven signature is the counted one, the bounds contain the loss."""
    catalogue = build(*CASES[name])
    for point in catalogue.feasible:
        proof = certify_point(catalogue, point, catalogue.representative(point, seed=1))
        assert proof.certified, proof.reason
        assert (proof.index, proof.nullity, proof.positive) == (point.index, point.nullity, point.positive)
        low, high = proof.loss
        assert low <= exact_loss(catalogue, point) <= high
        assert high - low < 1e-12


def exact_loss(catalogue, point):
    """Σ λ_j² + T²/(r+2) in rational arithmetic, for a teacher given by its eigenvalues."""
    lam = np.repeat(catalogue.spectrum.values, catalogue.spectrum.multiplicities)
    rest = [Fraction(float(x)) for x in np.delete(lam, point.learned_modes)]
    coupling = int(catalogue.trace_coupling)
    return sum((x**2 for x in rest), Fraction(0)) + coupling * Fraction(sum(rest)) ** 2 / (point.rank + 2)


@pytest.mark.parametrize("distance", [1e-3, 1e-6, 1e-9])
def test_radius_is_a_true_and_tight_bound(distance):
    """A student pushed off its manifold: the true distance lies between ‖∇L‖/‖H‖ (to first order) and the radius.

    The push is along the Hessian's non-zero directions, so the distance is that of the push, to first order.
    """
    catalogue = fixed_points(Teacher.from_eigenvalues([4, 2, 1]), 4)
    point = catalogue.point((0, 1))
    student = catalogue.representative(point, seed=2)
    flow = GradientFlow(catalogue.teacher, student, reduce=False)
    h, vectors = np.linalg.eigh(flow.hessian(flow.theta0))
    across = vectors[:, np.abs(h) > 1e-9]
    push = across @ np.random.default_rng(0).standard_normal(across.shape[1])
    push *= distance / np.linalg.norm(push)
    W, A = flow.unpack(flow.theta0 + push)
    proof = certify_point(catalogue, point, Student(W, A))
    assert proof.certified
    gradient = np.linalg.norm(flow(0, flow.theta0 + push))
    assert proof.radius >= 0.9 * gradient / np.abs(h).max()
    assert proof.radius == pytest.approx(distance, rel=0.1 + 10 * distance)


def test_the_true_point_is_stationary_at_fifty_digits():
    """Newton's iteration at 60 digits in the slice of the certificate: ∇L of *all* weights vanishes within the radius.

    Independent of the interval code: plain mpmath on the full gradient, minimum-norm steps through the Hessian.
    """
    catalogue = certify(fixed_points(Teacher.from_eigenvalues([2, 0.7, -1.3]), 3))
    with mpmath.workdps(60):
        for point in catalogue.feasible:
            student = catalogue.representative(point)
            flow = GradientFlow(catalogue.teacher, student, reduce=False)
            pseudo_inverse = mpmath.matrix(np.linalg.pinv(flow.hessian(flow.theta0), rcond=1e-9).tolist())
            start = mpmath.matrix(flow.theta0.tolist())
            theta = start.copy()
            for _ in range(8):
                theta -= pseudo_inverse * gradient_in_digits([2, 0.7, -1.3], theta, 3)
            assert mpmath.norm(gradient_in_digits([2, 0.7, -1.3], theta, 3)) < mpmath.mpf(10) ** -50
            assert mpmath.norm(theta - start) <= point.radius


def gradient_in_digits(lam, theta, K):
    """∇L at high precision from ẇ_k = a_k G w_k, ȧ_k = ½ w_kᵀG w_k; λ are the floats' exact values."""
    d = len(lam)
    W = mpmath.matrix(K, d)
    for k in range(K):
        for i in range(d):
            W[k, i] = theta[k * d + i]
    a = [theta[K * d + k] for k in range(K)]
    D = mpmath.diag([mpmath.mpf(x) for x in lam])
    for k in range(K):
        D -= a[k] * W[k, :].T * W[k, :]
    tau = sum(D[i, i] for i in range(d))
    G = 4 * D + 2 * tau * mpmath.eye(d)
    rows = [-a[k] * (G * W[k, :].T) for k in range(K)]
    slopes = [-(W[k, :] * G * W[k, :].T)[0] / 2 for k in range(K)]
    return mpmath.matrix([row[i] for row in rows for i in range(d)] + slopes)


def test_numerical_roots_can_be_certified():
    """Roots of a search that knows no catalogue: every one without a silent unit."""
    catalogue = fixed_points(Teacher.from_eigenvalues([4, 2, 1]), 2)
    flow = catalogue_flow(catalogue)
    match = match_fixed_points(search_fixed_points(flow, 100), catalogue)
    certified = 0
    for root, point in zip(match.search.roots, match.points, strict=True):
        W, A = flow.unpack(root.theta)
        if np.abs(A).min() < 1e-3:
            continue
        proof = certify_point(catalogue, point, Student(W, A))
        assert proof.certified, proof.reason
        assert proof.radius < 1e-8
        assert (proof.index, proof.nullity, proof.positive) == (root.index, root.nullity, root.positive)
        certified += 1
    assert certified > 5


def test_false_claims_are_not_certified():
    catalogue = fixed_points(Teacher.from_eigenvalues([4, 2, 1]), 3)
    point = catalogue.point((0, 1))
    # not a stationary point
    student = catalogue.representative(point, seed=0)
    off = certify_point(catalogue, point, Student(student.W * [1.0, 0.0, 1.0], student.A))
    assert not off.certified and off.reason
    # a wrong count
    wrong = certify_point(catalogue, replace(point, index=point.index + 1))
    assert not wrong.certified
    assert (wrong.index, wrong.positive) == (point.index, point.positive)
    # a silent unit: the proof is of the point with this unit at the origin, and the radius says how far that is
    aligned = catalogue.representative(point)
    W, A = aligned.W.copy(), aligned.A.copy()
    W[2], A[0, 2] = [0, 0, 0.3], 0.0
    silent = certify_point(catalogue, point, Student(W, A))
    assert silent.radius == pytest.approx(0.3)


def test_undecidable_signs_are_admitted():
    """A rotated teacher with a repeated eigenvalue: floats cannot tell λ_0 = λ_1 from λ_0 ≈ λ_1, nor can a proof."""
    M = (Q * [2, 2, 1, -0.7]) @ Q.T
    catalogue = certify(fixed_points(Teacher.from_matrix(M), 4))
    split = [p for p in catalogue.feasible if p.family_dimension]
    assert split
    assert not any(p.certified for p in split)
    assert all(p.certified for p in catalogue.feasible if not p.family_dimension)
    assert all(p.radius < 1e-12 for p in split)  # existence is proven all the same


def test_a_vanishing_gain_is_decided_exactly():
    """λ = (2, 1, −0.25), S = {0}: λ̃_2 = −0.25 + 0.75/3 = 0, exactly so in binary."""
    catalogue = fixed_points(Teacher.from_eigenvalues([2, 1, -0.25]), 2)
    point = catalogue.point((0,))
    assert point.degenerate
    proof = certify_point(catalogue, point)
    assert proof.certified
    assert proof.nullity == point.nullity > point.manifold_dimension
    problem = Problem(catalogue.teacher, catalogue.representative(point))
    h = np.linalg.eigvalsh(
        GradientFlow(problem, reduce=False).hessian(GradientFlow(problem, reduce=False).theta0)
    )
    assert np.sum(np.abs(h) < 1e-12) == proof.nullity
