"""The directive `steps`: steps of a derivation, folded away under their title until the reader opens them.

`.. steps:: Title` with anything below it. Browsers fold by themselves (`<details>`), without JavaScript; in other
formats title and steps stand one after the other.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class folded(nodes.General, nodes.Element):
    """What is folded away; its first child is its title."""


class folded_title(nodes.TextElement):
    """What is seen of it while it is closed."""


def fold(title: list[nodes.Node], body: list[nodes.Node], kind: str) -> folded:
    """Body under a title; `kind` is the class that style sheets see."""
    return folded("", folded_title("", "", *title), *body, classes=[kind])


class Steps(SphinxDirective):
    """`.. steps:: Title`."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[nodes.Node]:
        """The content as it would stand on the page, folded."""
        self.assert_has_content()
        title, messages = self.parse_inline(self.arguments[0], lineno=self.lineno)
        return [fold(title, self.parse_content_to_nodes(), "steps"), *messages]


def open_details(translator: Any, node: folded) -> None:
    """Begin the element."""
    translator.body.append(translator.starttag(node, "details"))


def close_details(translator: Any, node: folded) -> None:
    """End it."""
    translator.body.append("</details>\n")


def open_summary(translator: Any, node: folded_title) -> None:
    """Begin the title."""
    translator.body.append(translator.starttag(node, "summary", ""))


def close_summary(translator: Any, node: folded_title) -> None:
    """End it."""
    translator.body.append("</summary>\n")


def as_it_stands(translator: Any, node: nodes.Node) -> None:
    """Nothing is folded where nothing can be opened."""


def setup(app: Sphinx) -> dict[str, bool]:
    """Register nodes and directive."""
    flat = (as_it_stands, as_it_stands)
    app.add_node(folded, html=(open_details, close_details), latex=flat, text=flat)
    app.add_node(folded_title, html=(open_summary, close_summary), latex=flat, text=flat)
    app.add_directive("steps", Steps)
    return {"parallel_read_safe": True}
