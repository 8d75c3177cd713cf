"""Which schedule is the best: numbers of one unit, and the mean dynamics where the problem is another."""

import json

import numpy as np
import pytest

from dynamics import ComputationError, MeanSGD, Problem, ProblemError, Student, Teacher
from dynamics.closed_forms import OneUnitSGD, one_unit_largest_step
from dynamics.schedule_choice import choose_schedule, near_fit
from dynamics.schedules import FAMILIES, Schedule
from dynamics.sgd.recursion import final_losses, mean_losses
from dynamics.stability import largest_stable_sgd_step


def one_unit(d=30, eigenvalue=1.0, a=1.0, **options):
    V = np.linalg.qr(np.random.default_rng(0).standard_normal((d, d)))[0][:1]  # no axis
    return Problem(Teacher(V, [eigenvalue]), Student(np.ones((1, d)), [a], trainable=False), **options)


TWO = Problem(
    Teacher.from_eigenvalues([1, 0.5], 40), Student.initialise(2, 40, scale=0.6, seed=1, second_layer="fixed")
)
NEAR = Problem(
    TWO.teacher,
    Student(
        np.diag([1, 0.7]) @ np.eye(2, 40) + 0.05 * np.random.default_rng(0).standard_normal((2, 40)),
        [1.0, 1.0],
        trainable=False,
    ),
)


def test_one_unit_is_known():
    """The optimal 3.1298e-3 and the control's 3.12635e-3; every rate is the best, and the start does not matter."""
    found = choose_schedule(one_unit(), 2000, label_noise=0.5)
    assert [choice.name for choice in found.schedules] == [*FAMILIES]
    result = found.as_dict()
    assert result["optimal"]["predicted_risk"] == pytest.approx(3.12980e-3, rel=3e-6)
    assert result["optimal"]["control_risk"] == pytest.approx(3.12635e-3, rel=3e-6)
    np.testing.assert_array_equal(result["optimal"]["rates"], found.rates("optimal"))
    assert result["largest_stable_step"] == pytest.approx(one_unit_largest_step(30), rel=1e-12)
    assert (result["start_risk"], result["warnings"]) == (0.012, [])
    unit = OneUnitSGD(30, 0.5)
    for choice in found.schedules:
        risks = found.risks(choice.name)
        assert (risks[0], risks[-1]) == (0.012, pytest.approx(choice.predicted_risk, rel=1e-12))
        assert choice.gain == pytest.approx(found.schedules[0].predicted_risk / choice.predicted_risk)
        assert choice.predicted_risk > result["optimal"]["control_risk"]
        shape = Schedule.parse(choice.name).factors(2000)
        assert found.rates(choice.name) == pytest.approx(choice.best_rate * shape)
        for factor in (0.9, 1.1):
            assert unit.risks(factor * choice.best_rate * shape, 0.012)[-1] > choice.predicted_risk
    assert found.names == (*FAMILIES, "optimal")
    json.dumps(result | {"optimal": None})


def test_one_unit_of_any_strength_starts_where_its_loss_says():
    """λ = 2, a = −0.7 of a negative mode: rates are in units of 1/(aλ), and the weights have the loss r₀ to O(r₀²)."""
    problem = one_unit(12, -2.0, -0.7)
    found = choose_schedule(problem, 300, batch=2, label_noise=0.1, start_risk=1e-5, schedules=["linear"])
    plain = choose_schedule(
        one_unit(12), 300, batch=2, label_noise=0.1, start_risk=1e-5, schedules=["linear"]
    )
    assert found.schedules[0].best_rate == pytest.approx(plain.schedules[0].best_rate / 1.4, rel=1e-3)
    assert found.schedules[0].predicted_risk == pytest.approx(plain.schedules[0].predicted_risk, rel=1e-6)
    start = found.problem
    loss = start.population.loss(start.student.W, start.student.A)
    assert loss == pytest.approx(1e-5, rel=1e-4)
    fit = near_fit(problem, 1e-30)
    assert fit.population.loss(fit.student.W, fit.student.A) < 1e-28
    v = problem.teacher.V[0]
    assert (start.student.W - fit.student.W)[0] @ v == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (TWO, "`hidden` is 2, but the optimal annealing is known only for one hidden unit"),
        (one_unit(eigenvalue=-1.0), "`teacher` has the eigenvalues [-1.0"),
        (one_unit(activation="centred"), "`activation` is 'centred'"),
        (one_unit(weight_decay=0.1), "`weight_decay` is"),
        (
            Problem(TWO.teacher, Student(TWO.student.W[:1], [1.0], trainable=False)),
            "`teacher` has the eigenvalues",
        ),
        (Problem(Teacher.from_eigenvalues([1]), Student([[0.7]], [1.0], trainable=False)), "`inputs` is 1"),
    ],
)
def test_no_other_problem_has_an_optimal_schedule(problem, reason):
    found = choose_schedule(problem, 20, label_noise=0.1, schedules=["constant"])
    result = found.as_dict()
    assert (result["optimal"], result["start_risk"], found.unit) == (None, None, None)
    assert result["warnings"][0].startswith(f"the optimal schedule is not known: {reason}")
    assert found.names == ("constant",)
    with pytest.raises(ProblemError, match="`schedule` optimal is not among"):
        found.rates("optimal")


