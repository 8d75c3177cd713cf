"""Gradient flow on a data set: gradients by autograd, both forms, training with shrinking steps, reduction."""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.flows.finite_data import FiniteDataFlow
from dynamics.flows.modified import ModifiedFlow
from dynamics.population.samples import MomentLoss, SampleLoss
from dynamics.population.triangles import svec

FORMS = ("samples", "moments")


def torch_loss(problem, X, Y, W, A):
    """(1/2n) Σ_io (f_o(x_i) − y_io)², written with PyTorch from the definition."""
    features = (X @ W.T) ** 2
    if problem.activation.name == "centred":
        Sigma = np.eye(problem.inputs) if problem.covariance is None else np.array(problem.covariance)
        features = features - ((W @ torch.tensor(Sigma)) * W).sum(1)
    return 0.5 * ((features @ A.T - Y) ** 2).sum(1).mean()


def with_gradient(problem, X, Y, theta):
    """Loss and gradient at the vector θ = (W, A), by autograd."""
    K, d, O = *problem.student.W.shape, problem.student.outputs
    W = torch.tensor(theta[: K * d].reshape(K, d), requires_grad=True)
    A = torch.tensor(theta[K * d :].reshape(O, K), requires_grad=True)
    loss = torch_loss(problem, torch.tensor(X), torch.tensor(Y), W, A)
    gradient = torch.autograd.grad(loss, (W, A))
    return loss.item(), np.concatenate([g.numpy().ravel() for g in gradient])


def labelled(rng, problem, n, noise=0.3):
    """Inputs x ~ N(0, Σ) and noisy labels of the teacher."""
    Sigma = np.eye(problem.inputs) if problem.covariance is None else problem.covariance
    X = rng.multivariate_normal(np.zeros(problem.inputs), Sigma, size=n)
    S = (X @ problem.teacher.V.T) ** 2
    return X, S @ problem.teacher.B.T + noise * rng.standard_normal((n, problem.teacher.outputs))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("activation", "covariance", "O"), [("quadratic", False, 2), ("centred", False, 1), ("centred", True, 2)]
)
def test_loss_gradient_and_hessian_are_those_of_autograd(make_problem, rng, form, activation, covariance, O):
    """PyTorch computes the loss from the definition; more samples than one chunk, fewer than the products."""
    problem = make_problem(rng, d=4, K=3, R=2, O=O, activation=activation, covariance=covariance)
    for n in (7, 4100):
        X, Y = labelled(rng, problem, n)
        flow = FiniteDataFlow(problem, X, Y, form)
        theta, h = flow.theta0, 1e-6
        loss, gradient = with_gradient(problem, X, Y, theta)
        assert flow.objective.loss(*flow.unpack(theta)) == pytest.approx(loss, rel=1e-12)
        np.testing.assert_allclose(flow(0, theta), -gradient, rtol=1e-9, atol=1e-11 * np.abs(gradient).max())
        columns = [
            (with_gradient(problem, X, Y, theta + h * v)[1] - with_gradient(problem, X, Y, theta - h * v)[1])
            for v in np.eye(theta.size)
        ]
        H, v = flow.hessian(theta), rng.standard_normal(theta.size)
        np.testing.assert_allclose(H, np.stack(columns, 1) / (2 * h), atol=1e-8 * np.abs(H).max())
        np.testing.assert_allclose(
            flow.hessian_vector(theta, v), H @ v, rtol=1e-9, atol=1e-11 * np.abs(H).max()
        )


