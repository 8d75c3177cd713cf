"""The staircase under weight decay: against the integrated flow, the shifted teacher and starts of other sizes."""

import json
from dataclasses import replace

import numpy as np
import pytest

from dynamics import ComputationError, GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.problem.decayed_levels import decayed_minima
from dynamics.problem.weight_decay import WeightDecay
from dynamics.saddle_to_saddle.eigenframe import eigenframe
from dynamics.saddle_to_saddle.staircase import staircase

W, A = np.array([[1, 0.3, 0.2], [0.2, 0.8, -0.4], [-0.3, 0.1, 0.7]]), np.array([0.7, 0.5, 0.4])


def example(rho, eps=1e-3, **options):
    """λ = (4, 2, 1), the start of theory 14.6."""
    student = Student(eps * W, eps * A)
    return Problem(Teacher.from_eigenvalues([4, 2, 1]), student, weight_decay=rho, **options)


def crossing(problem, jump, window):
    """When the integrated flow passes the middle between the plateaus of a jump, in a window around it."""
    times = np.linspace((1 - window) * jump.time, (1 + window) * jump.time, 401)
    loss = GradientFlow(problem).integrate(times=np.append(0, times)).loss[1:]
    below = np.flatnonzero(loss < 0.5 * (jump.loss_before + jump.loss_after))
    return times[below[0]] if below.size and below[0] else np.nan


@pytest.mark.parametrize(
    ("rho", "theory", "flow"),
    [
        (0.0, [46.431, 104.975, 249.158], [46.484, 104.964, 249.003]),
        (0.0025, [49.354, 121.758, 389.988], [49.361, 121.821, 389.938]),
        (0.004, [51.364, 136.131, 1405.3], [51.75, 136.52, 1424.4]),
        (0.006, [54.424, 165.622], [54.427, 165.581]),
    ],
)
def test_the_table_of_the_theory(rho, theory, flow):
    """Theory 14.6: the plain event-driven times to 0.1 % (ours resume before a blow-up), the flow's within the error.

    At ρ = .004 the third jump comes at ρs = .996, where a thousandth of s is a quarter of t.
    """
    jumps = staircase(example(rho)).jumps
    times, errors = (np.array([getattr(j, name) for j in jumps]) for name in ("time", "uncertainty"))
    close = np.abs(times / theory - 1)
    assert (close[: 3 if rho < 0.004 else 2] < 1e-3).all()
    assert len(jumps) == len(flow)
    # the flow's middle of a drop was read off samples half a unit of time apart
    assert (np.abs(times - flow) < errors + 0.5).all()


def test_decay_ends_the_staircase_with_the_factor_that_is_missing():
    """ρ = .006: never, at s = 249.16, 1.495 times 1/ρ; the third jump comes from that much more, not from less."""
    stopped = staircase(example(0.006))
    assert stopped.levels[-1].learned == (0, 1)
    assert stopped.levels[-1].loss == pytest.approx(1.2500017, abs=5e-8)
    assert stopped.missing == pytest.approx(0.006 * 249.158, rel=1e-3)
    assert "unit 2 would learn mode 2 next" in stopped.end
    assert len(staircase(example(0.006, 0.99e-3 * stopped.missing)).jumps) == 2
    assert len(staircase(example(0.006, 1.01e-3 * stopped.missing)).jumps) == 3
    assert staircase(example(0.0025)).missing is None
    nothing = staircase(example(0.03))
    assert nothing.jumps == ()
    assert nothing.missing == pytest.approx(0.03 * staircase(example(0)).jumps[0].time, rel=1e-9)


