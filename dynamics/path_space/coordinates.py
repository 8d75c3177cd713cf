"""Values of the basis paths, gradients by them, and descent in them; see `dynamics.path_space`."""

from __future__ import annotations

from typing import Any

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import IntegrationError
from dynamics.path_space.skeleton import Layers, Skeleton


class SkeletonCrossing(IntegrationError):
    """A skeleton path value reaches zero, where the coordinates of path space end.

    Parameters
    ----------
    message : str
    unit : (int, int)
        Hidden layer (from 1) and unit (from 0).
    units : tuple of (int, int)
        All units whose path value would pass zero; none where no step is defined.
    step : int, optional
        Optimiser step that would have crossed zero.
    time : float, optional
        Time at which the flow got there.
    trajectory : object, optional
        The flow's result up to there.
    """

    def __init__(
        self,
        message: str,
        unit: tuple[int, int],
        *,
        units: tuple[tuple[int, int], ...] = (),
        step: int | None = None,
        time: float | None = None,
        trajectory: Any = None,
    ) -> None:
        super().__init__(message, trajectory)
        self.unit = unit
        self.units = units
        self.step = step
        self.time = time


def path_values(weights: Layers, skeleton: Skeleton, degree: int = 1) -> Array:
    """Values of the basis paths, (…, m − H), in the order of `Skeleton.chosen`; NumPy arrays only."""
    X, Y, _ = _chains(weights, skeleton, degree)
    matrices = [W * _context(X, Y, l) for l, W in enumerate(weights)]
    return _chosen(matrices, skeleton)


def path_gradient(weights: Layers, gradients: Layers, skeleton: Skeleton, degree: int = 1) -> Array:
    """∂L/∂v of the basis-path values from ∂L/∂W_l (inverse chain rule), (…, m − H); NumPy arrays only.

    With f_e = w_e ∂L/∂w_e an ordinary edge has ∂L/∂v = f_e / v_{p(e)}; a skeleton path collects the f_e of its own
    skeleton edges less the flow Σ_in f through the units that join them (derived here, from the identity in
    `dynamics.path_space`).
    """
    X, Y, s = _chains(weights, skeleton, degree)
    matrices = [g / _context(X, Y, l) for l, g in enumerate(gradients)]
    for l, F in enumerate(_skeleton_flows(weights, gradients, skeleton)):
        matrices[l][..., np.arange(F.shape[-1]), skeleton.into[l]] = F / s[l]
    return _chosen(matrices, skeleton)


def path_step(
    weights: Layers,
    gradients: Layers,
    skeleton: Skeleton,
    step: float,
    *,
    degree: int = 1,
    free_layer: int = 1,
    number: int = 0,
) -> list[Any]:
    """Weights after one step of gradient descent v ← v − η ∂L/∂v on the basis-path values.

    Parameters
    ----------
    weights, gradients : sequences of (…, n_l, n_{l−1}) arrays or tensors
    skeleton : Skeleton
    step : float
        Learning rate η.
    degree : int
        Degree of homogeneity h.
    free_layer : int
        One weight per hidden unit can be kept, as the new path values do not fix it: in(v) below this layer of
        weights (1 … L), out(v) from it on. The function and all path values after the step do not depend on it.
    number : int
        Number of the step, for the report.

    Returns
    -------
    list of arrays or tensors
        New ones; the given weights are not touched.

    Raises
    ------
    SkeletonCrossing
        If a skeleton path value would reach or pass zero.

    Notes
    -----
    Weight allocation, derived here for any depth and degree. With the ratios R of new to old skeleton path values,
    in- and out-chains change by factors that follow from R alone, so no weight is used after it has changed.
    """
    X, Y, s = _chains(weights, skeleton, degree)
    F = _skeleton_flows(weights, gradients, skeleton)
    R = [1 - step * F_l / s_l**2 for F_l, s_l in zip(F, s, strict=True)]
    _check_signs(R, s, step, number)
    dX, dY = _chain_ratios(R, X, Y, skeleton, degree, free_layer)
    moved = []
    for l, (W, g) in enumerate(zip(weights, gradients, strict=True)):
        change = _context(dX, dY, l)
        new = (W - step * g / _context(X, Y, l) ** 2) / change
        if l < len(R):
            into = (..., np.arange(R[l].shape[-1]), skeleton.into[l])
            new[into] = W[into] * (R[l] / change[into])
        if l > 0:
            out = (..., skeleton.out[l - 1], skeleton.via[l - 1])
            new[out] = W[out] * (R[l - 1] / change[out])
        moved.append(new)
    return moved


