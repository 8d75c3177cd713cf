"""The phase diagrams draw the data they are given; made-up data, so that every marker is known."""

from dataclasses import replace

import numpy as np
import pytest
from drawn import assert_decades, names
from matplotlib.colors import rgb_to_hsv, to_rgb

from empirical.experiments.grid_training import GridTraining
from empirical.experiments.phase_diagram import ScaleDiagram, SingleModeDiagram
from figures.phase_diagram import phase_diagram_figure, scale_diagram
from figures.style import PALETTE


def training(n):
    return GridTraining(np.zeros(n), np.zeros((n, 1, 1)), np.zeros((n, 1, 1)), 1e-3, 10, 8)


def single_mode(p0):
    a0 = np.array([-1.0, -0.5, 0.0, 0.5])
    predicted = (a0[:, None] >= 0) | (p0**2 > 2 * a0[:, None] ** 2)
    trained = predicted.copy()
    trained[0, 0] = ~trained[0, 0]
    return SingleModeDiagram(
        1.0, a0, p0, predicted, np.where(trained, 0.0, 1.5), trained, training(predicted.size)
    )


def series(axes):
    return {line.get_label(): line for line in axes.lines}


def test_every_network_is_a_marker_and_disagreements_are_ringed():
    data = single_mode(np.array([0.3, 1.0, 1.6]))
    figure = phase_diagram_figure(data)
    lines = series(figure.axes[0])
    places = {(a, p): data.trained[i, j] for i, a in enumerate(data.a0) for j, p in enumerate(data.p0)}
    for name, outcome in (("trained: succeeded", True), ("trained: failed", False)):
        drawn = sorted(map(tuple, lines[name].get_xydata()))
        assert drawn == sorted(place for place, trained in places.items() if trained == outcome)
    assert lines["not as predicted"].get_xydata().tolist() == [[-1.0, 0.3]]
    assert lines["trained: succeeded"].get_marker() != lines["trained: failed"].get_marker()


def test_the_separatrix_is_where_c_vanishes():
    axes = phase_diagram_figure(single_mode(np.array([0.3, 1.0, 1.6]))).axes[0]
    a, p = series(axes)["theory: $p_0^2 = 2a_0^2$"].get_xydata().T
    np.testing.assert_allclose(p**2, 2 * a**2)
    assert a.max() == 0


@pytest.mark.parametrize("p0", [[-1.0, 0.5, 1.0], [-1.0, -0.5], [-1.0, 0.0], [0.0, 1.0], [-1.0, 0.0, 1.0]])
def test_first_layer_weights_of_both_signs(p0):
    figure = phase_diagram_figure(single_mode(np.array(p0)))
    curves = [line for line in figure.axes[0].lines if line.get_linestyle() == "-"]
    signs = [1] * (max(p0) > 0) + [-1] * (min(p0) < 0)
    assert [np.sign(line.get_ydata()[0]) for line in curves] == signs
    assert names(figure).count("theory: $p_0^2 = 2a_0^2$") == 1
    figure.canvas.draw()


@pytest.mark.parametrize(("undecided", "title"), [(0.0, "theory"), (0.25, "theory,\n25% undecided")])
def test_scales_side_by_side(undecided, title):
    scale = np.array([0.1, 0.3, 1.0])
    succeeds = np.linspace(0, 1 - undecided, 9).reshape(3, 3)
    fails = 1 - undecided - succeeds
    trained = succeeds + undecided
    data = ScaleDiagram(
        np.array([2, -1.9]), 4, 2, scale, scale, succeeds, fails, trained, 10, True, 3, training(90)
    )
    figure = scale_diagram(data)
    theory, measured, _ = figure.axes
    assert theory.get_title() == title
    np.testing.assert_allclose(theory.collections[0].get_array(), succeeds)
    np.testing.assert_allclose(measured.collections[0].get_array(), trained)
    assert theory.get_xscale() == theory.get_yscale() == "log"
    assert (measured.get_title(), theory.get_ylabel()) == (
        "trained,\n3 of 90 differ",
        "scale of $w$",
    )
    figure.canvas.draw()


def test_the_line_of_mean_balance():
    """E‖w‖² = scale_w² and E a² = scale_a², so that E c = 0 for c = ‖w‖² − 2a² where scale_w = √2 scale_a."""
    few, many = np.array([0.1, 0.3, 1.0]), np.array([0.01, 0.1, 1.0])
    part = np.full((3, 3), 0.5)
    for scale_a, scale_w in ((few, many), (many, few), (many, 100 * few), (100 * few, many)):
        data = ScaleDiagram(np.ones(2), 4, 2, scale_w, scale_a, part, part, part, 10, True, 0, training(90))
        for axes in scale_diagram(data).axes[:2]:
            (line,) = axes.lines
            a, w = line.get_xydata().T
            np.testing.assert_allclose(w**2, 2 * a**2)
            for values, (low, high) in ((a, axes.get_xlim()), (w, axes.get_ylim())):
                assert values[0] <= low and values[1] >= high  # from frame to frame


