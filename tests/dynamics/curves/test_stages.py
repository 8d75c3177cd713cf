"""Plateaus and drops: found where they are on computed, noisy and trained curves, and nowhere else."""

from itertools import combinations

import numpy as np
import pytest
from scipy.signal import find_peaks
from scipy.special import expit

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.curves.stages import find_drops, find_stages, levels_passed
from dynamics.problem.levels import plateau_level
from empirical.training import train

LAM = np.array([4.0, 2.0, 1.0])
LEVELS = [plateau_level(LAM, S) for r in range(4) for S in combinations(range(3), r)]


def flow_of(eps, seed, t_end, log_times=False, samples=201, **start):
    student = Student.initialise(8, 6, scale=eps, seed=seed, **start)
    return GradientFlow(Teacher.from_eigenvalues(LAM, 6), student).integrate(
        t_end, log_times=log_times, samples=samples
    )


def staircase_curve(t, jumps, heights, width):
    """Steps from height to height: logistic in log(loss), of a given width, at given times."""
    y = np.full_like(t, np.log(heights[0]))
    for jump, before, after in zip(jumps, heights, heights[1:], strict=False):
        y += np.log(after / before) * expit((t - jump) / width)
    return np.exp(y)


@pytest.mark.parametrize("log_times", [False, True])
@pytest.mark.parametrize("samples", [101, 400, 3000])
def test_made_up_staircase(log_times, samples):
    """Plateaus at 10, 2, 0.3 and jumps at 3, 7: heights, times and sizes of the drops, however sampled.

    Half of a drop by the ratio r, logistic in log(loss) with width w, is passed where r^{−x} = (1 + 1/r)/2,
    at the time t − w ln(1/x − 1).
    """
    t = np.append(0, np.geomspace(0.3, 20, samples)) if log_times else np.linspace(0, 20, samples)
    width = 0.1
    loss = staircase_curve(t, [3, 7], [10, 2, 0.3], width)
    stages = find_stages(t, loss)
    assert [stage.loss for stage in stages] == pytest.approx([10, 2, 0.3], rel=0.02)
    spacing = np.diff(t).max() if not log_times else 0.02 * 20
    for stage, start, end in zip(stages, [0, 3, 7], [3, 7, 20], strict=True):
        # within 5 % of the height after ln(ln 6.7/0.05) = 3.6 widths
        assert start <= stage.start <= start + 5 * width + spacing
        assert end - 5 * width - spacing <= stage.end <= end
    drops = find_drops(t, loss, stages)
    assert [drop.size for drop in drops] == pytest.approx([8, 1.7], rel=0.02)
    for drop, jump, ratio in zip(drops, [3, 7], [5, 2 / 0.3], strict=True):
        x = np.log(2 / (1 + 1 / ratio)) / np.log(ratio)
        assert drop.time == pytest.approx(jump - width * np.log(1 / x - 1), abs=spacing)


@pytest.mark.parametrize("samples", [101, 201, 1000, 5000])
@pytest.mark.parametrize("width", [0.02, 0.1, 0.3])
@pytest.mark.parametrize(("fall", "number"), [(0.12, 1), (0.2, 1), (0.08, 2), (0.07, 3), (0.1, 3), (0.1, 6)])
def test_small_falls_are_counted_however_dense_the_record(fall, number, width, samples):
    """Falls in log(loss) between 1.4 and four bands of 0.05: each once, none merged, none twice, at their heights.

    A plateau that takes a whole band of the falls beside it leaves less than one of such a fall, or none.
    """
    t = np.linspace(0, 10 * (number + 1), samples)
    jumps, heights = 10 * np.arange(1, number + 1), np.exp(-fall * np.arange(number + 1))
    stages = find_stages(t, staircase_curve(t, jumps, heights, width))
    assert [stage.loss for stage in stages] == pytest.approx(heights, rel=0.01)
    for stage, start, end in zip(stages, [0, *jumps], [*jumps, t[-1]], strict=True):
        assert abs(stage.start - start) < 5 * width + t[1] and abs(stage.end - end) < 5 * width + t[1]


@pytest.mark.parametrize("samples", [101, 1000, 5000])
def test_a_small_fall_of_a_flow(samples):
    """One centred unit among λ = (1, ½ × 34) learns the first mode: L, Σλ² at first, falls from 9.5 to 8.5, by 0.11 in
    log(loss), at samples near and far; heights are those of the catalogue.
    """
    lam = np.array([1.0] + [0.5] * 34)
    student = Student.initialise(1, 35, scale=1e-3, seed=1, second_layer="fixed")
    curve = GradientFlow(Problem(Teacher.from_eigenvalues(lam), student, "centred")).integrate(
        12, samples=samples
    )
    expected = [plateau_level(lam, S, trace_coupling=0).loss for S in ((), (0,))]
    assert expected == pytest.approx([9.5, 8.5])
    assert [stage.loss for stage in curve.stages] == pytest.approx(expected, rel=1e-3)
    assert [stage.learned_modes for stage in curve.stages] == [(), (0,)]


