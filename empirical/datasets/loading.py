"""A data set from a file or a package: read, checked, its labels numbered, split, and in coordinates of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.errors import ProblemError
from dynamics.inputs.data_set import LARGEST_INPUT, LARGEST_LABEL, DataSet, check_size
from dynamics.validation import validate_count, validate_real
from empirical.datasets.arrays import GIVEN, read_given
from empirical.datasets.axes import Axes, Columns, principal_axes, used_columns
from empirical.datasets.labels import number_labels
from empirical.datasets.raw import Request
from empirical.datasets.sources import read

STREAM = 2  # of random numbers for the split: initial weights and training data have others


def load(
    data: str | tuple[ArrayLike, ArrayLike | None],
    *,
    target: str | None = None,
    components: int | None = None,
    whiten: bool = False,
    classes: str | None = None,
    split: float = 0.0,
    standardize_target: bool = False,
    seed: int = 0,
    taught: bool = False,
    classify: bool = False,
) -> DataSet:
    """Samples with labels, those to train on and those held out.

    Parameters
    ----------
    data : str or (X, y)
        Arrays X (n, d) and y (n,) or (n, O) of your own. Or a file: `.npz` with X (n, d) and y (n,) or (n, O), and
        X_test, y_test if samples are held out; two `.npy` with a comma between, `X.npy,y.npy`; `.csv` or `.tsv`, or
        `.parquet`, whose columns other than `target` are the inputs; a folder of images, see
        `empirical.datasets.images`. Or a set that comes in a package: digits, breast_cancer, diabetes, iris, wine
        (scikit-learn), mnist1d.
    target : str, optional
        Column of the labels in a table: its name, or its number from 0, negative ones from the end; several with
        commas between are several outputs.
    components : int, optional
        Scores along so many principal axes instead of the inputs themselves.
    whiten : bool
        Scores of variance 1 along all principal axes, or along `components` of them.
    classes : str, optional
        Two classes with a comma between, by name or number: samples of others are left out.
    split : float
        Share of the samples that is held out, 0 ≤ split < 1.
    standardize_target : bool
        Subtract the mean of the labels, and divide by their standard deviation.
    seed : int
        Chooses which are held out.
    taught : bool
        Whether a teacher will label the inputs: labels then choose samples by `classes`, and may be missing.
    classify : bool
        Whether labels are for a loss that classifies, such as "logistic": two classes, as 0 and 1.

    Returns
    -------
    DataSet
        Its `notes` say what was changed.

    Raises
    ------
    ProblemError
        If data cannot be read, are not finite, or are not what the arguments say of them.

    Notes
    -----
    Two classes, be they texts or numbers, are the labels −1 and +1, or 0 and 1 for a loss that classifies, in the order
    of `classes`, or else of their names or numbers; other numbers are fitted as they are. Of n samples, round(split n)
    are held out, at least one: the first of `numpy.random.default_rng([seed, 2]).permutation(n)`; all keep their order.
    Means, axes and scales are those of the samples to train on. Inputs are left as they are without `components` and
    `whiten`, except that columns which are zero are left out.

    Nothing is downloaded or written, and nothing is kept but the samples of mnist1d, while the process lasts.

    Examples
    --------
    >>> data = load("digits", classes="3,8", components=8, whiten=True, split=0.25)
    >>> data.X.shape, data.X_test.shape, sorted(set(data.Y.ravel().tolist()))
    ((268, 8), (89, 8), [-1.0, 1.0])
    """
    share = validate_real("split", split, nonnegative=True)
    if share >= 1:
        raise ProblemError(f"`split` is {share:g}, but must be below 1: some samples are needed to train on.")
    if components is not None:
        validate_count("components", components)
    name = data if isinstance(data, str) else GIVEN
    request = Request(name, target, taught, classify=classify)
    raw = read(request) if isinstance(data, str) else read_given(request, data)
    if share and raw.held_out is not None:
        raise ProblemError(
            f"`split` is {share:g}, but {request.what} holds out samples of its own: leave it out."
        )
    if standardize_target and taught:
        raise ProblemError("`standardize_target` is given, but a `teacher` labels the inputs: leave it out.")
    labels = number_labels(request, raw, classes)
    X = raw.X if labels.kept.all() else raw.X[labels.kept]
    n, d = X.shape
    check_size("X", X, LARGEST_INPUT)
    check_size("y", labels.Y, LARGEST_LABEL)
    check_memory(f"A data set of {n} samples of {d} inputs", 8 * 4 * n * d, "take fewer of them")
    held_out = _held_out(n, share, seed) if raw.held_out is None else raw.held_out[labels.kept]
    train = ~held_out
    if not train.any():
        raise ProblemError(f"No sample of {request.what} is left to train on.")
    coordinates: Columns | Axes
    if components is None and not whiten:
        coordinates = used_columns(X[train], repr(name))
    else:
        coordinates = principal_axes(X[train], components, whiten, repr(name))
    Y = labels.Y
    if labels.are_classes and not taught and (both := len(np.unique(Y[train]))) < 2:
        raise ProblemError(
            f"The samples of {request.what} to train on are of {both} class, but must be of two."
        )
    if standardize_target:
        Y = _standardised(Y, train, labels.are_classes, request.what)
    parts = (coordinates(X[train]), Y[train], coordinates(X[held_out]), Y[held_out])
    notes = labels.notes + coordinates.notes
    if not held_out.any():
        return DataSet(*parts[:2], label=name, notes=notes)
    return DataSet(*parts, label=name, notes=notes)


def _held_out(n: int, share: float, seed: int) -> NDArray[np.bool_]:
    """Which of n samples are held out, at random."""
    count = max(round(share * n), 1) if share else 0
    chosen = np.random.default_rng([validate_count("seed", seed, minimum=0), STREAM]).permutation(n)[:count]
    return np.isin(np.arange(n), chosen)


def _standardised(Y: Array, train: NDArray[np.bool_], are_classes: bool, what: str) -> Array:
    """Labels of mean 0 and variance 1 over the samples to train on."""
    if are_classes:
        raise ProblemError(f"`standardize_target` is given, but the labels of {what} are classes.")
    scale = Y[train].std(axis=0)
    if not (scale > 0).all():
        raise ProblemError(
            f"`standardize_target` is given, but the labels of {what} to train on are all the same."
        )
    return np.asarray((Y - Y[train].mean(axis=0)) / scale)
