"""Recorded weights as products: names, values and bounds of products at made-up records, by hand."""

import numpy as np
import pytest

from dynamics.conserved.weight_log import InferredQuantity, WeightLog, _formula

RNG = np.random.default_rng(3)
W, A = RNG.standard_normal((2, 4, 3, 2)), RNG.standard_normal((2, 4, 2, 3))  # R, T, K, d and R, T, O, K


def log_of(W=W, A=A, tolerance=0.01):
    return WeightLog(W, A, tolerance)


def test_products_of_units():
    """w_k·w_l and A_k·A_l with their names, all pairs once; of one output the square of a number."""
    log = log_of()
    features = {f.name: f for f in log.invariants()}
    pairs = ["00", "01", "02", "11", "12", "22"]
    names = [f"‖{x}_{k}‖²" if k == l else f"{x}_{k}·{x}_{l}" for x in "wa" for k, l in pairs]
    assert list(features) == names
    for k, l in pairs:
        i, j = int(k), int(l)
        of_w, of_a = (f"‖{x}_{k}‖²" if k == l else f"{x}_{k}·{x}_{l}" for x in "wa")
        np.testing.assert_allclose(log.values(features[of_w]), np.sum(W[:, :, i] * W[:, :, j], axis=-1))
        expected = np.sum(A[..., i] * A[..., j], axis=-1)
        np.testing.assert_allclose(log.values(features[of_a]), expected)
    single = [f.name for f in log_of(A=A[:, :, :1]).invariants()]
    assert single[6:] == ["a_0²", "a_0·a_1", "a_0·a_2", "a_1²", "a_1·a_2", "a_2²"]


def test_products_of_parameters_that_move():
    """Of W_01, A_10 and A_11 alone; the second layer has a number of its output where there are several."""
    w, a = np.zeros((2, 4, 2, 2)), np.zeros((2, 4, 2, 2))
    w[1, 2, 0, 1], a[0, :, 1, 0], a[1, 3, 1, 1] = 1, [0, 1, 2, 3], 1
    assert [f.name for f in log_of(w, a).products()] == [
        *("w_0_1²", "w_0_1 a_1_0", "w_0_1 a_1_1", "a_1_0²", "a_1_0 a_1_1", "a_1_1²")
    ]
    feature = log_of(w, a).products()[3]
    np.testing.assert_array_equal(log_of(w, a).values(feature), [[0, 1, 4, 9], [0] * 4])
    assert [f.name for f in log_of(w, a[:, :, 1:]).products()][3:] == ["a_0²", "a_0 a_1", "a_1²"]


def test_how_far_a_product_could_have_moved():
    """|u − ū||v| + |u||v − v̄| with means over the records of each run."""
    log = log_of()
    feature = log.product("w", 0, 2)
    u, v = W[:, :, 0], W[:, :, 2]
    for r in range(2):
        for t in range(4):
            moved_u, moved_v = (np.linalg.norm(x[r, t] - x[r].mean(axis=0)) for x in (u, v))
            expected = moved_u * np.linalg.norm(v[r, t]) + np.linalg.norm(u[r, t]) * moved_v
            assert log.possible(feature)[r, t] == pytest.approx(expected)


def test_displacements():
    """Σ over steps up to a record of ‖Δw_k‖² − h‖ΔA_k‖²; nothing at the first."""
    found = log_of().displaced(1, 3.0)
    assert (found[:, 0] == 0).all()
    for r in range(2):
        for t in range(1, 4):
            steps = range(1, t + 1)
            w = sum(np.sum((W[r, s, 1] - W[r, s - 1, 1]) ** 2) for s in steps)
            a = sum(np.sum((A[r, s, :, 1] - A[r, s - 1, :, 1]) ** 2) for s in steps)
            assert found[r, t] == pytest.approx(w - 3 * a)


def test_judgement():
    """2 w_0·w_0 − a_0²: mean, drift from the start, movement and the part of it that was used."""
    a = A[:, :, :1]
    log = log_of(A=a)
    features = [log.product("w", 0, 0), log.product("a", 0, 0)]
    found = log.judge(features, [2.0, -1.0], "a law")
    q = 2 * np.sum(W[:, :, 0] ** 2, axis=-1) - a[:, :, 0, 0] ** 2
    np.testing.assert_allclose(found.values, q.mean(axis=1))
    assert found.drift == pytest.approx(np.abs(q - q[:, :1]).max())
    movement = np.sqrt(4 * np.mean(log.possible(features[0]) ** 2) + np.mean(log.possible(features[1]) ** 2))
    assert found.movement == pytest.approx(movement)
    rms = np.sqrt(np.mean((q - q.mean(axis=1)[:, None]) ** 2))
    assert found.constancy == pytest.approx(rms / movement)
    assert (found.formula, found.match, found.residual) == ("2 ‖w_0‖² − a_0²", "a law", None)
    assert found.coefficients == {(0, 0): 2, (1, 1): 2, (6, 6): -1}
    theta = np.arange(1.0, 10)
    assert theta @ found.matrix(9) @ theta == pytest.approx(2 * (1 + 4) - 49)
    crossed = log.judge([log.product("w", 1, 0), log.product("w", 0, 1)], [1.0, 0.5], "")
    assert crossed.coefficients == {(0, 2): 1.5, (1, 3): 1.5}
    assert theta @ crossed.matrix(9) @ theta == pytest.approx(1.5 * (3 + 8))
    still = log_of(np.ones((1, 3, 1, 1)), np.ones((1, 3, 1, 1)))
    assert still.judge([still.product("w", 0, 0)], [1.0], "").constancy == np.inf


def test_the_most_constant_is_kept_if_it_is_constant_enough():
    """Of 0.03, 0.01 and 0.02 the second, up to a tolerance of 0.01."""
    candidates = [InferredQuantity("q", "", {}, np.zeros(1), 0.0, 1.0, c) for c in (0.03, 0.01, 0.02)]
    for tolerance, kept in ((0.01, True), (0.0099, False)):
        log = log_of(tolerance=tolerance)
        assert log.keep(candidates) == kept
        assert log.found == (candidates[1:2] if kept else [])


@pytest.mark.parametrize(("distance", "different"), [(0.09, False), (0.11, True)])
def test_different_starts(distance, different):
    """All others farther from the first than a tenth of its length; one run alone has no other."""
    w = np.zeros((3, 2, 1, 2))
    w[:, :, 0, 0] = 5.0
    w[1, 0, 0, 1], w[2, 0, 0, 1] = 5 * distance, 5.0
    a = np.zeros((3, 2, 1, 1))
    assert log_of(w, a).has_different_starts() == different
    assert not log_of(w[:1], a[:1]).has_different_starts()


def test_formulas():
    """Signs between and before terms, no factor of one, four digits; terms below 2 % of the largest are left out."""
    assert _formula(["x", "y", "z"], [1, -2.5, 3]) == "x − 2.5 y + 3 z"
    assert _formula(["x", "y", "z"], [-1, 0.019, 1 / 3]) == "− x + 0.3333 z"
    assert _formula(["x", "y"], [1, 0.021]) == "x + 0.021 y"
    assert _formula(["x", "y"], [1 + 1e-8, -1 - 1e-10]) == "1 x − y"
