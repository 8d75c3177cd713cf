"""Opening a file that a person named: an ordinary file that can be read, or one sentence why not."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from dynamics.errors import ProblemError

Source = str | Path | IO[bytes]


@contextmanager
def open_binary(source: Source, what: str) -> Iterator[IO[bytes]]:
    """The bytes of a file, or of a stream that is open already.

    Parameters
    ----------
    source : path or binary stream
    what : str
        Names it in errors, for example "`--teacher` 'M.npy'".

    Raises
    ------
    ProblemError
        If the file cannot be read, now or while the context lasts.
    """
    if not isinstance(source, str | Path):
        yield source
        return
    try:
        # A pipe without a writer would be waited for without end, before anything could be checked.
        if not stat.S_ISREG(os.stat(source).st_mode):
            kind = "a folder" if os.path.isdir(source) else "no ordinary file"
            raise ProblemError(f"{what} cannot be read: it is {kind}.")
        with open(source, "rb") as file:
            yield file
    except ProblemError:
        raise
    except OSError as error:
        raise ProblemError(f"{what} cannot be read: {error.strerror or error}.") from None
    except ValueError as error:
        if "null byte" not in str(error) and not isinstance(error, UnicodeEncodeError):
            raise
        raise ProblemError(f"{what} cannot be read: no file has such a name.") from None


def name_of(source: Source) -> str:
    """How an error names a source if the caller has no better name."""
    return repr(str(source)) if isinstance(source, str | Path) else repr(getattr(source, "name", "the file"))
