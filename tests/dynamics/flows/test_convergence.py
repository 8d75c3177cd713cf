"""Where an open-ended flow ends: never "converged" on a saddle, however small the start, and no wrong waiting time."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.flows.convergence import ConvergenceTest
from dynamics.integration import Sampling, Stop, integrate
from dynamics.saddle_to_saddle.staircase import staircase


def problem_of(eigenvalues, hidden, scale, seed=0, inputs=None, activation="quadratic", **start):
    teacher = Teacher.from_eigenvalues(eigenvalues, inputs)
    student = Student.initialise(hidden, teacher.inputs, scale=scale, seed=seed, **start)
    return Problem(teacher, student, activation)


def best_level(eigenvalues, positive, negative, kappa):
    """Least L_S = Σ_{j∉S} λ_j² + κT²/(r + 2) over the sets S of so many λ > 0 and λ < 0 at most (theory 3)."""
    lam = np.sort(eigenvalues)[::-1]
    losses = []
    for bits in range(2 ** len(lam)):
        S = np.array([bool(bits >> j & 1) for j in range(len(lam))])
        if np.sum(lam[S] > 0) <= positive and np.sum(lam[S] < 0) <= negative:
            T = lam[~S].sum()
            losses.append(np.sum(lam[~S] ** 2) + kappa * T**2 / (S.sum() + 2))
    return min(losses)


STARTS = [
    # λ, hidden, seed: among the units of these starts are frozen positive, frozen negative and flexible ones
    ([4, 2, 1], 4, 3),
    ([2, 1, -1], 5, 42),
    ([1, 0.01], 4, 0),
]


@pytest.mark.parametrize("scale", [1e-2, 1e-6, 1e-7, 1e-9, 1e-12])
@pytest.mark.parametrize(("activation", "kappa"), [("quadratic", 1), ("centred", 0)])
@pytest.mark.parametrize(("eigenvalues", "hidden", "seed"), STARTS)
def test_trained_second_layer_never_converges_on_a_saddle(
    eigenvalues, hidden, seed, activation, kappa, scale
):
    """The loss at the end is that of the best set of modes for the final signs of a (brute force over all sets)."""
    problem = problem_of(eigenvalues, hidden, scale, seed, inputs=4, activation=activation)
    end = GradientFlow(problem).integrate(samples=2, rtol=1e-9)
    assert end.solver.status == "converged"
    positive, negative = np.sum(end.a[-1] > 0), np.sum(end.a[-1] < 0)
    expected = best_level(eigenvalues, positive, negative, kappa)
    assert end.loss[-1] == pytest.approx(expected, abs=1e-6 * min(np.abs(eigenvalues)) ** 2)


@pytest.mark.parametrize("scale", [1e-2, 1e-7, 1e-12])
@pytest.mark.parametrize(("activation", "kappa"), [("quadratic", 1), ("centred", 0)])
@pytest.mark.parametrize("hidden", [2, 4])
def test_fixed_second_layer_never_converges_on_a_saddle(hidden, activation, kappa, scale):
    """All a = 1: the largest positive modes, as many as there are units."""
    problem = problem_of([4, 1, -1], hidden, scale, seed=1, activation=activation, second_layer="fixed")
    end = GradientFlow(problem).integrate(samples=2, rtol=1e-9)
    assert end.solver.status == "converged"
    assert end.loss[-1] == pytest.approx(best_level([4, 1, -1], hidden, 0, kappa), abs=1e-5)


def turned_flow(scale):
    """A teacher (4, 2, 1) with turned axes, so that rounding disturbs every direction; all of it will be learned."""
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    teacher = Teacher.from_matrix(turn @ np.diag([4.0, 2.0, 1.0]) @ turn.T)
    start = Student.initialise(4, 3, scale=scale, seed=3)
    return GradientFlow(Problem(teacher, Student(start.W, np.abs(start.A))))


def test_a_leap_over_a_plateau_arrives_when_the_solver_does():
    """The loss falls below 1 when it does for the solver alone; an end time in place of convergence changes nothing."""
    flow = turned_flow(1e-7)
    sampling = Sampling.create(1e8, None, 2, False, 0.0)
    low = Stop("low", lambda t, theta: flow.loss(theta) - 1)
    waiting = integrate(flow, flow.theta0, sampling, stops=[low])[2]
    for leaping in (flow.integrate(until_loss=1.0), flow.integrate(t_end=1e8, until_loss=1.0)):
        assert leaping.solver.status == "target loss reached"
        # some 10⁴ steps with errors of 1e-12 of a dormant unit each, as far as they add up
        assert leaping.times[-1] == pytest.approx(waiting.time_reached, rel=1e-8)
        assert leaping.solver.evaluations < 0.8 * waiting.evaluations
        assert (np.diff(leaping.loss) <= 1e-12).all()


def test_states_within_a_leap_are_those_of_the_flow():
    """Samples on the first plateau, against the solver alone."""
    end = turned_flow(1e-6).integrate(samples=301)
    on = np.flatnonzero(end.loss > 45.4)[1:]
    assert len(on) > 5
    flow = turned_flow(1e-6)
    states = integrate(flow, flow.theta0, Sampling.create(None, end.times[on], 2, False, 0.0))[1]
    W, A = flow.unpack(states)
    np.testing.assert_allclose(end.W[on], W, rtol=1e-5)
    np.testing.assert_allclose(end.A[on], A, rtol=1e-5)
    assert end.conserved_drift < 1e-9


def test_a_leap_ends_where_the_integration_does():
    """Halfway over a plateau of 10⁷: the last sample is a state of it."""
    end = turned_flow(1e-8).integrate(t_end=1e6, samples=3)
    assert end.solver.status == "finished"
    np.testing.assert_array_equal(end.times, [0, 5e5, 1e6])
    flow = turned_flow(1e-8)
    states = integrate(flow, flow.theta0, Sampling.create(1e6, None, 3, False, 0.0))[1]
    np.testing.assert_allclose(end.W, flow.unpack(states)[0], rtol=1e-6)


def test_cost_does_not_grow_with_the_waiting_time():
    """A plateau of 4e9 takes no more evaluations than twice those of one of 4e5."""
    short, long = (
        GradientFlow(problem_of([2, 1], 3, scale, seed=1)).integrate(samples=2, rtol=1e-9).solver.evaluations
        for scale in (1e-6, 1e-10)
    )
    assert long < 2 * short


def test_a_plateau_beyond_the_resolution_of_the_clock_is_said_to_be_one():
    """ε = 1e-30: the jump is known to come at the time of the staircase, 4e28, where doubles are 10¹² apart."""
    problem = problem_of([4, 2, 1], 4, 1e-30, seed=3, inputs=4)
    end = GradientFlow(problem).integrate()
    assert end.solver.status == "resting on a plateau"
    jump = staircase(problem).jumps[0]
    assert jump.time == pytest.approx(3.84e28, rel=1e-3)
    assert (
        f"Resting on the plateau {{}}: unit {jump.unit} grows next, at t ≈ {jump.time:.4g}"
        in end.solver.message
    )
    assert end.solver.message in end.summary()


def test_several_outputs_rest_where_waiting_takes_too_long(monkeypatch):
    """Two outputs have no frozen-unit law to leap with: after many steps the flow says where it rests."""
    monkeypatch.setattr("dynamics.flows.convergence.MOST_STEPS", 20)
    teacher = Teacher([[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 1.0]])
    flow = GradientFlow(Problem(teacher, Student.initialise(3, 2, scale=1e-6, outputs=2, seed=1)))
    end = flow.integrate(samples=2)
    assert end.solver.status == "resting on a plateau"
    assert "Resting on the plateau {}" in end.solver.message


def test_several_outputs_are_waited_for_where_they_can_be():
    teacher = Teacher([[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 1.0]])
    flow = GradientFlow(Problem(teacher, Student.initialise(3, 2, scale=1e-6, outputs=2, seed=1)))
    end = flow.integrate(samples=2, rtol=1e-9)
    assert end.solver.status == "converged"
    assert end.loss[-1] < 1e-9


@pytest.mark.parametrize(
    ("W", "a", "trainable"),
    [
        ([[0.0, 0.0]], [0.0], True),  # the origin
        ([[0.0, 0.0]], [0.3], True),  # a dead unit, which e_1 would revive
        ([[0.0, 0.2]], [0.1], True),  # learns mode 2 alone, for ever
        ([[0.1, 0.0], [0.2, 0.0]], [1.0, 1.0], False),  # so does a fixed layer with mode 1
        ([[0.1, 0.0]], [-0.1 / np.sqrt(2)], True),  # c = 0, a < 0: shrinks to the origin
    ],
)
def test_the_stable_manifold_of_a_saddle_ends_at_a_saddle(W, a, trainable):
    """Nothing leads away from these saddles of λ = (2, 1) but a component that the weights do not have."""
    end = GradientFlow(Teacher.from_eigenvalues([2, 1]), Student(W, a, trainable)).integrate(samples=2)
    assert end.solver.status == "at a saddle"
    assert end.loss[-1] > 0.9
    assert "no component" in end.solver.message


def test_an_end_that_is_not_reached_is_no_convergence(monkeypatch):
    monkeypatch.setattr("dynamics.flows.natural_units.LONGEST", 1e-2)
    end = GradientFlow(problem_of([2, 1], 3, 0.1)).integrate(samples=2)
    assert end.solver.status == "finished, not converged"
    assert GradientFlow(problem_of([2, 1], 3, 0.1)).integrate(0.1, samples=2).solver.status == "finished"


@pytest.mark.parametrize("factor", [1e-6, 1e6])
@pytest.mark.parametrize("second_layer", ["trainable", "fixed"])
def test_the_end_does_not_depend_on_the_units(factor, second_layer):
    """λ → cλ with W, a → c^⅓ (a trained) or W → c^½ (a fixed): L → c²L at times t → c^(−4/3)t or t/c, same status."""
    power, clock = (1 / 3, -4 / 3) if second_layer == "trainable" else (1 / 2, -1)
    ends = [
        GradientFlow(
            problem_of(c * np.array([3.0, 1.0]), 3, 0.02 * c**power, 2, second_layer=second_layer)
        ).integrate(samples=11)
        for c in (1.0, factor)
    ]
    one, other = ends
    assert one.solver.status == other.solver.status == "converged"
    np.testing.assert_allclose(other.times, one.times * factor**clock, rtol=1e-3)
    sooner = one.times < 0.7 * one.times[-1]
    np.testing.assert_allclose(other.loss[sooner], factor**2 * one.loss[sooner], rtol=0.05)


@pytest.mark.parametrize("factor", [1e-15, 1e15])
def test_the_time_of_a_stop_does_not_depend_on_the_units(factor):
    """L falls to c²·½ at t·c^(−4/3), for c = 1e15 at times of 1e-20."""
    times = [
        GradientFlow(problem_of(c * np.array([3.0, 1.0]), 3, 0.5 * c ** (1 / 3), 2))
        .integrate(until_loss=0.5 * c**2)
        .times[-1]
        for c in (1.0, factor)
    ]
    assert times[1] * factor ** (4 / 3) == pytest.approx(times[0], rel=1e-9)


@pytest.mark.parametrize("scale", [20.0, 100.0])
def test_a_large_start_is_no_reason_to_stop_early(scale):
    """Everything is learned in the end, whatever the loss was at first (some 10⁸ and 10¹²)."""
    end = GradientFlow(problem_of([4, 2], 4, scale, inputs=4)).integrate(samples=2, rtol=1e-9)
    assert end.solver.status == "converged"
    assert end.loss[-1] < 1e-9


def test_an_end_time_beyond_the_resolution_of_the_clock_is_not_reached():
    """ε = 1e-30: the first jump is at 4e28. Up to 1e20 nothing happens; up to 1e30 the flow rests where it starts."""
    flow = GradientFlow(problem_of([4, 2, 1], 4, 1e-30, seed=3, inputs=4))
    short, long = flow.integrate(t_end=1e20, samples=3), flow.integrate(t_end=1e30, samples=3)
    assert (short.solver.status, short.times[-1]) == ("finished", 1e20)
    assert (long.solver.status, long.times[-1]) == ("resting on a plateau", 0)
    assert "unit 2 grows next, at t ≈ 3.842e+28" in long.solver.message


@pytest.mark.parametrize("seed", [0, 1])
def test_the_smallest_starts_do_not_depend_on_luck(seed):
    """ε = 1e-12 in six inputs, where jumps are ten times shorter than in three."""
    end = GradientFlow(problem_of([4, 2, 1], 6, 1e-12, seed, inputs=6)).integrate(samples=2, rtol=1e-9)
    assert end.solver.status == "converged"


@pytest.mark.parametrize(
    ("activation", "hidden", "scale"),
    [("erf", 1, 1e-6), ("relu2", 2, 1e-4), ("hermite:3", 1, 0.03)],
)
def test_any_activation_ends_at_the_teacher(activation, hidden, scale):
    """One unit of the teacher, from tiny weights through every plateau: L = 0, the global minimum, and not before."""
    end = GradientFlow(problem_of([1.0], hidden, scale, 1, 2, activation)).integrate(samples=2)
    assert end.solver.status == "converged"
    assert end.loss[-1] < 1e-9 * end.loss[0]


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["gelu", "tanh", "sigmoid", "softplus", "silu", "elu"])
def test_the_others_end_at_the_teacher_too(activation):
    """One unit, small weights: as above."""
    end = GradientFlow(problem_of([1.0], 1, 0.1, 0, 2, activation)).integrate(samples=2)
    assert end.solver.status == "converged"
    assert end.loss[-1] < 1e-9 * end.loss[0]


@pytest.mark.parametrize(("activation", "teacher"), [("relu", "erf"), ("erf", "erf")])
def test_a_teacher_out_of_reach_is_a_minimum_with_a_loss(activation, teacher):
    """One unit for two modes, or another function: at the end no small step in any direction lowers the loss.

    A step h lowers it by at most ½|g|²/λ, g the gradient that the test of convergence leaves, beside rounding.
    """
    start = problem_of([2, 1], 1, 0.1, 0, 2)
    problem = Problem(start.teacher, start.student, activation, teacher_activation=teacher)
    flow = GradientFlow(problem)
    end = flow.integrate(samples=2)
    assert end.solver.status == "converged" and end.loss[-1] > 0.01
    theta, rng = flow.pack(end.coordinates[-1], end.A[-1]), np.random.default_rng(0)
    for _ in range(100):
        assert flow.loss(theta + 1e-3 * rng.standard_normal(theta.size)) > end.loss[-1] - 1e-14


def test_a_degenerate_saddle_is_none_of_the_minima():
    """He_4, whose Hessian vanishes at w = 0: L = ½ there, E f*² / 2, while L = 0 is reached from larger weights."""
    ends = [
        GradientFlow(problem_of([1.0], 1, scale, 1, 2, "hermite:4")).integrate(samples=2)
        for scale in (1e-3, 0.3)
    ]
    assert [end.solver.status for end in ends] == ["at a saddle", "converged"]
    assert ends[0].loss[-1] == pytest.approx(0.5, abs=1e-9)
    assert ends[1].loss[-1] < 1e-13


# What is asked where the flow hardly moves, by hand


def asked(eigenvalues, W, a, rtol=1e-12, trainable=False, covariance=None):
    """The test of convergence of centred units, and their flow."""
    student = Student(np.array(W, float), np.array(a, float), trainable)
    teacher = Teacher.from_eigenvalues(eigenvalues, student.inputs)
    flow = GradientFlow(Problem(teacher, student, "centred", covariance), reduce=False)
    return ConvergenceTest(flow, flow.natural_units, rtol), flow


@pytest.mark.parametrize(
    ("weak", "rtol", "still"),
    [
        (2.0, 1e-12, 1e-9),
        (2e-3, 1e-13, 1e-11),  # a hundred times the tolerance
        (2e-3, 1e-15, 1e-12),  # a thousandth, as of the modes
        (2e-3, 1e-6, 1e-9),
        (4.0, 1e-15, 5e-10),  # the other mode is the weaker one
    ],
)
def test_how_slow_hardly_moves(weak, rtol, still):
    """1e-9 of the natural speed, less for weak modes, but no less than a hundredfold tolerance."""
    test, flow = asked([2.0, weak], np.eye(2), [1.0, 1.0], rtol)
    assert test.still == pytest.approx(still * flow.natural_units.speed)
    fast, slow = (theta for theta in (1.1 * flow.theta0, 0 * flow.theta0))
    assert test.distance("converged", 0.0, fast) == pytest.approx(
        np.linalg.norm(flow(0.0, fast)) - test.still
    )
    assert test.distance("converged", 1.0, slow) > 0  # a saddle


@pytest.mark.parametrize(("left", "looked_at"), [(0.9e-3, False), (1.2e-3, True)])
def test_dormant_units_are_looked_for_while_a_thousandth_of_the_weakest_mode_is_left(left, looked_at):
    """One centred unit, one input, a = 1: G = 4(λ − p²) beside 4λ where nothing is learned."""
    lam = 0.5
    test, flow = asked([lam], [[np.sqrt(lam * (1 - left))]], [1.0], trainable=True)
    assert (test._dormant(flow.theta0) is not None) == looked_at


@pytest.mark.parametrize("sigma", [1.0, 3.0])
def test_the_duration_of_a_jump(sigma):
    """1/(g a) with g = 4σ²λ of the mode and the a = (λ/2)^⅓ that learns it, a p² = λ and p² = 2a²."""
    lam = 5.0
    covariance = None if sigma == 1 else np.array([[sigma]])
    test, flow = asked([lam], [[1e-9]], [1e-9], trainable=True, covariance=covariance)
    assert test._jump(0 * flow.theta0) == pytest.approx(1 / (4 * sigma**2 * lam * (lam / 2) ** (1 / 3)))


def test_how_steep_a_way_down_is_one():
    """a = 1, mode 0 learned: the other leads down at 4λ. What is flat, or might be what still converges, does not."""
    for excess, found in ((2.0, True), (0.5, False)):
        rate = asked([2.0, 1e-9], np.eye(2), [1.0, 1.0])[1].natural_units.rate
        for slow, edge in ((0.0, 1e-9), (1e-8, 1e-6)):  # a hundredth of the root of the speed
            weak = excess * edge * rate / 4
            test, flow = asked([2.0, weak], [[np.sqrt(2.0), 0.0], [0.0, 0.0]], [1.0, 1.0])
            descent = test._descent(flow.theta0, slow * flow.natural_units.speed, None)
            assert descent == (pytest.approx(4 * weak, rel=1e-3) if found else 0.0)


def test_dormant_units_are_no_way_down():
    """The free unit leads down at 4 · 1; the one that holds the stronger mode does not turn away from it."""
    test, flow = asked([2.0, 1.0], [[np.sqrt(2.0), 0.0], [0.0, 0.0]], [1.0, 1.0])
    ways = [
        test._descent(flow.theta0, 0.0, units)
        for units in (None, np.array([0]), np.array([1]), np.array([0, 1]))
    ]
    assert ways == [pytest.approx(4.0), pytest.approx(4.0), 0.0, 0.0]
