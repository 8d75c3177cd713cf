"""Two ways to compute the slope of a quadratic network's loss from a fourth moment.

`matrices` applies C to the residual forms D_o. Of independent coordinates z, x = Fz, with the excess κ (see
`dynamics.population.fourth_moment.Coordinates`) no form needs to be written down (derived here): up to the diagonal of
C_z they are as good as Gaussian, so that with the weights U = WF, the teacher's directions VF and δ_oi = (FᵀD_oF)_ii

    −∂L/∂u_k = [that of Gaussian z] + 2κ Σ_o A_ok δ_o ∘ u_k,   −∂L/∂A_ok = [that of Gaussian z] + κ δ_o · u_k²,

and −∂L/∂w_k = F (−∂L/∂u_k). That is the way `units`.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from dynamics.aliases import Array
from dynamics.population.fourth_moment import Coordinates, FourthMoment
from dynamics.population.quadratic import QuadraticPopulation
from dynamics.population.ways import Slope, Way, cheapest


def through_forms(moment: FourthMoment, targets: Array, K: int) -> Slope:
    """Slope of K units, with M*_o, (O, d, d)."""
    O, d = targets.shape[:2]
    half, D, GW = np.empty((O, K, d)), np.empty((O, d, d)), np.empty((O, K, d))

    def slope(W: Array, A: Array, vW: Array, vA: Array | None) -> None:
        np.multiply(W, A[:, :, None], out=half)
        np.matmul(half.swapaxes(1, 2), W, out=D)
        np.subtract(targets, D, out=D)
        np.matmul(W, moment(D), out=GW)  # half of G_o w_k
        if vA is not None:
            np.vecdot(GW, W, out=vA)
        np.einsum("ok,oki->ki", A, GW, out=vW)
        vW *= 2

    return slope


def through_units(V: Array, B: Array, c: Coordinates, K: int, d: int, trainable: bool) -> Way:
    """The way without forms, for a teacher (V, B) and K units of d inputs."""
    O, seen = len(B), V if c.F is None else V @ c.F
    r = seen.shape[1]
    gaussian = cheapest(QuadraticPopulation(seen, B, None, c.coupling).ways(K, O, trainable))
    F = 0 if c.F is None else 1
    operations = gaussian.operations + (2 + trainable) * O * K * r + 2 * F * K * d * r
    memory = gaussian.memory + K * r * (2 + 2 * F) + O * (r + K)
    diagonals = B @ seen**2  # of FᵀM*_oF, (O, r)
    build = partial(_through_units, gaussian, c, diagonals, K)
    return Way("units", operations, gaussian.calls + 9 + 3 * trainable + 2 * F, memory, build)


def _through_units(gaussian: Way, c: Coordinates, diagonals: Array, K: int) -> Slope:
    (O, r), F = diagonals.shape, c.F
    as_gaussian = gaussian.build()
    squares, bent, rest, drawn = np.empty((K, r)), np.empty((K, r)), np.empty((O, r)), np.empty((O, K))
    room, moved = (None, None) if F is None else (np.empty((K, r)), np.empty((K, r)))

    def slope(W: Array, A: Array, vW: Array, vA: Array | None) -> None:
        U = W if F is None else np.matmul(W, F, out=room)
        vU = vW if moved is None else moved
        as_gaussian(U, A, vU, vA)
        np.multiply(U, U, out=squares)
        np.matmul(A, squares, out=rest)
        np.subtract(diagonals, rest, out=rest)  # δ_o
        np.multiply(rest, c.kurtosis, out=rest)
        np.matmul(A.T, rest, out=bent)
        np.multiply(bent, U, out=bent)
        np.multiply(bent, 2.0, out=bent)
        np.add(vU, bent, out=vU)
        vU *= c.scale
        if vA is not None:
            vA += np.matmul(rest, squares.T, out=drawn)
            vA *= c.scale
        if F is not None:
            np.matmul(vU, F.T, out=vW)

    return slope
