"""Mean dynamics of SGD on the sphere against steps and runs of networks, and against closed forms."""

import numpy as np
import pytest

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.sgd.mean_sgd import MeanSGD
from dynamics.sgd.sphere_sgd import SphereSGD, mean_sgd_of
from dynamics.sgd.trajectory import SGDTrajectory


def two_units(d, activation="quadratic", b=(0.6, 0.4)):
    W = np.zeros((2, d))
    W[0, [0, 2]] = 0.3, np.sqrt(1 - 0.3**2)
    W[1, [1, 2, 3]] = 0.2, 0.1, np.sqrt(1 - 0.2**2 - 0.1**2)
    teacher = Teacher.from_eigenvalues(b, d)
    return Problem(teacher, Student(W, [0.5, 0.7], trainable=False), activation, constraint="sphere")


PHI = {  # φ, φ′ written out
    "quadratic": (lambda z: z**2, lambda z: 2 * z),
    "polynomial:0,1,0.5": (lambda z: z + 0.5 * z**2, lambda z: 1 + z),
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
}


class Chain:
    """Overlaps of S networks under SGD in d inputs, exactly in law: of x only Ux and ‖x‖² matter to them."""

    def __init__(self, problem, runs, seed, inputs=None):
        self.problem, self.rng = problem, np.random.default_rng(seed)
        self.inputs = problem.inputs if inputs is None else inputs
        U = np.concatenate([problem.student.W, problem.teacher.V])
        self.G = np.broadcast_to(U @ U.T, (runs, *(2 * [len(U)]))).copy()

    def step(self, eta, noise):
        G, problem, (S, n, _) = self.G, self.problem, self.G.shape
        K, d = problem.student.hidden, self.inputs
        phi, slope = PHI[problem.activation.name]
        factor = np.linalg.cholesky(G + 1e-14 * np.eye(n))
        white = self.rng.standard_normal((S, n))
        zeta = np.einsum("sij,sj->si", factor, white)
        square = np.sum(white**2, axis=1) + self.rng.chisquare(d - n, S)
        f, target = phi(zeta[:, :K]) @ problem.student.A[0], phi(zeta[:, K:]) @ problem.teacher.B[0]
        delta = target - f + np.sqrt(noise) * self.rng.standard_normal(S)
        c = eta * delta[:, None] * problem.student.A[0] * slope(zeta[:, :K])  # w_k += c_k x
        c = np.concatenate([c, np.zeros((S, n - K))], axis=1)
        G = G + c[:, :, None] * zeta[:, None] + zeta[:, :, None] * c[:, None]
        G += c[:, :, None] * c[:, None] * square[:, None, None]
        size = np.ones((S, n))
        size[:, :K] = np.sqrt(np.einsum("sii->si", G)[:, :K])
        self.G = G / size[:, :, None] / size[:, None]


@pytest.mark.parametrize("activation", PHI)
def test_one_step_in_many_dimensions(activation):
    """Mean change of Q and R over 200,000 steps at d = 10⁷, within four standard errors; what is left out is 1/d."""
    problem, d, noise = two_units(10**3, activation), 10**7, 0.2
    theory = SphereSGD(problem, 0.4 / problem.inputs, label_noise=noise)
    Q, R, _ = theory.order.unpack(theory.drift(theory.theta0))
    chain = Chain(problem, 200_000, 5, inputs=d)
    eta = 0.4 / d
    before = chain.G.copy()
    # at first order in η samples scatter by 1, at second by ηd: they are asked for together, over η
    chain.step(eta, noise)
    change = (chain.G - before) / eta
    for i, j, expected in (
        (0, 1, Q[0, 1]),
        (0, 2, R[0, 0]),
        (0, 3, R[0, 1]),
        (1, 2, R[1, 0]),
        (1, 3, R[1, 1]),
    ):
        found = change[:, i, j]
        assert abs(found.mean() - expected) < 4 * found.std() / np.sqrt(len(found)) + 1e-5
    assert Q[0, 0] == Q[1, 1] == 0


@pytest.mark.slow
def test_runs_in_many_dimensions():
    """Overlaps at t = 3, g' = .4, Δ = .1: 400 runs at d = 1,000, within four standard errors and a term 10/d."""
    problem, noise = two_units(1000), 0.1
    curve = SphereSGD(problem, 4e-4, label_noise=noise).integrate(t_end=3.0)
    chain = Chain(problem, 400, 3)
    for _ in range(7500):
        chain.step(4e-4, noise)
    for found, expected in (
        *((chain.G[:, k, 2 + m], curve.R[-1, k, m]) for k in range(2) for m in range(2)),
        (chain.G[:, 0, 1], curve.Q[-1, 0, 1]),
    ):
        assert abs(found.mean() - expected) < 4 * found.std() / 20 + 10 / 1000


