"""All animations: what is shown ends in the still figure, and before shows what has happened and nothing else."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
from drawn import beside
from filmed import DPI, animate_small, pixels
from matplotlib.figure import Figure

from dynamics import ProblemError
from figures import animate, learning_curves, paper
from figures.animation.film import animate_drawn
from figures.animation.table import ANIMATED
from figures.finishing import finish
from figures.look import look

SHORT = {"seconds": 0.2, "frames_per_second": 20}  # 4 frames


@pytest.fixture(scope="module")
def results(trajectory, networks, plane, walk):
    curves = beside("test_spectrum").known.__wrapped__()
    return {
        "learning-curves": (trajectory, networks),
        "phase-portrait": (plane,),
        "saddle-graph": (walk,),
        "spectrum": (curves,),
    }


@pytest.fixture(scope="module")
def films(results, frames):
    """Animations and their frames, by name."""
    drawn = {name: animate_small(name, *results[name], **SHORT) for name in results}
    return {name: (animation, frames(animation)) for name, animation in drawn.items()}


def test_every_figure_of_the_table_is_tried(results):
    assert set(results) == set(ANIMATED)


@pytest.mark.parametrize("name", ANIMATED)
def test_the_last_frame_is_the_still_figure(name, results, films):
    """To the pixel; and no other frame is."""
    still = ANIMATED[name]().draw(*results[name])
    with paper():
        expected = pixels(still, DPI)
    *before, last = films[name][1]
    assert len(before) == 3
    np.testing.assert_array_equal(last, expected)
    assert all((frame != expected).any() for frame in before)


@pytest.mark.parametrize("style", [pytest.param("slides", marks=pytest.mark.slow), "dark"])
def test_of_other_looks_too(style, trajectory, networks, frames):
    with look(style, (4.0, 3.0)):
        still = learning_curves(trajectory, networks)
        animation = animate_small("learning-curves", trajectory, networks, seconds=0.1)
    with paper():
        expected = pixels(still, DPI)
    first, last = frames(animation)
    assert last.shape == (3 * DPI, 4 * DPI, 3)
    np.testing.assert_array_equal(last, expected)
    assert (first != last).any()


def test_curves_are_seen_up_to_the_time_and_no_further(trajectory, films):
    """Right of the time a frame is as empty as the first one, left of it it is the finished figure.

    But for markers, less than 6 points to each side, whose centre decides, and for the line that marks the present.
    """
    animation, (first, *middle, last) = films["learning-curves"]
    figure = animation._fig
    near = 6 * figure.dpi / 72
    height = first.shape[0]
    for n, frame in enumerate(middle, start=1):
        for axes in figure.axes:
            box = axes.get_window_extent()
            rows = slice(height - int(box.y1), height - int(box.y0))
            now = box.x0 + n / 2 * box.width  # three frames, evenly spaced from 0 to the end
            left, right = slice(int(box.x0), int(now - near)), slice(int(now + near), int(box.x1 - near))
            np.testing.assert_array_equal(frame[rows, left], last[rows, left])
            np.testing.assert_array_equal(frame[rows, right], first[rows, right])
            assert (frame[rows, int(now) - 1 : int(now) + 3] != last[rows, int(now) - 1 : int(now) + 3]).any()
    box = figure.axes[0].get_window_extent()
    inside = slice(int(box.x0 + near), int(box.x1 - near))
    assert (first[: height // 2, inside] != last[: height // 2, inside]).any()


def test_the_time_is_written_below(films):
    """Frames of a logarithmic axis are evenly spaced in the logarithm, here over the last four decades."""
    animation, _ = films["learning-curves"]
    show, (clock,) = animation._func, animation._fig.texts
    show(1.5)
    assert (clock.get_text(), clock.get_visible()) == ("$t$ = 1.50", True)
    box = animation._fig.axes[1].get_window_extent()
    assert clock.get_window_extent().x1 == pytest.approx(box.x1, abs=1)
    assert clock.get_window_extent().y1 < box.y0
    show(None)
    assert not clock.get_visible()


@pytest.mark.parametrize(
    ("scale", "expected"), [("linear", np.linspace(0, 4, 9)), ("log", 0.1 * 40 ** (np.arange(9) / 8))]
)
def test_frames_are_evenly_spaced_along_the_axis(scale, expected, trajectory, networks):
    """The first time after 0 is 0.1."""
    figure = learning_curves(trajectory, networks)
    with paper():
        finish(figure, xscale=scale)
    animation = animate_drawn("learning-curves", figure, trajectory, networks, seconds=0.5)
    *times, last = animation.new_frame_seq()
    np.testing.assert_allclose(times, expected, atol=1e-12)
    assert last is None
    animation._draw_was_started = True  # it is not going to be shown


def test_axes_of_ones_own(trajectory, frames):
    """They move, what stands beside them does not; the last frame is what the maker draws there."""
    animated, still = (Figure(figsize=(6, 2), dpi=DPI, layout="constrained") for _ in "ab")
    for figure in (animated, still):
        figure.add_subplot(1, 3, 1).plot([0, 1], [0, 1])
    panels = [[figure.add_subplot(1, 3, 2), figure.add_subplot(1, 3, 3)] for figure in (animated, still)]
    animation = animate("learning-curves", trajectory, axes=panels[0], seconds=0.1, frames_per_second=30)
    learning_curves(trajectory, axes=panels[1])
    first, second, last = frames(animation, nullcontext)
    np.testing.assert_array_equal(last, pixels(still))
    assert (second != last).any()
    edge = int(animated.axes[0].get_tightbbox().x1)
    np.testing.assert_array_equal(first[:, :edge], last[:, :edge])
    assert (first[:, edge:] != last[:, edge:]).any()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"figure": "staircase"}, "`figure` is 'staircase'"),
        ({"seconds": 0}, "`seconds` is 0, but must be positive"),
        ({"seconds": 61}, "`seconds` is 61, but must lie between 0.1 and 60"),
        ({"frames_per_second": 51}, "`frames_per_second` is 51, but must lie between 1 and 50"),
        (
            {"seconds": 30, "frames_per_second": 50},
            "which makes 1500 frames, but there must be 2 to 1,200 of them",
        ),
        ({"seconds": 0.1, "frames_per_second": 5}, "which makes 0 frames"),
    ],
)
def test_what_cannot_be_is_refused(arguments, words, trajectory):
    figure = arguments.pop("figure", "learning-curves")
    with pytest.raises(ProblemError, match=words):
        animate(figure, trajectory, **arguments)


def test_more_than_fits_into_memory_is_refused(trajectory):
    """40 x 40 inches at 150 points per inch are 36 million points, of which 28 frames are more than 10⁹."""
    with (
        look(size=(40, 40)),
        pytest.raises(ProblemError, match="28 frames of 6000 x 6000 points has more than 1e"),
    ):
        animate("learning-curves", trajectory, seconds=1, frames_per_second=28)
