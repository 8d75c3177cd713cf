"""Data sets as tables of named columns, of which some hold the labels: `.csv`, and Parquet through pandas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.errors import ProblemError
from dynamics.files.arrays import Unusable
from dynamics.files.named_tables import NamedTable, read_table
from dynamics.files.opening import open_binary
from dynamics.files.tables import value_of
from dynamics.suggestions import did_you_mean
from empirical.datasets.raw import Raw, Request, check_finite

COPIES = 9  # of the numbers of a Parquet file, while they are read
MISSING = (
    "",
    "na",
    "n/a",
    "nan",
    "null",
    "none",
    "?",
    "-",
)  # as spreadsheets and statistics programs write them
SHOWN = 12  # names in a message
REMEDY = "quadflow computes with numbers: take the column out of the file, or write numbers into it"


def read_csv(request: Request) -> Raw:
    """Inputs are all columns but those of the labels, in the order of the file."""
    try:
        table = read_table(request.data, request.what)
        targets = target_columns(request, table.names, table.named)
        return _collect(request, table, targets)
    except Unusable as cause:
        raise request.refusal(cause) from None


def read_parquet(request: Request) -> Raw:
    """Likewise; an index that was stored is left out."""
    try:
        import pandas
        from pyarrow import parquet
    except ImportError as error:
        raise ProblemError(
            f"Parquet files need {error.name}, which is not installed: pip install 'quadflow[data]'."
        ) from None
    with open_binary(request.data, request.what) as file:
        try:
            size = parquet.read_metadata(file)
            n, d = size.num_rows, size.num_columns
            check_memory(
                f"{request.what} of {n} rows and {d} columns", 8 * COPIES * n * d, "take fewer of them"
            )
            frame = pandas.read_parquet(file, engine="pyarrow")
        except (MemoryError, ProblemError):
            raise
        except Exception:  # damage ends in ArrowInvalid, OSError, KeyError, UnicodeDecodeError and others
            raise request.refusal("it is no Parquet file, or a damaged one") from None
    names = tuple(map(str, frame.columns))
    targets = target_columns(request, names, named=True)
    inputs = [i for i in range(len(names)) if i not in targets]
    _check_width(request, inputs)
    X = np.column_stack([_frame_numbers(request, frame.iloc[:, i], names[i]) for i in inputs])
    if not len(X):
        raise request.refusal("it holds no rows")
    check_finite(request, X, "it", [names[i] for i in inputs])
    if len(targets) == 1 and _is_text(frame.iloc[:, targets[0]]):
        labels = frame.iloc[:, targets[0]]
        if labels.isna().any():
            row = int(labels.isna().to_numpy().argmax())
            raise request.refusal(
                f"column {names[targets[0]]!r} misses a value in row {row} (numbered from 0)"
            )
        return Raw(X, labels.astype(str).to_numpy().astype(str))
    columns = [_frame_numbers(request, frame.iloc[:, i], names[i]) for i in targets]
    if not columns:
        return Raw(X, None)
    y = np.column_stack(columns)
    check_finite(request, y, "it", [names[i] for i in targets])
    return Raw(X, y[:, 0] if len(targets) == 1 else y)


def target_columns(request: Request, names: Sequence[str], named: bool) -> list[int]:
    """Columns of the labels: their names, or their numbers from 0, negative ones from the end, with commas between.

    Raises
    ------
    ProblemError
        If there is no such column, two have the name, or none is named although labels are needed.
    """
    if request.target is None:
        if request.taught:
            return []
        raise ProblemError(
            f"`target` is missing: name the column of {request.what} with the labels, {listed(names)}."
        )
    whole = [request.target] if request.target in names else request.target.split(",")
    found = [_column(request, part.strip(), names, named) for part in whole]
    if len(set(found)) < len(found):
        raise ProblemError(f"`target` is {request.target!r}, which names a column twice.")
    return found


def _column(request: Request, target: str, names: Sequence[str], named: bool) -> int:
    if named and target in names:
        if names.count(target) > 1:
            raise ProblemError(
                f"`target` is {target!r}, but {names.count(target)} columns of {request.what} have this name."
            )
        return names.index(target)
    try:
        number = int(target)
        if not -len(names) <= number < len(names):
            raise ValueError
    except ValueError:
        raise ProblemError(
            f"`target` is {target!r:.60}, but the columns of {request.what} are {listed(names)}"
            f"{'' if named else ' (its first line holds no names)'}.{did_you_mean(target[:60], names) if named else ''}"
        ) from None
    return number % len(names)


def listed(names: Sequence[str]) -> str:
    """Names for a message, the first of many."""
    shown = ", ".join(repr(name if len(name) <= 30 else f"{name[:27]}…") for name in names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown


def _check_width(request: Request, inputs: Sequence[int]) -> None:
    if not inputs:
        raise request.refusal("it has no column of inputs")


def _collect(request: Request, table: NamedTable, targets: Sequence[int]) -> Raw:
    """Numbers row by row: no more is kept of the text than the labels."""
    inputs = [i for i in range(len(table.names)) if i not in targets]
    _check_width(request, inputs)
    X: list[Array] = []
    labels: list[list[str]] = []
    for line, cells in table.rows:
        X.append(_numbers(table, inputs, line, cells))
        for i in targets:
            _refuse_missing(table, i, line, cells[i])
        labels.append([cells[i] for i in targets])
    if not X:
        raise Unusable("it holds a line of names and no rows")
    return Raw(np.array(X), _labels(table, targets, labels))


def _labels(table: NamedTable, targets: Sequence[int], labels: list[list[str]]) -> NDArray[Any] | None:
    """One column as numbers, or as texts if some entry is none; several as numbers."""
    if not targets:
        return None
    values = [[value_of(cell) for cell in row] for row in labels]
    if len(targets) == 1 and any(value is None for (value,) in values):
        return np.array([cell for (cell,) in labels])
    for row, cells in zip(values, labels, strict=True):
        for i, value, cell in zip(targets, row, cells, strict=True):
            if value is None or math.isinf(value):
                raise Unusable(f"column {table.names[i]!r} holds {_short(cell)}, which is no number")
    Y = np.array(values, dtype=float)
    return Y[:, 0] if len(targets) == 1 else Y


def _numbers(table: NamedTable, inputs: Sequence[int], line: int, cells: list[str]) -> Array:
    """Values of the inputs in a row; where something is wrong, they are looked at one by one."""
    chosen = [cells[i] for i in inputs]
    together = "".join(chosen)
    if "_" not in together and together.isascii():  # see `value_of`
        try:
            values = np.array([float(cell) for cell in chosen])
        except ValueError:
            values = np.full(1, math.nan)
        if np.isfinite(values).all():
            return values
    return np.array([_number(table, i, line, cells[i]) for i in inputs])


def _number(table: NamedTable, column: int, line: int, cell: str) -> float:
    """Value of an input."""
    _refuse_missing(table, column, line, cell)
    value = value_of(cell)
    if value is not None and math.isfinite(value):
        return value
    where = f"column {table.names[column]!r} holds {_short(cell)} in line {line}"
    if value is not None:
        raise Unusable(f"{where}, which is beyond the range of numbers")
    if table.separator in (";", "\t") and value_of(cell.replace(",", ".")) is not None:
        raise Unusable(f"{where}, which has a decimal comma: write a decimal point")
    raise Unusable(f"{where}, which is no number, and {REMEDY}")


def _refuse_missing(table: NamedTable, column: int, line: int, cell: str) -> None:
    if cell.lower() in MISSING:
        raise Unusable(
            f"column {table.names[column]!r} misses a value in line {line}"
            f"{f', where {cell!r} stands' if cell else ''}: leave out the row, or fill it in"
        )


def _short(cell: str) -> str:
    return repr(cell if len(cell) <= 30 else f"{cell[:27]}…")


def _is_text(column: Any) -> bool:
    """Whether a column of a pandas frame holds texts or categories."""
    from pandas.api import types

    return bool(types.is_string_dtype(column.dtype)) or isinstance(column.dtype, types.CategoricalDtype)


def _frame_numbers(request: Request, column: Any, name: str) -> Array:
    """Values of a column of a pandas frame as 64-bit floats, missing ones as NaN."""
    from pandas.api import types

    if not (types.is_numeric_dtype(column.dtype) or types.is_bool_dtype(column.dtype)):
        raise request.refusal(
            f"column {name!r} is of the type {column.dtype}, which is no number, and {REMEDY}"
        )
    if types.is_complex_dtype(column.dtype):
        raise request.refusal(f"column {name!r} holds complex numbers")
    return np.asarray(column.to_numpy(dtype=float, na_value=math.nan))
