"""Bands, limits and labels of the figures about real training: made-up data, numbers known."""

import numpy as np
import pytest
from drawn import assert_aligned, assert_decades

from empirical.experiments.edge_of_stability import EdgeOfStability, TrainedBeside
from empirical.experiments.generalisation import Generalisation
from empirical.experiments.power_law import ScalingLaw
from figures.generalisation import generalisation_figure
from figures.scaling_law import count, scaling_law_figure
from figures.stability import stability_figure

T = np.linspace(0, 3, 60)


def edges(collection, times):
    """Lower and upper edge of a band at given times."""
    v = collection.get_paths()[0].vertices
    near = [v[np.isclose(v[:, 0], t), 1] for t in times]
    return np.array([y.min() for y in near]), np.array([y.max() for y in near])


def test_train_and_test_bands_are_the_range_over_networks():
    """Three networks, factors 1, 2, 6 of a curve each: mean 3, range 1 … 6. Test circles and solid, train squares and
    dashed; every second record is marked.
    """
    factors = np.array([1.0, 2, 6])[:, None]
    test, train = factors * np.exp(-T), 0.1 * factors * np.exp(-T)
    figure = generalisation_figure(Generalisation(T, 0.9 * train, 0.9 * test, train, test, 50, 0.4))
    (axes,) = figure.axes
    test_line, test_marks, train_line, train_marks = axes.lines[:4]
    for line, marks, size, styles in (
        (test_line, test_marks, 3.0, ("-", "o")),
        (train_line, train_marks, 0.3, ("--", "s")),
    ):
        np.testing.assert_allclose(line.get_ydata(), 0.9 * size * np.exp(-T))
        np.testing.assert_allclose(marks.get_ydata(), size * np.exp(-T[::2]))
        np.testing.assert_array_equal(marks.get_xdata(), T[::2])
        assert (line.get_linestyle(), marks.get_marker()) == styles
        assert line.get_color() == marks.get_color()
    for band, size in zip(axes.collections, (1.0, 0.1), strict=True):
        low, high = edges(band, T)
        np.testing.assert_allclose(low, size * np.exp(-T))
        np.testing.assert_allclose(high, 6 * size * np.exp(-T))
    half = axes.lines[4]
    assert set(half.get_ydata()) == {0.2}
    assert axes.texts[0].xy[1] == 0.2
    assert axes.get_yscale() == "log"
    assert axes.get_xlim() == (0, 3)
    assert axes.get_xlabel() == "time $t$ of the flow"
    assert axes.get_ylabel() == "loss (squared output units)"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        *("test loss, theory", "test loss, 3 networks", "train loss, theory", "train loss, 3 networks")
    ]


def law(**changes):
    t = np.geomspace(0.01, 100, 40)
    given = {
        **{"exponent": 1.5, "count": 1000, "times": t, "loss": 1 / (1 + t), "tail_exponent": 1.0},
        **{
            "prefactor": 2.0,
            "trained_modes": 50,
            "trained_times": t[:20],
            "trained_loss": 1.01 / (1 + t[:20]),
        },
        "trained_theory": 1 / (1 + t[:20]),
        "few_loss": np.exp(-t),
    }
    return ScalingLaw(**(given | changes))


def test_scaling_laws():
    """The law is drawn where it is below three times the initial loss; the legend says what is what.

    The axis shows the exact curves of many modes, with a factor of three; few modes end where they will.
    """
    laws = [law(), law(exponent=0.5, count=10_000, tail_exponent=0.5, prefactor=1.0)]
    figure = scaling_law_figure(laws)
    (axes,) = figure.axes
    for n, one in enumerate(laws):
        exact, tail, trained, few = axes.lines[4 * n : 4 * n + 4]
        t, late = tail.get_data()
        np.testing.assert_allclose(late, one.prefactor * t**-one.tail_exponent)
        expected = one.times[one.prefactor * one.times**-one.tail_exponent < 3 * one.loss[0]]
        np.testing.assert_array_equal(t, expected)
        assert 0 < len(t) < 40
        np.testing.assert_array_equal(trained.get_xdata(), one.trained_times)
        np.testing.assert_array_equal(exact.get_xdata(), one.times)
        np.testing.assert_array_equal(few.get_xydata(), np.stack([one.times, one.few_loss], 1))
        assert {line.get_color() for line in (exact, tail, trained, few)} == {exact.get_color()}
    assert not axes.texts
    assert axes.get_ylim() == pytest.approx((0.3 / 101, 3 / 1.01))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "α = 1.5: $2\\,t^{-1}$",
        "α = 0.5: $1\\,t^{-0.5}$",
        "asymptotic law, derived",
        "exact, $N$ = $10^{3}$, $10^{4}$",
        "exact, $N$ = 50",
        "networks, as many modes",
    ]
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert axes.get_xlabel() == "time $t$ of the flow"
    assert axes.get_ylabel() == "loss $L$ (squared output units)"


