"""Symmetric matrices as people have them: rounded, a little asymmetric, of a rank that rounding hides.

An error of δ in every entry of a d × d matrix moves its eigenvalues by less than √d δ for independent errors and by
d δ at most (Weyl). Eigenvalues below 10 √d δ are therefore taken for zeros. The computation itself errs by a few units
of the largest eigenvalue's last place, whatever the entries are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.validation import symmetrised, validate_count, validate_real

EPS = float(np.finfo(float).eps)
TYPED_DIGITS, PRINTED_DIGITS = 3, 12  # up to which a number may have been typed; and printed, by %.12g
PRINTED, LOOKED_AT = 16, 100_000  # entries that tell, and that are looked at
FLOOR = 1e-9  # of the largest eigenvalue: smaller ones are noise in matrices that come from a file


@dataclass(frozen=True, eq=False)
class Decomposition:
    """A symmetric matrix by its eigenvalues that count.

    Parameters
    ----------
    matrix : (d, d) array
        Symmetrised to the last bit; eigenvalues that count as zero are still in it.
    values : (r,) array
        Eigenvalues that count, ascending.
    vectors : (r, d) array
        Their orthonormal eigenvectors, as rows.
    zeros : (d − r,) array
        Eigenvalues that count as zero.
    threshold : float
        Size up to which they do.
    notes : tuple of str
        One sentence for everything that was changed beyond the precision of the computation.
    """

    matrix: Array
    values: Array
    vectors: Array
    zeros: Array
    threshold: float
    notes: tuple[str, ...]

    def projected(self) -> Array:
        """The matrix without the eigenvalues that count as zero."""
        M = (self.vectors.T * self.values) @ self.vectors
        return np.asarray((M + M.T) / 2)


def axes_of(V: Array) -> tuple[NDArray[np.intp], Array] | None:
    """Columns (m,) and entries (m,) of rows V (m, d) that have at most one each, all in columns of their own.

    None if they do not.
    """
    filled = V != 0
    if (filled.sum(axis=1) > 1).any() or (filled.sum(axis=0) > 1).any():
        return None
    axes = filled.argmax(axis=1) if V.size else np.zeros(len(V), dtype=np.intp)
    return axes, V[np.arange(len(V)), axes]


def rounding_of(value: ArrayLike) -> float:
    """Unit in the last place of the largest entry of an array; 0.0 for whole numbers, which are exact.

    A decimal place, where the entries of a matrix show that they were rounded to decimals, see `decimal_unit`.
    """
    array = np.asarray(value)
    if array.dtype.kind in "biu" or not array.size:
        return 0.0
    if array.dtype.kind == "O":  # as of frames with columns that may lack numbers: no precision, but decimals
        try:
            return decimal_unit(array.astype(float))
        except (TypeError, ValueError, OverflowError, RuntimeError):
            return 0.0
    precision = array.dtype if array.dtype.kind == "f" and array.dtype.itemsize < 8 else np.dtype(float)
    try:
        with np.errstate(over="ignore"):
            largest = np.abs(array).max().astype(precision)
    except (TypeError, ValueError):  # text, which others refuse
        return 0.0
    if not np.isfinite(largest):
        return 0.0
    return max(float(np.spacing(largest)), decimal_unit(array))


def decimal_unit(M: NDArray[Any]) -> float:
    """Unit of the last decimal of the largest entry of a matrix that was printed and read again; 0.0 for others.

    It was, where all its entries have at most twelve significant digits, and 16 of those off the diagonal more than
    three: fewer may have been typed, and mean what they say.
    """
    if M.ndim != 2 or M.dtype.kind != "f" or M.dtype.itemsize != 8:
        return 0.0
    rows, columns = np.nonzero(M)
    beside = M[rows, columns][rows != columns]
    if len(beside) < PRINTED or _digits(beside[:PRINTED]).max() > PRINTED_DIGITS:  # soon known of most
        return 0.0
    digits = _digits(beside[:LOOKED_AT])
    most = max(digits.max(), _digits(M.diagonal()).max(initial=0))
    if most > PRINTED_DIGITS or np.count_nonzero(digits > TYPED_DIGITS) < PRINTED:
        return 0.0
    return float(10.0 ** (np.floor(np.log10(np.abs(M).max())) - most + 1))


def _digits(numbers: NDArray[Any]) -> NDArray[np.intp]:
    """Significant decimal digits of the shortest texts that mean these numbers."""
    texts = (repr(x).partition("e")[0].replace(".", "").strip("-0") for x in numbers.tolist())
    return np.array([len(text) for text in texts], dtype=np.intp)


def negligible(d: int) -> float:
    """Size, relative to the largest, of eigenvalues of a d × d matrix that the computation cannot tell from zero."""
    return EPS * max(100.0, 10 * np.sqrt(d))


def decompose(
    name: str,
    value: ArrayLike,
    *,
    rank: int | None = None,
    tolerance: float | None = None,
    rounding: float | None = None,
    symmetrize: bool = False,
) -> Decomposition:
    """Eigenvalues and eigenvectors of a symmetric matrix, without those that are rounding.

    Parameters
    ----------
    name : str
        What the matrix is called in messages.
    value : (d, d) array
        Asymmetry up to 1e-6 of the largest entry is taken for rounding and removed.
    rank : int, optional
        Keep at most so many eigenvalues, those of largest |λ|, however small they are.
    tolerance : float, optional
        Eigenvalues of at most `tolerance` times the largest |λ| count as zero.
    rounding : float, optional
        Unit δ to which the entries of a matrix from a file were rounded (0: exact). The tolerance then is
        max(1e-9, 10 √d δ / |λ|_max). Without it, 10 √d δ / |λ|_max for the δ of the array's data type.
    symmetrize : bool
        Remove any asymmetry.

    Raises
    ------
    ProblemError
        If the matrix is not symmetric or not finite, or if an argument is not usable.
    """
    M, notes = symmetrised(name, value, symmetrize)
    d = len(M)
    scale = 2.0 ** np.floor(np.log2(np.abs(M).max())) if M.any() else 1.0  # a power of two: exact
    lam, E = np.linalg.eigh(M / scale)
    size = np.abs(lam)
    with np.errstate(over="ignore"):
        largest, absolute = size.max(), size.max() * scale
    if not np.isfinite(absolute):
        raise ProblemError(
            f"`{name}` has an eigenvalue beyond 1.8e308, the largest number there is: scale it down."
        )
    floor = negligible(d)
    if rank is not None:
        if validate_count("rank", rank) > d:
            raise ProblemError(f"`rank` is {rank}, but `{name}` has {d} eigenvalues only.")
        kept = np.zeros(d, dtype=bool)
        kept[np.argsort(-size, kind="stable")[:rank]] = True
        kept &= size > largest * (tolerance or 0.0)
        threshold = float(size[~kept].max(initial=0.0))
        why = f"{d - kept.sum()} eigenvalues of `{name}` up to {threshold * scale:.2g} are left out by `rank`"
    else:
        threshold = largest * max(_tolerance(name, tolerance, value, rounding, d, absolute), floor)
        kept = size > threshold
        why = zeros(name, d - kept.sum(), threshold * scale)
    if np.any(size[~kept] > floor * largest):
        notes += (f"{why}, {threshold / largest:.2g} of the largest",)
    return Decomposition(M, lam[kept] * scale, E.T[kept], lam[~kept] * scale, threshold * scale, notes)


def zeros(name: str, count: int, threshold: float) -> str:
    """How many eigenvalues count as zero, in words."""
    some = "1 eigenvalue" if count == 1 else f"{count} eigenvalues"
    return f"{some} of `{name}` below {threshold:.2g} {'is' if count == 1 else 'are'} treated as 0"


def _tolerance(
    name: str, tolerance: float | None, value: ArrayLike, rounding: float | None, d: int, largest: float
) -> float:
    """Relative size up to which eigenvalues count as zero."""
    if tolerance is not None:
        if validate_real("tolerance", tolerance, nonnegative=True) >= 1:
            raise ProblemError(
                f"`tolerance` is {tolerance:g}, but must be below 1: it is relative to the largest eigenvalue."
            )
        return float(tolerance)
    delta = rounding_of(value) if rounding is None else rounding
    relative = 10 * np.sqrt(d) * delta / largest if largest else 0.0
    if relative >= 1:
        raise ProblemError(
            f"`{name}` is rounded to {delta:.2g}, which hides even its largest eigenvalue {largest:.2g}: give more"
            " digits, or say with `rank` or `tolerance` what counts."
        )
    return float(relative if rounding is None else max(FLOOR, relative))
