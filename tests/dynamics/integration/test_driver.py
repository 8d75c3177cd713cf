"""The integrator: exact solutions, sampling, stops, failures."""

import warnings

import numpy as np
import pytest

from dynamics import GradientFlow, Student, Teacher
from dynamics.errors import ProblemError
from dynamics.integration import SOLVERS, Sampling, Stop, VectorField, choose_method, integrate

STEPPING = [name for name, method in SOLVERS.items() if method.sample is None and "numba" not in name]


class Decay(VectorField):
    """θ̇ = −θ, solved by θ₀ e^{−t}."""

    def __call__(self, t, theta):
        return -theta

    def jacobian(self, t, theta):
        return -np.eye(theta.size)

    def curvature(self):
        return lambda theta, v: v.copy()


def sampling(t_end=None, times=None, samples=11, log_times=False):
    return Sampling.create(t_end, times, samples, log_times, horizon=100.0)


@pytest.mark.parametrize("method", ("auto", *STEPPING))
def test_every_method_meets_its_tolerance(method):
    """Global error of a decaying mode stays within 100 rtol of e^{−t}."""
    rtol = 1e-6 if method in ("RK23", "BDF") else 1e-9
    t, theta, report = integrate(Decay(), np.array([1.0, 2.0]), sampling(3.0), method=method, rtol=rtol)
    np.testing.assert_allclose(theta, np.exp(-t)[:, None] * [1, 2], rtol=100 * rtol)
    assert report.status == "finished"
    assert report.evaluations > 0


class StiffDecay(VectorField):
    """θ̇ = −Hθ with eigenvalues 1, 30, 10⁴ of H, and a Jacobian that is a multiple of the right one."""

    def __init__(self, right):
        R = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
        self.H, self.right = (R * [1.0, 30.0, 1e4]) @ R.T, right

    def __call__(self, t, theta):
        return -self.H @ theta

    def jacobian(self, t, theta):
        return -self.right * self.H


@pytest.mark.parametrize("method", ["LSODA", "BDF", "Radau"])
def test_cost_budget(method):
    """Implicit steps need the Jacobian: some 900, 1100 and 3900 evaluations with it, beyond the budget without.

    At a stiffness of 10⁴ × 20 an explicit method takes 10⁵ steps, and so does an implicit one whose Jacobian is
    zero or half of the right one.
    """
    budget = {"LSODA": 1700, "BDF": 2000, "Radau": 8000}[method]
    for right, status in ((1.0, "finished"), (0.0, "failed"), (0.5, "failed")):
        report = integrate(
            StiffDecay(right), np.ones(3), sampling(20.0), method=method, rtol=1e-9, max_evaluations=budget
        )[2]
        assert report.status == status


def test_sample_times():
    np.testing.assert_allclose(
        integrate(Decay(), np.ones(1), sampling(2.0, samples=5))[0], [0, 0.5, 1, 1.5, 2]
    )
    given = [0.0, 0.1, 1.5]
    np.testing.assert_array_equal(integrate(Decay(), np.ones(1), sampling(times=given))[0], given)
    log = integrate(Decay(), np.ones(1), sampling(2.0, samples=6, log_times=True))[0]
    np.testing.assert_allclose(log, [0, 2e-4, 2e-3, 2e-2, 0.2, 2.0])


def test_times_may_start_late_and_end_before_t_end():
    t, theta, report = integrate(Decay(), np.ones(1), sampling(2.0, times=[0.5, 1.0]), rtol=1e-10)
    np.testing.assert_array_equal(t, [0.5, 1.0])
    np.testing.assert_allclose(theta[:, 0], np.exp(-t), rtol=1e-8)
    assert report.time_reached == 2.0


def test_time_zero_is_the_initial_state():
    t, theta, _ = integrate(Decay(), np.array([0.3]), sampling(times=[0.0]))
    np.testing.assert_array_equal(t, [0.0])
    np.testing.assert_array_equal(theta, [[0.3]])


