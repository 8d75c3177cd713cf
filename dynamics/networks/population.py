"""Loss of a network over Gaussian inputs, with gradient and Hessian-vector product, by backpropagation on nodes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from dynamics.aliases import Array
from dynamics.networks.network import Network

CHUNK = 16_384  # nodes that are computed at once: their values stay in the cache


@dataclass(frozen=True, eq=False)
class NetworkPopulation:
    """L(θ) = ½ Σ_n ω_n ‖f(x_n; θ) − y_n‖² + ½ρ‖θ‖² of a network on weighted inputs.

    With nodes of a grid (`dynamics.networks.nodes`) that is the population loss, exactly; with a data set and weights
    1/n the loss on it.

    Parameters
    ----------
    network : Network
    X : (n, d) array
    Y : (n, O) array
        Targets there.
    weights : (n,) array
        ω, of sum 1.
    decay : float
        ρ.
    groups : int
        Independent groups of draws in a row that the nodes are; 1: an exact grid, or a data set.
    """

    network: Network
    X: Array
    Y: Array
    weights: Array
    decay: float = 0.0
    groups: int = 1

    @cached_property
    def _chunks(self) -> list[tuple[Array, Array, Array]]:
        """Inputs in the shape that the program takes, targets and weights, part by part."""
        x, cuts = self.network.shaped(self.X), range(0, len(self.X), CHUNK)
        return [(x[i : i + CHUNK], self.Y[i : i + CHUNK], self.weights[i : i + CHUNK, None]) for i in cuts]

    def loss(self, theta: Array) -> float:
        """L without the decay."""
        return 0.5 * float(sum(np.sum(w * e * e) for _, e, w, _ in self._residuals(theta)))

    def objective(self, theta: Array) -> float:
        """L with it."""
        return self.loss(theta) + 0.5 * self.decay * float(theta @ theta)

    def losses(self, thetas: Array) -> Array:
        """L without the decay at many parameters (T, P)."""
        return np.array([self.loss(theta) for theta in thetas])

    def error_bar(self, theta: Array) -> float:
        """Standard error of the loss, from the spread over groups of draws; 0 on a grid."""
        if self.groups == 1:
            return 0.0
        squares = np.concatenate([(w * e * e).sum(axis=1) for _, e, w, _ in self._residuals(theta)])
        means = 0.5 * self.groups * squares.reshape(self.groups, -1).sum(axis=1)
        return float(means.std(ddof=1) / np.sqrt(self.groups))

    def gradient(self, theta: Array) -> Array:
        """∇L with the decay, (P,)."""
        program, found = self.network.program, self.decay * theta
        for v, e, w, _ in self._residuals(theta):
            found = found + self.network.pack(program.pulled(v, w * e))
        return found

    def hessian_vector(self, theta: Array, direction: Array) -> Array:
        """Hessian of L with the decay times a direction, (P,)."""
        return self.slopes(theta, direction)[1]

    def slopes(self, theta: Array, direction: Array) -> tuple[Array, Array]:
        """Gradient and Hessian times a direction, (P,) each."""
        network, program = self.network, self.network.program
        g, hv = self.decay * theta, self.decay * direction
        directions = network.unpack(direction)
        for v, e, w, _ in self._residuals(theta):
            dv = program.changes(v, directions)
            df = np.zeros_like(e) if dv[-1] is None else dv[-1]
            g = g + network.pack(program.pulled(v, w * e))
            hv = hv + network.pack(program.pulled_changes(v, dv, w * e, w * df))
        return g, hv

    def hessian(self, theta: Array) -> Array:
        """Hessian of L with the decay, (P, P), symmetric to the last bit."""
        found = np.zeros((theta.size, theta.size))
        program, unpack, pack = self.network.program, self.network.unpack, self.network.pack
        basis = np.eye(theta.size)
        for v, e, w, _ in self._residuals(theta):
            for i, direction in enumerate(basis):
                dv = program.changes(v, unpack(direction))
                df = np.zeros_like(e) if dv[-1] is None else dv[-1]
                found[i] += pack(program.pulled_changes(v, dv, w * e, w * df))
        return (found + found.T) / 2 + self.decay * basis

    def with_decay(self, decay: float) -> NetworkPopulation:
        """The same with another ρ."""
        return replace(self, decay=decay)

    def _residuals(self, theta: Array) -> Any:
        """Values, f − f*, weights and inputs, part by part."""
        parameters = self.network.unpack(theta)
        for x, y, w in self._chunks:
            v = self.network.program.values(parameters, x)
            yield v, v[-1] - y, w, x
