"""Late-time laws against long integrations of the full flow."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.closed_forms import ExponentialTail, PowerTail, aligned_tail, fixed_layer_tail

TEACHERS = {(5, 2): [2.0, 1.0], (6, 3): [2.0, 1.5, 1.0]}


def late_loss(problem, times):
    return GradientFlow(problem).integrate(times=times).loss


def assert_law_is_reached(law, problem, early):
    """The law's relative error falls at least twentyfold from a time T to 100 T, and is below 5 % at T already.

    Corrections are of the order ln t/t; from T to 100 T that falls by 100 ln T/ln(100 T) ≥ 55 for the T used here, and
    by a third of it where terms of both orders are mixed. The error of a law with another prefactor would stay.
    """
    times = np.array([early, 100 * early])
    errors = np.abs(late_loss(problem, times) / law(times) - 1)
    assert errors[0] < 0.05
    assert errors[1] < errors[0] / 20


@pytest.mark.parametrize(("d", "m"), TEACHERS)
@pytest.mark.parametrize(
    ("activation", "second_layer_value"), [("quadratic", 1.0), ("centred", 1.0), ("quadratic", 1.3)]
)
def test_fixed_second_layer(d, m, activation, second_layer_value):
    """K = d, start of full rank."""
    W = np.random.default_rng(3).standard_normal((d, d)) / 5 + np.eye(d)
    student = Student(W, np.full(d, second_layer_value), trainable=False)
    law = fixed_layer_tail(d, m, second_layer_value, activation)
    assert law.exponent == 2
    problem = Problem(Teacher.from_eigenvalues(TEACHERS[d, m], d), student, activation)
    assert_law_is_reached(law, problem, 300.0)
    if second_layer_value == 1:  # the constants on paper
        expected = (d - m) / 64 * ((m + 2) / (d + 2) if activation == "quadratic" else 1)
        assert law.prefactor == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(("d", "m"), TEACHERS)
@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize("c", [0.0, -0.3])
def test_trained_second_layer_with_an_algebraic_end(d, m, activation, c):
    """One aligned unit per direction, all alike."""
    student = Student(np.sqrt(c + 0.5) * np.eye(d), np.full(d, 0.5))
    law = aligned_tail(TEACHERS[d, m], d, c, activation)
    assert isinstance(law, PowerTail)
    assert law.exponent == (1.5 if c == 0 else 2.0)
    problem = Problem(Teacher.from_eigenvalues(TEACHERS[d, m], d), student, activation)
    assert_law_is_reached(law, problem, 1000.0)


@pytest.mark.parametrize(("d", "m"), TEACHERS)
@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_trained_second_layer_with_an_exponential_end(d, m, activation):
    """c > 0: the logarithmic slope of the loss to 0.3 %."""
    student = Student(np.sqrt(0.8) * np.eye(d), np.full(d, 0.5))
    times = np.array([28.0, 32.0])
    loss = late_loss(Problem(Teacher.from_eigenvalues(TEACHERS[d, m], d), student, activation), times)
    law = aligned_tail(TEACHERS[d, m], d, 0.3, activation)
    assert isinstance(law, ExponentialTail)
    assert -np.diff(np.log(loss))[0] / 4 == pytest.approx(law.rate, rel=3e-3)
    if activation == "centred":
        assert law.rate == pytest.approx(4 * 0.3**2, rel=1e-12)  # uncoupled: ȧ = −2c²a, L ∝ a²


def test_the_rate_is_that_of_the_slowest_modes_of_the_hessian():
    """Twice the lowest non-zero Hessian eigenvalue at the minimum; modes that break the symmetry left aside.

    All d − m unlearned modes alike: the eigenvector of the rate has equal components in them.
    """
    d, lam, c = 5, [2.0, 1.0], 0.3
    law = aligned_tail(lam, d, c)
    a = [np.roots([2, 0, c, -x]).real[np.abs(np.roots([2, 0, c, -x]).imag).argmin()] for x in lam]
    a = np.array(a + [0.0] * 3)
    flow = GradientFlow(Teacher.from_eigenvalues(lam, d), Student(np.diag(np.sqrt(c + 2 * a**2)), a))
    values, vectors = np.linalg.eigh(flow.hessian(flow.theta0))
    symmetric = np.zeros(flow.theta0.size)
    symmetric[-3:] = 1  # a of the unlearned modes
    overlaps = np.abs(symmetric @ vectors)
    rates = 2 * values[(overlaps > 1e-6) & (values > 1e-9)]
    assert law.rate == pytest.approx(rates.min(), rel=1e-9)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: fixed_layer_tail(3, 3), "below the number of inputs"),
        (lambda: fixed_layer_tail(3, 1, 0.0), "nothing is learned"),
        (lambda: fixed_layer_tail(3, 1, 1.0, "relu"), "quadratic and centred"),
        (lambda: aligned_tail([1, -1], 3, 0.0), "negative"),
        (lambda: aligned_tail([1, 1], 2, 0.0), "below the number of inputs"),
        (lambda: aligned_tail([1], 2, np.nan), "finite"),
    ],
)
def test_bad_input_is_refused(call, words):
    with pytest.raises(ProblemError, match=words):
        call()