@pytest.mark.parametrize("form", [SampleLoss, MomentLoss.from_samples])
@pytest.mark.parametrize("centred", [False, True])
def test_the_force_is_the_slope_in_the_forms(rng, form, centred):
    """G_o = −2 ∂L/∂M_o by central differences (of a quadratic function: exact) of the residuals ⟨M_o, F_i⟩ − y_io."""
    X, Y, W, A = (rng.standard_normal(shape) for shape in ((30, 3), (30, 2), (4, 3), (2, 4)))
    mean = np.diag([1.0, 2.0, 0.5]) if centred else None
    F = X[:, :, None] * X[:, None, :] - (0 if mean is None else mean)

    def loss(M):
        return 0.5 * np.sum((np.einsum("oij,nij->no", M, F) - Y) ** 2) / len(X)

    M, E = np.einsum("ok,ki,kj->oij", A, W, W), np.eye(18).reshape(18, 2, 3, 3)
    slope = np.reshape([(loss(M + e) - loss(M - e)) / 2 for e in E], (2, 3, 3))
    np.testing.assert_allclose(form(X, Y, mean).force(W, A), -2 * slope, atol=1e-12 * np.abs(slope).max())


def test_moments_replace_any_number_of_samples(make_problem, rng):
    """p + O rows at most, and the same Gram matrix of products and labels as the samples have."""
    problem = make_problem(rng, d=3)
    X, Y = labelled(rng, problem, 5000)
    loss = MomentLoss.from_samples(X, Y, None)
    assert loss.R.shape == (7, 6)
    S = svec(X[:, :, None] * X[:, None, :])
    np.testing.assert_allclose(loss.R.T @ loss.R, S.T @ S / 5000, rtol=1e-12)
    np.testing.assert_allclose(loss.R.T @ loss.T, S.T @ Y / 5000, rtol=1e-11)


def test_the_cheaper_form_is_chosen():
    """Many samples of few inputs: moments; few samples of many inputs: the samples."""
    for d, n, form in [(4, 2000, "moments"), (60, 100, "samples")]:
        problem = Problem(Teacher.from_eigenvalues([1], d), Student.initialise(3, d))
        flow = FiniteDataFlow(problem, np.ones((n, d)), np.ones(n))
        assert flow.form == form
        assert isinstance(flow.objective, MomentLoss if form == "moments" else SampleLoss)


@pytest.mark.parametrize(
    ("d", "K", "O", "least"),
    [
        (10, 50, 1, 10),  # n < p + O: 2 · 55² n + 2000 · 2 (55 n + 5000) < 2000 · 50 · 23 n, hence n > 9.6
        (10, 9, 1, 20),  # n < p + O: 2 · 55² n + 2000 · 2 (55 n + 900) < 2000 · 9 · 23 n, hence n > 19.2
        (4, 3, 2, 17),  # n > p + O: 2 · 10² n + 2000 · 4 (12 · 10 + 48) < 2000 · 3 · 14 n, hence n > 16.04
    ],
)
def test_how_many_samples_make_moments_the_cheaper_form(d, K, O, least):
    """Multiplications by hand, p = d(d + 1)/2: 2n p² once for the factor of min(n, p + O) rows; then 2000 evaluations.

    Of moments each takes the factor and its transpose times forms, and these themselves, 2K d², for each output; of
    samples n K (2d + 3O): units, and back to their weights; outputs, and back to units and to the second layer.
    """
    problem = Problem(Teacher.from_eigenvalues([1], d, O), Student.initialise(K, d, outputs=O))
    for n, form in ((least - 1, "samples"), (least, "moments")):
        assert FiniteDataFlow(problem, np.ones((n, d)), np.ones((n, O))).form == form


@pytest.mark.parametrize("form", FORMS)
def test_full_batch_training_converges_to_the_flow(rng, form):
    """PyTorch gradient descent on the data set, with and without momentum: orders 1 (flow) and 2 (modified flow)."""
    problem = Problem(Teacher.from_eigenvalues([2, 1], 3), Student.initialise(3, 3, scale=0.4, seed=2))
    X, Y = labelled(rng, problem, 40)
    flow = FiniteDataFlow(problem, X, Y, form)
    for beta in (0.0, 0.5):
        plain, modified, etas = [], [], np.array([4e-3, 2e-3, 1e-3]) * (1 - beta) ** 2
        for eta in etas:
            W, A = (
                torch.tensor(p.copy(), requires_grad=True) for p in (problem.student.W, problem.student.A)
            )
            descent = torch.optim.SGD([W, A], lr=eta, momentum=beta)
            losses, steps = [], round(0.6 * (1 - beta) / eta)
            for _ in range(steps + 1):
                descent.zero_grad()
                loss = torch_loss(problem, torch.tensor(X), torch.tensor(Y), W, A)
                losses.append(loss.item())
                loss.backward()
                descent.step()
            corrected = ModifiedFlow(flow, eta, beta)
            times = corrected.clock.times(np.arange(steps + 1))
            for errors, theory in ((plain, flow), (modified, corrected)):
                errors.append(np.abs(losses - flow.train_loss(theory.integrate(times=times))).max())
        assert np.polyfit(np.log(etas), np.log(plain), 1)[0] == pytest.approx(1.0, abs=0.1)
        assert np.polyfit(np.log(etas), np.log(modified), 1)[0] == pytest.approx(2.0, abs=0.1)


