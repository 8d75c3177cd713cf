"""The integral that a flow carries where its layers decay differently."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.curves.trajectory import Trajectory
from dynamics.flows.decay_integral import CarriedIntegral
from dynamics.flows.modified import ModifiedFlow


def problem(activation="quadratic", outputs=1, decay=(0.2, 0.5), **options):
    rng = np.random.default_rng(8)
    teacher = Teacher(rng.normal(size=(2, 3)), rng.normal(size=(outputs, 2)))
    student = Student(0.5 * rng.normal(size=(2, 3)), 0.5 * rng.normal(size=(outputs, 2)), **options)
    return Problem(teacher, student, activation, weight_decay=decay)


@pytest.mark.parametrize(("activation", "outputs"), [("quadratic", 2), ("relu", 1)])
def test_drift_is_that_of_the_integrator(activation, outputs):
    """Few samples, several outputs, a kinked activation: c_k follows its law to 1e-9; it moves by far more."""
    curve = GradientFlow(problem(activation, outputs)).integrate(times=[0, 0.5, 2])
    assert curve.conserved_drift < 1e-9
    assert np.abs(curve.conserved - curve.conserved[0]).max() > 0.05


@pytest.mark.parametrize("method", ["RK45", "Radau", "Taylor"])
def test_whatever_the_method(method):
    """The integral is another integration, by a method of its own: the flow's may not be one for it."""
    if method == "Taylor":
        pytest.importorskip("heyoka")
    curve = GradientFlow(problem()).integrate(times=[0, 1], method=method, rtol=1e-9)
    assert curve.conserved_drift < 1e-6


def test_integral_against_quadrature():
    """Gauss's rule of 40 points over the flow at its nodes, up to rounding: analytic in a strip around the path."""
    flow = GradientFlow(problem())
    x, w = np.polynomial.legendre.leggauss(40)
    nodes = 0.1 * (1 + x)
    a = flow.integrate(times=[0, *nodes]).A[1:, :, 1]
    expected = 0.1 * w @ (np.exp(-0.4 * (0.2 - nodes)) * np.sum(a**2, axis=1))
    curve = flow.integrate(times=[0, 0.2])
    assert curve.decay_integral[-1, 1] == pytest.approx(expected, abs=1e-9)


def test_carried_only_where_it_is_needed():
    for other in (problem(decay=0.3), problem(decay=(0.3, 0.0), trainable=False)):
        assert GradientFlow(other).integrate(times=[0, 1]).decay_integral is None


def test_flows_of_a_finite_step_carry_it_too():
    """The deviation then is the drift of the step, of first order in it (theory, section 7): slope 1 ± 0.1."""
    drifts = [ModifiedFlow(problem(), eta).integrate(times=[0, 1]).conserved_drift for eta in (2e-3, 1e-3)]
    assert np.log2(drifts[0] / drifts[1]) == pytest.approx(1, abs=0.1)


def test_files_keep_it(tmp_path):
    curve = GradientFlow(problem()).integrate(times=[0, 1])
    curve.save(tmp_path / "run.npz")
    again = Trajectory.load(tmp_path / "run.npz")
    np.testing.assert_array_equal(again.decay_integral, curve.decay_integral)
    assert again.conserved_drift == curve.conserved_drift


def test_jacobian():
    """Against central differences, error 1e-10 of third derivatives and rounding."""
    flow = GradientFlow(problem(outputs=2))
    field = CarriedIntegral(flow, flow.theta0.size, (2, 2), 0.4)
    state = np.append(flow.theta0, [0.3, 0.2])
    columns = [(field(0.0, state + e) - field(0.0, state - e)) / 2e-5 for e in 1e-5 * np.eye(state.size)]
    np.testing.assert_allclose(field.jacobian(0.0, state), np.transpose(columns), atol=1e-7)
