"""Training is gradient descent on sampled data, and nothing of the theory leaks into it."""

import numpy as np
import pytest
import torch

from dynamics import FiniteDataFlow, GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.clock import Clock
from dynamics.inputs.data_set import DataSet
from empirical import QuadraticNetwork, TrainingData, TrainingDiverged, TrainingRun, train
from empirical.descent import gradient_descent_loss
from empirical.practice import Practice, data_sets


@pytest.fixture
def problem():
    return Problem(Teacher.from_eigenvalues([2, 1], 3), Student.initialise(4, 3, scale=0.5, seed=2))


def test_first_step_is_minus_the_gradient_of_the_batch_loss(problem):
    """In NumPy: residual r = f − f*, ∂L/∂w_k = mean 2 a_k r (w_k·x) x, ∂L/∂a_k = mean r (w_k·x)²."""
    run = train(problem, steps=1, step=0.01, batch=16, seeds=2, dtype="float64", seed=5)
    x, y = next(TrainingData(problem, batch=16, seeds=2, seed=5).batches(torch.float64, "cpu"))
    W, a = problem.student.W, problem.student.a
    for s in range(2):
        xs, ys = x[s].numpy(), y[s, :, 0].numpy()
        z = xs @ W.T
        r = z**2 @ a - ys
        gW = 2 * (a * z * r[:, None]).T @ xs / len(xs)
        ga = (z**2).T @ r / len(xs)
        np.testing.assert_allclose(run.W[s, 1], W - 0.01 * gW, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(run.A[s, 1, 0], a - 0.01 * ga, rtol=1e-12, atol=1e-14)


def test_an_ensemble_trains_like_its_members_alone(problem):
    """Each member in a plain PyTorch loop of its own on the same batches."""
    data = TrainingData(problem, batch=8, seeds=3, seed=1)
    run = train(problem, steps=20, step=0.01, batch=8, seeds=3, seed=1, dtype="float64")
    for s in range(3):
        network = QuadraticNetwork.from_student(problem.student)
        optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
        for (x, y), _ in zip(data.batches(torch.float64, "cpu"), range(20), strict=False):
            optimizer.zero_grad()
            (0.5 * (network(x[s]) - y[s]).square().sum(-1)).mean().backward()
            optimizer.step()
        np.testing.assert_allclose(run.W[s, -1], network.W.detach().numpy(), rtol=1e-11, atol=1e-13)


def test_momentum_is_heavy_ball(problem):
    """v ← βv + g, θ ← θ − ηv on one fixed data set, in NumPy with finite data through PyTorch's gradient."""
    run = train(problem, steps=10, step=0.01, batch=0, samples=20, momentum=0.8, dtype="float64")
    x, y = next(TrainingData(problem, batch=0, samples=20).batches(torch.float64, "cpu"))
    W, A = (torch.tensor(p, requires_grad=True) for p in (problem.student.W, problem.student.A))
    v = [torch.zeros_like(W), torch.zeros_like(A)]
    for _ in range(10):
        f = ((x[0] @ W.T) ** 2) @ A.T
        g = torch.autograd.grad(0.5 * ((f - y[0]) ** 2).sum(1).mean(), (W, A))
        v = [0.8 * vi + gi for vi, gi in zip(v, g, strict=True)]
        W, A = ((p - 0.01 * vi).detach().requires_grad_() for p, vi in zip((W, A), v, strict=True))
    np.testing.assert_allclose(run.W[0, -1], W.detach().numpy(), rtol=1e-11, atol=1e-13)


def test_invariants_drift_by_the_exact_amount_of_gradient_descent(problem):
    """Δc_k = η²(‖∂L/∂w_k‖² − 2(∂L/∂a_k)²) per step (theory section 2), gradients by autograd on the same set."""
    eta = 0.01
    run = train(problem, steps=30, step=eta, batch=0, samples=50, dtype="float64", records=31)
    x, y = next(TrainingData(problem, batch=0, samples=50).batches(torch.float64, "cpu"))
    for n in range(30):
        W, A = (torch.tensor(p, requires_grad=True) for p in (run.W[0, n], run.A[0, n]))
        loss = 0.5 * (((x[0] @ W.T) ** 2 @ A.T - y[0]) ** 2).sum(1).mean()
        gW, gA = (g.numpy() for g in torch.autograd.grad(loss, (W, A)))
        predicted = eta**2 * (np.sum(gW**2, axis=1) - 2 * np.sum(gA**2, axis=0))
        np.testing.assert_allclose(
            run.conserved[0, n + 1] - run.conserved[0, n], predicted, rtol=0, atol=1e-12
        )


def test_the_same_seed_gives_the_same_run(problem):
    one, two = (train(problem, steps=30, step=1e-3, seeds=2, batch=8, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.loss, two.loss)
    other = train(problem, steps=30, step=1e-3, seeds=2, batch=8, seed=4)
    assert not np.array_equal(one.loss, other.loss)


def test_single_precision_stays_close_to_double(problem):
    single, double = (train(problem, steps=200, step=1e-3, batch=32, dtype=t) for t in ("float32", "float64"))
    np.testing.assert_allclose(single.loss, double.loss, rtol=1e-4)


def test_fixed_second_layer_does_not_move():
    problem = Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(3, 2, second_layer="fixed"))
    run = train(problem, steps=50, step=1e-2, batch=64)
    np.testing.assert_array_equal(run.A, 1.0)
    assert run.loss[0, -1] < run.loss[0, 0]


def test_several_outputs_covariance_and_centred_activation_follow_their_flow(make_problem, rng):
    """Mean of 16 networks with large batches, within 5 standard errors of descent on the population loss.

    Student's t with 15 degrees of freedom exceeds 5 in 0.02 % of the cases.
    """
    problem = make_problem(rng, O=2, covariance=True, activation="centred", scale=0.4)
    run = train(problem, steps=200, step=1e-3, batch=2048, seeds=16, records=21)
    descent = gradient_descent_loss(GradientFlow(problem), 1e-3, run.steps)
    error = run.loss.std(axis=0, ddof=1) / 4 + 1e-6 * descent  # single precision
    assert (np.abs(run.loss.mean(axis=0) - descent) < 5 * error).all()


def test_divergence_is_reported_with_step_and_remedy(problem):
    with pytest.raises(TrainingDiverged, match="largest stable step") as caught:
        train(problem, steps=500, step=0.5, batch=64)
    error = caught.value
    assert f"step {error.step} " in str(error)
    assert error.run.steps[-1] <= error.step
    assert np.isfinite(error.run.loss).all()


def diverging_losses(problem, step, batch, seed, steps):
    """Batch losses of plain descent in NumPy, one unit with a = 1 fixed: f = (w·x)², ∂L/∂w = mean 2 (f − y)(w·x) x."""
    stream = TrainingData(problem, batch=batch, seed=seed).batches(torch.float64, "cpu")
    w, losses = problem.student.W[0].copy(), []
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(steps):
            x, y = (part[0].numpy() for part in next(stream))
            z = x @ w
            r = z**2 - y[:, 0]
            losses.append(0.5 * np.mean(r**2))
            w -= step * np.mean(2 * r * z * x.T, axis=1)
    return np.array(losses)


@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_records_before_a_divergence_are_kept(momentum):
    """All up to the last step before it. One unit with a = 1 fixed, λ = 1, d = 1: L = 3/2 (1 − w²)², so L″ = 12 at the
    end of the flow, where it is largest on the way from w = ½: the largest stable step is 2(1 + β)/12.
    """
    problem = Problem(Teacher.from_eigenvalues([1], 1), Student([[0.5]], [1.0], trainable=False))
    options = {"batch": 8, "seed": 3, "step": 0.9}
    with pytest.raises(TrainingDiverged) as caught:
        train(problem, steps=300, dtype="float64", momentum=momentum, records=301, **options)
    error, run = caught.value, caught.value.run
    if not momentum:
        losses = diverging_losses(problem, steps=50, **options)
        assert error.step == np.argmax(~(losses <= 1e6 * losses[0])) > 0
    np.testing.assert_array_equal(run.steps, np.arange(error.step))
    assert run.about["steps"] == 300
    assert run.about["steps_per_second"] == pytest.approx(error.step / run.about["seconds"])
    assert str(error) == (
        f"Training diverged at step {error.step} (batch loss NaN or more than 1e+06 times the first): `step` is 0.9, "
        f"and theory predicts a largest stable step of {2 * (1 + momentum) / 12:.3g} along the gradient flow (less for "
        "small batches)."
    )


def test_one_network_of_several_diverges(problem):
    """The first of them to explode is named: with the same data, one more network can only be earlier."""
    steps = []
    for seeds in (1, 2):
        with pytest.raises(TrainingDiverged) as caught:
            train(problem, steps=500, step=0.05, batch=2, seeds=seeds, dtype="float64")
        steps.append(caught.value.step)
        assert np.isfinite(caught.value.run.loss).all()
    assert steps[1] < steps[0]


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_trained_networks_tend_to_the_flow_on_its_clock(problem, momentum):
    """Whole data sets in every step, η, η/2 and η/4 up to the same time: twice the error halves, for every β.

    On another clock the error would stay; the flow is that on the very same samples.
    """
    practice = Practice(1.0, 0.0, 0, 60, 0.0, 1, 0)
    X, Y = (array[0] for array in data_sets(problem, practice))
    flow, errors = FiniteDataFlow(problem, X, Y), []
    for half in range(3):
        step = 4e-3 * (1 - momentum) ** 1.5 / 2**half
        run = train(
            problem, steps=Clock(step, momentum).steps_until(0.4), step=step, momentum=momentum, batch=0, samples=60,
            records=11, dtype="float64",
        )  # fmt: skip
        assert run.times[-1] == pytest.approx(0.4, rel=0.01)
        errors.append(np.abs(run.loss[0] - flow.integrate(times=run.times).loss).max())
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.15)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.1)