def test_other_problems_follow_the_mean_dynamics():
    """Best rates of its recursion, written out; the ODE, wrong by O(η²), ends at losses within 10 % of them."""
    N, noisy = 300, {"batch": 8, "label_noise": 3.0}
    found = choose_schedule(NEAR, N, **noisy, schedules=["linear", "wsd:0.5"])
    assert [choice.name for choice in found.schedules] == ["linear", "wsd:0.5"]
    assert found.problem is NEAR
    for choice in found.schedules:
        shape = Schedule.parse(choice.name).factors(N)
        state, theory = MeanSGD(NEAR, 1.0).order.start, MeanSGD(NEAR, 1.0, 8, 3.0)
        for s in shape:
            state = state + choice.best_rate * s * theory.drift(state, choice.best_rate * s)
        assert theory.order.loss(state) == pytest.approx(choice.predicted_risk, rel=1e-10)
        assert found.risks(choice.name)[-1] == pytest.approx(choice.predicted_risk, rel=1e-10)
        for factor in (0.85, 1.15):
            assert mean_losses(theory, factor * choice.best_rate * shape)[-1] > choice.predicted_risk
        options = {"schedule": choice.name, "steps": N}
        ode = MeanSGD(NEAR, choice.best_rate, 8, 3.0, **options).integrate(throw=False)
        assert ode.loss[-1] == pytest.approx(choice.predicted_risk, rel=0.1)
    constant = choose_schedule(NEAR, N, **noisy, schedules=["constant"]).schedules[0]
    assert constant.gain == 1
    linear = found.schedules[0]
    assert linear.gain == pytest.approx(constant.predicted_risk / linear.predicted_risk, rel=1e-6)
    assert found.largest_stable_step == pytest.approx(largest_stable_sgd_step(NEAR, 8), rel=1e-12)


def test_many_rates_at_once_are_as_one_by_one():
    theory = MeanSGD(TWO, 1.0, 1, 0.2)
    factors = np.array([Schedule.parse(name).factors(50) for name in ("cosine", "step")])
    rates = np.array([[1e-3, 2e-3, 1e3], [5e-4, 3e-3, 4e-3]])
    found = final_losses(theory, factors, rates)
    assert not found[0, 2] < 1e10  # it diverges, and harms nobody
    for f in range(2):
        for g in range(3):
            if rates[f, g] < 1:
                alone = mean_losses(theory, rates[f, g] * factors[f])
                assert found[f, g] == pytest.approx(alone[-1], rel=1e-12)
    assert alone[0] == pytest.approx(TWO.population.loss(TWO.student.W, TWO.student.A), rel=1e-12)


def test_no_rate_is_beyond_half_of_the_stable_step():
    """So few steps that the mean would fall faster with a larger one, at which single runs may diverge."""
    found = choose_schedule(TWO, 30, schedules=["constant", "cosine"])
    for choice in found.schedules:
        assert choice.best_rate == pytest.approx(found.largest_stable_step / 2, rel=1e-12)
        shape = Schedule.parse(choice.name).factors(30)
        assert mean_losses(MeanSGD(TWO, 1.0), 1.2 * choice.best_rate * shape)[-1] < choice.predicted_risk
    assert found.warnings[-1].startswith(
        "the best rate of constant, cosine is half of the largest stable step"
    )
    assert all(choice.at_bound for choice in found.schedules)
    assert found.summary().count("(rate at the bound of the search)") == 2
    enough = choose_schedule(NEAR, 100, batch=8, label_noise=3.0, schedules=["constant"])
    assert not any("largest stable step" in words for words in enough.warnings)
    assert not enough.schedules[0].at_bound and "bound of the search" not in enough.summary()


