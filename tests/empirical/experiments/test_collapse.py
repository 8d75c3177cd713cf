"""The diagram of collapse: its boundaries, the networks trained on its grid, and what it counts."""

from dataclasses import replace

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.outcome.collapse import critical_scale
from empirical.experiments.collapse import (
    collapse_diagram,
    critical_scales,
    grid_of_rates,
    grid_of_scales,
)
from empirical.experiments.grid_training import train_grid

START = Problem(
    Teacher.from_eigenvalues([2, 1]), Student.initialise(3, 2, scale=1.0, seed=1), weight_decay=1.0
)


def at(problem, rate, scale):
    student = problem.student
    student = replace(student, W=scale * student.W, A=scale * student.A)
    rates = tuple(rate * rho for rho in problem.weight_decay.rates)
    return replace(problem, student=student, weight_decay=rates)


@pytest.mark.slow
def test_boundaries_are_those_of_the_flow():
    """First: ρT₁. Second: the flow learns one mode below it and both above it, within 5 % at ε ~ 1e-3."""
    critical = critical_scales(START, [0.005, 0.01])
    np.testing.assert_allclose(critical[:, 1], 2 * critical[:, 0], rtol=1e-6)
    assert critical[0, 0] == pytest.approx(critical_scale(at(START, 0.005, 1.0)), rel=1e-12)
    for scale, modes in (
        (0.95 * critical[0, 0], 0),
        (1.05 * critical[0, 0], 1),
        (0.95 * critical[1, 0], 1),
        (1.05 * critical[1, 0], 2),
    ):
        end = GradientFlow(at(START, 0.005, scale)).integrate(samples=2)
        assert (end.modes[-1] > [1, 0.5]).sum() == modes


@pytest.mark.slow
def test_boundaries_of_unequal_decay_and_of_other_sizes():
    """Only the first where rates differ; a start that is ten times smaller has ten times the critical factors."""
    uneven = replace(START, weight_decay=(1.0, 2.0))
    critical = critical_scales(uneven, [0.1])
    assert critical.shape == (1, 1)
    assert critical_scales(START, [0.1])[0, 0] < critical[0, 0] < 2 * critical_scales(START, [0.1])[0, 0]
    smaller = replace(at(START, 1.0, 0.1), weight_decay=1.0)
    np.testing.assert_allclose(critical_scales(smaller, [0.1]), 10 * critical_scales(START, [0.1]), rtol=1e-9)


def test_networks_collapse_where_predicted():
    """Networks at .7 ε* and below, and at 1.3 ε* and above, from two rates of decay: none on the wrong side.

    Sampling noise of steps of 5e-3 with 64 samples moves the logarithm of a small weight by some per cent.
    """
    diagram = collapse_diagram(START, [0.25, 0.5], points=6, seed=1)
    assert diagram.learned.shape == (2, 6)
    assert diagram.disagreement(0.3) == 0
    assert {0, 2} <= set(diagram.learned.ravel())
    assert (np.diff(diagram.learned, axis=1) >= 0).all()
    assert diagram.training.steps == round(6 / 0.25 / 5e-3)
    assert f"{(diagram.learned == 0).sum()} of 12 networks learned nothing" in diagram.summary()
    swapped = replace(diagram, learned=np.where(diagram.learned > 0, 0, 1))
    assert (
        swapped.disagreement(0.3)
        == 12 - (np.abs(diagram.scales / diagram.critical[0][:, None] - 1) <= 0.3).sum()
    )
    assert swapped.disagreement(1e9) == 0


def test_decay_of_a_grid_is_one_step_of_gradient_descent():
    """Zero teacher and zero outputs: θ ← (1 − ηρ)θ for each network and layer with a rate of its own."""
    W, a = np.ones((2, 1, 2)), np.zeros((2, 1))
    rates = np.array([[0.5, 0.0], [0.1, 0.7]])
    how = {"step": 0.1, "steps": 1, "batch": 2}
    end = train_grid(Teacher.from_eigenvalues([0.0, 0.0]), W, a, weight_decay=rates, **how)
    np.testing.assert_allclose(end.W[:, 0, 0], [1 - 0.05, 1 - 0.01], rtol=1e-6)
    end = train_grid(Teacher.from_eigenvalues([0.0, 0.0]), 0 * W, a + 1, weight_decay=rates, **how)
    np.testing.assert_allclose(end.A[:, 0, 0], [1, 1 - 0.07], rtol=1e-6)


def test_grids():
    np.testing.assert_allclose(grid_of_rates([0.1, 0.4, 3]), [0.1, 0.2, 0.4])
    np.testing.assert_allclose(grid_of_scales(np.array([[1.0, 2.0], [4.0, 8.0]]), 3), [0.5, np.sqrt(8), 16])
    for numbers in ([0.1, 0.4], [0.4, 0.1, 3], [0.0, 0.1, 3], [0.1, 0.4, 2.5]):
        with pytest.raises(ProblemError, match="lowest rate"):
            grid_of_rates(numbers)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weight_decay": 0.0}, "needs weight decay"),
        (
            {"student": Student(np.ones((1, 2)), [1.0], trainable=False), "weight_decay": (1.0, 0.0)},
            "needs weight decay and a trained",
        ),
        ({"student": Student(np.zeros((1, 2)), [1.0])}, "No unit of this start can grow"),
        ({"covariance": np.diag([1.0, 2.0])}, "uncorrelated inputs"),
        ({"activation": "linear"}, "`activation` is 'linear', but the verdict on a start is known only for"),
        ({"activation": "relu"}, "`activation` is 'relu', but"),
        ({"teacher_activation": "relu"}, "`teacher_activation` is 'relu', but"),
        ({"weight_decay": (1.0, 0.0)}, "`weight_decay` is 0.1,0, but"),
        (
            {
                "teacher": Teacher.from_matrix([np.eye(2), np.eye(2)]),
                "student": Student(np.ones((1, 2)), np.ones((2, 1))),
            },
            "`outputs` is 2, but",
        ),
    ],
)
def test_what_is_refused(change, said):
    with pytest.raises(ProblemError, match=said):
        collapse_diagram(replace(START, **change), [0.1])