def test_default_momentum(problem):
    """0, and 0.9 for the optimizer "momentum"; a given one wins."""
    options = {"steps": 5, "step": 1e-3, "batch": 8}
    plain, heavy = train(problem, **options), train(problem, optimizer="momentum", **options)
    assert (plain.about["momentum"], heavy.about["momentum"]) == (0.0, 0.9)
    np.testing.assert_array_equal(heavy.loss, train(problem, momentum=0.9, **options).loss)
    assert (heavy.loss[:, 2:] != plain.loss[:, 2:]).all()
    assert train(problem, optimizer="momentum", momentum=0.3, **options).about["momentum"] == 0.3
    assert heavy.times[-1] == pytest.approx(5e-3 / (1 - 0.9))


def test_a_run_says_how_it_was_made(problem):
    """Its options, and steps over seconds."""
    options = {"batch": 8, "samples": 16, "label_noise": 0.1, "seeds": 2, "seed": 3, "dtype": "float64"}
    about = train(problem, steps=6, step=1e-3, **options).about
    expected = options | {"steps": 6, "step": 1e-3, "optimizer": "sgd", "momentum": 0.0, "device": "cpu"}
    assert expected.items() <= about.items()
    assert about["steps_per_second"] == pytest.approx(6 / about["seconds"])
    assert about["versions"]["torch"] == torch.__version__


