"""The flow on the sphere against its closed form, its invariants, and its limits."""

from dataclasses import replace

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.flows.adam import AdamFlow
from dynamics.flows.arc_length import ArcLengthFlow
from dynamics.flows.modified import ModifiedFlow
from dynamics.outcome import reached_minimum
from dynamics.problem.sphere_plateaus import sphere_plateaus


def problem(W, a, activation="quadratic", lam=(3, 2, 1, 0.3), **more):
    student = Student(W, a, trainable=False)
    return Problem(Teacher.from_eigenvalues(lam), student, activation, constraint="sphere", **more)


def random_units(K, seed=0, d=4):
    return np.random.default_rng(seed).standard_normal((K, d))


@pytest.mark.parametrize("a", [1.0, 0.4])
def test_one_unit_follows_the_flow_of_oja(a):
    """w(t) ∝ e^{4aM*t} w(0), derived from ẇ = a(I − wwᵀ)·4M*w: the student's own term is radial."""
    start = problem(random_units(1), [a])
    times = np.linspace(0, 2, 9)
    curve = GradientFlow(start).integrate(times=times, rtol=1e-11)
    expected = np.exp(4 * a * np.outer(times, [3, 2, 1, 0.3])) * start.student.W[0]
    expected /= np.linalg.norm(expected, axis=1)[:, None]
    np.testing.assert_allclose(curve.W[:, 0], expected, atol=1e-9)


def test_raw_and_centred_flow_alike():
    """τ = tr M* − Σa is constant: the same weights, losses that differ by τ²/2."""
    W = random_units(3)
    raw, centred = (
        GradientFlow(problem(W, np.ones(3), phi)).integrate(t_end=2, samples=7, rtol=1e-10)
        for phi in ("quadratic", "centred")
    )
    np.testing.assert_allclose(raw.W, centred.W, atol=1e-8)
    np.testing.assert_allclose(raw.loss - centred.loss, 3.3**2 / 2, rtol=1e-9)


@pytest.mark.parametrize("activation", ["quadratic", "relu", "tanh", "hermite:3"])
@pytest.mark.parametrize("reduce", [True, False])
def test_units_stay_and_the_loss_falls(activation, reduce):
    """Norms of samples are 1 to rounding; −dL/dt = ‖(I − wwᵀ)∇L‖², by central differences along the curve."""
    many = problem(random_units(2, 1, 7), [1.0, 0.8], activation, lam=(3, 2, 1, 0.3, 0, 0, 0))
    flow = GradientFlow(many, reduce=reduce)
    assert flow.reduction.dimension == (6 if reduce else 7)
    h = 1e-4
    curve = flow.integrate(times=[0, 0.3 - h, 0.3, 0.3 + h, 1], rtol=1e-11)
    np.testing.assert_allclose(np.linalg.norm(curve.W, axis=2), 1, rtol=1e-14)
    speed = many.objective.velocity(curve.W[2], curve.A[2])[0]
    fall = (curve.loss[1] - curve.loss[3]) / (2 * h)
    assert fall == pytest.approx(np.sum(speed**2), rel=1e-6)


@pytest.mark.parametrize(
    "more",
    [{"loss": "log-cosh"}, {"loss": "huber:1"}, {"loss": "logistic", "labels": "bernoulli", "bias": 0.4}],
)
def test_other_losses(more):
    """The same of the losses of spectral populations."""
    there = problem(random_units(2, 1), [1.0, 0.8], lam=(2, 1, 0, 0), **more)
    h = 1e-4
    curve = GradientFlow(there).integrate(times=[0, 0.3 - h, 0.3, 0.3 + h], rtol=1e-10)
    np.testing.assert_allclose(np.linalg.norm(curve.W, axis=2), 1, rtol=1e-14)
    across = there.population.velocity(curve.W[2], curve.A[2])[0]
    across = across - curve.W[2] * np.sum(across * curve.W[2], axis=1)[:, None]
    np.testing.assert_allclose(there.objective.velocity(curve.W[2], curve.A[2])[0], across, atol=1e-10)
    fall = (curve.loss[1] - curve.loss[3]) / (2 * h)
    assert fall == pytest.approx(np.sum(across**2), rel=1e-5)


def test_correlated_inputs():
    """Under Σ too the flow is that of the loss along the sphere: its end is stationary, all norms are 1."""
    Sigma = np.diag([1.0, 2.0, 0.5, 1.5])
    there = problem(random_units(2, 3), [1.0, 1.0], covariance=Sigma)
    curve = GradientFlow(there).integrate()
    assert curve.solver.status == "converged"
    G = there.population.velocity(curve.W[-1], curve.A[-1])[0]
    across = G - curve.W[-1] * np.sum(G * curve.W[-1], axis=1)[:, None]
    assert np.abs(across).max() < 1e-6 * np.abs(G).max()
    np.testing.assert_allclose(np.linalg.norm(curve.W[-1], axis=1), 1, rtol=1e-14)


@pytest.mark.parametrize("method", ["LSODA", "DOP853", "BDF"])
def test_solvers_agree(method):
    start = problem(random_units(3, 5), np.ones(3))
    one, other = (
        GradientFlow(start).integrate(t_end=1, samples=5, method=m, rtol=1e-10) for m in (method, "Radau")
    )
    np.testing.assert_allclose(one.W, other.W, atol=1e-7)


def test_theories_of_other_steps_refuse_it():
    start = problem(random_units(2), [1.0, 1.0])
    for build in (
        lambda: ModifiedFlow(start, 0.01),
        lambda: AdamFlow(start, 0.01),
        lambda: ArcLengthFlow(start),
    ):
        with pytest.raises(ProblemError, match="`constraint` is 'sphere', but"):
            build()


def test_plateaus_are_levels_of_the_catalogue():
    """From beside a saddle, {0} by one unit and {2} by the other, the flow waits there and ends at the minimum."""
    W = np.eye(4)[[0, 2]] + 1e-5 * random_units(2, 4)
    curve = GradientFlow(problem(W, [1.0, 1.0], "centred")).integrate()
    first, last = curve.stages[0], curve.stages[-1]
    assert first.level.loss == pytest.approx(2**2 + 2**2 + 0.3**2 + 0, rel=1e-12)  # γ = 2 and 0, λ_1 = 2 left
    assert first.learned_modes == (0, 2) and first.loss == pytest.approx(first.level.loss, rel=1e-4)
    assert last.learned_modes == (0, 1) and last.level.loss == pytest.approx(2 * 1.5**2 + 1.09)
    minimum = reached_minimum(curve)
    assert minimum.kind == "global" and minimum.global_loss == pytest.approx(2 * 1.5**2 + 1.09, rel=1e-12)


def test_what_is_known_of_other_units_on_the_sphere():
    """No levels of tanh units, none where there are too many, none without a constraint: plateaus stay without one."""
    assert sphere_plateaus(problem(random_units(2), [1.0, 1.0], "tanh")) == ()
    assert sphere_plateaus(replace(problem(random_units(2), [1.0, 1.0]), constraint="none")) == ()
    many = problem(random_units(20, d=40), np.ones(20), lam=np.arange(1, 41))
    assert sphere_plateaus(many) == ()
    curve = GradientFlow(problem(random_units(2), [1.0, 1.0], "tanh")).integrate(t_end=1)
    assert all(stage.level is None for stage in curve.stages)
