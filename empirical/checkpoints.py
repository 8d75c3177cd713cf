"""Weights of somebody's own two-layer network, from `.npz` files and PyTorch checkpoints.

Checkpoints are loaded with ``weights_only=True`` and `.npz` files without pickles: a file cannot run code.
"""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dynamics.conservation.quantities import weights
from dynamics.errors import ProblemError
from dynamics.problem import Student

Array = NDArray[np.float64]
Paths = str | Path | Sequence[str | Path]

PYTORCH = (".pt", ".pth", ".ckpt")
WRAPPERS = ("state_dict", "model_state_dict", "model", "network", "net")  # where loops put the state_dict


def read_weights(paths: Paths, *, first: str | None = None, second: str | None = None) -> tuple[Array, Array]:
    """Recorded weights of a two-layer network without biases.

    Parameters
    ----------
    paths : path or sequence of paths
        One `.npz` file with arrays `W` (…, K, d) and `A` (…, O, K) or `a` (…, K), as recorded by quadflow or by
        anybody; or PyTorch checkpoints of one network in the order of time.
    first, second : str, optional
        Names of W and A in the file. By default `W` and `A` (or `a`) or, in a checkpoint, the only two matrices that
        fit together.

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
    states = [_read_one(file, first, second) for file in files]
    if len(states) == 1:
        return states[0]
    shapes = {(W.shape, A.shape) for W, A in states}
    if len(shapes) > 1:
        raise ProblemError(
            f"`paths` holds networks of different shapes ({', '.join(str(W) for W, _ in sorted(shapes))}), but must be"
            " checkpoints of one network."
        )
    return np.stack([W for W, _ in states]), np.stack([A for _, A in states])


def read_student(
    path: str | Path, *, trainable: bool = True, first: str | None = None, second: str | None = None
) -> Student:
    """One state of a network, for example an initialisation to diagnose; of a recorded run the first record.

    Parameters
    ----------
    path : path
    trainable : bool
        Whether its second layer is trained.
    first, second : str, optional
        See `read_weights`.
    """
    W, A = read_weights(path, first=first, second=second)
    if W.ndim == 4 and len(W) > 1:
        raise ProblemError(f"{path} holds {len(W)} networks, but one is needed.")
    W, A = W.reshape(-1, *W.shape[-2:])[0], A.reshape(-1, *A.shape[-2:])[0]
    return Student(W, A, trainable)


def _read_one(file: Path, first: str | None, second: str | None) -> tuple[Array, Array]:
    suffix = file.suffix.lower()
    if suffix == ".npz":
        arrays = _load_npz(file)
    elif suffix in PYTORCH:
        arrays = _load_checkpoint(file)
    else:
        raise ProblemError(f"{file} has the suffix {suffix!r}, but must end in: .npz, {', '.join(PYTORCH)}.")
    W, A = _find(file, arrays, first, second)
    try:
        return weights(W, A)
    except ProblemError as error:
        raise ProblemError(f"{file}: {error}") from None


def _load_npz(file: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(file, allow_pickle=False) as f:
            return {name: f[name] for name in f.files}
    except (OSError, ValueError, zipfile.BadZipFile):
        raise ProblemError(f"{file} cannot be read as a NumPy archive of plain arrays.") from None


def _load_checkpoint(file: Path) -> dict[str, NDArray[Any]]:
    try:
        with warnings.catch_warnings():  # about old and strange files; what matters is what is in them
            warnings.simplefilter("ignore")
            content = torch.load(file, map_location="cpu", weights_only=True)
    except OSError:
        raise ProblemError(f"{file} cannot be opened.") from None
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError):
        raise ProblemError(
            f"{file} is not a checkpoint of plain tensors: save `model.state_dict()`, not the model."
        ) from None
    for wrapper in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping):
        raise ProblemError(f"{file} holds a {type(content).__name__}, but must hold a state_dict.")
    return {
        str(name): value.detach().to(torch.float64).numpy()
        for name, value in content.items()
        if isinstance(value, torch.Tensor)
    }


def _find(
    file: Path, arrays: Mapping[str, NDArray[Any]], first: str | None, second: str | None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """W and A among named arrays: by the given names, as W and A or a, or the only two matrices that fit."""
    for name in (first, second):
        if name is not None and name not in arrays:
            raise ProblemError(f"{file} holds no {name!r}, but: {', '.join(arrays) or 'nothing'}.")
    w, a = first or "W", second or ("A" if "A" in arrays else "a")
    if first is None and "W" not in arrays and "coordinates" in arrays:
        w = "coordinates"  # a long trajectory is stored in reduced coordinates, with the same scalar products
    if w in arrays and a in arrays:
        return arrays[w], arrays[a]
    matrices = {name: array for name, array in arrays.items() if array.ndim == 2}
    fitting = [
        (i, j) for i in matrices for j in matrices if i != j and len(matrices[i]) == matrices[j].shape[1]
    ]
    if len(matrices) != 2 or not fitting:
        raise ProblemError(
            f"{file} does not hold exactly two matrices W (K, d) and A (O, K), but: "
            f"{', '.join(f'{name} {array.shape}' for name, array in arrays.items()) or 'nothing'}; name them."
        )
    biases = [name for name, array in arrays.items() if array.ndim == 1 and array.any()]
    if biases:
        raise ProblemError(
            f"{file} has biases ({', '.join(biases)}), but the theory is about layers without."
        )
    i, j = fitting[0]  # where both orders fit, the order in the file: that of the layers
    return matrices[i], matrices[j]
