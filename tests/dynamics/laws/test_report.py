"""The content of `quadflow conserved`."""

import json

import numpy as np
import pytest
import sympy

from dynamics.laws import bilinear, conserved_report, linear, quadratic, relu
from dynamics.laws.verification import is_conserved


@pytest.mark.parametrize(
    ("network", "numbers"),
    [
        (quadratic(2, 3), (9, 3, 6, True)),
        (quadratic(1, 2), (4, 3, 1, True)),
        (quadratic(2, 4, second_layer=[1] * 4), (8, 4, 4, True)),
        (linear(2, 2, 1), (6, 3, 3, True)),
        (relu(2, 3), (9, 3, 6, True)),
        (bilinear(1, 2), (6, 5, 1, False)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_report_is_json_and_its_laws_parse_back(network, numbers):
    """(parameters, count, dimension, exact) from the table; every printed law, parsed again, is conserved."""
    report = json.loads(json.dumps(conserved_report(network)))
    assert list(report) == ["parameters", "laws", "count", "lie_algebra_dimension", "exact"]
    assert (
        report["parameters"],
        report["count"],
        report["lie_algebra_dimension"],
        report["exact"],
    ) == numbers
    assert len(report["laws"]) == (report["count"] if report["exact"] else 4)
    theta = np.random.default_rng(0).uniform(0.5, 1.5, size=len(network.parameters))
    for text in report["laws"]:
        law = sympy.sympify(text)
        assert is_conserved(law, network)
        assert np.isfinite(float(law.subs(dict(zip(network.parameters, theta, strict=True)))))
