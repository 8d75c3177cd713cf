"""Weight decay on the explorer: plateaus, minima and what decays, against `dynamics`."""

import numpy as np
import pytest

from dynamics import Teacher
from dynamics.problem.decayed_levels import TrainedLayer, decayed_level, decayed_minima
from dynamics.problem.decayed_mode import decay_strength
from dynamics.problem.weight_decay import WeightDecay
from dynamics.stationary import fixed_points

POINTS = (
    "return decayedPoints(FIXED_POINTS[arguments[0]][arguments[1].length](arguments[1]), arguments[1], arguments[2],"
    " TRACE_COUPLING[arguments[0]])"
)


def coupling(activation):
    return 1.0 if activation == "quadratic" else 0.0


def subsets(d):
    return [tuple(i for i in range(d) if bits >> i & 1) for bits in range(2**d)]


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_plateaus_are_those_of_dynamics(explorer, activation, rng):
    """Every set of modes, those included that decay forbids: levels, values and forces to rounding."""
    seen = {"there": 0, "forbidden": 0}
    for _ in range(12):
        d = int(rng.integers(1, 6))
        lam = rng.uniform(-4, 4, d).tolist()
        rho = (10 ** rng.uniform(-1.5, 1.2, 2)).tolist()
        found = {tuple(p["learned"]): p for p in explorer.run(POINTS, activation, lam, rho)}
        shrinks = TrainedLayer(decay_strength(WeightDecay(*rho)))
        for S in subsets(d):
            level = decayed_level(lam, S, shrinks, coupling(activation))
            assert (level is None) == (S not in found), (lam, rho, S)
            seen["forbidden" if level is None else "there"] += 1
            if level is not None:
                assert found[S]["loss"] == pytest.approx(level.loss, rel=1e-11, abs=1e-11)
                np.testing.assert_allclose(found[S]["values"], level.values, atol=1e-11)
                np.testing.assert_allclose(found[S]["forces"], level.forces, rtol=1e-9)
    assert min(seen.values()) > 20


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_minima_are_those_of_dynamics(explorer, activation):
    """Points from which nothing takes over, with their objectives: one for every r₊ + r₋."""
    for lam, rho in (((4.0, 2.0, 1.0), 0.1), ((3.0, 0.5, -0.2, -2.0), 0.05), ((1.0, 0.2, -0.1), 0.3)):
        points = explorer.run(POINTS, activation, lam, (rho, rho))
        minima = decayed_minima(lam, len(lam), WeightDecay(rho, rho), coupling(activation))
        found = sorted((p["objective"], p["learned"]) for p in points if not p["takeovers"])
        assert [modes for _, modes in found] == [list(m.learned) for m in minima]
        assert [R for R, _ in found] == pytest.approx([m.objective for m in minima], rel=1e-11)


def test_takeovers_are_the_descending_directions(explorer):
    """Their number is the Morse index in the catalogue, of points with one unit for each mode on upper roots."""
    lam, rho = (4.0, 2.0, 1.0, -1.5), 0.1
    catalogue = fixed_points(Teacher.from_eigenvalues(lam), hidden=4, weight_decay=rho).points
    points = explorer.run(POINTS, "quadratic", lam, (rho, rho))
    assert len(points) > 10
    for point in points:
        (same,) = [
            p
            for p in catalogue
            if sorted(p.learned_modes) == point["learned"] and abs(p.loss - point["loss"]) < 1e-9
        ]
        assert len(point["takeovers"]) == same.index
    assert sum(len(p["takeovers"]) > 0 for p in points) > 5


def test_a_plateau_becomes_a_trap(explorer):
    """λ = (4, 2, 1) from 0.03: all is learned without decay; with ρ = 0.36 nothing of mode 3, a minimum."""
    explorer.set("decay", 0.6)
    end = explorer.run("return explorer.points.find((p) => p.reached)")
    assert end["learned"] == [0, 1]
    assert end["takeovers"] == []
    assert explorer.run("return explorer.curve.loss.at(-1)") == pytest.approx(end["loss"], rel=1e-4)
    outcome = explorer.run("return document.getElementById('outcome').textContent")
    assert outcome.startswith("Not everything is learned")
    row = explorer.run(
        "return [...document.querySelector('#points tr.reached').children].map((c) => c.textContent)"
    )
    assert row[0] == "{1, 2}"
    assert float(row[2]) == pytest.approx(end["objective"], rel=1e-4)
    assert row[4] == "nothing: a minimum"
    assert explorer.run(
        "return [...document.querySelectorAll('[data-decay]')].every((e) => e.checkVisibility())"
    )
    explorer.set("decay", 0)
    assert explorer.run("return document.getElementById('outcome').textContent").startswith("Learned")
    assert explorer.run("return [...document.querySelectorAll('[data-decay]')].every((e) => e.hidden)")
    assert explorer.run("return document.querySelectorAll('#points tr')[0].children.length") == 6


def test_what_is_conserved_without_decay_falls_by_its_law(explorer):
    """c_k(0) exp(−2ρt): from the weights at the end of the curve, and the deviation that the page states."""
    explorer.set("start", "random")
    explorer.set("scale", -0.3)
    explorer.set("decay", 0.5)
    explorer.set("t-end", 0)
    curve = explorer.run("return explorer.curve")
    W, a = np.array(curve["states"])[:, :9].reshape(-1, 3, 3), np.array(curve["states"])[:, 9:]
    c = np.sum(W**2, axis=2) - 2 * a**2
    left = c[0] * np.exp(-2 * 0.25 * np.array(curve["times"]))[:, None]
    assert curve["times"][-1] == 1
    np.testing.assert_allclose(c, left, rtol=0, atol=1e-9)
    assert np.ptp(c, axis=0).min() > 1e-3  # they fall
    stated = [x["drift"] for x in curve["conserved"]]
    assert max(stated) < 1e-9
    assert stated == pytest.approx(np.abs(c - left).max(axis=0), rel=0.1, abs=1e-13)


def test_units_at_rest_under_decay_are_points(explorer):
    """a p² = μ and p² = 2a² at the drawn diamonds; the origin is at rest, and no line is."""
    explorer.set("decay", 0.3)
    held, rest = explorer.run(
        "const { data } = document.getElementById('phase-plot');"
        "return ['held', 'at rest'].map((word) => data.filter((trace) => trace.name?.includes(word)))"
    )
    a, p = np.array(held[0]["x"]), np.array(held[0]["y"])
    np.testing.assert_allclose(p**2, 2 * a**2, rtol=1e-12)
    mu = explorer.run("return explorer.points.filter((p) => p.learned.includes(0)).map((p) => p.values[0])")
    np.testing.assert_allclose(sorted({*np.round(a * p**2, 9)}), sorted({*np.round(mu, 9)}), atol=1e-8)
    assert [trace["x"] for trace in rest] == [[0]]
