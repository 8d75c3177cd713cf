"""The directive `peers`: the table of what public tools of the field compute."""

from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from peer_table import TABLE, rst, table


class Peers(SphinxDirective):
    """`.. peers::`."""

    def run(self) -> list[nodes.Node]:
        """The list and a table for each question."""
        docs = Path(self.env.srcdir)
        self.env.note_dependency(str(docs / TABLE))
        return self.parse_text_to_nodes(
            StringList(rst(*table(docs)), TABLE), allow_section_headings=True
        )


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("peers", Peers)
    return {"parallel_read_safe": True}