def test_save_and_load(problem, tmp_path):
    run = train(problem, steps=10, step=1e-3, batch=8, seeds=2)
    run.save(tmp_path / "run.npz")
    back = TrainingRun.load(tmp_path / "run.npz")
    for name in ("steps", "times", "loss", "modes", "conserved", "W", "A"):
        np.testing.assert_array_equal(getattr(back, name), getattr(run, name))
    assert back.about == run.about
    assert back.loss_measured == run.loss_measured


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"steps": 0}, "at least 1"),
        ({"step": 0.0}, "positive"),
        ({"step": float("nan")}, "finite"),
        ({"optimizer": "lion"}, "sgd, momentum"),
        ({"momentum": 1.0}, "below 1"),
        ({"momentum": -0.1}, "negative"),
        ({"device": "abacus"}, "can use here"),
        ({"dtype": "float8"}, "float32, float64"),
        ({"records": 1}, "at least 2"),
        ({"test_samples": -1}, "at least 0"),
        ({"batch": 0}, "whole set"),
    ],
)
def test_bad_input_is_refused(problem, options, words):
    with pytest.raises(ProblemError, match=words):
        train(problem, **({"steps": 5, "step": 1e-3} | options))


def test_a_divergence_is_explained_in_bounded_time(monkeypatch):
    """From weights of 1e9 the flow alone would take a minute: it is followed for a limited number of evaluations."""
    found = []
    integrate = GradientFlow.integrate

    def watched(self, *args, **options):
        trajectory = integrate(self, *args, **options)
        found.append(trajectory.solver.evaluations)
        return trajectory

    monkeypatch.setattr("empirical.training.FOLLOWED", 300)
    monkeypatch.setattr(GradientFlow, "integrate", watched)
    start = Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(2, 2, scale=1e9, seed=0))
    with pytest.raises(TrainingDiverged, match="predicts a largest stable step of"):
        train(start, steps=3, step=1e-3, batch=8)
    assert len(found) == 1 and found[0] <= 320  # one step of the solver beyond


def test_the_more_a_gradient_costs_the_fewer_explain_a_divergence(monkeypatch):
    """30 samples times 8 numbers of two units: a hundred gradients for 24,000; that the flow was cut short is said."""
    X = np.random.default_rng(0).standard_normal((30, 3))
    data = DataSet(X, X[:, 0] ** 2 - X[:, 1])
    monkeypatch.setattr("empirical.training.WORK", 24_000)
    found = []
    integrate = GradientFlow.integrate
    monkeypatch.setattr(
        GradientFlow,
        "integrate",
        lambda self, *args, **more: found.append(more["max_evaluations"]) or integrate(self, *args, **more),
    )
    start = Problem(None, Student.initialise(2, 3, scale=1e3, seed=0), data=data)
    with pytest.raises(TrainingDiverged, match=r"stable step of \S+ along the gradient flow up to t = \d"):
        train(start, steps=3, step=1.0, batch=8)
    assert found == [100]
