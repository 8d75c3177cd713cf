"""What is asked of a right-hand side at every step is computed once, and is never that of another state."""

from functools import partial

import numpy as np
import pytest

from dynamics import GradientFlow, MeanSGD, Problem, Student, Teacher
from dynamics.flows.arc_length import ArcLengthFlow
from dynamics.flows.convergence import ConvergenceTest
from dynamics.flows.motion import Motion
from dynamics.integration import Stop
from dynamics.neuron import NeuronFlow, Neurons, QuadraticTarget
from dynamics.sgd.order_parameters import OrderParameters


class Counted:
    """F(θ) = tθ; counts."""

    def __init__(self):
        self.calls = 0

    def __call__(self, t, theta, out):
        self.calls += 1
        if not np.isfinite(theta).all():
            raise FloatingPointError
        out[...] = t * theta


def test_a_state_is_looked_at_once():
    """A new time or state is another one, in memory that is used again too."""
    write = Counted()
    motion, theta = Motion(write), np.array([3.0, 4.0])
    assert [motion.speed(2.0, theta), motion.speed(2.0, theta.copy())] == [10.0, 10.0]
    np.testing.assert_array_equal(motion.velocity(2.0, theta), [6.0, 8.0])
    assert write.calls == 1
    assert motion.speed(3.0, theta) == 15.0
    theta *= 2  # the memory of a solver
    assert motion.speed(3.0, theta) == 30.0
    assert motion.speed(3.0, np.array([1.0])) == 3.0  # another number of unknowns
    assert write.calls == 4


def test_a_failed_evaluation_is_not_remembered():
    motion, theta = Motion(Counted()), np.array([3.0, 4.0])
    motion.speed(1.0, theta)
    with pytest.raises(FloatingPointError):
        motion.speed(1.0, np.array([np.nan, 1.0]))
    assert motion.speed(1.0, theta) == 5.0


class Seen(Motion):
    """Lists the times at which it computes something."""

    def __init__(self, write):
        self.times = []
        super().__init__(partial(self.listed, write))

    def listed(self, write, t, theta, out):
        self.times.append(t)
        write(t, theta, out)


def start(activation="quadratic"):
    return Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(3, 2, scale=0.3, seed=1), activation)


@pytest.mark.parametrize(
    ("activation", "method"), [("quadratic", "LSODA"), ("quadratic", "DOP853"), ("linear", "LSODA")]
)
def test_watching_costs_one_evaluation_a_step(activation, method, monkeypatch):
    """Three endings and the leap over plateaus ask at every step; bisection alone asks more, within the last one."""
    motions, steps = [], []

    def recorded(write):
        motions.append(Seen(write))
        return motions[-1]

    monkeypatch.setattr("dynamics.flows.convergence.Motion", recorded)
    never = Stop("never", lambda t, theta: steps.append(t) or 1.0)
    end = GradientFlow(start(activation)).integrate(samples=2, stops=[never], method=method)
    assert end.solver.status == "converged"
    (motion,) = motions
    assert motion.times[: len(steps)] == steps
    within = motion.times[len(steps) :]
    assert len(within) < 60 and all(steps[-2] <= t <= steps[-1] for t in within)


def test_the_rest_of_a_flow_by_arc_length_is_not_asked_for_twice(monkeypatch):
    """Its end and the leap over its rest look at the same gradient."""
    motions, steps = [], []

    def recorded(write):
        motions.append(Seen(write))
        return motions[-1]

    monkeypatch.setattr("dynamics.flows.steered.Motion", recorded)
    never = Stop("never", lambda t, theta: steps.append(t) or 1.0)
    ArcLengthFlow(start()).integrate(samples=2, stops=[never])
    (motion,) = motions
    assert motion.times[: len(steps)] == steps


def test_what_a_problem_sets_by_itself_is_computed_once(monkeypatch):
    """The loss of neurons: of the start, of nothing, and of two samples; no more of them while the steps go by."""
    calls, loss = [], NeuronFlow.loss
    flow = NeuronFlow(QuadraticTarget.random(2, seed=0), Neurons.initialise(2, 2, seed=1))
    monkeypatch.setattr(NeuronFlow, "loss", lambda self, theta: calls.append(1) or loss(self, theta))
    assert flow.integrate(samples=2).solver.status == "converged"
    assert len(calls) == 4


def test_the_rate_of_mean_sgd_is_computed_once(monkeypatch):
    """That of start and nothing at once; of two samples one by one and, for the mean field, at once."""
    calls, loss = [], OrderParameters.loss
    flow = MeanSGD(start(), step=0.01, batch=10)
    monkeypatch.setattr(OrderParameters, "loss", lambda self, y: calls.append(1) or loss(self, y))
    flow.integrate(samples=2, rtol=1e-6)
    assert len(calls) == 4


def test_the_end_is_judged_once(monkeypatch):
    """At the end of a step; where within it the flow came to rest is a matter of its speed alone."""
    judged, steps, status = [], [], ConvergenceTest._status

    def recorded(self, t, theta, speed):
        judged.append(t)
        return status(self, t, theta, speed)

    monkeypatch.setattr(ConvergenceTest, "_status", recorded)
    never = Stop("never", lambda t, theta: steps.append(t) or 1.0)
    flow = GradientFlow(start())
    end = flow.integrate(samples=2, stops=[never])
    assert judged == steps[-1:]
    units = flow.natural_units
    speed = np.linalg.norm(flow(0.0, flow.pack(end.coordinates[-1], end.A[-1])))
    assert speed == pytest.approx(1e-9 * units.weakest * units.speed, rel=1e-3)
