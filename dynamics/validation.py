"""One small check per kind of argument; each returns the clean value or raises `ProblemError`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.errors import ProblemError
from dynamics.suggestions import closest

SILENT_ASYMMETRY = 1e-10  # of the largest entry: what a product such as QΛQᵀ leaves
LARGEST_ASYMMETRY = 1e-6  # what single precision or six digits leave
NEARLY_SYMMETRIC = 0.1  # of the largest entry: more is no noise, and (M + Mᵀ)/2 another matrix

LARGEST_NOISE = 1e50
LARGEST_COUNT = 2**63 - 1  # beyond it neither NumPy nor PyTorch can count


def validate_count(name: str, value: Any, minimum: int = 1) -> int:
    """Whole number of at least `minimum`, and at most 2⁶³ − 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ProblemError(f"`{name}` is {value!r}, but must be a whole number of at least {minimum}.")
    if value > LARGEST_COUNT:  # not printed: it may have any number of digits
        raise ProblemError(
            f"`{name}` is beyond 2^63 − 1 = {LARGEST_COUNT}, the largest whole number allowed."
        )
    if value < minimum:
        shown = value if value >= -LARGEST_COUNT else "a huge negative number"
        raise ProblemError(f"`{name}` is {shown}, but must be at least {minimum}.")
    return int(value)


def validate_real(
    name: str,
    value: Any,
    *,
    positive: bool = False,
    nonnegative: bool = False,
    size: tuple[float, float] | None = None,
) -> float:
    """Finite real number, on request positive or non-negative, and of a size |x| within bounds."""
    try:
        if isinstance(value, bool | np.bool_) or np.ndim(value) or np.iscomplexobj(value):
            raise TypeError
        number = float(value)
    except OverflowError:
        raise ProblemError(f"`{name}` is too large, but must be below 1.8e308 in size.") from None
    except (TypeError, ValueError):
        raise ProblemError(f"`{name}` is {value!r}, but must be a number.") from None
    if not np.isfinite(number):
        raise ProblemError(f"`{name}` is {number}, but must be finite.")
    if positive and number <= 0:
        raise ProblemError(f"`{name}` is {number:g}, but must be positive.")
    if nonnegative and number < 0:
        raise ProblemError(f"`{name}` is {number:g}, but must not be negative.")
    if size is not None and not size[0] <= abs(number) <= size[1]:
        bounds = (
            f"be at most {size[1]:g} in size" if size[0] == 0 else f"lie between {size[0]:g} and {size[1]:g}"
        )
        raise ProblemError(f"`{name}` is {number:g}, but must {bounds}{' in size' * (number < 0 < size[0])}.")
    return number


def validate_momentum(momentum: Any) -> float:
    """Momentum β in [0, 1)."""
    beta = validate_real("momentum", momentum, nonnegative=True)
    if beta >= 1:
        raise ProblemError(f"`momentum` is {beta:g}, but must be below 1.")
    return beta


def validate_label_noise(label_noise: Any) -> float:
    """Variance Δ of the label noise, at most 10⁵⁰: products of a few of such numbers stay numbers."""
    return validate_real("label_noise", label_noise, nonnegative=True, size=(0, LARGEST_NOISE))


def validate_choice(name: str, value: Any, allowed: Any) -> str:
    """One of the allowed names."""
    if value not in allowed:
        near = closest(str(value), allowed)
        hint = "" if near is None else f" (did you mean {near!r}?)"
        raise ProblemError(f"`{name}` is {value!r}{hint}, but must be one of: {', '.join(allowed)}.")
    return str(value)


