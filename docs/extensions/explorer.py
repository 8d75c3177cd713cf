"""The explorer, `quadflow explore`, as a page of the site."""

from pathlib import Path

from sphinx.application import Sphinx

from dynamics.errors import ComputationError
from quadflow.cli import run


def write_explorer(app: Sphinx, exception: Exception | None) -> None:
    """Write explorer.html beside the other pages."""
    if exception is None and app.builder.format == "html":
        page = Path(app.outdir, "explorer.html")
        if run(["explore", "--output", str(page)]):
            raise ComputationError("quadflow explore failed")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write it last."""
    app.connect("build-finished", write_explorer)
    return {"parallel_read_safe": True}
