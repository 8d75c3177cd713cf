"""Shared oracle: laws evaluated along flows that are integrated numerically, with hand-written fields."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp


@pytest.fixture(scope="session")
def integrate():
    """`integrate(field, theta0)` → (steps, D) states of θ̇ = field(t, θ) at the solver's own steps, to 1e-12."""

    def run(field, theta0, t_end=1.0):
        solution = solve_ivp(field, (0, t_end), theta0, method="DOP853", rtol=1e-12, atol=1e-14)
        assert solution.success
        return solution.y.T

    return run


@pytest.fixture(scope="session")
def symmetric_control():
    """`symmetric_control(d, rng)` → G(t), a random smooth path of symmetric matrices: any loss drives with one."""

    def make(d, rng):
        modes = rng.normal(size=(3, d, d)) * 0.15  # weak enough for no weight to blow up before t = 1
        modes = modes + np.swapaxes(modes, 1, 2)
        return lambda t: modes[0] + modes[1] * np.cos(3 * t) + modes[2] * np.sin(5 * t)

    return make
