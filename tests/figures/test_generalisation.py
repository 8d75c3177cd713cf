"""Train and test loss: which curve is whose, and every record of a short run."""

import numpy as np
import pytest
from drawn import assert_decades

from empirical.experiments.generalisation import Generalisation
from figures.generalisation import generalisation_figure

T = np.linspace(0, 2, 10)
THEORY_TRAIN, THEORY_TEST = np.array([[1.0], [3.0]]) * np.exp(-3 * T), np.array([[5.0], [7.0]]) * np.exp(-T)
TRAIN, TEST = np.array([[2.0], [4.0]]) * np.exp(-3 * T), np.array([[8.0], [10.0]]) * np.exp(-T)


def axes_of(noise):
    curves = Generalisation(T, THEORY_TRAIN, THEORY_TEST, TRAIN, TEST, samples=20, label_noise=noise)
    return generalisation_figure(curves).axes[0]


def test_names_belong_to_their_curves():
    """Means over two data sets; of a run with fewer than 25 records every one is marked."""
    drawn = {line.get_label(): line for line in axes_of(0.0).lines}
    expected = {
        "test loss, theory": 6 * np.exp(-T),
        "test loss, 2 networks": 9 * np.exp(-T),
        "train loss, theory": 2 * np.exp(-3 * T),
        "train loss, 2 networks": 3 * np.exp(-3 * T),
    }
    assert list(drawn) == list(expected)  # no level of noise where labels have none
    for name, values in expected.items():
        np.testing.assert_array_equal(drawn[name].get_xdata(), T)
        np.testing.assert_allclose(drawn[name].get_ydata(), values, rtol=1e-14)
        assert (drawn[name].get_linestyle() == "None") == ("networks" in name)


@pytest.mark.parametrize("noise", [0.02, 6.0])
def test_the_level_of_noise_is_named(noise):
    """A loss is half a mean square: labels with variance σ² cost σ²/2 that no function of the inputs avoids."""
    axes = axes_of(noise)
    assert set(axes.lines[-1].get_ydata()) == {noise / 2}
    (text,) = axes.texts
    assert (text.get_text(), text.xy[1]) == ("half the label noise", noise / 2)


@pytest.mark.parametrize("noise", [1e-320, 1e-50, 1e-9])
def test_a_level_far_below_the_curves_is_left_out(noise):
    """It would leave them no room."""
    axes = axes_of(noise)
    assert not axes.texts
    assert axes.get_ylim()[0] > 1e-3


def test_a_single_network_is_its_own_range():
    curves = Generalisation(T, *(c[:1] for c in (THEORY_TRAIN, THEORY_TEST, TRAIN, TEST)), 20, 0.0)
    axes = generalisation_figure(curves).axes[0]
    for band, curve in zip(axes.collections, (TEST[0], TRAIN[0]), strict=True):
        heights = {round(y, 12) for y in band.get_paths()[0].vertices[:, 1]}
        assert heights == {round(y, 12) for y in curve}


@pytest.mark.parametrize(("records", "marked"), [(49, 1), (50, 2), (24, 1)])
def test_at_most_fifty_records_are_marked(records, marked):
    t = np.linspace(1, 3, records)
    curves = Generalisation(t, *(np.array([1 + t]) for _ in range(4)), 20, 0.4)
    (axes,) = generalisation_figure(curves).axes
    for line in axes.lines[1:4:2]:
        np.testing.assert_array_equal(line.get_xdata(), t[::marked])
    assert axes.get_xlim() == (1, 3)
    assert axes.texts[0].xy == (0.01, 0.2)
    assert_decades(axes.yaxis, 7)
