"""Figures of sample sizes: made-up errors read back from their artists."""

from dataclasses import replace

import numpy as np
import pytest
from drawn import assert_aligned, names

from dynamics.sample_size.prediction import SampleSize
from dynamics.sample_size.thresholds import Thresholds
from empirical.experiments.sample_size import SampleSizeCurves, TrainedSizes
from figures.sample_size import error_curves, sample_size_figure
from figures.style import MARKERS, PALETTE

ALPHA = np.array([0.2, 0.4, 0.8])
COLUMNS = ("training_error", "rank_fraction", "trace", "sigma", "threshold")


def theory(decay=0.5, mse=(2.0, 1.0, 0.5), activation="centred", bayes=(1.0, 0.5, 0.2), best=(1.5, 0.8, 0.4)):
    return SampleSize(
        "marchenko-pastur:0.5",
        activation,
        decay,
        0.5,
        1.0,
        None,
        3.0,
        ALPHA,
        np.array(mse),
        **{name: np.ones(3) for name in COLUMNS},
        bayes=None if bayes is None else np.array(bayes),
        best_decay=None if best is None else np.ones(3),
        best_mse=None if best is None else np.array(best),
        thresholds=Thresholds(0.3, 0.35, 0.25),
        versions={},
    )


def networks(name, factor, seeds=3):
    return TrainedSizes(
        name, 30, ALPHA[:2] + 0.01, factor * np.array([[2.0, 2.2, 2.4], [1.0, 1.1, 1.2]])[:, :seeds]
    )


def curves():
    decays = theory(0, bayes=(1.0, 0.5, 0.2)), theory(0.7, (1.9, 1.2, 0.3), bayes=None)
    clean = theory(0, (4.0, 1.0, 0.0)), theory(0, (5.0, 2.0, 0.0), "quadratic")
    finite = tuple(replace(one, inputs=30, mse=1.1 * one.mse) for one in decays)
    trained = networks("ℓ = 0", 1.0), networks("ℓ = 0.7", 0.9)
    recovered = networks("raw units", 1e-6), networks("centred units", 1.0), networks("small start", 1e-3)
    return SampleSizeCurves(decays, finite, trained, clean, recovered)


@pytest.fixture(scope="module")
def figure():
    return sample_size_figure(curves())


def lines(axes):
    """Lines that carry data from left to right, without those of error bars and thresholds."""
    return [line for line in axes.lines if line.get_linestyle() != "None" and len(line.get_xdata()) == 3]


def bars(axes):
    """x, y, half length, colour and marker of all error bars with points."""
    found = []
    for container in axes.containers:
        line, _, (segments,) = container
        if len(line.get_xdata()):
            ends = np.array(segments.get_segments())[:, :, 1]
            found.append(
                (
                    line.get_xdata(),
                    line.get_ydata(),
                    np.diff(ends)[:, 0] / 2,
                    line.get_color(),
                    line.get_marker(),
                )
            )
    return found


def test_lines_with_noise(figure):
    """Each decay and its correction in one colour, the Bayes-optimal error in black."""
    drawn, data = lines(figure.axes[0]), curves()
    expected = [
        (data.noisy[0].mse, PALETTE[0]),
        (data.corrected[0].mse, PALETTE[0]),
        (data.noisy[1].mse, PALETTE[1]),
    ]
    expected += [(data.corrected[1].mse, PALETTE[1]), (data.noisy[0].bayes, PALETTE[6])]
    assert len(drawn) == len(expected)
    for line, (mse, colour) in zip(drawn, expected, strict=True):
        np.testing.assert_array_equal(line.get_xydata(), np.stack([ALPHA, mse], axis=1))
        assert line.get_color() == colour
    assert names(figure) == [
        r"$\ell = 0$",
        r"$\ell = 0.7$",
        "Bayes",
        "heuristic, $d = 30$",
        "networks, $d = 30$",
    ]


def test_lines_without_noise_end_at_recovery(figure):
    raw, centred = lines(figure.axes[1])
    np.testing.assert_array_equal(raw.get_ydata(), [5, 2, np.nan])
    np.testing.assert_array_equal(centred.get_ydata(), [4, 1, np.nan])
    texts = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert texts == ["raw", "centred, $w\\sim N(0, 1)$", "centred, small $w$"]
    assert figure.axes[1].get_yscale() == "log"


def test_markers_are_means_with_two_standard_errors(figure):
    data = curves()
    for axes, measured, colours in (
        (figure.axes[0], data.trained, PALETTE[:2]),
        (figure.axes[1], data.recovered, (PALETTE[4], PALETTE[6], PALETTE[3])),
    ):
        found = bars(axes)
        assert len(found) == len(measured)
        for (x, y, half, colour, _), one, expected in zip(found, measured, colours, strict=True):
            np.testing.assert_allclose(x, ALPHA[:2] + 0.01)
            np.testing.assert_allclose(y, one.mse.mean(axis=1))
            np.testing.assert_allclose(half, 2 * one.mse.std(axis=1, ddof=1) / np.sqrt(3), rtol=1e-9)
            assert colour == expected
    assert [marker for *_, marker in bars(figure.axes[0])] == list(MARKERS[:2])


def test_thresholds_are_marked_and_named(figure):
    above, below = figure.axes
    assert {text.get_text(): text.xy[0] for text in above.texts} == {"all labels fitted": 0.3}
    assert {text.get_text(): text.xy[0] for text in below.texts} == {
        "least trace,\nraw": 0.35,
        r"any $S \succeq 0$": 0.3,
    }
    for axes in figure.axes:
        upright = [
            line.get_xdata()[0]
            for line in axes.lines
            if len(line.get_xdata()) == 2 and not np.ptp(line.get_xdata())
        ]
        assert set(upright) >= {text.xy[0] for text in axes.texts}
    assert_aligned(figure, above, below)


def test_one_seed_has_no_bar_and_no_clean_part_no_panel():
    one = replace(
        curves(), trained=(networks("ℓ = 0", 1.0, 1), networks("ℓ = 0.7", 1.0, 1)), clean=(), recovered=()
    )
    (axes,) = sample_size_figure(one).axes
    assert all((half == 0).all() for _, _, half, _, _ in bars(axes))
    assert axes.get_xlabel() != ""


def test_error_curves():
    """The points in order of α; zero errors are left out, and a single point is a marker."""
    found = theory(mse=(2.0, 0.0, 1.0))
    shuffled = replace(found, alpha=ALPHA[[1, 2, 0]])
    figure = error_curves(shuffled)
    line, best, bayes = lines(figure.axes[0])
    np.testing.assert_array_equal(line.get_xydata(), np.stack([ALPHA, [1, 2, np.nan]], axis=1))
    np.testing.assert_array_equal(best.get_ydata(), found.best_mse[[2, 0, 1]])
    np.testing.assert_array_equal(bayes.get_ydata(), found.bayes[[2, 0, 1]])
    assert names(figure) == [r"$\ell = 0.5$", r"best $\ell$", "Bayes"]
    single = replace(found, alpha=ALPHA[:1], mse=found.mse[:1], bayes=None, best_mse=None, best_decay=None)
    (point,) = [line for line in error_curves(single).axes[0].lines if line.get_color() == PALETTE[0]]
    assert point.get_marker() == "o"
