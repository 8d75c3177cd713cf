"""Pictures of the gallery: each block that assigns `figure` shows it, in the style it was made in."""

from typing import Any

from sphinx_gallery.scrapers import figure_rst

from figures import paper

DOTS_PER_INCH = 240


def scrape(block: tuple, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save the figure if this block made one; returns the RST that shows it."""
    figure = block_vars["example_globals"].pop("figure", None)
    if figure is None:
        return ""
    path = next(block_vars["image_path_iterator"])
    with paper():
        figure.savefig(path, dpi=DOTS_PER_INCH)
    return figure_rst([path], gallery_conf["src_dir"])
