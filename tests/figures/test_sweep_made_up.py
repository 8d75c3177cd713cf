"""Axes, colours, bands and legends of the figures of sweeps: made-up data, numbers known."""

import numpy as np
import pytest
from drawn import assert_decades, names
from matplotlib.colors import LogNorm

from empirical.sweep.fits import PowerLaw
from empirical.sweep.reading import SweepCurves, SweepMap
from figures.sweep import phase_map, scaling_curves


def drawn_map(values, x=(1.0, 2.0, 3.0), y=(1.0, 2.0), fraction=False, **names):
    given = {"x_name": "init_scale", "y_name": "hidden", "label": "final loss", "fraction": fraction} | names
    return phase_map(SweepMap(x=np.array(x), y=np.array(y), values=np.array(values, dtype=float), **given))


def drawn_curves(median, x=(1.0, 10.0, 100.0), **changes):
    median = np.array(median, dtype=float)
    given = {
        **{
            "x_name": "init_scale",
            "x": np.array(x),
            "curve_name": "hidden",
            "curves": np.arange(len(median)),
        },
        **{"median": median, "low": 0.5 * median, "high": 3 * median, "label": "loss", "fraction": False},
    }
    return scaling_curves(SweepCurves(**(given | changes)))


def corners(figure):
    """Borders of the cells along x and along y."""
    grid = figure.axes[0].collections[0].get_coordinates()
    return grid[0, :, 0], grid[:, 0, 1]


@pytest.mark.parametrize(
    ("values", "logarithmic", "limits"),
    [
        ([[1, 2, 3], [4, 5, 19]], False, (1, 19)),
        ([[1, 2, 3], [4, 5, 20]], False, (1, 20)),
        ([[1, 2, 3], [4, 5, 21]], True, (1, 21)),
        ([[0, 2, 3], [4, 5, 100]], False, (0, 100)),  # zero has no logarithm
        ([[1e-9, 2, 3], [4, 5, 100]], True, (1e-4, 100)),  # six decades, a millionth
        ([[np.nan, 2, 3], [4, 5, 100]], True, (2, 100)),
        ([[np.nan] * 3] * 2, False, (0, 1)),
    ],
)
def test_colours(values, logarithmic, limits):
    """Logarithmic where values are positive and range over more than a factor of 20."""
    norm = drawn_map(values).axes[0].collections[0].norm
    assert isinstance(norm, LogNorm) == logarithmic
    assert (norm.vmin, norm.vmax) == pytest.approx(limits)
    fraction = drawn_map(np.clip(values, 0, 1), fraction=True).axes[0].collections[0].norm
    assert (fraction.vmin, fraction.vmax) == (0, 1)


def test_the_colour_bar_says_what_is_below_it():
    for low, extend in ((1e-9, "min"), (1e-3, "neither")):
        bar = drawn_map([[low, 2, 3], [4, 5, 100]]).axes[0].collections[0].colorbar
        assert bar.extend == extend
        assert bar.ax.get_ylabel() == "final loss"


def test_missing_values_are_hatched():
    figure = drawn_map([[np.nan, 2, 3], [4, 5, 6]])
    assert figure.axes[0].patch.get_hatch() == "////"
    assert names(figure) == ["no value"]
    assert drawn_map([[1, 2, 3], [4, 5, 6]]).axes[0].patch.get_hatch() is None


