"""One small check per kind of argument; each returns the clean value or raises `ProblemError`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.errors import ProblemError
from dynamics.suggestions import closest

LARGEST_COUNT = 2**63  # what NumPy and PyTorch no longer hold in an integer


def validate_count(name: str, value: Any, minimum: int = 1) -> int:
    """Whole number of at least `minimum`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ProblemError(f"`{name}` is {value!r}, but must be a whole number of at least {minimum}.")
    if value < minimum:
        raise ProblemError(f"`{name}` is {value}, but must be at least {minimum}.")
    if value >= LARGEST_COUNT:
        raise ProblemError(f"`{name}` is {value}, but must be below 2^63.")
    return int(value)


def validate_real(name: str, value: Any, *, positive: bool = False, nonnegative: bool = False) -> float:
    """Finite real number, on request positive or non-negative."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ProblemError(f"`{name}` is {value!r}, but must be a number.") from None
    if not np.isfinite(number):
        raise ProblemError(f"`{name}` is {number}, but must be finite.")
    if positive and number <= 0:
        raise ProblemError(f"`{name}` is {number:g}, but must be positive.")
    if nonnegative and number < 0:
        raise ProblemError(f"`{name}` is {number:g}, but must not be negative.")
    return number


def validate_choice(name: str, value: Any, allowed: Any) -> str:
    """One of the allowed names."""
    if value not in allowed:
        near = closest(str(value), allowed)
        hint = "" if near is None else f" (did you mean {near!r}?)"
        raise ProblemError(f"`{name}` is {value!r}{hint}, but must be one of: {', '.join(allowed)}.")
    return str(value)


def validate_array(name: str, value: ArrayLike, ndim: int) -> NDArray[np.float64]:
    """Read-only copy as a finite float array with `ndim` axes."""
    try:
        array = np.array(value, dtype=float)
    except (TypeError, ValueError):
        raise ProblemError(f"`{name}` cannot be read as an array of real numbers.") from None
    if array.ndim != ndim:
        raise ProblemError(f"`{name}` has shape {array.shape}, but must have {ndim} axes.")
    if not np.isfinite(array).all():
        raise ProblemError(f"`{name}` contains NaN or infinity, but every entry must be finite.")
    array.setflags(write=False)
    return array


def validate_symmetric(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """Finite symmetric matrix (to 1e-10 of its largest entry), symmetrised to the last bit."""
    M = validate_array(name, value, 2)
    if M.shape[0] != M.shape[1] or M.shape[0] == 0:
        raise ProblemError(f"`{name}` has shape {M.shape}, but must be a square matrix.")
    asymmetry = np.abs(M - M.T).max()
    if asymmetry > 1e-10 * np.abs(M).max():
        raise ProblemError(
            f"`{name}` is not symmetric (largest |M_ij − M_ji| is {asymmetry:.3g}), but must be: use (M + Mᵀ)/2."
        )
    M = (M + M.T) / 2
    M.setflags(write=False)
    return M


def validate_covariance(value: ArrayLike, inputs: int) -> NDArray[np.float64]:
    """Symmetric positive definite d × d matrix."""
    Sigma = validate_symmetric("covariance", value)
    if len(Sigma) != inputs:
        raise ProblemError(f"`covariance` has shape {Sigma.shape}, but the inputs have dimension {inputs}.")
    smallest = np.linalg.eigvalsh(Sigma)[0]
    if smallest <= 0:
        raise ProblemError(f"`covariance` has the eigenvalue {smallest:.3g}, but all must be positive.")
    return Sigma


def validate_times(times: ArrayLike) -> NDArray[np.float64]:
    """Increasing non-negative times."""
    t = validate_array("times", times, 1)
    if t.size == 0:
        raise ProblemError("`times` is empty, but must name at least one time.")
    if t[0] < 0 or (np.diff(t) <= 0).any():
        raise ProblemError("`times` must be non-negative and strictly increasing.")
    return t