def validate_array(name: str, value: ArrayLike, ndim: int) -> NDArray[np.float64]:
    """Read-only copy as a finite float array with `ndim` axes; complex numbers are refused, even real ones."""
    if np.ma.is_masked(value):
        raise ProblemError(f"`{name}` has masked entries, but every entry must be a number: fill them.")
    try:
        raw = np.asarray(value)
        if raw.dtype.kind == "c" or (raw.dtype.kind == "O" and any(map(np.iscomplexobj, raw.flat))):
            raise ProblemError(f"`{name}` has complex entries, but every entry must be a real number.")
        if raw.dtype.kind not in "biufO":
            raise TypeError
        with np.errstate(over="ignore"):  # of long doubles: they become infinite, which is refused below
            array = np.array(raw, dtype=float)
    except ProblemError:
        raise
    except (TypeError, ValueError, OverflowError, RuntimeError):  # the last is PyTorch's
        raise ProblemError(f"`{name}` cannot be read as an array of real numbers.") from None
    if array.ndim != ndim:
        raise ProblemError(f"`{name}` has shape {array.shape}, but must have {ndim} axes.")
    if not np.isfinite(array).all():
        raise ProblemError(f"`{name}` contains NaN or infinity, but every entry must be finite.")
    array.setflags(write=False)
    return array


def misplaced(first: Sequence[Any], second: Sequence[Any]) -> str:
    """What is wrong with two lists of names of the same things: they are the same ones, in another order."""
    if list(first) == list(second) or len(first) != len(second) or set(first) != set(second):
        return ""
    n = next(n for n, (one, other) in enumerate(zip(first, second, strict=True)) if one != other)
    return f"the same names in another order (number {n} is {first[n]!r} and {second[n]!r}): sort them alike"


def axis_names(value: object) -> list[list[Any]]:
    """Names along every axis of a frame or series of pandas, or of a labelled array of xarray; of others none."""
    if hasattr(value, "dims") and hasattr(value, "indexes"):
        return [list(value.indexes.get(dim, ())) for dim in value.dims]
    axes = (getattr(value, name, None) for name in ("index", "columns"))
    return [list(axis) for axis in axes if axis is not None and not callable(axis)]


def symmetrised(
    name: str, value: ArrayLike, force: bool = False
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Finite square matrix, symmetrised to the last bit, and a sentence about it if that was more than nothing.

    Asymmetry of at most 1e-6 of the largest entry is rounding; more is refused unless it is to be removed by `force`.
    """
    names = axis_names(value)
    if len(names) == 2 and (wrong := misplaced(*names)):
        raise ProblemError(f"`{name}` has rows and columns with {wrong}.")
    M = validate_array(name, value, 2)
    if M.shape[0] != M.shape[1] or M.shape[0] == 0:
        raise ProblemError(f"`{name}` has shape {M.shape}, but must be a square matrix.")
    half = M / 2  # sums of halves do not overflow
    asymmetry, size = np.abs(half - half.T).max(), np.abs(half).max()
    notes: tuple[str, ...] = ()
    if asymmetry > SILENT_ASYMMETRY * size:
        share = asymmetry / size
        if share > LARGEST_ASYMMETRY and not force:
            advice = ": take (M + Mᵀ)/2, as `--symmetrize` does" if share < NEARLY_SYMMETRIC else ""
            raise ProblemError(
                f"`{name}` is not symmetric (|M_ij − M_ji| is up to {share:.2g} of the largest entry; allowed is"
                f" {LARGEST_ASYMMETRY:g}), but must be{advice}."
            )
        notes = (f"`{name}` was symmetrised: |M_ij − M_ji| is up to {share:.2g} of the largest entry",)
    symmetric = np.where(half == half.T, M, half + half.T)  # the halves of denormal numbers are not exact
    symmetric.setflags(write=False)
    return symmetric, notes


def validate_symmetric(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """Finite matrix, symmetric to 1e-6 of its largest entry, symmetrised to the last bit."""
    return symmetrised(name, value)[0]


def validate_times(times: ArrayLike) -> NDArray[np.float64]:
    """Increasing non-negative times."""
    t = validate_array("times", times, 1)
    if t.size == 0:
        raise ProblemError("`times` is empty, but must name at least one time.")
    if t[0] < 0 or (np.diff(t) <= 0).any():
        raise ProblemError("`times` must be non-negative and strictly increasing.")
    return t
