"""The figure of pieces shows the counts: numbers, ranges, bounds, and every map with its kinks."""

from fractions import Fraction

import numpy as np
import pytest
from drawn import assert_decades
from matplotlib.backends.backend_agg import FigureCanvasAgg

from dynamics.neuron.pieces.counts import count_pieces
from figures.pieces import LABELS, TITLES, pieces_figure
from figures.style import COLUMN_WIDTH


@pytest.fixture(scope="module")
def counts():
    return count_pieces(3, 2, starts=4, seed=7)


@pytest.fixture(scope="module")
def figure(counts):
    return pieces_figure(counts)


def test_markers_are_medians_bars_ranges_and_lines_bounds(counts, figure):
    panels = figure.axes[3:5]
    assert [axes.get_title() for axes in panels] == ["1 hidden layer", "2 hidden layers"]
    for depth, axes in enumerate(panels):
        lines = [line for line in axes.lines if len(line.get_xdata()) == 3]
        bars = [container for container in axes.containers if container.has_yerr]
        for kind, bound, bar in zip(LABELS, lines[::2], bars, strict=True):
            x, numbers = counts.parameters[kind][depth], counts.numbers[kind][depth]
            np.testing.assert_array_equal(bound.get_xdata(), x)
            np.testing.assert_array_equal(bound.get_ydata(), counts.bounds[kind][depth])
            marker, _, (spread,) = bar
            np.testing.assert_array_equal(marker.get_ydata(), np.median(numbers, axis=1))
            assert (marker.get_linestyle(), bound.get_marker()) == ("None", "None")
            for segment, at, row in zip(spread.get_segments(), x, numbers, strict=True):
                np.testing.assert_allclose(segment, [[at, row.min()], [at, row.max()]])
    assert len({line.get_linestyle() for line in lines[::2]}) == 3  # told apart without colour
    assert len({bar[0].get_marker() for bar in bars}) == 3
    assert_decades(panels[0].yaxis)


def test_maps_show_values_and_kinks(counts, figure):
    """Zeros of the units as contours, none of z²; the number of pieces of the whole plane above."""
    for axes, (kind, plane) in zip(figure.axes[:3], counts.maps.items(), strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), plane.values)
        assert axes.images[0].get_extent() == [-3, 3, -3, 3]
        assert len(axes.collections) == len(plane.kinks)
        for contours, q in zip(axes.collections, plane.kinks, strict=True):
            for path in contours.get_paths():
                i, j = np.round((path.vertices.T + 3) / 6 * 200).astype(int)
                step = max(np.abs(np.diff(q, axis=0)).max(), np.abs(np.diff(q, axis=1)).max())
                assert np.abs(q[j, i]).max(initial=0.0) <= 2 * step
        number, degree = axes.get_title().split(",\n")
        assert number.split()[0] == str(plane.pieces.number)
        assert degree == f"degree {plane.pieces.degrees.max()}"
        assert axes.get_xlabel().replace("\n", " ") == LABELS[kind]


def test_examples_with_their_breakpoints_and_units(counts, figure):
    """The curve, a marker where two pieces meet, as high as chords of the drawn points are, and the units below."""
    for axes, example in zip(figure.axes[5:], counts.examples, strict=True):
        curve, marks = axes.lines
        np.testing.assert_array_equal(curve.get_xydata(), np.column_stack([example.s, example.values]))
        np.testing.assert_array_equal(marks.get_xdata(), example.pieces.breakpoints)
        at = [
            float(sum(c * Fraction(s) ** n for n, c in enumerate(p)))
            for s, p in zip(example.pieces.breakpoints, example.pieces.polynomials, strict=False)
        ]
        np.testing.assert_allclose(marks.get_ydata(), at, atol=2 * (example.s[1] - example.s[0]))
        units = [each.units for each in example.representations.values()]
        shown = [line.split(": ")[1] for line in axes.get_xlabel().split("\n")]
        assert shown == [str(number or "none") for number in units]
    assert [axes.get_title() for axes in figure.axes[5:]] == list(TITLES.values())


def test_it_fits_its_column(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    assert figure.get_size_inches()[0] == COLUMN_WIDTH
    tight = figure.get_tightbbox(canvas.get_renderer())
    width, height = figure.get_size_inches()
    assert tight.x0 >= -0.01 and tight.x1 <= width + 0.01
    assert tight.y0 >= -0.01 and tight.y1 <= height + 0.01
    texts = [text.get_text() for text in figure.subfigs[1].legends[0].get_texts()]
    assert texts == list(LABELS.values())
