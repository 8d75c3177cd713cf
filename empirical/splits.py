"""Samples of a task in three parts: to train on, to choose by, and to test on once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.errors import ProblemError
from dynamics.validation import validate_count, validate_real

SPLITS = ("train", "validation", "test")
STREAM = 3  # of random numbers for the split: initial weights and batches have others


@dataclass(frozen=True, eq=False)
class Samples:
    """Inputs with their labels.

    Parameters
    ----------
    X : (n, …) array
        Inputs, vectors or images.
    y : (n,) or (n, O) array
        Classes, whole numbers from 0 on; or numbers to be fitted, stored with shape (n, O).

    Raises
    ------
    ProblemError
        If there are none, they are not finite, or their numbers do not fit together.
    """

    X: NDArray[Any]
    y: NDArray[Any]

    def __post_init__(self) -> None:
        X, y = np.asarray(self.X), np.asarray(self.y)
        if X.ndim < 2 or not X.size or X.dtype.kind not in "biuf":
            raise ProblemError(
                f"`X` is an array of {X.dtype} of shape {X.shape}, but must be numbers (samples, …)."
            )
        if y.dtype.kind not in "iuf" or y.ndim not in (1, 2) or len(y) != len(X):
            raise ProblemError(
                f"`y` is an array of {y.dtype} of shape {y.shape}, but must be one class, a whole number, or some real"
                f" numbers for each of {len(X)} samples."
            )
        for name, array in (("X", X), ("y", y)):
            if not np.isfinite(array).all():
                raise ProblemError(f"`{name}` contains NaN or infinity, but every entry must be finite.")
        if y.dtype.kind != "f":
            if y.ndim != 1 or y.min() < 0:
                raise ProblemError(
                    f"`y` has whole numbers of shape {y.shape} from {y.min()} on, but classes are (n,), from 0 on: give"
                    " numbers to be fitted as floats."
                )
            y = y.astype(np.int64)
        elif y.ndim == 1:
            y = y[:, None]
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "y", y)

    def __len__(self) -> int:
        return len(self.X)

    def __getitem__(self, chosen: NDArray[np.int64]) -> Samples:
        return Samples(self.X[chosen], self.y[chosen])

    @property
    def classes(self) -> int:
        """Number of classes that the labels name; 0 where they are numbers to be fitted."""
        return 0 if self.y.dtype.kind == "f" else int(self.y.max()) + 1


@dataclass(frozen=True)
class Splits:
    """The three parts, whose samples are alike.

    Parameters
    ----------
    train, validation, test : Samples
    """

    train: Samples
    validation: Samples
    test: Samples

    def __post_init__(self) -> None:
        for name in SPLITS[1:]:
            part = getattr(self, name)
            one, other = _shape(self.train), _shape(part)
            if one != other:
                raise ProblemError(
                    f"Samples of `{name}` have inputs and labels of shapes {other}, but those of `train` {one}."
                )

    @classmethod
    def random(
        cls, X: ArrayLike, y: ArrayLike, *, validation: float = 0.2, test: float = 0.2, seed: int = 0
    ) -> Splits:
        """Parts of one set at random; of n samples round(share · n) are held out, at least one, for each.

        Parameters
        ----------
        X, y : arrays
            See `Samples`.
        validation, test : float
            Shares of the samples.
        seed : int
            Chooses which: the permutation is that of `numpy.random.default_rng([seed, 3])`.

        Raises
        ------
        ProblemError
            If a share is not positive, or nothing is left to train on.
        """
        samples = Samples(np.asarray(X), np.asarray(y))
        n = len(samples)
        shares = (
            validate_real("validation", validation, positive=True),
            validate_real("test", test, positive=True),
        )
        held_out = [max(round(share * n), 1) for share in shares]
        if sum(held_out) >= n:
            raise ProblemError(
                f"`validation` and `test` take {held_out[0]} and {held_out[1]} of {n} samples, but some must be left to"
                " train on."
            )
        chosen = np.random.default_rng([validate_count("seed", seed, minimum=0), STREAM]).permutation(n)
        first, second, third = np.split(chosen, np.cumsum(held_out))
        return cls(*(samples[np.sort(part)] for part in (third, first, second)))

    @cached_property
    def classes(self) -> int:
        """Number of classes in any part; 0 where labels are numbers to be fitted."""
        return max(getattr(self, name).classes for name in SPLITS)


def _shape(samples: Samples) -> tuple[tuple[int, ...], tuple[int, ...] | str]:
    """Of one sample: its inputs, and its labels."""
    return samples.X.shape[1:], "a class" if samples.classes else samples.y.shape[1:]
