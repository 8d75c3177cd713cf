"""The gap figure draws every correction that changes something, and the distances that remain."""

from dataclasses import replace

import numpy as np
import pytest
from drawn import assert_aligned, assert_decades
from matplotlib.collections import FillBetweenPolyCollection

from empirical.gap import Gap
from figures import learning_curve
from figures.gap import gap_figure, shown_curves

T = np.linspace(0, 2, 40)
FLOW = 8 * np.exp(-T)


@pytest.fixture
def gap():
    measured = 1.2 * FLOW
    measured[0] = FLOW[0]
    return Gap(T, FLOW, 1.1 * FLOW, 1.1 * FLOW, 1.19 * FLOW, measured, 0.01 * FLOW, 0.1 + 0 * T, None, {})


def bars(axes):
    """Centres and half lengths of the error bars."""
    (container,) = axes.containers
    segments = np.array(container.lines[2][0].get_segments())
    return segments[..., 1].mean(axis=1), np.ptp(segments[..., 1], axis=1) / 2


def shade(axes):
    """Upper edge of the shaded error bar, by time."""
    (found,) = [c for c in axes.collections if isinstance(c, FillBetweenPolyCollection)]
    vertices = found.get_paths()[0].vertices
    return np.array([vertices[np.isclose(vertices[:, 0], t), 1].max() for t in T[1:]])


def test_curves_and_distances(gap):
    """Finite data change nothing here and are left out; the others keep their styles. Distances are from the measured
    mean, relative to the initial loss, 8, and leave out the common start.
    """
    assert list(shown_curves(gap)) == ["gradient flow", "+ finite step", "+ sampling noise"]
    figure = gap_figure(gap)
    above, below = figure.axes
    lines = [line for line in above.lines if line.get_linestyle() != "None"]
    for line, curve in zip(lines, (gap.flow, gap.discretised, gap.with_noise), strict=True):
        np.testing.assert_allclose(line.get_ydata(), curve)
        np.testing.assert_array_equal(line.get_xdata(), T)
    assert len({line.get_linestyle() for line in lines}) == 3
    for line, curve, twin in zip(
        below.lines, (gap.flow, gap.discretised, gap.with_noise), lines, strict=True
    ):
        np.testing.assert_allclose(line.get_ydata(), np.abs(gap.measured - curve)[1:] / 8, rtol=1e-12)
        np.testing.assert_array_equal(line.get_xdata(), T[1:])
        assert line.get_linestyle() == twin.get_linestyle()
    assert "of the flow" in below.get_xlabel()
    assert below.get_xlim() == (0, 2)
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == [
        *shown_curves(gap),
        "trained networks, mean ± 2 s.e.",
        "error bar: 2 s.e. + $O(\\eta^2)$",
    ]
    figure.canvas.draw()


def test_limits_leave_room(gap):
    """Factors 1.5 about the losses, 8 e⁻² to 1.19 × 8; five decades of distances, the largest 0.2 e^(−t₁)."""
    above, below = gap_figure(gap).axes
    assert above.get_ylim() == pytest.approx((8 * np.exp(-2) / 1.5, 1.5 * 1.19 * 8))
    top = 0.2 * FLOW[1] / 8
    assert below.get_ylim() == pytest.approx((1e-5 * top, 2 * top))
    deep = replace(gap, flow=8 * 10.0 ** (-4 * T))
    above = gap_figure(deep).axes[0]
    assert above.get_ylim()[0] == pytest.approx(1e-5 * 1.19 * 8 / 1.5)
    zero = gap_figure(replace(gap, flow=np.where(T < 1, gap.flow, 0))).axes[0]
    assert zero.get_ylim()[0] == pytest.approx(1.1 * 8 * np.exp(-2) / 1.5)  # the least that is positive
    hidden = above.lines[0].get_ydata().min()  # below the axis, not at zero
    assert hidden == pytest.approx(1e-6 * 1.19 * 8)


def test_a_distance_of_zero_is_below_the_axis(gap):
    """At a tenth of its lower end, so that the line leaves the picture."""
    met = replace(gap, with_noise=np.where(np.arange(40) == 5, gap.measured, gap.with_noise))
    below = gap_figure(met).axes[1]
    assert below.lines[2].get_ydata()[4] == pytest.approx(below.get_ylim()[0] / 10)
    assert below.get_ylabel() == "|measured − theory| / $L(0)$"
    assert gap_figure(met).axes[0].get_ylabel() == "loss $L$ (squared output units)"
    assert below.get_yscale() == gap_figure(met).axes[0].get_yscale() == "log"