@pytest.mark.parametrize("times", [None, [0.0, 0.2, 5.0]])
def test_a_stop_ends_at_its_zero(times):
    """θ falls to ½ at t = ln 2; the sooner of two stops wins."""
    stops = [Stop("late", lambda t, y: y[0] - 0.1), Stop("half", lambda t, y: y[0] - 0.5)]
    t, theta, report = integrate(Decay(), np.ones(1), sampling(5.0, times), rtol=1e-11, stops=stops)
    assert report.status == "half"
    assert t[-1] == pytest.approx(np.log(2), rel=1e-9)
    assert theta[-1, 0] == pytest.approx(0.5, rel=1e-9)


def test_where_a_stop_comes_is_the_last_of_the_times():
    """Of the times asked for those until then are kept, in their order."""
    stop = Stop("half", lambda t, y: y[0] - 0.5)
    t, _, _ = integrate(Decay(), np.ones(1), sampling(times=[0.0, 0.2, 5.0]), rtol=1e-11, stops=[stop])
    np.testing.assert_allclose(t, [0.0, 0.2, np.log(2)], rtol=1e-9)


def test_a_stop_that_holds_at_the_start_ends_at_once():
    t, _, report = integrate(Decay(), np.ones(1), sampling(5.0), stops=[Stop("there", lambda t, y: -1.0)])
    assert report.status == "there"
    np.testing.assert_array_equal(t, [0.0])


def test_failure_keeps_what_was_computed():
    t, theta, report = integrate(Decay(), np.ones(1), sampling(50.0), rtol=1e-10, max_evaluations=60)
    assert report.status == "failed"
    assert "more than 60 evaluations" in report.message
    assert 0 < report.time_reached < 50
    np.testing.assert_allclose(theta[:, 0], np.exp(-t), rtol=1e-6)


class Broken(Decay):
    """Not a number from t = 1 on."""

    def __call__(self, t, theta):
        return -theta if t < 1 else np.full_like(theta, np.nan)


@pytest.mark.parametrize("method", ["LSODA", "DOP853", "Radau"])
def test_nan_is_a_failure_and_never_a_result(method):
    with np.errstate(invalid="ignore"):
        _, theta, report = integrate(Broken(), np.ones(1), sampling(5.0), method=method, rtol=1e-8)
    assert report.status == "failed"
    assert report.time_reached <= 1.5
    assert np.isfinite(theta).all()


class Noise(Decay):
    """A right-hand side that is different at every call."""

    def __init__(self):
        self.rng = np.random.default_rng(0)

    def __call__(self, t, theta):
        return self.rng.standard_normal(theta.shape)


def test_a_solver_that_gives_up_says_why_once():
    """LSODA warns and returns a number: its reason is the message, and no warning (they are errors here)."""
    report = integrate(Noise(), np.ones(1), sampling(5.0), method="LSODA", rtol=1e-10)[2]
    assert report.status == "failed"
    assert "repeated convergence failures: try another method" in report.message


class Explosion(Decay):
    """θ̇ = θ², which is infinite at t = 1/θ₀."""

    def __call__(self, t, theta):
        return theta**2

    def jacobian(self, t, theta):
        return np.diag(2 * theta)


def test_steps_that_are_only_tried_may_overflow():
    """Near the pole of θ̇ = θ² some lead beyond it: they are rejected without a word (warnings are errors here)."""
    report = integrate(Explosion(), np.full(1, 1e150), sampling(1.0), method="RK45")[2]
    assert report.status == "failed"
    assert report.time_reached == pytest.approx(1e-150, rel=1e-4)


def test_states_end_before_losses_overflow():
    """Tolerances that accept every step pass the pole: at 1e50 there is an end."""
    _, theta, report = integrate(Explosion(), np.ones(1), sampling(1e10), method="RK23", atol=1e200, rtol=0.5)
    assert report.status == "failed"
    assert "leaves the numbers" in report.message
    assert np.abs(theta).max() < 1e50


def test_a_time_that_no_longer_moves_is_a_failure():
    """Towards the pole at t = 10 the steps fall below the spacing of numbers there: LSODA would go on for ever."""
    report = integrate(Explosion(), np.full(1, 0.1), sampling(20.0), method="LSODA", max_evaluations=100_000)[
        2
    ]
    assert report.status == "failed"
    assert "too fast" in report.message
    assert report.time_reached == pytest.approx(10, abs=1e-6)


