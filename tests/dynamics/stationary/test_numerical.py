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


def plateau(K, seed=0):
    """K units erf(w·x/√2) with all a_k = 1 that learn K such teachers along the axes."""
    W = np.random.default_rng(seed).standard_normal((K, K))
    return Problem(Teacher(np.eye(K), np.ones(K)), Student(W, np.ones(K), trainable=False), "erf")


@pytest.mark.parametrize(("K", "level"), [(2, 0.0116108403), (3, 0.0202965887), (4, 0.0283772639)])
def test_the_symmetric_plateau_of_saad_and_solla(K, level):
    """w_k = R Σ_m v_m with R² = 1/(K(2K − 1)) and L = (K/π)(π/6 − K asin(1/2K)), to 1e-12, and its signature.

    The Hessian commutes with permutations of units and of teachers, so that W splits into the mean (1 direction), the
    sums of rows or of columns alone (K − 1 each) and the rest ((K − 1)² directions): units that specialise. That is
    where L falls. (With `dynamics.population.pair_kernel` held against quadrature in its own tests.)
    """
    problem = plateau(K)
    (point,) = [p for p in numerical_points(problem, 5)["fixed_points"] if abs(p["loss"] - level) < 1e-6]
    R = (K * (2 * K - 1)) ** -0.5
    np.testing.assert_allclose(point["W"], np.full((K, K), R), rtol=0, atol=1e-12)
    assert point["loss"] == pytest.approx(K / np.pi * (np.pi / 6 - K * np.arcsin(1 / (2 * K))), abs=1e-12)
    assert point["loss"] == pytest.approx(level, abs=1e-10)
    assert (point["index"], point["nullity"], point["positive"]) == ((K - 1) ** 2, K - 1, K)
    assert (point["kind"], point["rank"]) == ("saddle", 1)
    assert point["norms"] == pytest.approx([(2 * K - 1) ** -0.5] * K, abs=1e-12)  # √Q
    assert np.array(point["overlaps"]) == pytest.approx(np.full((K, K), K**-0.5), abs=1e-12)
    assert (point["modes"], point["learned_modes"], point["vanished_units"]) == (None, [], [])


def test_points_of_tanh_units_are_stationary_and_told_apart_by_their_function():
    """Two tanh units that learn two: the global minimum, once for its eight images, and two saddles below f = 0.

    The images are permutations and reflections (w, a) → (−w, −a). Every point is held against the velocity.
    """
    problem = Problem(Teacher(np.eye(2), np.ones(2)), Student.initialise(2, 2, seed=1), "tanh")
    result = numerical_points(problem, 15, seed=1)
    points = result["fixed_points"]
    assert [p["kind"] for p in points].count("global minimum") == 1
    assert len({round(p["loss"], 9) for p in points}) == len(points) == 3
    for p in points:
        velocity = problem.population.velocity(np.array(p["W"]), np.array([p["a"]]))
        assert max(np.abs(v).max() for v in velocity) < 1e-11
    best, highest = points[0], points[-1]
    assert (best["index"], best["nullity"], best["rank"], best["hits"] > 2) == (0, 0, 2, True)
    assert np.abs(np.array(best["overlaps"]).round(6)).tolist() in ([[1, 0], [0, 1]], [[0, 1], [1, 0]])
    assert highest["loss"] == pytest.approx(
        problem.population.loss(np.zeros((2, 2)), np.zeros((1, 2))), abs=1e-14
    )
    assert (highest["rank"], highest["vanished_units"]) == (0, [0, 1])


def test_units_that_grow_into_linear_ones_are_no_points():
    """One erf unit and the teacher f* = x: L falls to 0 as a → ∞ at a w = 1, and no point is below f = 0.

    For a ≠ 0 and w ≠ 0, ∂_a L = 0 says E f (f* − f) = 0 and ∂_w L = 0 E x a φ'(wx)(x − a φ(wx)) = 0; with
    q = w² these are E zφ = a' E φ² and E z²φ' = a' E zφφ', z = wx, whose ratio never agrees.
    """
    problem = Problem(Teacher([[1.0]], [1.0]), Student([[1.0]], [1.0]), "erf", teacher_activation="linear")
    result = numerical_points(problem, 9)
    assert [p["loss"] for p in result["fixed_points"]] == pytest.approx([0.5], abs=1e-12)
    escaped = result["search"]["escaped"]
    assert escaped > 1
    assert 3 < result["search"]["converged"] <= 9 - escaped
    assert result["warnings"][-1].startswith(
        f"{escaped} starts led to no point but to weights beyond 10 natural"
    )


def test_teachers_of_another_activation():
    """One quadratic unit and |x|: E x² = a E x⁴ at w = 1, a = E|x|x²/3, L = ½ − a² E x⁴/2, no global minimum."""
    problem = Problem(Teacher([[1.0]], [1.0]), Student([[1.0]], [1.0]), "quadratic", teacher_activation="abs")
    lowest = numerical_points(problem, 12)["fixed_points"][0]
    output = np.sqrt(8 / np.pi) / 3  # a w², with E|x|³ = √(8/π) and E x⁴ = 3
    assert lowest["loss"] == pytest.approx(0.5 - 1.5 * output**2, abs=1e-12)
    assert lowest["kind"] == "minimum"
    assert lowest["a"][0] * lowest["W"][0][0] ** 2 == pytest.approx(output, rel=1e-9)
    assert describe_points(numerical_points(problem, 4)).splitlines()[1].endswith("norms")