def test_every_jump_knows_how_sensitive_it_is():
    """−d ln t/d ln ε by a start that is smaller, against the one that is larger; said where 0.1 % are more than 1 %."""
    late = staircase(example(0.004))
    smaller = staircase(example(0.004, 0.9999e-3))
    for jump, other in zip(late.jumps, smaller.jumps, strict=True):
        measured = np.log(other.time / jump.time) / 1e-4
        assert jump.sensitivity == pytest.approx(measured, rel=0.15)
    assert late.jumps[2].sensitivity > 40
    assert late.jumps[2].uncertainty > 30
    (note,) = [text for text in late.warnings if "a start larger by 0.1%" in text]
    assert note.startswith("jump 3 comes at ρs = 0.996")
    assert not any("larger by" in text for text in staircase(example(0.0025)).warnings)
    printed = json.loads(json.dumps(late.as_dict()))["jumps"][2]
    assert printed["sensitivity"] == late.jumps[2].sensitivity
    assert "sensitivity" not in staircase(example(0)).as_dict()["jumps"][0]


def test_a_jump_that_may_as_well_never_come_has_no_bound():
    """ρ just below the value that stops the third jump: its error in s exceeds what is left, 1/ρ − s."""
    rho = 0.9995 / staircase(example(0.0)).jumps[2].time
    late = staircase(example(rho))
    assert len(late.jumps) == 3
    assert np.isinf(late.jumps[2].uncertainty)
    assert late.as_dict()["jumps"][2]["uncertainty"] is None
    assert any("whether it comes at all" in text for text in late.warnings)


@pytest.mark.slow
@pytest.mark.parametrize("rho", [(0.0035, 0.0025), (0.0025, 0.005)])
def test_unequal_decay_is_that_of_the_flow(rho):
    """Times of the integrated flow, within the errors; the last plateau is stationary for these rates."""
    problem = example(rho)
    prediction = staircase(problem)
    assert [j.learned_modes for j in prediction.jumps] == [(0,), (0, 1), (0, 1, 2)]
    for jump in prediction.jumps:
        assert abs(crossing(problem, jump, 0.02) - jump.time) < jump.uncertainty
    end = GradientFlow(problem).integrate(samples=2).loss[-1]
    assert end == pytest.approx(prediction.levels[-1].loss, rel=1e-6)


@pytest.mark.slow
def test_unequal_decay_stops_it_too():
    """ρ = (.006, .0025): two jumps, and a larger start has a third."""
    stopped = staircase(example((0.006, 0.0025)))
    assert len(stopped.jumps) == 2
    assert stopped.missing > 1
    assert len(staircase(example((0.006, 0.0025), 2e-3)).jumps) == 3


@pytest.mark.parametrize(
    ("eigenvalues", "d", "K", "seed", "activation"),
    [
        ([4, 2, -1], 5, 6, 1, "quadratic"),
        pytest.param([4, 2, -1, -3], 4, 6, 2, "centred", marks=pytest.mark.slow),
        pytest.param([3, 2, 1], 6, 5, 0, "centred", marks=pytest.mark.slow),
    ],
)
def test_random_starts_and_both_signs(eigenvalues, d, K, seed, activation):
    """ε = 1e-4; decay of half of what would stop the last jump: times within the error, heights on the plateaus."""
    student = Student.initialise(K, d, scale=1e-4, seed=seed)
    bare = Problem(Teacher.from_eigenvalues(eigenvalues, d), student, activation)
    problem = replace(bare, weight_decay=0.5 / staircase(bare).jumps[-1].time)
    prediction = staircase(problem)
    assert len(prediction.jumps) == len(eigenvalues)
    for jump in prediction.jumps:
        assert abs(crossing(problem, jump, 0.01) - jump.time) < jump.uncertainty
    jumps = np.array([j.time for j in prediction.jumps])
    middles = np.append(0.5 * (np.append(0, jumps[:-1]) + jumps), 2 * jumps[-1])
    loss = GradientFlow(problem).integrate(times=np.append(0, middles)).loss[1:]
    assert np.abs(loss - prediction.loss(middles)).max() < 1e-6 * prediction.levels[0].loss


