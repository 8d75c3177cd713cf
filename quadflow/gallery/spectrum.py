"""Figure of the gallery about the curvature of the loss along a path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from quadflow import options as opt
from quadflow.gallery.common import FigureCommand
from quadflow.gallery.film import film_output, show_into

if TYPE_CHECKING:
    from dynamics.curvature import SaddleSpectrum


@click.command(
    "spectrum",
    cls=FigureCommand,
    context_settings={
        "default_map": {
            **{"teacher": "5,2,0.8", "inputs": 5, "hidden": 3, "activation": "centred"},
            **{"second_layer": "fixed", "init_scale": 1e-3, "seed": 1, "t_end": 4.0},
        }
    },
    epilog="Example: quadflow figure spectrum --teacher 4,1 --hidden 2 --init-scale 1e-4 --t-end 8",
)
@opt.problem_options
@click.option("--t-end", type=float, help="Until when [default: until the flow ends].")
@click.option(
    "--points", type=int, default=200, show_default=True, help="Times at which the Hessian is looked at."
)
@click.option(
    "--zero",
    type=float,
    default=5e-3,
    show_default=True,
    help="Part of the largest eigenvalue, in size, below which one counts as zero.",
)
@film_output("spectrum")
def spectrum(problem: opt.ProblemOptions, t_end: float | None, points: int, zero: float, output: str) -> None:
    """Hessian eigenvalues from saddle to saddle: sharpness, and the index against the catalogue's on every plateau."""

    def compute() -> SaddleSpectrum:
        from dynamics.curvature import saddle_spectrum
        from quadflow.options.reading import build_problem

        curves = saddle_spectrum(build_problem(problem), t_end=t_end, points=points, zero=zero, progress=True)
        click.echo(curves.summary())
        return curves

    show_into(output, "spectrum", compute)


FIGURES = (spectrum,)
