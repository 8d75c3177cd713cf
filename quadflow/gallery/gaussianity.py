"""Figures of the gallery about inputs that are not Gaussian."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from quadflow import options as opt
from quadflow.examples import Command
from quadflow.gallery.common import FigureCommand, draw_into, figure_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@click.command(
    "gaussianity",
    cls=FigureCommand,
    context_settings={
        "default_map": {
            **{"data": "digits", "components": 8, "whiten": True, "teacher": "4,2,1"},
            **{"hidden": 4, "init_scale": 0.3, "seed": 1},
        }
    },
    epilog="Example: quadflow figure gaussianity --components 16",
)
@opt.problem_options
@click.option("--t-end", type=float, default=2.0, show_default=True, help="Time of flow and training.")
@click.option("--step", type=float, default=2.5e-4, show_default=True, help="Learning rate.")
@click.option(
    "--batch", type=int, default=512, show_default=True, help="Samples per step; 0: all of the data."
)
@click.option("--seeds", type=int, default=8, show_default=True, help="Networks.")
@figure_output("gaussianity")
def gaussianity(
    problem: opt.ProblemOptions, t_end: float, step: float, batch: int, seeds: int, output: str
) -> None:
    """Learning on real inputs: exact theory, Gaussian theory, that by another clock, and trained networks."""

    def make() -> Figure:
        from empirical.experiments.gaussianity import gaussianity_curves
        from figures.gaussianity import gaussianity_figure
        from quadflow.options.reading import build_problem

        curves = gaussianity_curves(
            build_problem(problem),
            t_end,
            step=step,
            batch=batch,
            seeds=seeds,
            seed=problem.seed,
            progress=True,
        )
        return gaussianity_figure(curves.comparison, curves.run)

    draw_into(output, make)


@click.command(
    "universality",
    cls=Command,
    epilog="Example: quadflow figure universality --distribution uniform --dimensions 6,12,24",
)
@click.option("--teacher", default="4,2,1", show_default=True, help="Eigenvalues.")
@click.option(
    "--distribution",
    default="independent:3",
    show_default=True,
    metavar="SPEC",
    shell_complete=opt.complete_from("dynamics.inputs.laws", "LAWS"),
    help="Law of the inputs.",
)
@click.option(
    "--dimensions", default="6,12,24,48,96", show_default=True, help="Numbers d of inputs, increasing."
)
@click.option("--hidden", type=int, default=6, show_default=True, help="Hidden units K.")
@click.option(
    "--init-scale", type=float, default=1.0, show_default=True, help="Size ε of the initial weights."
)
@click.option("--t-end", type=float, default=6.0, show_default=True, help="End time of the flows.")
@click.option("--draws", type=int, default=6, show_default=True, help="Teachers and starts for every mean.")
@opt.seed_option
@figure_output("universality")
def universality(
    teacher: str,
    distribution: str,
    dimensions: str,
    hidden: int,
    init_scale: float,
    t_end: float,
    draws: int,
    seed: int,
    output: str,
) -> None:
    """Error of the Gaussian theory against the input dimension, for teachers along the axes and in any directions."""

    def make() -> Figure:
        from dynamics.gaussian_theory.universality import universality as compute
        from figures.universality import universality_figure

        found = compute(
            opt.parse_numbers("--teacher", teacher),
            [int(d) if d.is_integer() else d for d in opt.parse_numbers("--dimensions", dimensions)],
            distribution=distribution,
            hidden=hidden,
            scale=init_scale,
            t_end=t_end,
            draws=draws,
            seed=seed,
            progress=True,
        )
        return universality_figure(found)

    draw_into(output, make)


FIGURES = (gaussianity, universality)
