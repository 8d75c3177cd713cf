"""Facts, tables and texts of a report that follow from the shape of a result alone, whatever command printed it.

Numbers and short texts are facts; objects that are alike, in a list or beside each other, are the rows of a table; long
texts stand by themselves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from figures.mode_names import set_label
from figures.report_parts import Text
from figures.report_tables import Cell, Table, make_table, number_cell
from figures.report_words import EQUATIONS, FROM_ONE, MODE_SETS, NAMES, words

Result = Mapping[str, Any]

LARGEST_LIST = 12  # entries of a list that are written out
LONG_TEXT = 200  # characters


def facts_and_parts(
    values: Result, prefix: str = "", named: bool = False
) -> tuple[dict[str, str], list[Table | Text]]:
    """Facts by their words, and what has a place of its own.

    Parameters
    ----------
    values : mapping
    prefix : str
        Words of the keys above.
    named : bool
        Whether the keys are names, which have no other words.
    """
    called = str if named else words
    facts: dict[str, str] = {}
    parts: list[Table | Text] = []
    tabled = _rows_alike(values)
    for keys in tabled:
        title = prefix.removesuffix(": ") or "side by side"
        parts.append(entries_table(title, [{"": called(key), **values[key]} for key in keys]))
    for key, value in values.items():
        if any(key in keys for keys in tabled):
            continue
        name = prefix + called(key)
        part = _part(key, name, value)
        if part is not None:
            parts.append(part)
        if isinstance(value, Mapping) and not isinstance(part, Table):
            inner, further = facts_and_parts(value, f"{name}: ", key in NAMES)
            facts |= inner
            parts += further
        elif part is None:
            facts[name] = text_of(value)
    return facts, parts


def _part(key: str, name: str, value: Any) -> Table | Text | None:
    """What has a place of its own: equations, objects in a list, long texts."""
    if isinstance(value, Mapping) and key in EQUATIONS:
        return entries_table(name, [{"parameter": k, key: v} for k, v in value.items()])
    if isinstance(value, list) and value and all(isinstance(entry, Mapping) for entry in value):
        return entries_table(name, value)
    if isinstance(value, str) and (len(value) > LONG_TEXT or "\n" in value):
        return Text(capitalised(name), value)
    return None


def curves_of(values: Result) -> dict[str, list[Any]]:
    """Lists of numbers that are as long as the times beside them, by their keys."""
    times = values.get("times")
    lists = {k: v for k, v in values.items() if k not in ("times", "steps") and isinstance(v, list)}
    alike = {k: v for k, v in lists.items() if isinstance(times, list) and len(v) == len(times)}
    return {k: v for k, v in alike.items() if not any(isinstance(x, list | str | Mapping) for x in v)}


def _rows_alike(values: Result) -> list[list[str]]:
    """Keys of objects that have the same keys, two at least: they are compared with each other."""
    groups: dict[frozenset[str], list[str]] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and len(value) > 1:
            groups.setdefault(frozenset(value), []).append(key)
    return [keys for keys in groups.values() if len(keys) > 1]


def entries_table(title: str, entries: Sequence[Result]) -> Table:
    """A table of objects, a column for each key of any of them."""
    keys = list(dict.fromkeys(key for entry in entries for key in entry))
    rows = [tuple(_cell(key, entry.get(key)) for key in keys) for entry in entries]
    return make_table(capitalised(title), tuple(words(key) for key in keys), rows)


def capitalised(title: str) -> str:
    """With a capital, as titles begin."""
    return title[:1].upper() + title[1:]


def _cell(key: str, value: Any) -> Cell:
    if key in MODE_SETS and isinstance(value, list) and all(isinstance(i, int) for i in value):
        return Cell(set_label(value), len(value))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Cell(text_of(value), text_of(value))
    return number_cell(value + 1 if key in FROM_ONE else value)


def text_of(value: Any) -> str:
    """A value as a short text: lists of a dozen are written out, of longer ones the sizes are."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{words(str(k))} {text_of(v)}" for k, v in value.items()) or "none"
    if isinstance(value, list | tuple):
        sizes = _sizes(value)
        if any(isinstance(entry, Mapping) for entry in value) or math.prod(sizes or [0]) > LARGEST_LIST:
            return f"{' × '.join(map(str, sizes))} numbers" if sizes[1:] else f"{len(value)} entries"
        return ", ".join(map(text_of, value)) or "none"
    return str(value)


def _sizes(value: Any) -> list[int]:
    """Sizes of nested lists, of the first ones at every depth."""
    return [len(value), *_sizes(value[0])] if isinstance(value, list | tuple) and value else []
