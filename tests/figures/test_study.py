"""What a study's figure shows equals what was found; trainings made up."""

import sys
from pathlib import Path

import matplotlib.colors
import numpy as np
import pytest

from dynamics.curves.variables import Variable
from empirical.studies.findings import Findings
from figures.study import study_figure

sys.path.insert(0, str(Path(__file__).parents[1] / "empirical" / "studies"))
from made_up import Named, failed, made_up_dataset, made_up_study, scored

RATES = (0.1, 1.0, 10.0)


def against_rate():
    """a: accuracies around 0.5, 0.6, and one of two failed; b: always 0.3 and 0.4, its rates ten times smaller."""

    def numbers(label, rate, r):
        if label == "a":
            return failed() if rate == 10.0 and r == 0 else scored(0.6 - rate / 100, 0.5 + rate / 10 + r / 50)
        return scored(0.5, 0.3 + r / 10, collapsed=float(rate == 1.0))

    study = made_up_study(["a", Named("b", unit=0.1)], RATES, 2, [("a", "b")])
    return Findings.of(study, made_up_dataset(study, numbers))


def against_parameters():
    """Two families of two sizes; gradients of halves for each layer before the last, at the end of thirds."""

    def numbers(label, _, r):
        n = {"h1": 10, "h2": 40, "d1": 12, "d2": 38}[label]
        layers = 3 if label[0] == "h" else 2
        moments = [np.geomspace(factor ** (layers - 1), 1, layers) for factor in (0.5, 0.4, 1 / 3)]
        return scored(
            1 / n, 2 / n + r / 100, "loss", parameters=n, gradients=Variable(("moment", "layer"), moments)
        )

    contenders = [
        *(Named(label, "Han") for label in ("h1", "h2")),
        *(Named(label, "dense") for label in ("d1", "d2")),
    ]
    pairs = [("h1", "d1"), ("h2", "d2")]
    study = made_up_study(contenders, RATES, 3, pairs, along="parameters")
    return Findings.of(study, made_up_dataset(study, numbers))


def bars(axes):
    """Points with their error bars: for each container x, y and the lower and upper ends of those that have one."""
    for container in axes.containers:
        line, _, (bar,) = container.lines
        ends = [segment[:, 1] for segment in bar.get_segments() if len(segment) == 2]
        yield line.get_xdata(), line.get_ydata(), np.array(ends)


def test_scores_and_standard_errors_against_the_rate():
    """Mean and half the difference of two, over √1: the standard error of two numbers is |x − y|/2."""
    found = against_rate()
    scores, collapsed, _ = study_figure(found).axes
    (x, y, ends), (x_b, y_b, _) = bars(scores)
    np.testing.assert_allclose(x, RATES)
    np.testing.assert_allclose(y, 100 * np.array([0.52, 0.61, 1.52]))
    np.testing.assert_allclose(ends[:2, 1] - ends[:2, 0], 2 * 100 * 0.01)
    np.testing.assert_allclose(x_b, np.array(RATES) / 10)
    np.testing.assert_allclose(y_b, 35)
    assert scores.get_xscale() == "log" and scores.get_ylabel() == "test accuracy, %"
    shares = [line.get_ydata().tolist() for line in collapsed.lines]
    assert shares == [[0, 0, 50], [0, 100, 0]]
    assert collapsed.get_ylabel() == "collapsed runs, %"


def test_hollow_where_some_failed():
    scores = study_figure(against_rate()).axes[0]
    hollow = [line for line in scores.lines if line.get_markerfacecolor() == "white"]
    assert [line.get_xdata().tolist() for line in hollow] == [[10.0], []]
    above = max(container.lines[0].get_zorder() for container in scores.containers)
    assert all(line.get_zorder() > above for line in hollow)


def test_differences_with_their_intervals():
    """Filled where zero is outside; the first pair on top."""
    for found in (against_rate(), against_parameters()):
        figure = study_figure(found)
        axes = figure.axes[-1]
        factor = 100 if found.score == "accuracy" else 1
        assert len(axes.containers) == len(found.differences)
        for row, (d, container) in enumerate(zip(found.differences, axes.containers, strict=True)):
            line, _, (segments,) = container.lines
            assert line.get_xdata()[0] == factor * d.mean and line.get_ydata()[0] == row
            np.testing.assert_allclose(segments.get_segments()[0][:, 0], factor * np.array(d.interval))
            filled = matplotlib.colors.to_hex(line.get_markerfacecolor()) != "#ffffff"
            assert filled == d.decided
        names = [text.get_text() for text in axes.get_yticklabels()]
        assert names == [f"{d.first} − {d.second}" for d in found.differences]
        low, high = axes.get_ylim()
        assert low > high


def test_scores_against_parameters_by_family():
    figure = study_figure(against_parameters())
    (x, y, _), (x_d, _, _) = bars(figure.axes[0])
    np.testing.assert_allclose(x, [10, 40])
    np.testing.assert_allclose(y, [2 / 10 + 0.01, 2 / 40 + 0.01])
    np.testing.assert_allclose(x_d, [12, 38])
    legend = figure.subfigs[0].legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["Han", "dense"]


def test_gradients_through_depth_of_the_largest_of_each_family():
    """Dotted at the start, drawn through at the end; as many layers as there are."""
    axes = study_figure(against_parameters()).axes[1]
    drawn = {(line.get_color(), line.get_linestyle()): line.get_ydata() for line in axes.lines}
    han, dense = dict.fromkeys(line.get_color() for line in axes.lines)
    np.testing.assert_allclose(drawn[han, ":"], [1 / 4, 1 / 2, 1])
    np.testing.assert_allclose(drawn[han, "-"], [1 / 9, 1 / 3, 1])
    np.testing.assert_allclose(drawn[dense, "-"], [1 / 3, 1])
    assert axes.lines[0].get_xdata().tolist() == [1, 2, 3]
    assert axes.get_yscale() == "linear"


def test_gradients_far_apart_have_a_logarithmic_axis():
    tiny = Variable(("moment", "layer"), [[1e-3, 1.0]] * 3)
    study = made_up_study([Named("a", "a")], RATES, 2, along="parameters")
    found = Findings.of(study, made_up_dataset(study, lambda *_: scored(1.0, 1.0, "loss", gradients=tiny)))
    assert study_figure(found).axes[1].get_yscale() == "log"


@pytest.mark.parametrize("found", [against_rate, against_parameters])
def test_nothing_leaves_the_figure(found):
    """Names of pairs and of axes are within it."""
    figure = study_figure(found())
    figure.draw_without_rendering()
    box = figure.bbox
    for axes in figure.axes:
        for text in (*axes.get_yticklabels(), axes.xaxis.label, axes.yaxis.label):
            extent = text.get_window_extent()
            assert extent.width == 0 or (extent.x0 >= box.x0 and extent.x1 <= box.x1), text.get_text()


def test_a_contender_without_any_result_is_drawn_as_nothing():
    study = made_up_study("ab", RATES, 2, [("a", "b")])
    found = Findings.of(
        study, made_up_dataset(study, lambda label, *_: failed() if label == "b" else scored(0.5, 0.5))
    )
    figure = study_figure(found)
    (_, y, _), (_, y_b, _) = bars(figure.axes[0])
    assert np.isfinite(y).all() and np.isnan(y_b).all()
    assert figure.axes[1].lines[1].get_ydata().tolist() == [100, 100, 100]
    figure.draw_without_rendering()