@pytest.mark.parametrize("eps", [0.01, 0.03])
@pytest.mark.parametrize("log_times", [False, True])
def test_plateaus_of_the_flow(eps, log_times):
    """λ = (4, 2, 1): 45.5, 8, 1.25, then everything learned; the modes say which."""
    flow = flow_of(eps, 1, 0.6 / eps, log_times)
    stages = find_stages(flow.times, flow.loss, flow.modes, LAM, levels=LEVELS)
    assert [stage.loss for stage in stages[:3]] == pytest.approx([45.5, 8, 1.25], rel=0.01)
    assert [stage.learned_modes for stage in stages] == [(), (0,), (0, 1), (0, 1, 2)]
    assert [stage.level.loss for stage in stages] == pytest.approx([45.5, 8, 1.25, 0])
    for stage in stages[:3]:
        assert stage.deviation == pytest.approx(stage.loss / stage.level.loss - 1, abs=1e-15)
    assert abs(stages[3].deviation) < 1e-3
    drops = find_drops(flow.times, flow.loss, stages)
    assert [drop.learned_modes for drop in drops] == [(0,), (1,), (2,)]
    assert [drop.size for drop in drops] == pytest.approx([37.5, 6.75, 1.25], rel=0.02)


@pytest.mark.parametrize(
    ("seed", "heights"), [(0, [8]), (1, [8, 1.25]), (2, []), (3, [8, 1.25]), (4, [8, 1.25])]
)
def test_rounded_shoulders(seed, heights):
    """ε = 0.1: plateaus near 8 and 1.25, within 6 %, exactly where the flow's own rate shows them.

    Ground truth: minima of ‖∇L‖²/L = −d ln L/dt, computed from the equations on a fine grid, that are five times
    lower than the maxima on both sides.
    """
    flow = flow_of(0.1, seed, 6.0)
    stages = find_stages(flow.times, flow.loss, flow.modes, LAM)
    assert [s.loss for s in stages if 0 < len(s.learned_modes) < 3] == pytest.approx(heights, rel=0.06)

    fine = flow_of(0.1, seed, 6.0, samples=3001)
    problem = GradientFlow(Problem(fine.problem.teacher, fine.problem.student), reduce=False)
    states = [problem.pack(W, A) for W, A in zip(fine.W, fine.A, strict=True)]
    rate = np.array([np.sum(problem(0, theta) ** 2) for theta in states]) / fine.loss
    high = fine.loss > 1e-3 * fine.loss[0]
    minima = find_peaks(-np.log(rate[high]), prominence=np.log(5))[0]
    assert fine.loss[high][minima] == pytest.approx(heights, rel=0.06)


def test_trajectory_stages():
    """`Trajectory.stages` is this function on the trajectory's own modes and the levels that they pass."""
    flow = flow_of(0.1, 1, 6.0)
    levels = levels_passed(flow.modes, np.array(LAM, dtype=float))
    expected = find_stages(flow.times, flow.loss, flow.modes, LAM, levels=levels)
    described = [
        [(s.start, s.end, s.loss, s.learned_modes, s.level.loss) for s in e] for e in (flow.stages, expected)
    ]
    assert described[0] == described[1]
    assert described[0]


STEADY = {
    "exponential": (np.linspace(0, 5, 300), lambda t: np.exp(-8 * t)),
    "slow exponential": (np.linspace(0, 1, 300), lambda t: np.exp(-t)),
    "exponential, logarithmic times": (np.append(0, np.geomspace(1e-3, 10, 300)), lambda t: np.exp(-t)),
    "1/t": (np.linspace(0, 100, 300), lambda t: 1 / (1 + t)),
    "1/t from its middle": (np.linspace(10, 100, 300), lambda t: 1 / t),
    "t^-0.3": (np.linspace(0, 100, 300), lambda t: (1 + t) ** -0.3),
    "1/t, logarithmic times": (np.append(0, np.geomspace(1e-2, 1e4, 300)), lambda t: 1 / (1 + t)),
    "1/t², logarithmic times": (np.append(0, np.geomspace(1e-2, 1e4, 300)), lambda t: (1 + t) ** -2.0),
    "straight line": (np.linspace(0, 0.99, 300), lambda t: 1 - t),
}


@pytest.mark.parametrize("name", STEADY)
def test_steady_decay_has_no_plateau(name):
    """Exponential or power-law decay, sampled either way, has none."""
    t, curve = STEADY[name]
    assert find_stages(t, curve(t)) == ()


