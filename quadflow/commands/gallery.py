"""What all figures of the gallery share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from quadflow.options import Decorator
from quadflow.output import validate_output, write_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "pdf", "svg")


def figure_output(name: str) -> Decorator:
    """`--output` of a figure, by default NAME.png in the current folder."""
    return click.option(
        "--output", metavar="PATH", default=f"{name}.png", show_default=True, help=".png, .pdf or .svg."
    )


def draw_into(path: str, make: Callable[[], Figure]) -> None:
    """Check the file name, make the figure, write it, say so."""
    suffix = validate_output(path, FORMATS)
    assert suffix is not None
    write_figure(make(), path, suffix)
    click.echo(f"written: {path}")
