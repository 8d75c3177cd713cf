"""Figure of the gallery that is drawn from the file of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from quadflow.examples import Command
from quadflow.gallery.common import draw_into, figure_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@click.command("study", cls=Command, epilog="Example: quadflow figure study study-gsgd.nc --output gsgd.pdf")
@click.argument("file", metavar="FILE")
@figure_output("study")
def study(file: str, output: str) -> None:
    """What a finished study found, from its file: scores, collapsed runs or gradients, differences."""

    def make() -> Figure:
        from empirical.studies.findings import read_findings
        from figures.study import study_figure

        return study_figure(read_findings(file))

    draw_into(output, make)


FIGURES = (study,)
