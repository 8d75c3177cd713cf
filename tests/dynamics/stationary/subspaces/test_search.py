"""The search finds what theory counts: Gaussian levels, the births of off-axis subspaces, data."""

from __future__ import annotations

from itertools import combinations
from math import comb, sqrt

import numpy as np
import pytest

from dynamics.problem import Problem, Student, Teacher
from dynamics.problem.levels import plateau_level
from dynamics.stationary.subspaces.form import FormLoss
from dynamics.stationary.subspaces.reduced_loss import framed, reduced_loss
from dynamics.stationary.subspaces.search import _descended, search_subspaces, sine


def counted(problem: Problem, rank: int, starts: int) -> tuple[int, bool]:
    found = search_subspaces(FormLoss.of(problem), rank, starts)
    return len(found.subspaces), found.count.complete


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_gaussian_levels(under, rank: int) -> None:
    """Positive teachers have the least number of critical subspaces, binom(d, r), at the heights of the plateaus."""
    lam = [3.1, 2.0, 1.2, 0.4]
    found = search_subspaces(FormLoss.of(under(lam)), rank, 120)
    levels = [plateau_level(lam, S) for S in combinations(range(4), rank)]
    levels.sort(key=lambda level: level.loss)
    assert len(found.subspaces) == comb(4, rank) and found.count.complete
    for subspace, level in zip(found.subspaces, levels, strict=True):
        assert subspace.loss == pytest.approx(level.loss, rel=1e-12)
        np.testing.assert_allclose(subspace.values, level.values, rtol=1e-9)
        assert sine(subspace.basis, np.eye(4)[:, list(level.learned)]) < 1e-9
    assert found.count.found[0] == found.count.found[-1] == 1


@pytest.mark.parametrize("birth", [sqrt(7) - 1, (sqrt(13) - 5) / 2])
def test_off_axis_lines_are_born_in_pairs(under, birth: float) -> None:
    """λ = (2, 1): where μ_i/λ̃_j = 1 + κ/2 for {1} (above), for {2} (below). Derived here: theory of other inputs."""
    outwards = np.sign(birth)
    before, after = (under([2.0, 1.0], f"independent:{birth + s * 0.02 * outwards}") for s in (-1, 1))
    assert counted(before, 1, 30) == (2, True)
    assert counted(after, 1, 200) == (4, True)


@pytest.mark.parametrize(
    ("kappa", "lines", "starts"), [(0, 3, 40), (-1.2, 13, 2000), (3, 7, 200), (12, 13, 400)]
)
def test_lines_of_three_modes(under, kappa: float, lines: int, starts: int) -> None:
    """Counted once before, by Newton's method in angles (theory of other inputs, 11.1)."""
    assert counted(under([4.0, 2.0, 1.0], f"independent:{kappa}"), 1, starts) == (lines, True)


@pytest.mark.parametrize("seed", range(8))
def test_missed_subspaces_are_noticed(under, seed: int) -> None:
    """Thirteen lines, and twelve starts: the count may close all the same, but never with each line found twice."""
    found = search_subspaces(FormLoss.of(under([4.0, 2.0, 1.0], "uniform")), 1, 12, seed)
    assert len(found.subspaces) < 13 and not found.count.complete
    assert found.count.rare == sum(s.hits == 1 for s in found.subspaces) > 0


def test_each_start_is_counted(under) -> None:
    found = search_subspaces(FormLoss.of(under([4.0, 2.0, 1.0])), 1, 40)
    assert sum(s.hits for s in found.subspaces) == found.converged == 40
    again = search_subspaces(FormLoss.of(under([4.0, 2.0, 1.0])), 1, 40)
    assert [s.loss for s in again.subspaces] == [s.loss for s in found.subspaces]


def test_deficient_subspaces_come_in_a_circle(under) -> None:
    """λ = (2, −1.9, 0.3), r = 1: G(0) is indefinite, and the lines on which vᵀGv = 0 are critical with M = 0.

    A circle of maxima of L* ≤ L(0): three lines of two minima and a saddle with it make 1 + t + t².
    """
    found = search_subspaces(FormLoss.of(under([2.0, -1.9, 0.3])), 1, 80)
    (circle,) = [s for s in found.subspaces if s.deficient]
    assert circle.family == (1, 1) and circle.index == 1 and not circle.degenerate
    assert np.abs(circle.values).max() < 1e-6 and circle.hits > 1
    assert found.count.found == (2, 2, 1) and found.count.complete


def test_a_pair_of_deficient_subspaces(under) -> None:
    """The same with r = 2: beside {0.3} alone G has both signs, 2.03 and −1.87, and vanishes on two directions."""
    found = search_subspaces(FormLoss.of(under([2.0, -1.9, 0.3])), 2, 200)
    deficient = [s for s in found.subspaces if s.deficient]
    assert len(deficient) == 2 and all(s.family == (1,) and not s.degenerate for s in deficient)
    assert found.count.complete


def test_what_no_family_explains_is_degenerate(under) -> None:
    """λ = (2, −1.8, −0.2/3): T/2 = 0.2/3, so that at M = 0 G vanishes along a mode, and the circle is singular."""
    found = search_subspaces(FormLoss.of(under([2.0, -1.8, -0.2 / 3])), 1, 60)
    assert any(s.degenerate for s in found.subspaces) and not found.count.closes


def test_one_subspace_of_full_dimension(under) -> None:
    found = search_subspaces(FormLoss.of(under([2.0, 1.0])), 2, 50)
    assert found.count.starts == 1 and found.count.complete
    assert found.subspaces[0].loss == pytest.approx(0, abs=1e-13)


@pytest.mark.parametrize(("lam", "numbers"), [((4, 2, 1), (3, 3)), ((1.2, 1.1, 1), (11, 13))])
def test_digits(lam: tuple[float, ...], numbers: tuple[int, int]) -> None:
    """Three whitened principal components of digits: counted before (theory of other inputs, 11.4)."""
    X = pytest.importorskip("sklearn.datasets").load_digits().data
    X = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)[0][:, :3] * np.sqrt(len(X))
    data = (X, np.zeros(len(X)))
    problem = Problem(Teacher.from_eigenvalues(lam), Student.initialise(3, 3), data=data)
    assert counted(problem, 1, 200) == (numbers[0], True)
    assert counted(problem, 2, 200) == (numbers[1], True)


def test_descents_end_at_minima_where_random_subspaces_do_not(labelled) -> None:
    """Labels of both signs, ten inputs, r = 2: without descents all of these starts lead to M = 0 or high saddles."""
    found = search_subspaces(FormLoss.of(labelled(10, 2, samples=400)), 2, 16)
    assert sum(s.index == 0 for s in found.subspaces) >= 2
    assert found.subspaces[0].index == 0


def test_descents_lower_the_loss_by_so_many_steps(labelled) -> None:
    form = FormLoss.of(labelled(6, 2))
    before = reduced_loss(form, framed(np.random.default_rng(0).standard_normal((4, 6, 2))), 2)
    after = _descended(form, before, np.array([0, 1, 5, 60]))
    assert after.loss[0] == before.loss[0] and (after.loss[1:] < before.loss[1:]).all()
    sizes = np.linalg.norm(after.gradient, axis=1)
    assert sizes[3] < 1e-6 * sizes[0]  # arrived at a minimum
    assert np.linalg.eigvalsh(after.hessian[3]).min() > 0
