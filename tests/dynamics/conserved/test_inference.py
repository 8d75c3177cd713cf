"""Laws are found again in records of flows whose laws are known, and not where there are none."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.conserved import inference
from dynamics.conserved.inference import infer_quantities
from dynamics.conserved.weight_log import _formula


def records(a=None, runs=1, trainable=True, d=2, K=3):
    """W (R, T, K, d), A (R, T, 1, K) of gradient flows from random starts."""
    Ws, As = [], []
    for seed in range(runs):
        student = Student.initialise(K, d, scale=0.7, seed=seed)
        if a is not None:
            student = Student(student.W, a, trainable)
        path = GradientFlow(Problem(Teacher.from_eigenvalues([2, -1], d), student)).integrate(
            t_end=1.5, samples=40
        )
        Ws.append(path.W)
        As.append(path.A)
    return np.stack(Ws), np.stack(As)


def test_balances_of_a_single_flow():
    """All c_k, with the drift of the integrator (1e-10), and nothing else; combinations need more starts."""
    W, A = records(d=4)
    found = infer_quantities(W[0], A[0], tolerance=1e-6)
    assert [q.formula for q in found.quantities] == [f"‖w_{k}‖² − 2 a_{k}²" for k in range(3)]
    assert all("degree 2" in q.match for q in found.quantities)
    c = np.sum(W[0, 0] ** 2, axis=1) - 2 * A[0, 0, 0] ** 2
    np.testing.assert_allclose([q.values[0] for q in found.quantities], c, atol=1e-10)
    assert max(q.drift for q in found.quantities) < 1e-10
    assert "different starts" in found.notes[0]
    theta = np.concatenate([W[0, 3].ravel(), A[0, 3].ravel()])
    S = found.quantities[1].matrix(len(theta))
    assert theta @ S @ theta == pytest.approx(c[1], abs=1e-10)


@pytest.mark.parametrize("search", ["invariant", "all"])
def test_several_starts_show_that_there_is_nothing_else(search):
    """A trained quadratic network has exactly K laws (theory, section 2)."""
    found = infer_quantities(*records(runs=30), tolerance=1e-4, search=search)
    assert len(found.quantities) == 3
    assert found.notes == ()


def test_products_of_opposite_units():
    """a = (1, 1, −1, 0.5) fixed: w_0·w_2 and w_1·w_2; 0.5 has no partner."""
    W, A = records(a=np.array([1, 1, -1, 0.5]), trainable=False, runs=30, K=4)
    found = infer_quantities(W, A, tolerance=1e-6, search="all")
    assert [q.formula for q in found.quantities] == ["w_0·w_2", "w_1·w_2"]


def test_unequal_learning_rates_give_the_ratio():
    """‖w‖² − h (η_w/η_a) a²: θ̇ = −R∇L, integrated by SciPy, with η_w/η_a = 4 has the coefficient 8."""
    student = Student.initialise(2, 2, scale=0.7, seed=5)
    flow = GradientFlow(Problem(Teacher.from_eigenvalues([2, -1]), student), reduce=False)
    rates = flow.pack(np.full((2, 2), 1.0), np.full((1, 2), 0.25))
    path = solve_ivp(
        lambda t, y: rates * flow(t, y),
        (0, 2),
        flow.theta0,
        rtol=1e-10,
        atol=1e-12,
        t_eval=np.linspace(0, 2, 50),
    )
    W, A = flow.unpack(path.y.T)
    for q in infer_quantities(W, A, tolerance=1e-5, search="known").quantities:
        assert "h η_w/η_a = 8" in q.match
    assert q.formula == "‖w_1‖² − 8 a_1²"


def test_linear_units():
    """f = A W x: all entries of W Wᵀ − AᵀA, K(K+1)/2 = 3 for two units (theory, section 2)."""
    rng = np.random.default_rng(0)
    target = rng.normal(size=(2, 3))

    def field(t, y):
        W, A = y[:6].reshape(2, 3), y[6:].reshape(2, 2)
        E = target - A @ W
        return np.concatenate([(A.T @ E).ravel(), (E @ W.T).ravel()])

    states = solve_ivp(
        field, (0, 4), rng.normal(size=10), rtol=1e-10, atol=1e-12, t_eval=np.linspace(0, 4, 60)
    ).y.T
    found = infer_quantities(states[:, :6].reshape(-1, 2, 3), states[:, 6:].reshape(-1, 2, 2), tolerance=1e-6)
    assert [q.formula for q in found.quantities] == [
        "‖w_0‖² − ‖a_0‖²",
        "‖w_1‖² − ‖a_1‖²",
        "w_0·w_1 − a_0·a_1",
    ]


@pytest.mark.parametrize("search", ["invariant", "all"])
def test_laws_that_are_in_no_list_are_found(search):
    """Bilinear units (r_k·x)(g_k·x), p = 2 ≤ d = 3, W = (R; G): p² = 4 laws R Rᵀ − G Gᵀ and G Rᵀ − R Gᵀ."""
    rng = np.random.default_rng(1)
    p, d, runs = 2, 3, []
    for _ in range(24):
        M = rng.normal(size=(d, d))

        def field(t, y, M=M + M.T):
            R, G = y.reshape(2, p, d)
            D = M - 0.5 * (R.T @ G + G.T @ R)
            E = 4 * D + 2 * np.trace(D) * np.eye(d)
            return 0.3 * np.concatenate([(G @ E).ravel(), (R @ E).ravel()])

        start = 0.7 * rng.normal(size=2 * p * d)
        y = solve_ivp(field, (0, 1), start, rtol=1e-10, atol=1e-12, t_eval=np.linspace(0, 1, 40)).y.T
        runs.append(y.reshape(-1, 2 * p, d))
    found = infer_quantities(np.stack(runs), np.ones((24, 40, 2 * p)), tolerance=1e-5, search=search)
    assert len(found.quantities) == p**2
    S = np.zeros((p**2, (2 * p) ** 2))
    for row, q in zip(S, found.quantities, strict=True):
        n = 2 * p * (d + 1)
        # every S is P ⊗ I on W: read P off the first input
        row[:] = q.matrix(n)[: 2 * p * d : d, : 2 * p * d : d].ravel()
    laws = []
    for k, l in [(0, 0), (0, 1), (1, 1)]:
        P = np.zeros((4, 4))
        P[k, l], P[2 + k, 2 + l] = 1, -1
        laws.append((P + P.T).ravel())
    P = np.zeros((4, 4))
    P[2, 1], P[3, 0] = 1, -1  # g_0·r_1 − g_1·r_0
    laws.append((P + P.T).ravel())
    assert np.linalg.matrix_rank(S, tol=1e-6) == np.linalg.matrix_rank(np.vstack([S, laws]), tol=1e-6) == p**2


def test_weight_decay_leaves_nothing(rng):
    """Under weight decay no law survives: W, A of descent with γ = 0.3, many starts."""
    Ws, As = [], []
    for seed in range(12):
        student = Student.initialise(2, 2, scale=0.7, seed=seed)
        flow = GradientFlow(Problem(Teacher.from_eigenvalues([2, -1]), student), reduce=False)
        path = solve_ivp(
            lambda t, y, flow=flow: flow(t, y) - 0.3 * y,
            (0, 2),
            flow.theta0,
            rtol=1e-9,
            t_eval=np.linspace(0, 2, 40),
        )
        W, A = flow.unpack(path.y.T)
        Ws.append(W)
        As.append(A)
    assert infer_quantities(np.stack(Ws), np.stack(As), tolerance=1e-3, search="all").quantities == ()


def test_too_few_data_are_admitted():
    """Two runs of 4 records leave most of the 12 invariants of three units open."""
    W, A = records(runs=2)
    found = infer_quantities(W[:, ::10], A[:, ::10], tolerance=1e-6)
    assert len(found.quantities) == 3
    assert "do not decide" in found.notes[0]


def test_bad_records_are_refused(rng):
    W, A = rng.normal(size=(5, 2, 3)), rng.normal(size=(5, 1, 2))
    with pytest.raises(ProblemError, match="at least 4"):
        infer_quantities(W[:3], A[:3])
    with pytest.raises(ProblemError, match="finite"):
        infer_quantities(np.where(W > 0, np.nan, W), A)
    with pytest.raises(ProblemError, match="known, invariant, all"):
        infer_quantities(W, A, search="some")


def test_a_formula_names_what_matters():
    """Terms below 2 % of the largest are left out, coefficients of 1 and the first sign if it is + as well."""
    assert _formula(["x²", "x y", "y²"], [1.0, -0.5, 0.019]) == "x² − 0.5 x y"
    assert _formula(["x²", "x y", "y²"], [-2.0, 1.0, 0.041]) == "− 2 x² + x y + 0.041 y²"
    assert _formula(["x²", "x y", "y²"], [-2.0, 1.0, 0.039]) == "− 2 x² + x y"


def test_the_drift_is_the_largest_difference_from_the_start():
    """One record of the first layer is off by 1e-4: c_k of the definition says by how much."""
    W, A = records()
    W, A = W[0].copy(), A[0]
    W[20] *= 1 + 1e-4
    c = np.sum(W**2, axis=-1) - 2 * A[:, 0] ** 2
    found = infer_quantities(W, A, tolerance=1e-2, search="known")
    np.testing.assert_allclose([q.drift for q in found.quantities], np.abs(c - c[0]).max(axis=0), rtol=1e-9)


def test_what_is_too_large_to_search_is_said(monkeypatch):
    """Three units have six products w_k·w_l and six a_k a_l: twelve features are searched, eleven allowed are not."""
    W, A = records(runs=2)
    monkeypatch.setattr("dynamics.conserved.inference.LARGEST_SEARCH", 12)
    assert not any("more than" in note for note in infer_quantities(W, A).notes)
    monkeypatch.setattr("dynamics.conserved.inference.LARGEST_SEARCH", 11)
    assert any(
        "There are 12 rotation invariants: more than 11" in note for note in infer_quantities(W, A).notes
    )


def descent(step, steps, momentum=0.0, every=1, seed=0, scale=0.3):
    """W (T, 2, 3) and A (T, 1, 2) of (heavy-ball) gradient descent on the population loss, in double precision."""
    student = Student.initialise(2, 3, scale=scale, seed=seed)
    flow = GradientFlow(Problem(Teacher.from_eigenvalues([2, 1], 3), student), reduce=False)
    theta, velocity, states = flow.theta0, 0.0, []
    for n in range(steps + 1):
        if n % every == 0:
            states.append(theta)
        velocity = momentum * velocity + flow(0.0, theta)
        theta = theta + step * velocity
    return flow.unpack(np.array(states))


def test_finite_steps_break_the_laws_as_predicted():
    """Every step recorded: κ = 1, and Δc_k = ‖δw_k‖² − 2 δa_k² is an identity, to rounding."""
    found = infer_quantities(*descent(0.05, 100), tolerance=1e-3)
    assert found.quantities == ()
    assert [q.formula for q in found.nearly_constant] == [f"‖w_{k}‖² − 2 a_{k}²" for k in range(2)]
    for q in found.nearly_constant:
        assert q.constancy > 1e-3
        assert q.residual < 1e-12
        assert "degree 2, but for the drift of finite steps" in q.match
    assert "2 nearly constant" in found.summary()
    assert "without the drift of finite steps" in found.summary()


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_drift_of_sparse_records(momentum):
    """Records ten steps apart, κ = (1 + β)/(10(1 − β)): what is left is of second order, the drift of first order."""
    W, A = descent(0.02 * (1 - momentum) ** 2, 500, momentum, every=10)
    found = infer_quantities(W, A, tolerance=3e-3)
    assert found.quantities == ()
    assert [q.formula for q in found.nearly_constant] == [f"‖w_{k}‖² − 2 a_{k}²" for k in range(2)]
    assert all(q.residual < q.constancy / 3 for q in found.nearly_constant)


@pytest.mark.parametrize("seed", range(6))
def test_momentum_conserves_nothing(seed):
    """c̈ + γċ = 2(‖ẇ‖² − hȧ²): no balance is a constant, whatever coefficient fits (step 0.005, β = 0.9)."""
    found = infer_quantities(*descent(0.005, 300, 0.9, every=3, seed=seed))
    assert found.quantities == ()
    assert all("but for the drift" in q.match or "no law" in q.match for q in found.nearly_constant)


def test_a_coefficient_that_fits_one_curve_is_no_law():
    """‖w‖² = a² + a⁴/20 for a from 1 to 2: slopes 1 + a²/10 of 1.1 to 1.4, but the best straight line is close."""
    a = np.sqrt(np.linspace(1, 4, 61))
    w = np.sqrt(a**2 + a**4 / 20)
    found = infer_quantities(w[:, None, None], a[:, None, None], tolerance=0.05)
    assert found.quantities == ()
    (q,) = found.nearly_constant
    # least squares on x = a² uniform over [1, 4]: slope 1 + (1 + 4)/20, in the halves (1 + 2.5)/20, (2.5 + 4)/20
    assert q.formula == "‖w_0‖² − 1.25 a_0²"
    assert q.match == "no law: the halves of the movement give 1.175 and 1.325"
    assert q.residual is None


def test_descent_from_many_starts_keeps_no_combination():
    """What is nearly constant is not found once more among combinations of all invariants."""
    runs = [descent(0.005, 300, 0.9, every=6, seed=seed) for seed in range(20)]
    W, A = (np.stack(arrays) for arrays in zip(*runs, strict=True))
    assert infer_quantities(W, A).quantities == ()


def decaying_records(decay, a=None, runs=1, times=None):
    """W, A of flows with weight decay from random starts, and their times."""
    times, found = np.linspace(0, 2, 41) if times is None else times, []
    for seed in range(runs):
        student = Student.initialise(3, 3, scale=0.7, seed=seed)
        if a is not None:
            student = Student(student.W, a, trainable=False)
        problem = Problem(Teacher.from_eigenvalues([2, -1], 3), student, weight_decay=decay)
        found.append(GradientFlow(problem).integrate(times=times))
    return np.stack([path.W for path in found]), np.stack([path.A for path in found]), times


@pytest.mark.parametrize("uneven", [False, True])
def test_balances_that_decay_are_told_by_their_rate(uneven):
    """ρ = 0.15: every c_k falls as e^{−0.3t} and is called decaying, none conserved; also at uneven times."""
    times = np.append(0, np.geomspace(0.05, 2, 40)) if uneven else None
    W, A, times = decaying_records(0.15, times=times)
    found = infer_quantities(W[0], A[0], times=times, tolerance=1e-3)
    assert found.quantities == ()
    assert found.nearly_constant == ()
    assert [q.formula for q in found.decaying] == [f"‖w_{k}‖² − 2 a_{k}²" for k in range(3)]
    np.testing.assert_allclose([q.rate for q in found.decaying], 0.3, rtol=1e-6)
    assert max(q.residual for q in found.decaying) < 1e-8
    assert "3 decaying, not conserved" in found.summary()
    assert "e^(-0.3t) as weight decay has it" in found.summary()
    assert max(q.constancy for q in found.decaying) > 1e-3


def test_small_balances_that_decay_are_not_called_constant():
    """ε = 0.1: c_k hardly moves beside what it could, below 1e-2, but falls by a factor 1.8: that is decay."""
    student = Student.initialise(3, 3, scale=0.1, seed=1)
    problem = Problem(Teacher.from_eigenvalues([4, 2, 1]), student, weight_decay=0.1)
    path = GradientFlow(problem).integrate(t_end=3, samples=41)
    found = infer_quantities(path.W, path.A, times=path.times)
    assert found.quantities == ()
    assert len(found.decaying) == 3
    assert min(q.constancy for q in found.decaying) < found.tolerance


def test_rates_without_times_are_per_record():
    """41 records over t = 2: 0.3 · 0.05 per record, and a note says that."""
    W, A, _ = decaying_records(0.15, runs=2)
    found = infer_quantities(W, A, tolerance=1e-3)
    np.testing.assert_allclose([q.rate for q in found.decaying], 0.015, rtol=1e-6)
    assert any("per record" in note for note in found.notes)


def test_products_that_decay():
    """a = (1, 1, −1) fixed: w_0·w_2 and w_1·w_2 fall as e^{−2ρt}; ‖w‖² − h a² with fixed a is no candidate."""
    W, A, times = decaying_records(0.25, a=[1.0, 1.0, -1.0])
    found = infer_quantities(W, A, times=times, tolerance=1e-3)
    assert [q.formula for q in found.decaying] == ["w_0·w_2", "w_1·w_2"]
    np.testing.assert_allclose([q.rate for q in found.decaying], 0.5, rtol=1e-6)
    assert found.quantities == ()


def test_unequal_decay_is_no_exponential():
    """ρ_a = 3ρ_w: nothing is conserved, and no common exponential passes 1e-3."""
    W, A, times = decaying_records((0.2, 0.6))
    found = infer_quantities(W, A, times=times, tolerance=1e-3)
    assert found.quantities == found.decaying == ()


def test_without_decay_nothing_decays():
    W, A, times = decaying_records(0.0)
    found = infer_quantities(W, A, times=times, tolerance=1e-6)
    assert len(found.quantities) == 3
    assert found.decaying == ()


def test_times_that_do_not_fit():
    W, A, times = decaying_records(0.15)
    for wrong in (times[:-1], times[::-1]):
        with pytest.raises(ProblemError, match="increasing"):
            infer_quantities(W, A, times=wrong)


def test_drift_that_lets_a_balance_fall_is_no_decay():
    """Heavy ball without decay drives c < 0 up towards zero, |c| by 16 %: the drift of its steps explains it better."""
    problem = Problem(Teacher.from_eigenvalues([2, 1]), Student([[0.15, 0.1]], [0.6]))
    flow = GradientFlow(problem, reduce=False)
    theta, velocity, states = flow.theta0, 0.0, [flow.theta0]
    for _ in range(50):
        velocity = 0.5 * velocity + flow(0.0, theta)
        theta = theta + 0.005 * velocity
        states.append(theta)
    W, A = flow.unpack(np.array(states))
    c = np.sum(W**2, axis=(1, 2)) - 2 * A[:, 0, 0] ** 2
    assert 0.85 * c[0] < c[-1] < 0
    found = infer_quantities(W, A, tolerance=0.03)
    assert found.decaying == ()
    assert len(found.nearly_constant) == 1


def test_decay_too_slow_to_matter_counts_as_constant():
    """ρ = 1e-6: c falls by 4e-6 of itself over the records, far below the tolerance."""
    W, A, times = decaying_records(1e-6)
    found = infer_quantities(W, A, times=times, tolerance=1e-3)
    assert len(found.quantities) == 3
    assert found.decaying == ()


def test_a_balance_that_noise_moves_is_named_with_its_movement():
    """A random walk added to w of one unit: its balance alone is missing, and how far it went is measured.

    The largest distance from the start, and the root of the mean square about the mean, are those of ‖w‖² − 2a² as
    NumPy computes them; the possible movement is that of the other units' definition, held to it elsewhere.
    """
    W, A = records(d=4)
    rng = np.random.default_rng(0)
    W[0, :, 1] += 0.02 * np.cumsum(rng.normal(size=W[0, :, 1].shape), axis=0)
    found = infer_quantities(W[0], A[0], tolerance=1e-3, search="known")
    assert [q.formula for q in found.quantities] == ["‖w_0‖² − 2 a_0²", "‖w_2‖² − 2 a_2²"]
    (q,) = found.moving
    assert q.formula == "‖w_1‖² − 2 a_1²"
    c = np.sum(W[0, :, 1] ** 2, axis=1) - 2 * A[0, :, 0, 1] ** 2
    assert q.drift == pytest.approx(np.abs(c - c[0]).max())
    assert q.constancy * q.movement == pytest.approx(np.std(c))
    assert q.constancy > 1e-3
    assert "1 balance not constant to 0.001" in found.summary()
    assert f"drift {q.drift:.2g}, moves by {q.constancy:.1e}" in found.summary()


def test_what_is_conserved_or_broken_by_steps_is_not_called_moving():
    """Each unit stands in one list."""
    W, A = records(d=4)
    assert infer_quantities(W[0], A[0], tolerance=1e-6).moving == ()


def test_what_does_not_move_has_no_slope():
    """A drift that is zero at every record, as of weights that rest: nothing is divided by it."""
    assert inference._slope(np.zeros((2, 4)), np.arange(8.0).reshape(2, 4)) == 0
