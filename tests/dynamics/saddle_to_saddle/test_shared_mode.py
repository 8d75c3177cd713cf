"""Units that blow up together: their parts, their parting, against closed forms and the integrated flow."""

import numpy as np
import pytest

from dynamics import ComputationError, GradientFlow, Problem, Student, Teacher
from dynamics.population.quadratic import QuadraticPopulation
from dynamics.saddle_to_saddle import shared_mode
from dynamics.saddle_to_saddle.eigenframe import EigenFrame, eigenframe
from dynamics.saddle_to_saddle.growing_unit import FrozenUnit
from dynamics.saddle_to_saddle.shared_mode import companions, parting, rounding_time, time_left
from dynamics.saddle_to_saddle.staircase import staircase
from dynamics.saddle_to_saddle.unit_by_unit import events, first_plateau


def test_time_left_of_copies():
    """Alone R = 1/(g a) with 2σa³ = |μ|; n copies hold a/n^⅓ each, so that R is n^⅓ times as long."""
    g, sigma, value = 7.0, 1.5, 3.0
    a = (value / (2 * sigma)) ** (1 / 3)
    assert time_left([0.0], g, sigma, value) == pytest.approx(1 / (g * a), rel=1e-12)
    assert time_left([0.0] * 5, g, sigma, value) == pytest.approx(5 ** (1 / 3) / (g * a), rel=1e-12)