def test_error_bars_are_two_standard_errors(gap):
    """Of every marked mean; about 30 are marked. Below: 2 × 0.01 of the loss plus the truncation 0.1, over 8."""
    above, below = gap_figure(gap).axes
    centres, halves = bars(above)
    np.testing.assert_allclose(centres, gap.measured)
    np.testing.assert_allclose(halves, 0.02 * FLOW)
    np.testing.assert_allclose(shade(below), (0.02 * FLOW + 0.1)[1:] / 8)
    for records, marked in ((90, 30), (89, 45), (29, 29)):
        many = Gap(*(np.linspace(1, 2, records) for _ in range(8)), None, {})
        assert len(bars(gap_figure(replace(many, flow=many.flow + 1)).axes[0])[0]) == marked


def test_unknown_error_bars_are_not_drawn(gap):
    """One network of which no spread is known: bars of length zero, and nothing shaded above the axis."""
    alone = replace(gap, standard_error=np.full(40, np.nan))
    figure = gap_figure(alone)
    above, below = figure.axes
    centres, halves = bars(above)
    np.testing.assert_allclose(centres, gap.measured)
    np.testing.assert_array_equal(halves, 0)
    assert shade(below).max() < below.get_ylim()[0]
    figure.canvas.draw()


def test_a_correction_of_rounding_is_none(gap):
    """Below 1e-12 of the initial loss, 8."""
    for size, number in ((7e-12, 3), (9e-12, 4)):
        assert len(shown_curves(replace(gap, on_data=gap.discretised + size))) == number


def test_a_correction_counts_where_it_is_largest(gap):
    """All curves start from the same weights: one that differs later only, or at a single time, is drawn."""
    late = np.where(T > 1, 1.1, 1.0) * FLOW
    once = np.where(np.arange(40) == 39, 1.2, 1.0) * late
    shown = shown_curves(replace(gap, discretised=late, on_data=late, with_noise=once))
    assert list(shown) == ["gradient flow", "+ finite step", "+ sampling noise"]
    np.testing.assert_array_equal(shown["+ finite step"], late)


def test_the_grey_band_says_what_it_is(gap):
    """Of its two parts those that are there: here two standard errors and a truncation of 0.1."""
    nothing, alone = np.zeros(40), np.full(40, np.nan)
    for changes, name in (
        ({"truncation": nothing}, "error bar: 2 s.e."),
        ({"standard_error": alone}, "error bar: $O(\\eta^2)$"),
        ({"standard_error": alone, "truncation": nothing}, "error bar: unknown"),
    ):
        texts = gap_figure(replace(gap, **changes)).legends[0].get_texts()
        assert texts[-1].get_text() == name


def test_colours_are_those_of_other_figures(gap):
    """The flow is black, networks have the colour that no theory has, as on learning curves."""
    above = gap_figure(replace(gap, on_data=1.15 * FLOW)).axes[0]
    theories = [line.get_color() for line in above.lines if line.get_linestyle() != "None"]
    assert len(set(theories)) == 4 and theories[0] == "black"
    assert above.containers[0].lines[0].get_color() == learning_curve.TRAINED[0]
    assert learning_curve.TRAINED[0] not in theories


def test_axes_of_both_panels(gap):
    figure = gap_figure(replace(gap, times=1 + T))
    above, below = figure.axes
    assert above.get_xlim() == below.get_xlim() == (1, 3)
    for axes in (above, below):
        assert_decades(axes.yaxis)
    assert [line.get_color() for line in below.lines] == [line.get_color() for line in above.lines[:3]]
    assert below.get_xlabel() == "time $t$ of the flow"
    assert_aligned(figure, above, below)


def test_another_flow_than_the_gradient_flow_has_its_name(gap):
    """The legend says of which optimiser the first curve is; its style stays."""
    named = gap_figure(replace(gap, sources={"flow": "flow of Adam"}))
    texts = [text.get_text() for text in named.legends[0].get_texts()]
    assert "flow of Adam" in texts
    assert "gradient flow" not in texts
    first, plain = named.axes[0].lines[0], gap_figure(gap).axes[0].lines[0]
    assert (first.get_color(), first.get_linestyle()) == (plain.get_color(), plain.get_linestyle())