@pytest.mark.parametrize(
    ("x", "edges", "scale"),
    [
        ([1.0, 2.0, 3.0], [0.5, 1.5, 2.5, 3.5], "linear"),
        ([1.0, 10.0, 100.0], 10.0 ** np.array([-0.5, 0.5, 1.5, 2.5]), "log"),
        ([1.0, 2.0, 4.0], 2.0 ** np.array([-0.5, 0.5, 1.5, 2.5]), "log"),  # evenly spaced in the logarithm
        ([1.0, 2.0, 5.0], [0.5, 1.5, 3.5, 6.5], "linear"),  # unevenly, but not wide
        ([1.0, 2.0, 19.0], [0.5, 1.5, 10.5, 27.5], "linear"),
        ([1.0, 2.0, 21.0], [0.5**0.5, 2**0.5, 42**0.5, 21 * 10.5**0.5], "log"),  # wide
        ([0.0, 10.0, 100.0], [-5, 5, 55, 145], "linear"),  # zero has no logarithm
        ([-1.0, 2.0, 100.0], [-2.5, 0.5, 51, 149], "linear"),
        ([1.0, 50.0, 99.0], [-23.5, 25.5, 74.5, 123.5], "linear"),  # evenly spaced, though wide
    ],
)
def test_cells_around_their_values(x, edges, scale):
    """Borders in the middle between neighbours, in the logarithm where the axis is logarithmic."""
    figure = drawn_map([[1, 2, 3], [4, 5, 6]], x=x)
    np.testing.assert_allclose(corners(figure)[0], edges)
    np.testing.assert_allclose(corners(figure)[1], [0.5, 1.5, 2.5])
    assert figure.axes[0].get_xscale() == scale
    assert figure.axes[0].get_yscale() == "linear"


def test_two_and_one_value_on_an_axis():
    """Two values are logarithmic if a factor above 20 is between them; one value has a cell of width 1."""
    assert drawn_map([[1, 2]], x=[1.0, 21.0], y=[3.0]).axes[0].get_xscale() == "log"
    narrow = drawn_map([[1, 2]], x=[1.0, 20.0], y=[3.0])
    assert narrow.axes[0].get_xscale() == "linear"
    np.testing.assert_allclose(corners(narrow)[1], [2.5, 3.5])


def test_names_of_axes_and_ticks():
    """Options by what they mean; whole numbers, if few, each have a tick; texts are numbered."""
    figure = drawn_map(
        np.ones((2, 8)), x=range(2, 18, 2), y=["4,2,1", "2,1"], x_name="hidden", y_name="teacher_file"
    )
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("hidden units $K$", "teacher file")
    assert axes.get_xticks().tolist() == [2, 4, 6, 8, 10, 12, 14, 16]
    assert axes.get_yticks().tolist() == [0, 1]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["4,2,1", "2,1"]
    np.testing.assert_array_equal(corners(figure)[1], [-0.5, 0.5, 1.5])
    many = drawn_map(np.ones((2, 9)), x=range(2, 20, 2)).axes[0]
    assert many.get_xticks().tolist() != [2, 4, 6, 8, 10, 12, 14, 16, 18]


@pytest.mark.parametrize(("length", "text"), [(30, "x" * 27 + " (u"), (31, "x" * 28 + "\n(u")])
def test_long_labels_are_broken_before_their_unit(length, text):
    label = "x" * (length - 3) + " (u"
    assert drawn_map([[1, 2, 3], [4, 5, 6]], label=label).axes[1].get_ylabel() == text
    assert drawn_curves([[1, 2, 3]], label=label).axes[0].get_ylabel() == text


def test_bands_are_what_is_given():
    """From low to high; markers at the medians, joined where nothing is fitted; both in one entry of the legend."""
    figure = drawn_curves([[1, 2, 3], [3, 2, 1]], curves=np.array([0.12345, 2.0]), curve_name="init_scale")
    (axes,) = figure.axes
    for band, median in zip(axes.collections, ([1, 2, 3], [3, 2, 1]), strict=True):
        v = band.get_paths()[0].vertices
        for t, y in zip((1.0, 10.0, 100.0), median, strict=True):
            at = v[v[:, 0] == t, 1]
            assert (at.min(), at.max()) == pytest.approx((0.5 * y, 3 * y))
    lines = [line for line in axes.lines if len(line.get_xdata())]
    assert [line.get_ydata().tolist() for line in lines] == [[1, 2, 3], [3, 2, 1]]
    assert [line.get_linestyle() for line in lines] == ["-", "--"]
    assert [line.get_marker() for line in lines] == ["o", "s"]
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["initial scale ε = 0.1235", "initial scale ε = 2"]
    assert axes.get_xscale() == "log"
    assert axes.get_yscale() == "linear"
    assert drawn_curves([[1, 2, 3], [30, 2, 1]]).axes[0].get_yscale() == "log"
    assert drawn_curves([[1, np.nan, 30]]).axes[0].get_yscale() == "log"


