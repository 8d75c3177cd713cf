"""A right-hand side that is computed once at every state, of however many tests that look at it there."""

from __future__ import annotations

import math

import numpy as np

from dynamics.aliases import Array
from dynamics.integration.contract import Write


class Motion:
    """F(θ) and its length, kept where they were asked for last.

    Parameters
    ----------
    write : callable
        ``write(t, theta, out)`` puts F(θ) into `out`; one thread at a time may ask.
    """

    def __init__(self, write: Write) -> None:
        self._write = write
        self._t, self._theta, self._velocity = math.nan, np.empty(0), np.empty(0)
        self._speed = math.nan

    def velocity(self, t: float, theta: Array) -> Array:
        """F(θ) at a time and a state, (n,), in memory that later calls write to."""
        if t != self._t or not (theta == self._theta).all():
            if theta.shape != self._theta.shape:
                self._theta, self._velocity = np.empty_like(theta), np.empty_like(theta)
            self._t = math.nan  # an evaluation that fails is none
            self._write(t, theta, self._velocity)
            self._t, self._theta[...] = t, theta
            self._speed = math.sqrt(self._velocity @ self._velocity)
        return self._velocity

    def speed(self, t: float, theta: Array) -> float:
        """‖F(θ)‖."""
        self.velocity(t, theta)
        return self._speed
