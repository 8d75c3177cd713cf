"""Singular covariances: inputs live in the range of Σ, and nothing outside it matters.

Expected values come from the r-dimensional problem in a basis of the range, which the test builds itself, and from
samples x = Uz.
"""

import numpy as np
import pytest

from dynamics import FlowEnsemble, GradientFlow, Problem, ProblemError, Student, Teacher, fixed_points
from dynamics.activations import ACTIVATIONS
from dynamics.conserved.sample_gradients import gradient_second_moments
from dynamics.covariance import clean_covariance, covariance_factor, range_basis
from dynamics.outcome import diagnose
from dynamics.problem.reduction import in_range
from dynamics.saddle_to_saddle.staircase import staircase

D, RANK, K = 5, 3, 4
NAMES = list(ACTIVATIONS)


def singular(rng, d=D, rank=RANK):
    """Orthonormal basis U of a range, and Σ with eigenvalues between 1/2 and 2 there."""
    U = np.linalg.qr(rng.standard_normal((d, rank)))[0]
    return U, (U * rng.uniform(0.5, 2, rank)) @ U.T


def both(rng, activation="quadratic", scale=0.5):
    """A problem with a singular Σ, and the same in a basis of its range."""
    U, Sigma = singular(rng)
    V, b = rng.standard_normal((2, D)), np.array([1.5, -1.0])
    W, a = scale * rng.standard_normal((K, D)), scale * rng.standard_normal(K)
    full = Problem(Teacher(V, b), Student(W, a), activation, Sigma)
    small = Problem(Teacher(V @ U, b), Student(W @ U, a), activation, U.T @ Sigma @ U)
    return U, full, small


def population(problem):
    p = problem
    return p.population


def test_the_factor_has_the_rank_of_the_covariance(rng):
    U, Sigma = singular(rng)
    F = covariance_factor(Sigma)
    assert F.shape == (D, RANK)
    np.testing.assert_allclose(F @ F.T, Sigma, atol=1e-14)
    np.testing.assert_allclose(range_basis(Sigma) @ range_basis(Sigma).T, U @ U.T, atol=1e-13)
    regular = Sigma + np.eye(D)
    np.testing.assert_array_equal(covariance_factor(regular), np.linalg.cholesky(regular))
    assert range_basis(regular) is None


def test_covariance_of_few_samples(rng):
    """np.cov of 4 samples in 6 dimensions: rank 3, and eigenvalues of either sign at rounding level."""
    Sigma, notes = clean_covariance(np.cov(rng.standard_normal((4, 6)).T), 6)
    assert len(range_basis(Sigma).T) == 3
    assert len(notes) == 1
    assert "3 eigenvalues of `covariance`" in notes[0]
    assert "of dimension 3" in notes[0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_covariance_is_projected_once(rng, dtype):
    """What single precision leaves outside the range goes; a second time nothing changes, not even a bit."""
    _, Sigma = singular(rng, 40, 5)
    once, _ = clean_covariance(Sigma.astype(dtype), 40)
    again, _ = clean_covariance(once, 40)
    np.testing.assert_array_equal(once, again)
    assert range_basis(once).shape == (40, 5)
    np.testing.assert_allclose(once, Sigma, atol=10 * np.finfo(dtype).eps)


@pytest.mark.parametrize("size", [1e-200, 1.0, 1e100])
def test_negative_eigenvalues_beyond_rounding_are_refused(rng, size):
    U, Sigma = singular(rng)
    outside = np.linalg.svd(U)[0][:, RANK]
    slight, real = -1e-16 * np.outer(outside, outside), -1e-3 * np.outer(outside, outside)
    assert range_basis(clean_covariance(size * (Sigma + slight), D)[0]).shape == (D, RANK)
    with pytest.raises(ProblemError, match=r"eigenvalue -(0\.001|1e)"):
        clean_covariance(size * (Sigma + real), D)
    clean_covariance(size * (Sigma + real), D, tolerance=0.01)


def test_no_variance_at_all_is_refused():
    with pytest.raises(ProblemError, match="some input must vary"):
        clean_covariance(np.zeros((2, 2)), 2)


@pytest.mark.parametrize("activation", NAMES)
def test_weights_outside_the_range_have_no_effect_and_feel_none(rng, activation):
    """The loss is that of the small problem, whatever the weights do outside; the velocity is U times the small one."""
    U, full, small = both(rng, activation)
    outside = np.eye(D) - U @ U.T
    W, A = full.student.W, full.student.A
    other = W + rng.standard_normal((K, D)) @ outside
    loss = population(full)
    expected = population(small).loss(small.student.W, A)
    assert loss.loss(W, A) == pytest.approx(expected, rel=1e-12)
    assert loss.loss(other, A) == pytest.approx(expected, rel=1e-12)
    dW, dA = loss.velocity(other, A)
    small_dW, small_dA = population(small).velocity(small.student.W, A)
    np.testing.assert_allclose(dW, small_dW @ U.T, atol=1e-12)
    np.testing.assert_allclose(dA, small_dA, atol=1e-12)
    np.testing.assert_allclose(dW @ outside, 0, atol=1e-13)
    H = loss.hessian(W, A)[: K * D, : K * D].reshape(K, D, K, D)
    np.testing.assert_allclose(H @ outside, 0, atol=1e-12)


@pytest.mark.parametrize("activation", ["quadratic", "centred", "relu"])
def test_loss_against_samples_of_the_range(rng, activation):
    """½ E(f* − f)² over 200,000 samples x = Fz, within 4.5 standard errors; φ written out here."""
    _, p, _ = both(rng, activation)
    x = rng.standard_normal((200_000, RANK)) @ covariance_factor(p.covariance).T

    def phi(W):
        z = x @ W.T
        return {
            "quadratic": z**2,
            "centred": z**2 - np.einsum("ki,ij,kj->k", W, p.covariance, W),
            "relu": np.maximum(z, 0),
        }[activation]

    squares = 0.5 * (phi(p.teacher.V) @ p.teacher.B[0] - phi(p.student.W) @ p.student.A[0]) ** 2
    error = squares.std() / np.sqrt(len(x))
    assert abs(squares.mean() - population(p).loss(p.student.W, p.student.A)) < 4.5 * error


@pytest.mark.parametrize("activation", ["quadratic", "centred", "abs"])
def test_the_flow_is_that_of_the_range(rng, activation):
    """Same learning curve; W(t) = W_small(t) Uᵀ plus what was outside at the start, conserved quantities at rest."""
    U, full, small = both(rng, activation)
    trajectory = GradientFlow(full).integrate(t_end=0.5, samples=5)
    expected = GradientFlow(small).integrate(t_end=0.5, samples=5)
    np.testing.assert_allclose(trajectory.loss, expected.loss, rtol=1e-8)
    outside = full.student.W @ (np.eye(D) - U @ U.T)
    np.testing.assert_allclose(trajectory.W, expected.W @ U.T + outside, atol=1e-8)
    assert trajectory.conserved_drift < 1e-9


def test_in_range_is_the_small_problem(rng):
    _, full, small = both(rng)
    found = in_range(full)
    assert found.inputs == RANK
    W, A = found.student.W, found.student.A
    assert population(found).loss(W, A) == pytest.approx(population(small).loss(small.student.W, A))
    assert in_range(small) is small


def test_ensembles_measure_the_same_loss(rng):
    _, full, _ = both(rng)
    ensemble = FlowEnsemble([full, full]).integrate(0.5, samples=3)
    alone = GradientFlow(full).integrate(t_end=0.5, samples=3)
    np.testing.assert_allclose(ensemble.loss, [alone.loss, alone.loss], rtol=1e-8)


def test_moments_of_the_gradient_are_those_of_the_range(rng):
    """Gradients lie in the range, where lengths and products are those of the small problem."""
    _, full, small = both(rng)
    ours = gradient_second_moments(full, full.student.W, full.student.A, 0.3)
    theirs = gradient_second_moments(small, small.student.W, small.student.A, 0.3)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10)


