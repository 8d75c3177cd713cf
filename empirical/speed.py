"""How fast recorded weights move, against gradient flow: a loop that minimises another loss than it says is found out.

Between two records a network with loss L = ½ E‖f* − f‖² moves by about u = −∇L·Δt, with the mean of the gradients at
both ends (the trapezoidal rule). The speed is Σ Δθ·u / Σ u·u over the records: 1 of the flow, 2 where the ½ is
missing in the loop, 1/(1 − β) with momentum that nobody mentioned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.aliases import Array
from dynamics.population.base import Population

# |v₁ − v₀| ≤ 0.5 |v₀ + v₁|/2 of exponential growth means λΔt ≤ 0.51, and there the trapezoidal rule is 2 % off.
LARGEST_TURN = 0.5
# Cosine between the way that was gone and that of the flow: noise of small batches, small training sets and other
# optimisers turn it, and then its length says nothing about the clock.
LEAST_COSINE = 0.8
FEWEST, MOST = 3, 100  # intervals to judge by
ACCURACY = 0.1  # standard error beyond which nothing is said
# A speed within this factor of 1 is that of the flow. Noise turns the gradients at the records, not the way between
# them, and so makes networks look slower, as a small training set does: 2 is found as 1.5 to 2.
USUAL = 1.3
MISSING_HALF = (1.5, 2.5)


@dataclass(frozen=True)
class Speed:
    """Speed of recorded weights in units of that of the flow, and its standard error.

    Parameters
    ----------
    ratio, error : float
    intervals : int
        Intervals between records that it was taken from.
    """

    ratio: float
    error: float
    intervals: int


def recorded_speed(population: Population, times: Array, W: Array, A: Array) -> Speed | None:
    """Speed of weights W (S, T, K, d), A (S, T, O, K) recorded at times (T,).

    None if it cannot be known: fewer than three intervals in which the gradient turned little, or too much noise.
    """
    chosen = _intervals(W, A)
    moved, expected = [], []
    with np.errstate(
        over="ignore", invalid="ignore", divide="ignore"
    ):  # networks that diverge are left out below
        for s, t in chosen:
            v0, v1 = (_flat(*population.velocity(W[s, n], A[s, n])) for n in (t, t + 1))
            step = _flat(W[s, t + 1] - W[s, t], A[s, t + 1] - A[s, t])
            # a fixed layer has a gradient all the same
            still_W, still_A = ((X[s, t + 1] == X[s, t]).all() for X in (W, A))
            kept = slice(W[s, t].size if still_W else 0, W[s, t].size if still_A else None)
            v0, v1, step = v0[kept], v1[kept], step[kept]
            u = (v0 + v1) / 2 * (times[t + 1] - times[t])
            straight = np.linalg.norm(v1 - v0) <= LARGEST_TURN * np.linalg.norm(v0 + v1) / 2
            if straight and step @ u >= LEAST_COSINE * np.linalg.norm(step) * np.linalg.norm(u):
                moved.append(float(step @ u))
                expected.append(float(u @ u))
    return _ratio(np.array(moved), np.array(expected))


def _flat(W: Array, A: Array) -> Array:
    return np.concatenate([W.ravel(), A.ravel()])


def _intervals(W: Array, A: Array) -> list[tuple[int, int]]:
    """Network and first record of at most `MOST` intervals in which weights move, evenly spaced along their path."""
    with np.errstate(over="ignore", invalid="ignore"):
        length = np.sqrt(
            np.sum(np.diff(W, axis=1) ** 2, axis=(2, 3)) + np.sum(np.diff(A, axis=1) ** 2, axis=(2, 3))
        )
    length = np.where(np.isfinite(length), length, 0.0).ravel()
    if length.size == 0 or not 0 < length.sum() < np.inf:
        return []
    path = np.cumsum(length)
    places = np.unique(np.searchsorted(path, path[-1] * (np.arange(MOST) + 0.5) / MOST))
    return [(int(s), int(t)) for s, t in zip(*np.divmod(places, W.shape[1] - 1), strict=True)]


def _ratio(moved: Array, expected: Array) -> Speed | None:
    """Ratio of sums with its standard error by the jackknife, which leaves out one interval after the other."""
    usable = np.isfinite(moved) & np.isfinite(expected) & (expected > 0)
    moved, expected = moved[usable], expected[usable]
    n = len(moved)
    if n < FEWEST:
        return None
    moved, expected = moved / expected.max(), expected / expected.max()
    left_out = (moved.sum() - moved) / (expected.sum() - expected)
    error = float(np.sqrt((n - 1) / n * np.sum((left_out - left_out.mean()) ** 2)))
    ratio = float(moved.sum() / expected.sum())
    return Speed(ratio, error, n) if np.isfinite(error) and error <= ACCURACY * abs(ratio) else None


def speed_notes(population: Population, times: Array, W: Array, A: Array) -> list[str]:
    """What to say about the speed of recorded weights: nothing if it is that of the flow."""
    if len(times) < 2:
        return []
    speed = recorded_speed(population, times, W, A)
    if speed is None:
        return [
            "whether the loop counts time as the theory does cannot be known from these records: they are too few, too "
            "far apart or too noisy"
        ]
    if 1 / USUAL <= speed.ratio <= USUAL:
        return []
    measured = f"the weights move {speed.ratio:.2f} ± {speed.error:.2f} times as fast as gradient flow"
    if MISSING_HALF[0] <= speed.ratio <= MISSING_HALF[1]:
        return [
            f"{measured}: the loss in the loop seems to lack the ½ of ½ E(f* − f)², so that time counts twice"
        ]
    small = ", or its training set is small" if speed.ratio < 1 else ""
    return [f"{measured}: loss, learning rate or momentum of the loop are not those of the recorder{small}"]
