"""Pictures for light and dark pages, and for those who want nothing to move.

Where a picture NAME.png has a dark variant beside it, NAME_dark.png, both are put on the page, and each is shown where
it belongs. An animation NAME.gif has NAME.png, which stands still, in its place where the reader's system asks for
less motion. What is not shown is not loaded.
"""

from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

LIGHT, DARK = "only-light", "only-dark"  # classes of furo
MOVING, STILL = "moving-picture", "still-picture"


def dark_name(path: Path) -> Path:
    """File of the dark variant of a picture."""
    return path.with_name(f"{path.stem}_dark{path.suffix}")


class DarkPictures(SphinxTransform):
    """Puts the variants of a picture beside it."""

    default_priority = 400

    def apply(self, **options: object) -> None:
        """Replace pictures that have variants; those that say themselves where they are shown stay."""
        for image in list(self.document.findall(nodes.image)):
            if {LIGHT, DARK} & set(image["classes"]) or "://" in image["uri"]:
                continue
            shown: list[nodes.Element] = list(self.variants(image))
            if isinstance(image.parent, nodes.reference):  # each leads there by itself
                linked = [image.parent.copy() for _ in shown]
                for link, variant in zip(linked, shown, strict=True):
                    link += variant
                image.parent.replace_self(linked)
            else:
                image.replace_self(shown)

    def variants(self, image: nodes.image) -> list[nodes.image]:
        """All that is shown in the place of a picture, the one that most see first."""
        uri = Path(image["uri"])
        found = [(uri, [])]
        if uri.suffix == ".gif" and self.exists(uri.with_suffix(".png")):
            found = [(uri, [MOVING]), (uri.with_suffix(".png"), [STILL])]
        if self.exists(dark_name(uri)):
            light = [(path, [*classes, LIGHT]) for path, classes in found]
            dark = [(dark_name(path), [*classes, DARK]) for path, classes in found]
            found = light + dark
        shown = []
        for path, classes in found:
            variant = image.copy()
            variant["uri"] = path.as_posix()
            variant["classes"] = [*image["classes"], *classes]
            if path != uri:
                variant["loading"] = "lazy"
            shown.append(variant)
        return shown

    def exists(self, uri: Path) -> bool:
        """Whether there is a file, as named on this page."""
        return Path(self.env.relfn2path(uri.as_posix())[1]).is_file()


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the transform, and its style."""
    app.add_transform(DarkPictures)
    app.add_css_file("pictures.css")
    return {"parallel_read_safe": True}
