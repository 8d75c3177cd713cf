"""What weight decay makes of c_k: the exact law along a curve, from which `conserved_drift` is the deviation.

With the penalty ½ρ_w‖W‖² + ½ρ_a‖A‖² gradient flow moves c_k = ‖w_k‖² − h S_k, S_k = Σ_o A_ok², by exactly

    ċ_k = −2ρ_w‖w_k‖² + 2hρ_a S_k = −2ρ_w c_k + 2h(ρ_a − ρ_w) S_k,

whatever the loss is (Euler's identity; derived here), hence

    c_k(t) = e^{−2ρ_w t} c_k(0) + 2h(ρ_a − ρ_w) ∫₀ᵗ e^{−2ρ_w(t − s)} S_k(s) ds:

a plain decay where both layers decay alike, else an integral along the curve.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.aliases import Array
from dynamics.problem import Problem
from dynamics.problem.weight_decay import WeightDecay

DECAY_INTEGRAL = (
    "∫ e^(−2ρ_w(t − s)) Σ_o A_ok(s)² ds, which the law of c_k needs where layers decay differently"
)
NODES, WEIGHTS = np.polynomial.legendre.leggauss(6)  # on every interval between records


@dataclass(frozen=True)
class DecayLaw:
    """q̇ = −rate q + pump S: what becomes of a quantity that is conserved without decay.

    Parameters
    ----------
    rate : float
        In 1/time of the flow; negative where the quantity grows.
    pump : float
        Factor of a source S(t) ≥ 0 that the weights make; 0 where the law is closed.
    """

    rate: float
    pump: float = 0.0

    @classmethod
    def of_balance(cls, decay: WeightDecay, degree: float, trainable: bool) -> DecayLaw:
        """The law of c_k = ‖w_k‖² − h S_k, its source S_k; none, a constant, where the second layer is not trained."""
        if not trainable:
            return cls(0.0)
        return cls(2 * decay.first, 2 * degree * (decay.second - decay.first))

    @property
    def closed(self) -> bool:
        """Whether the quantity follows from its start alone."""
        return self.pump == 0

    def values(
        self, times: Array, start: Array, source: Array, integral: Array | None = None
    ) -> tuple[Array, float]:
        """The quantity by its law, from its value at the first of some times; and how far that may be off.

        Parameters
        ----------
        times : (T,) array
        start : (…) array
        source : (T, …) array
            S at these times; not read where the law is closed.
        integral : (T, …) array, optional
            ∫₀ᵗ e^{−rate (t − s)} S(s) ds where it is known better than from the source at these times.

        Returns
        -------
        values : (T, …) array
        error : float
            Of the integral, estimated.
        """
        fall = np.exp(-self.rate * (times - times[0])).reshape(-1, *[1] * np.ndim(start))
        if self.closed:
            return np.asarray(fall * start), 0.0
        error = 0.0
        if integral is None:
            integral, error = convolved(self.rate, times, source)
        since = integral - fall * integral[0]
        return np.asarray(fall * start + self.pump * since), abs(self.pump) * error


def balance_by_law(
    problem: Problem, times: Array, conserved: Array, A: Array, integral: Array | None = None
) -> tuple[Array, float]:
    """c_k of every unit by its law from the first record on, (T, K); and how far that may be off.

    Parameters
    ----------
    problem : Problem
        Its decay and activation. Where the second layer is fixed c_k has no law, and stays as it was.
    times : (T,) array
    conserved, A : (T, K), (T, O, K) arrays
        c_k and the second layer of a curve.
    integral : (T, K) array, optional
        As for `DecayLaw.values`.
    """
    degree, trainable = problem.activation.degree, problem.student.trainable
    assert degree is not None
    law = DecayLaw.of_balance(problem.weight_decay, degree, trainable)
    return law.values(times, conserved[0], np.sum(A**2, axis=-2), integral)


def convolved(rate: float, times: Array, source: Array) -> tuple[Array, float]:
    """∫₀ᵗ e^{−rate (t − s)} S(s) ds of a source that is known at some times, and an estimate of its largest error.

    S is the cubic spline through the records, the exponential is exact. What every other record gives differs from
    that by some 15 times the error, where the records resolve the curve, and by more than the error elsewhere.

    Parameters
    ----------
    rate : float
    times : (T,) array
        Increasing.
    source : (T, …) array

    Returns
    -------
    integral : (T, …) array
    error : float
    """
    fine = _integrated(rate, times, source)
    if len(times) < 3:
        return fine, float(np.abs(np.ptp(source, axis=0) * np.ptp(times)).max(initial=0.0))
    kept = np.unique(np.append(np.arange(0, len(times), 2), len(times) - 1))
    return fine, float(np.abs(_integrated(rate, times[kept], source[kept]) - fine[kept]).max())


def _integrated(rate: float, times: Array, source: Array) -> Array:
    """I(t_{n+1}) = e^{−rate Δ} I(t_n) + the integral over the interval between."""
    found = np.zeros_like(source, dtype=float)
    if len(times) < 2:
        return found
    from scipy.interpolate import CubicSpline  # slow to import, for weight decay alone

    half = np.diff(times)[:, None] / 2
    inside = times[:-1, None] + half * (1 + NODES)  # (T − 1, nodes)
    weights = half * WEIGHTS * np.exp(-rate * half * (1 - NODES))
    parts = np.einsum("tn,tn...->t...", weights, CubicSpline(times, source)(inside))
    for n, (fall, part) in enumerate(zip(np.exp(-rate * np.diff(times)), parts, strict=True)):
        found[n + 1] = fall * found[n] + part
    return found
