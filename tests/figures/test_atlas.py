"""The atlas draws predicted points and found roots where they are."""

import numpy as np
import pytest

from dynamics import Teacher
from dynamics.atlas import fixed_points
from dynamics.atlas.matching import catalogue_flow, match_fixed_points
from dynamics.atlas.search import search_fixed_points
from figures.atlas import atlas


@pytest.fixture(scope="module")
def drawn():
    catalogue = fixed_points(Teacher.from_eigenvalues([2, 1]), hidden=2)
    match = match_fixed_points(search_fixed_points(catalogue_flow(catalogue), 40), catalogue)
    return catalogue, match, atlas(catalogue.feasible, match).axes[0]


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
