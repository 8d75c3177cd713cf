"""Figure of the gallery with published numbers beside ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from quadflow import options as opt
from quadflow.examples import Command
from quadflow.gallery.common import draw_into, figure_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@click.command(
    "published",
    cls=Command,
    epilog="Example: quadflow figure published --result best-width --output width.pdf",
)
@click.option(
    "--result",
    default="double-descent",
    show_default=True,
    metavar="NAME",
    shell_complete=opt.complete_from("empirical.published.table", "ENTRIES"),
    help="Which published result; `quadflow reproduce --list` names them.",
)
@figure_output("published")
def published(result: str, output: str) -> None:
    """Numbers that others have published beside ours, and how far they are apart."""

    def make() -> Figure:
        from empirical.published.reproduction import reproduce
        from empirical.published.table import find_drawable
        from figures.published import published_figure

        return published_figure(reproduce(find_drawable(result)))

    draw_into(output, make)


FIGURES = (published,)
