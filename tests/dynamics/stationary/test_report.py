"""The JSON object of the command."""

import json

import pytest

from dynamics import Teacher
from dynamics.stationary import fixed_points, fixed_points_report


def test_report_has_the_keys_of_the_interface():
    catalogue = fixed_points(Teacher.from_eigenvalues([4, 2, 1]), 3)
    plain = fixed_points_report(catalogue)
    assert plain == catalogue.to_dict()
    report = fixed_points_report(catalogue, search=60, seed=3)
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert report["search"].keys() >= {"starts", "converged", "matched", "unmatched"}
    assert report["search"]["starts"] == 60
    assert report["search"]["matched"] == report["search"]["converged"] > 50
    assert report["search"]["unmatched"] == []


def test_report_with_certificates():
    pytest.importorskip("flint")
    report = fixed_points_report(fixed_points(Teacher.from_eigenvalues([2, -1.9]), 1), certify=True)
    certified = [(p["certified"], p["radius"] < 1e-14) for p in report["fixed_points"] if p["feasible"]]
    assert certified == 3 * [(True, True)]
    assert "certified" not in report["fixed_points"][0]  # infeasible: nothing to certify