def test_fractions_have_the_whole_axis():
    (axes,) = drawn_curves([[0.01, 0.5, 1]], fraction=True).axes
    assert axes.get_ylim() == (-0.03, 1.03)
    assert axes.get_yscale() == "linear"


def test_fits_go_from_the_first_to_the_last_positive_value():
    """3 x² at a hundred points; the curve's own dashes, no line through the markers."""
    fit = PowerLaw(2.0, 0.031, 3.0)
    figure = drawn_curves(
        [[1, 2, 3]], x=(0.0, 10.0, 100.0), fits=(fit,), curve_name="", curves=np.array([""])
    )
    (axes,) = figure.axes
    markers, line = (line for line in axes.lines if len(line.get_xdata()))
    assert markers.get_linestyle() == "None"
    np.testing.assert_allclose(line.get_xydata()[[0, -1]], [[10, 300], [100, 30000]])
    np.testing.assert_allclose(line.get_ydata(), 3 * line.get_xdata() ** 2)
    assert len(line.get_xdata()) == 100
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["fitted exponent 2 ± 0.03"]


def test_a_legend_needs_room():
    """One line of it for every curve, and one more."""
    bare = drawn_curves([[1, 2, 3]], curve_name="", curves=np.array([""])).get_figheight()
    assert bare == pytest.approx(2.4)
    assert drawn_curves([[1, 2, 3], [1, 2, 3]]).get_figheight() == pytest.approx(2.4 + 3 * 0.08)


@pytest.mark.parametrize(
    ("x", "scale"),
    [
        ([1, 2, 4], "log"),  # evenly in the logarithm, however little
        ([1, 2, 4.004], "linear"),  # not quite, and not wide
        ([1, 2, 3.0001], "linear"),
        ([1e-12, 1e-10, 1e-8], "log"),  # small numbers are no equal numbers
        ([0, 2, 300], "linear"),  # zero has no logarithm
        ([1, 150, 299], "linear"),  # wide, but evenly spaced
        ([1, 2, 299], "log"),
        ([2, 3, 30], "linear"),
    ],
)
def test_spacing_decides_the_axis(x, scale):
    for axes in (drawn_map([[1, 2, 3], [4, 5, 6]], x=x).axes[0], drawn_curves([[1, 2, 3]], x=x).axes[0]):
        assert axes.get_xscale() == scale
        if scale == "log" and isinstance(x[0], float):
            assert_decades(axes.xaxis)
        elif scale == "log":  # whole numbers have their own names
            assert [label.get_text() for label in axes.get_xticklabels()] == [str(n) for n in x]
            assert not len(axes.get_xticks(minor=True))


def test_what_has_no_value_is_light_and_hatched():
    figure = drawn_map([[np.nan, 2, 3], [4, 5, 6]])
    axes = figure.axes[0]
    assert axes.get_facecolor()[:3] == pytest.approx([0.93] * 3)
    assert axes.patch.get_edgecolor()[:3] == pytest.approx([0.7] * 3)
    assert axes.collections[0].get_rasterized()  # a file of many cells stays small


def test_the_colour_bar_ends_where_zero_is_the_least():
    for values, fraction in (([[0, 0.5, 1], [1, 1, 1]], True), ([[0, 2, 3], [4, 5, 6]], False)):
        bar = drawn_map(values, fraction=fraction).axes[0].collections[0].colorbar
        assert bar.extend == "neither"


def test_axis_of_losses():
    """Wide values are logarithmic, fractions never; styles and entries repeat after six curves."""
    (axes,) = drawn_curves([[1, 2, 300]]).axes
    assert_decades(axes.yaxis)
    (axes,) = drawn_curves([[0.001, 0.5, 1]], fraction=True).axes
    assert axes.get_yscale() == "linear"
    figure = drawn_curves([[1, 2, 3]] * 8, curve_name="hidden")
    assert len(figure.legends[0].get_texts()) == 8
