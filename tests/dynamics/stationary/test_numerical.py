"""The search where no catalogue exists, on the one case whose stationary points are all known: linear units."""

import numpy as np
import pytest

from dynamics import Problem, Student, Teacher
from dynamics.stationary.numerical import describe_points, numerical_points


def test_linear_units_have_a_saddle_and_the_global_minimum():
    """f = β·x with β = Σ a_k w_k: loss ½|v − β|², stationary at β = v and where all a_k and w_k vanish only.

    (∂w: a_k (v − β) = 0, ∂a: w_k·(v − β) = 0; with β ≠ v all a_k = 0, so β = 0 and w_k ⊥ v: level ½|v|².) The
    Hessian at a_k = 0, w_k ⊥ v has per unit the block −(v·dw)da with one eigenvalue of each sign.
    """
    v, K = np.array([1.0, -2.0, 0.5]), 2
    problem = Problem(Teacher(v[None], [1.0]), Student.initialise(K, 3, seed=1), "linear")
    result = numerical_points(problem, 12, seed=3)
    points = result["fixed_points"]
    assert result["count"] == len(points) == 2
    assert [p["kind"] for p in points] == ["global minimum", "saddle"]
    assert [p["loss"] for p in points] == pytest.approx([0, 0.5 * v @ v], abs=1e-12)
    assert points[0]["index"] == 0
    assert points[1]["index"] == K
    assert points[1]["nullity"] == 3 * K + K - 2 * K
    assert sum(p["hits"] for p in points) == result["search"]["converged"] == result["search"]["starts"] == 12
    assert result["warnings"] == ["found by a search from random starts: nothing says that these are all"]
    assert "12 of 12 starts converged, to 2 different points" in describe_points(result)
