"""Finished runs of a sweep on disk, each there for good as soon as it is done, whatever kills the program next.

They are kept in one SQLite file beside the result: a row is written whole or not at all, also when the machine
loses power, and two sweeps cannot write into the same file. A row holds all runs that were finished together, so that
waiting for the disk is paid once for them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from dynamics.errors import ProblemError
from dynamics.files.formats import PIECES, check_pieces, format_name
from empirical.sweep.pieces import Piece, pack, unpack, unpack_one

PATIENCE = 2.0  # seconds to wait for another program that holds the file
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
            # one run a row, in files that an earlier version began
            self._db.execute("CREATE TABLE IF NOT EXISTS pieces (number INTEGER PRIMARY KEY, data BLOB)")
            self._db.execute("CREATE TABLE IF NOT EXISTS batches (numbers TEXT, data BLOB)")
            if self._db.execute("SELECT count(*) FROM about").fetchone() == (0,):
                self._db.execute("INSERT INTO about VALUES (?, ?)", (format_name(PIECES), definition))
        format, stored = self._db.execute("SELECT format, definition FROM about").fetchone()
        if format != format_name(PIECES):
            check_pieces(format, str(stored), str(self.path))
            with self._db:
                self._db.execute("UPDATE about SET format = ?", (format_name(PIECES),))
        return str(stored)

    def add(self, pieces: Sequence[Piece]) -> None:
        """Put pieces on disk, all or none of them; they are there when this returns."""
        numbers = json.dumps([piece.index for piece in pieces])
        with self._db:
            self._db.execute("INSERT INTO batches VALUES (?, ?)", (numbers, pack(pieces)))

    def finished(self) -> set[int]:
        """Numbers of the runs that are there."""
        found = {number for (number,) in self._db.execute("SELECT number FROM pieces")}
        for (numbers,) in self._db.execute("SELECT numbers FROM batches"):
            found.update(json.loads(numbers))
        return found

    def __iter__(self) -> Iterator[Piece]:
        for number, data in self._db.execute("SELECT number, data FROM pieces"):
            yield unpack_one(number, data)
        for (data,) in self._db.execute("SELECT data FROM batches"):
            yield from unpack(data)

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    def __enter__(self) -> PieceStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
