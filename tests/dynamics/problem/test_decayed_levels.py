"""Plateaus and minima under weight decay: stationary by the loss itself, in the limits, and at the thresholds."""

import numpy as np
import pytest

from dynamics import Problem, Student, Teacher
from dynamics.problem.decayed_levels import (
    FixedLayer,
    TrainedLayer,
    decayed_level,
    decayed_minima,
    stiffness,
)
from dynamics.problem.levels import plateau_level
from dynamics.problem.weight_decay import WeightDecay


def at_minimum(eigenvalues, minimum, decay, hidden, activation):
    """The problem with its student at a minimum: a = ρ_w/γ, ‖w‖² = 2ρ_a a²/ρ_w on every learned mode (theory 14.4)."""
    W, a = np.zeros((hidden, len(eigenvalues))), np.zeros(hidden)
    for k, (i, gamma) in enumerate(zip(minimum.learned, minimum.level.forces, strict=True)):
        a[k] = decay.first / gamma
        W[k, i] = np.sqrt(2 * decay.second / decay.first) * abs(a[k])
    return Problem(Teacher.from_eigenvalues(eigenvalues), Student(W, a), activation, weight_decay=decay)


@pytest.mark.parametrize(("activation", "kappa"), [("quadratic", 1.0), ("centred", 0.0)])
def test_minima_are_strict_minima_of_the_decayed_loss(activation, kappa):
    """Gradient zero, Hessian positive, L and R as the loss of the problem has them; random teachers and rates."""
    rng = np.random.default_rng(0)
    count = 0
    for _ in range(12):
        d = int(rng.integers(2, 5))
        lam = np.sort(rng.normal(0, 2, d))[::-1]
        decay = WeightDecay(*rng.uniform(0.02, 0.3, 2))
        hidden = int(rng.integers(1, d + 2))
        for minimum in decayed_minima(lam, hidden, decay, kappa):
            problem = at_minimum(lam, minimum, decay, hidden, activation)
            student, objective = problem.student, problem.objective
            gradient = np.concatenate([part.ravel() for part in objective.velocity(student.W, student.A)])
            assert np.abs(gradient).max() < 1e-12 * np.abs(lam).max()
            assert np.linalg.eigvalsh(objective.hessian(student.W, student.A))[0] > 0
            assert problem.population.loss(student.W, student.A) == pytest.approx(
                minimum.level.loss, abs=1e-12
            )
            assert objective.loss(student.W, student.A) == pytest.approx(minimum.objective, abs=1e-12)
            count += 1
    assert count > 40


def test_the_example_has_four_minima():
    """λ = (4, 2, 1), ρ = .1, K = 3: nothing, {0}, {0, 1} and everything (theory 14.5), everything the best."""
    found = decayed_minima([4, 2, 1], 3, WeightDecay(0.1, 0.1))
    assert [m.learned for m in found] == [(0, 1, 2), (0, 1), (0,), ()]
    assert [m.learned for m in decayed_minima([4, 2, 1], 1, WeightDecay(0.1, 0.1))] == [(0,), ()]


def test_modes_of_either_sign():
    """The r₊ largest and r₋ smallest: with two units of λ = (3, 1, −2) no minimum holds two negative modes."""
    found = {m.learned for m in decayed_minima([3.0, 1.0, -2.0], 2, WeightDecay(0.05, 0.05), 0.0)}
    assert found == {(), (0,), (2,), (0, 1), (0, 2)}


def test_without_trace_coupling_a_mode_solves_its_quartic():
    """γ⁴/4 − λγ³ + R̂ = 0: the smaller of the two positive roots, by the companion matrix."""
    strength = 0.01
    roots = np.roots([0.25, -1.5, 0, 0, strength])
    real = np.sort(roots[np.abs(roots.imag) < 1e-9].real)
    level = decayed_level([1.5], (0,), TrainedLayer(strength), 0.0)
    assert level.forces[0] == pytest.approx(real[0], rel=1e-12)
    assert level.values[0] == pytest.approx(1.5 - real[0] / 4, rel=1e-12)


