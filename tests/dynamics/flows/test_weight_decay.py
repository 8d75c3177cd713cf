"""Flows with weight decay against exact laws: another teacher, decaying invariants, and descent itself."""

import numpy as np
import pytest

from dynamics import GradientFlow, ModifiedFlow, Problem, Student, Teacher
from dynamics.curves.units import unit_invariants
from dynamics.flows.finite_data import FiniteDataFlow
from empirical.descent import gradient_descent_loss

RHO = 0.4
TIMES = np.linspace(0, 1.5, 7)


@pytest.mark.parametrize("phi", ["quadratic", "centred"])
@pytest.mark.parametrize("alpha", [1.0, 0.7])
def test_fixed_equal_second_layer_is_another_teacher(phi, alpha):
    """M* − sI with s = ρ/(2α(d+2)) raw, ρ/(4α) centred; R = L' + (ρ/2α) tr M* − dρ²/(8α²(d+2)), or − dρ²/(16α²).

    Derived here (R is the loss of the shifted teacher up to a constant); the solver's tolerance is 1e-12.
    """
    d, lam = 3, np.array([4.0, 2.0, 1.0])
    W = Student.initialise(4, d, scale=0.3, seed=1).W
    student = Student(W, np.full((1, 4), alpha), trainable=False)
    s = RHO / (4 * alpha) if phi == "centred" else RHO / (2 * alpha * (d + 2))
    constant = RHO / (2 * alpha) * lam.sum() - (
        d * RHO**2 / (16 * alpha**2) if phi == "centred" else d * RHO**2 / (8 * alpha**2 * (d + 2))
    )
    ours = GradientFlow(Problem(Teacher.from_eigenvalues(lam), student, phi, weight_decay=RHO)).integrate(
        times=TIMES
    )
    shifted = GradientFlow(Problem(Teacher.from_eigenvalues(lam - s), student, phi)).integrate(times=TIMES)
    np.testing.assert_allclose(ours.W, shifted.W, atol=1e-9)
    np.testing.assert_allclose(ours.objective, shifted.loss + constant, rtol=1e-9)


@pytest.mark.parametrize("phi", ["quadratic", "centred", "linear", "relu", "abs"])
@pytest.mark.parametrize("outputs", [1, 2])
def test_invariants_decay(phi, outputs):
    """Equal decay: c_k(t) = c_k(0) e^{−2ρt} whatever the loss, since c_k is homogeneous of degree 2 (Euler)."""
    teacher = Teacher.from_eigenvalues([2, 1], outputs=outputs)
    student = Student.initialise(3, 2, scale=0.7, seed=4, outputs=outputs)
    flow = GradientFlow(Problem(teacher, student, phi, weight_decay=RHO))
    trajectory = flow.integrate(times=TIMES)
    c = trajectory.conserved
    np.testing.assert_allclose(c, c[0] * np.exp(-2 * RHO * TIMES)[:, None], atol=1e-9)


def test_products_of_units_of_opposite_fixed_signs_decay():
    """w_k·w_l with a_k = −a_l is conserved without decay and homogeneous of degree 2."""
    W = Student.initialise(2, 2, scale=0.7, seed=4).W
    student = Student(W, np.array([[1.0, -1.0]]), trainable=False)
    flow = GradientFlow(Problem(Teacher.from_eigenvalues([2, -1]), student, weight_decay=RHO))
    found = flow.integrate(times=TIMES).W
    product = np.einsum("ti,ti->t", found[:, 0], found[:, 1])
    np.testing.assert_allclose(product, product[0] * np.exp(-2 * RHO * TIMES), atol=1e-10)


def test_unequal_decay():
    """ċ = −2ρ_w‖w‖² + 2hρ_a a², integrated by Simpson's rule over 801 samples (error below 1e-9)."""
    rho_w, rho_a = 0.3, 0.8
    problem = Problem(
        Teacher.from_eigenvalues([2, 1]),
        Student.initialise(3, 2, scale=0.7, seed=4),
        weight_decay=(rho_w, rho_a),
    )
    trajectory = GradientFlow(problem).integrate(t_end=1.0, samples=801)
    W, A = trajectory.W, trajectory.A
    rate = -2 * rho_w * np.sum(W**2, axis=2) + 4 * rho_a * A[:, 0] ** 2
    weights = np.array([1, *[4, 2] * 399, 4, 1])[:, None] / (3 * 800)
    c = unit_invariants(W, A, 2)
    np.testing.assert_allclose(c[-1] - c[0], (weights * rate).sum(axis=0), atol=1e-8)


@pytest.mark.parametrize("trainable", [True, False])
def test_modified_flow_follows_descent_with_decay(trainable):
    """Descent on R, from its own rule; the last two of four halvings show the second order, 2 ± 0.1."""
    student = Student.initialise(3, 2, scale=0.4, seed=1)
    student = Student(student.W, np.full((1, 3), 0.6), trainable)
    problem = Problem(Teacher.from_eigenvalues([2, 1]), student, weight_decay=RHO)
    errors = []
    for halving in range(4):
        eta = 0.02 / 2**halving
        at = np.arange(0, round(2 / eta) + 1, 2**halving * 5)
        descent = gradient_descent_loss(GradientFlow(problem), eta, at)
        theory = ModifiedFlow(problem, eta).integrate(times=eta * at).loss
        errors.append(np.abs(descent - theory).max())
    slopes = np.log2(np.divide(errors[:-1], errors[1:]))
    np.testing.assert_allclose(slopes[-2:], 2, atol=0.1)


def test_flow_on_data_decays_too():
    """Its gradient is that of the loss on the data plus ρθ; the training loss is without the penalty."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((30, 2)), rng.standard_normal(30)
    student = Student.initialise(3, 2, scale=0.7, seed=4)
    teacher = Teacher.from_eigenvalues([2, 1])
    plain = FiniteDataFlow(Problem(teacher, student), X, y)
    decayed = FiniteDataFlow(Problem(teacher, student, weight_decay=RHO), X, y)
    theta = plain.theta0
    np.testing.assert_allclose(decayed(0.0, theta), plain(0.0, theta) - RHO * theta, atol=1e-12)
    curve = decayed.integrate(t_end=0.1, samples=2)
    residual = np.square(curve.W_at(-1) @ X.T)
    by_hand = 0.5 * np.mean((y - curve.a[-1] @ residual) ** 2)
    assert decayed.train_loss(curve)[-1] == pytest.approx(by_hand, rel=1e-12)


def test_a_unit_that_is_gone_keeps_decaying():
    """|z|, c < 0: w vanishes at a finite time, and from then on a(t) = a(t₀) e^{−ρ(t − t₀)} while it is gone."""
    problem = Problem(
        Teacher([[1.0, 0.0]], [1.0]),
        Student([[0.1, 0.05]], [-0.8]),
        "abs",
        weight_decay=RHO,
    )
    curve = GradientFlow(problem).integrate(t_end=2.0, samples=41)
    gone = ~curve.W.any(axis=(1, 2))
    assert gone.sum() > 10
    a, t = curve.a[gone, 0], curve.times[gone]
    np.testing.assert_allclose(a, a[0] * np.exp(-RHO * (t - t[0])), rtol=1e-8)
