"""From saddle to saddle: index, nullity and eigenvalues on the plateaus against counting by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.curvature import saddle_spectrum
from dynamics.curvature import saddles as module


def problem(lam, K, d, activation="centred", scale=1e-3, second_layer="fixed", **more):
    student = Student.initialise(K, d, scale=scale, seed=1, second_layer=second_layer)
    return Problem(Teacher.from_eigenvalues(lam, d), student, activation, **more)


def test_index_from_saddle_to_saddle():
    """(K − r)(R − r) descents: each of K − r free units along each of R − r missing modes.

    At a saddle with W = diag(√λ) on r modes, a = 1, L = tr(M* − WᵀW)². Eigenvalues by hand: along a missing mode j a
    free unit has −4λ_j, the unit of mode i has 4(λ_i − λ_j), along inputs without teacher 4λ_i and 0; inside, of the r
    modes the square of a symmetric form, 4(λ_i + λ_j), and r(r − 1)/2 rotations 0; a free unit along
    a learned mode 0.
    """
    lam, K, d = [5.0, 2.0, 0.8], 3, 5
    found = saddle_spectrum(problem(lam, K, d), t_end=4.0, points=20)
    assert [p.stage.learned_modes for p in found.plateaus] == [(), (0,), (0, 1), (0, 1, 2)]
    for r, p in enumerate(found.plateaus):
        learned, missing = lam[:r], [*lam[r:], 0, 0]
        inside = [4 * (x + y) for n, x in enumerate(learned) for y in learned[: n + 1]]
        mixed = [4 * (x - y) for x in learned for y in missing] + [-4 * y for y in missing] * (K - r)
        free = [0.0] * ((K - r) * r) + [0.0] * (r * (r - 1) // 2)
        by_hand = sorted([*inside, *mixed, *free], reverse=True)
        assert p.index == p.predicted_index == (K - r) * (3 - r)
        assert p.nullity == p.predicted_nullity == sum(x == 0 for x in by_hand)
        np.testing.assert_allclose(p.predicted, by_hand, atol=1e-12)
        row = int(np.flatnonzero(found.spectrum.times == p.time)[0])
        assert p.stage.start <= p.time <= p.stage.end
        np.testing.assert_allclose(
            found.spectrum.at(row), by_hand, atol=0.02 * found.spectrum.sharpness.max()
        )
    lines = found.summary().splitlines()
    assert lines[3].startswith("plateau  t = 0 … ")
    assert lines[3].endswith("loss 29.639  index 9 (catalogue 9)")
    assert len(lines) == 7


def test_units_that_have_not_grown_rest_at_the_origin():
    """With a trained second layer the saddles on the way are degenerate: index 0, as the catalogue has it for a_k = 0.

    The free units add zeros alone: the nullity of the catalogue for their signs would be smaller, its index not zero.
    """
    start = problem([4, 1], 3, 3, "quadratic", 1e-3, "trainable")
    found = saddle_spectrum(start, points=10)
    first, second = found.plateaus[:2]
    assert [p.index for p in (first, second)] == [p.predicted_index for p in (first, second)] == [0, 0]
    assert first.nullity == first.predicted_nullity == 12
    assert second.nullity == second.predicted_nullity
    assert first.predicted is None
    assert module.UNGROWN not in found.summary()
    larger = saddle_spectrum(problem([4, 1], 3, 3, "quadratic", 0.03, "trainable"), points=10)
    assert larger.plateaus[0].index > larger.plateaus[0].predicted_index == 0
    assert larger.summary().splitlines()[-1] == module.UNGROWN


def test_slowest_is_where_the_gradient_is_smallest():
    """Of up to so many samples of the plateau, by the speed of the flow."""
    found = saddle_spectrum(problem([2, 0.5], 2, 2), t_end=3.0, points=10)
    curve = found.trajectory
    for p in found.plateaus[1:-1]:
        on = np.flatnonzero((curve.times >= p.stage.start) & (curve.times <= p.stage.end))
        speed = [np.linalg.norm(curve.problem.population.velocity(curve.W_at(i), curve.A[i])[0]) for i in on]
        here = np.linalg.norm(
            curve.problem.population.velocity(*(x[curve.times == p.time][0] for x in (curve.W, curve.A)))[0]
        )
        assert min(speed) <= here <= 1.05 * min(speed)


def test_weight_decay_is_part_of_it():
    """At the origin every eigenvalue rises by ρ, and so do those of the catalogue."""
    plain, decayed = (
        saddle_spectrum(problem([4, 1], 2, 2, weight_decay=rho), t_end=0.5, points=4) for rho in (0.0, 0.5)
    )
    np.testing.assert_allclose(decayed.spectrum.at(0), plain.spectrum.at(0) + 0.5, atol=1e-4)
    np.testing.assert_allclose(decayed.plateaus[0].predicted, plain.plateaus[0].predicted + 0.5, atol=1e-12)
    assert decayed.plateaus[0].predicted_index == decayed.plateaus[0].index == 4


def test_without_a_catalogue_it_says_why():
    """Of erf units there is none; of too many modes it is too large."""
    found = saddle_spectrum(problem([1, 1], 2, 3, "erf", 0.03), t_end=60.0, points=5)
    assert found.plateaus
    assert {(p.predicted_index, p.predicted) for p in found.plateaus} == {(None, None)}
    assert found.uncatalogued.startswith(
        "`activation` is 'erf', but the catalogue of stationary points is known only"
    )
    assert found.summary().splitlines()[-1] == found.uncatalogued
    assert "catalogue" not in "".join(found.summary().splitlines()[:-1])
    many = saddle_spectrum(problem(np.arange(1, 16.0), 15, 15, scale=1e-2), t_end=0.02, points=2)
    assert many.uncatalogued.startswith("The full catalogue")
    assert [p.predicted_index for p in many.plateaus] == [None]


def test_a_flow_without_plateaus():
    """From large weights there may be none."""
    found = saddle_spectrum(problem([1], 1, 2, scale=1.5), t_end=0.05, points=5)
    assert found.plateaus == ()
    assert len(found.spectrum.times) == 5


def test_what_is_too_large_is_refused_before_it_is_integrated(monkeypatch):
    monkeypatch.setattr(module, "GradientFlow", lambda problem: SimpleNamespace(theta0=np.zeros(4001)))
    with pytest.raises(
        ProblemError, match=r"after the reduction has 4001 rows, .* at most 4000: take fewer hidden"
    ):
        saddle_spectrum(problem([1], 1, 2))


def test_points(monkeypatch):
    """At so many times and on every plateau, however many samples the flow has."""
    monkeypatch.setattr(module, "SAMPLES", 3)
    assert len(saddle_spectrum(problem([1], 1, 2, scale=1.5), t_end=0.05, points=11).spectrum.times) == 11
    with pytest.raises(ProblemError, match="`points` is 1"):
        saddle_spectrum(problem([1], 1, 2), points=1)
