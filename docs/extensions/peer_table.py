"""What public tools of the field compute, each cell with the files it was read in: the table as text, without Sphinx.

Facts stand once, in docs/peers.toml. A cell that is not there is shown as not looked at.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

TABLE = "peers.toml"
UNKNOWN = "*not looked at*"


@dataclass(frozen=True)
class Tool:
    """A public repository, as it was read; the name of a field is its key in the table."""

    name: str
    repository: str
    commit: str
    date: str

    @property
    def url(self) -> str:
        """Of the commit."""
        return f"https://github.com/{self.repository}/tree/{self.commit}"

    def file(self, path: str) -> str:
        """A link to one of its files at that commit; its name alone fits on a telephone."""
        url = f"https://github.com/{self.repository}/blob/{self.commit}/{path}"
        return f"`{path.rpartition('/')[2]} <{url}>`__"


@dataclass(frozen=True)
class Cell:
    """What a tool computes, and the files that say so."""

    says: str
    files: list[str]


@dataclass(frozen=True)
class Row:
    """A question, our answer, and those of the tools that were looked at."""

    title: str
    ours: str
    cells: dict[str, Cell]


def table(docs: Path) -> tuple[dict[str, Tool], list[Row]]:
    """Tools by their keys, and rows."""
    found = tomllib.loads((docs / TABLE).read_text(encoding="utf-8"))
    tools = {key: Tool(**entry) for key, entry in found["tools"].items()}
    rows = [
        Row(
            row["title"],
            row["ours"],
            {key: Cell(**cell) for key, cell in row["cells"].items()},
        )
        for row in found["rows"]
    ]
    return tools, rows


def rst(tools: dict[str, Tool], rows: list[Row]) -> list[str]:
    """A list of the tools, then a table of two columns for each question: no wider than a telephone."""
    lines = [
        f"* **{tool.name}**: `{tool.repository} <{tool.url}>`__, commit ``{tool.commit[:10]}`` of {tool.date}"
        for tool in tools.values()
    ]
    for row in rows:
        lines += ["", row.title, "-" * len(row.title), "", ".. list-table::"]
        lines += ["   :widths: 28 72", "   :class: small-table", ""]
        lines += ["   * - **quadflow**", f"     - {row.ours}"]
        for key, tool in tools.items():
            cell = row.cells.get(key)
            read = "" if cell is None else ", ".join(map(tool.file, cell.files))
            lines += [
                f"   * - {tool.name}",
                f"     - {UNKNOWN if cell is None else f'{cell.says} ({read})'}",
            ]
    return lines