@pytest.mark.slow
def test_inputs_that_commute_with_the_teacher():
    """Σ = diag(1, .6, 1.5): the flow's third jump and last height."""
    problem = example(0.0015, covariance=np.diag([1, 0.6, 1.5]))
    prediction = staircase(problem)
    assert len(prediction.jumps) >= 2
    jump = prediction.jumps[-1]
    assert abs(crossing(problem, jump, 0.02) - jump.time) < jump.uncertainty
    end = GradientFlow(problem).integrate(samples=2).loss[-1]
    assert end == pytest.approx(prediction.levels[-1].loss, rel=1e-5)


@pytest.mark.parametrize("trainable", [True, False])
def test_rates_on_a_plateau_are_eigenvalues_of_the_force(trainable):
    """G of the loss with the learned values of {0, 1}; with fixed a = ½ less ρ/a, and nothing left on learned modes."""
    rho = 0.1
    problem = example(rho)
    if not trainable:
        problem = replace(
            problem, student=Student(1e-3 * W, np.full(3, 0.5), trainable=False), weight_decay=rho
        )
    frame = eigenframe(problem)
    level = frame.level((0, 1))
    force = problem.population.force(np.diag(np.sqrt([*level.values, 0.0])), np.ones((1, 3)))[0]
    expected = np.diag(force) - (0 if trainable else rho / 0.5)
    np.testing.assert_allclose(frame.rates((0, 1)), expected, atol=1e-12)
    assert (frame.rates((0, 1))[:2] > 0).all() == trainable


def test_a_mode_below_its_threshold_ends_the_staircase():
    """λ = (4, .05): μ⁰ = .05 < m_θ, but from a start that is large for this mode its unit outgrows decay at first."""
    rho, a = 0.05, 0.3
    student = Student(np.diag([np.sqrt(2) * 0.01, np.sqrt(2) * a]), [0.01, a])
    problem = Problem(Teacher.from_eigenvalues([4, 0.05]), student, "centred", weight_decay=rho)
    prediction = staircase(problem)
    assert prediction.levels[-1].learned == (0,)
    assert GradientFlow(problem).integrate(samples=2).loss[-1] == pytest.approx(
        prediction.levels[-1].loss, rel=1e-4
    )


@pytest.mark.parametrize("rho", [0.02, 0.1])
def test_units_that_share_a_mode_part_while_they_decay(rho):
    """Two units that differ by 1 %: both jumps are shared, at the times of the flow within the errors."""
    student = Student([[0.01, 0.003], [0.0101, 0.0029]], [0.007, 0.007])
    problem = Problem(Teacher.from_eigenvalues([4, 2]), student, "centred", weight_decay=rho)
    prediction = staircase(problem)
    assert [jump.units for jump in prediction.jumps] == [(0, 1), (0, 1)]
    for jump in prediction.jumps:
        assert abs(crossing(problem, jump, 0.03) - jump.time) < jump.uncertainty


def test_a_learned_mode_is_not_learned_again():
    """A unit with much w and little a outgrows the holder of its mode in the flow, which changes no height."""
    (best, _), decay = decayed_minima([2.0], 2, WeightDecay(0.05, 0.05), 0.0), 0.05
    a = decay / best.level.forces[0]
    student = Student([[np.sqrt(2) * a], [3.5]], [a, 1e-4])
    problem = Problem(Teacher.from_eigenvalues([2.0]), student, "centred", weight_decay=decay)
    prediction = staircase(problem)
    assert prediction.jumps == ()
    assert prediction.levels[0].learned == (0,)
    end = GradientFlow(problem).integrate(samples=2)
    assert end.a[-1, 1] > 100 * end.a[-1, 0]
    assert end.loss[-1] == pytest.approx(prediction.levels[0].loss, rel=1e-6)


