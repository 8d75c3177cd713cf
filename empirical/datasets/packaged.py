"""Data sets that come inside packages: those of scikit-learn, and MNIST-1D, which its package draws anew.

Nothing is downloaded and no file is written.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np

from dynamics.errors import ProblemError
from empirical.datasets.raw import Raw, Request


def read_sklearn(request: Request) -> Raw:
    """A set of `sklearn.datasets`, its numbers as they are there."""
    request.refuse_target()
    try:
        from sklearn import datasets
    except ImportError as error:
        raise _missing(request, "scikit-learn", error) from None
    found: Any = getattr(datasets, f"load_{request.data}")()
    classes = getattr(found, "target_names", ())  # digits number theirs, diabetes has none
    return Raw(np.asarray(found.data, dtype=float), np.asarray(found.target), tuple(map(str, classes)))


def read_mnist1d(request: Request) -> Raw:
    """All 5000 samples of MNIST-1D with the arguments of its paper, those to train on before those to test on.

    Drawing them takes a second; a process does so once, and keeps them.
    """
    request.refuse_target()
    try:
        X, y = _mnist1d()
    except ImportError as error:
        raise _missing(request, "mnist1d", error) from None
    return Raw(X, y, tuple(map(str, range(10))))


@lru_cache(maxsize=1)
def _mnist1d() -> tuple[Any, Any]:
    with _untouched_generators():
        from mnist1d.data import make_dataset

        found = make_dataset()
    return np.concatenate([found["x"], found["x_test"]]), np.concatenate([found["y"], found["y_test"]])


@contextmanager
def _untouched_generators() -> Iterator[None]:
    """Give the global generators their state back, which belongs to whoever calls us."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


def _missing(request: Request, library: str, error: ImportError) -> ProblemError:
    """Where to get a library; one that it misses itself is named instead."""
    name = library if error.name in (None, "sklearn", "mnist1d") else error.name
    return ProblemError(
        f"The data set {request.data!r} needs {name}, which is not installed: pip install 'quadflow[data]'."
    )
