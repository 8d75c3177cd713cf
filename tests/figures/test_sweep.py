"""Figures of sweeps draw the data they are given; made-up data, so that every cell and marker is known."""

from itertools import pairwise

import numpy as np
import pytest
from drawn import names

from empirical.sweep.fits import PowerLaw
from empirical.sweep.reading import SweepCurves, SweepMap
from figures.sweep import phase_map, scaling_curves


def sweep_map(**changes):
    given = {
        "x_name": "init_scale",
        "y_name": "hidden",
        "x": np.array([1e-3, 1e-2, 1e-1]),
        "y": np.array([2, 4]),
        "values": np.array([[0.0, 0.5, 1.0], [1.0, 1.0, 0.25]]),
        "label": "fraction that ends below loss 1",
        "fraction": True,
    }
    return SweepMap(**(given | changes))


def curves(**changes):
    x = np.array([1.0, 10.0, 100.0])
    median = np.array([x**2, 3 * x])
    given = {
        "x_name": "init_scale",
        "x": x,
        "curve_name": "hidden",
        "curves": np.array([2, 4]),
        "median": median,
        "low": 0.5 * median,
        "high": 2 * median,
        "label": "time to loss 1",
        "fraction": False,
    }
    return SweepCurves(**(given | changes))


def test_every_cell_has_its_colour_around_its_value():
    figure = phase_map(sweep_map())
    axes, bar = figure.axes
    (mesh,) = axes.collections
    np.testing.assert_array_equal(mesh.get_array(), sweep_map().values)
    assert mesh.get_clim() == (0, 1)
    corners = mesh.get_coordinates()
    np.testing.assert_allclose(corners[0, :, 0], np.geomspace(10**-3.5, 10**-0.5, 4))
    np.testing.assert_allclose(corners[:, 0, 1], [1, 3, 5])
    assert axes.get_xscale() == "log"
    assert axes.get_yscale() == "linear"
    assert axes.get_xlabel() == "initial scale ε"
    assert "fraction" in bar.get_ylabel()
    figure.canvas.draw()


def test_cells_without_a_value_are_said_to_be_so():
    values = np.array([[1.0, np.nan, 1e3], [2.0, 3.0, 1e-12]])
    figure = phase_map(sweep_map(values=values, fraction=False))
    axes = figure.axes[0]
    assert axes.collections[0].get_array().mask.tolist() == np.isnan(values).tolist()
    assert names(figure) == ["no value"]
    assert axes.collections[0].get_clim() == pytest.approx((1e-3, 1e3))  # six decades, the rest is "below"
    figure.canvas.draw()
    assert not phase_map(sweep_map()).legends


def test_cells_that_diverged_are_crossed_and_said_to_be_so():
    """The one at ε = 0.1 and K = 4, around its values; what has no value for another reason is another matter."""
    values = np.array([[1.0, np.nan, 3.0], [2.0, 3.0, np.nan]])
    diverged = np.array([[False, False, False], [False, False, True]])
    figure = phase_map(sweep_map(values=values, fraction=False, diverged=diverged))
    (crossed,) = figure.axes[0].patches
    assert crossed.get_hatch() == "xxxx"
    np.testing.assert_allclose(crossed.get_xy(), [10**-1.5, 3])
    np.testing.assert_allclose(
        np.add(crossed.get_xy(), [crossed.get_width(), crossed.get_height()]), [10**-0.5, 5]
    )
    assert names(figure) == ["diverged: $L$(end) > 2 $L(0)$", "no value"]
    assert [patch.get_hatch() for patch in figure.legends[0].get_patches()] == ["xxxx", "////"]
    only = np.where(np.isnan(values), [[0, 4.0, 0], [0, 0, np.nan]], values)
    figure = phase_map(sweep_map(values=only, fraction=False, diverged=diverged))
    assert names(figure) == ["diverged: $L$(end) > 2 $L(0)$"]
    assert figure.axes[0].patch.get_hatch() is None
    figure.canvas.draw()


def drawn_map(**changes):
    """Axes, mesh and corners (rows + 1, columns + 1, 2) of a map that was drawn."""
    figure = phase_map(sweep_map(**changes))
    figure.canvas.draw()
    axes = figure.axes[0]
    (mesh,) = axes.collections
    return axes, mesh, mesh.get_coordinates()


def test_a_map_without_any_value_is_hatched_all_over():
    axes, mesh, _ = drawn_map(values=np.full((2, 3), np.nan), fraction=False)
    assert mesh.get_array().mask.all()
    assert axes.patch.get_hatch() == "////"
    assert mesh.get_clim() == (0, 1)


