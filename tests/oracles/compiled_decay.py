"""θ̇ = −pθ² or −pθ for compiled code, with a count of its evaluations."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dynamics.integration.contract import Kernel


def decay_kernel(rate: float = 1.0, power: int = 1, operations: int = 1) -> Kernel:
    """θ̇ = −pθ^n; the second of its numbers counts evaluations."""
    return Kernel(_load, np.array([rate, 0.0]), (power,), 1, operations)


@cache
def _load() -> Any:
    from numba import cfunc

    from dynamics.integration.compiled_steps import RIGHT_HAND_SIDE

    @cfunc(RIGHT_HAND_SIDE)
    def decay(t, theta, out, numbers, sizes, room):
        numbers[1] += 1
        for i in range(theta.size):
            out[i] = -numbers[0] * theta[i] ** sizes[0]

    return decay
