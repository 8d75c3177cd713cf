"""Figures of the gallery about quadratic neurons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from quadflow import options as opt
from quadflow.examples import Command
from quadflow.gallery.common import FigureCommand, draw_into, figure_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Curves:
    """Which curves, and how networks are trained."""

    gammas: str = opt.option(
        default="1,0.1,0", show_default=True, help="Relative rates γ_g = γ_b, a curve for each."
    )
    shrink: float = opt.option(
        type=float, default=0.0, show_default=True, help="Rate of shrinking to ReLinear's start."
    )
    t_end: float = opt.option(type=float, default=20.0, show_default=True, help="End time.")
    step: float = opt.option(type=float, default=0.01, show_default=True, help="Learning rate.")
    batch: int = opt.option(type=int, default=256, show_default=True, help="Fresh samples per step.")
    seeds: int = opt.option(
        type=int, default=4, show_default=True, help="Networks per curve; 0: theory alone."
    )


@click.command(
    "neuron",
    cls=FigureCommand,
    context_settings={"default_map": {"inputs": 4, "hidden": 4, "seed": 1}},
    epilog="Example: quadflow figure neuron --teacher 3,1,-2 --gammas 1,0.3 --output neuron.pdf",
)
@opt.neuron_options
@opt.take(Curves, "curves")
@figure_output("neuron")
def neuron(neuron: opt.NeuronOptions, curves: Curves, output: str) -> None:
    """Quadratic neurons: loss for several rates of the quadratic weights, trained networks on the flow."""

    def make() -> Figure:
        from empirical.experiments.neuron_rates import neuron_rates
        from figures.neuron import neuron_curves
        from quadflow.options.neuron import build_neurons, build_target

        target = build_target(neuron)
        found = neuron_rates(
            target,
            build_neurons(neuron, target.inputs),
            opt.parse_numbers("--gammas", curves.gammas),
            t_end=curves.t_end,
            step=curves.step,
            batch=curves.batch,
            seeds=curves.seeds,
            shrink=curves.shrink,
            seed=neuron.seed,
            progress=True,
        )
        return neuron_curves(found)

    draw_into(output, make)


@click.command(
    "neuron-collapse", cls=Command, epilog="Example: quadflow figure neuron-collapse --inputs 4 --starts 200"
)
@click.option("--inputs", type=int, default=6, show_default=True, help="Input dimension.")
@click.option("--hidden", type=int, default=6, show_default=True, help="Quadratic neurons.")
@click.option("--starts", type=int, default=100, show_default=True, help="Random starts of each kind.")
@click.option(
    "--init-scale", "scale", type=float, default=0.7, show_default=True, help="Size of the initial weights."
)
@click.option("--steps", type=int, default=200, show_default=True, help="Steps of a run.")
@click.option("--batch", type=int, default=32, show_default=True, help="Fresh samples per step.")
@opt.seed_option
@figure_output("neuron-collapse")
def neuron_collapse(output: str, **options: Any) -> None:
    """Quadratic neurons: fraction of diverging runs against learning rate and γ, random and ReLinear starts."""

    def make() -> Figure:
        from empirical.neuron.collapse import collapse_study
        from figures.neuron import collapse_map

        return collapse_map(collapse_study(**options, progress=True))

    draw_into(output, make)


@click.command("neuron-functions", cls=Command, epilog="Example: quadflow figure neuron-functions --inputs 8")
@click.option("--inputs", type=int, default=5, show_default=True, help="Input dimension.")
@figure_output("neuron-functions")
def neuron_functions(output: str, inputs: int) -> None:
    """Dimension of the functions that quadratic and ordinary neurons reach, against the number of units."""

    def make() -> Figure:
        from dynamics.neuron import function_space_dimensions
        from figures.neuron import function_space

        return function_space(function_space_dimensions(inputs))

    draw_into(output, make)


@click.command("pieces", cls=Command, epilog="Example: quadflow figure pieces --hidden 3 --layers 3")
@click.option("--hidden", type=int, default=5, show_default=True, help="Largest number of units of a layer.")
@click.option("--layers", type=int, default=2, show_default=True, help="Largest number of hidden layers.")
@click.option("--starts", type=int, default=10, show_default=True, help="Random networks of each size.")
@opt.seed_option
@figure_output("pieces")
def pieces(output: str, **options: Any) -> None:
    """Polynomial pieces of random networks: quadratic neurons with ReLU against ordinary ones with ReLU and z²."""

    def make() -> Figure:
        from dynamics.neuron.pieces.counts import count_pieces
        from figures.pieces import pieces_figure as draw

        return draw(count_pieces(**options, progress=True))

    draw_into(output, make)


FIGURES = (neuron, neuron_collapse, neuron_functions, pieces)
