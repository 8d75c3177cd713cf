"""JSON and TOML: documents of other people, read with bounds on size and depth."""

from __future__ import annotations

import json
import tomllib
from typing import Any

from dynamics.errors import ProblemError

LARGEST_JSON = 2**29  # bytes; half a gigabyte is a sweep of ten thousand learning curves
LARGEST_TOML = (
    2**15
)  # bytes; `quadflow init` writes fewer than 2^13, and the standard parser is quadratic in dots
DEEPEST = 50  # levels; results have six
LARGEST_INTEGER = 2**63  # from here on integers are read as floats, as most readers of JSON do


def read_json(path: str, what: str) -> dict[str, Any]:
    """The JSON object in a file.

    Parameters
    ----------
    path : str
    what : str
        What the file is called in messages, as the subject of a sentence.

    Raises
    ------
    ProblemError
        If it cannot be read, is too large or too deep, is not JSON or holds something else than an object.
    """
    return json_object(_read_text(path, what, LARGEST_JSON), what)


def json_object(text: str, what: str) -> dict[str, Any]:
    """The JSON object in a text; see `read_json`."""
    try:
        value = json.loads(text, parse_int=_integer)
    except RecursionError:
        raise _too_deep(what) from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ProblemError(f"{what} is not a JSON object: {error.msg} at {place}.") from None
    except ValueError:  # an integer of so many digits that Python refuses it
        raise ProblemError(f"{what} is not a JSON object of numbers that a computer can hold.") from None
    if not isinstance(value, dict):
        kind = {list: "a list", str: "a text", type(None): "null"}.get(type(value), f"{value!r:.60}")
        raise ProblemError(f"{what} is not a JSON object, but {kind}.")
    _check(value, what)
    return value


def read_toml(path: str, what: str) -> dict[str, Any]:
    """Contents of a TOML file; arguments and refusals are those of `read_json`."""
    text = _read_text(path, what, LARGEST_TOML)
    try:
        values = tomllib.loads(text)
    except RecursionError:
        raise _too_deep(what) from None
    except ValueError as error:  # of the syntax, of a date that does not exist, of a number of 5000 digits
        raise ProblemError(f"{what} is not valid TOML: {str(error).rstrip('.')}.") from None
    _check(values, what)
    return values


def _read_text(path: str, what: str, largest: int) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read(largest + 1)
    except OSError as error:
        raise ProblemError(f"{what} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise ProblemError(
            f"{what} cannot be read: its name contains NUL or another character that no file name can have."
        ) from None
    if len(data) > largest:
        raise ProblemError(f"{what} has more than {largest} bytes, which is more than any file of its kind.")
    try:
        return data.decode("utf-8-sig")  # with or without a byte-order mark
    except UnicodeDecodeError as error:
        raise ProblemError(
            f"{what} is not a text in UTF-8: byte {error.start} does not belong there."
        ) from None


def _integer(digits: str) -> float:
    value = int(digits)
    if abs(value) < LARGEST_INTEGER:
        return value
    return float(digits)  # infinite beyond 10^308, like 1e400


def _check(value: Any, what: str) -> None:
    """Refuse what is nested deeper than anything of ours, and texts that are no Unicode (lone surrogates)."""
    level = [value]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for entry in level:
            below += [*entry, *entry.values()] if isinstance(entry, dict) else entry
        for entry in below:
            if isinstance(entry, str) and not _is_unicode(entry):
                raise ProblemError(f"{what} holds the text {entry!r:.60}, which is not valid Unicode.")
        level = [entry for entry in below if isinstance(entry, dict | list)]
        if not level:
            return
    raise _too_deep(what)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _too_deep(what: str) -> ProblemError:
    return ProblemError(f"{what} is nested more than {DEEPEST} levels deep, which no file of ours is.")
