"""Stationary points of networks of one's own: those that are known, and what symmetries explain of their nullity."""

from __future__ import annotations

import numpy as np
import pytest

from dynamics import Teacher, fixed_points
from dynamics.networks import NetworkProblem, find_network_points
from dynamics.networks.laws import conserved_laws
from dynamics.networks.search import symmetry_dimension


def test_deep_linear_points():
    """f = W_2W_1x learns diag(2, 1) mode by mode: L = ½Σ of unlearned s², index = unlearned modes at the learned rank.

    At zero all of the 2·2 pairs of the two layers' directions along a mode descend: one for each mode and unit.
    """
    found = find_network_points(NetworkProblem("deep-linear:2,2,2", "2*x_0; x_1", init_scale=1.0), 40)
    table = [(round(r.loss, 9), r.index, r.kind) for r in found.roots]
    assert table == [(0, 0, "global minimum"), (0.5, 1, "saddle"), (2, 2, "saddle"), (2.5, 4, "saddle")]
    # GL(2) acts freely on points of full rank: its symmetric part has dimension 3, and of the nullity its rotations too
    assert found.symmetries[0] == 3 and found.roots[0].nullity == 4


def test_two_layers_have_the_levels_of_the_catalogue():
    """The levels of the quadratic network with two units and M* = diag(2, −1), from another theory altogether."""
    catalogue = fixed_points(Teacher.from_eigenvalues([2.0, -1.0]), 2)
    found = find_network_points(
        NetworkProblem("deep-quadratic:2,2,1", "2*x_0**2 - x_1**2", init_scale=1.0), 60, seed=1
    )
    levels = {round(point.loss, 6) for point in catalogue.points}
    assert {round(loss, 6) for loss in found.losses} <= levels
    assert {0.0, min(levels - {0.0})} <= {round(abs(loss), 6) for loss in found.losses}


def test_a_deep_network_is_flat_at_zero():
    """Where two factors vanish the Hessian does, and the loss falls all the same; with a < 0 and u = 0 it does not."""
    found = find_network_points(NetworkProblem("deep-quadratic:2,1,1,1", "x_0**4", init_scale=1.0), 40)
    by_nullity = {r.nullity: r.kind for r in found.roots if r.loss > 52.4 and r.index == 0}
    assert by_nullity[4] == "degenerate saddle" and by_nullity[3] == "minimum"


def test_weight_decay_moves_them():
    """½(1 − aw)² + ½ρ(a² + w²): |a| = |w| = √(1 − ρ), and zero; the objective there by hand."""
    rho = 0.2
    found = find_network_points(NetworkProblem("a*w*x_0", "x_0", weight_decay=rho, init_scale=1.0), 30)
    objectives = sorted({round(r.loss, 9) for r in found.roots})
    assert objectives == [pytest.approx(rho**2 / 2 + rho * (1 - rho)), pytest.approx(0.5)]
    assert sorted({round(loss, 9) for loss in found.losses}) == [
        pytest.approx(rho**2 / 2),
        pytest.approx(0.5),
    ]
    data = found.to_dict()["fixed_points"][0]
    assert data["objective"] == pytest.approx(rho**2 / 2 + rho * (1 - rho))
    assert abs(data["parameters"]["a"]) == pytest.approx(np.sqrt(1 - rho))


def test_symmetries_of_a_point():
    """One scaling of a·(w x)²; none at zero; three of a symmetric matrix law of two units."""
    problem = NetworkProblem("a*(w*x_0)**2", "x_0**2")
    laws = conserved_laws(problem.network)
    assert symmetry_dimension(laws, np.array([1.0, 2.0])) == 1
    assert symmetry_dimension(laws, np.zeros(2)) == 0
    linear = NetworkProblem("deep-linear:3,2,3", "x_0; x_1; x_2", init_scale=1.0)
    assert symmetry_dimension(conserved_laws(linear.network), linear.theta0) == 3


def test_the_summary_and_the_data_say_the_same():
    found = find_network_points(NetworkProblem("deep-quadratic:8,1,1", "x_0**2", init_scale=1.0), 12)
    data = found.to_dict()
    assert data["count"] == len(found.roots) and data["search"]["converged"] == found.converged
    assert "2 of 8 inputs" in data["warnings"][1] and data["warnings"][1] in found.summary()
    assert np.shape(data["fixed_points"][0]["parameters"]["W_1"]) == (1, 8)
