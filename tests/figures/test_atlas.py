"""The atlas draws predicted points and found roots where they are."""

from types import SimpleNamespace

import numpy as np
import pytest
from drawn import names
from matplotlib.colors import same_color
from matplotlib.text import Text

from dynamics import Teacher
from dynamics.stationary import fixed_points
from dynamics.stationary.all_signs import points_of_all_signs
from dynamics.stationary.matching import catalogue_flow, match_fixed_points, search_catalogue
from dynamics.stationary.search import search_fixed_points
from figures.atlas import atlas_figure
from figures.style import PALETTE


@pytest.fixture(scope="module")
def drawn():
    catalogue = fixed_points(Teacher.from_eigenvalues([2, 1]), hidden=2)
    match = match_fixed_points(search_fixed_points(catalogue_flow(catalogue), 40), catalogue)
    return catalogue, match, atlas_figure(catalogue.feasible, match).axes[0]


def test_predictions_and_roots_are_at_their_loss_and_index(drawn):
    catalogue, match, axes = drawn
    crosses = next(line for line in axes.lines if (line.get_label() or "").startswith("predicted"))
    expected = sorted((p.index, p.loss) for p in catalogue.feasible)
    assert sorted(map(tuple, crosses.get_xydata())) == expected
    markers = np.vstack([c.get_offsets() for c in axes.collections])
    found = sorted((r.index, r.loss) for r in match.search.roots)
    np.testing.assert_allclose(sorted(map(tuple, markers)), found)
    names = {"found: global minimum": "global minimum", "found: local minimum": "minimum"}
    names |= {"found: saddle": "saddle", "found: degenerate saddle": "degenerate saddle"}
    assert len(axes.collections) > 1
    for drawn_kind in axes.collections:
        kind = names[drawn_kind.get_label()]
        of_kind = [(r.index, r.loss) for r in match.search.roots if r.kind == kind]
        np.testing.assert_array_equal(drawn_kind.get_offsets(), of_kind)


def test_levels_are_named(drawn):
    assert sorted(text.get_text() for text in drawn[2].texts) == ["{1, 2}", "{1}", "{2}", "∅"]


def test_every_root_of_a_search_is_on_a_cross():
    """λ = (4, 2, 1), four units: without all signs of spare units most of what is found would look unpredicted."""
    catalogue = fixed_points(Teacher.from_eigenvalues([4, 2, 1]), hidden=4)
    match = search_catalogue(catalogue, 200)
    assert match.matched == match.search.converged
    uncovered = []
    for points in (points_of_all_signs(catalogue), catalogue.feasible):
        axes = atlas_figure(points, match).axes[0]
        (crosses,) = [line for line in axes.lines if line.get_marker() == "x"]
        found = np.vstack([c.get_offsets() for c in axes.collections])
        gaps = np.abs(found[:, None] - crosses.get_xydata()).max(axis=-1).min(axis=-1)
        uncovered.append(np.count_nonzero(gaps > 1e-6))
    assert uncovered[0] == 0
    assert uncovered[1] > len(found) / 2


def names_beside(axes):
    """Texts of the names of levels from top to bottom, the heights of names and of what they are tied to, pixels."""
    axes.figure.draw_without_rendering()
    boxes = [t.get_tightbbox() for t in axes.texts]
    tied = [axes.transAxes.transform(t.xy)[1] for t in axes.texts]
    rows = [(Text.get_window_extent(t), t.get_text(), y) for t, y in zip(axes.texts, tied, strict=True)]
    assert all(box.x1 < axes.figure.bbox.x1 for box in boxes)
    return rows


def test_names_of_close_levels_keep_their_distance_and_are_tied_to_them():
    """Levels within 1 % of each other, on four decades."""
    losses = (100.0, 1.0, 1.001, 1.002, 1.003, 0.0)
    (axes,) = made_up(*losses).axes
    rows = names_beside(axes)
    levels = axes.transData.transform([(0.0, x) for x in sorted(losses)])[:, 1]
    np.testing.assert_allclose(sorted(y for _, _, y in rows), levels, atol=0.5)
    middles = sorted((box.y0, name) for box, name, _ in rows)
    assert [name for _, name in middles] == ["{6}", "{2}", "{3}", "{4}", "{5}", "{1}"]
    heights = [y for y, _ in middles]
    assert min(np.diff(heights)) > 7 / 72 * axes.figure.dpi


def test_of_many_levels_those_that_were_found_are_named():
    """Of thirty 24: the two highest, which were found, and the lowest; how many are not is said."""
    (axes,) = made_up(*range(1, 31), found=(28, 29)).axes
    *shown, rest = [t.get_text() for t in axes.texts]
    assert sorted(shown) == sorted(f"{{{n + 1}}}" for n in (*range(22), 28, 29))
    assert rest == "and 6 more"
    assert sum(line.get_linestyle() == ":" for line in axes.lines) == 30  # the levels are all there


def made_up(*losses, found=()):
    """Points of index 0, 2, 4, …, and one root of every kind at them, hit once."""
    points = [
        SimpleNamespace(loss=x, height=x, index=2 * n, learned_modes=(n,)) for n, x in enumerate(losses)
    ]
    kinds = ("global minimum", "minimum", "saddle", "degenerate saddle")
    roots = [SimpleNamespace(kind=kind, index=n, height=float(n), hits=10**n) for n, kind in enumerate(kinds)]
    matched = [*(points[n] for n in found), None, None, None, None][: len(roots)]
    return atlas_figure(points, SimpleNamespace(search=SimpleNamespace(roots=roots), points=matched))


