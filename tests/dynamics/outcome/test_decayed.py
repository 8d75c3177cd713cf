"""Verdicts under weight decay: against integrated flows, exact separatrices, the catalogue of stationary points."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq

from dynamics import GradientFlow, Problem, Student, Teacher, fixed_points
from dynamics.outcome.collapse import critical_scale
from dynamics.outcome.diagnosis import diagnose
from dynamics.problem.decayed_mode import never_learned, not_worth_learning
from dynamics.problem.levels import plateau_level
from dynamics.saddle_to_saddle.staircase import staircase

W, A = np.array([[1, 0.3, 0.2], [0.2, 0.8, -0.4], [-0.3, 0.1, 0.7]]), np.array([0.7, 0.5, 0.4])


def example(rho, eps=1e-3):
    """λ = (4, 2, 1), the start of theory 14.6."""
    return Problem(Teacher.from_eigenvalues([4, 2, 1]), Student(eps * W, eps * A), weight_decay=rho)


def random_problem(rng):
    """A teacher with either sign, ε from 1e-2 to 1e-8, both activations, one to five units, both kinds of second layer.

    The rate is between 2 % and 110 % of what lets this start learn nothing, so that every plateau is a trap of some.
    """
    lam = [[4, 2, 1], [3, 1, -1.5], [2, 1.9], [5, -4, 1, -0.3]][rng.integers(4)]
    d, trainable = len(lam) + int(rng.integers(0, 3)), rng.random() < 0.8
    student = Student.initialise(
        int(rng.integers(1, 6)),
        d,
        scale=10 ** -rng.uniform(2, 8),
        seed=int(rng.integers(1e6)),
        second_layer="trainable" if trainable else "fixed",
    )
    problem = Problem(Teacher.from_eigenvalues(lam, d), student, ["quadratic", "centred"][rng.integers(2)])
    if not trainable:
        return replace(problem, weight_decay=rng.choice([0.1, 1.0, 4.0]))
    scale = critical_scale(replace(problem, weight_decay=1.0))
    rho = rng.choice([0.02, 0.1, 0.3, 0.6, 0.9, 1.1]) / (scale if np.isfinite(scale) else 1.0)
    return replace(problem, weight_decay=(rho, rho * rng.choice([0.5, 2.0])) if rng.random() < 0.2 else rho)


def conforms(seed, count):
    """How many of random starts are decided beforehand; every one of them is where the flow comes to rest."""
    rng, decided = np.random.default_rng(seed), 0
    ends = set()
    for _ in range(count):
        problem = random_problem(rng)
        verdict = diagnose(problem, follow=False)
        if verdict.verdict == "undecided":
            assert "too little to be sure" in verdict.reason or "rough" in verdict.reason
            continue
        end = GradientFlow(problem).integrate(samples=2)
        assert end.solver.status == "converged"
        assert end.loss[-1] == pytest.approx(verdict.predicted_loss, abs=1e-5 * end.loss[0])
        if problem.student.trainable:
            best = next(m for m in verdict.minima if m.learned == verdict.resting_modes)
            assert end.objective[-1] == pytest.approx(best.objective, abs=1e-5 * end.loss[0])
            assert (verdict.verdict == "succeeds") == (best is verdict.minima[0])
        decided += 1
        ends.add((verdict.verdict, len(verdict.resting_modes)))
    return decided, ends


def test_diagnosis_and_flow_end_alike():
    """Four random starts; the larger sample beside it had 248 of 250 decided, and all of these right."""
    decided, ends = conforms(0, 4)
    assert decided >= 3
    assert len(ends) >= 2


@pytest.mark.slow
def test_diagnosis_and_flow_end_alike_for_many():
    decided, ends = conforms(1, 120)
    assert decided >= 35
    assert len(ends) >= 6


def test_the_example_is_diagnosed_beforehand():
    """ρ = .006 rests on the {0, 1} plateau, L = 1.2500017 (theory 14.6); ρ = .0025 learns everything."""
    fails = diagnose(example(0.006), follow=False)
    assert (fails.verdict, fails.resting_modes, fails.decided_at) == ("fails", (0, 1), 0.0)
    assert fails.predicted_loss == pytest.approx(1.2500017, abs=5e-8)
    assert "larger by a factor 1.495" in fails.reason
    assert "the global minimum is {0–2}" in fails.reason
    succeeds = diagnose(example(0.0025), follow=False)
    assert (succeeds.verdict, succeeds.resting_modes) == ("succeeds", (0, 1, 2))
    assert diagnose(example(0.03)).resting_modes == ()


def test_the_critical_scale_is_rate_times_first_time():
    """ε* = ρT₁ of the undecayed staircase; nothing is learned from a little less, something from a little more."""
    rho = 0.02
    scale = diagnose(example(rho)).critical_scale
    assert scale == pytest.approx(rho * staircase(example(0)).jumps[0].time, rel=1e-9)
    for factor, loss in ((0.998, 45.5), (1.002, 8.0)):
        problem = example(rho, 1e-3 * factor * scale)
        assert GradientFlow(problem).integrate(samples=2).loss[-1] == pytest.approx(loss, abs=1e-2)
    assert critical_scale(example(0)) == 0


def test_one_unit_in_three_dimensions():
    """Theory 14.6: λ = (3, 1, −.5), w = (.5, .7, .4), a = .2: T₁ = .1399630, and ρT₁ is exact to 1e-6 in the flow."""
    student = Student([[0.5, 0.7, 0.4]], [0.2])
    problem = Problem(Teacher.from_eigenvalues([3, 1, -0.5]), student, weight_decay=0.3)
    scale = critical_scale(problem)
    assert scale / 0.3 == pytest.approx(0.1399630, abs=5e-8)
    for factor, learns in ((1 - 1e-5, False), (1 + 2e-5, True)):
        start = Student(factor * scale * student.W, factor * scale * student.a)
        end = GradientFlow(replace(problem, student=start)).integrate(samples=2)
        assert (end.loss[-1] < 0.9 * end.loss[0]) == learns


def test_the_exact_separatrix_of_one_mode():
    """Balanced, centred, λ = 2, ρ = .2: the smallest positive root of 8a⁴ − 4λa + ρ = 0, .02500039, is the flow's.

    ε* = ρ/4λ is below it by a relative ρ³/32λ⁴ (see `dynamics.outcome.collapse`); the other root is where it rests.
    """
    lam, rho = 2.0, 0.2
    low, high = (brentq(lambda a: 8 * a**4 - 4 * lam * a + rho, *edge) for edge in ((0, 0.1), (0.5, 1.5)))
    assert low == pytest.approx(0.02500039, abs=5e-9)
    assert high == pytest.approx(0.99152378, abs=5e-9)

    def balanced(a):
        student = Student([[np.sqrt(2) * a]], [a])
        return Problem(Teacher.from_eigenvalues([lam]), student, "centred", weight_decay=rho)

    scale = critical_scale(balanced(1.0))
    assert scale == pytest.approx(rho / (4 * lam), rel=1e-12)
    assert low / scale - 1 == pytest.approx(rho**3 / (32 * lam**4), rel=0.01)
    up, down = (GradientFlow(balanced(low * f)).integrate(samples=2) for f in (1 + 1e-6, 1 - 1e-6))
    assert up.a[-1, 0] == pytest.approx(high, rel=1e-6)
    assert down.loss[-1] == pytest.approx(lam**2)


def test_unequal_rates_have_a_critical_scale_of_their_own():
    """A start at the frozen saddle of one mode, a = ρ_w/g and w² = 2ρ_aρ_w/g², is critical (theory 14.6)."""
    g = 8.0
    student = Student([[np.sqrt(2 * 0.01 * 0.03) / g]], [0.03 / g])
    problem = Problem(Teacher.from_eigenvalues([2.0]), student, "centred", weight_decay=(0.03, 0.01))
    assert critical_scale(problem) == pytest.approx(1, rel=1e-6)


def test_a_fixed_second_layer_has_no_critical_scale():
    """Null, with the reason; resting values are those of the catalogue of the decayed problem."""
    student = Student(1e-3 * W, np.ones(3), trainable=False)
    problem = Problem(Teacher.from_eigenvalues([4, 2, 1]), student, weight_decay=0.4)
    verdict = diagnose(problem)
    assert verdict.critical_scale is None
    assert any("no scale of the start is critical" in text for text in verdict.warnings)
    assert (verdict.verdict, verdict.resting_modes) == ("succeeds", (0, 1, 2))
    assert verdict.predicted_loss == pytest.approx(0.012, rel=1e-9)  # theory 14.2
    weak = diagnose(replace(problem, weight_decay=16.0))
    assert weak.predicted_loss == pytest.approx(
        GradientFlow(replace(problem, weight_decay=16.0)).integrate(samples=2).loss[-1], rel=1e-6
    )
    assert weak.resting_modes == (0, 1)
    assert "holds back the modes {2}" in weak.reason


def test_a_fixed_second_layer_of_the_wrong_sign_fails():
    """A negative eigenvalue is out of reach of positive units, with decay as without."""
    student = Student(1e-2 * W, np.ones(3), trainable=False)
    verdict = diagnose(Problem(Teacher.from_eigenvalues([4, 2, -1]), student, weight_decay=0.1))
    assert verdict.verdict == "fails"
    assert "out of reach" in verdict.reason


def test_thresholds_are_named():
    """λ = (4, m), ρ = .1, centred: m below m_θ is never learned, between m_θ and m_g it is not worth it."""
    strength = 2 * 0.1**3
    theta, worth = never_learned(2.0, strength), not_worth_learning(2.0, strength)
    student = Student(np.diag([0.5, 0.01]), [0.5, 0.01])
    for mode, text in ((0.9 * theta, "never learned"), (0.5 * (theta + worth), "not worth learning")):
        problem = Problem(Teacher.from_eigenvalues([4, mode]), student, "centred", weight_decay=0.1)
        verdict = diagnose(problem)
        assert verdict.resting_modes == (0,)
        assert text in verdict.reason
        minima = [m.learned for m in verdict.minima]
        assert ((0, 1) in minima) == (mode > theta)
        assert minima[0] == (0,)


def test_what_would_be_learned_next_is_what_the_level_with_it_has():
    """With the trace that is left, on the plateau {0}: the values without decay, by the levels of the catalogue."""
    lam = [4, 0.2, 0.0, -0.15]
    student = Student(0.5 * np.eye(1, 4), [0.5])
    verdict = diagnose(Problem(Teacher.from_eigenvalues(lam), student, weight_decay=0.3))
    assert verdict.resting_modes == (0,)
    for mode in (1, 3):
        value = plateau_level(lam, (0, mode)).values[1]
        assert f"Mode {mode}, of which {value:.4g} would be learned next, is below" in verdict.reason
    assert "Mode 2" not in verdict.reason


@pytest.mark.parametrize(
    ("lam", "rho", "activation"),
    [
        ([4, 2, 1], 16.0, "quadratic"),
        ([4, 0.3, -1], 0.4, "quadratic"),
        ([4, 1, 0], 4.0, "centred"),
        ([-1, -2, 0], 0.4, "quadratic"),
    ],
)
def test_the_opposite_teacher_and_second_layer_end_alike(lam, rho, activation):
    """M* → −M*, a → −a leaves the losses alone, and the numbers of modes count from the other end."""
    one, other = (
        diagnose(
            Problem(
                Teacher.from_eigenvalues(sign * np.array(lam), 3),
                Student(W, np.full(3, 0.7 * sign), trainable=False),
                activation,
                weight_decay=rho,
            )
        )
        for sign in (1.0, -1.0)
    )
    assert (one.verdict, one.predicted_loss) == (other.verdict, pytest.approx(other.predicted_loss))
    assert one.resting_modes == tuple(sorted(2 - j for j in other.resting_modes))
    for words in ("out of reach", "Decay holds back"):
        assert (words in one.reason) == (words in other.reason)
    assert one.needed == other.needed[::-1]
    end = GradientFlow(
        Problem(
            Teacher.from_eigenvalues(lam, 3), Student(W, np.full(3, 0.7), False), activation, weight_decay=rho
        )
    ).integrate(samples=2)
    assert one.predicted_loss == pytest.approx(end.loss[-1], rel=1e-6)
    held_back = sum(x > 0 for x in lam) - len(one.resting_modes)
    assert ("Decay holds back" in one.reason) == (held_back > 0)
    assert ("out of reach" in one.reason) == (min(lam) < 0)


@pytest.mark.slow
def test_minima_are_those_of_the_catalogue():
    """The catalogue of stationary points, which finds them on its own, has the same minima in the same order."""
    rng = np.random.default_rng(3)
    for activation in ("quadratic", "centred"):
        lam = np.sort(rng.normal(0, 2, 3))[::-1]
        student = Student(0.1 * rng.standard_normal((3, 3)), 0.1 * rng.standard_normal(3))
        problem = Problem(Teacher.from_eigenvalues(lam), student, activation, weight_decay=(0.05, 0.1))
        listed = [p for p in fixed_points(problem).points if p.kind.endswith("minimum") and p.feasible]
        ours = diagnose(problem, follow=False).minima
        assert [m.learned for m in ours] == [p.learned_modes for p in listed]
        assert [m.objective for m in ours] == pytest.approx([p.objective for p in listed], rel=1e-9)


def test_where_the_start_is_not_small_the_flow_is_followed():
    """Undecided without it, decided at the time where it converges with it."""
    student = Student.initialise(3, 3, scale=1.0, seed=0)
    problem = Problem(Teacher.from_eigenvalues([4, 2, 1]), student, weight_decay=0.05)
    alone, followed = diagnose(problem, follow=False), diagnose(problem)
    assert (alone.verdict, alone.resting_modes) == ("undecided", None)
    assert followed.decided_at > 0
    assert "followed numerically" in followed.reason
    end = GradientFlow(problem).integrate(samples=2)
    assert followed.predicted_loss == pytest.approx(end.loss[-1], rel=1e-6)
    assert diagnose(problem, max_evaluations=20).verdict == "undecided"


def test_a_narrow_miss_is_left_to_the_flow():
    """ρT₁ = 1.0005: nothing is learned as far as the frozen law goes, which is not exact."""
    problem = example(1.0005 / staircase(example(0)).jumps[0].time)
    alone = diagnose(problem, follow=False)
    assert alone.verdict == "undecided"
    assert "missed by 0.05%" in alone.reason
    assert diagnose(problem).resting_modes == ()


def test_what_is_not_known_is_said():
    """Decay of one layer alone has no minimum (theory 14.1); a covariance has no list of minima."""
    for options in ({"weight_decay": (0.1, 0.0)}, {"weight_decay": 0.1, "covariance": np.diag([1, 2, 3])}):
        verdict = diagnose(replace(example(0), **options))
        assert verdict.verdict == "undecided"
        assert "known only for" in verdict.reason


def test_no_unit_can_grow():
    """w = 0: every multiple of the start decays; the scale is null, with the reason."""
    problem = replace(example(0.01), student=Student(np.zeros((2, 3)), [0.1, 0.2]))
    verdict = diagnose(problem)
    assert verdict.to_dict()["critical_scale"] is None
    assert any("no unit can grow" in text for text in verdict.warnings)


def test_json_has_what_belongs_to_decay():
    """Keys beside those without decay, which has none of them."""
    found = diagnose(example(0.006)).to_dict()
    assert found["resting_modes"] == [0, 1]
    assert found["critical_scale"] == pytest.approx(0.2786, rel=1e-3)
    assert [m["learned_modes"] for m in found["minima"]] == [[0, 1, 2], [0, 1], [0], []]
    assert found["possible_losses"] == sorted(m["loss"] for m in found["minima"])
    assert set(found) - set(diagnose(example(0)).to_dict()) == {
        "resting_modes",
        "critical_scale",
        "minima",
        "warnings",
    }
    assert "0.278606 times these weights" in diagnose(example(0.006)).summary()


def test_signs_are_frozen_where_decay_leaves_them():
    """c_k < 0 stays so under equal decay; with ρ_a > ρ_w it may become positive (ċ = −2ρ_w c + 4(ρ_a − ρ_w)a²)."""
    student = Student(0.1 * W, [0.7, -0.5, 0.01])
    problem = replace(example(0), student=student)
    assert diagnose(replace(problem, weight_decay=0.05), follow=False).frozen_signs == (1, -1, 0)
    assert diagnose(replace(problem, weight_decay=(0.05, 0.06)), follow=False).frozen_signs == (0, 0, 0)
