"""Exact against Gaussian learning curves: what is measured, what is said of it, and what is refused."""

import io
from dataclasses import replace

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher, gaussian_comparison
from dynamics.errors import IntegrationError
from dynamics.gaussian_theory.comparison import BELOW_ZERO, GaussianComparison, sample_times

SHORT = {"rtol": 1e-9, "samples": 11}


def teacher_on_samples(n=80, **options):
    rng = np.random.default_rng(0)
    X = rng.laplace(size=(n, 3)) @ np.diag([1.0, 0.7, 0.5])
    student = Student.initialise(3, 3, scale=0.5, seed=1)
    return Problem(Teacher.from_eigenvalues([2, 1], 3), student, data=(X, np.zeros(n)), **options)


@pytest.fixture(scope="module")
def found():
    return gaussian_comparison(teacher_on_samples(), 2.0, **SHORT)


def test_what_is_measured(found):
    """Against flows of problems that are set up by hand: samples, Gaussian with their second moment, times γ."""
    problem, t = teacher_on_samples(), found.times
    X = problem.data.X
    exact = GradientFlow(problem).integrate(times=t, rtol=1e-9).loss
    by_hand = Problem(problem.teacher, problem.student, covariance=X.T @ X / len(X))
    gaussian = GradientFlow(by_hand).integrate(times=t, rtol=1e-9).loss
    gamma = found.gaussianity.gamma
    rescaled = gamma * GradientFlow(by_hand).integrate(times=gamma * t, rtol=1e-9).loss
    for ours, theirs in ((found.loss, exact), (found.gaussian, gaussian), (found.rescaled, rescaled)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)
    assert found.measured == pytest.approx(np.abs(gaussian - exact).max() / exact[0], rel=1e-6)
    assert found.measured_rescaled == pytest.approx(np.abs(rescaled - exact).max() / exact[0], rel=1e-6)
    assert found.measured != pytest.approx(found.measured_rescaled, rel=1e-3)


def test_the_bound_at_the_same_weights(found):
    """|L − L_G| ≤ ε L_G along the exact flow, and L between 1 + lowest and 1 + highest times L_G; L_G by hand."""
    g, problem = found.gaussianity, teacher_on_samples()
    by_hand = Problem(problem.teacher, problem.student, covariance=problem.second_moment)
    trajectory = GradientFlow(problem).integrate(times=found.times, rtol=1e-9)
    pairs = zip(trajectory.W, trajectory.A, strict=True)
    expected = [by_hand.population.loss(W, A) for W, A in pairs]
    np.testing.assert_allclose(found.at_same_weights, expected, rtol=1e-6)
    ratio = found.loss / found.at_same_weights
    assert (1 + g.lowest <= ratio).all() and (ratio <= 1 + g.highest).all()
    assert (np.abs(found.loss - found.at_same_weights) <= g.bound * found.at_same_weights).all()


@pytest.mark.parametrize(
    ("distribution", "gamma"), [("gaussian", 1.0), ("sphere", 0.6), ("student-t:6", 2.0)]
)
def test_laws_that_are_another_clock(distribution, gamma):
    """γ of d = 3: 1, d/(d + 2), (ν − 2)/(ν − 4). The rescaled theory is exact; the plain one is for γ = 1 alone."""
    student = Student.initialise(3, 3, scale=0.5, seed=1)
    problem = Problem(Teacher.from_eigenvalues([2, 1], 3), student, distribution=distribution)
    found = gaussian_comparison(problem, 2.0, **SHORT)
    assert found.gaussianity.gamma == pytest.approx(gamma, rel=1e-12)
    assert found.measured_rescaled < 1e-7
    assert (found.measured < 1e-7) == (gamma == 1)
    assert found.answer.startswith("yes" if gamma == 1 else "with its clock times γ")


def test_until_both_flows_have_learned():
    """By twice the time at which 99 % of the falls of both are over; samples fill it in both ways of spacing them.

    The slower flow has then learned 99 % at half of the span, and not at 0.45 of it.
    """
    found = gaussian_comparison(teacher_on_samples(), samples=5)
    half, before = 0.5 * found.times[-1], 0.45 * found.times[-1]
    at = gaussian_comparison(teacher_on_samples(), times=[0, before, half])
    assert max(curve[2] / curve[0] for curve in (at.loss, at.gaussian)) == pytest.approx(0.01, rel=0.05)
    assert max(curve[1] / curve[0] for curve in (at.loss, at.gaussian)) > 0.011
    np.testing.assert_array_equal(found.times, sample_times(found.times[-1], 5))


def test_a_long_tail_does_not_hide_where_they_differ():
    """The largest difference over the default span is that of a fine grid of the same span, within 2 %."""
    problem = replace(teacher_on_samples(), student=Student.initialise(4, 3, scale=0.05, seed=2))
    found = gaussian_comparison(problem)
    fine = gaussian_comparison(problem, times=np.linspace(0, found.times[-1], 3001))
    assert found.measured == pytest.approx(fine.measured, rel=0.02)


def test_sample_times():
    """Five evenly spaced ones, and five over four decades that end at the same time."""
    np.testing.assert_allclose(sample_times(4.0, 5), [0, 4e-4, 4e-3, 4e-2, 0.4, 1, 2, 3, 4])
    assert sample_times(0.0, 5).tolist() == [0]


def test_given_times_are_kept():
    times = [0.0, 0.25, 1.0]
    assert gaussian_comparison(teacher_on_samples(), times=times, **SHORT).times.tolist() == times


