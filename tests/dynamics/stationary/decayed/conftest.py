"""Random problems with weight decay, and what is compared at their stationary points."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.stationary import fixed_points

SECOND_LAYERS = [1.0, -1.0, 0.5, -0.7, 2.0, 0.0]


@pytest.fixture
def random_problem():
    """rng, trainable → problem: d, K ≤ 4, any signs, repetition, rotation, both activations, unequal rates."""

    def draw(rng, trainable):
        d, K = int(rng.integers(1, 5)), int(rng.integers(1, 5))
        lam = rng.standard_normal(d) * rng.choice([0.3, 1.0, 2.0])
        if rng.random() < 0.3:
            lam = np.round(2 * lam) / 2 + 0.5 * (not lam.any())
        Q = np.linalg.qr(rng.standard_normal((d, d)))[0]
        a = np.zeros(K) if trainable else rng.choice(SECOND_LAYERS, K)
        rates = 10 ** rng.uniform(-1.3, -0.3, 2)
        student = Student(np.zeros((K, d)), a, trainable=trainable)
        decay = tuple(rates) if trainable else float(rates[0])
        activation = ("quadratic", "centred")[rng.integers(2)]
        return Problem(Teacher.from_matrix((Q * lam) @ Q.T), student, activation, weight_decay=decay)

    return draw


@pytest.fixture
def check_point():
    """Compare an entry with gradient, loss, objective and Hessian at one of its states, drawn at random or not."""

    def check(problem, catalogue, point, seed):
        student = catalogue.representative(point, seed)
        at = Problem(problem.teacher, student, problem.activation, weight_decay=problem.weight_decay)
        flow, scale = GradientFlow(at, reduce=False), max(1.0, catalogue.spectrum.scale**2)
        assert np.abs(flow(0, flow.theta0)).max() < 1e-12
        assert abs(flow.loss(flow.theta0) - point.loss) < 1e-13 * scale
        assert abs(at.objective.loss(student.W, student.A) - point.objective) < 1e-13 * scale
        h = np.linalg.eigvalsh(flow.hessian(flow.theta0))
        # Rounding is below n ε ‖H‖ ≈ 5e-15 ‖H‖; units on lower roots have eigenvalues down to ρ⁴/(32x⁴) ≈ 1e-12 ‖H‖.
        zero = 3e-14 * np.abs(h).max()
        counted = int(np.sum(h < -zero)), int(np.sum(np.abs(h) <= zero)), int(np.sum(h > zero))
        assert counted == (point.index, point.nullity, point.positive), (problem, point)
        if not point.frame or seed is None:  # those of a frame depend on the state
            assert h[-1] == pytest.approx(point.largest_eigenvalue, rel=1e-10)
        return h

    return check


@pytest.fixture
def shifted_catalogue():
    """problem, s → catalogue without decay of the teacher M* − sI (theory 14.2), of the same student."""

    def shifted(problem, s):
        M = problem.teacher.matrix() - s * np.eye(problem.inputs)
        return fixed_points(Problem(Teacher.from_matrix(M), problem.student, problem.activation))

    return shifted
