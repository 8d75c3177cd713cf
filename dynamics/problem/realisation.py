"""Weights with given order parameters: whether there are any, in how many dimensions, and which.

Of W = (w_k) and V = (v_m) the Gaussian theory sees Ω = [[Q, R], [Rᵀ, P]] alone, with Q = WWᵀ, R = WVᵀ, P = VVᵀ. Derived
here:

* Ω belongs to vectors in d dimensions if and only if it has no negative eigenvalue, and a rank of d at most. They are
  the rows of E√Λ, Ω = EΛEᵀ, in the smallest dimension r = rank Ω, up to a rotation.
* Beside teacher directions V that are kept, W = RP⁺V + S^{1/2}U_⊥ with S = Q − RP⁺Rᵀ and orthonormal rows U_⊥ off the
  span of V, if and only if R(I − P⁺P) = 0, S has no negative eigenvalue, and rank P + rank S ≤ d.

Everything is done with unit vectors, whose Gram matrix has a unit diagonal: lengths of student and teacher that differ
by many orders of magnitude do not hide one another. An eigenvalue below zero by no more than the rounding of the
numbers counts as zero; that moves Ω by as little, and W by its square root.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.errors import ProblemError
from dynamics.matrices import EPS, axes_of, negligible
from dynamics.validation import symmetrised, validate_array, validate_count
from dynamics.words import counted

CLIPPED = 1e-10  # of the eigenvalues of unit vectors' Gram matrix: below zero by less is rounding
LARGEST_SQUARE = 1e100  # of a length; weights end at 1e50


@dataclass(frozen=True, eq=False)
class Realisation:
    """Student weights and teacher directions with given order parameters.

    Parameters
    ----------
    W : (K, r) array
    V : (M, r) array
    notes : tuple of str
        What was taken for rounding: a sentence each.
    """

    W: Array
    V: Array
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Overlaps:
    """Order parameters, checked for their shapes and signs, and of unit vectors.

    Parameters
    ----------
    Q, R : (K, K), (K, M) arrays
        Cosines w_k·w_l and w_k·v_m; rows of vectors that are zero are zero.
    w, v : (K,), (M,) arrays
        Lengths.
    notes : tuple of str
    """

    Q: Array
    R: Array
    w: Array
    v: Array
    notes: tuple[str, ...]

    @classmethod
    def of(cls, Q: ArrayLike, R: ArrayLike, v: Array, tolerance: float) -> _Overlaps:
        """Of overlaps with vectors of the lengths v."""
        square, notes = symmetrised("Q", Q)
        K, M, overlaps = len(square), len(v), validate_array("R", R, 2)
        if overlaps.shape != (K, M):
            raise ProblemError(
                f"`R` has shape {overlaps.shape}, but {K} hidden units and {M} teacher directions need ({K}, {M})."
            )
        w = _lengths("Q", square)
        own, theirs = _cosines("Q", square, w, w, tolerance), _cosines("R", overlaps, w, v, tolerance)
        return cls(own, theirs, w, v, notes)


def realise(
    Q: ArrayLike, R: ArrayLike, P: ArrayLike, *, inputs: int | None = None, tolerance: float = CLIPPED
) -> Realisation:
    """Student weights and teacher directions with given order parameters, in the smallest dimension.

    Parameters
    ----------
    Q, R, P : (K, K), (K, M), (M, M) arrays
        w_k·w_l, w_k·v_m and v_m·v_n.
    inputs : int, optional
        Dimension d that they have to fit into.
    tolerance : float
        Size up to which negative eigenvalues of the Gram matrix of the unit vectors count as zero.

    Returns
    -------
    Realisation
        With r = rank Ω columns.

    Raises
    ------
    ProblemError
        If no vectors have these order parameters, or none in d dimensions.

    Examples
    --------
    >>> found = realise([[0.5]], [[0.3, 0.0]], [[1.0, 0.5], [0.5, 1.0]])
    >>> found.W.shape, bool(abs(found.W @ found.V.T - [[0.3, 0.0]]).max() < 1e-14)
    ((1, 3), True)
    """
    square, notes = symmetrised("P", P)
    found = _Overlaps.of(Q, R, _lengths("P", square), tolerance)
    own = _cosines("P", square, found.v, found.v, tolerance)
    for name, cosines in (("Q", found.Q), ("P", own)):
        _factor(cosines, tolerance, f"`{name}` is of no vectors")
    K, notes = len(found.Q), (*notes, *found.notes)
    Omega = np.block([[found.Q, found.R], [found.R.T, own]])
    units, said = _factor(Omega, tolerance, "The matrix of `Q`, `R` and `P` is of no vectors", inputs)
    return Realisation(units[:K] * found.w[:, None], units[K:] * found.v[:, None], (*notes, *said))


def realise_beside(
    Q: ArrayLike, R: ArrayLike, V: ArrayLike, *, inputs: int | None = None, tolerance: float = CLIPPED
) -> Realisation:
    """Student weights with given order parameters beside teacher directions, which are kept.

    Parameters
    ----------
    Q, R : (K, K), (K, M) arrays
        w_k·w_l and w_k·v_m.
    V : (M, n) array
        Teacher directions; zeros are appended where their n dimensions are too few for the student.
    inputs : int, optional
        Dimension d that the student has to fit into.
    tolerance : float
        As of `realise`.

    Raises
    ------
    ProblemError
        If no weights have these order parameters beside these directions, or none in d dimensions.
    """
    directions = validate_array("V", V, 2)
    v = np.linalg.norm(directions, axis=1)
    found = _Overlaps.of(Q, R, v, tolerance)
    _factor(found.Q, tolerance, "`Q` is of no vectors")
    T, Z = _span(directions / np.where(v > 0, v, 1.0)[:, None])
    X = np.linalg.lstsq(T, found.R.T, rcond=None)[0].T  # coordinates of the units in the span of V
    outside = float(np.abs(found.R - X @ T.T).max(initial=0.0))
    if outside > tolerance:
        raise ProblemError(
            f"`R` is of no vectors beside this teacher, whose {len(v)} directions span {len(Z)} dimensions: of its "
            f"cosines, {outside:.2g} contradict what the teacher's directions have to do with one another."
        )
    room = None if inputs is None else validate_count("inputs", inputs) - len(Z)
    S = found.Q - X @ X.T
    why = "What `R` leaves of `Q` beside this teacher, Q − RP⁺Rᵀ, is of no vectors"
    rest, notes = _factor(S, tolerance, why, room, " beside the teacher's directions")
    width = max(directions.shape[1], len(Z) + rest.shape[1])
    check_memory(
        f"A student of {len(X)} hidden units with {width} inputs", 64 * len(X) * width, "lower `hidden`"
    )
    Z, kept = (np.pad(each, ((0, 0), (0, width - each.shape[1]))) for each in (Z, directions))
    W = (X @ Z + rest @ _beside(Z, rest.shape[1])) * found.w[:, None]
    return Realisation(W, kept, (*found.notes, *notes))


def _lengths(name: str, square: Array) -> Array:
    """Lengths of vectors from the diagonal of their Gram matrix."""
    diagonal = square.diagonal()
    if (diagonal < 0).any():
        k = int(diagonal.argmin())
        raise ProblemError(
            f"`{name}` has {diagonal[k]:.6g} as entry {k} of its diagonal, but squares of lengths are not negative."
        )
    if (diagonal > LARGEST_SQUARE).any():
        raise ProblemError(
            f"`{name}` has {diagonal.max():.3g} on its diagonal, but squares of lengths may be {LARGEST_SQUARE:.0e} at "
            "most: scale the weights down."
        )
    return np.sqrt(diagonal)


def _cosines(name: str, products: Array, left: Array, right: Array, tolerance: float) -> Array:
    """Products over lengths; 0 where a vector is zero.

    Raises
    ------
    ProblemError
        If one is beyond what vectors of these lengths can have.
    """
    bounds = np.outer(left, right)
    beyond = np.abs(products) > bounds * (1 + tolerance)
    if beyond.any():
        k, m = np.argwhere(beyond)[0]
        raise ProblemError(
            f"`{name}` has {products[k, m]:.6g} in row {k} and column {m}, but vectors of the lengths {left[k]:.6g} "
            f"and {right[m]:.6g} have products of at most {bounds[k, m]:.6g} in size."
        )
    # divided twice: the product of two small lengths may vanish
    rows = np.divide(products, left[:, None], out=np.zeros_like(products), where=left[:, None] > 0)
    return np.divide(rows, right, out=np.zeros_like(rows), where=right > 0)


def _factor(
    gram: Array, tolerance: float, refusal: str, room: int | None = None, where: str = ""
) -> tuple[Array, tuple[str, ...]]:
    """Rows (n, r) with a Gram matrix, and what of it was taken for rounding.

    Raises
    ------
    ProblemError
        If it is not positive semi-definite, or of a rank beyond the dimensions that there is room for.
    """
    values, vectors = np.linalg.eigh(gram)
    lowest, largest = float(values[0]), max(1.0, float(values[-1]))
    if lowest < -tolerance * largest:
        raise ProblemError(
            f"{refusal}: scaled to unit lengths, its smallest eigenvalue is {lowest:.3g}, but must not be below 0 (by "
            f"{tolerance:.0e} it would be rounding)."
        )
    floor = negligible(len(gram)) * largest
    kept = np.flatnonzero(values > floor)[::-1]
    if room is not None and len(kept) > room:
        rank = int(np.count_nonzero(values > tolerance * largest))
        if rank > room:
            raise ProblemError(
                f"The order parameters need {counted(rank, 'dimension')}{where}, but `inputs` leaves {max(room, 0)}."
            )
        kept = kept[:room]
    lost = float(np.abs(np.delete(values, kept)).max(initial=0.0))
    notes: tuple[str, ...] = ()
    if lost > 10 * floor:
        notes = (
            f"order parameters were rounded: eigenvalues up to {lost:.2g} of unit vectors' products count as 0",
        )
    return vectors[:, kept] * np.sqrt(values[kept]), notes


def _span(units: Array) -> tuple[Array, Array]:
    """T (M, p) and orthonormal rows Z (p, n) with V = TZ; axes remain axes."""
    used = np.flatnonzero(units.any(axis=1))
    on_axes = axes_of(units[used])
    if on_axes is not None:
        T, Z = np.zeros((len(units), len(used))), np.zeros((len(used), units.shape[1]))
        T[used, np.arange(len(used))] = on_axes[1]
        Z[np.arange(len(used)), on_axes[0]] = 1.0
        return T, Z
    U, sizes, Z = np.linalg.svd(units, full_matrices=False)
    kept = sizes > EPS * max(units.shape) * sizes[0]
    return U[:, kept] * sizes[kept], Z[kept]


def _beside(Z: Array, count: int) -> Array:
    """Orthonormal rows (count, n) off the span of orthonormal rows Z (p, n): axes, if Z are axes."""
    n = Z.shape[1]
    free = np.flatnonzero(~Z.any(axis=0))[:count]
    if len(free) == count:
        rows = np.zeros((count, n))
        rows[np.arange(count), free] = 1.0
        return rows
    further = np.random.default_rng(0).standard_normal((n, count))  # any that are independent
    return np.asarray(np.linalg.qr(np.hstack([Z.T, further]))[0][:, len(Z) :].T)
