"""The figure of growth for ever draws the curves that it is given; made-up data, so that every line is known."""

import numpy as np
import pytest
from matplotlib.colors import same_color

from dynamics.closed_forms import GrowthLaw
from empirical.experiments.growth import Growth
from figures.growth import growth_figure
from figures.style import COLUMN_WIDTH, LINES, MARKERS, PALETTE


@pytest.fixture(scope="module")
def curves():
    """A trained and a fixed second layer; flows are some factor times their laws, networks another."""
    found, times = [], np.append(0.0, np.geomspace(0.1, 1e4, 12))
    for name, alpha in (("first", None), ("second", 0.5)):
        law = GrowthLaw(np.array([2.0, 0.5, -1.0]), 0.0, 0.7, alpha)
        loss, norm = (
            np.append(1.0, 1.1 * law.loss(times[1:])),
            np.append(1.0, 0.9 * law.weight_norm(times[1:])),
        )
        seeds = np.array([[1.0], [1.2], [3.0]])
        found.append(Growth(name, law, times, loss, norm, times[:6], seeds * loss[:6], seeds * norm[:6]))
    return found


def lines_of(axes, colour):
    return [line for line in axes.lines if same_color(line.get_color(), colour)]


def test_flow_law_and_networks_of_each_kind(curves):
    """t = 0 has no place on a logarithmic axis; laws begin where s = 1; networks are medians, here 1.2 times."""
    figure = growth_figure(curves)
    assert figure.get_figwidth() == COLUMN_WIDTH
    for n, panel in enumerate(figure.axes):
        for i, curve in enumerate(curves):
            flow, law, networks = lines_of(panel, PALETTE[i])
            values = (curve.loss, curve.norm)[n]
            np.testing.assert_array_equal(flow.get_xydata().T, [curve.times[1:], values[1:]])
            assert flow.get_linestyle() == LINES[i] and networks.get_marker() == MARKERS[i]
            t = curve.times[1:][curve.law.scale(curve.times[1:]) > 1]
            np.testing.assert_array_equal(law.get_xdata(), t)
            predicted = (curve.law.loss, curve.law.weight_norm)[n]
            np.testing.assert_array_equal(law.get_ydata(), predicted(t))
            np.testing.assert_allclose(networks.get_ydata(), 1.2 * values[1:6])
        assert (panel.get_xscale(), panel.get_yscale()) == ("log", "log")


def test_powers_stand_at_the_laws(curves):
    above, below = growth_figure(curves).axes
    assert [text.get_text() for text in above.texts] == ["$t^{-0.6}$", "$t^{-0.5}$"]
    assert [text.get_text() for text in below.texts] == ["$t^{0.2}$", "$t^{0.25}$"]


def test_the_legend_names_every_kind_once(curves):
    (legend,) = growth_figure(curves).legends
    names = [text.get_text() for text in legend.get_texts()]
    assert sorted(names) == ["first", "law for late times, derived", "median of 3 networks", "second"]