def test_one_unit_rests_where_the_closed_form_says():
    """ṁ = m[(4 − 24g')(1 − m²) − 2g'Δ]: the end point 1 − m² = g'Δ/(2 − 12g'); at d = 10⁶ the rest is 1e-5."""
    d, g, noise = 10**6, 0.05, 0.5
    W = np.zeros((1, d))
    W[0, :2] = 0.1, np.sqrt(0.99)
    problem = Problem(Teacher.from_eigenvalues([1], d), Student(W, [1.0], False), constraint="sphere")
    theory = SphereSGD(problem, g / d, label_noise=noise)
    m = np.array([0.1, 0.5, 0.9])
    states = theory.order.pack(np.ones((3, 1, 1)), m[:, None, None], np.ones((3, 1, 1)))
    rates = theory.order.unpack(theory.drift(states, np.full(3, g / d)))[1][:, 0, 0]
    np.testing.assert_allclose(rates, m * ((4 - 24 * g) * (1 - m**2) - 2 * g * noise), atol=2e-4)
    end = theory.integrate().R[-1, 0, 0]
    assert 1 - end**2 == pytest.approx(g * noise / (2 - 12 * g), rel=1e-4)


def test_growth_of_two_units_on_one_direction():
    """Near m = 0 units of a = 1/p grow at the rate 4 − ½g'[4(3 − 2(p+2)/p + (p+2)(p+4)/p²) + 4Δ] per time t/a.

    p = 2, g' = .1, Δ = 1e-4 (orthogonal units; by hand from E δ²z²): 3.5 less 2e-5; what is left out is 1e-6.
    """
    d = 3000
    W = np.zeros((2, d))
    W[0, [0, 1]] = W[1, [0, 2]] = 0.001, np.sqrt(1 - 1e-6)
    problem = Problem(Teacher.from_eigenvalues([1], d), Student(W, [0.5, 0.5], False), constraint="sphere")
    theory = SphereSGD(problem, 2 * 0.1 / d, label_noise=1e-4)
    rate = theory.order.unpack(theory.drift(theory.theta0))[1][0, 0]
    noise = 4 * (3 - 2 * 4 / 2 + 4 * 6 / 4) + 4e-4
    assert 2 * rate / 0.001 == pytest.approx(4 - 0.1 / 2 * noise, rel=1e-5)


def test_what_is_chosen_and_refused(tmp_path):
    there = two_units(10)
    free = Problem(there.teacher, there.student)
    assert mean_sgd_of(there) is SphereSGD and mean_sgd_of(free) is MeanSGD
    with pytest.raises(
        ProblemError, match="`constraint` is 'none', but the mean dynamics of SGD on the sphere"
    ):
        SphereSGD(free, 1e-3)
    with pytest.raises(ProblemError, match="`constraint` is 'sphere', but"):
        MeanSGD(there, 1e-3)
    curve = SphereSGD(there, 1e-3).integrate(t_end=0.5, samples=3)
    curve.save(tmp_path / "sgd.npz")
    again = SGDTrajectory.load(tmp_path / "sgd.npz")
    np.testing.assert_array_equal(again.R, curve.R)
    assert again.problem.constraint.name == "sphere"
    np.testing.assert_allclose(curve.norms, 1)


def test_batches_divide_the_noise():
    """For d → ∞ only ηd/B matters: batch 4 at four times the step is batch 1."""
    problem = two_units(2000)
    one = SphereSGD(problem, 2e-4, 1).integrate(t_end=1, samples=3)
    four = SphereSGD(problem, 8e-4, 4).integrate(t_end=1, samples=3)
    np.testing.assert_allclose(one.R, four.R, rtol=1e-9)
    slower = SphereSGD(problem, 2e-4, 4).integrate(t_end=1, samples=3)
    assert np.abs(slower.R - one.R).max() > 0.01


def test_a_schedule_is_that_of_the_moment():
    """With half the rate from the middle on, the overlap is that of two stretches with constant rates."""
    problem, N = two_units(100), 200
    rates = np.where(np.arange(N) < 100, 1.0, 0.5)
    curve = SphereSGD(problem, 2e-3, schedule=rates, steps=N).integrate(times=[0, 0.2, 0.3])
    first = SphereSGD(problem, 2e-3).integrate(times=[0, 0.2])
    np.testing.assert_allclose(curve.R[1], first.R[-1], rtol=1e-8)
    theory = SphereSGD(problem, 1e-3)
    theory.theta0 = theory.order.pack(first.Q[-1], first.R[-1], first.A[-1])
    np.testing.assert_allclose(curve.R[2], theory.integrate(times=[0, 0.1]).R[-1], rtol=1e-7)