# --- Second layer fixed -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("alpha", "activation"), [(1.0, "quadratic"), (-0.5, "quadratic"), (2.0, "centred")])
def test_a_fixed_second_layer_is_that_of_the_shifted_teacher(alpha, activation):
    """Exactly (theory 14.2): the same jump times as without decay on M* − sI, in all d inputs."""
    d, rho = 4, 0.4
    lam = np.sign(alpha) * np.array([4.0, 2.0, 1.0, 0.05])
    shift = rho / (2 * alpha * (d + 2)) if activation == "quadratic" else rho / (4 * alpha)
    start = Student.initialise(4, d, scale=1e-3, seed=0, second_layer="fixed")
    student = Student(start.W, np.full(4, alpha), trainable=False)
    decayed = staircase(Problem(Teacher.from_eigenvalues(lam), student, activation, weight_decay=rho))
    shifted = staircase(Problem(Teacher.from_eigenvalues(lam - shift), student, activation))
    assert [j.time for j in decayed.jumps] == pytest.approx([j.time for j in shifted.jumps], rel=1e-12)
    assert [j.mode for j in decayed.jumps] == [j.mode for j in shifted.jumps]
    assert all(
        a.values == pytest.approx(b.values, rel=1e-12)
        for a, b in zip(decayed.levels, shifted.levels, strict=True)
    )
    assert all(j.sensitivity is None for j in decayed.jumps)


def test_theta_of_the_example():
    """λ = (4, 2, 1), a = 1, ρ = .4: t = θ ln(1/ε), θ = .03378378, .05681818, .10416667 (theory 14.2).

    By the difference of two sizes, as an additive constant drops out.
    """
    start = Student.initialise(3, 3, scale=1.0, seed=0, second_layer="fixed")

    def times(eps):
        student = replace(start, W=eps * start.W)
        problem = Problem(Teacher.from_eigenvalues([4, 2, 1]), student, weight_decay=0.4)
        return np.array([j.time for j in staircase(problem).jumps])

    theta = (times(1e-12) - times(1e-8)) / (4 * np.log(10))
    assert theta == pytest.approx([0.03378378, 0.05681818, 0.10416667], rel=1e-6)


def test_a_mode_that_decay_kills_is_not_learned():
    """λ = (4, .09), ρ = .4, centred: λ < ρ/4α = .1."""
    start = Student.initialise(3, 2, scale=1e-4, seed=0, second_layer="fixed")
    problem = Problem(Teacher.from_eigenvalues([4, 0.09]), start, "centred", weight_decay=0.4)
    prediction = staircase(problem)
    assert [j.mode for j in prediction.jumps] == [0]
    assert "Weight decay holds back" in prediction.end
    assert GradientFlow(problem).integrate(samples=2).loss[-1] == pytest.approx(
        prediction.levels[-1].loss, rel=1e-6
    )


# --- What is refused --------------------------------------------------------------------------------------


def test_no_plateau_is_said_in_a_sentence():
    frame = eigenframe(example(0.5))
    with pytest.raises(ComputationError, match=r"no plateau on which the modes 0, 1, 2 are learned"):
        replace(frame, eigenvalues=np.array([4.0, 2.0, 0.01])).level((0, 1, 2))


def test_fixed_weights_that_differ_are_refused():
    student = Student(1e-3 * W, A, trainable=False)
    problem = Problem(Teacher.from_eigenvalues([4, 2, 1]), student, weight_decay=0.1)
    with pytest.raises(ProblemError, match="all values are equal"):
        staircase(problem)


@pytest.mark.parametrize(("scale", "learns"), [(0.01, False), (0.06, True)])
def test_decay_of_the_first_layer_alone(scale, learns):
    """The second layer stays then: what is small is lost all the same, as the flow shows."""
    student = Student.initialise(3, 3, scale=scale, seed=0)
    problem = Problem(Teacher.from_eigenvalues([2, 1], 3), student, weight_decay=(0.1, 0.0))
    prediction = staircase(problem)
    flow = GradientFlow(problem).integrate(t_end=100.0, samples=401)
    assert bool(prediction.jumps) == learns == bool(flow.loss.min() < 5)
    if learns:
        drop = float(np.interp(-5.4, -flow.loss, flow.times))  # half of the way from 9.5 to 4/3
        assert prediction.jumps[0].time == pytest.approx(drop, rel=0.05)
