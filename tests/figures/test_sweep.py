"""Figures of sweeps draw the data they are given; made-up data, so that every cell and marker is known."""

from itertools import pairwise

import numpy as np
import pytest

from empirical.sweep.reading import PowerLaw, SweepCurves, SweepMap
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
    assert "hatched" in axes.get_title()
    assert axes.collections[0].get_clim() == pytest.approx((1e-3, 1e3))  # six decades, the rest is "below"
    figure.canvas.draw()
    assert phase_map(sweep_map()).axes[0].get_title() == ""


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
    fits = (PowerLaw(2.0, 0.01, 1.0), PowerLaw(-1.0, np.nan, 3.0))
    figure = scaling_curves(curves(fits=fits))
    (axes,) = figure.axes
    drawn = [line for line in axes.lines if len(line.get_xdata()) == 3]
    for line, median in zip(drawn, curves().median, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), median)
        assert line.get_linestyle() == "None"
    assert drawn[0].get_marker() != drawn[1].get_marker()
    fitted = [line for line in axes.lines if len(line.get_xdata()) == 2]
    np.testing.assert_allclose(fitted[0].get_ydata(), [1, 1e4])
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == [
        "hidden units $K$ = 2, fitted exponent 2 ± 0.01",
        "hidden units $K$ = 4, fitted exponent −1",
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
    names = np.array(["erf", "quadratic", "polynomial:0,1,0.2"])
    (axes,) = scaling_curves(curves(x=names, x_name="activation")).axes
    markers = [line for line in axes.lines if len(line.get_xdata()) == 3]
    for line, bars, shift, median in zip(
        markers, axes.collections, (-0.05, 0.05), curves().median, strict=True
    ):
        np.testing.assert_allclose(line.get_xdata(), np.arange(3) + shift)
        np.testing.assert_array_equal(line.get_ydata(), median)
        assert line.get_linestyle() == "None"
        ends = [[[x, 0.5 * y], [x, 2 * y]] for x, y in zip(np.arange(3) + shift, median, strict=True)]
        np.testing.assert_allclose(bars.get_segments(), ends)
    assert [t.get_text() for t in axes.get_xticklabels()] == names.tolist()
    assert axes.get_xlabel() == "activation" and axes.get_xlim() == (-0.5, 2.5)


def test_crowded_names_are_turned():
    """No two of them overlap, whether they are turned or not."""
    for names in (["erf", "tanh", "relu"], ["polynomial:0,1,0.2", "quadratic", "leaky-relu:0.1"]):
        figure = phase_map(sweep_map(x=np.array(names), x_name="activation"))
        figure.canvas.draw()
        labels = figure.axes[0].get_xticklabels()
        assert [label.get_rotation() > 0 for label in labels] == [len("".join(names)) > 24] * 3
        if labels[0].get_rotation() == 0:
            boxes = [label.get_window_extent() for label in labels]
            assert all(one.x1 < other.x0 for one, other in pairwise(boxes))
