"""Weights that sit at a stationary point of the catalogue.

They solve YᵀaY = diag(μ) with Y = WE (K, r), E the learned eigenvectors, which is all that the point asks of them.
In the coordinates b_k = |a_k|^{1/2} y_k the columns of B diag|μ|^{-1/2} are orthonormal for the indefinite form
J = diag(sign a_k), so all solutions with given signs come from one of them by the group O(n₊, n₋) (derived here).
"""

from __future__ import annotations

import numpy as np
import scipy.linalg

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.problem import Student
from dynamics.stationary.points import FixedPoint
from dynamics.stationary.spectrum import Spectrum

SecondLayer = tuple[float, ...] | None


def representative(
    spectrum: Spectrum, second_layer: SecondLayer, point: FixedPoint, seed: int | None = None
) -> Student:
    """A student at a stationary point.

    Parameters
    ----------
    spectrum : Spectrum
        Of the whitened teacher.
    second_layer : (K,) tuple of float or None
        Values of the a_k if they are fixed; None if they are trained.
    point : FixedPoint
        A feasible entry of a catalogue for them.
    seed : int, optional
        Without one the weights are aligned: one unit per learned mode (two that cancel where μ_i = 0), balanced
        (‖w_k‖² = 2a_k² in whitened coordinates) if a is trained, spare units dead (w_k = 0). With a seed, a random
        solution: several units share the modes, in random directions, with random a_k of the point's signs.

    Returns
    -------
    Student

    Raises
    ------
    ProblemError
        If the point is not feasible.
    """
    if point.signs is None:
        raise ProblemError(
            f"The point with learned modes {list(point.learned_modes)} has no weights: {point.reason}"
        )
    a, Y = mode_weights(spectrum, second_layer, point, seed)
    U = Y @ spectrum.eigenvectors(point.learned_modes)  # (K, d), whitened
    F = spectrum.whitening
    if F is None:
        W = U
    elif F.shape[0] == F.shape[1]:
        W = scipy.linalg.solve_triangular(F.T, U.T, lower=False).T
    else:  # a singular covariance: the weights in its range
        W = U @ np.linalg.pinv(F)
    return Student(W, a, trainable=second_layer is None)


def mode_weights(
    spectrum: Spectrum, second_layer: SecondLayer, point: FixedPoint, seed: int | None = None
) -> tuple[Array, Array]:
    """The representative on the learned modes: a (K,) and Y (K, r) with YᵀaY = diag(μ)."""
    signs, mu = np.array(point.signs), np.array(point.learned_values)
    # The largest a_k that a balanced aligned unit takes: a natural size where any would do.
    size = (spectrum.scale / 2) ** (1 / 3)
    a, Y = _aligned(signs, mu, size, spectrum, second_layer)
    return (a, Y) if seed is None else _scattered(a, Y, size, second_layer, np.random.default_rng(seed))


def _aligned(
    signs: Array, mu: Array, size: float, spectrum: Spectrum, second_layer: SecondLayer
) -> tuple[Array, Array]:
    """One unit per learned mode: a (K,) and Y (K, r)."""
    free = {sign: list(np.flatnonzero(signs == sign)) for sign in (1, -1)}
    Y = np.zeros((len(signs), len(mu)))
    a = signs * size if second_layer is None else np.array(second_layer)
    for i, value in enumerate(mu):
        if abs(value) <= spectrum.tolerance:  # a pair that cancels
            for sign in (1, -1):
                k = free[sign].pop(0)
                Y[k, i] = np.sqrt(spectrum.scale / abs(a[k]))
            continue
        k = free[1 if value > 0 else -1].pop(0)
        if second_layer is None:
            a[k] = np.sign(value) * np.cbrt(abs(value) / 2)
        Y[k, i] = np.sqrt(value / a[k])
    return a, Y


def _scattered(
    a: Array, Y: Array, size: float, second_layer: SecondLayer, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Random solution with the same signs: a random element of O(n₊, n₋) on the rows of |a|^{1/2} Y."""
    active = a != 0
    signs = np.sign(a[active])
    B = np.sqrt(np.abs(a[active]))[:, None] * Y[active]
    plus, minus = np.flatnonzero(signs > 0), np.flatnonzero(signs < 0)
    generator = rng.standard_normal((len(signs), len(signs)))
    generator -= generator.T
    boost = 0.5 * rng.standard_normal((len(plus), len(minus))) / np.sqrt(max(len(signs), 1))
    generator[np.ix_(plus, minus)], generator[np.ix_(minus, plus)] = boost, boost.T
    B = scipy.linalg.expm(generator) @ B
    a, Y = a.copy(), Y.copy()
    if second_layer is None:
        a[active] = signs * size * np.exp(0.3 * rng.standard_normal(len(signs)))
    Y[active] = B / np.sqrt(np.abs(a[active]))[:, None]
    return a, Y
