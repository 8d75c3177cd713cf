"""How teacher modes are called: by numbers from 0, the same everywhere.

With one output a mode is called by its place among all d eigenvalues of the teacher in descending order, zeros
included: of diag(4, −1) in five dimensions the modes are 0 and 4. So do the catalogue of stationary points, staircases,
plateaus of learning curves and figures (which count from 1) call them. `modes` has a column for each eigenvalue that
is not zero; this file says which number the column has. The axis "mode" of labelled data counts the columns.

With several outputs, of which there is no catalogue, modes are called by their columns, outputs one after the other.
The catalogue under a covariance Σ counts the eigenvalues of Σ^{1/2}M*Σ^{1/2} instead: as many of either sign.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

SHOWN = 8  # ranges of a set of modes


def mode_numbers(eigenvalues: ArrayLike, inputs: int, outputs: int = 1) -> NDArray[np.int64]:
    """Numbers of the modes, (m,).

    Parameters
    ----------
    eigenvalues : (m,) array
        Descending; zeros may be left out.
    inputs : int
        Number d of all eigenvalues.
    outputs : int
    """
    values = np.asarray(eigenvalues, dtype=float)
    columns = np.arange(len(values))
    left_out = max(
        inputs - len(values), 0
    )  # all of them zero; linear teachers may have more directions than inputs
    return columns if outputs > 1 else columns + left_out * (values < 0)


def mode_set(modes: Iterable[int], first: int = 0, shown: int = SHOWN) -> str:
    """Name of a set of modes, ascending: "{0, 2–5}"; figures count the modes from `first` = 1."""
    return set_name(((i + first, i + first + 1) for i in modes), shown)


def set_name(ranges: Iterable[tuple[int, int]], shown: int = SHOWN) -> str:
    """Name of a set of indices given as ascending ranges [first, end): "{0, 2–5}".

    Of more than `shown` ranges the first ones and the last are shown: "{0, 2, 4, 6, 8, 10, 12, …, 48}".
    """
    merged: list[list[int]] = []
    for first, end in ranges:
        if merged and merged[-1][1] == first:
            merged[-1][1] = end
        else:
            merged.append([first, end])
    names = [str(i) if j == i + 1 else f"{i}, {i + 1}" if j == i + 2 else f"{i}–{j - 1}" for i, j in merged]
    if len(names) > shown:
        names[shown - 1 : -1] = ["…"]
    return "{" + ", ".join(names) + "}"
