"""Which quadratic quantities θᵀSθ stayed constant in somebody's training run?

Given recorded weights W(t), A(t) of a two-layer network, nothing else. Quadratic features, the products of weights,
are centred in every run and divided by how far they *could* have moved, rms(|Δu||v| + |u||Δv|) for the product u·v: a
combination with coefficients x of unit length that moves by ε has then kept constant to the fraction ε of its possible
movement. The search is in the order of what can be trusted:

1. *Known laws* without any free coefficient: ‖w_k‖² − h‖A_k‖² for h = 1, 2; w_k·w_l − A_k·A_l (linear units);
   w_k·w_l (opposite fixed output weights). They are tested, not fitted.
2. *One coefficient*: ‖w_k‖² − r‖A_k‖² for the other units; r = h η_w/η_a tells unequal learning rates. Along a
   smooth curve some r always fits tolerably. It is a law only if ‖w_k‖² changes by r times the change of ‖A_k‖² all
   along: the first and the second half of the movement must give the same r.
3. *All rotation invariants* w_k·w_l and A_k·A_l together, and on request *all products* θ_iθ_j: small right singular
   vectors of the features, orthogonal to what is known already. One run is a smooth curve, along which many
   combinations are nearly constant without any law, and so are runs from one start: several starts are needed. The
   runs are cut in two halves, and only directions that both find on their own count. Where the halves leave so many
   directions open that some agree by chance (n₁ + n₂ > number of features), nothing is claimed and a note says so.

What finite steps do to a law is known, whatever they are: a step δ of descent changes c_k by B(δ, δ) =
‖δw_k‖² − h‖δA_k‖², and momentum multiplies the sum of these by (1 + β)/(1 − β) (`dynamics.conserved.drift`). Between
records m steps apart the displacement is some m δ, so that c_k follows κ Σ B(Δ, Δ) over the displacements Δ with
κ = (1 + β)/((1 − β) m), a number that the records alone do not tell. Where some κ > 0 leaves a residual within the
tolerance, and a smaller one than a fitted coefficient does, c_k is a law that the steps have broken: it is called
nearly constant, not conserved. So is what fits with another coefficient in each half. Noise of samples moves c_k too,
in steps that no record shows: a balance for which there is no account is listed as moving, by how much.

Weight decay lets all known laws fall by one common factor (`dynamics.conserved.decaying`). What does so is listed as
decaying, with its rate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations_with_replacement

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray

from dynamics.aliases import Array
from dynamics.conserved.decaying import CommonDecay
from dynamics.conserved.quantities import weights
from dynamics.conserved.weight_log import Feature, InferredQuantity, WeightLog
from dynamics.errors import ProblemError
from dynamics.validation import validate_choice, validate_real
from dynamics.words import counted

SEARCHES = ("known", "invariant", "all")
LARGEST_SEARCH = 2000  # features; the singular value decomposition grows with their cube
BETTER = 0.2  # residual of a law that decays, relative to that of any other account of it, at most
Known = tuple[list[Feature], list[float], str]  # features and coefficients of a known law, and what it is
AGREEMENT = 0.99  # cosine of the angle between directions that two halves of the data find


@dataclass(frozen=True, eq=False)
class Inference:
    """What was found.

    Parameters
    ----------
    quantities : tuple of InferredQuantity
        Linearly independent; known laws first.
    nearly_constant : tuple of InferredQuantity
        What moved little, but is not conserved: laws that finite steps break, and fits that hold for one part of a run.
    decaying : tuple of InferredQuantity
        Known laws that fall as e^{−rt}, as weight decay has it.
    moving : tuple of InferredQuantity
        The balances of the units for which none of these holds, each with the degree that fits it best.
    tolerance : float
        Constancy that was asked for.
    notes : tuple of str
        What could not be decided with these data.
    """

    quantities: tuple[InferredQuantity, ...]
    nearly_constant: tuple[InferredQuantity, ...]
    decaying: tuple[InferredQuantity, ...]
    moving: tuple[InferredQuantity, ...]
    tolerance: float
    notes: tuple[str, ...]

    def summary(self) -> str:
        """One line per quantity."""
        lines = [
            counted(len(self.quantities), "conserved quantity", "conserved quantities"),
            *map(_line, self.quantities),
        ]
        if self.nearly_constant:
            lines += [f"{len(self.nearly_constant)} nearly constant", *map(_line, self.nearly_constant)]
        if self.decaying:
            lines += [f"{len(self.decaying)} decaying, not conserved", *map(_decaying_line, self.decaying)]
        if self.moving:
            lines += [
                f"{counted(len(self.moving), 'balance')} not constant to {self.tolerance:g}",
                *map(_moving_line, self.moving),
            ]
        return "\n".join([*lines, *self.notes])


def infer_quantities(
    W: ArrayLike,
    A: ArrayLike,
    *,
    times: ArrayLike | None = None,
    tolerance: float = 0.01,
    search: str = "invariant",
) -> Inference:
    """Find the quadratic quantities that recorded weights kept constant.

    Parameters
    ----------
    W : (T, K, d) or (R, T, K, d) array
        First layer at T records, of R runs.
    A : (T, O, K) or (R, T, O, K) array, or without the axis O
        Second layer.
    times : (T,) array, optional
        Of the records, for the rates of what decays; without them rates are per record.
    tolerance : float
        Largest constancy (movement relative to the possible one) of what counts as conserved. Gradient descent of
        step η breaks a law by a fraction of the order of η.
    search : {"known", "invariant", "all"}
        How far to search: steps 1 and 2 only, also combinations of rotation invariants, or of all products.

    Returns
    -------
    Inference

    Raises
    ------
    ProblemError
        If the arrays do not fit together or there are fewer than 4 records.
    """
    W_, A_ = weights(W, A)
    if W_.ndim == 3:
        W_, A_ = W_[None], A_[None]
    if W_.ndim != 4 or W_.shape[1] < 4:
        raise ProblemError(
            f"`W` has shape {np.shape(W)}, but must be (T, K, d) or (runs, T, K, d) with at least 4 records T."
        )
    if not (np.isfinite(W_).all() and np.isfinite(A_).all()):
        raise ProblemError("`W` and `A` must be finite: leave out the records after a divergence.")
    validate_choice("search", search, SEARCHES)
    log = WeightLog(W_, A_, validate_real("tolerance", tolerance, positive=True))
    _fit_decay(log, CommonDecay.of(log, times))
    for k in range(log.units):
        _search_unit(log, k)
    for k, l in combinations_with_replacement(range(log.units), 2):
        _search_pair(log, k, l)
    if search != "known":
        _search_jointly(log, log.invariants(), "rotation invariants")
    if search == "all":
        _search_jointly(log, log.products(), "products of weights")
    decaying = tuple(q for q in log.nearly if q.rate is not None)
    nearly = tuple(q for q in log.nearly if q.rate is None)
    if decaying and times is None:
        log.notes.append("Rates of what decays are per record, because no times are given.")
    return Inference(tuple(log.found), nearly, decaying, tuple(log.moving), log.tolerance, tuple(log.notes))


def _line(q: InferredQuantity) -> str:
    left = "" if q.residual is None else f" ({q.residual:.1e} without the drift of finite steps)"
    return (
        f"{q.formula} = {q.values.mean():.6g}, drift {q.drift:.2g}, constant to {q.constancy:.1e} of its possible"
        f" movement{left}{': ' + q.match if q.match else ''}"
    )


def _decaying_line(q: InferredQuantity) -> str:
    return f"{q.formula} mean {q.values.mean():.6g}, kept to {q.residual:.1e} of its possible movement: {q.match}"


def _moving_line(q: InferredQuantity) -> str:
    return f"{q.formula} drift {q.drift:.2g}, moves by {q.constancy:.1e} of its possible movement: {q.match}"


def _fit_decay(log: WeightLog, decay: CommonDecay) -> None:
    """Lay one exponential through all known laws of a kind: balances of each degree, products of opposite units."""
    pairs = list(combinations_with_replacement(range(log.units), 2))
    kinds = [[_balance(log, k, h) for k in range(log.units) if _both_move(log, k)] for h in (1, 2)]
    kinds.append([_opposite(log, k, l) for k, l in pairs if _are_opposite(log, k, l)])
    for laws in kinds:
        values = [sum(c * log.values(f) for f, c in zip(features, x, strict=True)) for features, x, _ in laws]
        judged = [log.judge(*law) for law in laws]
        log.decaying |= {
            q.formula: q for q in decay.judge(judged, [np.asarray(v) for v in values], log.tolerance)
        }


def _balance(log: WeightLog, k: int, h: int) -> Known:
    """‖w_k‖² − h‖A_k‖²."""
    features = [log.product("w", k, k), log.product("a", k, k)]
    return features, [1.0, -h], f"balance of unit {k}, φ homogeneous of degree {h}"


def _opposite(log: WeightLog, k: int, l: int) -> Known:
    """w_k·w_l."""
    match = f"product of units {k} and {l}, output weights fixed and opposite"
    return [log.product("w", k, l)], [1.0], match


def _both_move(log: WeightLog, k: int) -> bool:
    """A layer that was not trained, or a dead unit: what does not move tells nothing."""
    return all(log.possible(log.product(layer, k, k)).max() > 0 for layer in "wa")


def _are_opposite(log: WeightLog, k: int, l: int) -> bool:
    """Whether the output weights are fixed and opposite, and the product could move."""
    fixed = log.possible(log.product("a", k, l)).max() == 0
    opposite = np.allclose(log.theta[..., log.second(k)], -log.theta[..., log.second(l)])
    return bool(fixed and opposite and log.possible(log.product("w", k, l)).max() > 0)


def _keep_decaying(log: WeightLog, candidates: list[InferredQuantity], other: float) -> bool:
    """Take a law for a decaying one if it is within the tolerance beside its exponential, and by that better."""
    found = [log.decaying[q.formula] for q in candidates if q.formula in log.decaying]
    best = min(found, key=_left, default=None)
    if best is None or _left(best) > log.tolerance or _left(best) > BETTER * other:
        return False
    log.nearly.append(best)
    return True


def _search_unit(log: WeightLog, k: int) -> None:
    """‖w_k‖² − h‖A_k‖² with h = 1, 2, or with a fitted coefficient."""
    w, a = log.product("w", k, k), log.product("a", k, k)
    if not _both_move(log, k):
        return
    known = [log.judge(*_balance(log, k, h)) for h in (1, 2)]
    broken = min((_without_drift(log, k, h, q) for h, q in zip((1, 2), known, strict=True)), key=_left)
    x, y = log.values(a), log.values(w)
    ratio = _slope(x, y)
    fitted = log.judge([w, a], [1.0, -max(ratio, 0.0)], f"balance of unit {k} with h η_w/η_a = {ratio:.4g}")
    others = [_left(broken), *(q.constancy for q in known), fitted.constancy if ratio > 0 else np.inf]
    if _keep_decaying(log, known, min(others)) or log.keep(known):
        return
    if ratio > 0 and fitted.constancy < _left(broken):
        halves = [_slope(x, y, half) for half in _halves_of_movement(x)]
        if abs(halves[1] - halves[0]) <= log.tolerance * ratio and log.keep([fitted]):
            return
        if fitted.constancy <= log.tolerance:
            both = " and ".join(f"{slope:.4g}" for slope in halves)
            log.nearly.append(replace(fitted, match=f"no law: the halves of the movement give {both}"))
            return
    elif _left(broken) <= log.tolerance:
        log.nearly.append(broken)
        return
    log.moving.append(min(known, key=lambda q: q.constancy))


def _without_drift(log: WeightLog, k: int, h: float, q: InferredQuantity) -> InferredQuantity:
    """A balance with its residual beside κ Σ B(Δ, Δ), for the best κ; without one if none is positive."""
    c = log.values(log.product("w", k, k)) - h * log.values(log.product("a", k, k))
    drift = log.displaced(k, h)
    kappa = _slope(drift, c)
    if kappa <= 0 or q.movement == 0:
        return q
    rms = float(np.sqrt(np.mean(_centred(c - kappa * drift) ** 2)))
    return replace(q, match=f"{q.match}, but for the drift of finite steps", residual=rms / q.movement)


def _left(q: InferredQuantity) -> float:
    """What is left of the movement beside the predicted drift."""
    return q.constancy if q.residual is None else q.residual


def _slope(x: Array, y: Array, where: NDArray[np.bool_] | None = None) -> float:
    """Slope of the straight line through y against x (R, T), with an intercept for every run; 0 if x is constant."""
    weights = np.ones(x.shape) if where is None else where.astype(float)
    counts = np.maximum(weights.sum(axis=1, keepdims=True), 1)
    dx, dy = (v - np.sum(weights * v, axis=1, keepdims=True) / counts for v in (x, y))
    square = float(np.sum(weights * dx * dx))
    return float(np.sum(weights * dx * dy)) / square if square > 0 else 0.0


def _halves_of_movement(x: Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Records (R, T) before and after x has gone half of its way; the one between belongs to both."""
    way = np.cumsum(np.abs(np.diff(x, axis=1, prepend=x[:, :1])), axis=1)
    late = way >= way[:, -1:] / 2
    early = np.roll(~late, 1, axis=1)
    early[:, 0] = True
    return early, late