def test_time_left_adds_up():
    """Random delays: the units a_k = 1/g(R + Δ_k) hold the learned value together."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        g, sigma, value = np.exp(rng.normal(size=3))
        delays = np.append(0.0, rng.exponential(size=4) / g)
        a = 1 / (g * (time_left(list(delays), g, sigma, value) + delays))
        assert 2 * sigma * np.sum(a**3) == pytest.approx(value, rel=1e-10)


def test_companions():
    """The same sign and the same eigenvalue; copies are on time to the last digit."""
    rates = np.array([5.0, 5.0, 3.0])
    states = [([1, 1, 1], 1.0), ([1, 1, 1], 1.0), ([2, 0, 0], 0.5), ([1, 1, 1], -2.0), ([0, 0, 1], 0.8)]
    units = {k: FrozenUnit(1e-3 * np.array(w), 1e-3 * a, rates) for k, (w, a) in enumerate(states)}
    delays = companions(units, 0)
    assert set(delays) == {0, 1, 2}
    assert delays[0] == delays[1] == 0
    assert delays[2] == units[2].blow_up_time - units[0].blow_up_time


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize("sign", [1, -1])
def test_parts_of_the_mode(activation, sign):
    """Three units of one mode, started 0, ε/2 and 2ε apart: their a after the jump are those of the flow.

    λ = ±2, ε = 1e-3. 1/a_k − 1/a_l is conserved up to c/a ~ ε² once a ≫ ε, the parts of the frozen units up to ε.
    """
    eps = 1e-3
    start = sign * eps * np.array([1, 1 - eps / 2, 1 - 2 * eps])
    problem = Problem(
        Teacher.from_eigenvalues([2.0 * sign]), Student(np.abs(start)[:, None], start), activation
    )
    (jump,) = events(first_plateau(eigenframe(problem)))
    assert jump.units == (0, 1, 2)
    assert set(jump.plateau.captured) == {0, 1, 2}
    flow = GradientFlow(problem).integrate(times=[1.2 * jump.time])
    assert np.ptp(flow.A[-1]) > 0.2 * np.abs(flow.A[-1]).max()  # they are not equal
    assert jump.plateau.frame.a == pytest.approx(flow.A[-1].ravel(), rel=2 * eps)


def near_tie(eigenvalues, difference, activation, seed=5):
    """Four random units at ε = 1e-3, of which the one that jumps first has a near copy in the next."""
    teacher, d = Teacher.from_eigenvalues(eigenvalues), len(eigenvalues)
    base = Student.initialise(4, d, scale=1e-3, seed=seed)
    first = staircase(Problem(teacher, base, activation)).jumps[0].unit
    W, a = base.W.copy(), base.a.copy()
    other = (first + 1) % 4
    W[other] = W[first] * (1 + difference * np.random.default_rng(1).standard_normal(d))
    a[other] = a[first] * (1 + difference)
    return Problem(teacher, Student(W, a), activation), {first, other}


def jump_times(problem, prediction):
    """Times at which the loss of the flow passes the mean of the predicted heights."""
    times = [
        np.linspace(j.time - 2 * j.uncertainty, j.time + 2 * j.uncertainty, 801) for j in prediction.jumps
    ]
    times = np.unique(np.append(0.0, np.concatenate(times)))
    flow = GradientFlow(problem).integrate(times=times[times >= 0])
    halves = [0.5 * (j.loss_before + j.loss_after) for j in prediction.jumps]
    return np.array([np.interp(-half, -flow.loss, flow.times) for half in halves])


@pytest.mark.parametrize(
    ("eigenvalues", "difference", "activation"),
    [
        ([2, 1], 1e-3, "quadratic"),
        ([2, 1, -1], 1e-3, "centred"),
        ([4, 2, 1], 1e-6, "centred"),
        ([-4, -2, -1], 1e-6, "quadratic"),
        ([2, 1, -1], 1e-12, "quadratic"),
    ],
)
def test_near_ties_part_again(eigenvalues, difference, activation):
    """Both units learn the first mode and then the second, a time ln(1/difference) later: against the flow.

    Times within the uncertainty that the prediction states, which is below 1 %: the plateau between is a few units of
    time long, that of a dormant unit would be hundreds.
    """
    seed = 5 if eigenvalues[0] > 0 else 6
    problem, pair = near_tie(eigenvalues, difference, activation, seed)
    prediction = staircase(problem)
    first, second = prediction.jumps[:2]
    assert set(first.units) == set(second.units) == pair
    assert len(second.learned_modes) == 2
    assert second.time < 1.1 * first.time
    found = jump_times(problem, prediction)
    errors = np.array([j.uncertainty for j in prediction.jumps])
    times = np.array([j.time for j in prediction.jumps])
    assert (np.abs(times - found) < errors).all()
    assert (errors < 0.01 * times).all()


def test_parting_takes_longer_the_closer_the_units():
    """From 1e-6 to 1e-12 apart: one more ln 10⁶ divided by the growth rate a g of units that share equally."""
    times = []
    for difference in (1e-6, 1e-12):
        problem, _ = near_tie([2, 1], difference, "centred")
        first, second = events(first_plateau(eigenframe(problem)))
        times.append(second.time - first.resumes)
    a = (2 / 4) ** (1 / 3)  # 2 · 2a³ = λ = 2
    assert times[1] - times[0] == pytest.approx(np.log(1e6) / (a * 4 * 1), rel=1e-3)


@pytest.mark.parametrize("covariance", [None, np.diag([1, 0.5, 3.0])])
@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_flow_of_captured_units(covariance, activation):
    """ẇ, ȧ against the velocity of the population loss, in which a doubled unit stands twice."""
    problem = Problem(
        Teacher.from_eigenvalues([4, 2, -1]), Student.initialise(2, 3, seed=1), activation, covariance
    )
    frame = eigenframe(problem)
    Sigma, Lambda = np.diag(frame.variances), frame.eigenvalues / frame.variances
    population = QuadraticPopulation(np.eye(3), Lambda[None], Sigma, trace_coupling=frame.trace_coupling)
    flow = shared_mode._CapturedFlow(frame, np.array([1.0, 2.0]))
    rows = [0, 1, 1]
    dW, dA = population.velocity(frame.W[rows], frame.a[None, rows])
    got = flow.unpack(flow(0.0, flow.pack(frame.W, frame.a)))
    assert got[0] == pytest.approx(dW[:2], rel=1e-12)
    assert got[1] == pytest.approx(dA[0, :2], rel=1e-12)


FRAME = EigenFrame(np.array([2.0, 1.0]), np.ones(2), np.zeros((2, 2)), np.zeros(2), 0.0, 2)


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_second_derivatives_of_captured_units(activation):
    """Central differences; copies, correlated inputs and both rates of decay are in it."""
    rng = np.random.default_rng(3)
    Sigma = np.diag([0.5, 1.0, 2.0])
    problem = Problem(
        Teacher.from_eigenvalues([2, 1, -1]),
        Student(rng.standard_normal((2, 3)), rng.standard_normal(2)),
        activation,
        Sigma,
        weight_decay=(0.3, 0.2),
    )
    flow = shared_mode._CapturedFlow(eigenframe(problem), np.array([1.0, 3.0]))
    y, h = rng.standard_normal(8), 1e-5
    differences = [(flow(0.0, y + h * e) - flow(0.0, y - h * e)) / (2 * h) for e in np.eye(8)]
    J = flow.jacobian(0.0, y)
    np.testing.assert_allclose(J, np.transpose(differences), rtol=0, atol=1e-8 * np.abs(J).max())


def test_what_never_parts():
    """Copies, units without another component, a single unit, and units of the wrong sign."""
    a = np.full(2, 0.5 ** (1 / 3))
    along, across = np.sqrt(2) * a, np.array([1e-5, -1e-5])
    assert parting(FRAME, np.column_stack([along, across]), a, (0,), 1e3).mode == 1
    assert parting(FRAME, np.column_stack([along, across**2]), a, (0,), 1e3) is None
    assert parting(FRAME, np.column_stack([along, 0 * across]), a * [1, 1.1], (0,), 1e3) is None
    assert parting(FRAME, np.column_stack([along, across])[:1], a[:1], (0,), 1e3) is None
    minus = EigenFrame(np.array([2.0, -1.0]), np.ones(2), np.zeros((2, 2)), np.zeros(2), 0.0, 2)
    assert parting(minus, np.column_stack([along, across]), a, (0,), 1e3) is None


def test_too_late_to_part():
    """Before `until` the units stay, and come closer to the mode they share; a failure of the solver is said."""
    a = np.full(2, 0.5 ** (1 / 3))
    W = np.column_stack([1.1 * np.sqrt(2) * a, [1e-9, -1e-9]])
    rest = parting(FRAME, W, a, (0,), 1.0)
    assert rest.mode is None
    assert rest.time == 1.0
    assert abs(rest.a @ rest.W[:, 0] ** 2 - 2) < 0.01 * abs(a @ W[:, 0] ** 2 - 2)


def test_exact_copies():
    """The equations keep them equal; rounding errors, which grow at the rate a g, need ln(1/1.1e-16…2.2e-16)/(a g)."""
    a = np.full(2, 0.5 ** (1 / 3))
    W = np.column_stack([np.sqrt(2) * a, [1e-5, 1e-5]])
    time, places = rounding_time(FRAME, W, a, (0,))
    assert time == pytest.approx(52 * np.log(2) / (a[0] * 4), rel=1e-12)
    assert places == (0, 1)
    assert rounding_time(FRAME, W * [1, 0], a, (0,)) == (np.inf, ())
    problem, pair = near_tie([2, 1], 0.0, "quadratic")
    prediction = staircase(problem)
    assert set(prediction.jumps[0].units) == pair
    assert prediction.jumps[1].uncertainty == np.inf
    assert "copies of each other" in prediction.warnings[0]


def test_a_failing_solver_is_said(monkeypatch):
    """One sentence, not a wrong time."""

    class Failed:
        success, message = False, "no progress"

    monkeypatch.setattr(shared_mode, "solve_ivp", lambda *_, **__: Failed)
    a = np.full(2, 0.5 ** (1 / 3))
    with pytest.raises(ComputationError, match="no progress"):
        parting(FRAME, np.column_stack([a, [1e-5, -1e-5]]), a, (0,), 1e3)
