"""What single runs of a sweep gave, and many of them as one archive of plain arrays."""

from __future__ import annotations

import io
import json
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dynamics.curves.variables import Variable, Variables
from dynamics.errors import ProblemError
from dynamics.files.archives import Archive, open_archive


@dataclass(frozen=True, eq=False)
class Piece:
    """What one run gave.

    Parameters
    ----------
    index : int
        Number of the run.
    values : dict
        Name → variable with numbers or text. Empty if the run failed.
    reason : str
        Why it failed; empty if it did not.
    versions : dict
        Of what computed it.
    """

    index: int
    values: Variables
    reason: str = ""
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def form(self) -> Hashable:
        """Everything but numbers and words: pieces of one form are stored as common arrays."""
        values = tuple(
            (name, v.dims, v.array.shape, v.array.dtype.kind, v.meaning, v.unit)
            for name, v in self.values.items()
        )
        return values, tuple(self.versions.items())


def pack(pieces: Sequence[Piece]) -> bytes:
    """Pieces as an `.npz` file of plain arrays; its bytes follow from their values alone."""
    forms: dict[Hashable, list[Piece]] = {}
    for piece in pieces:
        forms.setdefault(piece.form, []).append(piece)
    said, arrays = [], dict[str, Any]()
    for n, alike in enumerate(forms.values()):
        first = alike[0]
        said.append(
            {
                "runs": [piece.index for piece in alike],
                "reasons": [piece.reason for piece in alike],
                "axes": {name: list(v.dims) for name, v in first.values.items()},
                "meanings": {name: [v.meaning, v.unit] for name, v in first.values.items()},
                "versions": first.versions,
            }
        )
        for name in first.values:
            arrays[f"value {n} {name}"] = np.stack([piece.values[name].array for piece in alike])
    buffer = io.BytesIO()
    np.savez(buffer, about=np.array(json.dumps({"forms": said})), **arrays)
    return buffer.getvalue()


def unpack(data: bytes) -> Iterator[Piece]:
    """Read what `pack` wrote.

    Raises
    ------
    ProblemError
        If it is damaged.
    """
    what = "a batch of runs of the sweep"
    with open_archive(io.BytesIO(data), what) as f:
        for n, form in enumerate(f.part(f.document("about"), "forms", list)):
            runs, reasons, versions = (form[key] for key in ("runs", "reasons", "versions"))
            stacks = {name: f.array(f"value {n} {name}") for name in form["axes"]}
            if any(len(stack) != len(runs) for stack in stacks.values()) or len(reasons) != len(runs):
                raise ProblemError(f"{what} is damaged: it does not say of which runs it is.")
            for i, index in enumerate(runs):
                values = {
                    name: Variable(tuple(form["axes"][name]), _of_one(stack, i), *form["meanings"][name])
                    for name, stack in stacks.items()
                }
                yield Piece(index, values, reasons[i], versions)


def _of_one(stack: Any, i: int) -> Any:
    """The array of one run; texts are as short as they were."""
    return np.array(stack[i].tolist()) if stack.dtype.kind == "U" else stack[i]


def unpack_one(index: int, data: bytes) -> Piece:
    """Read a piece as earlier versions stored them, each in an archive of its own."""
    with open_archive(io.BytesIO(data), f"run {index} of the sweep") as f:
        about = f.document("about")
        means = f.part(about, "meanings", dict) if "meanings" in about else {}  # format 1 has none
        return Piece(
            index, _values(f, about, means), f.part(about, "reason", str), f.part(about, "versions", dict)
        )


def _values(f: Archive, about: dict[str, Any], means: dict[str, Any]) -> Variables:
    return {
        name: Variable(tuple(dims), f.array(f"value {name}"), *means.get(name, ()))
        for name, dims in f.part(about, "axes", dict).items()
    }
