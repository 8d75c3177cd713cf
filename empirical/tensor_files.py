"""Named tensors in files: checkpoints of PyTorch, without running what is in them, and safetensors."""

from __future__ import annotations

import argparse
import collections
import pathlib
import re
import types
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.files.archives import check_members, unique_members
from dynamics.files.arrays import Unusable
from dynamics.files.opening import open_binary

PYTORCH = (".pt", ".pth", ".ckpt")
SAFETENSORS = (".safetensors",)
WRAPPERS = ("state_dict", "model_state_dict", "model", "network", "net")  # where loops put the state_dict

_DTYPES = [getattr(np.dtypes, name) for name in np.dtypes.__all__]
# What loops keep beside the weights and what does nothing when it is rebuilt: options, paths, and numbers of NumPy,
# under their names of NumPy 1 and 2.
HARMLESS: list[Any] = [
    argparse.Namespace,
    types.SimpleNamespace,
    *(collections.defaultdict, dict, list, set, int, float, str),
    *((pathlib.PurePosixPath, f"pathlib.{name}") for name in ("PosixPath", "PurePosixPath")),
    *((pathlib.PureWindowsPath, f"pathlib.{name}") for name in ("WindowsPath", "PureWindowsPath")),
    np.dtype,
    *(kind for kind in _DTYPES if kind.__name__ not in ("ObjectDType", "VoidDType", "StringDType")),
    *(
        (getattr(np._core.multiarray, name), f"{module}.multiarray.{name}")  # type: ignore[attr-defined]
        for module in ("numpy._core", "numpy.core")
        for name in ("scalar", "_reconstruct")
    ),
    np.ndarray,
]
REAL = (
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
)
LARGEST_VIEW = 2**25  # entries of a tensor that repeats what it stores


def read_tensors(path: str | Path) -> dict[str, Tensor]:
    """Tensors of a checkpoint (a state_dict, alone or in a dictionary) or of a safetensors file, by their names.

    Raises
    ------
    ProblemError
        If the file cannot be read, is damaged or holds anything else.
    """
    file = Path(path)
    with warnings.catch_warnings():  # about old and strange files; what matters is what is in them
        warnings.simplefilter("ignore")
        return _safetensors(file) if file.suffix.lower() in SAFETENSORS else _state_dict(file)


def real_array(what: str, tensor: Tensor) -> Array:
    """A dense tensor of real numbers as a NumPy array of 64-bit floats, a copy.

    Parameters
    ----------
    what : str
        Names it in errors.
    tensor : Tensor
        May require gradients and live on any device.

    Raises
    ------
    ProblemError
        If it is complex, sparse, quantised, nested, without data or in 8-bit floats.
    """
    kind = _oddity(tensor)
    if kind is not None:
        raise ProblemError(f"{what} is a tensor {kind}, but must be a dense one of real numbers.")
    stored = tensor.untyped_storage().nbytes() // tensor.element_size()
    if tensor.numel() > max(stored, LARGEST_VIEW):
        raise ProblemError(f"{what} claims {tensor.numel()} entries, but stores {stored}.")
    return np.array(tensor.detach().cpu().to(torch.float64).numpy())


def _oddity(tensor: Tensor) -> str | None:
    """What makes a tensor unusable here."""
    oddities = {
        "that is nested": tensor.is_nested,  # first: nested tensors answer little else
        "of complex numbers (if the imaginary part means nothing, save `.real`)": tensor.is_complex(),
        "that is quantised": tensor.is_quantized,
        "that is sparse": tensor.layout != torch.strided,
        "without data (on the device meta)": tensor.is_meta,
        f"of the type {str(tensor.dtype).removeprefix('torch.')}": tensor.dtype not in REAL,
    }
    return next((what for what, true in oddities.items() if true), None)


def _state_dict(file: Path) -> dict[str, Tensor]:
    what = str(file)
    with open_binary(file, what) as stream:
        _check_archive(stream, what)
        stream.seek(0)
        try:
            with torch.serialization.safe_globals(HARMLESS):
                content = torch.load(stream, map_location="cpu", weights_only=True)
        except MemoryError:
            raise
        except Exception as error:
            # On damage PyTorch raises UnpicklingError, RuntimeError, EOFError, KeyError, AttributeError and more.
            raise ProblemError(f"{what} {_why(str(error))}.") from None
    for wrapper in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping):
        raise ProblemError(f"{what} holds a {type(content).__name__}, but must hold a state_dict.")
    tensors = {str(name): _as_tensor(value) for name, value in content.items()}
    return {name: value for name, value in tensors.items() if value is not None}


def _as_tensor(value: object) -> Tensor | None:
    """A tensor, or an array of numbers as one; None of everything else."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        return torch.from_numpy(value.astype(complex if value.dtype.kind == "c" else float))
    return value if isinstance(value, Tensor) else None


def _check_archive(stream: Any, what: str) -> None:
    """Refuse TorchScript and what would unpack without end; files before PyTorch 1.6 are no archives."""
    if stream.read(4) != b"PK\x03\x04":
        return
    try:
        stream.seek(0)
        with zipfile.ZipFile(stream) as archive:
            members = unique_members(archive)
            check_members(members.values())
            # PyTorch itself does not compare checksums; all zero: they were switched off when it was saved.
            if any(member.CRC for member in members.values()) and archive.testzip() is not None:
                raise Unusable("its checksums do not fit, it is damaged")
    except Unusable as cause:
        raise ProblemError(f"{what} is no checkpoint of PyTorch: {cause}.") from None
    except Exception:  # see `dynamics.files.archives.open_archive`
        raise ProblemError(f"{what} is no checkpoint of PyTorch, or a damaged one.") from None
    if any(name.endswith("/constants.pkl") for name in members):
        raise ProblemError(f"{what} is a TorchScript program: save `model.state_dict()`, the plain tensors.")


def _why(message: str) -> str:
    """What keeps PyTorch from loading a file, for people."""
    foreign = re.search(r"(?:GLOBAL|class|function|but got)\s+(?:<class )?[`']?([A-Za-z_][\w.]*)", message)
    if foreign:
        return (
            f"holds an object of the kind {foreign[1]} beside or instead of plain tensors, which only code of its own "
            "could rebuild: save `model.state_dict()` alone"
        )
    return "is no checkpoint of plain tensors, or a damaged one: save `model.state_dict()`"


def _safetensors(file: Path) -> dict[str, Tensor]:
    what = str(file)
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load
    except ImportError:
        raise ProblemError(
            f"{what} can be read only with the package safetensors: pip install safetensors."
        ) from None
    with open_binary(file, str(file)) as stream:
        data = stream.read()
    try:
        return dict(load(data))
    except (SafetensorError, KeyError, ValueError, RuntimeError, TypeError):
        raise ProblemError(f"{what} is no safetensors file, or a damaged one.") from None
