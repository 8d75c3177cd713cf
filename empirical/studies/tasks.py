"""Tasks of studies: samples in three parts, in units that the part to train on has mean 0 and variance 1 in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from empirical.datasets.arrays import files_of
from empirical.datasets.images import is_folder
from empirical.datasets.raw import Raw, Request
from empirical.datasets.sources import PACKAGED, read
from empirical.splits import STREAM, Samples, Splits

# shape of a sample (channels, height, width) of sets in packages
IMAGES: dict[str, tuple[int, ...]] = {"digits": (1, 8, 8), "mnist1d": (1, 1, 40)}
FRIEDMAN = ("friedman1", "friedman2", "friedman3")
FRIEDMAN_SAMPLES, FRIEDMAN_NOISE = 1000, 0.1  # the latter of the spread of the labels


@dataclass(frozen=True, eq=False)
class Task:
    """Samples with labels.

    Parameters
    ----------
    X : (n, *shape) array
    y : (n,) array
        Classes 0, 1, …, or numbers.
    classes : tuple of str
        Names of the classes; empty where labels are numbers.
    pixels : bool
        Whether inputs are of one kind, as pixels of images are.
    held_out : (n,) array of bool or None
        Which samples the source holds out: those to test on.
    """

    X: Array
    y: NDArray[Any]
    classes: tuple[str, ...] = ()
    pixels: bool = False
    held_out: NDArray[np.bool_] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample."""
        return self.X.shape[1:]

    @property
    def outputs(self) -> int:
        """Outputs of a network for it."""
        return len(self.classes) or 1

    def splits(self, seed: int) -> Splits:
        """The three parts, 60, 20 and 20 % of the samples; of those that are not held out, 75 and 25 %.

        Every input has mean 0 and variance 1 over the samples to train on, those of one kind all together, and labels
        that are numbers have it too.
        """
        found = self._parts(seed)
        axes = tuple(range(self.X.ndim)) if self.pixels else (0,)
        x = _unit(found.train.X, axes)
        y = (lambda labels: labels) if self.classes else _unit(found.train.y, (0,))

        def part(samples: Samples) -> Samples:
            return Samples(x(samples.X), y(samples.y))

        return Splits(part(found.train), part(found.validation), part(found.test))

    def _parts(self, seed: int) -> Splits:
        """The three parts in the units of the source."""
        if self.held_out is None:
            return Splits.random(self.X, self.y, seed=seed)
        rest = ~self.held_out
        others = np.random.default_rng([seed, STREAM]).permutation(np.flatnonzero(rest))
        first = np.sort(others[: max(round(0.25 * len(others)), 1)])
        samples = Samples(self.X, self.y)
        return Splits(
            samples[np.setdiff1d(others, first)], samples[first], samples[np.flatnonzero(self.held_out)]
        )


def _unit(values: Array, axes: tuple[int, ...]) -> Callable[[Array], Array]:
    """Numbers minus their mean, over their spread; what does not vary becomes 0."""
    mean, spread = values.mean(axis=axes), values.std(axis=axes)
    scale = np.where(spread > 0, spread, 1.0)
    return lambda x: np.asarray((x - mean) / scale)


def read_task(
    data: str, target: str | None = None, images: bool = False, image_size: int | None = None
) -> Task:
    """The task of a set in a package, a file, or a function of Friedman's.

    Parameters
    ----------
    data : str
        What `empirical.datasets.load` reads; or friedman1, friedman2, friedman3: a thousand samples with noise.
    target : str, optional
        Column of the labels in a table.
    images : bool
        Whether samples shall be images, for convolutions.
    image_size : int, optional
        Height and width that images of a folder are brought to.

    Raises
    ------
    ProblemError
        If data cannot be read, or are no images.
    """
    if image_size is not None and not is_folder(data):
        raise ProblemError(
            f"`image_size` is {image_size}, but {data!r:.200} is no folder of images: leave it out."
        )
    raw = _friedman(data, target) if data in FRIEDMAN else read(Request(data, target, image_size=image_size))
    X, shape = np.asarray(raw.X, dtype=float), raw.shape or IMAGES.get(data, ())
    if images:
        if not shape:
            raise ProblemError(
                f"`data` is {data!r:.200}, but a convolutional network needs images: {', '.join(IMAGES)}, or a folder."
            )
        X = X.reshape(len(X), *shape)
    if raw.y is None or raw.y.ndim != 1:
        raise ProblemError(f"`data` {data!r} must have one label for each sample.")
    names = _classes(raw)
    if not names:
        return Task(X, np.asarray(raw.y, dtype=float), (), bool(shape), raw.held_out)
    values = np.unique(raw.y)
    if len(values) < 2:
        raise ProblemError(f"`data` {data!r:.200} must have samples of two classes or more.")
    return Task(X, np.searchsorted(values, raw.y), names, bool(shape), raw.held_out)


def _classes(raw: Raw) -> tuple[str, ...]:
    """Names of the classes, where labels are texts, two whole numbers, or what the source calls classes."""
    assert raw.y is not None
    values = np.unique(raw.y)
    if raw.classes:
        return tuple(raw.classes[int(value)] for value in values)
    texts = raw.y.dtype.kind == "U"
    named = texts or (len(values) == 2 and (values == np.round(values)).all())
    return tuple(map(str, values)) if named else ()


def _friedman(data: str, target: str | None) -> Raw:
    """Samples of one of Friedman's functions."""
    Request(data, target).refuse_target()
    try:
        from sklearn import datasets
    except ImportError:
        raise ProblemError(
            f"The data set {data!r} needs scikit-learn, which is not installed: pip install 'quadflow[data]'."
        ) from None
    make = getattr(datasets, f"make_{data}")
    X, y = make(n_samples=FRIEDMAN_SAMPLES, noise=0.0, random_state=0)
    noise = FRIEDMAN_NOISE * y.std() * np.random.default_rng(0).standard_normal(len(y))
    return Raw(X, y + noise)


def digests(data: str) -> dict[str, str]:
    """SHA-256 of the files that a task is read from: part of what a study is."""
    if data in PACKAGED or data in FRIEDMAN:
        return {}
    if is_folder(data):
        files = sorted(file for file in Path(data).rglob("*") if file.is_file())
    else:
        files = [file for part in files_of(data) if (file := Path(part)).is_file()]
    return {str(file.absolute()): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def absolute(data: str) -> str:
    """Paths as worker processes in another folder find them; names of sets as they are."""
    if data in PACKAGED or data in FRIEDMAN:
        return data
    return ",".join(str(Path(part).absolute()) for part in files_of(data))
