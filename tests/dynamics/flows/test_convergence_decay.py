"""Where flows end under weight decay: at minima only, never while a unit can still escape, and traps are named."""

from dataclasses import replace

import numpy as np
import pytest

from dynamics import FiniteDataFlow, GradientFlow, ModifiedFlow, Problem, Student, Teacher
from dynamics.flows.convergence import ConvergenceTest
from dynamics.flows.traps import minima, trap
from dynamics.integration import Sampling, integrate
from dynamics.problem.weight_decay import WeightDecay
from dynamics.saddle_to_saddle.dormant_units import growth
from dynamics.saddle_to_saddle.growing_unit import FrozenUnit
from dynamics.saddle_to_saddle.staircase import staircase

W, A = np.array([[1, 0.3, 0.2], [0.2, 0.8, -0.4], [-0.3, 0.1, 0.7]]), np.array([0.7, 0.5, 0.4])


def example(rho, eps=1e-3, **options):
    """λ = (4, 2, 1), the start of theory 14.6."""
    student = Student(eps * W, eps * A)
    return Problem(Teacher.from_eigenvalues([4, 2, 1]), student, weight_decay=rho, **options)


@pytest.mark.parametrize(
    ("rho", "learned", "loss"),
    [(0.0025, (0, 1, 2), 5.28397e-7), (0.006, (0, 1), 1.2500017), (0.02, (0,), 8.00000905), (0.03, (), 45.5)],
)
@pytest.mark.parametrize("small", [1, *(pytest.param(s, marks=pytest.mark.slow) for s in (1e-3, 1e-5))])
def test_a_flow_rests_where_it_should(rho, learned, loss, small):
    """ε = 1e-3, with its rates, and 1e-6, 1e-8 with as much less decay: the same staircase, levels as without decay.

    Losses of the decayed levels at ε = 1e-3 are theirs in `dynamics.problem.decayed_levels`, to the digits given.
    """
    problem = example(rho * small, 1e-3 * small)
    end = GradientFlow(problem).integrate(samples=2)
    assert end.solver.status == "converged"
    plain = {(0, 1, 2): 0.0, (0, 1): 1.25, (0,): 8.0, (): 45.5}[learned]
    assert end.loss[-1] == pytest.approx(loss if small == 1 else plain, abs=5e-8 if small == 1 else 1e-7)
    if small == 1:  # by then units that decay are small even compared with their rate
        assert np.linalg.eigvalsh(GradientFlow(problem).hessian(np.append(end.W[-1], end.a[-1])))[0] > 0
    name = {(0, 1): "{0, 1}", (0,): "{0}", (): "{} (nothing learned)"}.get(learned)
    assert end.solver.message.startswith(f"Resting at the minimum {name}") == (name is not None)
    if name is not None:
        assert "the global minimum is {0–2}" in end.solver.message
        assert end.solver.message in end.summary()


def test_no_decay_says_nothing_of_traps():
    """Nor does a flow that ends at the global minimum."""
    assert GradientFlow(example(0.0)).integrate(samples=2).solver.message == ""
    assert trap(example(0.0), np.zeros(3), 45.5) == ""
    best = minima(example(0.006))[0]
    assert trap(example(0.006), best.level.values, best.level.loss) == ""


def test_at_no_known_minimum_nothing_is_said():
    """Values half-way between two minima; several outputs, of which no minima are known."""
    assert trap(example(0.006), np.array([2.0, 0.0, 0.0]), 20.0) == ""
    teacher = Teacher.from_matrix(np.stack([np.eye(2), np.diag([1.0, -1.0])]))
    assert minima(Problem(teacher, Student(np.eye(2), np.eye(2)), weight_decay=0.1)) == ()


def test_balances_that_are_handed_on_decay():
    """c_k e^{−2ρt} are those of the integrated weights; none are where rates differ."""
    problem = Problem(Teacher.from_eigenvalues([4, 2, 1]), Student(0.3 * W, 0.1 * A), weight_decay=0.05)
    flow = GradientFlow(problem)
    end = flow.integrate(7.0, samples=2)
    test = ConvergenceTest(flow, flow.natural_units, 1e-9)
    np.testing.assert_allclose(test._invariants(7.0), end.conserved[-1], rtol=1e-8)
    uneven = GradientFlow(replace(problem, weight_decay=(0.05, 0.06)))
    assert ConvergenceTest(uneven, uneven.natural_units, 1e-9)._invariants(7.0) is None


