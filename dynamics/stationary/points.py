"""One stationary point: what it has learned, its Hessian, its kind and the reason."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

COUNTS = ("index", "nullity", "positive", "manifold_dimension", "trapping_positive", "trapping_negative")
MEANINGS = {
    "learned_modes": "numbers of the learned eigenvalues",
    "rank": "number r of learned modes",
    "learned_values": "values μ_i of the learned modes",
    "residual_trace": "sum T of the eigenvalues that are not learned",
    "loss": "population loss",
    "multiplicity": "number of sets of eigenvalues with the same learned values",
    "family_dimension": "dimension of the family of learned subspaces",
    "needed_positive": "fewest units with positive a that realise the point",
    "needed_negative": "fewest units with negative a that realise the point",
    "feasible": "whether the student has such units",
    "reason": "why the point is of its kind, or why it is not feasible",
    "signs": "signs of the a_k for which the Hessian is counted",
    "index": "negative eigenvalues of the Hessian",
    "nullity": "zero eigenvalues of the Hessian",
    "positive": "positive eigenvalues of the Hessian",
    "manifold_dimension": "dimension of the manifold of stationary points around the point",
    "degenerate": "whether the nullity exceeds it",
    "kind": "minimum or saddle, and of which kind",
    "objective": "loss with the penalty of the weight decay",
    "branch": "root on which the units of each learned mode are",
    "units": "number of units that hold each learned mode",
    "second_layer_values": "second-layer weights of these units",
    "frame": "whether units share several modes",
    "threshold": "smallest eigenvalue that one more unit can learn",
    "trace": "trace τ of the residual",
    "largest_eigenvalue": "largest eigenvalue of the Hessian",
    "trapping_positive": "number of positive a for which the level is a spurious minimum",
    "trapping_negative": "number of negative a for which the level is a spurious minimum",
    "bias": "output bias of the point, where it is trained",
    "certified": "whether interval arithmetic proved existence and signature",
    "radius": "distance from the representative within which the point lies",
}

KINDS = ("global minimum", "minimum", "spurious minimum", "saddle", "degenerate saddle")


@dataclass(frozen=True)
class FixedPoint:
    """One entry of the catalogue.

    Parameters
    ----------
    learned_modes : tuple of int
        Indices of the learned eigenvalues among all d in descending order, zeros included. Where not all copies
        of a repeated eigenvalue are learned, the first ones stand for any.
    rank : int
        Number r of learned modes.
    learned_values : tuple of float
        μ_i, in the order of `learned_modes`.
    residual_trace : float
        T, the sum of the eigenvalues that are not learned.
    loss : float
    multiplicity : int
        Number of sets of eigenvalue indices with the same learned values.
    family_dimension : int
        Dimension of the family of learned subspaces, which rotate inside the eigenspaces of repeated eigenvalues.
    needed : tuple of int
        Fewest positive and negative hidden units that realise the point.
    feasible : bool
        Whether the student has them. If not, it has no such point, and everything after `reason` is None.
    reason : str
        Why the point is of its kind, or why it is not feasible.
    signs : tuple of int
        Signs of the a_k for which the Hessian is counted; 0 is a unit at the origin, w_k = 0 = a_k.
    index, nullity, positive : int
        Numbers of negative, zero and positive eigenvalues of the Hessian over all trained parameters.
    manifold_dimension : int
        Dimension of the manifold of stationary points with the same loss around the point.
    degenerate : bool
        Whether the nullity exceeds it, so that the Hessian alone does not decide.
    kind : str
        "global minimum" (no state of this student has a smaller loss), "spurious minimum" (a local minimum that is
        not global), "minimum" (one of which that is not known), "saddle" (a descent direction of second order exists),
        "degenerate saddle" (none exists, the loss descends nevertheless).
    trapping : tuple of int or None
        Numbers of positive and negative a_k, if there are any, for which the same level is a spurious minimum of a
        student with a trained second layer.
    bias : float, optional
        Output bias β of the point, where it is trained.
    certified : bool, optional
        Whether interval arithmetic proved existence and signature; see `dynamics.stationary.certification`.
    radius : float, optional
        Distance from the representative within which the true point lies.
    """

    learned_modes: tuple[int, ...]
    rank: int
    learned_values: tuple[float, ...]
    residual_trace: float
    loss: float
    multiplicity: int
    family_dimension: int
    needed: tuple[int, int]
    feasible: bool
    reason: str
    signs: tuple[int, ...] | None = None
    index: int | None = None
    nullity: int | None = None
    positive: int | None = None
    manifold_dimension: int | None = None
    degenerate: bool | None = None
    kind: str | None = None
    trapping: tuple[int, int] | None = None
    bias: float | None = None
    certified: bool | None = None
    radius: float | None = None

    @property
    def height(self) -> float:
        """By which points are sorted: the loss, with weight decay the objective."""
        return self.loss

    def to_dict(self) -> dict[str, Any]:
        """JSON object; bias and certificate only where there is one."""
        data = {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }
        for name in ("needed", "trapping"):
            if data[name] is not None:
                data[name] = dict(zip(("positive", "negative"), data[name], strict=True))
        if self.certified is None:
            del data["certified"], data["radius"]
        if self.bias is None:
            del data["bias"]
        return data

    def row(self) -> dict[str, Any]:
        """The same as a row of a table: pairs are two entries, lists are tuples."""
        row = self.to_dict()
        for name in ("needed", "trapping"):
            pair = row.pop(name) or {}
            row |= {f"{name}_{sign}": pair.get(sign) for sign in ("positive", "negative")}
        return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
