"""Pictures of the gallery: each block that assigns `figure` shows it, and one that assigns `animation` shows that.

Both are saved as they were made, and recoloured for dark pages; an animation also as it stands at its end. Which of
the files a reader sees is decided by `dark_pictures`, from their names.
"""

from pathlib import Path
from typing import Any

from sphinx_gallery.utils import scale_image

from dark_pictures import dark_name
from figures import paper, save_animation
from figures.look import STYLES, recolour_figure

DOTS_PER_INCH = 240
FIRST = "_001.png"  # how the name of the picture ends that a thumbnail shows


def scrape(block: tuple, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save what this block made; returns the RST that shows it."""
    made = block_vars["example_globals"]
    shown = []
    figure, animation = made.pop("figure", None), made.pop("animation", None)
    if figure is not None:
        path = Path(next(block_vars["image_path_iterator"]))
        save_both(figure, path)
        make_thumbnail(dark_name(path), gallery_conf["thumbnail_size"])
        shown.append(path)
    if animation is not None:
        path = Path(next(block_vars["image_path_iterator"]))
        moving = path.with_suffix(".gif")
        save_animation(animation, moving)
        save_both(animation.figure, path)
        save_animation(animation, dark_name(moving))
        shown.append(moving)
    return "".join(rst(path, gallery_conf["src_dir"]) for path in shown)


def save_both(figure: Any, path: Path) -> None:
    """A picture, and its dark variant, as which the figure remains."""
    with paper():
        figure.savefig(path, dpi=DOTS_PER_INCH)
        recolour_figure(figure, STYLES["dark"].ink, STYLES["dark"].ground)
        figure.savefig(dark_name(path), dpi=DOTS_PER_INCH)


def make_thumbnail(picture: Path, size: tuple[int, int]) -> None:
    """Make the dark variant of a thumbnail, beside which sphinx-gallery puts the light one."""
    if picture.name.endswith(dark_name(Path(FIRST)).name):
        name = picture.name.replace(FIRST.removesuffix(".png"), "_thumb")
        folder = picture.parent / "thumb"
        folder.mkdir(parents=True, exist_ok=True)
        scale_image(picture, folder / name, *size)


def rst(path: Path, source: str) -> str:
    """A picture of the gallery; those who do not see it read the name of its page."""
    words = path.stem.removeprefix("sphx_glr_plot_").rsplit("_", 1)[0].replace("_", " ")
    return f"""
.. image:: /{path.relative_to(source).as_posix()}
   :alt: {words}
   :class: sphx-glr-single-img

"""
