"""The directive `literature`: which paper showed what, and what of it was opened.

Its content is one line per paper, `key: what it showed`, continued on indented lines. Authors, title, place and what
was read stand once, in docs/literature.toml; without content the directive lists all of that file.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

TABLE = "literature.toml"
READ = {  # what may be said of a paper
    "abstract": "abstract read",
    "results": "abstract and published results read",
    "nothing": "not consulted",
}
ENTRY = re.compile(r"([a-z]+\d{4}): (.*)", re.S)


@dataclass(frozen=True)
class Paper:
    """One entry of the table; the name of a field is its key there."""

    authors: str
    year: int
    title: str
    place: str
    read: str
    url: str = ""

    def rst(self) -> str:
        """Authors (year), title, place, and what was read."""
        place = f"`{self.place} <{self.url}>`__" if self.url else self.place
        return (
            f"{self.authors} ({self.year}), *{self.title}*, {place} [{READ[self.read]}]"
        )


def papers(docs: Path) -> dict[str, Paper]:
    """The table: key → paper, by authors and year."""
    table = tomllib.loads((docs / TABLE).read_text(encoding="utf-8"))
    found = {key: Paper(**entry) for key, entry in table.items()}
    return dict(sorted(found.items(), key=lambda item: (item[1].authors, item[1].year)))


def cited(text: str) -> list[tuple[str, str]]:
    """Pairs of key and sentence from the content of a directive."""
    entries = re.split(r"\n(?=\S)", text.strip())
    pairs = []
    for entry in filter(None, entries):
        match = ENTRY.fullmatch(entry)
        if not match:
            raise ValueError(f"{entry!r} is not of the form `key: what it showed`")
        pairs.append((match[1], " ".join(match[2].split())))
    return pairs


class Literature(SphinxDirective):
    """`.. literature::`."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """A list with one item per paper."""
        known = papers(Path(self.env.srcdir))
        self.env.note_dependency(str(Path(self.env.srcdir, TABLE)))
        try:
            entries = cited("\n".join(self.content)) or [(key, "") for key in known]
        except ValueError as error:
            raise self.error(f"literature: {error}") from error
        lines: list[str] = []
        for key, sentence in entries:
            if key not in known:
                raise self.error(f"literature: {key} is not in {TABLE}")
            lines.append(f"* {known[key].rst()}{': ' + sentence if sentence else '.'}")
        return self.parse_text_to_nodes(StringList(lines, "literature"))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("literature", Literature)
    return {"parallel_read_safe": True}
