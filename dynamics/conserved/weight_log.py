"""Recorded weights of a two-layer network as products of weights, and how constant their combinations stayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations_with_replacement

import numpy as np

from dynamics.aliases import Array

DIFFERENT = 0.1  # relative distance from which on two starts are different
SHOWN = 0.02  # coefficients below this fraction of the largest are left out of the formula


@dataclass(frozen=True, eq=False)
class InferredQuantity:
    """A quantity that stayed constant.

    Parameters
    ----------
    formula : str
    match : str
        The law that it is; "" if it matches none.
    coefficients : dict
        Coefficient of θ_iθ_j for i ≤ j, over θ = (W row by row, A row by row).
    values : (R,) array
        Mean over every run.
    drift : float
        Largest |q(t) − q(0)|, over all runs.
    movement : float
        How far q could have moved, given how far the weights did: root of the mean square.
    constancy : float
        Root of the mean square of what q did move, relative to that.
    residual : float, optional
        The same without the drift that finite steps predict, if q is a law broken by them; or beside its decay.
    rate : float, optional
        r, if q falls as e^{−rt} by weight decay.
    """

    formula: str
    match: str
    coefficients: dict[tuple[int, int], float] = field(repr=False)
    values: Array
    drift: float
    movement: float
    constancy: float
    residual: float | None = None
    rate: float | None = None

    def matrix(self, size: int) -> Array:
        """S with q = θᵀSθ, (n, n) for n = `size` parameters."""
        S = np.zeros((size, size))
        for (i, j), c in self.coefficients.items():
            S[i, j] += 0.5 * c
            S[j, i] += 0.5 * c
        return S


@dataclass(frozen=True)
class Feature:
    """Product u·v of two groups of parameters."""

    name: str
    left: tuple[int, ...]
    right: tuple[int, ...]


class WeightLog:
    """The records as parameter vectors θ (R, T, n), and what was found in them so far."""

    def __init__(self, W: Array, A: Array, tolerance: float) -> None:
        self.units, self.inputs, self.outputs = W.shape[2], W.shape[3], A.shape[2]
        self.theta = np.concatenate([W.reshape(*W.shape[:2], -1), A.reshape(*A.shape[:2], -1)], axis=-1)
        self.tolerance = tolerance
        self.found: list[InferredQuantity] = []
        self.nearly: list[InferredQuantity] = []
        self.moving: list[InferredQuantity] = []
        self.decaying: dict[str, InferredQuantity] = {}  # known laws beside an exponential, by formula
        self.notes: list[str] = []

    def first(self, k: int) -> tuple[int, ...]:
        """Parameters of w_k."""
        return tuple(range(k * self.inputs, (k + 1) * self.inputs))

    def second(self, k: int) -> tuple[int, ...]:
        """Parameters of A_k."""
        start = self.units * self.inputs
        return tuple(start + o * self.units + k for o in range(self.outputs))

    def product(self, layer: str, k: int, l: int) -> Feature:
        """w_k·w_l or A_k·A_l."""
        of = self.first if layer == "w" else self.second
        square = f"{layer}_{k}²" if layer == "a" and self.outputs == 1 else f"‖{layer}_{k}‖²"
        return Feature(square if k == l else f"{layer}_{k}·{layer}_{l}", of(k), of(l))

    def invariants(self) -> list[Feature]:
        """All w_k·w_l and A_k·A_l."""
        pairs = list(combinations_with_replacement(range(self.units), 2))
        return [self.product(layer, k, l) for layer in "wa" for k, l in pairs]

    def products(self) -> list[Feature]:
        """All θ_iθ_j of parameters that move."""
        names = [f"w_{k}_{i}" for k in range(self.units) for i in range(self.inputs)]
        rows = [""] if self.outputs == 1 else [f"{o}_" for o in range(self.outputs)]
        names += [f"a_{row}{k}" for row in rows for k in range(self.units)]
        moving = np.flatnonzero(np.ptp(self.theta, axis=1).any(axis=0)).tolist()
        pairs = combinations_with_replacement(moving, 2)
        return [Feature(f"{names[i]}²" if i == j else f"{names[i]} {names[j]}", (i,), (j,)) for i, j in pairs]

    def has_different_starts(self) -> bool:
        """Whether there are several runs whose first records differ by more than they would by noise."""
        first = self.theta[:, 0]
        apart = np.linalg.norm(first[1:] - first[:1], axis=-1)
        return len(first) > 1 and bool((apart > DIFFERENT * np.linalg.norm(first[0])).all())

    def values(self, feature: Feature) -> Array:
        """u·v at every record, (R, T)."""
        return np.einsum("rti,rti->rt", self.theta[..., feature.left], self.theta[..., feature.right])

    def possible(self, feature: Feature) -> Array:
        """|Δu||v| + |u||Δv| at every record, (R, T): how far the product could have moved."""
        u, v = self.theta[..., feature.left], self.theta[..., feature.right]
        size_u, size_v = np.linalg.norm(u, axis=-1), np.linalg.norm(v, axis=-1)
        moved_u = np.linalg.norm(u - u.mean(axis=1, keepdims=True), axis=-1)
        moved_v = np.linalg.norm(v - v.mean(axis=1, keepdims=True), axis=-1)
        return np.asarray(moved_u * size_v + size_u * moved_v)

    def displaced(self, k: int, h: float) -> Array:
        """Σ over the displacements Δ since the first record of ‖Δw_k‖² − h‖ΔA_k‖², (R, T)."""
        steps = np.diff(self.theta, axis=1, prepend=self.theta[:, :1])
        parts = (np.sum(steps[..., of(k)] ** 2, axis=-1) for of in (self.first, self.second))
        return np.asarray(np.cumsum(next(parts) - h * next(parts), axis=1))

    def judge(
        self, features: Sequence[Feature], coefficients: Sequence[float], match: str
    ) -> InferredQuantity:
        """Measure how constant a combination of features stayed."""
        q = sum(c * self.values(f) for c, f in zip(coefficients, features, strict=True))
        movement = np.sqrt(
            sum(c**2 * np.mean(self.possible(f) ** 2) for c, f in zip(coefficients, features, strict=True))
        )
        q = np.asarray(q)
        rms = np.sqrt(np.mean((q - q.mean(axis=1, keepdims=True)) ** 2))
        return InferredQuantity(
            _formula([f.name for f in features], coefficients),
            match,
            _expand(features, coefficients),
            q.mean(axis=1),
            float(np.abs(q - q[:, :1]).max()),
            float(movement),
            float(rms / movement) if movement > 0 else np.inf,
        )

    def keep(self, candidates: Sequence[InferredQuantity]) -> bool:
        """Add the most constant of some candidates if it is constant enough."""
        best = min(candidates, key=lambda q: q.constancy)
        if best.constancy <= self.tolerance:
            self.found.append(best)
        return best.constancy <= self.tolerance


def _expand(features: Sequence[Feature], coefficients: Sequence[float]) -> dict[tuple[int, int], float]:
    """Coefficients of the products θ_iθ_j, i ≤ j, in a combination of features."""
    expanded: dict[tuple[int, int], float] = {}
    for feature, c in zip(features, coefficients, strict=True):
        for i, j in zip(feature.left, feature.right, strict=True):
            pair = (min(i, j), max(i, j))
            expanded[pair] = expanded.get(pair, 0.0) + c
    return expanded


def _formula(names: Sequence[str], coefficients: Sequence[float]) -> str:
    """Combination as text; terms that do not matter are left out."""
    largest = max(map(abs, coefficients))
    text = ""
    for name, c in zip(names, coefficients, strict=True):
        if abs(c) > SHOWN * largest:
            size = "" if abs(abs(c) - 1) < 1e-9 else f"{abs(c):.4g} "
            text += (" − " if c < 0 else " + " if text else "") + size + name
    return text.strip()
