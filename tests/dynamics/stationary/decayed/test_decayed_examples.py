"""The worked examples of the theory, and what each part of the catalogue must agree with."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.problem.decayed_mode import decay_strength, never_learned
from dynamics.problem.weight_decay import WeightDecay
from dynamics.stationary import fixed_points
from dynamics.stationary.decayed.inertia import inertia
from dynamics.stationary.decayed.minima import trained_minima
from dynamics.stationary.decayed.trained import trained_states
from dynamics.stationary.spectrum import Spectrum

TEACHER = Teacher.from_eigenvalues([4, 2, 1])


def test_trained_layers():
    """14.5: λ = (4, 2, 1), ρ = 0.1, K = 3: 63 aligned types, minima ∅, {1}, {1, 2} and all."""
    catalogue = fixed_points(TEACHER, 3, weight_decay=0.1)
    assert sum(not point.frame for point in catalogue.points) == 63
    minima = [point for point in catalogue.points if "minimum" in point.kind]
    assert [point.learned_modes for point in minima] == [(0, 1, 2), (0, 1), (0,), ()]
    assert [point.kind for point in minima] == ["global minimum"] + 3 * ["spurious minimum"]
    assert all(set(point.branch) <= {"upper"} and set(point.units) <= {1} for point in minima)
    objectives = [point.objective for point in catalogue.points]
    assert objectives == sorted(objectives)
    assert catalogue.origin == minima[-1]
    assert fixed_points(TEACHER, 3, weight_decay=0.1, minima=True).points == tuple(minima)


def test_first_order_in_the_strength():
    """14.4: μ_i ≈ μ⁰_i − γ_i/4 + Σ_S γ_q/(4(r + 2)), γ_i = (R̂/μ⁰_i)^{1/3}, with errors R̂^{2/3}: halved ρ, a quarter."""
    errors = []
    for rho in (1e-4, 5e-5, 2.5e-5):
        point = next(p for p in fixed_points(TEACHER, 3, weight_decay=rho, minima=True).points if p.rank == 2)
        plain = np.array([4, 2]) + 1 / 4
        gamma = (2 * rho**3 / plain) ** (1 / 3)
        errors.append(np.abs(point.learned_values - (plain - gamma / 4 + gamma.sum() / 16)).max())
    np.testing.assert_allclose(np.log2(np.array(errors[:-1]) / errors[1:]), 2, atol=0.02)


def test_fixed_equal_second_layer():
    """14.2: a = 1, ρ = 0.4, s = 0.04."""
    catalogue = fixed_points(TEACHER, 3, second_layer="fixed", weight_decay=0.4)
    two, three = catalogue.point([0, 1]), catalogue.point([0, 1, 2])
    np.testing.assert_allclose(two.learned_values, [4.2, 2.2])
    np.testing.assert_allclose([two.trace, two.loss, two.objective], [0.6, 1.26, 2.54])
    np.testing.assert_allclose(three.learned_values, [3.96, 1.96, 0.96])
    np.testing.assert_allclose([three.loss, three.objective], [0.012, 1.388])


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_a_fixed_equal_second_layer_is_another_teacher(activation, shifted_catalogue):
    """14.2, random problems: values, signatures, R = L' + (ρ/2α) tr M* − dρ²/(8α²(d+2)) (centred: 16α²)."""
    rng = np.random.default_rng(0)
    for _ in range(40):
        d, K = int(rng.integers(1, 5)), int(rng.integers(1, 5))
        alpha, rho = rng.choice([-1.0, 0.5, 1.0]), 10 ** rng.uniform(-2, 0)
        M = rng.standard_normal((d, d))
        student = Student(np.zeros((K, d)), np.full(K, alpha), trainable=False)
        problem = Problem(Teacher.from_matrix(M + M.T), student, activation, weight_decay=rho)
        raw = activation == "quadratic"
        s = rho / (2 * alpha * (d + 2)) if raw else rho / (4 * alpha)
        constant = rho / (2 * alpha) * np.trace(M + M.T)
        constant -= d * rho**2 / (8 * alpha**2 * (d + 2) if raw else 16 * alpha**2)
        ours, theirs = fixed_points(problem), shifted_catalogue(problem, s)
        expected = {point.learned_modes: point for point in theirs.feasible}
        assert {point.learned_modes for point in ours.points} == set(expected)
        for point in ours.points:
            other = expected[point.learned_modes]
            np.testing.assert_allclose(point.learned_values, other.learned_values, rtol=1e-9)
            assert (point.index, point.nullity, point.kind) == (other.index, other.nullity, other.kind)
            assert point.manifold_dimension == other.manifold_dimension
            assert point.objective == pytest.approx(other.loss + constant, rel=1e-11)