def _chains(weights: Layers, skeleton: Skeleton, degree: int) -> tuple[list[Any], list[Any], list[Any]]:
    """What the in-chains (X) and the out-chains (Y) contribute to path values, and skeleton path values (s).

    With I and O the products of weights along the chains of v, a path that goes on upwards from v carries X = I^h,
    and one that enters v from below is multiplied by Y = I^{h−1} O; s = X O. X is listed for the columns of layers
    1 … L, each (…, columns_l), Y for their units and s for the hidden ones, each (…, n_l). X is 1 for inputs and for
    the constant from which biases come, Y for outputs.
    """
    wiring = skeleton.wiring
    I: list[Any] = []
    X = [1 + 0 * weights[0][..., 0, :]]
    for l, into in enumerate(skeleton.into):
        I.append(weights[l][..., np.arange(len(into)), into] * X[l][..., into])
        X.append(wiring.carry(I[l] ** degree, l + 2, 1.0))
    Y = [1 + 0 * weights[-1][..., :, 0]]
    s: list[Any] = []
    for l in reversed(range(len(I))):
        out = skeleton.out[l]
        O = weights[l + 1][..., out, skeleton.via[l]] * Y[0][..., out]
        Y.insert(0, I[l] ** (degree - 1) * O)
        s.insert(0, I[l] ** degree * O)
    return X, Y, s


def _context(X: list[Any], Y: list[Any], l: int) -> Any:
    """Value of the paths p(e) per weight of the l-th layer (from 0): what the chains multiply it by."""
    return Y[l][..., :, None] * X[l][..., None, :]


def _chosen(matrices: list[Any], skeleton: Skeleton) -> Array:
    """Entries that stand for a basis path, layer after layer, (…, m − H)."""
    return np.concatenate([V[..., mask] for V, mask in zip(matrices, skeleton.chosen, strict=True)], axis=-1)


def _skeleton_flows(weights: Layers, gradients: Layers, skeleton: Skeleton) -> list[Any]:
    """v ∂L/∂v of the skeleton path of every unit, (…, n_l) per hidden layer.

    A path's skeleton edges are joined by hidden units; the edges' f = w ∂L/∂w are summed downwards from each unit,
    upwards from it, and the flow through every joining unit is taken off once.
    """
    f = [W * g for W, g in zip(weights, gradients, strict=True)]
    through = [layer.sum(-1) for layer in f[:-1]]
    hidden = len(through)
    down = [f[l][..., np.arange(len(into)), into] for l, into in enumerate(skeleton.into)]
    up = [f[l + 1][..., skeleton.out[l], skeleton.via[l]] for l in range(hidden)]
    for l in range(1, hidden):
        u, v = skeleton.shared[l - 1]
        down[l][..., v] += (down[l - 1] - through[l - 1])[..., u]
    for l in reversed(range(hidden - 1)):
        u, v = skeleton.shared[l]
        up[l][..., u] += (up[l + 1] - through[l + 1])[..., v]
    return [d + b - t for d, b, t in zip(down, up, through, strict=True)]


def _check_signs(R: list[Any], s: list[Any], step: float, number: int) -> None:
    """Refuse a step in which a skeleton path value would lose its sign."""
    found = [(l, ratio) for l, ratio in enumerate(R, start=1) if not float(ratio.min()) > 0]
    if not found:
        return
    l, ratio = found[0]
    where = int(ratio.argmin())
    unit = where % ratio.shape[-1]
    old = float(s[l - 1].reshape(-1)[where])
    what = f"At step {number} the skeleton path value of unit {unit} of hidden layer {l} (now {old:.3g})"
    if not all(float(ratio.min()) <= 0 for _, ratio in found):
        what += " or its gradient is infinite or NaN, so that no step is defined: start from other weights."
        raise SkeletonCrossing(what, (l, unit), step=number)
    what += f" would pass zero, where path coordinates end: take a step below {step:g} or another skeleton."
    crossing = [(l, np.array((ratio <= 0).reshape(-1, ratio.shape[-1]).tolist())) for l, ratio in found]
    units = tuple((l, int(k)) for l, below in crossing for k in np.flatnonzero(below.any(axis=0)))
    raise SkeletonCrossing(what, (l, unit), units=units, step=number)


def _chain_ratios(
    R: list[Any], X: list[Any], Y: list[Any], skeleton: Skeleton, degree: int, free_layer: int
) -> tuple[list[Any], list[Any]]:
    """Factors by which X and Y of `_chains` change when the skeleton path values change by the factors R."""
    # Below the free layer the in-edges are kept, so that I and X stay and O takes all of R ...
    dX = [1 + 0 * below for below in X]
    dY = [*R, 1 + 0 * Y[-1]]
    # ... from it on the out-edges are kept, so that O = out(v) Y(head of out(v)) follows the layer above.
    for l in reversed(range(free_layer - 1, len(R))):
        dO = dY[l + 1][..., skeleton.out[l]]
        dI = R[l] / dO  # to the power h
        dX[l + 1] = skeleton.wiring.carry(dI, l + 2, 1.0)
        dY[l] = dI ** ((degree - 1) / degree) * dO
    return dX, dY