@pytest.mark.parametrize("noise", [0.003, 0.01, 0.03, 0.1])
@pytest.mark.parametrize("name", STEADY)
def test_noisy_steady_decay(name, noise):
    """Multiplicative noise makes a plateau in at most 2 of 40 runs."""
    t, curve = STEADY[name]
    t = np.interp(np.linspace(0, len(t) - 1, 400), np.arange(len(t)), t)
    rng = np.random.default_rng(1)
    found = [find_stages(t, curve(t) * np.exp(noise * rng.standard_normal(len(t)))) != () for _ in range(40)]
    assert sum(found) <= 2


def test_a_flat_curve_is_one_plateau():
    """Constant, and constant with 1 % of noise."""
    t = np.linspace(0, 1, 200)
    flat = np.full(200, 3.0)
    noisy = flat * np.exp(0.01 * np.random.default_rng(0).standard_normal(200))
    for loss in (flat, noisy):
        (stage,) = find_stages(t, loss)
        assert (stage.start, stage.end) == (0, 1)
        assert stage.loss == pytest.approx(3, rel=0.003)


def test_convergence_to_a_level_is_a_plateau():
    """L = 1 + e^{−t}: the end is one, with a height within 5 % of 1; a power law towards a level as well."""
    t = np.linspace(0, 40, 400)
    (stage,) = find_stages(t, 1 + 10 * np.exp(-t))
    assert stage.end == 40
    assert stage.loss == pytest.approx(1, rel=0.01)


@pytest.mark.parametrize("second_layer", ["trainable", "fixed"])
@pytest.mark.parametrize("seed", [0, 2])
def test_merged_drops_of_a_power_law_teacher(seed, second_layer):
    """15 modes λ_j = 1/j at ε = 0.1: the drops merge; nothing but the start may count as a plateau."""
    student = Student.initialise(20, 15, scale=0.1, seed=seed, second_layer=second_layer)
    flow = GradientFlow(Teacher.power_law(1.0, 15), student).integrate(
        40.0 if second_layer == "trainable" else 3.0
    )
    assert all(stage.start == 0 and stage.learned_modes == () for stage in flow.stages)


@pytest.mark.parametrize("noise", [0.01, 0.03, 0.1])
@pytest.mark.parametrize(("eps", "seed", "t_end"), [(0.03, 4, 14), (0.1, 1, 6), (0.1, 4, 6)])
def test_noisy_plateaus(noise, eps, seed, t_end):
    """The plateaus of the noiseless curve are found under noise in at least 38 of 40 runs."""
    flow = flow_of(eps, seed, t_end)
    loss = np.maximum(flow.loss, 1e-4 * flow.loss[0])
    rng = np.random.default_rng(2)
    found = 0
    for _ in range(40):
        noisy = loss * np.exp(noise * rng.standard_normal(len(loss)))
        learned = [s.learned_modes for s in find_stages(flow.times, noisy, flow.modes, LAM)]
        found += learned[:3] == [(), (0,), (0, 1)]
    assert found >= 38


def test_trained_networks():
    """Four PyTorch networks, ε = 0.03, batches of 256: each shows the plateaus within 3 %, matched by height alone."""
    student = Student.initialise(8, 6, scale=0.03, seed=4)
    run = train(Problem(Teacher.from_eigenvalues(LAM, 6), student), steps=7000, step=2e-3, batch=256, seeds=4)
    for loss, modes in zip(run.loss, run.modes, strict=True):
        by_height = find_stages(run.times, loss, levels=LEVELS)
        assert [stage.learned_modes for stage in by_height] == [(), (0,), (0, 1), (0, 1, 2)]
        assert max(abs(stage.deviation) for stage in by_height) < 0.03
        by_modes = find_stages(run.times, loss, modes, LAM, levels=LEVELS)
        assert by_modes == by_height


def test_heights_that_match_nothing():
    """A plateau 40 % off every level is a plateau without a level; at equal heights the modes decide."""
    t = np.linspace(0, 20, 300)
    loss = staircase_curve(t, [5, 12], [45.5, 14.0, 1.25], 0.1)
    assert [None if s.level is None else s.level.learned for s in find_stages(t, loss, levels=LEVELS)] == [
        (),
        None,
        (0, 1),
    ]
    twins = np.array([2.0, 2.0])
    levels = [plateau_level(twins, S) for S in ((), (0,), (1,), (0, 1))]
    loss = staircase_curve(t, [5], [levels[0].loss, levels[2].loss], 0.1)
    modes = np.zeros((300, 2))
    modes[t > 5, 1] = levels[2].values[0]
    assert find_stages(t, loss, modes, twins, levels=levels)[1].learned_modes == (1,)