def test_the_catalogue_is_that_of_the_range(rng):
    """Losses, signatures and modes of the small problem; representatives are stationary in all d inputs."""
    _, full, small = both(rng)
    ours, theirs = fixed_points(full), fixed_points(small)
    assert len(ours.points) == len(theirs.points)
    for one, other in zip(ours.points, theirs.points, strict=True):
        assert one.loss == pytest.approx(other.loss, abs=1e-12)
        assert (one.learned_modes, one.index, one.nullity) == (
            other.learned_modes,
            other.index,
            other.nullity,
        )
    point = next(p for p in ours.feasible if p.learned_modes)
    student = ours.representative(point)
    loss = population(full)
    assert loss.loss(student.W, student.A) == pytest.approx(point.loss, abs=1e-12)
    assert max(np.abs(part).max() for part in loss.velocity(student.W, student.A)) < 1e-12


def test_search_and_connections_work_in_the_range(rng):
    from dynamics.stationary.matching import catalogue_flow, match_fixed_points
    from dynamics.stationary.search import search_fixed_points
    from oracles.followed_connections import follow_connections

    _, full, small = both(rng)
    catalogue = fixed_points(full)
    assert catalogue_flow(catalogue).problem.inputs == RANK
    found = match_fixed_points(search_fixed_points(catalogue_flow(catalogue), 20, seed=0), catalogue)
    assert found.matched == found.search.converged > 10
    few = [fixed_points(p.teacher, 1, covariance=p.covariance) for p in (full, small)]
    edges = [{(e.source, e.target) for e in follow_connections(c, mixtures=1).edges} for c in few]
    assert edges[0] == edges[1]
    assert edges[0]


def test_certification_is_refused(rng):
    from dynamics.stationary import certify

    with pytest.raises(ProblemError, match="singular"):
        certify(fixed_points(both(rng)[1]))


def test_diagnosis_and_staircase_are_those_of_the_range(rng):
    """Σ = diag(1, 2, 0) and an M* that is diag(2, 1) in its range: what is outside, of any size, counts nowhere.

    In all three inputs M* and Σ do not commute.
    """
    student = Student.initialise(3, 3, scale=1e-2, seed=2)
    student = Student(np.column_stack([student.W[:, :2], [0.5, 1, -2]]), student.a)
    teacher = Teacher.from_matrix([[2, 0, 0.7], [0, 1, 0.3], [0.7, 0.3, 3]])
    full = Problem(teacher, student, covariance=np.diag([1.0, 2, 0]))
    small = Problem(
        Teacher.from_eigenvalues([2, 1]), Student(student.W[:, :2], student.a), covariance=np.diag([1.0, 2])
    )
    ours, theirs = diagnose(full), diagnose(small)
    np.testing.assert_allclose(ours.conserved, theirs.conserved, atol=1e-15)
    assert (ours.verdict, ours.needed) == (theirs.verdict, theirs.needed)
    assert ours.predicted_loss == pytest.approx(theirs.predicted_loss)
    jumps = [[(j.time, j.loss_after) for j in staircase(p).jumps] for p in (full, small)]
    np.testing.assert_allclose(jumps[0], jumps[1], rtol=1e-9)
    assert len(jumps[0]) > 0


def test_problems_say_what_they_changed(rng):
    _, full, small = both(rng)
    assert "live in the range of `covariance`, of dimension 3" in full.notes[0]
    assert full.notes[0] in repr(full)
    assert small.notes == ()
