"""What compiled code needs to compute the slope of quadratic units; see `dynamics.population.compiled_quadratic`."""

from __future__ import annotations

from typing import Any

import numpy as np

from dynamics.aliases import Array
from dynamics.integration.contract import Kernel
from dynamics.population.quadratic_ways import Side


def quadratic_kernel(side: Side, A: Array, inputs: int, trainable: bool) -> Kernel | None:
    """The kernel of one output whose teacher's directions are axes, as they are in the reduced problem, and Σ = 1.

    Its numbers are 4B_m‖v_m‖² of the R directions, tr M*, κ, and the second layer (K,) where that is fixed.
    """
    (O, K), lengths = A.shape, side.seen.lengths
    if O > 1 or lengths is None or not side.metric.identity:
        return None
    fixed = np.empty(0) if trainable else A[0]
    numbers = np.concatenate([4 * side.B[0] * lengths**2, side.traces, [side.coupling], fixed])
    sizes = K, inputs, len(lengths), int(trainable)
    return Kernel(_load, numbers, sizes, _room(K, inputs), 2 * K * K * inputs)


def _room(K: int, d: int) -> int:
    """Numbers in the copies of W, (K, d), twice, of its transpose and of X, (K, K), with as much beyond as may be."""
    most = 24
    return 2 * (K + most) * (d + most) + (d + K + most) * (K + most)


def _load() -> Any:
    from dynamics.population.compiled_quadratic import slope_of_one_output

    return slope_of_one_output
