"""Figure of the gallery that shows quadratic units beside those of degree 1."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from dynamics.errors import ProblemError
from quadflow import options as opt
from quadflow.gallery.common import FigureCommand, draw_into, figure_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure


# Small initial weights, from which every activation learns the strongest mode first.
DEFAULTS = {"teacher": "4,2,1", "inputs": 6, "hidden": 8, "init_scale": 0.01, "seed": 6}


@click.command(
    "activations",
    cls=FigureCommand,
    context_settings={"default_map": DEFAULTS},
    epilog="Example: quadflow figure activations --teacher 2,-1 --inputs 3 --hidden 6 --activations quadratic,abs "
    "--t-end 12,15",
)
@opt.problem_options
@click.option(
    "--activations",
    default="quadratic,relu,abs",
    show_default=True,
    metavar="NAME,…",
    help="Activations to show, in place of --activation.",
)
@click.option(
    "--t-end",
    default="12,15,6",
    show_default=True,
    metavar="T,…",
    help="Training time of each, or one for all.",
)
@click.option(
    "--step", type=float, default=1e-3, show_default=True, help="Learning rate of the trained networks."
)
@click.option("--batch", type=int, default=512, show_default=True, help="Their batch size.")
@click.option("--seeds", type=int, default=8, show_default=True, help="How many; 0: theory alone.")
@figure_output("activations")
def activations(
    problem: opt.ProblemOptions,
    activations: str,
    t_end: str,
    step: float,
    batch: int,
    seeds: int,
    output: str,
) -> None:
    """Quadratic, ReLU and |·| networks from the same weights: plateaus and order of learning, theory and practice."""
    names, ends = activations.split(","), opt.parse_numbers("--t-end", t_end)
    if problem.activation != "quadratic":
        raise ProblemError(
            "`--activation` names one, but this figure compares several: give `--activations`."
        )
    if len(ends) not in (1, len(names)):
        raise ProblemError(
            f"`--t-end` has {len(ends)} times, but `--activations` {len(names)} names: one time, or one for each."
        )
    ends = ends * len(names) if len(ends) == 1 else ends

    def make() -> Figure:
        from empirical.experiments.activations import activation_curves
        from figures.activations import activations_figure
        from quadflow.options.reading import build_problem

        problems = [build_problem(replace(problem, activation=name)) for name in names]
        curves = activation_curves(
            problems, ends, step=step, batch=batch, seeds=seeds, seed=problem.seed, progress=True
        )
        for curve in curves:
            click.echo(curve.summary())
        return activations_figure(curves)

    draw_into(output, make)


FIGURES = (activations,)
