"""The atlas draws predicted points and found roots where they are."""

from types import SimpleNamespace

import numpy as np
import pytest
from drawn import names
from matplotlib.colors import same_color

from dynamics import Teacher
from dynamics.stationary import fixed_points
from dynamics.stationary.matching import catalogue_flow, match_fixed_points, search_catalogue
from dynamics.stationary.search import search_fixed_points
from figures.atlas import atlas_figure
from figures.style import MARKERS, PALETTE


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
    names |= {"found: saddle": "saddle", "found: degenerate": "degenerate saddle"}
    assert len(axes.collections) > 1
    for drawn_kind in axes.collections:
        kind = names[drawn_kind.get_label()]
        of_kind = [(r.index, r.loss) for r in match.search.roots if r.kind == kind]
        np.testing.assert_array_equal(drawn_kind.get_offsets(), of_kind)


def test_levels_are_named(drawn):
    names = " ".join(text.get_text() for text in drawn[2].texts)
    assert r"\{1,2\}" in names
    assert r"\varnothing" in names


def made_up(*losses):
    """Points of index 0, 2, 4, …, and one root of every kind at them, hit once."""
    points = [
        SimpleNamespace(loss=x, height=x, index=2 * n, learned_modes=(n,)) for n, x in enumerate(losses)
    ]
    kinds = ("global minimum", "minimum", "saddle", "degenerate saddle")
    roots = [SimpleNamespace(kind=kind, index=n, height=float(n), hits=10**n) for n, kind in enumerate(kinds)]
    return atlas_figure(points, SimpleNamespace(search=SimpleNamespace(roots=roots)))


def test_kinds_are_told_apart():
    """By colour, by symbol and by name; larger the more starts ended there."""
    figure = made_up(1.0, 2.0)
    (axes,) = figure.axes
    shown = ["global minimum", "local minimum", "saddle", "degenerate"]
    assert names(figure) == ["predicted, spare $a_k > 0$", *(f"found: {name}" for name in shown)]
    for n, found in enumerate(axes.collections):
        np.testing.assert_array_equal(found.get_offsets(), [[n, n]])
        assert found.get_sizes() == [18 + 14 * n]
        assert same_color(found.get_edgecolor()[0], PALETTE[n])
        twin = axes.scatter([0], [0], marker=MARKERS[n])
        np.testing.assert_array_equal(found.get_paths()[0].vertices, twin.get_paths()[0].vertices)


def test_small_and_large_levels():
    """Linear up to the smallest loss that is not rounding, 1e-6 at least and 1 at most."""
    for losses, linear, bottom in (
        ((100.0, 20.0), 1.0, -0.15),
        ((100.0, 1e-4, 1e-10, 0.0), 1e-4, -0.15e-4),
        ((100.0, 1e-8, 1e-10), 1e-6, -0.15e-8),
    ):
        (axes,) = made_up(*losses).axes
        assert axes.yaxis.get_transform().linthresh == pytest.approx(linear)
        assert axes.get_ylim() == pytest.approx((bottom, 140))
        assert axes.get_xlim()[1] == 1.3 * 2 * (len(losses) - 1) + 1
        predicted = [line for line in axes.lines if line.get_marker() == "x"]
        np.testing.assert_array_equal(
            predicted[0].get_xydata(), [[2 * n, loss] for n, loss in enumerate(losses)]
        )
        assert [t.get_text() for t in axes.texts][:2] == [r"$\{1\}$", r"$\{2\}$"]


def test_points_off_the_axes_are_drawn_without_a_cross():
    """Uniform inputs, λ = (2, 1), one unit: five roots, two of them at 2.9583 where nothing is predicted."""
    catalogue = fixed_points(Teacher.from_eigenvalues([2, 1]), hidden=1, distribution="uniform")
    match = search_catalogue(catalogue, 60)
    figure = atlas_figure(catalogue.feasible, match)
    (axes,) = figure.axes
    shown = ["local minimum", "saddle", "spurious minimum"]
    assert names(figure) == ["predicted, spare $a_k > 0$", *(f"found: {name}" for name in shown)]
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
    np.testing.assert_array_equal([text.xy[1] for text in axes.texts], lowest)
    assert axes.get_ylabel().startswith("objective")
