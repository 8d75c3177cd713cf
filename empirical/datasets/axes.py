"""Coordinates of inputs: without columns that are zero, along principal axes, or white.

Everything is measured on the samples to train on, and applied to those held out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.words import counted


@dataclass(frozen=True)
class Columns:
    """Some of the coordinates that there are.

    Parameters
    ----------
    used : (d,) array of bool
    notes : tuple of str
        What was left out.
    """

    used: NDArray[np.bool_]
    notes: tuple[str, ...] = ()

    def __call__(self, X: Array) -> Array:
        """Coordinates (n, D) of inputs (n, d)."""
        return X if self.used.all() else X[:, self.used]


@dataclass(frozen=True)
class Axes:
    """New coordinates (x − m)ᵀP.

    Parameters
    ----------
    mean : (d,) array
        m.
    directions : (d, D) array
        P.
    notes : tuple of str
        What was left out.
    """

    mean: Array
    directions: Array
    notes: tuple[str, ...] = ()

    def __call__(self, X: Array) -> Array:
        """Coordinates (n, D) of inputs (n, d)."""
        return (X - self.mean) @ self.directions


def principal_axes(X: Array, components: int | None, whiten: bool, what: str) -> Axes:
    """Principal axes of centred inputs, the most variable first.

    Parameters
    ----------
    X : (n, d) array
    components : int, optional
        Number D of axes; by default all along which the inputs vary.
    whiten : bool
        Whether coordinates have variance 1, so that (1/n) Σ xxᵀ is the identity; else they are orthogonal scores.
    what : str
        Names the inputs in errors.

    Raises
    ------
    ProblemError
        If inputs vary along fewer axes.

    Notes
    -----
    Variances are means over the n samples, not over n − 1. The largest entry of an axis is positive, so that signs do
    not depend on the library. Axes whose singular value is below max(n, d) ε times the largest are but rounding.
    """
    n, d = X.shape
    mean = X.mean(axis=0)
    _, singular, axes = np.linalg.svd(X - mean, full_matrices=False)
    rounding = max(n, d) * np.finfo(float).eps * max(singular[0], np.abs(mean).max())
    rank = int((singular > rounding).sum())
    if rank < (components or 1):
        raise ProblemError(
            f"`components` is {components}, but the {counted(n, 'sample')} of {what} to train on vary along"
            f" {counted(rank, 'axis', 'axes')} only."
            if components
            else f"`whiten` needs inputs that vary, but all samples of {what} to train on are the same."
        )
    kept = rank if components is None else components
    peak = np.abs(axes).argmax(axis=1)
    axes = axes[:kept] * np.sign(axes[np.arange(len(axes)), peak])[:kept, None]
    scale = np.sqrt(n) / singular[:kept] if whiten else np.ones(kept)
    notes: tuple[str, ...] = ()
    if components is None and rank < d:
        notes = (
            f"the inputs of {what} vary along {rank} of {counted(d, 'axis', 'axes')}: the others are left out",
        )
    return Axes(mean, axes.T * scale, notes)


def used_columns(X: Array, what: str) -> Columns:
    """The inputs as they are, without the columns that are zero in all samples: their weights would have no effect.

    A column that is another constant is kept: it gives every unit a bias.

    Raises
    ------
    ProblemError
        If all are zero.
    """
    used = np.asarray(X.any(axis=0))
    if not used.any():
        raise ProblemError(f"All inputs of {what} to train on are zero, but some must vary.")
    lost = int((~used).sum())
    notes: tuple[str, ...] = ()
    if lost:
        notes = (
            f"{counted(lost, 'column')} of {what} {'is' if lost == 1 else 'are'} zero in all samples to train on, and"
            " left out",
        )
    return Columns(used, notes)