def test_teachers_are_numbered_and_named_on_their_axis():
    axes, mesh, corners = drawn_map(y=np.array(["4,2,1", "2,1"]), y_name="teacher")
    assert [t.get_text() for t in axes.get_yticklabels()] == ["4,2,1", "2,1"]
    np.testing.assert_array_equal(axes.get_yticks(), [0, 1])
    np.testing.assert_array_equal(corners[:, 0, 1], [-0.5, 0.5, 1.5])
    np.testing.assert_array_equal(mesh.get_array(), sweep_map().values)


def test_a_single_value_has_a_cell_of_width_one():
    axes, mesh, corners = drawn_map(x=np.array([0.5]), values=np.array([[1.0], [0.0]]))
    np.testing.assert_array_equal(corners[0, :, 0], [0.0, 1.0])
    assert axes.get_xscale() == "linear"
    np.testing.assert_array_equal(mesh.get_array(), [[1.0], [0.0]])


def test_equal_values_have_a_scale_that_holds_them():
    """0.7 everywhere: Matplotlib widens an empty range, and no cell counts as "below"."""
    _, mesh, _ = drawn_map(values=np.full((2, 3), 0.7), fraction=False)
    low, high = mesh.get_clim()
    assert low <= 0.7 <= high
    assert not mesh.get_array().mask.any()
    assert mesh.colorbar.extend == "neither"


def test_medians_are_markers_and_fits_lines():
    fits = (PowerLaw(2.0, 0.01, 1.0), PowerLaw(-1.0, 0.2, 3.0))
    figure = scaling_curves(curves(fits=fits))
    (axes,) = figure.axes
    drawn = [line for line in axes.lines if len(line.get_xdata()) == 3]
    for line, median in zip(drawn, curves().median, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), median)
        assert line.get_linestyle() == "None"
    assert drawn[0].get_marker() != drawn[1].get_marker()
    fitted = [line for line in axes.lines if len(line.get_xdata()) == 100]
    np.testing.assert_allclose(fitted[0].get_ydata(), fitted[0].get_xdata() ** 2)
    np.testing.assert_allclose(fitted[1].get_xdata()[[0, -1]], [1, 100])
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == [
        "hidden units $K$ = 2, fitted exponent 2 ± 0.01",
        "hidden units $K$ = 4, fitted exponent −1 ± 0.2",
    ]
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert axes.get_ylabel() == "time to loss 1"
    assert len(axes.collections) == 2  # the bands
    figure.canvas.draw()


def test_one_curve_of_a_fraction_needs_no_legend():
    half = np.full((1, 3), 0.5)
    figure = scaling_curves(
        curves(curve_name="", curves=np.array([""]), median=half, low=half, high=half, fraction=True)
    )
    assert not figure.legends
    assert figure.axes[0].get_ylim()[1] < 1.1
    figure.canvas.draw()


def test_names_stand_beside_each_other():
    """Markers at 0, 1, 2 and a twentieth to the left and right of it, with bars from the low to the high quantile."""
    words = np.array(["erf", "quadratic", "polynomial:0,1,0.2"])
    (axes,) = scaling_curves(curves(x=words, x_name="activation")).axes
    markers = [line for line in axes.lines if len(line.get_xdata()) == 3]
    for line, bars, shift, median in zip(
        markers, axes.collections, (-0.05, 0.05), curves().median, strict=True
    ):
        np.testing.assert_allclose(line.get_xdata(), np.arange(3) + shift)
        np.testing.assert_array_equal(line.get_ydata(), median)
        assert line.get_linestyle() == "None"
        ends = [[[x, 0.5 * y], [x, 2 * y]] for x, y in zip(np.arange(3) + shift, median, strict=True)]
        np.testing.assert_allclose(bars.get_segments(), ends)
    assert [t.get_text() for t in axes.get_xticklabels()] == words.tolist()
    assert axes.get_xlabel() == "activation" and axes.get_xlim() == (-0.5, 2.5)


def test_crowded_names_are_turned():
    """No two of them overlap, whether they are turned or not."""
    for words in (["erf", "tanh", "relu"], ["polynomial:0,1,0.2", "quadratic", "leaky-relu:0.1"]):
        figure = phase_map(sweep_map(x=np.array(words), x_name="activation"))
        figure.canvas.draw()
        labels = figure.axes[0].get_xticklabels()
        assert [label.get_rotation() > 0 for label in labels] == [len("".join(words)) > 24] * 3
        if labels[0].get_rotation() == 0:
            boxes = [label.get_window_extent() for label in labels]
            assert all(one.x1 < other.x0 for one, other in pairwise(boxes))


