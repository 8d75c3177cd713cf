"""Drift of real training against its prediction, and quantities read off modules and runs."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from dynamics import ComputationError, Problem, ProblemError, Student, Teacher
from dynamics.conserved import conserved_quantities, infer_quantities, predicted_drift
from empirical import QuadraticNetwork, train, train_ensemble
from empirical.conserved import (
    DriftScaling,
    conserved_curves,
    drift_scaling,
    measure,
    measured_values,
    momentum_account,
)
from empirical.descent import population_descent


@pytest.fixture(scope="module")
def problem():
    return Problem(Teacher.from_eigenvalues([2, -1], 3), Student.initialise(3, 3, scale=0.5, seed=1))


def test_quantities_on_modules(problem):
    """c_k of our network, of an ensemble and of two bias-free linear layers holding the same weights."""
    W, a = problem.student.W, problem.student.a
    expected = np.sum(W**2, axis=1) - 2 * a**2
    network = QuadraticNetwork.from_student(problem.student)
    quantities = conserved_quantities(network)
    np.testing.assert_allclose([q(network) for q in quantities], expected, rtol=1e-12)
    ensemble = QuadraticNetwork.from_student(problem.student, ensemble=4, dtype=torch.float32)
    assert measure(quantities, ensemble).shape == (3, 4)

    class Square(nn.Module):
        def forward(self, z):
            return z.square()

    plain = nn.Sequential(nn.Linear(3, 3, bias=False), Square(), nn.Linear(3, 1, bias=False)).double()
    with torch.no_grad():
        plain[0].weight.copy_(torch.tensor(W))
        plain[2].weight.copy_(torch.tensor(problem.student.A))
    np.testing.assert_allclose(measure(quantities, plain), expected, rtol=1e-12)


def test_modules_whose_quantities_are_others(problem):
    opposite = Student(problem.student.W, [1.0, -1.0, 2.0], trainable=False)
    names = [q.name for q in conserved_quantities(QuadraticNetwork.from_student(opposite))]
    assert names == ["w_0·w_1"]
    ensemble = QuadraticNetwork.from_student(opposite, ensemble=2)
    with torch.no_grad():
        ensemble.A[1] *= 2
    with pytest.raises(ProblemError, match="ensemble"):
        conserved_quantities(ensemble)
    network = QuadraticNetwork.from_student(problem.student)
    network.W.requires_grad_(False)
    with pytest.raises(ProblemError, match="first layer"):
        conserved_quantities(network)


def test_descent_is_torch_s_with_the_exact_gradient(problem):
    """Against autograd of the loss ‖D‖² + τ²/2, through momentum and weight decay, twenty steps."""
    options = {"momentum": 0.7, "weight_decay": 0.1}
    W, A = (torch.tensor(x, requires_grad=True) for x in (problem.student.W.copy(), problem.student.A.copy()))
    sgd = torch.optim.SGD([W, A], lr=0.01, **options)
    target = torch.tensor(problem.teacher.matrix())
    for _ in range(20):
        D = target - (W.T * A[0]) @ W
        sgd.zero_grad()
        (D.square().sum() + 0.5 * D.trace() ** 2).backward()
        sgd.step()
    path = population_descent(problem, 0.01, [0, 20], **options)
    np.testing.assert_allclose(path.W[-1], W.detach(), atol=1e-13)
    np.testing.assert_allclose(path.A[-1], A.detach(), atol=1e-13)
    assert path.times[-1] == pytest.approx(0.01 * 20 / 0.3)
    with pytest.raises(ComputationError, match="smaller"):
        population_descent(problem, 5.0, [0, 100])


def test_descent_is_recorded_in_the_order_asked_for(problem):
    """Against one run that records every step; also the start twice, which takes no step."""
    every = population_descent(problem, 0.01, range(6))
    mixed = population_descent(problem, 0.01, [5, 0, 2, 2])
    np.testing.assert_array_equal(mixed.W, every.W[[5, 0, 2, 2]])
    np.testing.assert_array_equal(mixed.steps, [5, 0, 2, 2])
    np.testing.assert_array_equal(population_descent(problem, 0.01, [0, 0]).A, [problem.student.A] * 2)
    for nothing in ([], [-1], [0.5]):
        with pytest.raises(ProblemError, match="`at`"):
            population_descent(problem, 0.01, nothing)


@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_drift_grows_with_slope_one(momentum, problem):
    """At fixed time; the next order in η bends the line by up to 5 % at η = 0.01, what is left is its square."""
    scaling = drift_scaling(problem, np.geomspace(5e-4, 1e-2, 5), 1.0, momentum=momentum)
    np.testing.assert_allclose(scaling.slope, 1.0, atol=(0.05 / (1 - momentum)) ** 2)
    np.testing.assert_allclose(scaling.measured[0], scaling.predicted[0], rtol=0.02 / (1 - momentum) ** 2)


def test_where_nothing_is_conserved_nothing_drifts(problem):
    """A fixed second layer of unequal weights: no two units turn into each other."""
    fixed = replace(problem, student=replace(problem.student, trainable=False))
    assert len({*fixed.student.A[0]}) == fixed.student.hidden
    with pytest.raises(ProblemError, match="no quadratic conserved quantity that could drift"):
        drift_scaling(fixed, [0.01], 1.0)


def test_drift_by_sampling_and_label_noise(problem):
    """Mean over 600 networks within four standard errors plus the next order: half the change from η to η/2."""
    deviation = {}
    for step in (4e-3, 2e-3):
        curves = conserved_curves(
            problem,
            steps=round(1.2 / step),
            step=step,
            batch=8,
            label_noise=1.0,
            seeds=600,
            records=7,
            dtype="float64",
        )
        mean = curves.measured.mean(axis=0)
        error = curves.measured.std(axis=0, ddof=1) / np.sqrt(600)
        deviation[step] = np.maximum(np.abs(mean - curves.predicted) - 4 * error, 0) / step
    predicted = np.abs(curves.predicted - curves.predicted[0]).max() / 2e-3
    assert deviation[2e-3].max() < 0.05 * predicted
    # relative to η the deviation is of order η: it halves, or drowns in the statistical error
    assert deviation[2e-3].max() <= 0.75 * deviation[4e-3].max() + 1e-12


def test_inference_recovers_the_balances_from_the_log_of_a_run(problem):
    """Nothing but W(t), A(t): every c_k to the size of its drift, which agrees with the prediction within 20 %.

    Full batches of 20,000 samples: the finite set moves the drift by ~ 1/√20,000 times a kurtosis factor ~ 10.
    """
    step = 2e-3
    run = train(problem, steps=1000, step=step, batch=0, samples=20_000, dtype="float64", records=60)
    found = infer_quantities(run.W, run.A)
    assert [q.formula for q in found.quantities] == [f"‖w_{k}‖² − 2 a_{k}²" for k in range(3)]
    predicted = predicted_drift(problem, step, run.times)
    size = np.abs(predicted.drift).max(axis=0)
    c = run.conserved[0, 0]
    assert (np.abs([q.values[0] for q in found.quantities] - c) <= 1.2 * size).all()
    np.testing.assert_allclose([q.drift for q in found.quantities], size, rtol=0.2)
    np.testing.assert_allclose(measured_values(problem, run), run.conserved, atol=1e-13)


def test_slopes_of_what_drifts():
    """One quantity ∝ η², one that does not drift at all, and one that does not at one of the steps."""
    eta = np.array([1e-3, 2e-3, 4e-3])
    measured = np.stack([-3 * eta**2, 0 * eta, [0, 1, 2]], axis=1)
    found = DriftScaling(1.0, eta, measured, measured, ("a", "b", "c")).slope
    assert found[0] == pytest.approx(2)
    assert np.isnan(found).tolist() == [False, True, True]
    still = DriftScaling(1.0, eta, 0 * measured, measured, ("a", "b", "c")).slope
    assert np.isnan(still).all()


def test_the_next_order_does_not_bend_the_slope():
    """A drift of 3 η e^(−30 η), 26 % below 3 η at η = 0.01, has the slope 1; of three steps it is not known."""
    eta = np.geomspace(1e-4, 1e-2, 5)
    drift = (3 * eta * np.exp(-30 * eta))[:, None]
    assert DriftScaling(1.0, eta, drift, drift, ("a",)).slope == pytest.approx([1], rel=1e-9)
    three = DriftScaling(1.0, eta[2:], drift[2:], drift[2:], ("a",)).slope
    assert 0.8 < three[0] < 0.95


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("rho", [0.0, 0.2])
def test_momentum_is_accounted_for_to_rounding(problem, nesterov, rho):
    """PyTorch's own SGD, 200 steps: the recursion of c_k from its velocities alone (theory, section 16: 1e-14)."""
    decayed = Problem(problem.teacher, problem.student, weight_decay=rho)
    account = momentum_account(decayed, steps=200, step=0.02, momentum=0.8, nesterov=nesterov)
    assert account.deviation < 1e-12
    change = account.measured[-1] - account.measured[0]
    assert np.abs(change).max() > 1e-2
    assert account.names == tuple(q.name for q in conserved_quantities(problem))
    assert account.steps.tolist() == list(range(201))
    if nesterov or rho:
        assert account.total is None
    else:
        np.testing.assert_allclose(account.total, change, atol=1e-12)


