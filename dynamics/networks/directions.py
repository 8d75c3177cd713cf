"""Which directions of the inputs matter: the span of the first layer and the target, where the flow keeps it.

Where the inputs x ~ N(0, I) are read by linear layers alone, f is a function of Wx, and a target of Vx. Then the slope
with respect to W is E[g(Wx, Vx) xᵀ], whose part across the span of the rows of W and V is E[g] E[x_⊥ᵀ] = 0, x_⊥ being
independent of the rest (derived here). So W stays in the span of where it started and V; weight decay keeps it too. Of
a sequence of tokens the same holds of the axis of each token. Inputs of another covariance, or that are read in
another way, are all kept but for those that neither network nor target depend on.

The directions of a target are the span of its slopes ∇f*(x) at random points: of all polynomials but a set of measure
zero these are all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.aliases import Array
from dynamics.networks.network import Network

PROBES = 16  # random points beyond the number of inputs, whose slopes span all that they can
RANK = 1e-9  # of the largest singular value: what is smaller is rounding
SEED = 20_231  # of the probes, whose values do not matter


@dataclass(frozen=True, eq=False)
class Directions:
    """The inputs that matter, x = Q z along the last axis of the inputs.

    Parameters
    ----------
    basis : (d, r) array or None
        Orthonormal columns Q; None: all of them.
    kept : bool
        Whether this is the span of weights and target, in which the parameters are written too.
    words : str
        What was found, for people.
    """

    basis: Array | None
    kept: bool
    words: str


def input_slopes(network: Network, theta: Array) -> Array:
    """Slopes of all outputs with respect to the last axis of the inputs at random points, (m, d)."""
    rng = np.random.default_rng(SEED)
    X = network.shaped(rng.standard_normal((PROBES + network.inputs, network.inputs)))
    v = network.program.values(network.unpack(theta), X)
    rows = []
    for o in range(network.outputs):
        G = np.zeros(v[-1].shape)
        G[:, o] = 1.0
        rows.append(network.program.pulled(v, G, inputs=True)[-1].reshape(-1, network.input_shape[-1]))
    return np.concatenate(rows)


def span(rows: Array) -> Array:
    """Orthonormal basis (d, r) of the span of rows (m, d)."""
    if not rows.any():
        return np.zeros((rows.shape[1], 0))
    _, s, Vt = np.linalg.svd(rows, full_matrices=False)
    return Vt[s > RANK * s[0]].T.copy()


def reading_rows(network: Network, theta: Array) -> Array:
    """The weights that the inputs are multiplied with, as rows (m, d)."""
    arrays = network.unpack(theta)
    assert network.program.readings is not None
    rows = [np.moveaxis(arrays[r.parameter], r.axis, -1) for r in network.program.readings]
    return np.concatenate([row.reshape(-1, row.shape[-1]) for row in rows])


def relevant_directions(network: Network, theta: Array, target_rows: Array, isotropic: bool) -> Directions:
    """The directions that matter, for weights (P,) and the slopes (m, d) of a target."""
    d = network.input_shape[-1]
    if isotropic and network.program.readings is not None:
        Q = span(np.concatenate([reading_rows(network, theta), target_rows]))
        if Q.shape[1] == 0:  # nothing is learned, but a grid needs a direction
            Q = np.eye(d)[:, :1]
        if Q.shape[1] == d:
            return Directions(None, False, f"{_all(d)}: the span of the first layer and the target")
        return Directions(Q, True, f"{Q.shape[1]} of {d} inputs: the span of the first layer and the target")
    rng = np.random.default_rng(SEED)
    rows = np.concatenate([input_slopes(network, rng.standard_normal(network.size)), target_rows])
    used = np.abs(rows).max(axis=0) > 0
    why = "read otherwise than by linear layers" if isotropic else "correlated"
    if used.all() or not isotropic:
        return Directions(None, False, f"{_all(d)}: {why}")
    Q = np.eye(d)[:, used] if used.any() else np.eye(d)[:, :1]
    return Directions(Q, False, f"{Q.shape[1]} of {d} inputs, those that are used: {why}")


def _all(inputs: int) -> str:
    """All of the inputs, in words."""
    return "its one input" if inputs == 1 else f"all {inputs} inputs"
