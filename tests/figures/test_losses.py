"""What is drawn of losses and classifiers is what was computed: curves, levels, accuracy, read from the artists."""

from dataclasses import replace

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.inputs.data_set import DataSet
from empirical.comparison import Comparison
from empirical.training_run import TrainingRun
from figures import learning_curves, losses_figure

TEACHER = Teacher.from_eigenvalues([4, 2], 2)
rng = np.random.default_rng(0)


def run_beside(trajectory, **more):
    """Two networks that are off by little: nothing is trained."""
    T = len(trajectory.times)
    loss = trajectory.loss * np.array([[0.99], [1.02]])
    modes = np.stack([trajectory.modes, trajectory.modes * 1.01])
    return TrainingRun(
        np.arange(T), trajectory.times, loss, modes, None, None, np.zeros((2, T, 1, 3)), "exactly", **more
    )


@pytest.fixture(scope="module")
def comparisons():
    found = []
    for loss in ("log-cosh", "logistic", "huber:1"):
        student = Student.initialise(3, 2, scale=0.05, seed=3)
        problem = Problem(TEACHER, student, loss=loss, bias=1.0 if loss == "logistic" else 0.0)
        flow = GradientFlow(problem).integrate(samples=300)
        found.append(Comparison(flow, run_beside(flow), None))
    return found


def curve(axes, label):
    (line,) = [line for line in axes.lines if str(line.get_label()).startswith(label)]
    return np.asarray(line.get_xdata()), np.asarray(line.get_ydata())


def test_a_panel_for_each_loss(comparisons):
    """The flow as a line, medians of networks at some of its times, the name of the loss; the fourth panel is empty."""
    figure = losses_figure(comparisons)
    *panels, empty = figure.axes
    for axes, comparison in zip(panels, comparisons, strict=True):
        t, loss = curve(axes, "theory: gradient flow")
        np.testing.assert_array_equal(t, comparison.trajectory.times)
        np.testing.assert_array_equal(loss, comparison.trajectory.loss)
        t, median = curve(axes, "networks: median of 2")
        chosen = np.isin(comparison.run.times, t)
        np.testing.assert_allclose(median, np.median(comparison.run.loss, axis=0)[chosen])
        assert axes.get_title("left") == comparison.trajectory.problem.loss.label
        assert axes.get_xlim() == (0, comparison.trajectory.times[-1])
    assert not empty.axison
    assert [axes.get_ylabel() for axes in panels] == ["loss $L$", "", "loss $L$"]


def test_plateaus_are_marked_at_their_predicted_heights(comparisons):
    """Dotted lines at the levels of stages of the curve, which the tests of the catalogue hold to their equations."""
    for axes, comparison in zip(losses_figure(comparisons).axes, comparisons, strict=False):
        dotted = {
            float(line.get_ydata()[0])
            for line in axes.lines
            if line.get_linestyle() != "-" and len(line.get_xdata()) == 2
        }
        levels = {stage.level.loss for stage in comparison.trajectory.stages if stage.level is not None}
        assert dotted
        assert all(min(abs(height - level) for level in levels) < 1e-9 for height in dotted)


def test_nothing_to_draw():
    with pytest.raises(ProblemError, match="`comparisons` is empty"):
        losses_figure([])


def test_accuracy_has_a_panel_of_its_own(comparisons):
    """Between loss and modes, of classifiers alone: the theory as a line, medians of networks as markers on a band."""
    flow = comparisons[1].trajectory
    shares = np.stack([flow.accuracy - 0.01, flow.accuracy + 0.03])
    figure = learning_curves(flow, run_beside(flow, accuracy=shares, calibration=0 * shares))
    above, between, below = figure.axes
    assert [axes.get_ylabel()[:8] for axes in (above, between, below)] == ["loss $L$", "accuracy", "teacher "]
    line, markers = between.lines
    np.testing.assert_array_equal(line.get_ydata(), flow.accuracy)
    chosen = np.isin(flow.times, markers.get_xdata())
    np.testing.assert_allclose(markers.get_ydata(), flow.accuracy[chosen] + 0.01)
    (band,) = between.collections
    low = np.quantile(shares, 0.1, axis=0)
    assert band.get_paths()[0].vertices[:, 1].min() == pytest.approx(low.min())
    assert len(learning_curves(comparisons[0].trajectory).axes) == 2


def test_accuracy_of_samples_held_out_stands_beside():
    """On a data set: two lines, two sets of markers, in the styles of their losses."""
    X = rng.standard_normal((60, 2))
    y = (X[:, 0] ** 2 > 0.8) * 1.0
    data = DataSet(X[:40], y[:40], X[40:], y[40:])
    problem = Problem(
        None, Student.initialise(3, 2, scale=0.3, seed=1), data=data, loss="logistic", bias="trainable"
    )
    flow = GradientFlow(problem).integrate(t_end=20.0, samples=50)
    held_out = flow.skills["test_"].accuracy
    T = len(flow.times)
    run = TrainingRun(
        np.arange(T), flow.times, flow.loss[None], np.zeros((1, T, 0)), None, None, np.zeros((1, T, 1, 3)), "on all",
        norms=flow.norms[None], test_loss=flow.test_loss[None], accuracy=flow.accuracy[None],
        test_accuracy=held_out[None] - 0.1,
    )  # fmt: skip
    above, between, _ = learning_curves(flow, run).axes
    lines = [np.asarray(line.get_ydata()) for line in between.lines]
    np.testing.assert_array_equal(lines[0], flow.accuracy)
    np.testing.assert_array_equal(lines[2], held_out)
    chosen = np.isin(flow.times, between.lines[3].get_xdata())
    np.testing.assert_allclose(lines[3], held_out[chosen] - 0.1)
    colours = {line.get_label(): line.get_color() for line in above.lines}
    assert between.lines[2].get_color() == colours["theory: held out"]


def test_the_axis_says_which_loss(comparisons):
    assert learning_curves(comparisons[1].trajectory).axes[0].get_ylabel() == "loss $L$ (logistic)"
    square = GradientFlow(Problem(TEACHER, Student.initialise(3, 2, scale=0.3, seed=1))).integrate(t_end=0.1)
    assert learning_curves(square).axes[0].get_ylabel() == "loss $L$ (squared output units)"


def test_names_of_times_are_not_cut_off(comparisons):
    """Until 302 a tick stands at the edge of the last panel of a row: its name, too, lies within the figure."""
    flow = comparisons[0].trajectory
    long = replace(flow, times=flow.times * (302 / flow.times[-1]))
    other = Comparison(long, run_beside(long), None)
    figure = losses_figure([other, other])
    figure.draw_without_rendering()
    for tick in figure.axes[1].xaxis.get_major_ticks():
        if 0 <= tick.get_loc() <= 302:
            assert tick.label1.get_window_extent().x1 <= figure.bbox.x1