@pytest.mark.parametrize("method", STEPPING)
def test_the_shortest_time_is_integrated_over(method):
    """θ₀ e^{−t} = θ₀ to the last digit; shorter times, at which steps underflow, are refused."""
    times, theta, report = integrate(Decay(), np.ones(2), sampling(1e-100, samples=3), method=method)
    assert (report.status, report.time_reached) == ("finished", 1e-100)
    np.testing.assert_array_equal(times, [0, 5e-101, 1e-100])
    np.testing.assert_array_equal(theta, 1)
    assert sampling(times=[0]).t_end == 0


def test_choice_of_method():
    assert choose_method("auto", 300).name == "LSODA"
    assert choose_method("auto", 301).name == "DOP853"
    assert choose_method("auto", 301, rtol=0.99e-9).name == "DOP853"
    assert choose_method("auto", 301, rtol=1e-9).name == "Tsit5"
    assert choose_method("auto", 300, rtol=1e-9).name == "LSODA"
    assert choose_method("auto", 301, gradient=True).name == "DOP853/BDF"
    assert choose_method("auto", 301, rtol=1e-9, gradient=True).name == "Tsit5/BDF"
    assert choose_method("auto", 201, gradient=True).name == "DOP853/BDF"
    assert choose_method("auto", 200, gradient=True).name == "LSODA"
    assert choose_method("auto", 3, smooth=False).name == choose_method("auto", 301, False).name == "RK45"
    assert choose_method("Radau", 5000).name == "Radau"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rtol": 1e-16}, "1e-13"),
        ({"rtol": -1}, "positive"),
        ({"atol": 0}, "positive"),
        ({"method": "Euler"}, "LSODA"),
        ({"rtol": float("nan")}, "finite"),
    ],
)
def test_bad_tolerances_are_refused(options, words):
    with pytest.raises(ProblemError, match=words):
        integrate(Decay(), np.ones(1), sampling(1.0), **options)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"times": [1, 0]}, "increasing"),
        ({"times": [0, 0]}, "increasing"),
        ({"times": [-1, 0]}, "non-negative"),
        ({"times": []}, "empty"),
        ({"times": [0, np.nan]}, "NaN"),
        ({"times": [0, 2], "t_end": 1}, "only"),
        ({"t_end": 0}, "positive"),
        ({"t_end": np.inf}, "finite"),
        ({"samples": 1}, "at least 2"),
        ({"t_end": 1e-300}, "`t_end` ends at 1e-300, which is too short"),
        ({"times": [0, 1e-101]}, "`times` ends at 1e-101"),
    ],
)
def test_bad_times_are_refused(arguments, words):
    with pytest.raises(ProblemError, match=words):
        sampling(**arguments)


def test_taylor_needs_a_polynomial():
    with pytest.raises(ProblemError, match="quadratic networks"):
        integrate(Decay(), np.ones(1), sampling(1.0), method="Taylor")


@pytest.mark.parametrize("method", ["LSODA", "RK45"])
def test_of_two_stops_in_one_step_the_sooner_ends_it(method):
    """θ falls to 0.5 and to 0.4999 within one step, at ln 2; in whichever order they are given."""
    stops = [Stop("later", lambda t, y: y[0] - 0.4999), Stop("sooner", lambda t, y: y[0] - 0.5)]
    for given in (stops, stops[::-1]):
        t, _, report = integrate(Decay(), np.ones(1), sampling(5.0), method=method, rtol=1e-6, stops=given)
        assert report.status == "sooner"
        assert t[-1] == pytest.approx(np.log(2), rel=1e-5)


def test_a_solution_that_explodes_under_a_coarse_tolerance_says_so_without_warnings():
    """With rtol = 0.5 explicit steps leave the numbers; the remedy is a smaller tolerance, and NumPy is silent."""
    teacher = Teacher.from_eigenvalues([2.0, 1.0])
    reasons = set()
    for seed in range(30):
        for scale in (0.1, 0.2):
            flow = GradientFlow(teacher, Student.initialise(2, 2, scale=scale, seed=seed))
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                curve = flow.integrate(method="DOP853", rtol=0.5, throw=False, max_evaluations=2000)
            reasons.add(curve.solver.message.rpartition(": ")[2])
    assert "try another method or a smaller rtol)." in reasons
    assert not any("larger" in reason for reason in reasons)
