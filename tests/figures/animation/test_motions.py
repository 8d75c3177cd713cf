"""Where the points are that run through the phase portrait and the saddle graph."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure

from figures.animation.along_trajectories import ARRIVED, AlongTrajectories
from figures.animation.motion import drawn_against_time
from figures.animation.through_graph import AHEAD, ThroughGraph
from figures.phase_portrait import phase_portrait_figure, trajectory_name
from figures.saddle_graph import leg_name, saddle_graph_figure

LEVELS = (45.5, 8.0, 1.25, 0.0)  # of λ = 4, 2, 1, one mode after the other (theory, section 3)


@pytest.mark.parametrize("clipped", [True, False])
def test_lines_are_cut_and_made_whole(clipped):
    """Also one that was drawn beyond its axes; levels across them are not drawn in time."""
    axes = Figure().add_subplot()
    (line,) = axes.plot([0, 1], [0, 1], clip_on=clipped)
    axes.axhline(0.5)
    box = line.get_clip_box()
    (part,) = drawn_against_time(axes)
    part.show(0.25)
    assert line.get_clip_on()
    assert axes.transData.inverted().transform(line.get_clip_box().get_points())[1, 0] == pytest.approx(0.25)
    part.finish()
    assert (line.get_clip_on(), line.get_clip_box()) == (clipped, box)


@pytest.fixture
def portrait(plane):
    figure = phase_portrait_figure(plane)
    motion = AlongTrajectories(figure.axes, plane)
    lines = {line.get_gid(): line for line in figure.axes[0].lines}
    return motion, [lines[trajectory_name(k)] for k in range(3)], figure.axes[0].lines[-3:]


def test_points_are_where_the_flow_is(portrait, plane):
    """At the time of a sample on it, between two samples between them; behind them what was passed."""
    motion, trails, heads = portrait
    for k, (path, times) in enumerate(zip(plane.paths, plane.times, strict=True)):
        for n in (0, 7, 60):
            motion.show(times[n])
            np.testing.assert_allclose(heads[k].get_xydata(), [path[:, n]])
            np.testing.assert_allclose(trails[k].get_xydata(), path[:, : n + 1].T)
        motion.show((times[3] + times[4]) / 2)
        np.testing.assert_allclose(heads[k].get_xydata(), [path[:, 3:5].mean(axis=1)])
        assert len(trails[k].get_xydata()) == 5
        motion.show(times[-1] + 1)
        np.testing.assert_array_equal(heads[k].get_xydata(), [path[:, -1]])


def test_finished_trajectories_are_whole(portrait, plane):
    motion, trails, heads = portrait
    motion.show(0.1)
    assert all(head.get_visible() for head in heads)
    motion.finish()
    for trail, path in zip(trails, plane.paths, strict=True):
        np.testing.assert_array_equal(trail.get_xydata(), path.T)
    assert not any(head.get_visible() for head in heads)


def test_the_film_ends_when_all_have_arrived(portrait, plane):
    """Afterwards every point stays within a hundredth of the width of the plane, 4, and just before one does not."""
    motion, _, _ = portrait
    start, *_, end = motion.times(50)
    assert start == 0
    assert end < max(times[-1] for times in plane.times)
    far = []
    for path, times in zip(plane.paths, plane.times, strict=True):
        distance = np.hypot(*(path - path[:, -1:]))
        assert (distance[times >= end] <= ARRIVED * 4).all()
        far.append((distance[times < end] > ARRIVED * 4).any() and distance[times < end][-1])
    assert max(far) > ARRIVED * 4


def test_without_trajectories_nothing_moves(plane):
    plane = replace(plane, paths=(), times=())
    motion = AlongTrajectories(phase_portrait_figure(plane).axes, plane)
    assert motion.times(5).tolist() == [0] * 5
    motion.show(0.0)
    motion.finish()


@pytest.fixture
def graph(walk):
    (axes,) = saddle_graph_figure(walk.graph, walk.visited).axes
    motion = ThroughGraph([axes], walk)
    arrows = {text.get_gid(): text for text in axes.texts if text.get_gid()}
    return motion, axes, [arrows[leg_name(n)] for n in range(3)], axes.lines[-2:]


def places(arrows):
    """Beginning of every arrow, and the end of the last."""
    return [np.array(arrow.get_position(), dtype=float) for arrow in arrows] + [
        np.array(arrows[-1].xy, dtype=float)
    ]


def test_the_network_is_at_the_height_of_its_loss(graph, walk):
    """On the arrow that it is on, and on this straight line of the picture."""
    motion, axes, arrows, (_, point) = graph
    corners = places(arrows)
    assert [corner[1] for corner in corners] == pytest.approx(list(LEVELS), abs=1e-9)
    for time, loss in zip(walk.run.times, walk.run.loss[0], strict=True):
        motion.show(time)
        (here,) = point.get_xydata()
        assert here[1] == pytest.approx(loss, rel=1e-6, abs=1e-9)
        on_screen = axes.transData.transform([here, *corners])
        n = next(
            n for n, (high, low) in enumerate(pairwise(LEVELS)) if high >= loss * (1 - 1e-9) >= low - 1e-9
        )
        (x, y), (x0, y0), (x1, y1) = on_screen[0], on_screen[n + 1], on_screen[n + 2]
        assert (x - x0) * (y1 - y0) == pytest.approx((y - y0) * (x1 - x0), abs=1e-3)


def test_arrows_become_thick_when_they_have_been_passed(graph):
    """The network leaves at 0.8, 1.8 and 2.8; a new arrow begins where a plateau ends, 1.8 and 2.8."""
    motion, _, arrows, (trail, point) = graph
    whole = [arrow.arrow_patch.get_linewidth() for arrow in arrows]
    for time, passed in ((0.0, 0), (1.0, 0), (1.5, 0), (1.9, 1), (2.7, 1), (2.9, 2), (4.0, 2)):
        motion.show(time)
        expected = [width if n < passed else AHEAD * width for n, width in enumerate(whole)]
        assert [arrow.arrow_patch.get_linewidth() for arrow in arrows] == expected
        np.testing.assert_allclose(trail.get_xydata()[0], arrows[passed].get_position(), atol=1e-9)
        assert trail.get_xydata()[-1].tolist() == point.get_xydata()[0].tolist()
    motion.finish()
    assert [arrow.arrow_patch.get_linewidth() for arrow in arrows] == whole
    assert not trail.get_visible() and not point.get_visible()


def test_bent_arrows_are_followed(graph):
    """A quarter of the height L down, s = 1/4 along the parabola, it is 2 s (1 − s) 0.2 L beside the straight line."""
    motion, axes, arrows, (_, point) = graph
    (_, y0), (x1, y1) = arrows[0].get_position(), arrows[0].xy
    arrows[0].set_position((x1, y0))  # upright
    arrows[0].arrow_patch.set_connectionstyle("arc3", rad=0.2)
    motion.show(0.8 + 0.4 / 4)  # the loss falls exponentially, on a logarithmic axis
    ends = axes.transData.transform([(x1, y0), (x1, y1)])
    length = ends[0, 1] - ends[1, 1]
    ((x, y),) = axes.transData.transform(point.get_xydata())
    assert (ends[0, 1] - y) / length == pytest.approx(1 / 4, abs=1e-6)
    assert abs(x - ends[0, 0]) / length == pytest.approx(
        2 * 0.25 * 0.75 * 0.2, abs=2e-3
    )  # it is drawn as a polygon


def test_the_film_ends_soon_after_the_last_plateau_began(graph):
    motion, _, _, _ = graph
    times = motion.times(11)
    assert (times[0], times[-1]) == (0, pytest.approx(3.2 * 1.03))
    np.testing.assert_allclose(np.diff(times), 0.32 * 1.03)


def test_a_leap_over_several_modes_is_not_seen_before(walk):
    """Without the plateau at {1}: from ∅ to {1,2} there is no arrow of the graph."""
    walk = replace(walk, stages=(walk.stages[0], *walk.stages[2:]))
    (axes,) = saddle_graph_figure(walk.graph, walk.visited).axes
    motion = ThroughGraph([axes], walk)
    (leap,) = [text for text in axes.texts if text.get_gid() == leg_name(0, leap=True)]
    for time, seen in ((1.0, False), (2.7, False), (2.9, True)):
        motion.show(time)
        assert leap.get_visible() == seen
    motion.show(1.0)
    motion.finish()
    assert leap.get_visible()


def test_a_network_that_stays_where_it_is(walk):
    """One plateau is no path: the time passes, until the end of the training, and nothing is drawn."""
    walk = replace(walk, stages=walk.stages[:1])
    (axes,) = saddle_graph_figure(walk.graph, walk.visited).axes
    motion = ThroughGraph([axes], walk)
    assert motion.times(3).tolist() == [0, 2, 4]
    motion.show(1.0)
    assert not any(line.get_visible() for line in axes.lines[-2:])