def test_momentum_of_products_of_fixed_units(problem):
    """w_0·w_1 of a = (1, −1): only the first layer is trained."""
    student = Student(problem.student.W[:2], [1.0, -1.0], trainable=False)
    account = momentum_account(Problem(problem.teacher, student), steps=50, step=0.02)
    assert account.names == ("w_0·w_1",)
    assert account.deviation < 1e-13
    with pytest.raises(ProblemError, match="has velocities"):
        momentum_account(problem, steps=5, step=0.1, momentum=0.0)
    with pytest.raises(ProblemError, match="decay alike"):
        momentum_account(
            Problem(problem.teacher, problem.student, weight_decay=(0.1, 0.2)), steps=5, step=0.1
        )
    with pytest.raises(ProblemError, match="no quadratic"):
        alone = Student(problem.student.W[:1], [1.0], trainable=False)
        momentum_account(Problem(problem.teacher, alone), steps=5, step=0.1)


@pytest.mark.parametrize("decay", [0.4, (0.4, 0.1)])
def test_drift_of_trained_networks_is_the_deviation_from_the_law(problem, decay):
    """Networks trained together: half the step, half the drift (2 ± 0.4); c_k itself fell by far more.

    The law of layers that decay differently is an integral over the records, all of them here.
    """
    decayed = Problem(problem.teacher, problem.student, weight_decay=decay)
    at = np.arange(501)
    coarse = train(decayed, steps=250, step=4e-3, batch=2000, record_at=at[:251], dtype="float64")
    fine = train(decayed, steps=500, step=2e-3, batch=2000, record_at=at, dtype="float64")
    assert coarse.conserved_drift / fine.conserved_drift == pytest.approx(2, abs=0.4)
    assert fine.conserved_drift < 0.05 * np.abs(fine.conserved - fine.conserved[:, :1]).max()
    assert fine.notes == ()
    members = train_ensemble(decayed, steps=50, step=[4e-3, 2e-3], batch=64)
    for run in members:  # each has the law of its own clock
        c, rate = run.conserved[0], 2 * 0.4
        if decay == 0.4:
            expected = np.exp(-rate * run.times)[:, None] * c[0]
            np.testing.assert_allclose(run.conserved_law[0], expected, rtol=1e-12)
        assert run.conserved_drift < 0.2 * np.abs(c - c[0]).max()


def test_records_too_far_apart_for_an_integral_say_so(problem):
    """Three records of a run whose layers decay differently: the drift is known only to an error that a note names."""
    decayed = Problem(problem.teacher, problem.student, weight_decay=(0.4, 0.1))
    run = train(decayed, steps=500, step=2e-3, batch=64, record_at=np.array([0, 250, 500]))
    assert "too far apart" in run.notes[-1]
