"""Figure of the gallery about the curvature of the loss along a path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from quadflow import options as opt
from quadflow.gallery.common import FigureCommand
from quadflow.gallery.film import film_output, show_into
from quadflow.groups import Option
from quadflow.options.ignored import given

if TYPE_CHECKING:
    from dynamics.curvature import SaddleSpectrum
    from dynamics.problem import Problem


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
@click.option("--t-end", cls=Option, type=float, help="Until when [default: until the flow ends].")
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
    """Hessian eigenvalues from saddle to saddle: sharpness, and the index against the catalogue's on every plateau.

    Drawn are centred units with a fixed second layer, of which the catalogue knows every eigenvalue: for the quadratic
    network say --activation quadratic --second-layer trainable. With a teacher of one's own the flow is followed,
    unless --t-end says otherwise, until it has learned nearly everything.
    """

    def compute() -> SaddleSpectrum:
        from dynamics.curvature import saddle_spectrum
        from empirical.experiments.learning_span import learning_span
        from quadflow.options.reading import build_problem

        start, end = build_problem(problem), t_end
        # the length of the demonstration is none of another teacher's
        if given(["teacher"]) and not given(["t_end"]):
            end = learning_span(start).t_end
        curves = saddle_spectrum(start, t_end=end, points=points, zero=zero, progress=True)
        click.echo(drawn(start))
        click.echo(curves.summary())
        return curves

    show_into(output, "spectrum", compute)


def drawn(problem: Problem) -> str:
    """Which network a figure is of: its units and its second layer."""
    from dynamics.words import listed

    student = problem.student
    values = listed(sorted(set(student.A.ravel().tolist())))
    layer = "trained" if student.trainable else f"fixed at {values}"
    return f"{problem.activation.name} units, second layer {layer}"


FIGURES = (spectrum,)
