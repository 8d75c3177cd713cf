"""A sweep in plain numbers, against made-up runs whose losses are known."""

import numpy as np

from dynamics.curves.variables import Variable
from empirical.sweep.dataset import assemble
from empirical.sweep.grid import Axis, SweepPlan
from empirical.sweep.store import Piece
from empirical.sweep.summary import grid_summary, kinds_of, median_curves


def dataset(x=(1.0, 2.0), failed=()):
    """Loss x (r + 1) at all times; the median over r = 0, 1, 2 is 2x."""
    plan = SweepPlan(("simulate", "diagnose"), {}, (Axis("x", x),), 3)
    pieces = []
    for run in plan.runs():
        kind, (i, r) = plan.place(run.index)
        if (i, r) in failed:
            pieces.append(Piece(run.index, {}, "refused"))
        elif kind == "diagnose":
            verdict = np.array("succeeds" if r else "fails")
            pieces.append(Piece(run.index, {"verdict": Variable((), verdict)}))
        else:
            loss = np.full(4, x[i] * (r + 1))
            values = {
                "time": Variable(("time",), np.arange(4.0)),
                "loss": Variable(("time",), loss),
                "final_loss": Variable((), loss[-1]),
            }
            pieces.append(Piece(run.index, values))
    return assemble(plan, pieces)


def test_every_grid_point_and_kind_has_a_row():
    data = dataset(failed={(1, 0), (1, 1), (1, 2)})
    assert kinds_of(data) == ("simulate", "diagnose")
    assert grid_summary(data) == [
        {"x": 1.0, "kind": "simulate", "done": 3, "failed": 0, "final_loss": 2.0},
        {"x": 1.0, "kind": "diagnose", "done": 3, "failed": 0, "succeed": 2},
        {"x": 2.0, "kind": "simulate", "done": 0, "failed": 3, "final_loss": None},
        {"x": 2.0, "kind": "diagnose", "done": 0, "failed": 3, "succeed": 0},
    ]


def test_curves_are_medians_of_evenly_chosen_points():
    data = dataset(x=tuple(float(n) for n in range(1, 31)))
    curves = median_curves(data)
    assert len(curves) == 8
    assert [curves[0]["x"], curves[-1]["x"]] == [1.0, 30.0]
    for curve in curves:
        np.testing.assert_array_equal(curve["times"], np.arange(4.0))
        np.testing.assert_array_equal(curve["loss"], 2 * curve["x"])


def test_curves_of_a_large_grid_are_of_every_value_of_its_short_options():
    """Of 4 × 3 points the first and the last x with every K; of 2⁵ those of two values of three options."""
    values = {"time": Variable(("time",), np.arange(2.0)), "loss": Variable(("time",), np.ones(2))}

    def curves_over(*axes):
        plan = SweepPlan(("simulate",), {}, axes, 1)
        return median_curves(assemble(plan, [Piece(run.index, values) for run in plan.runs()]))

    found = curves_over(Axis("x", (1.0, 2.0, 3.0, 4.0)), Axis("K", (2, 4, 8)))
    assert [(c["x"], c["K"]) for c in found] == [(x, K) for x in (1.0, 4.0) for K in (2, 4, 8)]
    found = curves_over(*(Axis(name, (0.0, 1.0)) for name in "pqrst"))
    assert len(found) == 8
    assert [len({c[name] for c in found}) for name in "pqrst"] == [1, 1, 2, 2, 2]


def test_curves_are_medians_over_replicates_and_networks_in_any_order():
    """Made-up losses whose dimensions stand in another order: medians by NumPy, None where no run has a value."""
    data = dataset()
    losses = np.random.default_rng(0).random((5, 3, 4, 2))  # networks, replicates, times, x
    losses[:, 0, 1, 0] = np.nan
    losses[:, :, 2, 1] = np.nan
    data = data.assign(simulate_loss=(("network", "replicate", "simulate_time", "x"), losses))
    first, second = median_curves(data)
    assert (first["x"], second["x"], first["kind"]) == (1.0, 2.0, "simulate")
    np.testing.assert_allclose(first["loss"], np.nanmedian(losses[..., 0], axis=(0, 1)), rtol=1e-15)
    assert second["loss"][2] is None
    expected = np.median(losses[..., [0, 1, 3], 1], axis=(0, 1))
    np.testing.assert_allclose([second["loss"][n] for n in (0, 1, 3)], expected, rtol=1e-15)