def _search_pair(log: WeightLog, k: int, l: int) -> None:
    """w_k·w_l for fixed opposite output weights, w_k·w_l − A_k·A_l for two units whose output weights move."""
    w, a = log.product("w", k, l), log.product("a", k, l)
    if log.possible(w).max() == 0:
        return
    if log.possible(a).max() > 0:
        if k != l:
            log.keep([log.judge([w, a], [1.0, -1.0], f"balance of units {k} and {l}, linear units")])
    elif _are_opposite(log, k, l):
        law = log.judge(*_opposite(log, k, l))
        if not _keep_decaying(log, [law], law.constancy):
            log.keep([law])


def _search_jointly(log: WeightLog, features: list[Feature], name: str) -> None:
    """Directions of small movement in the span of many features, beyond what is known."""
    if len(features) > LARGEST_SEARCH:
        log.notes.append(
            f"There are {len(features)} {name}: more than {LARGEST_SEARCH} are not searched jointly."
        )
        return
    if not log.has_different_starts():
        log.notes.append(
            f"Combinations of {name} were not searched: that takes runs from different starts, because along one curve"
            " many of them stay nearly constant by accident."
        )
        return
    scale = np.array([np.sqrt(np.mean(log.possible(f) ** 2)) for f in features])
    features = [f for f, s in zip(features, scale, strict=True) if s > 0]
    scale = scale[scale > 0]
    if not features:
        return
    values = np.stack([log.values(f) for f in features], axis=-1) / scale  # (R, T, F)
    free = _complement(_coordinates(log, features) * scale)  # directions that are not known, (F, F − known)
    halves = [half @ free for half in _halves(values)]
    open_directions = [_still(half, log.tolerance) for half in halves]
    count = sum(N.shape[1] for N in open_directions)
    if count > free.shape[1]:
        log.notes.append(
            f"Beyond the quantities listed, these data do not decide: {free.shape[1]} combinations of {name} are left,"
            f" of which the two halves of the runs leave {count} open; more runs from other starts would decide."
        )
        return
    cosines = scipy.linalg.svdvals(open_directions[0].T @ open_directions[1]) if count else np.empty(0)
    agreed = int(np.sum(cosines > AGREEMENT))
    everything = np.concatenate(list(_centred(values) @ free))
    directions = free @ np.linalg.svd(everything, full_matrices=True)[2][free.shape[1] - agreed :].T
    for column in _sparse_basis(directions / scale[:, None]).T:
        log.keep([log.judge(features, column.tolist(), "")])


