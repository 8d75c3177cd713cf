"""The directive `picture`: a figure of the gallery on another page, with what to see in it; it leads to its code.

`.. picture:: stages/learning_curves`, with `:alt:` for those who do not see it, and the caption below. Where the
gallery has a dark variant, it is shown on dark pages.
"""

from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.osutil import relative_uri

DARK = "_dark"  # how the name of a dark variant ends


class Picture(SphinxDirective):
    """`.. picture:: SECTION/NAME`."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {
        "alt": directives.unchanged_required,
        "number": directives.nonnegative_int,  # of the pictures on the page of the gallery
    }

    def run(self) -> list[nodes.Node]:
        """Picture or pictures, linked, and the caption."""
        if "alt" not in self.options:
            raise self.error(
                "picture: `:alt:` says what is seen to those who do not see it"
            )
        section, name = self.arguments[0].split("/")
        folder, number = f"auto_gallery/{section}", self.options.get("number", 1)
        page = f"{folder}/plot_{name}"
        image = f"{folder}/images/sphx_glr_plot_{name}_{number:03}"
        if Path(self.env.srcdir, f"{image}{DARK}.png").exists():
            light, dark = f"/{image}.png", f"/{image}{DARK}.png"
            shown = [
                self.linked(page, light, "only-light"),
                self.linked(page, dark, "only-dark"),
            ]
        else:
            shown = [self.linked(page, f"/{image}.png")]
        caption = nodes.caption("", "", *self.parse_content_to_nodes()[0].children)
        return [nodes.figure("", *shown, caption, classes=["gallery-picture"])]

    def linked(self, page: str, uri: str, *variant: str) -> nodes.Element:
        """A picture that leads to its page."""
        goal = relative_uri(self.env.docname, page) + ".html"
        image = nodes.image(
            uri=uri, alt=self.options["alt"], classes=["column-figure", *variant]
        )
        return nodes.reference("", "", image, internal=True, refuri=goal)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("picture", Picture)
    return {"parallel_read_safe": True}
