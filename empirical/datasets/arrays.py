"""Data sets as arrays: `X.npy,y.npy`, and `.npz` with X and y."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.files.archives import Archive, open_archive
from dynamics.files.arrays import Unusable, read_array, real_numbers
from dynamics.files.opening import open_binary
from empirical.datasets.raw import Raw, Request, check_finite, check_samples

LABELS = ("y", "Y")
HELD_OUT = ("X_test", "y_test", "Y_test")


def read_pair(request: Request) -> Raw:
    """Inputs X (n, d) in one `.npy` file and labels in another, with a comma between; the first alone if taught."""
    request.refuse_target()
    first, *second = files_of(request.data)
    if not second and not request.taught:
        raise request.refusal("labels are missing: give two files, X.npy,y.npy")
    X = _inputs(request, _array(request, first), "X")
    y = _labels(request, _array(request, second[0]), "y") if second else None
    check_samples(request, X, y)
    return Raw(X, y)


def read_npz(request: Request) -> Raw:
    """X (n, d) and y (n,) or (n, O) of an `.npz` file; samples held out are X_test and y_test."""
    request.refuse_target()
    with open_archive(request.data, request.what) as archive:
        X, y = _samples(request, archive, "X", LABELS)
        if not any(name in archive for name in HELD_OUT):
            return Raw(X, y)
        X_test, y_test = _samples(request, archive, "X_test", HELD_OUT[1:])
    held_out = np.arange(len(X) + len(X_test)) >= len(X)
    labels = None if y is None or y_test is None else _joined(request, y, y_test, "y")
    return Raw(_joined(request, X, X_test, "X"), labels, held_out=held_out)


def _joined(request: Request, train: NDArray[Any], test: NDArray[Any], name: str) -> NDArray[Any]:
    """Samples to train on and those held out, one after the other."""
    if train.shape[1:] != test.shape[1:] or train.dtype.kind != test.dtype.kind:
        raise request.refusal(
            f"its arrays {name!r} and {name + '_test'!r} do not fit together: {train.shape} of {train.dtype} and"
            f" {test.shape} of {test.dtype}"
        )
    return np.concatenate([train, test])


def _samples(
    request: Request, archive: Archive, inputs: str, labels: tuple[str, ...]
) -> tuple[NDArray[np.float64], NDArray[Any] | None]:
    """Inputs and labels of these names; no labels where there need be none."""
    X = _inputs(request, archive.array(inputs), inputs)
    name = next((name for name in labels if name in archive), labels[0])
    y = None
    if name in archive or not request.taught:
        y = _labels(request, archive.array(name), name)
    check_samples(request, X, y)
    return X, y


def files_of(data: str) -> list[str]:
    """Names of two `.npy` files with a comma between, which the names themselves may hold; any other name alone."""
    return re.split(r"(?<=\.npy),", data, maxsplit=1, flags=re.IGNORECASE)


def _array(request: Request, path: str) -> NDArray[Any]:
    """The array in a `.npy` file, of numbers or text."""
    with open_binary(
        path, f"{request.what}, file {path!r}," if path != request.data else request.what
    ) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        try:
            return read_array(file, size)
        except Unusable as cause:
            raise request.refusal(f"of {path!r}, {cause}") from None


def _inputs(request: Request, array: NDArray[Any], name: str) -> NDArray[np.float64]:
    """Finite numbers; images are flattened by whoever saves them."""
    try:
        X = real_numbers(array)
    except Unusable as cause:
        raise request.refusal(f"of {name!r}, {cause}") from None
    check_finite(request, X, repr(name))
    return X


def _labels(request: Request, array: NDArray[Any], name: str) -> NDArray[Any]:
    """Finite numbers, or texts, which NumPy also keeps as bytes."""
    if array.dtype.kind == "S":
        try:
            return np.char.decode(array, "utf-8")
        except UnicodeDecodeError:
            raise request.refusal(f"of {name!r}, it holds bytes that are no text in UTF-8") from None
    return array if array.dtype.kind == "U" else _inputs(request, array, name)
