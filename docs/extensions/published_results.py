"""The directive `published`: published numbers beside ours, computed while the documentation is built.

Its content names entries of `empirical.published.table`, one a line. Each is shown with its claim, its source, the call
that computes ours, the tolerance with its reason, the figure where there is a curve, and folded below it all numbers.
`:overview:` shows one table of all entries instead. A number that does not agree fails the build.
"""

import re
from functools import cache
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx

from dark_copies import dark_copies
from executed_examples import Example
from folded import fold

DPI = 200


@cache
def reproduction(name: str) -> Any:
    """An entry beside ours, computed once in a process."""
    from empirical.published.reproduction import reproduce
    from empirical.published.table import find_entry

    return reproduce(find_entry(name))


class Published(Example):
    """`.. published::` followed by names."""

    option_spec: ClassVar[dict[str, Any]] = {"overview": directives.flag}

    def run(self) -> list[nodes.Node]:
        """Everything about each entry, or one line about each."""
        names = [line.strip() for line in self.content if line.strip()]
        found = [self.checked(name) for name in names]
        if "overview" in self.options:
            return self.parsed(overview(found))
        return [node for one in found for node in self.entry(one)]

    def checked(self, name: str) -> Any:
        """An entry that agrees."""
        try:
            found = reproduction(name)
        except Exception as error:
            raise self.error(f"published: {type(error).__name__}: {error}") from error
        if not found.agrees:
            raise self.error(f"published: {name} disagrees:\n{found.summary()}")
        return found

    def entry(self, found: Any) -> list[nodes.Node]:
        """Name, claim and source, the figure, and what is folded away."""
        shown = self.parsed(about(found))
        if found.entry.drawable:
            shown.append(self.drawn(found))
        title = [nodes.Text(f"{len(found.values)} numbers")]
        return [*shown, fold(title, self.parsed(numbers(found)), "printed")]

    def drawn(self, found: Any) -> nodes.Node:
        """The figure, for light and dark pages."""
        from figures.published import published_figure
        from figures.style import paper

        path = self.folder / f"{found.entry.name}.png"
        with paper(), dark_copies():
            published_figure(found).savefig(str(path), dpi=DPI)
        uri = "/" + path.relative_to(self.env.srcdir).as_posix()
        self.env.note_dependency(self.env.relfn2path(uri)[1])
        alternative = f"Published numbers as markers on our curve: {found.entry.claim}"
        return nodes.image(uri=uri, alt=alternative, classes=["column-figure"])

    def parsed(self, lines: list[str]) -> list[nodes.Node]:
        """Nodes of reStructuredText."""
        return self.parse_text_to_nodes(StringList(lines, "published"))


def about(found: Any) -> list[str]:
    """What is said before the figure."""
    entry, source = found.entry, found.entry.source
    reasons = dict.fromkeys(s.tolerance.reason for s in found.series)
    said = [
        f"**{entry.name}.** {plain(entry.claim)}",
        "",
        f":read: `{source.address} <{source.url}>`__, {plain(source.place)} [{source.read_as}]",
        f":paper: {plain(source.paper)}",
        f":ours: ``{entry.command}``",
        f":tolerance: {plain(' '.join(reasons))}",
        f":verdict: agrees; the largest difference is {found.largest:.2g} of the tolerance",
    ]
    more = {"files": entry.files, "found": entry.found}
    return [
        *said,
        *(f":{name}: {plain(text)}" for name, text in more.items() if text),
        "",
    ]


def overview(found: list[Any]) -> list[str]:
    """A table with one row for each."""
    rows = [("Result", "Source", "Read as", "Numbers", "Largest difference / tolerance")]
    for one in found:
        source = one.entry.source
        link = f"`{source.address.removeprefix('github.com/')} <{source.url}>`__"
        rows.append(
            (
                one.entry.name,
                link,
                source.read_as,
                str(len(one.values)),
                f"{one.largest:.2g}",
            )
        )
    return table(rows, "25 38 14 9 14")


def numbers(found: Any) -> list[str]:
    """A table of all numbers."""
    labels = [label for series in found.series for label in series.labels]
    rows = [("", "published", "ours", "tolerance")]
    columns = (
        found.published, found.published_errors, found.values, found.errors, found.allowed
    )  # fmt: skip
    for label, theirs, error, ours, spread, allowed in zip(labels, *columns, strict=True):
        rows.append(
            (plain(label), valued(theirs, error), valued(ours, spread), f"{allowed:.2g}")
        )
    return table(rows, "46 20 20 14")


def valued(value: float, error: float) -> str:
    """A number with its standard error."""
    return f"{value:.6g} ± {error:.1g}" if error else f"{value:.6g}"


def table(rows: list[tuple[str, ...]], widths: str) -> list[str]:
    """Lines of a list-table, its first row the head."""
    lines = [
        ".. list-table::",
        "   :header-rows: 1",
        "   :class: small-table",
        f"   :widths: {widths}",
        "",
    ]
    for row in rows:
        lines += [f"   {'* -' if i == 0 else '  -'} {cell}" for i, cell in enumerate(row)]
    return [*lines, ""]


def plain(text: str) -> str:
    """Text without meaning for reStructuredText."""
    return re.sub(r"([*_`|\\])", r"\\\1", text)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.setup_extension("executed_examples")
    app.add_directive("published", Published)
    return {"parallel_read_safe": True}