def test_few_samples_of_many_inputs_are_integrated_in_their_span(rng):
    """n + K + R = 6 of 12 inputs; against the autograd gradient integrated in all 12 by another solver."""
    problem = Problem(Teacher.from_eigenvalues([2], 12), Student.initialise(2, 12, scale=0.7, seed=1))
    X, Y = labelled(rng, problem, 3)
    flow = FiniteDataFlow(problem, X, Y)
    assert flow.reduction.dimension == 6
    run = flow.integrate(times=[0, 0.05, 0.2])
    start = np.concatenate([problem.student.W.ravel(), problem.student.A.ravel()])
    full = solve_ivp(
        lambda t, theta: -with_gradient(problem, X, Y, theta)[1],
        (0, 0.2),
        start,
        "DOP853",
        run.times,
        rtol=1e-11,
        atol=1e-12,
    ).y.T
    np.testing.assert_allclose(run.W.reshape(3, -1), full[:, :24], atol=1e-8)
    population = GradientFlow(problem, reduce=False)
    np.testing.assert_allclose(run.loss, [population.loss(theta) for theta in full], rtol=1e-7)


def test_correlated_inputs_in_the_span_of_the_samples(make_problem, rng):
    """The population loss in reduced coordinates needs QᵀΣQ; it must equal the one of the lifted weights."""
    problem = make_problem(rng, d=12, K=2, R=1, covariance=True, scale=0.5)
    run = FiniteDataFlow(problem, *labelled(rng, problem, 4)).integrate(times=[0, 0.02])
    population = GradientFlow(problem, reduce=False).population
    assert run.reduced_dimension == 7
    assert run.loss[-1] == pytest.approx(population.loss(run.W_at(-1), run.A[-1]), rel=1e-10)


def test_centring_by_a_covariance_leaves_the_span_of_the_samples(make_problem, rng):
    """Then Σw_k moves the weights too: nothing is reduced, and the gradient is that of autograd in all inputs."""
    problem = make_problem(rng, d=12, K=2, R=1, covariance=True, activation="centred")
    X, Y = labelled(rng, problem, 4)
    flow = FiniteDataFlow(problem, X, Y)
    assert flow.reduction.basis is None
    np.testing.assert_allclose(flow(0, flow.theta0), -with_gradient(problem, X, Y, flow.theta0)[1], rtol=1e-9)


def test_few_noisy_samples_are_fitted_and_do_not_generalise(rng):
    """n = 5 labels, 3 units in 4 dimensions: train loss → 0, test loss stays large; train loss never rises."""
    problem = Problem(Teacher.from_eigenvalues([2, 1], 4), Student.initialise(3, 4, scale=0.5, seed=4))
    flow = FiniteDataFlow(problem, *labelled(rng, problem, 5))
    run = flow.integrate(t_end=400.0, samples=101, log_times=True)
    train = flow.train_loss(run)
    assert (np.diff(train) <= 1e-12).all()
    assert train[-1] < 1e-4 * train[0]
    assert run.loss[-1] > 0.5


