"""Finished runs of a sweep on disk, each there for good as soon as it is done, whatever kills the program next.

They are kept in one SQLite file beside the result: a row is written whole or not at all, also when the machine
loses power, and two sweeps cannot write into the same file.
"""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dynamics.curves.variables import Variable, Variables
from dynamics.errors import ProblemError
from dynamics.files.archives import open_archive
from dynamics.files.formats import PIECES, check_pieces, format_name

PATIENCE = 2.0  # seconds to wait for another program that holds the file


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

    def to_bytes(self) -> bytes:
        """The piece as an `.npz` file of plain arrays; its bytes follow from its values alone."""
        buffer = io.BytesIO()
        axes = {name: list(v.dims) for name, v in self.values.items()}
        means = {name: [v.meaning, v.unit] for name, v in self.values.items()}
        said = {"axes": axes, "meanings": means, "reason": self.reason, "versions": self.versions}
        about = json.dumps(said)
        arrays: dict[str, Any] = {f"value {name}": v.array for name, v in self.values.items()}
        np.savez(buffer, about=np.array(about), **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, index: int, data: bytes) -> Piece:
        """Read what `to_bytes` wrote."""
        with open_archive(io.BytesIO(data), f"run {index} of the sweep") as f:
            about = f.document("about")
            means = f.part(about, "meanings", dict) if "meanings" in about else {}  # format 1 has none
            values = {
                name: Variable(tuple(dims), f.array(f"value {name}"), *means.get(name, ()))
                for name, dims in f.part(about, "axes", dict).items()
            }
            return cls(index, values, f.part(about, "reason", str), f.part(about, "versions", dict))


JOURNALS = ("-journal", "-wal", "-shm")  # files that SQLite keeps beside its own, and may leave there


def remove_pieces(path: Path) -> None:
    """Delete the file of a sweep's pieces, with what a program that was killed while writing left beside it.

    The file goes first: a journal without its file is harmless, since SQLite plays none into an empty file, but a
    file without its journal may be half written.
    """
    for suffix in ("", *JOURNALS):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


class PieceStore:
    """The pieces of one sweep.

    Parameters
    ----------
    path : path
        Opened if it exists, else created.
    definition : str
        What the sweep is (`SweepPlan.definition`); stored in a new file.

    Attributes
    ----------
    definition : str
        As the file has it.

    Raises
    ------
    ProblemError
        If the file is none of ours, or another program has it.
    """

    def __init__(self, path: str | Path, definition: str) -> None:
        self.path = Path(path)
        try:
            self._db = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)
        except sqlite3.Error as error:
            raise ProblemError(f"{self.path} cannot be opened: {error}.") from None
        try:
            self.definition = self._prepare(definition)
        except BaseException as error:
            self.close()
            if isinstance(error, sqlite3.OperationalError):
                busy = "another program is writing it" if "locked" in str(error) else str(error)
                raise ProblemError(f"{self.path} cannot be opened: {busy}.") from None
            if isinstance(error, sqlite3.DatabaseError):
                raise ProblemError(f"{self.path} holds no runs of a sweep: move it out of the way.") from None
            raise

    def _prepare(self, definition: str) -> str:
        """Lock the file, and make it what it should be if it is new."""
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        with self._db:
            self._db.execute("BEGIN EXCLUSIVE")
            self._db.execute("CREATE TABLE IF NOT EXISTS about (format TEXT, definition TEXT)")
            self._db.execute("CREATE TABLE IF NOT EXISTS pieces (number INTEGER PRIMARY KEY, data BLOB)")
            if self._db.execute("SELECT count(*) FROM about").fetchone() == (0,):
                self._db.execute("INSERT INTO about VALUES (?, ?)", (format_name(PIECES), definition))
        format, stored = self._db.execute("SELECT format, definition FROM about").fetchone()
        if format != format_name(PIECES):
            check_pieces(format, str(stored), str(self.path))
            with self._db:
                self._db.execute("UPDATE about SET format = ?", (format_name(PIECES),))
        return str(stored)

    def add(self, piece: Piece) -> None:
        """Put a piece on disk; it is there when this returns."""
        with self._db:
            self._db.execute("INSERT INTO pieces VALUES (?, ?)", (piece.index, piece.to_bytes()))

    def finished(self) -> set[int]:
        """Numbers of the runs that are there."""
        return {number for (number,) in self._db.execute("SELECT number FROM pieces")}

    def __iter__(self) -> Iterator[Piece]:
        for number, data in self._db.execute("SELECT number, data FROM pieces ORDER BY number"):
            yield Piece.from_bytes(number, data)

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    def __enter__(self) -> PieceStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
