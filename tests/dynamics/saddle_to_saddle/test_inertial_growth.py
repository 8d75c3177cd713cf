"""Jumps with inertia: the numbers of the theory, its limit without inertia, and trajectories."""

from itertools import pairwise

import numpy as np
import pytest

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.conserved.inertia import integrate_inertia
from dynamics.saddle_to_saddle.inertial_growth import inertial_growth, inertial_jumps
from oracles.logarithmic_law import logarithmic_law


@pytest.mark.parametrize(
    ("friction", "theta"),
    [(3.0, (0.23930, 0.31866, 0.44198)), (1.0, (0.2, 0.25220, 0.32018)), (0.5, (0.19110, 0.23769, 0.29517))],
)
def test_numbers_of_the_theory(friction, theta):
    """λ = (4, 2, 1): section 16, five digits."""
    found, modes = inertial_jumps([4, 2, 1], friction)
    np.testing.assert_allclose(found, theta, atol=6e-6)
    assert modes == [0, 1, 2]


@pytest.mark.parametrize("coupling", [1.0, 0.0])
@pytest.mark.parametrize("value", [1.0, -0.5])
def test_strong_friction_is_the_flow(coupling, value):
    """γ → ∞: γ times the flow's θ, whose recursion is an oracle of its own; relative error 2g/γ²."""
    found, modes = inertial_jumps([4, 2, 1, -3], 1e4, value=value, trace_coupling=coupling)
    flow = logarithmic_law([4, 2, 1, -3], value=value, trace_coupling=coupling)
    np.testing.assert_allclose(found[: len(flow)] / 1e4, flow, rtol=1e-5)
    assert modes[0] == (0 if value > 0 else 3)


def test_growth():
    """The root of ω² + γω = g; a stable mode beyond −γ²/4 shrinks at γ/2."""
    g = np.array([30.0, 1e-9, -0.2, -5.0])
    omega = inertial_growth(g, 1.5)
    np.testing.assert_allclose(omega[:3] ** 2 + 1.5 * omega[:3], g[:3], rtol=1e-6)
    assert omega[3] == -0.75


@pytest.mark.slow
def test_slopes_of_trajectories():
    """Times at half drop of the loss between plateaus against ln(1/ε), ε = 1e-10 … 1e-20, γ = 3: slopes within 1 %.

    The theory's own integration measured (.23925, .31897, .44168).
    """
    logs, passed = np.log(10.0) * np.array([10, 15, 20]), []
    levels = (45.5, 8.0, 1.25, 0.0)
    for log in logs:
        W = np.exp(-log) * np.array([[1, 0.3, 0.2], [0.2, 0.8, -0.4], [-0.3, 0.1, 0.7]])
        problem = Problem(Teacher.from_eigenvalues([4, 2, 1]), Student(W, np.ones(3), trainable=False))
        curve = integrate_inertia(problem, 3.0, np.linspace(0, 0.6 * log, 6001))
        halves = [(high + low) / 2 for high, low in pairwise(levels)]
        passed.append([curve.times[np.argmax(curve.loss < half)] for half in halves])
    slopes = np.polyfit(logs, np.array(passed), 1)[0]
    np.testing.assert_allclose(slopes, inertial_jumps([4, 2, 1], 3.0)[0], rtol=0.01)


def test_arguments_that_are_refused():
    with pytest.raises(ProblemError, match="learn nothing"):
        inertial_jumps([1.0], 1.0, value=0.0)
    with pytest.raises(ProblemError, match="positive"):
        inertial_growth(1.0, 0.0)
    assert inertial_jumps([-1.0], 1.0, trace_coupling=0.0)[1] == []
