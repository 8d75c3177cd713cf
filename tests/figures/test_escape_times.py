"""The figure of escape times draws lines and medians that are given, and says what is not known."""

import numpy as np
import pytest
from drawn import assert_decades, names

from dynamics.activations import Activation
from empirical.escape import TrainedEscape
from empirical.experiments.escape import EscapeCurve, EscapeTimes, NoiseCurve
from figures.escape_times import HIGHEST, escape_times_figure
from figures.style import save_figure

D = np.array([7, 14, 28])
INF = np.inf


def trained(inputs, *times, step=0.1):
    return TrainedEscape(inputs, np.array(times, dtype=float), step, 1, 99.0, "fused")


def curve(name, k, runs=(), leading=True):
    flow = np.array([1.0, 2.0, 4.0]) * k
    return EscapeCurve(Activation.parse(name), k, D, flow, flow + 1 if leading else None, tuple(runs))


def noise(*runs):
    return NoiseCurve(
        Activation.parse("hermite:2"),
        50,
        0.3,
        0.8,
        2.0,
        np.array([0.1, 0.2]),
        np.array([1.5, 3.0]),
        0.33,
        runs,
    )


def bars(axes, n):
    """Medians, lower and upper ends of the n-th error bars."""
    container = axes.containers[n]
    x, y = container.lines[0].get_xydata().T
    low, high = np.array([segment[:, 1] for segment in container.lines[2][0].get_segments()]).T
    return x.tolist(), y.tolist(), low.tolist(), high.tolist()


def test_lines_and_networks():
    """Of 3 networks the quartiles are themselves, by order statistics."""
    runs = (trained(7, 1.5, 1, 2), trained(14, 3, 5, 4))
    times = EscapeTimes((curve("hermite:2", 2, runs), curve("hermite:4", 4)), 0.4, None)
    figure = escape_times_figure(times)
    (axes,) = figure.axes
    flows = [line for line in axes.lines if line.get_linestyle() != ":" and len(line.get_xdata()) == 3]
    laws = [line for line in axes.lines if line.get_linestyle() == ":"]
    for given, flow, law in zip(times.curves, flows, laws, strict=True):
        np.testing.assert_array_equal(flow.get_xydata(), np.stack([D, given.flow], axis=1))
        np.testing.assert_array_equal(law.get_xydata(), np.stack([D, given.leading], axis=1))
        assert flow.get_color() == law.get_color()
    assert flows[0].get_linestyle() != flows[1].get_linestyle()
    assert bars(axes, 0) == ([7, 14], [1.5, 4], [1, 3], [2, 5])
    assert len(axes.containers) == 1
    assert [text.get_text() for text in axes.texts] == [r"$\propto \ln d$", r"$\propto d$"]
    assert [text.xy for text in axes.texts] == [(28, 8), (28, 16)]
    assert names(figure) == [
        *(Activation.parse(name).label for name in ("hermite:2", "hermite:4")),
        *("flow", "leading term", "trained"),
    ]
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert_decades(axes.xaxis)
    assert_decades(axes.yaxis)
    assert axes.get_xlabel() == "input dimension $d$"
    assert axes.get_ylabel() == "time $t$ of the flow to $m = 0.4$"


@pytest.mark.parametrize(
    ("k", "law"), [(1, "constant"), (3, r"$\propto \sqrt{d}$"), (7, r"$\propto d^{2.5}$")]
)
def test_laws_by_name(k, law):
    (axes,) = escape_times_figure(EscapeTimes((curve("relu", k, leading=k > 1),), 0.5, None)).axes
    assert [text.get_text() for text in axes.texts] == [law]
    assert len(axes.lines) == (1 if k == 1 else 2)


def test_unfinished_networks():
    """An unknown upper quartile is an arrow from the median, here to twice that; an unknown median is not drawn."""
    runs = (trained(7, 1, 2, INF), trained(14, 1, INF, INF))
    (axes,) = escape_times_figure(EscapeTimes((curve("hermite:2", 2, runs),), 0.5, None)).axes
    arrow, _ = axes.containers
    assert bars(axes, 1) == ([7], [2], [1], [2])
    assert np.array(arrow.lines[2][0].get_segments()).tolist() == [[[7, 2], [7, 4]]]
    assert arrow.lines[1][0].get_xydata().tolist() == [[7, 4]]  # its head


def test_nobody_finished():
    (axes,) = escape_times_figure(
        EscapeTimes((curve("hermite:2", 2, (trained(7, INF, INF),)),), 0.5, None)
    ).axes
    assert axes.containers[0].lines[0].get_xydata().size == 0


def test_sgd_below():
    """Times over that of the flow, 2; the step times d of each run; an arrow at the edge where not half got there."""
    runs = (trained(50, 3, 4, 6, step=0.002), trained(50, 9, INF, INF, INF, step=0.01))
    figure = escape_times_figure(EscapeTimes((curve("hermite:2", 2),), 0.5, noise(*runs)))
    _, axes = figure.axes
    law, end = axes.lines[:2]
    np.testing.assert_array_equal(law.get_xydata(), [[0.1, 1.5], [0.2, 3.0]])
    assert set(end.get_xdata()) == {0.33}
    assert bars(axes, 0) == ([0.1], [2], [1.5], [3])
    texts = {text.get_text(): text.xy for text in axes.texts}
    assert texts["1 of 4"] == (0.5, HIGHEST)
    assert texts["no learning"][0] == 0.33
    assert f"one-pass SGD, {Activation.parse('hermite:2').label}" in texts
    assert axes.get_ylim() == (0, HIGHEST)
    assert axes.get_xlim() == (0, pytest.approx(0.525))
    assert axes.get_xlabel() == r"step times dimension $\eta d$"
    assert axes.get_ylabel() == r"$T_\mathrm{SGD} / T_\mathrm{flow}$"


def test_it_is_a_file(tmp_path):
    """All of it drawn: fonts have every character, nothing warns."""
    run = trained(7, 1, 2, INF)
    times = EscapeTimes((curve("hermite:2", 2, (run,)), curve("relu", 1, leading=False)), 0.5, noise(run))
    save_figure(escape_times_figure(times), tmp_path / "f.png")
    assert (tmp_path / "f.png").stat().st_size > 1000