@pytest.mark.parametrize(("pace", "stands_out"), [(4.0, False), (0.1, True)])
def test_a_shoulder_close_below_the_start(pace, stands_out):
    """log L falls by 3.5 bands of 0.05, each in `pace`, rests for 8, and falls for good, fast.

    The window of the shoulder takes in one more band, so that it begins 2.5 bands below the start: not close enough to
    be the plateau of the start, it needs an edge above. A band in 4 is none for a shoulder of 8 + 4, a fifth of which
    is 2.4; a band in 0.1 is.
    """
    knots = np.cumsum([0, 3.5 * pace, 8, 0.1])
    t = np.linspace(0, knots[-1], 4001)
    loss = np.exp(np.interp(t, knots, [0, -0.175, -0.175, -5]))
    on_shoulder = [abs(np.log(stage.loss) + 0.175) < 1e-6 for stage in find_stages(t, loss)]
    assert any(on_shoulder) == stands_out


def test_neighbouring_plateaus_stay_whatever_comes_after():
    """λ = (3.1, 0.8, −1.4): {0} at 2.72 and {0, 1} at 2.45, two bands apart in log(loss), for every end time.

    A plateau is left at 5.6 and one at 12 (the loss there: 2.66 and 2.40): each is found as soon as it is over, and
    remains. Heights are those of the catalogue's saddles, within 1 %.
    """
    teacher = Teacher.from_eigenvalues([3.1, 0.8, -1.4], 50)
    problem = Problem(teacher, Student.initialise(8, 50, scale=0.05, seed=3))
    lam = problem.mode_targets
    expected = [plateau_level(lam, S).loss for S in ((), (0,), (0, 1))]
    assert np.log(expected[1] / expected[2]) == pytest.approx(0.105, abs=1e-3)
    for t_end, plateaus in ((7.0, 2), (10.0, 3), (12.0, 3), (20.0, 3), (40.0, 3)):
        flow = GradientFlow(problem).integrate(t_end)
        stages = [stage for stage in flow.stages if stage.loss > 0.1]
        assert [stage.loss for stage in stages] == pytest.approx(expected[:plateaus], rel=0.01)
        assert [stage.learned_modes for stage in stages] == [(), (0,), (0, 1)][:plateaus]
        assert stages[1].start == pytest.approx(3.0, abs=0.2)
        if plateaus == 3:
            assert stages[1].end == pytest.approx(5.6, abs=0.2)


@pytest.mark.parametrize("samples", [201, 1000])
@pytest.mark.parametrize("t_end", [12.0, 16.0, 25.0, 60.0])
def test_a_short_plateau_close_above_a_long_one(t_end, samples):
    """Plateaus at 10, 1.12 and 1, left at 3, at 6 and never, in steps of width 0.15; whatever the end.

    A band of 0.05 is wider than what each neighbour leaves of the 0.113 in log(loss) between them.
    """
    t = np.linspace(0, t_end, samples)
    stages = find_stages(t, staircase_curve(t, [3, 6], [10, 1.12, 1], 0.15))
    assert [stage.loss for stage in stages] == pytest.approx([10, 1.12, 1], rel=0.01)
    assert 3 < stages[1].start < 4.2 and 5 < stages[1].end < 6


@pytest.mark.parametrize("noise", [0.003, 0.005, 0.008])
def test_noise_between_plateaus_makes_none(noise):
    """Straight in log(loss) from a plateau at 10 to one at 5, with noise: nothing in between in 38 of 40 runs."""
    t = np.linspace(0, 30, 1500)
    loss = np.exp(np.interp(t, [0, 6, 20, 30], np.log([10, 10, 5, 5])))
    rng = np.random.default_rng(5)
    runs = [find_stages(t, loss * np.exp(noise * rng.standard_normal(1500))) for _ in range(40)]
    assert sum(len(stages) == 2 for stages in runs) >= 38


def test_levels_passed():
    """Every set of modes that a curve went through is among the candidates, with the heights of `plateau_level`."""
    flow = flow_of(0.03, 1, 20)
    levels = {level.learned: level.loss for level in levels_passed(flow.modes, LAM)}
    for S in [(), (0,), (0, 1), (0, 1, 2)]:
        assert levels[S] == plateau_level(LAM, S).loss


@pytest.mark.parametrize("loss", [[1.0, 1.0], [np.nan] * 9, [0.0] * 9, [-1.0] * 9])
def test_unusable_curves_have_no_stages(loss):
    """Too short, not finite, nothing to learn: no plateau and no exception."""
    assert find_stages(np.arange(float(len(loss))), np.array(loss)) == ()