@pytest.mark.parametrize(
    ("d", "steps", "noise", "capped", "poor"),
    [(5, 100, 0.0, 100, True), (5, 1, 0.1, 1, True), (5, 100, 1.0, 0, True), (30, 100, 0.5, 0, False)],
)
def test_the_law_of_many_inputs_says_where_it_is_none(d, steps, noise, capped, poor):
    """Rates stay below half of the exact stable step, as others do, and what the law loses is said.

    Of d = 5 it asks without noise for 1/(12d) = .0167, where SGD diverges at .0109; a single step from r₀ = .012 at
    its cap makes the risk larger.
    """
    found = choose_schedule(one_unit(d), steps, label_noise=noise, schedules=["constant"])
    half, warnings = one_unit_largest_step(d) / 2, " ".join(found.warnings)
    rates = found.rates("optimal")
    assert rates.max() <= half * (1 + 1e-12)
    assert int(np.isclose(rates, half, rtol=1e-12).sum()) == capped
    assert (
        f"law is capped at half of the largest stable step, {half:.4g}, in {capped} of" in warnings
    ) == bool(capped)
    law, control = (found.risks(name)[-1] for name in ("optimal", "control"))
    assert control <= min(law, found.schedules[0].predicted_risk)
    assert (f"here it leaves {law / control:.3g} times the risk" in warnings) == poor


def test_what_a_saddle_leaves_unknown(monkeypatch):
    def fail(problem, batch):
        raise ComputationError("No step size is stable here.")

    monkeypatch.setattr("dynamics.schedule_choice.largest_stable_sgd_step", fail)
    found = choose_schedule(TWO, 10, schedules=["constant"])
    assert found.largest_stable_step is None
    assert "the largest stable step of SGD is not known: No step size is stable here." in found.warnings


def test_summary_has_every_number():
    found = choose_schedule(one_unit(), 200, label_noise=0.5, schedules=["cosine:0.1"], momentum=0.5)
    text = found.summary()
    choice = found.schedules[0]
    assert (
        "label noise 0.5, risk 0.012 at the start, all across the teacher's direction\ngain: risk of the"
        in text
    )
    assert (
        f"best rate {choice.best_rate:.4g}  risk {choice.predicted_risk:.5g}  gain {choice.gain:.3g}" in text
    )
    assert f"annealing law    risk {found.risks('optimal')[-1]:.5g}" in text
    assert f"better than {found.risks('control')[-1]:.5g}" in text
    heavy = found.stable_steps["heavy ball"]
    assert f"heavy ball: {heavy.start:.4g} at the start, {heavy.path:.4g} along the path" in text
    assert heavy.path == pytest.approx(1.5 * found.stable_steps["gradient descent"].path)
    assert repr(found).startswith("ScheduleChoice\n  200 steps")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"schedules": ["lineal"]}, "did you mean 'linear'"),
        ({"start_risk": 0.0}, "`start_risk` is 0"),
        ({"batch": 0}, "`batch` is 0"),
        ({"momentum": 1.0}, "`momentum` is 1"),
        ({"label_noise": -1.0}, "`label_noise` is -1"),
        ({"steps": 0}, "`steps` is 0"),
    ],
)
def test_bad_input_is_refused(options, words):
    with pytest.raises(ProblemError, match=words):
        choose_schedule(one_unit(), **{"steps": 10} | options)


def test_zero_weights_have_no_largest_rate():
    zero = Student(np.zeros((2, 3)), [0.0, 0.0])
    with pytest.raises(ProblemError, match="Nothing curves upwards"):
        choose_schedule(Problem(Teacher.from_eigenvalues([2, 1], 3), zero), 10)


def test_problems_without_mean_dynamics_are_refused():
    with pytest.raises(ProblemError, match="mean dynamics of SGD"):
        choose_schedule(Problem(TWO.teacher, TWO.student, "relu"), 10)