def test_infinitely_many_samples_are_the_population():
    """The loss of n samples differs from the population loss by O(n^(−1/2)): slope over a factor 1000 in n."""
    problem = Problem(Teacher.from_eigenvalues([2, 1], 3), Student.initialise(3, 3, scale=0.5))
    exact, sizes = GradientFlow(problem), [100, 1000, 10_000, 100_000]
    differences = []
    for n in sizes:
        deviations = []
        for seed in range(10):
            flow = FiniteDataFlow(problem, *labelled(np.random.default_rng(seed), problem, n, noise=0.0))
            deviations.append(np.sum((flow(0, flow.theta0) - exact(0, exact.theta0)) ** 2))
        differences.append(np.sqrt(np.mean(deviations)))
    # root mean square of 10 × 12 numbers: 7 % each at most, 0.01 on the slope per decade; 0.1 allowed
    assert np.polyfit(np.log(sizes), np.log(differences), 1)[0] == pytest.approx(-0.5, abs=0.1)


@pytest.mark.parametrize("activation", ["tanh", "gelu", "polynomial:0,1,0.3"])
def test_training_of_other_activations_converges_to_their_flow(rng, activation):
    """Descent on the data by PyTorch: order 1 towards the flow, 2 towards the modified flow; the span is exact too.

    n + K + R = 7 of 9 inputs; the population loss beside it is that of the pair of activations.
    """
    student = Student.initialise(2, 9, scale=0.8, seed=3)
    problem = Problem(Teacher.from_eigenvalues([1], 9), student, activation, teacher_activation="relu")
    X = rng.standard_normal((4, 9))
    y = np.maximum(X[:, 0], 0) + 0.2 * rng.standard_normal(4)
    flow = FiniteDataFlow(problem, X, y)
    assert (flow.form, flow.reduction.dimension) == ("samples", 7)
    plain, modified, etas = [], [], np.array([4e-2, 2e-2, 1e-2])
    for eta in etas:
        W, A = (torch.tensor(p.copy(), requires_grad=True) for p in (student.W, student.A))
        losses, steps = [], round(1.6 / eta)
        for _ in range(steps + 1):
            f = problem.activation.phi(torch.tensor(X) @ W.T, None) @ A.T
            loss = 0.5 * ((f[:, 0] - torch.tensor(y)) ** 2).mean()
            losses.append(loss.item())
            gradient = torch.autograd.grad(loss, (W, A))
            with torch.no_grad():
                W -= eta * gradient[0]
                A -= eta * gradient[1]
        corrected = ModifiedFlow(flow, eta)
        times = corrected.clock.times(np.arange(steps + 1))
        for errors, theory in ((plain, flow), (modified, corrected)):
            run = theory.integrate(times=times)
            errors.append(np.abs(losses - flow.train_loss(run)).max())
    assert np.polyfit(np.log(etas), np.log(plain), 1)[0] == pytest.approx(1.0, abs=0.1)
    assert np.polyfit(np.log(etas), np.log(modified), 1)[0] == pytest.approx(2.0, abs=0.15)
    assert run.loss[-1] == pytest.approx(problem.population.loss(run.W_at(-1), run.A[-1]), rel=1e-9)


def test_moments_hold_quadratic_units_alone():
    problem = Problem(Teacher.from_eigenvalues([1]), Student.initialise(1, 1), "tanh")
    with pytest.raises(ProblemError, match="`form` is 'moments', but `activation` is 'tanh'"):
        FiniteDataFlow(problem, np.ones((5, 1)), np.ones(5), "moments")


@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        (np.ones((5, 2)), np.ones(5), "n, 3"),
        (np.ones((0, 3)), np.ones(0), "n ≥ 1"),
        (np.ones((5, 3)), np.ones(4), "5 samples"),
        (np.full((5, 3), np.nan), np.ones(5), "NaN"),
        (np.ones((5, 3)), np.ones((5, 2)), "1 outputs"),
    ],
)
def test_data_that_do_not_fit_are_refused(X, y, words):
    problem = Problem(Teacher.from_eigenvalues([2, 1], 3), Student.initialise(3, 3))
    with pytest.raises(ProblemError, match=words):
        FiniteDataFlow(problem, X, y)
    with pytest.raises(ProblemError, match="auto, samples, moments"):
        FiniteDataFlow(problem, np.ones((5, 3)), np.ones(5), form="magic")
