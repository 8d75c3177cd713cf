"""Three ways to compute the slope of a quadratic network's population loss.

With S = WΣWᵀ, τ_o = κ tr(D_oΣ) and rows v'_m = Σv_m all of them are (derived here; the symbolic derivation is the same)

    Y_ok = 4ΣD_oΣ w_k + 2τ_o Σw_k,   ẇ_k = Σ_o A_ok Y_ok,   Ȧ_ok = ½ w_k·Y_ok.

- `matrices` writes down D_o, (d, d): for more units than inputs.
- `one_output` never does: ΣM_1Σ w_k = Σ_l a_l S_kl Σw_l, and what a teacher of one output adds is a slice where its
  eigenvectors are axes, else one more product.
- `factors` sums over the outputs first: with N = AᵀA and P = AᵀB

      ẇ_k = 4 Σ_m P_km (w_k·v'_m) v'_m − 4 Σ_l N_kl S_kl Σw_l + 2(τA)_k Σw_k,
      Ȧ_ok = 2 Σ_m B_om (w_k·v'_m)² − 2 Σ_l A_ol S_kl² + τ_o S_kk.

Units that are copies of each other stay so, to the last bit where BLAS computes equal rows equally: nothing is added to
a diagonal of S, which would be rounded in another place for each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from dynamics.aliases import Array
from dynamics.population.directions import Directions
from dynamics.population.metric import Metric
from dynamics.population.ways import Slope, Way, add_product


@dataclass(frozen=True, eq=False)
class Side:
    """What the slope needs of everything but the weights.

    Parameters
    ----------
    seen : Directions
        v'_m = Σv_m, (R, d).
    B : (O, R) array
    metric : Metric
        Σ.
    traces : (O,) array
        tr(M*_oΣ).
    coupling : float
        κ.
    matrices : callable
        () → M*_o, (O, d, d).
    """

    seen: Directions
    B: Array
    metric: Metric
    traces: Array
    coupling: float
    matrices: Callable[[], Array]

    @cached_property
    def targets(self) -> Array:
        """4M*_o, (O, d, d)."""
        return 4 * self.matrices()

    @cached_property
    def first_teacher(self) -> Array:
        """2ΣM*_1Σ, (c, c): beyond c it is zero."""
        return (self.seen.rows.T * (2 * self.B[0])) @ self.seen.rows


def quadratic_ways(side: Side, K: int, d: int, trainable: bool) -> list[Way]:
    """All ways for K units of d inputs."""
    ways = [_matrices(side, K, d, trainable), _factors(side, K, d, trainable)]
    return ways if len(side.B) > 1 else [*ways, _one_output(side, K, d)]


def _matrices(side: Side, K: int, d: int, trainable: bool) -> Way:
    """Through D_o, (O, d, d)."""
    O, given = len(side.B), 0 if side.metric.identity else 1
    operations = 2 * O * K * d**2 + 2 * K * side.metric.operations
    memory = O * (d**2 + 2 * K * d) + given * 2 * K * d
    return Way("matrices", operations, 10 + 5 * given, memory, partial(_through_matrices, side, K, d))


def _through_matrices(side: Side, K: int, d: int) -> Slope:
    O, metric, kappa = len(side.B), side.metric, side.coupling
    targets = side.targets
    half, D, Y = np.empty((O, K, d)), np.empty((O, d, d)), np.empty((O, K, d))
    room = None if metric.identity else np.empty((K, d))
    total = None if metric.identity else np.empty((K, d))
    diagonals = D.reshape(O, -1)[:, :: d + 1]  # a view

    def slope(W: Array, A: Array, vW: Array, vA: Array | None) -> None:
        SW = metric.times(W, room)
        np.multiply(W, (-4 * A)[:, :, None], out=half)
        np.matmul(half.swapaxes(1, 2), W, out=D)
        np.add(D, targets, out=D)  # 4D_o
        if total is None:
            tau = kappa * diagonals.sum(axis=1) / 4
            np.add(diagonals, 2 * tau[:, None], out=diagonals)
            np.matmul(W, D, out=Y)
        else:
            np.matmul(SW, D, out=Y)
            tau = kappa * (side.traces - A @ np.vecdot(SW, W))
            np.multiply(W, 2 * tau[:, None, None], out=half)
            np.add(Y, half, out=Y)
        # Y_ok up to a factor Σ on the right, which the first layer gets at the end
        if vA is not None:
            np.vecdot(Y, SW, out=vA)
            vA *= 0.5
        summed = vW if total is None else total
        if O == 1:
            np.multiply(Y[0], A[0][:, None], out=summed)
        else:
            np.einsum("oki,ok->ki", Y, A, out=summed)
        if total is not None:
            metric.times(total, vW)

    return slope


def _one_output(side: Side, K: int, d: int) -> Way:
    """Through S, (K, K), for one output."""
    teacher = _teacher_of_one_output(side, d)
    operations = 2 * K**2 * d + K * (side.metric.operations + teacher.operations)
    memory = K**2 + K * (teacher.numbers + (0 if side.metric.identity else d))
    calls = 12 + teacher.calls + (not side.metric.identity)
    return Way("one output", operations, calls, memory, partial(_through_one_output, side, teacher, K, d))


Put = Callable[[Array, Array, float, Array], None]


@dataclass(frozen=True, eq=False)
class _Teacher:
    """ΣM*Σ times the units of one output, in whichever way needs fewest multiplications.

    Parameters
    ----------
    operations, numbers, calls : int
        Multiplications in products and numbers in buffers, both for one unit, and calls of NumPy.
    build : callable
        ``build(K)`` gives ``put(W, SW, tau, vW)``, which writes 2ΣM*Σ w_k + τΣw_k to the rows of vW.
    """

    operations: int
    numbers: int
    calls: int
    build: Callable[[int], Put]


def _teacher_of_one_output(side: Side, d: int) -> _Teacher:
    seen, c = side.seen, side.seen.support
    if seen.lengths is not None and side.metric.identity:
        values = np.zeros(d)
        values[:c] = 2 * side.B[0] * seen.lengths**2
        return _Teacher(0, 0, 2, partial(_put_axes, values))
    if seen.lengths is None and c <= 2 * seen.count:
        return _Teacher(c * c, c, 4, partial(_put_matrix, side))
    return _Teacher(2 * seen.operations, seen.count + c, 6, partial(_put_factors, seen, 2 * side.B[0]))


def _put_axes(values: Array, K: int) -> Put:
    def put(W: Array, SW: Array, tau: float, vW: Array) -> None:
        np.multiply(W, values + tau, out=vW)

    return put


def _put_factors(seen: Directions, values: Array, K: int) -> Put:
    c, overlaps, pulled = seen.support, np.empty((K, seen.count)), np.empty((K, seen.support))

    def put(W: Array, SW: Array, tau: float, vW: Array) -> None:
        seen.overlaps(W, overlaps)
        np.multiply(overlaps, values, out=overlaps)
        np.multiply(SW, tau, out=vW)
        vW[:, :c] += seen.combined(overlaps, pulled)

    return put


def _put_matrix(side: Side, K: int) -> Put:
    M, c = side.first_teacher, side.seen.support
    pulled = np.empty((K, c))

    def put(W: Array, SW: Array, tau: float, vW: Array) -> None:
        np.multiply(SW, tau, out=vW)
        vW[:, :c] += np.matmul(W[:, :c], M, out=pulled)

    return put


def _through_one_output(side: Side, teacher: _Teacher, K: int, d: int) -> Slope:
    metric, kappa, trace = side.metric, side.coupling, side.traces[0]
    S = np.empty((K, K))
    room = None if metric.identity else np.empty((K, d))
    diagonal = S.reshape(-1)[:: K + 1]  # a view
    put_teacher = teacher.build(K)

    def slope(W: Array, A: Array, vW: Array, vA: Array | None) -> None:
        twice = 2 * A[0]
        SW = metric.times(W, room)
        np.matmul(SW, W.T, out=S)
        tau = kappa * (trace - A[0] @ diagonal)
        np.multiply(S, -twice, out=S)
        put_teacher(W, SW, tau, vW)
        add_product(S, SW, vW)  # half of Y_k
        if vA is not None:
            np.vecdot(vW, W, out=vA[0])
        np.multiply(vW, twice[:, None], out=vW)

    return slope


def _factors(side: Side, K: int, d: int, trainable: bool) -> Way:
    """Through S, N, (K, K), and P, (K, R)."""
    (O, R), seen, metric = side.B.shape, side.seen, side.metric
    operations = 2 * K**2 * d + K * (metric.operations + 2 * seen.operations)
    operations += (1 + trainable) * O * K * (K + R)
    memory = 3 * K**2 + K * (3 * R + seen.support + O + (0 if metric.identity else d))
    calls = 14 + 8 * trainable + (not metric.identity)
    return Way("factors", operations, calls, memory, partial(_through_factors, side, K, d))


def _through_factors(side: Side, K: int, d: int) -> Slope:
    (O, R), seen, metric, kappa = side.B.shape, side.seen, side.metric, side.coupling
    S, N, squares = (np.empty((K, K)) for _ in range(3))
    overlaps, P, their_squares = (np.empty((K, R)) for _ in range(3))
    c, pulled, drawn = seen.support, np.empty((K, seen.support)), np.empty((O, K))
    room = None if metric.identity else np.empty((K, d))
    norms = S.reshape(-1)[:: K + 1]  # a view
    B4 = 4 * side.B

    def slope(W: Array, A: Array, vW: Array, vA: Array | None) -> None:
        SW = metric.times(W, room)
        np.matmul(SW, W.T, out=S)
        seen.overlaps(W, overlaps)
        tau = kappa * (side.traces - A @ norms)
        if vA is not None:
            np.multiply(S, S, out=squares)
            np.multiply(overlaps, overlaps, out=their_squares)
            np.matmul(A, squares, out=vA)
            np.matmul(side.B, their_squares.T, out=drawn)
            np.subtract(drawn, vA, out=vA)
            vA *= 2
            vA += np.multiply(tau[:, None], norms, out=drawn)
        np.matmul(A.T, A, out=N)
        np.multiply(N, S, out=N)
        np.multiply(N, -4.0, out=N)
        np.matmul(A.T, B4, out=P)
        np.multiply(P, overlaps, out=P)
        np.multiply(SW, 2 * (tau @ A)[:, None], out=vW)
        vW[:, :c] += seen.combined(P, pulled)
        add_product(N, SW, vW)

    return slope
