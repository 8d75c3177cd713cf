"""Weights of somebody's own two-layer network, from `.npz` files, PyTorch checkpoints and safetensors.

A file cannot run code: checkpoints are loaded with ``weights_only=True`` and `.npz` files without pickles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.conserved.quantities import weights
from dynamics.errors import ProblemError
from dynamics.files.archives import Archive, open_archive
from dynamics.files.formats import flow_times, format_number, kind_of
from dynamics.problem import Student
from dynamics.validation import validate_array

Paths = str | Path | Sequence[str | Path]

PYTORCH = (".pt", ".pth", ".ckpt")
SUFFIXES = (".npz", *PYTORCH, ".safetensors")
TRAINING_RUN = "training run"  # the kind of `empirical.recorder.TrainingRun`, which would need PyTorch
REDUCED = "coordinates"  # W(t) of a long trajectory, with the same scalar products; `basis` belongs to it
NAMING = "name them: `--init-tensors W_NAME,A_NAME` (in Python `first` and `second`)"


def read_weights(
    paths: Paths,
    *,
    first: str | None = None,
    second: str | None = None,
    fixed: ArrayLike | None = None,
    missing: str = "give `fixed`, the values of a fixed second layer",
) -> tuple[Array, Array]:
    """Recorded weights of a two-layer network without biases.

    Parameters
    ----------
    paths : path or sequence of paths
        One `.npz` file with arrays `W` (…, K, d) and `A` (…, O, K) or `a` (…, K), as recorded by quadflow or by
        anybody; or checkpoints of one network (`.pt`, `.pth`, `.ckpt`, `.safetensors`) in the order of time.
    first, second : str, optional
        Names of W and A in the file; the first alone means that the file has no second layer. By default `W` and `A`
        (or `a`), or the only two that fit together: two matrices, or a matrix and a vector (K,) that is no bias.
    fixed : (K,) or (O, K) array or float, optional
        The second layer where the files hold W alone, f = Σ_k a_k φ(w_k·x): phase retrieval, matrix sensing.
    missing : str
        What an error advises where W stands alone and `fixed` is not given.

    Returns
    -------
    W : (…, K, d) array
        A list of checkpoints gives (T, K, d).
    A : (…, O, K) array

    Raises
    ------
    ProblemError
        If a file cannot be read or does not hold such weights.
    """
    files = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    if not files:
        raise ProblemError("`paths` is empty, but must name at least one file.")
    if first is None and second is not None:
        raise ProblemError(f"`second` is {second!r}, but `first`, the name of W, is missing.")
    states = [_read_one(file, first, second, fixed, missing) for file in files]
    if len(states) == 1:
        return states[0]
    shapes = {(W.shape, A.shape) for W, A in states}
    if len(shapes) > 1:
        raise ProblemError(
            f"`paths` holds networks of different shapes ({', '.join(str(W) for W, _ in sorted(shapes))}), but must be"
            " checkpoints of one network."
        )
    return np.stack([W for W, _ in states]), np.stack([A for _, A in states])


def read_times(paths: Paths, records: int) -> Array | None:
    """Times of recorded weights: the array `times` of one `.npz` file, if there is one that fits as many records.

    In a training run of an earlier version they become times of the flow.
    """
    files = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    if len(files) != 1 or files[0].suffix.lower() != ".npz":
        return None
    with open_archive(files[0], str(files[0])) as archive:
        if "times" not in archive or archive.array("times").shape != (records,):
            return None
        times = archive.numbers("times", "t")
        about = archive.document("about") if "about" in archive else {}
        said = about.get("format")
        run = kind_of(said) == TRAINING_RUN
        if run and format_number(said, TRAINING_RUN, archive.what) == 1:
            times = flow_times(times, about, archive.what)
        return times


def read_student(
    path: str | Path,
    *,
    trainable: bool = True,
    first: str | None = None,
    second: str | None = None,
    fixed: ArrayLike | None = None,
    missing: str = "give `fixed`, the values of a fixed second layer",
) -> Student:
    """One state of a network, for example an initialisation to diagnose; of a recorded run the first record.

    Parameters
    ----------
    path : path
    trainable : bool
        Whether its second layer is trained.
    first, second, fixed, missing
        See `read_weights`.
    """
    W, A = read_weights(path, first=first, second=second, fixed=fixed, missing=missing)
    if W.ndim == 4 and len(W) > 1:
        raise ProblemError(f"{path} holds {len(W)} networks, but one is needed.")
    W, A = W.reshape(-1, *W.shape[-2:])[0], A.reshape(-1, *A.shape[-2:])[0]
    try:
        return Student(W if first is not None else _lifted(Path(path), W), A, trainable)
    except ProblemError as error:
        raise ProblemError(f"{path}: {error}") from None


def _lifted(file: Path, W: Array) -> Array:
    """First-layer weights of one state; a long trajectory is stored in reduced coordinates, W = coordinates basisᵀ."""
    if file.suffix.lower() == ".npz":
        with open_archive(file, str(file)) as archive:
            if "W" not in archive and REDUCED in archive:
                return W @ archive.numbers("basis", "dr").T
    return W


def _read_one(
    file: Path, first: str | None, second: str | None, fixed: ArrayLike | None, missing: str
) -> tuple[Array, Array]:
    suffix = file.suffix.lower()
    if suffix == ".npz":
        with open_archive(file, str(file)) as archive:
            W, A = _pick(_of_archive(archive), first, second)
    elif suffix in SUFFIXES:
        W, A = _pick(_of_checkpoint(file), first, second)
    else:
        raise ProblemError(f"{file} has the suffix {suffix!r}, but must end in: {', '.join(SUFFIXES)}.")
    try:
        if A is None:
            A = _fixed_layer(W, fixed, missing)
        if 0 in (*W.shape, *A.shape):
            raise ProblemError(f"`W` and `A` have shapes {W.shape} and {A.shape}, but must not be empty.")
        return weights(W, A)
    except ProblemError as error:
        raise ProblemError(f"{file}: {error}") from None


def _fixed_layer(W: Array, fixed: ArrayLike | None, missing: str) -> Array:
    """The second layer (…, O, K) of a file that holds W (…, K, d) alone."""
    if fixed is None:
        raise ProblemError(f"it holds W of shape {W.shape} and no second layer: {missing}.")
    values = validate_array("fixed", np.atleast_2d(np.asarray(fixed)), 2)
    if W.ndim < 2 or values.shape[1] not in (1, W.shape[-2]):
        raise ProblemError(
            f"`W` has shape {W.shape}, which does not fit {values.shape[1]} fixed second-layer values."
        )
    return np.array(np.broadcast_to(values, (*W.shape[:-2], len(values), W.shape[-2])))


@dataclass(frozen=True)
class _Contents:
    """Named arrays of a file, which are read when they are asked for.

    `parameters_only`: the file holds a network and nothing else, so that a vector is a layer or a bias.
    """

    what: str
    names: tuple[str, ...]
    shape: Callable[[str], tuple[int, ...]]
    numbers: Callable[[str], Array]
    parameters_only: bool

    def __str__(self) -> str:
        return ", ".join(f"{name} {self.shape(name)}" for name in self.names[:20]) or "nothing"


def _of_archive(archive: Archive) -> _Contents:
    return _Contents(archive.what, archive.names, lambda n: archive.array(n).shape, archive.numbers, False)


def _of_checkpoint(file: Path) -> _Contents:
    from empirical.tensor_files import read_tensors, real_array  # not needed, nor PyTorch, for archives

    tensors = read_tensors(file)
    return _Contents(
        str(file),
        tuple(tensors),
        lambda n: () if tensors[n].is_nested else tuple(tensors[n].shape),
        lambda n: real_array(f"{n!r} in {file}", tensors[n]),
        True,
    )


def _pick(contents: _Contents, first: str | None, second: str | None) -> tuple[Array, Array | None]:
    """W and the second layer, None where W stands alone."""
    for name in (first, second):
        if name is not None and name not in contents.names:
            raise ProblemError(f"{contents.what} holds no {name!r}, but: {contents}.")
    w, a = (first, second) if first is not None else _find(contents)
    return contents.numbers(w), None if a is None else contents.numbers(a)


def _find(contents: _Contents) -> tuple[str, str | None]:
    """Names of W and A: as they are called here, or else by their shapes, if that leaves no doubt."""
    names = contents.names
    w: str | None = next((name for name in ("W", REDUCED) if name in names), None)
    a: str | None = next((name for name in ("A", "a") if name in names), None)
    known = w is not None and a is not None
    if not known:
        w, a = _find_by_shape(contents, w)
    assert w is not None
    others = [name for name in names if name not in (w, a) and _is_bias(name, contents, known)]
    biases = [name for name in others if contents.numbers(name).any()]
    if biases:
        raise ProblemError(
            f"{contents.what} has biases ({', '.join(biases)}), but the theory is about layers without; if these are "
            f"none, {NAMING}."
        )
    return w, a


def _is_bias(name: str, contents: _Contents, known: bool) -> bool:
    """Whether an array that is no layer must be zero: what is called so, and every other vector among parameters."""
    called = "bias" in name.rpartition(".")[2].lower()
    return called or (contents.parameters_only and not known and len(contents.shape(name)) == 1)


def _find_by_shape(contents: _Contents, w: str | None) -> tuple[str, str | None]:
    """W (or the only matrix) and what fits to it, or the only two matrices that fit together."""
    shapes = {name: contents.shape(name) for name in contents.names}
    matrices = [name for name, shape in shapes.items() if len(shape) == 2]
    if w is None and len(matrices) == 2:
        fitting = [(i, j) for i, j in permutations(matrices) if shapes[i][0] == shapes[j][1]]
        if fitting:  # where both orders fit, the order in the file: that of the layers
            return fitting[0]
    elif w is not None or len(matrices) == 1:
        w = w or matrices[0]
        *lead, K, _ = shapes[w] if len(shapes[w]) > 1 else (0, 0)
        partners = [
            name
            for name, shape in shapes.items()
            if name != w
            and shape[: len(lead)] == tuple(lead)
            and len(shape) in (len(lead) + 1, len(lead) + 2)
            if shape[-1] == K and "bias" not in name.lower()
        ]
        vectors = [name for name in partners if len(shapes[name]) == len(lead) + 1]
        # In an archive a vector can be anything, so that it must be called `a`.
        if not partners or (len(partners) == 1 and (contents.parameters_only or not vectors)):
            return w, next(iter(partners), None)
    raise ProblemError(
        f"{contents.what} does not hold exactly two arrays that fit, W (K, d) and A (O, K) or a (K,), but: {contents}; "
        f"{NAMING}."
    )
