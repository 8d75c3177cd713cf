"""Figure of the gallery that is drawn from the file of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dynamics.errors import ProblemError
from quadflow.examples import Command
from quadflow.gallery.common import draw_into, figure_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@click.command(
    "sweep",
    cls=Command,
    epilog="Example: quadflow figure sweep sweep.zarr --x init-scale --curves hidden --value simulate_time_to_loss "
    "--below 20 --fit",
)
@click.argument("file", metavar="FILE")
@click.option("--x", metavar="NAME", help="Varied option along x [default: the first].")
@click.option("--y", metavar="NAME", help="Varied option along y of a phase diagram [default: the second].")
@click.option("--curves", metavar="NAME", help="Draw curves instead, one for each value of this option.")
@click.option(
    "--value",
    metavar="NAME",
    help="What is drawn: a variable of the file, KIND_success or KIND_time_to_loss (with --below) "
    "[default: diagnose_success if diagnosed, else the final loss].",
)
@click.option(
    "--below", type=float, metavar="LOSS", help="Loss that counts as success, or whose time is taken."
)
@click.option(
    "--select",
    multiple=True,
    metavar="NAME=VALUE",
    help="One value of an option that is not drawn; repeat at will.",
)
@click.option(
    "--fit",
    is_flag=True,
    help="Fit a power law to each curve, of 3 points or more; both axes are logarithmic.",
)
@figure_output("sweep")
def sweep(
    file: str,
    x: str | None,
    y: str | None,
    curves: str | None,
    value: str | None,
    below: float | None,
    select: tuple[str, ...],
    fit: bool,
    output: str,
) -> None:
    """Phase diagrams and scaling laws from the file of a sweep."""
    if y is not None and (curves is not None or fit):
        raise ProblemError(
            "`--y` draws a phase diagram, `--curves` and `--fit` draw curves: give one of them."
        )

    def make() -> Figure:
        from empirical.sweep.drawing import sweep_data
        from empirical.sweep.reading import SweepMap
        from figures.sweep import phase_map, scaling_curves

        data = sweep_data(
            file,
            x=_python(x),
            y=_python(y),
            curves=_python(curves),
            value=value,
            below=below,
            chosen=dict(_assignment(text) for text in select),
            fit=fit,
        )
        click.echo(f"made by: {data.command or 'the file does not say which command'}")
        if isinstance(data, SweepMap):
            return phase_map(data)
        if data.left_out:
            click.echo(data.left_out)
        return scaling_curves(data)

    draw_into(output, make)


def _python(name: str | None) -> str | None:
    return None if name is None else name.replace("-", "_")


def _assignment(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise ProblemError(f"`--select` is {text!r}, but must be NAME=VALUE.")
    return name.strip().replace("-", "_"), value.strip()


FIGURES = (sweep,)
