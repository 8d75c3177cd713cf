"""Figures of the gallery about activations: quadratic units beside others, and networks of each on their flow."""

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
    names, (ends,) = _rows(problem, activations, {"--t-end": t_end})

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


# A teacher of two units: from small weights the students first learn their common direction, then each its own.
OVERLAY = {"teacher": "2,1", "inputs": 4, "hidden": 4, "init_scale": 0.1, "seed": 1}


@click.command(
    "overlay",
    cls=FigureCommand,
    context_settings={"default_map": OVERLAY},
    epilog="Example: quadflow figure overlay --activations silu,hermite:3 --t-end 2 --step 5e-3 --batch 256",
)
@opt.problem_options
@click.option(
    "--activations",
    default="tanh,erf,gelu,polynomial:0,1,0.3,0.1",
    show_default=True,
    metavar="NAME,…",
    help="Activations to show, in place of --activation.",
)
@click.option(
    "--t-end",
    default="30,40,30,15",
    show_default=True,
    metavar="T,…",
    help="Training time of each, or one for all.",
)
@click.option(
    "--step",
    default="0.02,0.02,0.02,0.005",
    show_default=True,
    metavar="η,…",
    help="Learning rate of each, or one for all.",
)
@click.option("--batch", type=int, default=512, show_default=True, help="Batch size of the networks.")
@click.option(
    "--seeds", type=int, default=16, show_default=True, help="How many networks of each, two or more."
)
@figure_output("overlay")
def overlay(
    problem: opt.ProblemOptions,
    activations: str,
    t_end: str,
    step: str,
    batch: int,
    seeds: int,
    output: str,
) -> None:
    """Trained tanh, erf, GELU and cubic networks on their flows: losses, and the deviation within its error bar."""
    names, (ends, steps) = _rows(problem, activations, {"--t-end": t_end, "--step": step})

    def make() -> Figure:
        from empirical.experiments.overlay import overlays
        from figures.overlay import overlay_figure
        from quadflow.options.reading import build_problem

        problems = [build_problem(replace(problem, activation=name)) for name in names]
        shown = overlays(
            problems, ends, steps=steps, batch=batch, seeds=seeds, seed=problem.seed, progress=True
        )
        for row in shown:
            click.echo(row.summary())
        return overlay_figure(shown)

    draw_into(output, make)


def _rows(
    problem: opt.ProblemOptions, activations: str, numbers: dict[str, str]
) -> tuple[list[str], list[list[float]]]:
    """Names of the activations, and for each option that has a number of each, or one for all, these numbers."""
    from quadflow.options.reading import parse_activations

    names = parse_activations(activations)
    if problem.activation != "quadratic":
        raise ProblemError(
            "`--activation` names one, but this figure compares several: give `--activations`."
        )
    found = []
    for option, text in numbers.items():
        values = opt.parse_numbers(option, text)
        if len(values) not in (1, len(names)):
            raise ProblemError(
                f"`{option}` has {len(values)} numbers, but `--activations` {len(names)} names: one number, or one for "
                "each."
            )
        found.append(values * len(names) if len(values) == 1 else values)
    return names, found


FIGURES = (activations, overlay)
