"""The tangent kernel of the population: closed forms, Monte Carlo, and the same without any reduction."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.curvature import KernelSpectrum, kernel_spectrum, tangent_kernel
from dynamics.curvature import hessian as module
from dynamics.problem.outputs import network_outputs

D = 3
SIGMA = np.array([[2.0, 0.3, 0.1], [0.3, 0.7, 0.0], [0.1, 0.0, 1.1]])


def problem(activation="quadratic", outputs=1, d=D, second_layer="trainable", scale=0.8, **more):
    rng = np.random.default_rng(1)
    V = np.zeros((2, d))
    V[:, :D] = rng.standard_normal((2, D))
    start = Student.initialise(2, d, scale=scale, seed=4, outputs=outputs, second_layer=second_layer)
    return Problem(Teacher(V, rng.standard_normal((outputs, 2))), start, activation, **more)


def all_values(kernel, i=-1):
    return np.repeat(kernel.eigenvalues[i], kernel.multiplicities[i])


@pytest.mark.parametrize("second_layer", ["trainable", "fixed"])
@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("Sigma", [None, SIGMA])
def test_on_quadratic_forms_in_closed_form(Sigma, outputs, second_layer):
    """Eigenvalues of D ↦ Σ_k ½(w_kᵀG_ow_k)w_kw_kᵀ + Σ_kp A_okA_pk(G_pw_kw_kᵀ + w_kw_kᵀG_p) on symmetric matrices.

    All others are zero. It is the speed of the forms M_o under the gradient flow, in the place of whose D an arbitrary
    one stands, so that it does not share the metric's way.
    """
    p = problem(outputs=outputs, covariance=Sigma, second_layer=second_layer)
    S, (W, A) = np.eye(D) if Sigma is None else Sigma, (p.student.W, p.student.A)
    basis = [np.eye(D)[[i]].T @ np.eye(D)[[j]] for i in range(D) for j in range(i + 1)]
    basis = [(E + E.T) / 2 for E in basis]

    def moved(forms):
        G = [4 * S @ M @ S + 2 * np.trace(M @ S) * S for M in forms]
        out = []
        for o in range(outputs):
            M = np.zeros((D, D))
            for k, w in enumerate(W):
                ww = np.outer(w, w)
                M += 0.5 * (w @ G[o] @ w) * ww * (second_layer == "trainable")
                M += sum(A[o, k] * A[q, k] * (G[q] @ ww + ww @ G[q]) for q in range(outputs))
            out.append(M)
        return np.concatenate(
            [[M[i, j] * (1 + (i != j)) for i in range(D) for j in range(i + 1)] for M in out]
        )

    columns = [
        moved([E if o == q else np.zeros((D, D)) for q in range(outputs)])
        for o in range(outputs)
        for E in basis
    ]
    by_forms = np.sort(np.linalg.eigvals(np.array(columns).T).real)[::-1]
    values = all_values(kernel_spectrum(GradientFlow(p).integrate(0.1, samples=2)), 0)
    most = min(len(by_forms), len(values))
    np.testing.assert_allclose(values[:most], by_forms[:most], atol=1e-9 * values[0])
    np.testing.assert_allclose(np.append(values[most:], by_forms[most:]), 0, atol=1e-9 * values[0])


CASES = {
    "centred": problem("centred", outputs=2, covariance=SIGMA),
    "relu": problem("relu"),
    "erf": problem("erf", second_layer="fixed", covariance=SIGMA),
    "another teacher": problem("tanh", teacher_activation="relu"),
    "sphere": problem(distribution="sphere"),
    "uniform": problem(distribution="uniform"),
}


@pytest.mark.parametrize("name", CASES)
def test_against_monte_carlo(name):
    """Sum and sum of squares of the eigenvalues, distance and alignment, as means over fresh inputs.

    tr T = E tr K(x, x), tr T(t)T(s) = E tr K_t(x, x′)K_s(x′, x), ⟨f*, T f*⟩ = E f*(x)ᵀK(x, x′)f*(x′): all pairs of two
    sets of N inputs, in 40 independent batches, of whose means the standard error is taken; five of them are allowed,
    as these are means of polynomials of degree 8, with heavy tails.
    """
    p, batches, N = CASES[name], 40, 300
    curve = GradientFlow(p).integrate(0.2, samples=2)
    kernel = kernel_spectrum(curve, points=2)
    root = np.linalg.cholesky(np.eye(D) if p.covariance is None else p.covariance).T
    x = p.law.draw(_Draws(np.random.default_rng(5)), 2 * batches * N, D) @ root
    now, then = curve.student_at(1), curve.student_at(0)
    how = {"activation": p.activation, "covariance": p.variance}
    rows = []
    for X, Y in x.reshape(batches, 2, N, D):
        K, K0 = (tangent_kernel(net, X, Y, **how) for net in (now, then))
        f, g = (
            network_outputs(p.teacher.V, p.teacher.B, z, p.teacher_activation, p.covariance).ravel()
            for z in (X, Y)
        )
        trace = np.trace(tangent_kernel(now, X[:50], **how)) / 50
        pairs = np.array([np.sum(K0**2), np.sum(K**2), np.sum(K * K0), f @ K @ g]) / N**2
        rows.append([trace, f @ f / N, *pairs])
    norms, power = kernel.norm**2, 2 * p.population.loss(0 * p.student.W, 0 * p.student.A)
    mixed = (norms.sum() - kernel.distance[1] ** 2 * norms[0]) / 2
    seen = kernel.alignment[1] * kernel.norm[1] * power
    expected = [all_values(kernel).sum(), power, *norms, mixed, seen]
    errors = np.std(rows, axis=0, ddof=1) / np.sqrt(batches)
    assert (np.abs(np.mean(rows, axis=0) - expected) <= 5 * errors).all()
    assert (errors <= 0.1 * np.abs(expected)).all()
    assert kernel.distance[0] == pytest.approx(0, abs=1e-7)  # of sums that cancel


class _Draws:
    """Random numbers for laws."""

    def __init__(self, rng):
        self.rng = rng

    def normal(self, *shape):
        return self.rng.standard_normal(shape)

    def uniform(self, *shape):
        return self.rng.random(shape)


@pytest.mark.parametrize("activation", ["quadratic", "centred", "relu", "erf"])
@pytest.mark.parametrize("second_layer", ["trainable", "fixed"])
def test_without_a_reduction_it_is_the_same(activation, second_layer):
    """In 3 of 8 inputs, with the others counted, or in all 8."""
    p = problem(activation, d=8, second_layer=second_layer)
    found, full = (
        kernel_spectrum(GradientFlow(p, reduce=reduce).integrate(0.3, samples=3)) for reduce in (True, False)
    )
    assert found.eigenvalues.shape[1] < full.eigenvalues.shape[1]
    for i in range(3):
        np.testing.assert_allclose(
            all_values(found, i), all_values(full, i), atol=1e-8 * full.eigenvalues[i, 0]
        )
    for name in ("norm", "alignment", "distance"):
        np.testing.assert_allclose(getattr(found, name), getattr(full, name), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("activation", ["quadratic", "centred", "erf"])
def test_on_a_data_set_the_law_is_the_samples(activation):
    """K/n on its inputs; eigenvalues other than zero agree, and all that is made of them."""
    rng = np.random.default_rng(6)
    data = rng.standard_normal((5, 9)), rng.standard_normal((5, 2))
    student = Student.initialise(3, 9, scale=0.5, outputs=2)
    curve = GradientFlow(Problem(None, student, activation, data=data)).integrate(0.2, samples=3)
    law, given = kernel_spectrum(curve), kernel_spectrum(curve, *data)
    top = law.eigenvalues[-1, 0]
    np.testing.assert_allclose(all_values(law)[:10], given.eigenvalues[-1], atol=1e-9 * top)
    np.testing.assert_allclose(all_values(law)[10:], 0, atol=1e-9 * top)
    for name in ("norm", "alignment", "distance"):
        np.testing.assert_allclose(getattr(law, name), getattr(given, name), rtol=1e-7, atol=1e-7)


def test_it_says_how_fast_the_loss_falls():
    """dL/dt = −⟨f − f*, T(f − f*)⟩: with the target y = f* − f on the inputs, alignment · ‖T‖ · E y² = −dL/dt."""
    rng = np.random.default_rng(7)
    X = rng.standard_normal((6, D))
    p = Problem(
        Teacher.from_eigenvalues([2, 1], D), Student.initialise(2, D, scale=0.5), data=(X, np.zeros(6))
    )
    curve = GradientFlow(p).integrate(0.4, samples=2)
    errors = p.data.Y - curve.outputs(X)[-1]
    kernel = kernel_spectrum(curve, X, errors)
    vW, vA = p.population.velocity(curve.W_at(-1), curve.A[-1])
    rate = kernel.alignment[-1] * kernel.norm[-1] * np.mean(errors**2)
    assert rate == pytest.approx(np.sum(vW**2) + np.sum(vA**2), rel=1e-10)


def test_targets_on_given_inputs():
    """Those of the teacher unless they are given; without either there is no alignment."""
    p = problem("centred", covariance=SIGMA)
    X = np.random.default_rng(8).standard_normal((4, D))
    curve = GradientFlow(p).integrate(0.1, samples=2)
    taught = kernel_spectrum(curve, X)
    labels = network_outputs(p.teacher.V, p.teacher.B, X, "centred", SIGMA)
    np.testing.assert_array_equal(kernel_spectrum(curve, X, labels).alignment, taught.alignment)
    K = tangent_kernel(curve.student_at(-1), X, activation="centred", covariance=SIGMA)
    y = labels[:, 0]
    assert taught.alignment[-1] == pytest.approx(y @ K @ y / (np.linalg.norm(K) * y @ y))
    untaught = Problem(None, p.student, data=(X, y))
    assert kernel_spectrum(GradientFlow(untaught).integrate(0.1, samples=2), X[:2]).alignment is None


def test_lazy_and_rich():
    """The kernel of a network whose outputs are large against the target hardly moves, that of a small one does.

    Two copies of opposite sign, so that f starts at zero. Of weights s times as large ∂f is s² times as large: they
    move by s⁻² to learn the same, by s⁻³ of themselves; and what copies change in the kernel to first order cancels.
    """
    rng = np.random.default_rng(9)
    W, a = rng.standard_normal((3, D)), np.ones(3)

    def moved(s):
        net = Student(s * np.vstack([W, W]), s * np.append(a, -a))
        p = Problem(Teacher.from_eigenvalues([2, 1], D), net)
        return kernel_spectrum(GradientFlow(p).integrate(), points=2).distance[-1]

    assert moved(0.2) > 5
    assert np.log(moved(4.0) / moved(8.0)) / np.log(2) == pytest.approx(6, abs=0.1)


def test_what_is_refused(monkeypatch):
    curve = GradientFlow(problem()).integrate(0.1, samples=2)
    X = np.ones((4, D))
    with pytest.raises(ProblemError, match="`y` is the target on given inputs: give `X` too"):
        kernel_spectrum(curve, y=[1.0])
    with pytest.raises(ProblemError, match="`y` has 3 entries, but 4 inputs have 4 outputs"):
        kernel_spectrum(curve, X, [1, 2, 3.0])
    with pytest.raises(ProblemError, match="`points` is 0"):
        kernel_spectrum(curve, points=0)
    monkeypatch.setattr(module, "LARGEST_WHOLE", 3)
    with pytest.raises(
        ProblemError, match=r"The metric of the weights after the reduction has 8 rows, .*: give inputs"
    ):
        kernel_spectrum(curve)
    with pytest.raises(ProblemError, match=r"The kernel has 4 rows, but all .* at most 3: give fewer inputs"):
        kernel_spectrum(curve, X)


def test_of_zero_weights_there_is_no_kernel():
    """Nothing moves: no distance from nothing, no alignment."""
    p = Problem(Teacher.from_eigenvalues([1.0]), Student([[0.0]], [0.0]))
    kernel = kernel_spectrum(GradientFlow(p).integrate(1.0, samples=2))
    assert kernel.norm.tolist() == [0, 0]
    assert np.isnan(kernel.distance).all()
    assert kernel.alignment.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"X": np.ones((0, 4))}, "`X` has no rows"),
        ({"X": np.ones((2, 4)), "y": ["a", "b"]}, "`y`"),
        ({"X": np.ones((2, 4)), "y": "a"}, "`y`"),
        ({"X": np.full((2, 4), 1e200)}, r"`X` goes up to 1e\+200, too large"),
    ],
)
def test_inputs_that_are_none(given, why):
    curve = GradientFlow(Problem(Teacher.from_eigenvalues([2, 1], 4), Student.initialise(2, 4))).integrate(
        0.1
    )
    with pytest.raises(ProblemError, match=why), np.errstate(over="ignore"):
        kernel_spectrum(curve, **given)


def test_a_target_of_zero_is_none():
    """Nothing can be aligned with it; the columns of y count as its entries."""
    curve = GradientFlow(Problem(Teacher.from_eigenvalues([2, 1], 4), Student.initialise(2, 4))).integrate(
        0.1
    )
    X = np.random.default_rng(0).standard_normal((3, 4))
    assert kernel_spectrum(curve, X, np.zeros(3)).alignment is None
    y = np.array([1.0, 2.0, -1.0])
    one, two = (kernel_spectrum(curve, X, target).alignment for target in (y, y[:, None]))
    np.testing.assert_array_equal(one, two)


def test_it_is_a_result(tmp_path):
    kernel = kernel_spectrum(GradientFlow(problem()).integrate(1.0, samples=9), points=4)
    kernel.save(tmp_path / "kernel.npz")
    again = KernelSpectrum.load(tmp_path / "kernel.npz")
    for name in ("times", "eigenvalues", "multiplicities", "norm", "alignment", "distance"):
        np.testing.assert_array_equal(getattr(again, name), getattr(kernel, name))
    assert len(kernel.times) == 4
    top, aligned = kernel.eigenvalues[:, 0], kernel.alignment
    assert kernel.summary().splitlines() == [
        "4 times up to t = 1",
        f"largest eigenvalue {top[0]:.6g} → {top[-1]:.6g}",
        f"moved by {kernel.distance[-1]:.4g} of itself",
        f"alignment with the target {aligned[0]:.4g} → {aligned[-1]:.4g}",
    ]
    labelled = kernel.to_xarray()
    np.testing.assert_array_equal(labelled["distance"], kernel.distance)