def test_a_teacher_of_nothing_is_collapsed_to():
    student = Student(0.1 * W, 0.1 * A)
    end = GradientFlow(Problem(Teacher.from_eigenvalues([0, 0, 0]), student, weight_decay=0.1)).integrate(
        samples=2
    )
    assert (end.solver.status, end.solver.message) == ("converged", "")


@pytest.mark.parametrize("close", [1e-2, 1e-4])
def test_a_unit_that_barely_escapes_is_waited_for(close):
    """One mode, centred, c = 0: the exact separatrix is the smallest root of 8a⁴ − 4λa + ρ = 0 (theory 14.6).

    Scaled to ε = 1e-8 it is ρ/4λ; a little above it the unit lingers for some ln(1/close)/ρ, and then learns.
    """
    lam, rho = 2.0, 1e-7
    a = rho / (4 * lam)
    for factor, loss in ((1 + close, 0.0), (1 - close, lam**2)):
        student = Student([[np.sqrt(2) * a * factor]], [a * factor])
        problem = Problem(Teacher.from_eigenvalues([lam]), student, "centred", weight_decay=rho)
        end = GradientFlow(problem).integrate(samples=2)
        assert end.solver.status == "converged"
        assert end.loss[-1] == pytest.approx(loss, abs=1e-6)


@pytest.mark.slow
def test_samples_within_a_leap_are_those_of_the_flow():
    """On the first plateau of a start of 1e-6 that decays while it grows, against the solver alone."""
    problem = example(0.5 / 46434.3, 1e-6)
    assert staircase(problem).jumps[0].time > 46434.3
    end = GradientFlow(problem).integrate(samples=401)
    on = np.flatnonzero(end.loss > 45.4)[1:]
    assert len(on) > 5
    flow = GradientFlow(problem)
    states = integrate(flow, flow.theta0, Sampling.create(None, end.times[on], 2, False, 0.0))[1]
    V, B = flow.unpack(states)
    np.testing.assert_allclose(end.W[on], V, rtol=1e-5, atol=1e-14)
    np.testing.assert_allclose(end.A[on], B, rtol=1e-5, atol=1e-14)


def test_a_start_on_a_saddle_does_not_converge_there():
    """Two copies share a mode without a component along the other, which nothing leads to; parted, they leave it."""
    student = Student([[0.5, 0.0], [0.5, 0.0]], [0.5, 0.5])
    problem = Problem(Teacher.from_eigenvalues([2, 0.5]), student, "centred", weight_decay=0.05)
    end = GradientFlow(problem).integrate(samples=2)
    assert end.solver.status == "at a saddle"
    parted = Student([[0.5, 0.2], [0.5, 0.21]], [0.5, 0.49])
    end = GradientFlow(replace(problem, student=parted)).integrate(samples=2)
    assert end.solver.status == "converged"
    H = GradientFlow(problem).hessian(np.concatenate([end.W[-1].ravel(), end.a[-1]]))
    assert np.linalg.eigvalsh(H)[0] > 0


@pytest.mark.slow
def test_finite_steps_and_finite_data_end_alike():
    """The modified flow and a data set of 4000: at the {0, 1} minimum, whose loss the data move by some per cent."""
    problem = example(0.006)
    end = ModifiedFlow(problem, step=1e-3).integrate(samples=2)
    assert end.solver.status == "converged"
    assert end.loss[-1] == pytest.approx(1.2500017, abs=1e-6)
    rng = np.random.default_rng(0)
    X = rng.standard_normal((4000, 3))
    y = np.einsum("ni,i,ni->n", X, [4.0, 2.0, 1.0], X)
    end = FiniteDataFlow(problem, X, y).integrate(samples=2)
    assert end.solver.status == "converged"
    assert end.loss[-1] == pytest.approx(1.25, rel=0.1)


