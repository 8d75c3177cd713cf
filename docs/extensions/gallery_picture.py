"""The directive `picture`: a figure of the gallery on another page, with what to see in it; it leads to its code.

`.. picture:: stages/learning_curves`, with `:alt:` for those who do not see it, and the caption below. Its variants,
for dark pages and without motion, are put beside it by `dark_pictures`.
"""

from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.osutil import relative_uri


class Picture(SphinxDirective):
    """`.. picture:: SECTION/NAME`."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {
        "alt": directives.unchanged_required,
        "number": directives.nonnegative_int,  # of the pictures on the page of the gallery
    }

    def run(self) -> list[nodes.Node]:
        """The picture, linked, and the caption."""
        if "alt" not in self.options:
            raise self.error(
                "picture: `:alt:` says what is seen to those who do not see it"
            )
        section, name = self.arguments[0].split("/")
        folder, number = f"auto_gallery/{section}", self.options.get("number", 1)
        uri = f"/{folder}/images/sphx_glr_plot_{name}_{number:03}.png"
        image = nodes.image(uri=uri, alt=self.options["alt"], classes=["column-figure"])
        goal = relative_uri(self.env.docname, f"{folder}/plot_{name}") + ".html"
        link = nodes.reference("", "", image, internal=True, refuri=goal)
        caption = nodes.caption("", "", *self.parse_content_to_nodes()[0].children)
        return [nodes.figure("", link, caption, classes=["gallery-picture"])]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("picture", Picture)
    return {"parallel_read_safe": True}
