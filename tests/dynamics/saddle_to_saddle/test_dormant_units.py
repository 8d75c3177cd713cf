"""Dormant units at rest: who grows, when, against the integrated equations of a unit under a constant force."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from dynamics.saddle_to_saddle.dormant_units import dormant_units, growth, plateau


def blow_up(w, A, G):
    """Time at which ‖(w, A)‖ has grown a million times under ẇ = Σ A_o G_o w, Ȧ_o = ½ wᵀG_o w; inf if it does not."""
    d, start = len(w), np.concatenate([w, A])
    size = np.linalg.norm(start)

    def field(t, y):
        Gw = G @ y[:d]
        return np.concatenate([y[d:] @ Gw, 0.5 * Gw @ y[:d]])

    def grown(t, y):
        return np.linalg.norm(y) - 1e6 * size

    grown.terminal = True
    way = solve_ivp(field, (0, 1e3 / size), start, "Radau", events=grown, rtol=1e-10, atol=1e-14 * size)
    return way.t[-1] if way.status == 1 else np.inf


@pytest.mark.parametrize("outputs", [1, 2])
def test_waiting_times_are_those_of_the_integrated_unit(outputs):
    rng = np.random.default_rng(outputs)
    finite = 0
    for _ in range(6):
        W, A = 1e-3 * rng.standard_normal((1, 3)), 1e-3 * rng.standard_normal((outputs, 1))
        G = rng.standard_normal((outputs, 3, 3))
        G = G + G.transpose(0, 2, 1)
        ours, expected = growth(W, A, G, np.array([0])).wait, blow_up(W[0], A[:, 0], G)
        if np.isfinite(expected):
            finite += 1
            assert ours == pytest.approx(expected, rel=1e-5)
        else:
            assert np.isinf(ours)
    assert finite >= 4


def test_several_outputs_of_which_one_counts_are_one_output():
    rng = np.random.default_rng(5)
    w, g = 1e-4 * rng.standard_normal((1, 3)), np.diag([2.0, 1.0, -1.0])
    one = growth(w, np.array([[2e-4]]), g[None], np.array([0]))
    two = growth(w, np.array([[2e-4], [0.0]]), np.stack([g, 0 * g]), np.array([0]))
    assert two.wait == pytest.approx(one.wait, rel=1e-6)


@pytest.mark.parametrize(
    ("w", "a", "possible"),
    [
        ([0.0, 0.0], 0.0, True),  # any unit could grow here
        ([0.0, 0.0], -0.1, True),  # c < 0, a < 0: with a component along the second axis
        ([0.0, 0.0], 0.1, True),
        ([0.0, 0.1], 0.2, True),  # shrinks, but a component along the first axis would grow
    ],
)
@pytest.mark.parametrize("outputs", [1, 2])
def test_units_that_only_a_perturbation_would_set_growing(w, a, possible, outputs):
    """G = diag(1, −1) grows the first direction for a > 0 and the second for a < 0."""
    G = np.stack([np.diag([1.0, -1.0])] * outputs)
    A = np.full((outputs, 1), a / outputs)
    found = growth(np.array([w]), A, G, np.array([0]))
    assert np.isinf(found.wait)
    assert found.possible == possible


@pytest.mark.parametrize("outputs", [1, 2])
def test_a_frozen_unit_of_the_wrong_sign_is_at_a_minimum(outputs):
    """a < 0 for ever (c < 0) and G positive: every nearby unit shrinks too."""
    G = np.stack([np.diag([1.0, 2.0])] * outputs)
    A = np.full((outputs, 1), -0.3 / outputs)
    found = growth(np.array([[0.01, 0.02]]), A, G, np.array([0]))
    assert np.isinf(found.wait)
    assert not found.possible


def test_a_unit_that_has_found_its_mode_and_cannot_flip_is_at_a_minimum():
    """a > 0 in the kernel of G ≤ 0 (the mode is learned): c > 0 would let a cross zero, but nothing pulls it down."""
    found = growth(np.array([[0.1, 1e-12]]), np.array([[0.02]]), np.diag([0.0, -1.0])[None], np.array([0]))
    assert np.isinf(found.wait)
    assert not found.possible


def test_who_is_dormant():
    """The smallest units whose influences add up to at most a thousandth of the force."""
    np.testing.assert_array_equal(dormant_units(np.array([2.0, 6e-4, 3e-4, 2e-4, 0.1]), 1.0), [2, 3])
    assert dormant_units(np.array([2.0]), 1.0).size == 0


def test_a_plateau_moves_its_dormant_units_alone():
    """Against the integrated unit, in a basis in which G is not diagonal."""
    rng = np.random.default_rng(2)
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    G = (turn @ np.diag([2.0, -1.0, 0.5]) @ turn.T)[None]
    W, A = rng.standard_normal((2, 3)), np.array([[1.0, 1e-3]])
    W[1] *= 1e-3
    rest = plateau(W, A, G, np.array([1]))

    def field(t, y):
        return np.append(y[3] * G[0] @ y[:3], 0.5 * y[:3] @ G[0] @ y[:3])

    way = solve_ivp(field, (0, 200.0), np.append(W[1], A[0, 1]), "DOP853", rtol=1e-12, atol=1e-18)
    later, second = rest.after(200.0)
    np.testing.assert_array_equal(later[0], W[0])
    assert second[0, 0] == 1.0
    np.testing.assert_allclose(np.append(later[1], second[0, 1]), way.y[:, -1], rtol=1e-7)
