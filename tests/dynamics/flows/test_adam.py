"""Flows with memories: order of convergence to Adam, AdamW and RMSProp, stationary points, derivatives.

The descents are written here, line by line, so that they share nothing with the flows or with `empirical`.
"""

import numpy as np
import pytest

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.clock import Clock
from dynamics.flows.adam import ZETA_HALF, AdamFlow, RMSPropFlow, unsummed
from dynamics.flows.rest import STILL

TEACHER = Teacher.from_eigenvalues([2, 1], 3)
PROBLEM = Problem(TEACHER, Student.initialise(3, 3, scale=0.5, seed=0))
MEMORIES = np.array([0.3, 0.8])  # τ₁, τ₂
EPSILON = 1e-3


def gradient(problem, theta):
    W, A = theta[:9].reshape(3, 3), theta[9:].reshape(1, 3)
    return -np.concatenate([v.ravel() for v in problem.population.velocity(W, A)])


def loss(problem, theta):
    return problem.population.loss(theta[:9].reshape(3, 3), theta[9:].reshape(1, 3))


def adam_losses(problem, rates, betas, decay):
    """Losses of Adam with decoupled decay after 0 … N steps at the rates (N,)."""
    theta = np.concatenate([problem.student.W.ravel(), problem.student.A.ravel()])
    m, v, losses = 0 * theta, 0 * theta, [loss(problem, theta)]
    for n, eta in enumerate(rates, start=1):
        g = gradient(problem, theta)
        m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g**2
        mean, square = m / (1 - betas[0] ** n), v / (1 - betas[1] ** n)
        theta = (1 - eta * decay) * theta - eta * mean / (np.sqrt(square) + EPSILON)
        losses.append(loss(problem, theta))
    return np.array(losses)


@pytest.mark.parametrize(
    ("schedule", "decay", "halvings"),
    [
        ("constant", 0.0, 3),
        ("cosine", 0.3, 3),
        pytest.param("constant", 0.0, 6, marks=pytest.mark.slow),
        pytest.param("constant", 0.3, 6, marks=pytest.mark.slow),
        pytest.param("cosine", 0.3, 6, marks=pytest.mark.slow),
        pytest.param("warmup-cosine:0.1", 0.3, 6, marks=pytest.mark.slow),
    ],
)
def test_adam_follows_its_flow_to_first_order(schedule, decay, halvings):
    """sup |ΔL| from the first step on, memories fixed in flow time: slopes of the last two halvings."""
    errors, first = [], {6: 4e-3, 3: 2e-3}[halvings]
    for half in range(halvings + 1):
        eta = first / 2**half
        steps = round(1.5 / eta)
        clock, betas = Clock(eta, 0.0, schedule, steps), np.exp(-eta / MEMORIES)
        rates = [clock.rate(n) for n in range(steps)]
        at = np.arange(0, steps + 1, 2**half)
        flow = AdamFlow(PROBLEM, eta, tuple(betas), EPSILON, (decay, decay), schedule=schedule, steps=steps)
        curve = flow.integrate(times=np.minimum(clock.times(at), clock.end))
        errors.append(np.abs(curve.loss - adam_losses(PROBLEM, rates, betas, decay)[at]).max())
    slopes = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(slopes[-2:], 1.0, atol=0.1 if halvings == 6 else 0.13)


def test_jumps_of_the_rate_are_met():
    """A rate that falls to a tenth half way: the error is that of a constant rate, and halves with the step."""
    errors = []
    for half in range(2):
        eta = 1e-3 / 2**half
        steps = round(1.0 / eta)
        clock, betas = Clock(eta, 0.0, "step:0.1:0.5", steps), np.exp(-eta / MEMORIES)
        flow = AdamFlow(PROBLEM, eta, tuple(betas), EPSILON, schedule="step:0.1:0.5", steps=steps)
        curve = flow.integrate(times=np.minimum(clock.times(np.arange(steps + 1)), clock.end))
        rates = [clock.rate(n) for n in range(steps)]
        errors.append(np.abs(curve.loss - adam_losses(PROBLEM, rates, betas, 0.0)).max())
    assert errors[0] / errors[1] == pytest.approx(2.0, abs=0.25)
    with pytest.raises(ProblemError, match="schedule ends"):
        flow.integrate(t_end=2.0)


