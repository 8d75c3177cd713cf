"""Checks of arguments: what is let through, and one sentence for everything else."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch

from dynamics import FiniteDataFlow, GradientFlow, MeanSGD, Problem, ProblemError, Student, Teacher
from dynamics.closed_forms import OneUnitSGD
from dynamics.closed_forms.decayed_balance import decayed_balance
from dynamics.conserved.drift import predicted_drift
from dynamics.conserved.sample_gradients import gradient_second_moments
from dynamics.escape.single_index import OnePass
from dynamics.schedule_choice import choose_schedule
from dynamics.symbolic import moments
from dynamics.validation import (
    validate_array,
    validate_count,
    validate_label_noise,
    validate_real,
    validate_symmetric,
)

COMPLEX = np.eye(2) + 0j
TEACHER, STUDENT = Teacher.from_eigenvalues([2, 1]), Student.initialise(2, 2)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Teacher(COMPLEX, [1, 1]),
        lambda: Teacher(np.eye(2), [1, 1j]),
        lambda: Teacher.from_eigenvalues([1 + 0j]),
        lambda: Teacher.from_matrix(COMPLEX),
        lambda: Teacher.from_matrix(np.stack([COMPLEX, COMPLEX])),
        lambda: Teacher.from_matrix(torch.eye(2, dtype=torch.complex64)),
        lambda: Student(COMPLEX, [1, 1]),
        lambda: Student(np.eye(2), np.ones(2, dtype=np.complex64)),
        lambda: Problem(TEACHER, STUDENT, covariance=COMPLEX),
        lambda: GradientFlow(TEACHER, STUDENT).integrate(times=np.array([0, 1 + 0j])),
        lambda: FiniteDataFlow(Problem(TEACHER, STUDENT), COMPLEX, [1, 1]),
        lambda: FiniteDataFlow(Problem(TEACHER, STUDENT), np.eye(2), np.array([1, 1j])),
        lambda: moments.moment_tensor(2, COMPLEX),
        lambda: validate_array("X", np.array([np.complex128(1)], dtype=object), 1),
        lambda: validate_array("X", np.array([Fraction(1, 2), 1j], dtype=object), 1),
        lambda: validate_real("x", np.complex64(1)),
        lambda: validate_real("x", 1j),
    ],
)
def test_complex_numbers_are_refused_even_if_they_are_real(make):
    """Warnings are errors here: none of NumPy's is left over."""
    with pytest.raises(ProblemError, match=r"complex|must be a number"):
        make()


@pytest.mark.parametrize(
    "value",
    [["1", "2"], np.array([b"1"]), np.array(["2020-01-01"], dtype="M8[D]"), [10**400], [{}], [[1], [1, 2]]],
)
def test_what_is_no_array_of_numbers(value):
    with pytest.raises(ProblemError, match="real numbers"):
        validate_array("X", value, 1)


def test_a_tensor_that_is_trained_is_no_array():
    with pytest.raises(ProblemError, match="real numbers"):
        validate_array("X", torch.ones(2, requires_grad=True), 1)


def test_long_doubles_beyond_the_range_are_infinite():
    with pytest.raises(ProblemError, match="infinity"):
        validate_array("X", np.array([np.longdouble("1e4000")]), 1)


def test_numbers_of_every_kind_are_numbers():
    for value in (
        [1, 2],
        [True, False],
        [Fraction(1, 2), Decimal("0.5")],
        np.array([1, 2], dtype=np.float16),
    ):
        assert validate_array("X", value, 1).dtype == float


@pytest.mark.parametrize("value", [2**63, 10**30, 10**5000, -(10**5000), np.uint64(2**63)], ids=range(5))
def test_counts_end_where_machine_words_do(value):
    with pytest.raises(ProblemError) as caught:
        validate_count("seed", value, minimum=0)
    assert len(str(caught.value)) < 120
    assert validate_count("seed", 2**63 - 1) == 2**63 - 1


@pytest.mark.parametrize("value", [True, np.True_, "x", None, [1.0], np.ones(1), 10**400, float("nan")])
def test_what_is_no_real_number(value):
    with pytest.raises(ProblemError, match="must be"):
        validate_real("x", value)


def test_symmetric_matrices_keep_every_bit():
    """Numbers whose halves are not exact, and whose sums would overflow."""
    for size in (5e-324, 1.7e308):
        M = np.full((2, 2), size)
        np.testing.assert_array_equal(validate_symmetric("M", M), M)


@pytest.mark.parametrize(
    ("noise", "said"),
    [
        (-1.0, "must not be negative"),
        (float("nan"), "must be finite"),
        (1e308, "at most 1e\\+50"),
        (True, "must be a number"),
    ],
)
def test_label_noise_of_any_theory(noise, said):
    """One guard for all that takes Δ: products of a few Δ stay numbers, so no theory answers with NaN or infinity."""
    with pytest.raises(ProblemError, match=f"`label_noise` is .*{said}"):
        validate_label_noise(noise)
    problem = Problem(Teacher.from_eigenvalues([1.0], 3), Student.initialise(1, 3, scale=0.1))
    for theory in (
        lambda: MeanSGD(problem, 0.1, label_noise=noise),
        lambda: OnePass(0.1, label_noise=noise),
        lambda: OneUnitSGD(3, noise),
        lambda: choose_schedule(problem, 5, label_noise=noise),
        lambda: predicted_drift(problem, 0.1, [0.0, 1.0], batch=2, label_noise=noise),
        lambda: gradient_second_moments(problem, problem.student.W, problem.student.A, noise),
        lambda: decayed_balance(1.0, 3, step=0.1, label_noise=noise, weight_decay=0.1),
    ):
        with pytest.raises(ProblemError, match=f"`label_noise` is .*{said}"):
            theory()
