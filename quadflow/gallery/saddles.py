"""Figures of the gallery about stationary points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from quadflow import options as opt
from quadflow.gallery.common import FigureCommand, draw_into, figure_output
from quadflow.gallery.film import film_output, show_into

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from empirical.experiments.saddle_path import SaddlePath


@click.command(
    "atlas",
    cls=FigureCommand,
    context_settings={"default_map": {"teacher": "4,2,1", "hidden": 4}},
    epilog="Example: quadflow figure atlas --teacher 3,1,-2 --hidden 3 --search 400",
)
@opt.network_options
@click.option(
    "--search", type=int, default=400, show_default=True, help="Random starts of the numerical search."
)
@opt.seed_option
@figure_output("atlas")
def atlas(network: opt.NetworkOptions, search: int, seed: int, output: str) -> None:
    """Stationary points: loss against Morse index, every root of a blind search on a predicted level."""

    def make() -> Figure:
        from dynamics.stationary.all_signs import points_of_all_signs
        from dynamics.stationary.matching import search_catalogue
        from figures.atlas import atlas_figure as draw
        from quadflow.options.reading import read_catalogue

        catalogue = read_catalogue(network)
        points = points_of_all_signs(catalogue)
        match = search_catalogue(catalogue, search, seed=seed, progress=True)
        loss = catalogue.problem.loss
        return draw(points, match, ignored=catalogue.spectrum.zeros, unit=loss.unit)

    draw_into(output, make)


@click.command(
    "saddle-graph",
    cls=FigureCommand,
    context_settings={"default_map": {"teacher": "4,2,1", "hidden": 3, "init_scale": 0.03, "seed": 1}},
    epilog="Example: quadflow figure saddle-graph --teacher 4,2,1 --hidden 3 --init-scale 0.03",
)
@opt.problem_options
@click.option(
    "--step", type=float, default=2e-3, show_default=True, help="Learning rate of the trained network."
)
@click.option("--batch", type=int, default=512, show_default=True, help="Its batch size.")
@click.option("--t-end", type=float, default=40.0, show_default=True, help="Its training time.")
@film_output("saddle-graph")
def saddle_graph(problem: opt.ProblemOptions, step: float, batch: int, t_end: float, output: str) -> None:
    """Which saddle leads to which, with growth rates, and the path of a network trained from small weights."""

    def compute() -> SaddlePath:
        from empirical.experiments.saddle_path import saddle_path
        from quadflow.options.reading import build_problem

        path = saddle_path(
            build_problem(problem), step=step, batch=batch, t_end=t_end, seed=problem.seed, progress=True
        )
        click.echo(path.summary())
        return path

    show_into(output, "saddle-graph", compute)


@click.command(
    "symmetric-plateau",
    cls=FigureCommand,
    context_settings={
        "default_map": {
            **{"teacher": "1,1,1", "inputs": 6, "hidden": 3, "activation": "erf"},
            **{"second_layer": "fixed", "init_scale": 0.03, "seed": 1},
        }
    },
    epilog="Example: quadflow figure symmetric-plateau --teacher 1,1 --hidden 2",
)
@opt.problem_options
@click.option("--search", type=int, default=10, show_default=True, help="Random starts of the search.")
@click.option("--step", type=float, default=0.1, show_default=True, help="Learning rate of the networks.")
@click.option("--batch", type=int, default=1024, show_default=True, help="Their batch size.")
@click.option("--t-end", type=float, default=220.0, show_default=True, help="Their training time.")
@click.option("--seeds", type=int, default=8, show_default=True, help="How many.")
@figure_output("symmetric-plateau")
def symmetric_plateau(
    problem: opt.ProblemOptions, search: int, step: float, batch: int, t_end: float, seeds: int, output: str
) -> None:
    """Saad and Solla's plateau, a saddle found by search: flow and networks wait there until units specialise."""

    def make() -> Figure:
        from empirical.experiments.symmetric_plateau import symmetric_plateau
        from figures.symmetric_plateau import symmetric_plateau_figure
        from quadflow.options.reading import build_problem

        curves = symmetric_plateau(
            build_problem(problem),
            starts=search,
            step=step,
            batch=batch,
            t_end=t_end,
            seeds=seeds,
            seed=problem.seed,
            progress=True,
        )
        return symmetric_plateau_figure(curves)

    draw_into(output, make)