def test_coupled_decay_is_a_part_of_the_gradient():
    """Adam on R: the flow of the problem with decay, which is not that with decoupled decay."""
    problem = Problem(TEACHER, PROBLEM.student, weight_decay=0.3)
    coupled = AdamFlow(problem, 0.01)
    theta = coupled.theta0[: coupled.weights]
    np.testing.assert_allclose(coupled.slope(theta), gradient(PROBLEM, theta) + 0.3 * theta, rtol=1e-12)
    decoupled = AdamFlow(PROBLEM, 0.01, decay=(0.3, 0.3))
    assert np.abs(coupled(0.1, coupled.theta0 + 0.1) - decoupled(0.1, coupled.theta0 + 0.1)).max() > 0.01


def test_where_adamw_rests():
    """|∂_iL| = ελ|θ_i|/(1 − λ|θ_i|), against the sign of θ_i: a bias in proportion to ε, and a barrier at 1/λ."""
    rate, epsilon = 0.5, 0.05
    student = Student([[0.9, 0.3, 0.1], [0.2, 0.8, -0.3]], [0.6, 0.5])
    flow = AdamFlow(Problem(TEACHER, student), 0.01, (0.9, 0.97), epsilon, (rate, rate))
    curve = flow.integrate()
    assert curve.solver.status == "converged"
    theta = flow.pack(curve.W[-1], curve.A[-1])
    slope = flow.slope(theta)
    expected = epsilon * rate * np.abs(theta) / (1 - rate * np.abs(theta))
    np.testing.assert_allclose(np.abs(slope), expected, atol=1e-7)
    large = np.abs(theta) > 1e-3
    assert large.sum() == 6
    assert (slope[large] * theta[large] < 0).all()
    assert np.abs(theta).max() < 1 / rate
    with_l2 = AdamFlow(Problem(TEACHER, student, weight_decay=rate), 0.01, (0.9, 0.97), epsilon)
    assert curve.loss[-1] < 0.1 * with_l2.integrate().loss[-1]  # L2 shrinks what is learned, this hardly


def rmsprop_losses(problem, eta, beta, steps):
    """Losses of RMSProp after 0 … steps steps; no correction of the start, ε = 1e-8."""
    theta = np.concatenate([problem.student.W.ravel(), problem.student.A.ravel()])
    v, size = np.zeros(theta.size), problem.student.W.size

    def split(theta):
        return theta[:size].reshape(problem.student.W.shape), theta[size:].reshape(1, -1)

    losses = []
    for _ in range(steps + 1):
        losses.append(problem.population.loss(*split(theta)))
        g = -np.concatenate([x.ravel() for x in problem.population.velocity(*split(theta))])
        v = beta * v + (1 - beta) * g**2
        theta = theta - eta * g / (np.sqrt(v) + 1e-8)
    return np.array(losses)


@pytest.mark.parametrize(("shifted", "lowest", "highest"), [(True, 0.85, 1.0), (False, 0.45, 0.55)])
def test_rmsprop_needs_the_start_of_its_flow_to_be_shifted(shifted, lowest, highest):
    """O(η ln 1/η) with the shift and the layer of the first steps (a slope that tends to 1 from below), else O(√η)."""
    problem = Problem(Teacher.from_eigenvalues([9.0], 1), Student([[0.9]], [0.6]))
    errors = []
    for half in range(5):
        eta = 1e-3 / 2**half
        beta, steps = float(np.exp(-eta / 0.5)), round(0.3 / eta)
        flow = RMSPropFlow(problem, eta, (beta,))
        if not shifted:
            flow.theta0[: flow.weights] += ZETA_HALF * flow._late
            flow._late = 0 * flow._late
        at = np.arange(0, steps + 1, 2**half)
        curve = flow.integrate(times=eta * at)
        errors.append(np.abs(curve.loss - rmsprop_losses(problem, eta, beta, steps)[at]).max())
    slopes = np.log2(np.array(errors[:-1]) / errors[1:])
    assert ((lowest < slopes) & (slopes < highest)).all(), slopes