def test_a_fit_is_straight_on_logarithmic_axes():
    """y = 3/x at 1, 2, 3, whose axes would be linear; the law has points enough to be right on axes made linear."""
    x = np.array([1.0, 2.0, 3.0])
    law = {"fits": (PowerLaw(-1.0, 0.1, 3.0),), "curves": np.array([""]), "curve_name": ""}
    values = {"median": 3 / x[None], "low": 2 / x[None], "high": 4 / x[None]}
    (plain,) = scaling_curves(curves(x=x, **(law | {"fits": ()}), **values)).axes
    assert plain.get_xscale() == plain.get_yscale() == "linear"
    (axes,) = scaling_curves(curves(x=x, **law, **values)).axes
    assert axes.get_xscale() == axes.get_yscale() == "log"
    for axis in (axes.xaxis, axes.yaxis):
        assert len(shown_ticks(axis)) >= 3
    (line,) = [line for line in axes.lines if len(line.get_xdata()) > 3]
    np.testing.assert_allclose(line.get_ydata(), 3 / line.get_xdata(), rtol=1e-12)
    middle = np.argmin(np.abs(line.get_xdata() - 2))
    assert line.get_ydata()[middle] == pytest.approx(1.5, rel=0.01)  # the chord has 2


def test_a_fit_goes_over_its_points_only_and_what_is_left_out_is_said():
    """Points at 1, 10 and 100 of five; two points of the other curve are no law."""
    x = 10.0 ** np.arange(-1, 4)
    median = np.array([[np.nan, 1, 100, 1e4, np.nan], [np.nan, 3, 4, np.nan, np.nan]])
    counts = "not drawn of 10 points: 5 never reached loss 1"
    given = {"low": median, "high": median, "fits": (PowerLaw(2.0, 0.01, 1.0), None), "left_out": counts}
    figure = scaling_curves(curves(x=x, median=median, **given))
    (axes,) = figure.axes
    (line,) = [line for line in axes.lines if len(line.get_xdata()) == 100]
    np.testing.assert_allclose(line.get_xdata()[[0, -1]], [1, 100])
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == [
        "hidden units $K$ = 2, fitted exponent 2 ± 0.01",
        "hidden units $K$ = 4, no fit: 2 points",
        counts,
    ]
    one = {"median": median[:1], "low": median[:1], "high": median[:1], "curves": np.array([""])}
    alone = scaling_curves(curves(x=x, curve_name="", left_out=counts, **one))
    assert [text.get_text() for text in alone.legends[0].get_texts()] == [counts]


def test_axes_over_less_than_two_powers_of_ten_have_more_names():
    """0.1 to 0.8 has one power of ten, 0.03 to 0.2 another; whole numbers that are few have each their own."""
    x, y, values = np.geomspace(0.1, 0.8, 3), np.geomspace(0.03, 0.2, 3), np.ones((3, 3))
    figure = phase_map(sweep_map(x=x, y=y, y_name="step", values=values))
    assert {figure.axes[0].get_xscale(), figure.axes[0].get_yscale()} == {"log"}
    for axis in (figure.axes[0].xaxis, figure.axes[0].yaxis):
        low, high = axis.get_view_interval()
        ticks = [(t, text) for t, text in shown_ticks(axis) if low <= t <= high]
        assert len(ticks) >= 3
        assert all(float(text) == pytest.approx(t) for t, text in ticks)
    batch = phase_map(sweep_map(y=np.array([1, 64]), y_name="batch")).axes[0]
    assert batch.get_yscale() == "log"
    assert [(t, text) for t, text in shown_ticks(batch.yaxis)] == [(1, "1"), (64, "64")]


def shown_ticks(axis):
    """Places and names of ticks that have a name."""
    axis.figure.draw_without_rendering()
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    return [(tick.get_loc(), tick.label1.get_text()) for tick in ticks if tick.label1.get_text()]


def test_colours_over_less_than_two_powers_of_ten_have_names():
    figure = phase_map(sweep_map(values=np.array([[0.3, 1.0, 2.0], [3.0, 4.0, 7.0]]), fraction=False))
    names_of_colours = [text for t, text in shown_ticks(figure.axes[1].yaxis) if 0.3 <= t <= 7]
    assert names_of_colours == ["1", "0.5", "2", "5"]
