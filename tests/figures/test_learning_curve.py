"""The learning-curve figure draws the data it is given."""

from dataclasses import replace

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from empirical import compare
from figures import learning_curves


@pytest.fixture(scope="module")
def comparison():
    problem = Problem(Teacher.from_eigenvalues([4, 2, 1], 6), Student.initialise(8, 6, scale=0.1, seed=3))
    return compare(problem, steps=1500, step=2e-3, batch=64, seeds=3, gap="training")


def test_checkpoints_on_a_trajectory_keep_their_own_times(comparison):
    """Every fifth record of the run on the finer curve of the theory: markers at the run's times and medians."""
    run = comparison.run
    few = replace(
        run, steps=run.steps[::5], times=run.times[::5], loss=run.loss[:, ::5], modes=run.modes[:, ::5]
    )
    loss_axes = learning_curves(comparison.trajectory, few).axes[0]
    measured = next(line for line in loss_axes.lines if "median" in line.get_label())
    drawn = dict(zip(few.times, np.median(few.loss, axis=0), strict=True))
    assert len(measured.get_xdata()) > 5
    for t, loss in zip(*measured.get_data(), strict=True):
        assert drawn[t] == loss


def test_theory_is_a_line_and_measurement_markers(comparison):
    loss_axes, mode_axes = learning_curves(comparison).axes
    theory = next(line for line in loss_axes.lines if line.get_label().startswith("theory"))
    np.testing.assert_array_equal(theory.get_ydata(), comparison.trajectory.loss)
    measured = next(line for line in loss_axes.lines if "median" in line.get_label())
    assert measured.get_linestyle() == "None"
    medians = np.median(comparison.run.loss, axis=0)
    assert set(measured.get_ydata()) <= set(medians)
    lines = [line for line in mode_axes.lines if len(line.get_xdata()) == len(comparison.run.times)]
    assert len({line.get_linestyle() for line in lines if line.get_linestyle() != "None"}) == 3
    np.testing.assert_array_equal(lines[0].get_ydata(), comparison.trajectory.modes[:, 0])


def test_plateau_levels_are_drawn_and_labelled(comparison):
    """L_∅, L_{1}, L_{1,2} of λ = (4, 2, 1): 45.5, 8, 1.25 (theory, section 3)."""
    axes = learning_curves(comparison).axes[0]
    heights = {round(line.get_ydata()[0], 9) for line in axes.lines if len(set(line.get_ydata())) == 1}
    assert {45.5, 8.0, 1.25} <= heights
    bars = [segment for bar in axes.collections for segment in getattr(bar, "get_segments", list)()]
    expected = [
        (s.start, s.end, s.level.loss) for s in comparison.trajectory.stages if s.level and s.level.loss > 0.1
    ]
    assert expected
    drawn = [(bar[0, 0], bar[1, 0], bar[0, 1]) for bar in bars]
    np.testing.assert_allclose(drawn[: len(expected)], expected)
    labels = " ".join(text.get_text() for text in axes.texts)
    assert "45.5" in labels
    assert "1.25" in labels


def test_axes_are_labelled_with_units(comparison):
    above, below = learning_curves(comparison).axes
    assert "squared output units" in above.get_ylabel()
    assert "of the flow" in below.get_xlabel()
    assert above.get_yscale() == "log"


def test_theory_alone_and_special_cases():
    """One output or several, given covariance, no teacher at all: a figure in each case, levels only where known."""
    plain = Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(3, 2, scale=0.3))
    several = Problem(Teacher.from_eigenvalues([2, 1], outputs=2), Student.initialise(3, 2, outputs=2))
    correlated = Problem(plain.teacher, plain.student, "quadratic", np.diag([1.0, 2.0]))
    nothing = Problem(Teacher.from_eigenvalues([0.0], 2), plain.student)
    for problem, levels in ((plain, True), (several, False), (correlated, False), (nothing, False)):
        figure = learning_curves(GradientFlow(problem).integrate(t_end=2.0, samples=20))
        assert bool(figure.axes[0].texts) == levels
        figure.canvas.draw()