def _coordinates(log: WeightLog, features: list[Feature]) -> Array:
    """Quantities found so far, and those that are nearly constant, as combinations of features, (found, F).

    No two features share a product θ_iθ_j, so that a coefficient can be read off the first product of its feature.
    """
    known = [*log.found, *log.nearly]
    rows = [[q.coefficients.get((f.left[0], f.right[0]), 0.0) for f in features] for q in known]
    return np.array(rows).reshape(-1, len(features))


def _complement(rows: Array) -> Array:
    """Orthonormal basis of the directions orthogonal to some rows, (F, F − rank)."""
    return np.asarray(scipy.linalg.null_space(rows)) if len(rows) else np.eye(rows.shape[1])


def _centred(values: Array) -> Array:
    """Deviations from the mean of every run, (R, T, F)."""
    return np.asarray(values - values.mean(axis=1, keepdims=True))


def _halves(values: Array) -> list[Array]:
    """Centred features of every other run and of the rest, (rows, F) each."""
    return [np.concatenate(list(_centred(values[half::2]))) for half in (0, 1)]


def _still(half: Array, tolerance: float) -> Array:
    """Orthonormal directions in which features (rows, F) move less than the tolerance, as columns."""
    _, sizes, directions = np.linalg.svd(half / np.sqrt(len(half)), full_matrices=True)
    moving = int(np.sum(sizes > tolerance))
    return directions[moving:].T


def _sparse_basis(directions: Array) -> Array:
    """Basis of the same space with an identity block at its most prominent features: easier to read."""
    if not directions.shape[1]:
        return directions
    pivots = scipy.linalg.qr(directions.T, pivoting=True, mode="r")[1][: directions.shape[1]]
    return np.asarray(directions @ np.linalg.inv(directions[pivots]))
