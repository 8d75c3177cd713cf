"""The figure of several activations draws their flows, networks and plateaus."""

import numpy as np

from dynamics import GradientFlow, Problem, Student, Teacher
from empirical import train
from empirical.experiments.activations import ActivationCurves
from figures.activations import activations_figure

NAMES = ["quadratic", "relu", "abs"]


def result(activation, networks=True):
    problem = Problem(
        Teacher.from_eigenvalues([2, 1]), Student.initialise(4, 2, scale=0.05, seed=1), activation
    )
    trajectory = GradientFlow(problem).integrate(t_end=5.0, samples=200)
    run = train(problem, steps=20, step=1e-2, batch=16, seeds=2) if networks else None
    return ActivationCurves(trajectory, run)


def test_every_activation_has_a_row_with_its_own_numbers():
    results = [result(name) for name in NAMES]
    figure = activations_figure(results)
    rows = np.reshape(figure.axes, (3, 2))
    for (left, right), curves in zip(rows, results, strict=True):
        trajectory = curves.trajectory
        drawn = next(line for line in left.lines if line.get_color() == "black")
        np.testing.assert_array_equal(drawn.get_ydata(), trajectory.loss / trajectory.loss[0])
        modes = [line.get_ydata() for line in right.lines if len(line.get_ydata()) == len(trajectory.times)]
        np.testing.assert_array_equal(modes, trajectory.modes.T / [[2], [1]])
        shown = [stage for stage in trajectory.stages if stage.loss > 1e-4 * trajectory.loss[0]]
        assert len(left.collections) == len(shown) + 1  # one band of networks
        bars = [bar.get_segments()[0] for bar in left.collections[:-1]]
        expected = [
            [[s.start, s.loss / trajectory.loss[0]], [s.end, s.loss / trajectory.loss[0]]] for s in shown
        ]
        np.testing.assert_array_equal(np.reshape(bars, (-1, 2, 2)), np.reshape(expected, (-1, 2, 2)))
    assert [axes.get_title(loc="left") for axes in rows[:, 0]] == ["quadratic $z^2$", "ReLU", "$|z|$"]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert len(labels) == len(set(labels)) == 5


def test_theory_alone():
    axes = activations_figure([result("relu", networks=False)]).axes
    assert not any(line.get_marker() == "o" and len(line.get_xdata()) for line in axes[0].lines)


def test_order_and_number_of_plateaus_as_stated():
    """The first four of the sixteen starts that the module's notes count."""
    first, plateaus = {name: [] for name in NAMES}, {name: [] for name in NAMES}
    for seed in range(4):
        for name, t_end in zip(NAMES, (60, 60, 40), strict=True):
            student = Student.initialise(8, 6, scale=0.01, seed=seed)
            problem = Problem(Teacher.from_eigenvalues([4, 2, 1], 6), student, name)
            trajectory = GradientFlow(problem).integrate(t_end, samples=1500)
            first[name].append(int((trajectory.modes / [4, 2, 1] > 0.5).argmax(axis=0).argmin()))
            plateaus[name].append(sum(s.loss > 1e-3 * trajectory.loss[0] for s in trajectory.stages))
    assert first == {name: [0] * 4 for name in NAMES}
    assert plateaus == {"quadratic": [3] * 4, "relu": [2, 1, 1, 1], "abs": [1] * 4}
