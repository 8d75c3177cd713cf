"""Where data sets come from: files by their suffix, packages by the name of the set, folders of images.

A new source is a line here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dynamics.errors import ProblemError
from dynamics.suggestions import did_you_mean
from empirical.datasets.arrays import read_npz, read_pair
from empirical.datasets.images import is_folder, read_folder
from empirical.datasets.packaged import read_mnist1d, read_sklearn
from empirical.datasets.raw import Raw, Request
from empirical.datasets.tables import read_csv, read_parquet

Reader = Callable[[Request], Raw]

PACKAGED: dict[str, Reader] = {
    "digits": read_sklearn,
    "breast_cancer": read_sklearn,
    "diabetes": read_sklearn,
    "iris": read_sklearn,
    "wine": read_sklearn,
    "mnist1d": read_mnist1d,
}
FILES: dict[str, Reader] = {
    ".npz": read_npz,
    ".npy": read_pair,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".parquet": read_parquet,
}


def read(request: Request) -> Raw:
    """Samples of a file or a package.

    Raises
    ------
    ProblemError
        If nothing has this name, or it holds no samples with labels.
    """
    reader = PACKAGED.get(request.data) or (read_folder if is_folder(request.data) else None)
    reader = reader or FILES.get(Path(request.data).suffix.lower())
    if reader is None:
        raise ProblemError(
            f"`data` is {request.data!r:.200}, but must be one of {', '.join(PACKAGED)}, or a file that ends in .npz,"
            " .csv, .tsv or .parquet, or two with a comma between, X.npy,y.npy, or a folder of images."
            + did_you_mean(request.data[:60], PACKAGED)
        )
    return reader(request)
