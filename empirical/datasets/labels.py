"""From labels as they are to numbers: two classes become −1 and +1, numbers stay what they are.

For a loss that classifies labels are two classes whatever they are, and become 0 and 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.files.tables import value_of
from empirical.datasets.raw import Raw, Request
from empirical.datasets.tables import listed

FEW, OFTEN = 20, 5  # whole numbers of so few values, each so many times on average, may be classes


@dataclass(frozen=True)
class Labels:
    """Labels of some of the samples.

    Parameters
    ----------
    Y : (n, O) array
        Of those that are kept.
    kept : (N,) array of bool
        Which of all samples they are.
    are_classes : bool
        Whether they stand for classes.
    notes : tuple of str
        What was made of them, if that was more than nothing.
    """

    Y: Array
    kept: NDArray[np.bool_]
    are_classes: bool = False
    notes: tuple[str, ...] = ()


def number_labels(request: Request, raw: Raw, classes: str | None) -> Labels:
    """Numbers of the labels, and the samples that have them.

    Labels are classes if the source says so, if they are texts, if they are two whole numbers, or if `classes` names
    two of them, which then alone are kept; and always where the loss classifies. The first of two classes, in the order
    of `classes` or else of their names or numbers, is −1 and the second +1 (0 and 1 for a loss that classifies). Of a
    problem with a teacher labels only choose samples.

    Raises
    ------
    ProblemError
        If there are more classes than two and none are named, or those that are named are not there.
    """
    everything = np.ones(len(raw.X), bool)
    nothing = Labels(np.zeros((len(raw.X), 1)), everything)
    if raw.y is None:
        if classes is not None:
            raise ProblemError(f"`classes` is {classes!r}, but {request.what} has no labels to choose by.")
        return nothing
    if classes is not None:
        return _two_classes(request, raw, _chosen(request, raw, classes))
    if request.taught:
        return nothing
    if request.classify and raw.y.ndim == 2 and raw.y.shape[1] == 1:
        return number_labels(request, replace(raw, y=raw.y[:, 0]), classes)
    if request.classify and raw.y.ndim > 1:
        raise request.refusal(
            f"it has {raw.y.shape[1]} labels for each sample, but a loss that classifies takes one"
        )
    if not (request.classify or _is_classified(raw)):
        if raw.y.dtype.kind == "U":
            raise request.refusal(f"its labels are texts of the shape {raw.y.shape}, but must be (n,)")
        Y = np.asarray(raw.y if raw.y.ndim == 2 else raw.y[:, None], dtype=float)
        return Labels(Y, everything, notes=_doubt(request, Y))
    values = np.unique(raw.y)
    if len(values) == 1:
        raise request.refusal(f"all of its samples are of the class {_names(raw, values)[0]!r}")
    if len(values) > 2:
        texts = raw.y.dtype.kind == "U"
        numbers = [v for v in values if texts and value_of(str(v)) is not None]
        mixed = f" of which {len(numbers)} are numbers," if numbers else ""
        called = (
            "classes," if _is_classified(raw) else "different labels, but a loss that classifies takes two,"
        )
        raise ProblemError(
            f"{request.what} has {len(values)} {called}{mixed} {listed(_names(raw, values))}: name two of them as"
            " `classes`, or give a `teacher` that labels its inputs."
        )
    return _two_classes(request, raw, (values[0], values[1]))


def _doubt(request: Request, Y: Array) -> tuple[str, ...]:
    """A sentence about numbers that may have been meant as classes: few whole ones, each of them often."""
    values = np.unique(Y)
    if Y.shape[1] > 1 or len(values) > FEW or len(Y) < OFTEN * len(values) or (values % 1).any():
        return ()
    return (
        f"the labels of {request.data!r} are fitted as numbers, although they take {len(values)} values only:"
        " `classes` would make classes of two of them",
    )


def _is_classified(raw: Raw) -> bool:
    """Whether labels name classes rather than values."""
    assert raw.y is not None
    if raw.y.ndim != 1:
        return False
    if raw.classes or raw.y.dtype.kind == "U":
        return True
    values = np.unique(raw.y)
    return len(values) == 2 and bool((values == np.round(values)).all())  # two measurements are no classes


def _two_classes(request: Request, raw: Raw, pair: tuple[Any, Any]) -> Labels:
    """−1 (or 0) where labels are the first of a pair, +1 where they are the second."""
    assert raw.y is not None
    first, second = raw.y == pair[0], raw.y == pair[1]
    kept = first | second
    low, high = _names(raw, pair)
    zero, one = (0, 1) if request.classify else (-1, 1)
    notes = []
    if not request.taught and (low, high) != (str(zero), str(one)):
        numbers = "0 and 1" if request.classify else "−1 and +1"
        notes = [f"the labels {low!r} and {high!r} of {request.data!r} are taken as {numbers}"]
    if not kept.all():
        notes.append(f"{kept.sum()} of {len(kept)} samples are of these classes")
    Y = np.where(second[kept], float(one), float(zero))[:, None]
    return Labels(Y, kept, are_classes=True, notes=tuple(notes))


def _chosen(request: Request, raw: Raw, classes: str) -> tuple[Any, Any]:
    """Labels of the two classes that are named, by their names or numbers."""
    assert raw.y is not None
    names = [name.strip() for name in classes.split(",")]
    if len(names) != 2 or names[0] == names[1]:
        raise ProblemError(f"`classes` is {classes!r}, but must name two classes, as 0,1.")
    if raw.y.ndim != 1:
        raise ProblemError(
            f"`classes` is {classes!r}, but {request.what} has {raw.y.shape[1]} labels for each sample."
        )
    values = np.unique(raw.y)
    first, second = (_class_of(request, raw, values, name) for name in names)
    if first == second:
        raise ProblemError(f"`classes` is {classes!r}, which names one class twice.")
    return first, second


def _class_of(request: Request, raw: Raw, values: NDArray[Any], name: str) -> Any:
    """The label of a class by its name; where labels are numbers, by what the number is."""
    known = _names(raw, values)
    if name in known:
        return values[known.index(name)]
    number = None if raw.y is None or raw.y.dtype.kind == "U" else value_of(name)
    if number is None or number not in values:
        raise ProblemError(
            f"`classes` names {name!r:.60}, but {request.what} has the {'classes' if _is_classified(raw) else 'labels'}"
            f" {listed(known)}."
        )
    return values[list(values).index(number)]


def _names(raw: Raw, values: Sequence[Any] | NDArray[Any]) -> list[str]:
    """What labels are called: names of the source, texts, or numbers as short as they are exact."""
    if raw.classes:
        return [raw.classes[int(value)] for value in values]
    return [str(v) if isinstance(v, str) else repr(float(v)).removesuffix(".0") for v in values]