@click.command(
    "weight-decay",
    cls=FigureCommand,
    context_settings={
        "default_map": {
            "teacher": "0.8,0.75,0.7,0.65,0.6,0.55,0.5,0.45,0.4,0.35,0.3,0.25,0.2,0.15,0.1,0.05",
            "hidden": 32,
            "activation": "centred",
            "init_scale": 1.0,
            "weight_decay": "0.2",
            "seed": 1,
        }
    },
    epilog="Example: quadflow figure weight-decay --weight-decay 0.3 --t-end 100 --seeds 1",
)
@opt.problem_options
@click.option(
    "--value", type=float, default=1.0, show_default=True, help="Second-layer weight where that is fixed."
)
@click.option("--step", type=float, default=1e-2, show_default=True, help="Learning rate of the networks.")
@click.option("--batch", type=int, default=256, show_default=True, help="Their batch size.")
@click.option("--t-end", type=float, default=200.0, show_default=True, help="Their training time.")
@click.option("--seeds", type=int, default=3, show_default=True, help="How many of each kind.")
@figure_output("weight-decay")
def weight_decay(
    problem: opt.ProblemOptions, value: float, step: float, batch: int, t_end: float, seeds: int, output: str
) -> None:
    """What decay leaves of every mode: a hard threshold with a trained second layer, a soft one with a fixed."""

    def make() -> Figure:
        from empirical.experiments.weight_decay import decayed_spectra
        from figures.weight_decay import weight_decay_figure
        from quadflow.options.reading import build_problem

        spectra = decayed_spectra(
            build_problem(problem),
            value=value,
            step=step,
            batch=batch,
            t_end=t_end,
            seeds=seeds,
            seed=problem.seed,
            progress=True,
        )
        return weight_decay_figure(spectra)

    draw_into(output, make)


@click.command(
    "collapse",
    cls=FigureCommand,
    context_settings={
        "default_map": {"teacher": "2,1", "hidden": 3, "init_scale": 1.0, "weight_decay": "1", "seed": 1}
    },
    epilog="Example: quadflow figure collapse --teacher 3,1 --hidden 2 --rates 0.1,0.5,5 --points 8",
)
@opt.problem_options
@click.option(
    "--rates",
    default="0.05,0.5,8",
    show_default=True,
    metavar="LOWEST,HIGHEST,NUMBER",
    help="Rates of decay, in units of --weight-decay, evenly spaced in their logarithm.",
)
@click.option(
    "--points",
    type=int,
    default=10,
    show_default=True,
    help="Initial scales, in units of --init-scale, around what is predicted.",
)
@click.option("--step", type=float, default=5e-3, show_default=True, help="Learning rate of the networks.")
@click.option("--batch", type=int, default=64, show_default=True, help="Their batch size.")
@click.option(
    "--patience",
    type=float,
    default=6.0,
    show_default=True,
    help="Their training time, in units of 1/ρ of the least rate.",
)
@figure_output("collapse")
def collapse(
    problem: opt.ProblemOptions,
    rates: str,
    points: int,
    step: float,
    batch: int,
    patience: float,
    output: str,
) -> None:
    """Initial scale against weight decay: from where on anything is learned, predicted and trained."""

    def make() -> Figure:
        from empirical.experiments.collapse import collapse_diagram, grid_of_rates
        from figures.collapse import collapse_figure
        from quadflow.options.reading import build_problem

        diagram = collapse_diagram(
            build_problem(problem),
            grid_of_rates(opt.parse_numbers("--rates", rates)),
            points=points,
            step=step,
            patience=patience,
            batch=batch,
            seed=problem.seed,
            progress=True,
        )
        click.echo(diagram.summary())
        return collapse_figure(diagram)

    draw_into(output, make)


FIGURES = (atlas, saddle_graph, symmetric_plateau, weight_decay, collapse)