def test_what_the_teacher_ignores_is_left_out_and_counted():
    """λ = (2, 1, 0), two units: of the points those that learn the third mode go, and the roots that lie on them."""
    catalogue = fixed_points(Teacher.from_eigenvalues([2, 1], 3), hidden=2)
    match = search_catalogue(catalogue, 100)
    points = points_of_all_signs(catalogue)
    zero = catalogue.spectrum.zeros
    assert zero == {2}
    figure = atlas_figure(points, match, ignored=zero)
    (axes,) = figure.axes
    kept = [p for p in points if 2 not in p.learned_modes]
    on = [p is None or 2 not in p.learned_modes for p in match.points]
    assert 0 < len(kept) < len(points)
    assert 0 < sum(on) < len(on)
    (crosses,) = [line for line in axes.lines if line.get_marker() == "x"]
    assert sorted(map(tuple, crosses.get_xydata())) == sorted((p.index, p.loss) for p in kept)
    roots = [(r.index, r.loss) for r, there in zip(match.search.roots, on, strict=True) if there]
    found = np.vstack([c.get_offsets() for c in axes.collections])
    np.testing.assert_allclose(sorted(map(tuple, found)), sorted(roots))
    assert sorted(text.get_text() for text in axes.texts) == ["{1, 2}", "{1}", "{2}", "∅"]
    gone = f"{len(points) - len(kept)} of {len(points)} points, {len(on) - sum(on)} of {len(on)} found"
    assert axes.get_title() == f"{gone} are not shown: they\nlearn what the teacher ignores"
    assert atlas_figure(points, match).axes[0].get_title() == ""


def test_kinds_are_told_apart():
    """By colour, by symbol and by name; larger the more starts ended there."""
    figure = made_up(1.0, 2.0)
    (axes,) = figure.axes
    shown = ["global minimum", "local minimum", "saddle", "degenerate saddle"]
    assert names(figure) == ["predicted", *(f"found: {name}" for name in shown)]
    for n, found in enumerate(axes.collections):
        np.testing.assert_array_equal(found.get_offsets(), [[n, n]])
        assert found.get_sizes() == [22 + 14 * n]
        assert same_color(found.get_edgecolor()[0], PALETTE[(0, 3, 2, 4)[n]])  # as in the saddle graph
        twin = axes.scatter([0], [0], marker="ovs^"[n])
        np.testing.assert_array_equal(found.get_paths()[0].vertices, twin.get_paths()[0].vertices)


def test_small_and_large_levels():
    """Linear up to the smallest loss that is not rounding, 1e-6 at least and 1 at most."""
    for losses, linear, bottom in (
        ((100.0, 20.0, 0.0), 1.0, -0.15),
        ((100.0, 1e-4, 1e-10, 0.0), 1e-4, -0.15e-4),
        ((100.0, 1e-8, 1e-10), 1e-6, -0.15e-8),
    ):
        (axes,) = made_up(*losses).axes
        assert axes.yaxis.get_transform().linthresh == pytest.approx(linear)
        assert axes.get_ylim() == pytest.approx((bottom, 140))
        predicted = [line for line in axes.lines if line.get_marker() == "x"]
        np.testing.assert_array_equal(
            predicted[0].get_xydata(), [[2 * n, loss] for n, loss in enumerate(losses)]
        )
        assert {"{1}", "{2}"} <= {t.get_text() for t in axes.texts}


def test_levels_without_a_zero_are_logarithmic():
    """As those of the logistic loss: from the lowest to the highest, with 40 % of room."""
    (axes,) = made_up(100.0, 20.0).axes
    assert axes.get_yscale() == "log"
    assert axes.get_ylim() == pytest.approx((20 / 1.4, 140))


def test_points_off_the_axes_are_drawn_without_a_cross():
    """Uniform inputs, λ = (2, 1), one unit: five roots, two of them at 2.9583 where nothing is predicted."""
    catalogue = fixed_points(Teacher.from_eigenvalues([2, 1]), hidden=1, distribution="uniform")
    match = search_catalogue(catalogue, 60)
    figure = atlas_figure(catalogue.feasible, match)
    (axes,) = figure.axes
    shown = ["local minimum", "spurious minimum", "saddle"]
    assert names(figure) == ["predicted", *(f"found: {name}" for name in shown)]
    found = np.vstack([c.get_offsets() for c in axes.collections])
    assert sorted(found[:, 1]) == pytest.approx([0.6222222, 2.4888889, 2.9583333, 2.9583333, 6.5])
    assert all(np.isfinite(c.get_sizes()).all() for c in axes.collections)
    (crosses,) = [line for line in axes.lines if line.get_marker() == "x"]
    assert not np.isclose(crosses.get_ydata(), 2.9583333).any()


def test_with_weight_decay_the_objective_is_drawn():
    """Heights are R, of points and roots; of the entries with the same learned modes the lowest has the name."""
    catalogue = fixed_points(Teacher.from_eigenvalues([2, 1]), hidden=2, weight_decay=0.1)
    match = match_fixed_points(search_fixed_points(catalogue_flow(catalogue), 40), catalogue)
    axes = atlas_figure(catalogue.feasible, match).axes[0]
    (crosses,) = [line for line in axes.lines if line.get_label() == "predicted"]
    np.testing.assert_array_equal(crosses.get_xydata(), [(p.index, p.objective) for p in catalogue.points])
    markers = np.vstack([c.get_offsets() for c in axes.collections])
    np.testing.assert_allclose(
        sorted(map(tuple, markers)), sorted((r.index, r.objective) for r in match.search.roots)
    )
    lowest = [catalogue.point(modes).objective for modes in ([0, 1], [0], [1], [])]
    levels = axes.transAxes.inverted().transform(axes.transData.transform([(0.0, y) for y in lowest]))[:, 1]
    np.testing.assert_allclose([text.xy[1] for text in axes.texts], levels, atol=1e-9)
    assert axes.get_ylabel().startswith("objective")
