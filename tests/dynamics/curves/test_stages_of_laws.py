"""Plateaus of learning curves under other laws of the inputs: found in the curve, and at the levels of theory."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.problem.plateaus import plateaus

# (1 + κ/2)[Σ_{j∉S} λ_j² + T²/(r + 2 + κ)], T = Σ_{j∉S} λ_j, for λ = 4, 2, 1 and κ = 1, S = ∅, {1}, {1, 2}
INDEPENDENT = [56, 10.875, 1.8]
GAUSSIAN = [45.5, 8.0, 1.25]


def problem(law, activation="quadratic", teacher=None, **more):
    teacher = teacher or Teacher.from_eigenvalues([4, 2, 1])
    student = Student.initialise(6, 3, scale=3e-3, seed=1)
    return Problem(teacher, student, activation, distribution=law, **more)


@pytest.mark.parametrize(
    ("law", "levels"),
    [
        ("independent:1", INDEPENDENT),
        pytest.param(
            "sphere", [3 / 5 * level for level in GAUSSIAN], marks=pytest.mark.slow
        ),  # γ = d/(d + 2)
    ],
)
def test_plateaus_at_their_levels(law, levels):
    """A flow from a small start pauses at each stationary point: heights within 1 % of closed forms, modes in order."""
    found = GradientFlow(problem(law)).integrate(max_evaluations=20_000)
    matched = [stage for stage in found.stages if stage.level is not None]
    assert [stage.learned_modes for stage in matched][:3] == [(), (0,), (0, 1)]
    for stage, level in zip(matched, levels, strict=False):
        assert stage.level.loss == pytest.approx(level, rel=1e-12)
        assert stage.loss == pytest.approx(level, rel=0.01) and abs(stage.deviation) < 0.01


def test_centred_units():
    """Independent coordinates leave centred units no coupling, (1 + κ/2) Σ_{j∉S} λ_j²."""
    level, lam = plateaus(problem("independent:1", "centred")), np.array([4.0, 2, 1])
    assert level(lam, [0]).loss == pytest.approx(1.5 * (4 + 1), rel=1e-14)
    np.testing.assert_allclose(level(lam, [0, 1]).values, [4, 2])


def test_where_no_level_is_known():
    """Teachers across the axes of independent coordinates, correlated inputs, decay, signs, samples, other units."""
    rng = np.random.default_rng(0)
    M = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    turned = Teacher(M, np.array([4.0, 2, 1]))
    assert plateaus(problem("uniform", teacher=turned)) is None
    assert plateaus(problem("sphere", teacher=turned)) is not None
    assert plateaus(problem("uniform", covariance=np.diag([1, 2, 3.0]))) is None
    assert plateaus(problem("uniform", weight_decay=0.1)) is None
    assert plateaus(problem("gaussian", weight_decay=0.1)) is not None
    assert plateaus(problem("rademacher")) is None
    samples = Problem(Teacher.from_eigenvalues([4, 2, 1]), Student.initialise(2, 3), data=(M, M[:, 0]))
    assert plateaus(samples) is None
    assert plateaus(Problem(None, Student.initialise(2, 3), data=(M, M[:, 0]))) is None
    assert plateaus(problem("gaussian", "relu")) is None
