"""A data set as its source has it, before anything is chosen, and the refusals that all sources share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.errors import ProblemError


@dataclass(frozen=True)
class Request:
    """What a source is asked for.

    Parameters
    ----------
    data : str
        As the person wrote it.
    target : str or None
        Columns with the labels.
    taught : bool
        Whether labels may be missing, because a teacher gives others.
    image_size : int or None
        Height and width that images of a folder are brought to; None: they have one size.
    classify : bool
        Whether labels are two classes, for a loss that classifies.
    """

    data: str
    target: str | None = None
    taught: bool = False
    image_size: int | None = None
    classify: bool = False

    @property
    def what(self) -> str:
        """How errors name it."""
        return f"`data` {self.data!r}"

    def refusal(self, cause: object) -> ProblemError:
        """The sentence that says why it cannot be used."""
        return ProblemError(f"{self.what} cannot be used: {cause}.")

    def refuse_target(self) -> None:
        """Refuse a column of labels where there are no columns to choose from."""
        if self.target is not None:
            raise ProblemError(
                f"`target` is {self.target!r}, but {self.what} brings its labels: leave it out, it names a column of a"
                " .csv or Parquet file."
            )


@dataclass(frozen=True)
class Raw:
    """Samples with labels as they are.

    Parameters
    ----------
    X : (n, d) array
        Inputs, finite.
    y : (n,) or (n, O) array, or None
        Labels: finite numbers, or one text for each sample.
    classes : tuple of str
        Names of the labels 0, 1, …, where these number classes.
    held_out : (n,) array of bool, optional
        Which samples the source itself holds out.
    shape : tuple of int
        Of one sample that is an image, (channels, height, width), which its inputs are the numbers of; else empty.
    """

    X: Array
    y: NDArray[Any] | None
    classes: tuple[str, ...] = ()
    held_out: NDArray[np.bool_] | None = None
    shape: tuple[int, ...] = ()


def check_finite(request: Request, numbers: Array, name: str, columns: Sequence[str] = ()) -> None:
    """Refuse NaN and infinity, naming the first row and its column, both from 0.

    Raises
    ------
    ProblemError
    """
    bad = ~np.isfinite(numbers)
    if not bad.any():
        return
    at = tuple(map(int, np.unravel_index(int(bad.argmax()), bad.shape)))
    kind = "NaN, a missing value," if np.isnan(numbers[at]) else "infinity"
    column = "" if len(at) == 1 else f", column {columns[at[1]]!r}" if columns else f", column {at[1]}"
    raise request.refusal(f"{name} holds {kind} in row {at[0]}{column} (numbered from 0)")


def check_samples(request: Request, X: Array, y: NDArray[Any] | None) -> None:
    """Refuse shapes that are no samples with labels.

    Raises
    ------
    ProblemError
    """
    if X.ndim != 2 or 0 in X.shape:
        raise request.refusal(f"its inputs have the shape {X.shape}, but must be (n, d), n ≥ 1 and d ≥ 1")
    if y is not None and (y.ndim not in (1, 2) or len(y) != len(X) or 0 in y.shape):
        raise request.refusal(
            f"its labels have the shape {y.shape}, but {len(X)} samples need ({len(X)},) or ({len(X)}, O)"
        )