@pytest.mark.parametrize(
    ("n", "text"), [(1, "1"), (100, "100"), (999, "999"), (1000, "$10^{3}$"), (2000, "2000")]
)
def test_counts(n, text):
    assert count(n) == text


def test_stability_shows_every_threshold():
    """Axis of sharpness: to 1.6 times the largest 2/η; of the loss: a third of its smallest to 30 times its largest."""
    one = TrainedBeside(0.5, 0.05, T[:9], np.exp(-T[:9]), 5 + T[:9], None)
    two = TrainedBeside(3.0, 0.3, T[:3], np.exp(T[:3]), 9 + T[:3], 0.1)
    figure = stability_figure(EdgeOfStability(T, np.exp(-T), 12 + T, 0.1, (one, two)))
    above, below = figure.axes
    assert above.get_ylim() == pytest.approx((0, 1.6 * 40))
    assert below.get_ylim() == pytest.approx((np.exp(-3) / 3, 30))
    assert below.get_xlim() == (0, 3)
    for upper, lower, descent in zip(above.lines[1::2], below.lines[1:], (one, two), strict=True):
        np.testing.assert_array_equal(upper.get_xydata(), np.stack([descent.times, descent.sharpness], 1))
        assert upper.get_color() == lower.get_color()
        np.testing.assert_array_equal(lower.get_xydata(), np.stack([descent.times, descent.loss], 1))
        assert upper.get_marker() == lower.get_marker()
    assert [line.get_ydata()[0] for line in above.lines[2::2]] == pytest.approx([40, 2 / 0.3])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "gradient flow on the data",
        r"network, $\eta$ = 0.5 $\eta_{\max}$",
        r"network, $\eta$ = 3 $\eta_{\max}$, diverges",
    ]
    for line, values in ((above.lines[0], 12 + T), (below.lines[0], np.exp(-T))):
        np.testing.assert_array_equal(line.get_xydata(), np.stack([T, values], 1))
    above.set_xlim(1, 2)
    assert below.get_xlim() == (1, 2)  # one axis of time
    assert below.get_xlabel() == "time $t$ of the flow"
    assert above.get_ylabel() == "sharpness (1/time)"
    assert below.get_ylabel() == "loss $L$ on the data\n(squared output units)"
    assert (above.get_yscale(), below.get_yscale()) == ("linear", "log")
    title = figure.legends[0].get_title().get_text()
    assert title == r"$\eta_{\max}$ = 2/(largest sharpness of the flow); dotted: 2/$\eta$"
    deep = stability_figure(EdgeOfStability(T, 10.0 ** (-5 * T), 12 + T, 0.1, (one,)))
    assert deep.axes[1].get_ylim()[0] == pytest.approx(1e-10 / 3)


def test_what_the_first_law_decides():
    """Every number of trained modes is named; its law ends where it is three times its own first loss."""
    t = np.geomspace(0.01, 100, 40)
    steep = law(loss=1000 / (1 + 1000 * t), prefactor=40.0, trained_modes=7)
    (axes,) = scaling_law_figure([steep, law()]).axes
    assert "exact, $N$ = 7, 50" in [text.get_text() for text in axes.figure.legends[0].get_texts()]
    np.testing.assert_array_equal(axes.lines[1].get_xdata(), t[40 / t < 3 * steep.loss[0]])
    np.testing.assert_array_equal(axes.lines[2].get_ydata(), steep.trained_loss)
    for axis in (axes.xaxis, axes.yaxis):
        assert_decades(axis)


def test_axes_of_stability():
    descent = TrainedBeside(0.5, 0.05, T[:9], np.exp(-T[:9]), 5 + T[:9], None)
    figure = stability_figure(EdgeOfStability(1 + T, np.exp(-T), 12 + T, 0.1, (descent,)))
    above, below = figure.axes
    assert below.get_xlim() == (1, 4)
    assert_decades(below.yaxis)
    assert_aligned(figure, above, below)


@pytest.mark.parametrize("records", [1, 29, 60, 124, 240])
def test_an_oscillation_of_two_steps_shows_both_its_sides(records):
    """Marked records are joined by a thin line, about thirty of them, of odd and of even steps."""
    t = np.arange(records, dtype=float)
    network = TrainedBeside(1.1, 1.0, t, 1 + t % 2, 5 + t % 2, None)
    above, below = stability_figure(EdgeOfStability(T, np.exp(-T), 12 + T, 1.0, (network,))).axes
    for line in (above.lines[1], below.lines[1]):
        assert line.get_linestyle() == "-" and line.get_linewidth() < above.lines[0].get_linewidth()
        marked = t[:: line.get_markevery()]
        assert len(set(marked % 2)) == min(2, records)
        assert min(records, 20) <= len(marked) <= 60
