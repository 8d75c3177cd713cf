"""Published numbers and ours: what is drawn is what was compared, read back from the artists."""

import numpy as np
import pytest
from drawn import bands, names

from empirical.published.entry import Entry, Ours, Series, Source, Tolerance
from empirical.published.reproduction import Reproduction
from figures.published import formula, published_figure

X = (1.0, 2.0, 4.0)
HALF = Tolerance("r", absolute=0.5)


def made_up():
    """Two quantities, the first in two cases, and numbers that are on no curve."""
    series = (
        Series("MSE", (3.0, 2.0, 1.0), HALF, at=X, along="n/d²", errors=(0.1, 0.2, 0.3), case="κ* = 0.5"),
        Series("MSE", (5.0, 4.0), HALF, at=X[:2], along="n/d²", case="κ* = 1"),
        Series("training loss", (0.3, 0.2, 0.1), HALF, at=X, along="n/d²"),
        Series("laws", (7.0,), HALF),
    )
    more = np.linspace(1, 4, 7)
    ours = (
        Ours.of([3.25, 2.0, 0.5], [0.25, 0.5, 0.0], curve=(more, 4 - more)),
        Ours.of([5.0, 4.25]),
        Ours.of([0.3, 0.2, 0.05]),
        Ours.of(7.0),
    )
    source = Source("A paper", "arXiv:2311.01644", "abstract", read_as="abstract")
    entry = Entry(
        "made-up", "A claim.", source, series, "quadflow scope", lambda *_: ours, scales=("log", "linear")
    )
    return Reproduction(entry, series, ours, 0.0, False)


def points(axes):
    """Coordinates of all markers, series by series."""
    return [c[0].get_xydata() for c in axes.containers]


def test_markers_are_published_and_lines_are_ours():
    found = made_up()
    figure = published_figure(found)
    above, below, differences = figure.axes
    for drawn, series in zip([*points(above), *points(below)], found.series[:3], strict=True):
        np.testing.assert_array_equal(drawn, np.stack([series.at, series.values], axis=1))
    dense, polygon = (line.get_xydata() for line in above.lines if line.get_marker() == "None")
    np.testing.assert_array_equal(dense, np.stack(found.ours[0].curve, axis=1))
    np.testing.assert_array_equal(polygon, np.stack([X[:2], found.ours[1].values], axis=1))
    (bars,) = above.containers[0][2]
    assert [tuple(s[:, 1]) for s in bars.get_segments()] == [(2.9, 3.1), (1.8, 2.2), (0.7, 1.3)]
    (band,) = bands(above)
    assert band == {1.0: (3.0, 3.5), 2.0: (1.5, 2.5)}  # where we have errors
    assert (above.get_ylabel(), below.get_ylabel()) == ("MSE", "training loss")
    assert (above.get_xscale(), above.get_yscale()) == ("log", "linear")
    assert differences.get_xlabel() == "$n/d^{2} $"


def test_differences_are_in_units_of_the_tolerance():
    """(published − ours)/0.5, in the same colours and markers; what is beyond ±1 is seen."""
    figure = published_figure(made_up())
    above, below, differences = figure.axes
    drawn = [line for line in differences.lines if line.get_marker() != "None"]
    expected = [[-0.5, 0.0, 1.0], [0.0, -0.5], [0.0, 0.0, 0.1]]
    for line, values in zip(drawn, expected, strict=True):
        np.testing.assert_allclose(line.get_ydata(), values, atol=1e-15)
    theirs = [c[0] for c in (*above.containers, *below.containers)]
    for line, marker in zip(drawn, theirs, strict=True):
        assert line.get_color() == marker.get_color()
        assert line.get_marker() == marker.get_marker()
        assert line.get_markerfacecolor() == marker.get_markerfacecolor()
    low, high = differences.get_ylim()
    assert low <= -1.3 and high >= 1.3
    assert differences.get_xlim() == above.get_xlim()


def test_the_legend_names_what_is_drawn():
    figure = published_figure(made_up())
    assert names(figure) == ["ours", "published", r"$\kappa^{*}  = 0.5$", r"$\kappa^{*}  = 1$"]


@pytest.mark.parametrize(
    ("text", "typeset"),
    [
        ("n/d²", "$n/d^{2} $"),
        ("λ = 0.05", r"$\lambda  = 0.05$"),
        ("time t", "time $t$"),
        ("width K", "width $K$"),
        ("a state of rest", "a state of rest"),
        ("trained networks", "trained networks"),
    ],
)
def test_formulas_among_words(text, typeset):
    """Single letters are symbols, but for the article."""
    assert formula(text) == typeset