def test_a_minimum_on_a_lower_root():
    """14.5: d = 1, raw, ρ = 0.1, s = 2 − γ⁴/6R̂ = −1/2: λ = 0.09710847, μ = 0.02774528, eigenvalues 0.02 and 0.2."""
    gamma = (15 * 0.002) ** 0.25
    lam = (gamma / 2 + 3 * 0.002 / gamma**3) / 3
    assert lam == pytest.approx(0.09710847, abs=5e-9)
    catalogue = fixed_points(Teacher.from_eigenvalues([lam]), 1, weight_decay=0.1)
    (point,) = [p for p in catalogue.points if p.branch == ("lower",) and p.index == 0]
    assert point.learned_values[0] == pytest.approx(0.02774528, abs=5e-9)
    student = catalogue.representative(point)
    flow = GradientFlow(Problem(catalogue.teacher, student, weight_decay=0.1), reduce=False)
    np.testing.assert_allclose(np.linalg.eigvalsh(flow.hessian(flow.theta0)), [0.02, 0.2], atol=1e-9)
    assert point.kind == "spurious minimum"
    assert point in fixed_points(catalogue.teacher, 1, weight_decay=0.1, minima=True).points


def test_the_list_of_minima_is_that_of_the_whole_catalogue():
    """Random spectra, also repeated, close to the folds: trained_minima against every state of index 0."""
    rng = np.random.default_rng(1)
    found = lower = 0
    for _ in range(150):
        d, K = int(rng.integers(1, 4)), int(rng.integers(1, 4))
        lam = np.round(rng.standard_normal(d), int(rng.integers(1, 4)))
        coupling, decay = float(rng.integers(2)), WeightDecay(*10 ** rng.uniform(-1.5, 0.3, 2))
        if rng.random() < 0.3:  # one mode, γ⁴ from 12R̂ to 18R̂: a minimum on the lower root (14.5)
            R = decay_strength(decay)
            gamma = (rng.uniform(12, 18) * R) ** 0.25
            lam, coupling = np.array([(gamma / 2 + 3 * R / gamma**3) / 3]), 1.0
        if not lam.any():
            continue
        spectrum = Spectrum.of(Teacher.from_eigenvalues(lam.tolist()))
        arguments = spectrum, coupling, decay, K
        minima = [
            (state.objective, tuple(state.learned))
            for state in trained_states(*arguments)
            if not inertia(state).index
        ]
        listed = list(trained_minima(*arguments))
        assert sorted(minima) == sorted((state.objective, tuple(state.learned)) for state in listed)
        found += len(listed)
        lower += sum(block.lower for state in listed for block in state.blocks)
    assert found > 200
    assert lower > 20


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_threshold_is_where_a_mode_can_first_be_learned(activation):
    """At the origin: m_θ for m = λ + T/3 with the trace T of the rest (raw), m = λ (centred); q = 3, 2."""
    raw, rest, rho = activation == "quadratic", 0.01, 0.1
    m = never_learned(3 if raw else 2, decay_strength(WeightDecay(rho, rho)))
    edge = m - rest / 3 if raw else m
    for factor in (0.999, 1.001):
        lam = factor * edge
        catalogue = fixed_points(
            Teacher.from_eigenvalues([lam, rest]), 1, activation=activation, weight_decay=rho
        )
        learned = [point for point in catalogue.points if point.learned_modes == (0,)]
        assert bool(learned) == (factor > 1)
        if not raw:
            assert catalogue.origin.threshold == pytest.approx(edge)
        # the same condition, with the trace of λ itself in τ
        assert (lam > catalogue.origin.threshold) == (factor > 1)


def test_threshold_of_a_fixed_second_layer_is_where_the_origin_becomes_unstable():
    """14.2: mode j escapes iff λ_j + (T − ρ/2α)/(r + 2) > 0; no threshold without a positive a."""
    rho = 0.4
    for lam in ([0.5, -0.3], [0.05, 0.02]):
        catalogue = fixed_points(Teacher.from_eigenvalues(lam), 2, second_layer="fixed", weight_decay=rho)
        unstable = np.array(lam) + (sum(lam) - rho / 2) / 2 > 0
        assert (np.array(lam) > catalogue.origin.threshold).tolist() == unstable.tolist()
        assert catalogue.origin.index == 2 * unstable.sum()
    negative = fixed_points(
        Teacher.from_eigenvalues([0.5, -0.3]),
        2,
        second_layer="fixed",
        second_layer_value=-1.0,
        weight_decay=rho,
    )
    assert negative.origin.threshold is None


def test_no_decay_is_the_limit_of_little_decay():
    """ρ → 0 at n_i = 1 on upper roots: the plateaus of section 3, those of the largest λ minima now."""
    plain = fixed_points(TEACHER, 3)
    for point in fixed_points(TEACHER, 3, weight_decay=1e-7).points:
        if point.frame or "lower" in point.branch or max(point.units, default=1) > 1:
            continue
        limit = plain.point(point.learned_modes)
        assert point.loss == pytest.approx(limit.loss, abs=1e-5)
        top = point.learned_modes == tuple(range(point.rank))
        assert (point.index == 0) == top