@pytest.mark.parametrize("rho", [0.4, (0.1, 0.2)])
def test_several_outputs_converge_at_minima_too(rho):
    """Gradient zero, Hessian positive; small starts whose units escape, or do not."""
    teacher = Teacher.from_matrix(np.stack([np.diag([2.0, 1.0, 0.5]), np.diag([1.0, -1.0, 0.3])]))
    for eps in (1e-1, 1e-4):
        student = Student.initialise(3, 3, outputs=2, scale=eps, seed=0)
        problem = Problem(teacher, student, weight_decay=rho)
        flow = GradientFlow(problem)
        end = flow.integrate(samples=2)
        assert end.solver.status == "converged"
        theta = flow.pack(end.W[-1], end.A[-1])
        assert np.linalg.norm(flow(0.0, theta)) < 1e-6
        assert np.linalg.eigvalsh(flow.hessian(theta))[0] > 0
        assert (end.loss[-1] > 0.999 * end.loss[0]) == (eps < 1e-2)


@pytest.mark.parametrize("decay", [WeightDecay(0.01, 0.01), WeightDecay(0.01, 0.015)])
def test_several_outputs_of_which_one_counts_are_one_output(decay):
    """Growth of a unit with a second output that feels nothing: the law of one output, integrated in another way."""
    w, g = 1e-2 * np.random.default_rng(5).standard_normal((1, 3)), np.diag([2.0, 1.0, -1.0])
    units = np.array([0])
    for a in (2e-2, 1e-3):
        one = growth(w, np.array([[a]]), g[None], units, decay=decay)
        two = growth(w, np.array([[a], [0.0]]), np.stack([g, 0 * g]), units, decay=decay)
        assert two.wait == pytest.approx(one.wait, rel=1e-5)
        assert (two.unit, two.possible) == (one.unit, one.possible)


def test_a_close_call_is_waited_for():
    """A unit that misses its escape by less than a thousandth may still make it: the frozen law is not exact."""
    w, a, g = np.array([[0.01, 0.002]]), np.array([[0.008]]), np.diag([3.0, 1.0])
    bare = FrozenUnit(w[0], a[0, 0], np.array([3.0, 1.0])).blow_up_time
    units = np.array([0])
    for factor, waits in ((0.99, True), (1.0005, True), (1.002, False)):
        rho = factor / bare
        found = growth(w, a, g[None], units, decay=WeightDecay(rho, rho))
        assert np.isfinite(found.wait) == waits == found.possible


def test_decay_of_one_layer_alone_leaves_saddles():
    """w = 0 stays where only W decays: a unit with ag > ρ_w there grows when it is disturbed, another does not."""
    g, units = np.diag([3.0, 1.0]), np.array([0])
    for a, possible in ((0.2, True), (0.01, False)):
        found = growth(np.zeros((1, 2)), np.array([[a]]), g[None], units, decay=WeightDecay(0.3, 0.0))
        assert (found.wait, found.possible) == (np.inf, possible)


def test_plateaus_of_a_decayed_curve_are_matched_with_decayed_levels():
    """ρ = .006: heights 45.5, 8.0000008, 1.2500017, the last two those of the decayed plateaus and not 8 and 1.25."""
    flow = GradientFlow(example(0.006)).integrate(600.0, samples=3001)
    stages = flow.stages
    assert [s.learned_modes for s in stages] == [(), (0,), (0, 1)]
    assert stages[2].level.loss == pytest.approx(1.2500017, abs=5e-8)
    assert abs(stages[2].deviation) < 1e-6


def test_plateaus_of_fixed_layers():
    """Equal values: the levels of the shifted teacher; different ones, of which no levels are known: heights alone."""
    student = Student(1e-3 * W, np.ones(3), trainable=False)
    problem = Problem(Teacher.from_eigenvalues([4, 2, 1]), student, weight_decay=0.4)
    stages = GradientFlow(problem).integrate(2.0, samples=2001).stages
    assert stages[-1].level.loss == pytest.approx(0.012)
    other = replace(problem, student=Student(1e-3 * W, [1.0, 1.1, 1.2], trainable=False))
    assert all(s.level is None for s in GradientFlow(other).integrate(2.0, samples=501).stages)