@pytest.mark.parametrize("kappa", [0.0, 1.0])
def test_small_decay_shrinks_by_the_cube_root_of_the_strength(kappa):
    """First order in R̂^⅓ (14.4): μ_i = μ⁰_i − γ_i/4 + κΣγ/(4(r+2)), γ_i = (R̂/μ⁰_i)^⅓; the error is second."""
    lam, learned, errors = [4.0, 2.0, 1.0], (0, 1), []
    plain = plateau_level(lam, learned, kappa).values
    for strength in (1e-9, 1e-9 / 8):
        gamma = np.cbrt(strength / plain)
        expected = plain - gamma / 4 + kappa * gamma.sum() / (4 * (2 + 2))
        level = decayed_level(lam, learned, TrainedLayer(strength), kappa)
        errors.append(np.abs(level.values - expected).max())
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.05)


def test_fixed_second_layer_is_the_shifted_teacher():
    """λ = (4, 2, 1), a = 1, ρ = .4 (theory 14.2): μ = (4.2, 2.2), L = 1.26; all: (3.96, 1.96, .96), L = .012."""
    two, three = (decayed_level([4, 2, 1], range(r), FixedLayer(0.4)) for r in (2, 3))
    assert two.values == pytest.approx([4.2, 2.2])
    assert (two.loss, two.trace) == (pytest.approx(1.26), pytest.approx(0.6))
    assert three.values == pytest.approx([3.96, 1.96, 0.96])
    assert three.loss == pytest.approx(0.012)
    shift = 0.4 / (2 * (3 + 2))
    for r in range(4):
        shifted = plateau_level(np.array([4, 2, 1]) - shift, range(r))
        values = () if r == 0 else decayed_level([4, 2, 1], range(r), FixedLayer(0.4)).values
        assert values == pytest.approx(shifted.values)


def test_what_decay_leaves_nothing_of_is_no_plateau():
    """Just above and below the threshold θ = (12R̂)^¼/3 without trace coupling, where μ = λ/4 (theory 14.4)."""
    strength = 0.01
    theta = (12 * strength) ** 0.25 / 3
    assert decayed_level([theta * (1 - 1e-9)], (0,), TrainedLayer(strength), 0.0) is None
    level = decayed_level([theta * (1 + 1e-9)], (0,), TrainedLayer(strength), 0.0)
    assert level.values[0] == pytest.approx(theta / 4, rel=1e-3)
    assert decayed_level([0.09], (0,), FixedLayer(0.4), 0.0) is None
    assert decayed_level([0.11], (0,), FixedLayer(0.4), 0.0).values[0] == pytest.approx(0.01)
    assert decayed_level([1.0, 0.0], (0, 1), TrainedLayer(strength), 0.0) is None


def test_unequal_variances_leave_the_force_that_balances_decay():
    """The velocity of the population loss at the level of Σ = diag(2, ½): aγw = ρ_w w and ½γw² = ρ_a a."""
    lam, sigma, decay = np.array([3.0, 1.0]), np.array([2.0, 0.5]), WeightDecay(0.05, 0.08)
    strength = 2 * decay.second * decay.first**2
    level = decayed_level(lam * sigma, (0, 1), TrainedLayer(strength), 1.0, sigma)
    a = decay.first / level.forces
    W = np.diag(np.sqrt(2 * decay.second / decay.first) * a)
    problem = Problem(
        Teacher.from_eigenvalues(lam), Student(W, a), covariance=np.diag(sigma), weight_decay=decay
    )
    vW, va = problem.objective.velocity(problem.student.W, problem.student.A)
    assert max(np.abs(vW).max(), np.abs(va).max()) < 1e-13
    assert problem.population.loss(problem.student.W, problem.student.A) == pytest.approx(
        level.loss, rel=1e-9
    )


def test_stiffness_is_what_learning_one_more_mode_gains():
    """L_S − L_{S∪j} = q m²/2 with the value m that the mode j gets without decay; q = 3 or 2 with nothing learned."""
    lam = [4.0, 2.0, 1.0, -0.5]
    for kappa in (0.0, 1.0):
        for r in range(3):
            before, after = (plateau_level(lam, range(n), kappa) for n in (r, r + 1))
            gain = 0.5 * stiffness(r, kappa) * after.values[-1] ** 2
            assert before.loss - after.loss == pytest.approx(gain, rel=1e-12)
    assert (stiffness(0, 1.0), stiffness(0, 0.0)) == (3, 2)