def test_the_sum_of_the_first_steps():
    """Σ m^{−1/2} − 2√n − ζ(½) by the sum itself; ζ(½) by its known value; between whole numbers by mpmath."""
    from mpmath import mp, zeta

    n = np.arange(6)
    sums = np.concatenate([[0], np.cumsum(np.arange(1, 6) ** -0.5)])
    np.testing.assert_allclose(unsummed(n), sums - 2 * np.sqrt(n) - float(zeta(mp.mpf("0.5"))), atol=1e-13)
    assert unsummed(np.array(3.5)) == pytest.approx(-float(zeta(0.5, 4.5)) - 2 * 3.5**0.5, abs=1e-11)
    assert unsummed(np.array(1e6)) == pytest.approx(0.5e-3, rel=1e-3)


@pytest.mark.parametrize("t", [0.02, 0.4])
def test_rest_under_decoupled_decay_is_that_of_the_weights(t):
    """The state is ψ = θ + S(t) sign(g₀): the speed that ends an integration is θ̇, by central differences in time."""
    flow = RMSPropFlow(PROBLEM, 0.01, epsilon=0.05, decay=(0.5, 0.5))
    theta = flow.theta0 + 0.1 * np.random.default_rng(1).standard_normal(flow.theta0.size)
    theta[-flow.weights :] = 20 + np.abs(flow._curve) * np.sqrt(t)  # means of squares are positive
    h, motion = 1e-6 * t, flow(t, theta)
    later, earlier = (flow._weights_at(t + s, theta + s * motion) for s in (h, -h))
    speed = np.abs(later - earlier).max() / (2 * h)
    assert flow._distance_from_convergence(t, theta) + STILL == pytest.approx(speed, rel=1e-7)
    assert abs(np.abs(motion[: flow.weights]).max() / speed - 1) > 1e-3  # ψ moves otherwise


@pytest.mark.parametrize("make", [AdamFlow, RMSPropFlow])
@pytest.mark.parametrize("t", [0.003, 0.4])
def test_the_jacobian_is_the_derivative_later_on(make, t):
    """By central differences at a state with memories; at the start `test_conformance.py` does."""
    flow = make(PROBLEM, 0.01, epsilon=0.05)
    rng = np.random.default_rng(1)
    theta = flow.theta0 + 0.1 * rng.standard_normal(flow.theta0.size)
    theta[-flow.weights :] = (
        20 + np.abs(getattr(flow, "_curve", 0)) * np.sqrt(t) + rng.standard_normal(flow.weights)
    )  # means of squares are positive
    h = 1e-6
    expected = [(flow(t, theta + e) - flow(t, theta - e)) / (2 * h) for e in h * np.eye(theta.size)]
    J = np.stack(expected, axis=1)
    np.testing.assert_allclose(flow.jacobian(t, theta), J, atol=1e-7 * np.abs(J).max())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: AdamFlow(PROBLEM, 0.01, (0.0, 0.9)), "`betas` holds 0"),
        (lambda: AdamFlow(PROBLEM, 0.01, (0.9, 1.0)), "`betas` holds 1"),
        (lambda: AdamFlow(PROBLEM, 0.01, epsilon=0.0), "`epsilon`.*positive"),
        (lambda: AdamFlow(PROBLEM, 0.0), "`step`"),
        (lambda: RMSPropFlow(PROBLEM, 0.01, schedule="cosine", steps=10), "constant rate"),
    ],
)
def test_what_is_refused(make, words):
    with pytest.raises(ProblemError, match=words):
        make()
