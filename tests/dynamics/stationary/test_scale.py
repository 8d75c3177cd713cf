"""The catalogue and the search do not know in which units the teacher is measured.

With the teacher's eigenvalues λ → cλ the losses of stationary points become c² times as large, learned values c times,
and everything else stays: θ → c^{1/3}θ maps one problem onto the other (c^{1/2} with a fixed second layer).
"""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.stationary import catalogue_flow, fixed_points, match_fixed_points, search_fixed_points
from dynamics.stationary.numerical import numerical_points

SCALES = (1e-12, 1e-6, 1e6, 1e12)
PROBLEMS = [
    ([4, 2, 1], 3, {}),
    ([2, -1.9], 1, {}),  # spurious minima and a degenerate saddle
    ([2, 2, 0, -1], 2, {"activation": "centred"}),
    ([1.5, 1, -0.7], 3, {"second_layer": "fixed"}),
]
UNCHANGED = (
    "learned_modes",
    "index",
    "nullity",
    "positive",
    "kind",
    "feasible",
    "needed",
    "signs",
    "trapping",
)


@pytest.mark.parametrize("c", SCALES)
@pytest.mark.parametrize(("lam", "hidden", "options"), PROBLEMS)
def test_catalogue(lam, hidden, options, c):
    """Products with c round, so that losses agree to a few units in the last place of the largest."""
    plain, scaled = (
        fixed_points(Teacher.from_eigenvalues(factor * np.array(lam)), hidden, **options) for factor in (1, c)
    )
    tolerance = 1e-14 * max(point.loss for point in plain.points)
    for one, other in zip(plain.points, scaled.points, strict=True):
        assert other.loss / c**2 == pytest.approx(one.loss, abs=tolerance)
        np.testing.assert_allclose(np.array(other.learned_values) / c, one.learned_values, atol=1e-14 * 4)
        for name in UNCHANGED:
            assert getattr(other, name) == getattr(one, name)


def found(lam, hidden, options):
    """A search, and (learned modes, index, kind) of all it found, and of what it found more than twice."""
    catalogue = fixed_points(Teacher.from_eigenvalues(lam), hidden, **options)
    search = search_fixed_points(catalogue_flow(catalogue), 60, seed=2)
    match = match_fixed_points(search, catalogue)
    assert match.unmatched == ()
    assert search.converged >= 57
    seen = [
        (root.hits, (point.learned_modes, root.index, root.kind))
        for root, point in zip(search.roots, match.points, strict=True)
    ]
    # What is found once or twice may depend on rounding.
    return search, {entry for _, entry in seen}, {entry for hits, entry in seen if hits > 2}


@pytest.mark.parametrize(("lam", "hidden", "options"), PROBLEMS)
def test_search_and_match(lam, hidden, options):
    power = 1 / 2 if options.get("second_layer") else 1 / 3
    plain, *expected = found(lam, hidden, options)
    assert len(expected[1]) > 2
    for c in SCALES:
        search, once, often = found(c * np.array(lam), hidden, options)
        assert search.size / c**power == pytest.approx(plain.size)
        assert expected[1] <= once
        assert often <= expected[0]


@pytest.mark.parametrize("c", SCALES)
def test_points_of_other_activations(c):
    """|·| has degree 1, so that θ → c^{1/2}θ; losses and modes of one problem are those of the other."""

    def points(factor):
        problem = Problem(
            Teacher.from_eigenvalues([2 * factor, factor]), Student.initialise(2, 2, scale=1.0), "abs"
        )
        result = numerical_points(problem, 30, seed=1)
        return result["search"]["converged"], {
            (round(p["loss"] / factor**2, 6), p["kind"], tuple(p["learned_modes"]))
            for p in result["fixed_points"]
            if p["hits"] > 2
        }

    assert points(c) == points(1)


@pytest.mark.parametrize("hidden", [1, 3])
def test_a_teacher_of_zeros(hidden):
    """L ≥ 0 = L(0) is homogeneous, so that θ·∇L is a multiple of L: every stationary point is a global minimum."""
    catalogue = fixed_points(Teacher.from_eigenvalues([0, 0]), hidden)
    search = search_fixed_points(catalogue_flow(catalogue), 40, seed=1)
    match = match_fixed_points(search, catalogue)
    assert search.converged == match.matched >= 36
    assert match.unmatched == ()
    assert {root.kind for root in search.roots} == {"global minimum"}
    student = Student.initialise(hidden, 2, scale=1.0, second_layer="fixed")
    flow = GradientFlow(Problem(Teacher.from_eigenvalues([0, 0]), student))
    assert search_fixed_points(flow, 20).converged == 20
