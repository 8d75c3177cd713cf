"""The figure of several activations draws their flows, networks and plateaus."""

from types import SimpleNamespace

import numpy as np
import pytest
from drawn import assert_aligned, bands, names

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.activations import Activation
from dynamics.curves.stages import Stage
from empirical import train
from empirical.experiments.activations import ActivationCurves
from figures.activations import activations_figure
from figures.markers import markers_along
from figures.style import LINES, MARKERS

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


T = np.linspace(0, 6, 61)
EIGENVALUES = np.array([5.0, 4, 3, 2, 1])


def made_up(activation, rate, *heights):
    """A flow whose loss falls by `rate` decades per unit of time from 40, and three networks: 1/2, 1, 3 times it."""
    loss, modes = 40 * 10.0 ** (-rate * T), np.outer((T / 6) ** 2, EIGENVALUES)
    flow = SimpleNamespace(
        problem=SimpleNamespace(
            activation=Activation.parse(activation), has_modes=True, mode_targets=EIGENVALUES
        ),
        times=T,
        loss=loss,
        modes=modes,
        stages=tuple(Stage(n, n + 0.5, 40 * height, ()) for n, height in enumerate(heights)),
    )
    factors = np.array([0.5, 1, 3])[:, None]
    return flow, SimpleNamespace(times=T, loss=factors * loss, modes=factors[..., None] * modes)


def test_two_rows_in_full():
    """Plateaus, flow, band (of three: 0.6 and 2.6 times the median) and at most twelve markers; four modes of five."""
    rows = [made_up("quadratic", 1.0, 0.5, 0.05, 1.1e-4, 0.9e-4), made_up("relu", 0.5, 0.7)]
    figure = activations_figure([ActivationCurves(*row) for row in rows])
    axes = np.reshape(figure.axes, (2, 2))
    heights = ([0.5, 0.05, 1.1e-4], [0.7])
    for (left, right), (flow, _), levels in zip(axes, rows, heights, strict=True):
        relative = flow.loss / 40
        plateaus = [c for c in left.collections if hasattr(c, "get_segments")]
        drawn = [plateau.get_segments()[0] for plateau in plateaus]
        expected = [[[n, height], [n + 0.5, height]] for n, height in enumerate(levels)]
        np.testing.assert_allclose(drawn, expected)
        assert [c.get_label() for c in plateaus] == ["plateau"] + ["_"] * (len(levels) - 1)
        (band,) = bands(left)
        np.testing.assert_allclose([band[t] for t in T.tolist()], np.outer(relative, [0.6, 2.6]))
        line, markers = left.lines
        np.testing.assert_array_equal(line.get_xydata(), np.stack([T, relative], axis=1))
        shown = markers_along(T, np.log10(np.maximum(relative, 1e-4)), 12)
        shown = shown[relative[shown] > 1e-4]
        np.testing.assert_allclose(markers.get_xydata(), np.stack([T, relative], axis=1)[shown])
        shown = markers_along(T, (T / 6) ** 2, 12)
        unit, *others = right.lines
        assert set(unit.get_ydata()) == {1}
        assert len(others) == 3 * 4
        for i, (line, entry, markers) in enumerate(zip(*(others[k::3] for k in range(3)), strict=True)):
            np.testing.assert_allclose(line.get_xydata(), np.stack([T, (T / 6) ** 2], axis=1))
            np.testing.assert_allclose(
                markers.get_xydata(), np.stack([T, (T / 6) ** 2], axis=1)[shown], atol=1e-14
            )
            assert markers.get_marker() == entry.get_marker() == MARKERS[i]
            twin = right.plot([], [], linestyle=LINES[i])[0]
            assert line.get_linestyle() == entry.get_linestyle() == twin.get_linestyle()
        for panel in (left, right):
            assert panel.get_xlim() == (0, 6)
            ticks = panel.xaxis.get_major_locator().tick_values(0, 5)
            assert len(ticks) == 5  # four intervals at most, of 3/2
    assert names(figure) == [
        *("plateau", "gradient flow", "3 networks"),
        *(rf"mode $\lambda_{i + 1} = {5 - i}$" for i in range(4)),
    ]
    assert [panel.get_title(loc="left") for panel in axes[:, 0]] == ["quadratic $z^2$", "ReLU"]
    for column in axes.T:
        assert_aligned(figure, *column)


@pytest.mark.parametrize(
    ("activation", "title"), [("centred", "centred $z^2 - \\langle z^2\\rangle$"), ("abs", "$|z|$")]
)
def test_one_network_and_its_title(activation, title):
    flow, run = made_up(activation, 1.0)
    alone = SimpleNamespace(times=T, loss=run.loss[:1], modes=run.modes[:1])
    figure = activations_figure([ActivationCurves(flow, alone)])
    assert names(figure)[:2] == ["gradient flow", "1 network"]
    assert figure.axes[0].get_title(loc="left") == title