def made_up(loss, gaussian, rescaled, **options):
    arrays = [np.array(a, dtype=float) for a in ([0, 1, 2], loss, gaussian, rescaled, gaussian)]
    whole = gaussian_comparison(teacher_on_samples(), times=[0.0, 1e-3], **SHORT)
    names = ("times", "loss", "gaussian", "rescaled", "at_same_weights")
    return replace(whole, **dict(zip(names, arrays, strict=True)), **options)


@pytest.mark.parametrize(
    ("gaussian", "rescaled", "answer"),
    [
        ([4.05, 2, 1], [4, 3, 1], "yes: its learning curve is within 1.25 % of the initial loss"),
        ([4, 3, 1], [4, 2.05, 1], "with its clock times γ: within 1.25 % of the initial loss, 25 % without"),
        ([4, 3, 1], [4, 2, 1.25],
         "roughly: it is off by 25 % of the initial loss (at t = 1), by 6.25 % with its clock times γ (at t = 2)"),
        ([4.25, 2, 1], [4, 3, 1],
         "roughly: it is off by 6.25 % of the initial loss (at t = 0), by 25 % with its clock times γ (at t = 1)"),
        ([3, 2, 1], [4, 2, 3],
         "no: it is off by 25 % of the initial loss (at t = 0), by 50 % with its clock times γ (at t = 2)"),
    ],
)  # fmt: skip
def test_answers(gaussian, rescaled, answer):
    """Losses 4, 2, 1: within 2 % of the first is yes, beyond 10 % no. The differences are plain to see."""
    found = made_up([4, 2, 1], gaussian, rescaled)
    assert found.answer == answer
    assert found.summary().splitlines()[-1] == f"would the Gaussian theory have done? {answer}"


def test_too_early():
    """Where the loss moves from 4 to 3.95, all agree on nothing; unless even the start tells them apart."""
    early = made_up([4, 3.97, 3.95], [4, 3.98, 3.96], [4, 4, 4])
    assert early.answer == "not to be said yet: the loss moves by 1.25 %, go on to later times"
    assert made_up([4, 3.97, 3.95], [3, 3, 3], [3, 3, 3]).answer.startswith("no: ")


def test_nothing_to_learn():
    """What is relative to an initial loss of zero is NaN."""
    found = made_up([0, 0, 0], [0, 0, 0], [0, 0, 0])
    assert np.isnan([found.measured, found.measured_rescaled]).all()
    assert found.answer == "there is nothing to learn from here"
    assert found.warnings == ["the initial loss is zero: what would be relative to it is null"]


def test_warnings(found):
    """A negative least loss; fewer samples than the six products of three inputs."""
    assert found.warnings == []
    assert replace(found, least=-0.1).warnings == [BELOW_ZERO]
    few = gaussian_comparison(teacher_on_samples(5), 0.1, **SHORT)
    assert few.gaussianity.lowest == pytest.approx(-1, abs=1e-12)
    assert few.warnings == [
        "5 samples do not determine the 6 second-order products of inputs: some forms cost nothing on them, and the"
        " spectrum begins at −1"
    ]
    assert few.summary().splitlines()[-1] == f"warning: {few.warnings[0]}"


def test_labels_that_no_gaussian_inputs_have():
    """y = x² for x = ±1 rarely and 0 else, 1/p = 4: E y² = p, B = p; L_G = p/2 − p²/(6p²) < 0 at best for p < 1/3."""
    x = np.array([1.0, 0.0, 0.0, 0.0, 0.0])[:, None]
    problem = Problem(None, Student.initialise(1, 1, scale=0.5, seed=1), data=(x, x[:, 0]))
    found = gaussian_comparison(problem, 0.5, **SHORT)
    assert found.least == pytest.approx(0.2 / 2 - 1 / 6, rel=1e-12)
    assert BELOW_ZERO in found.warnings
    assert "E f²" in found.summary() and "½E f²" in found.summary()


def test_a_file_keeps_the_data(found):
    """Fields are tested with those of all results (`tests/test_one_description.py`)."""
    file = io.BytesIO()
    found.save(file)
    file.seek(0)
    again = GaussianComparison.load(file)
    assert again.summary() == found.summary()
    np.testing.assert_array_equal(again.problem.data.X, found.problem.data.X)


def test_what_is_refused():
    student = Student.initialise(1, 1, seed=1)
    signs = Problem(Teacher.from_eigenvalues([1]), student, "centred", distribution="rademacher")
    with pytest.raises(
        ProblemError, match=r"`distribution` is 'rademacher': squares of its inputs do not vary"
    ):
        gaussian_comparison(signs, 1.0)
    relu = Problem(Teacher.from_eigenvalues([1]), student, "relu")
    with pytest.raises(
        ProblemError, match=r"`activation` is 'relu', but what Gaussian inputs would have given"
    ):
        gaussian_comparison(relu, 1.0)
    with pytest.raises(ProblemError, match="`samples` is 1"):
        gaussian_comparison(teacher_on_samples(), 1.0, samples=1)
    with pytest.raises(IntegrationError):
        gaussian_comparison(teacher_on_samples(), 1.0, max_evaluations=5)


def test_sample_times_of_both_spacings_that_coincide_are_one_time(rng):
    """With 101 of each, 10⁻², 10⁻¹ … of the end are in both, up to rounding, which no other clock may hide or show."""
    for t_end in rng.uniform(0.1, 100, 200):
        times = sample_times(t_end, 101)
        assert (times[0], times[-1]) == (0, t_end)
        assert len(times) == 2 * 101 - 1 - 2  # the end, a hundredth and a tenth of it
        assert (np.diff(times) > 1e-9 * times[1:]).all()