def test_cells_lie_around_their_scales():
    """Halfway to the neighbours on logarithmic axes, also where scales are a factor 10 apart; nothing is cut."""
    scale_a, scale_w = np.array([0.1, 0.3, 1.2]), np.array([0.01, 0.1, 1.0])
    part = np.full((3, 3), 0.5)
    data = ScaleDiagram(np.ones(2), 4, 2, scale_w, scale_a, part, part, part, 10, True, 0, training(90))
    figure = scale_diagram(data)
    for axes in figure.axes[:2]:
        corners = axes.collections[0].get_coordinates()
        rows, columns = corners[:, 0, 1], corners[0, :, 0]
        np.testing.assert_allclose(rows, 10.0 ** np.array([-2.5, -1.5, -0.5, 0.5]))
        np.testing.assert_allclose(columns, [0.1 / 3**0.5, 0.03**0.5, 0.36**0.5, 2.4])
        np.testing.assert_allclose([axes.get_xlim(), axes.get_ylim()], [columns[[0, -1]], rows[[0, -1]]])
    figure.canvas.draw()
    single = ScaleDiagram(
        np.ones(2),
        4,
        2,
        scale_w[:1],
        scale_a[:1],
        part[:1, :1],
        part[:1, :1],
        part[:1, :1],
        10,
        True,
        0,
        training(10),
    )
    corners = scale_diagram(single).axes[0].collections[0].get_coordinates()
    np.testing.assert_allclose(corners[-1, -1] / corners[0, 0], 2)


def test_the_region_of_failure():
    """Grey is where p² ≤ 2a² and a < 0, for the mode λ > 0 of the diagram."""
    axes = phase_diagram_figure(single_mode(np.array([-1.0, 0.3, 1.0, 1.6]))).axes[0]
    succeeds, (region,) = axes.collections[:-1], axes.collections[-1].get_paths()
    for a in (-1.2, -0.7, -0.3, 0.2, 0.7):
        for p in (-1.2, -0.6, -0.1, 0.1, 0.6, 1.2):
            assert region.contains_point((a, p)) == (a < 0 and p**2 <= 2 * a**2), (a, p)
            inside = [part.get_paths()[0].contains_point((a, p)) for part in succeeds]
            assert any(inside) != region.contains_point((a, p)), (a, p)
    assert (axes.get_xlim(), axes.get_ylim()[0]) == ((-1.25, 0.75), pytest.approx(-1 - 2.6 / 6))
    assert axes.get_xlabel().endswith("$a_0$") and axes.get_ylabel().endswith("$p_0$")


def test_failure_and_success_have_the_colours_of_their_markers():
    """Each region in a pale tone of the markers of its networks: no other colour is as near in hue."""
    axes = phase_diagram_figure(single_mode(np.array([0.3, 1.0, 1.6]))).axes[0]
    tones = rgb_to_hsv([to_rgb(colour) for colour in PALETTE[:5]])[:, 0]
    *succeeds, fails = (part.get_facecolor()[0] for part in axes.collections)
    assert len(succeeds) == 3
    for colour, expected in (*((colour, 0) for colour in succeeds), (fails, 1)):
        on_white = 1 - colour[3] + colour[3] * colour[:3]
        hue, saturation, value = rgb_to_hsv(on_white)
        assert 0.05 < saturation < 0.3 and value > 0.9  # pale, but not white
        assert np.abs((tones - hue + 0.5) % 1 - 0.5).argmin() == expected


def test_markers_and_names_of_a_mode():
    figure = phase_diagram_figure(single_mode(np.array([0.3, 1.0, 1.6])))
    assert names(figure) == [
        *("theory: $p_0^2 = 2a_0^2$", "trained: succeeded", "trained: failed", "not as predicted")
    ]
    lines = series(figure.axes[0])
    shown = [lines[name] for name in names(figure)[1:]]
    assert [line.get_color() for line in shown] == [PALETTE[0], PALETTE[1], PALETTE[6]]
    assert [line.get_marker() for line in shown] == ["o", "x", "o"]
    assert shown[2].get_markersize() > 2 * shown[0].get_markersize()  # a ring around it
    agreed = single_mode(np.array([0.3, 1.0]))
    agreed = replace(agreed, trained=agreed.predicted)
    assert "not as predicted" not in names(phase_diagram_figure(agreed))


def test_where_every_weight_is_positive_nothing_fails():
    """The separatrix shrinks to the origin, and the frame is that of the data: half a cell about them."""
    data = single_mode(np.array([1.0, 2.0]))
    axes = phase_diagram_figure(replace(data, a0=np.array([1.0, 2.0, 3.0, 4.0]))).axes[0]
    assert axes.get_xlim() == (0.5, 4.5)
    assert axes.get_ylim() == (0.5, 2.5)
    (line,) = [line for line in axes.lines if line.get_linestyle() == "-"]
    assert not line.get_xydata().any()


def test_axes_of_scales():
    """Undecided parts above half a per cent are named."""
    scale = np.array([0.1, 0.3, 1.0])
    for undecided, title in ((0.004, "theory"), (0.007, "theory,\n1% undecided")):
        half = np.full((3, 3), 0.5)
        data = ScaleDiagram(
            np.ones(2), 4, 2, scale, scale, half, half - undecided, half, 10, True, 0, training(90)
        )
        figure = scale_diagram(data)
        theory, measured, bar = figure.axes
        assert theory.get_title() == title
        for axes in (theory, measured):
            assert axes.collections[0].get_clim() == (0, 1)
            for axis in (axes.xaxis, axes.yaxis):
                assert_decades(axis, 6)
        assert bar.get_ylabel() == "fraction of 10 starts\nthat succeeds"
        assert bar.get_yticks().tolist() == [0, 0.5, 1]
        assert figure.get_supxlabel() == "scale of $a$   (dashed: $c_k = 0$ on average)"
