"""Docstrings are written to be read in an editor: this makes RST of them, formulas and all.

Outside code, stars, bars, backslashes and trailing underscores are themselves and not markup; an indented formula
keeps its layout; the sections of NumPy's style (Parameters, Returns, …) become definition lists, in which types are
words and not links.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

CODE = re.compile(r"(``.+?``|`[^`]+`_?|\[\d+\]_|https?://\S+)")
LIST = re.compile(r"(\s*)([*+-]|\d+\.) ")
ENTRIES = (
    "Parameters",
    "Attributes",
    "Returns",
    "Yields",
    "Raises",
)  # name : type, and indented what it is
UNDERLINE = re.compile(r"-{3,}$")


def escape(line: str) -> str:
    """The line with its special characters escaped, outside code."""
    marker = LIST.match(line)
    start = marker.end() if marker else 0
    parts = CODE.split(line[start:])
    for i in range(0, len(parts), 2):
        parts[i] = re.sub(r"([\\*|])", r"\\\1", parts[i])
        parts[i] = re.sub(r"_(?!\w)", r"\\_", parts[i])
    return line[:start] + "".join(parts)


def to_rst(lines: list[str]) -> list[str]:
    """A docstring as RST."""
    out: list[str] = []
    for title, body in sections(lines):
        if title:
            out += [f".. rubric:: {title}", ""]
        out += entries(title, body) if title in ENTRIES else prose(body)
        out.append("")
    return out


def sections(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Pairs of title and body; the first has no title."""
    title, body = "", list[str]()
    for n, line in enumerate(lines):
        underlined = n + 1 < len(lines) and UNDERLINE.match(lines[n + 1])
        if underlined and line and not line.startswith(" "):
            yield title, body
            title, body = line.strip(), []
        elif not (UNDERLINE.match(line) and n and lines[n - 1].strip() == title):
            body.append(line)
    yield title, body


def entries(title: str, lines: list[str]) -> list[str]:
    """The definition list of a section."""
    out: list[str] = []
    for n, line in enumerate(lines):
        if line.startswith(" ") or not line.strip():
            out.append(escape(line))
            continue
        name, colon, kind = line.partition(" : ")
        if title == "Raises":
            out += ["", f"`{name}`"]
        elif colon or title in ("Parameters", "Attributes"):
            out += ["", f"**{escape(name)}**" + (f" : {escape(kind)}" if colon else "")]
        else:
            out += ["", escape(line)]
        if n + 1 == len(lines) or not lines[n + 1].startswith(" "):
            out.append("    ..")  # an entry without a word more is one nevertheless
    return out


def prose(lines: list[str]) -> list[str]:
    """Paragraphs, lists, formulas, sessions."""
    out: list[str] = []
    literal = doctest = False
    for line in lines:
        if not line.strip():
            doctest = False
        elif line.lstrip().startswith(">>>"):
            doctest = True
        elif not line.startswith(" "):
            literal = False
        if doctest or literal or line.startswith(".. ") or not line.strip():
            out.append(line)
        elif line.startswith(" ") and _blank(out) and not _in_list(out):
            out += [line] if _last(out).endswith("::") else ["::", "", line]
            literal = True
        else:
            out.append(escape(line))
    return out


def _blank(lines: list[str]) -> bool:
    return not lines or not lines[-1].strip()


def _last(lines: list[str]) -> str:
    return next((line for line in reversed(lines) if line.strip()), "")


def _in_list(lines: list[str]) -> bool:
    """Whether the last paragraph belongs to a list or a directive."""
    for line in reversed(lines):
        if line.strip() and not line.startswith(" "):
            return bool(LIST.match(line)) or line.startswith(".. ")
    return False


def process(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Replace a docstring by its RST."""
    lines[:] = to_rst(lines)


def setup(app: Sphinx) -> dict[str, bool]:
    """Listen to autodoc."""
    app.connect("autodoc-process-docstring", process)
    return {"parallel_read_safe": True}
