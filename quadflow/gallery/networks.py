"""Figures of the gallery about networks of one's own, and of different depth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from quadflow import options as opt
from quadflow.gallery.common import FigureCommand, draw_into, figure_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EXAMPLE = "q*x_1*(k_0*v_0*x_0**2 + k_1*v_1*x_1**2)"  # attention on two tokens, of which the second one asks


@click.command(
    "own-network",
    cls=FigureCommand,
    context_settings={"default_map": {"init_scale": 0.3, "seed": 1}},
    epilog="Example: quadflow figure own-network --network 'a*(u*(w*x_0)**2 + v*x_1)**2' --target 'x_0**2*x_1' "
    "--step 5e-4 --t-end 0.5",
)
@click.option(
    "--network",
    metavar="EXPR",
    default=EXAMPLE,
    show_default=True,
    help="Any polynomial network, as for `quadflow simulate`.",
)
@click.option(
    "--target",
    metavar="EXPR",
    default="x_0**2*x_1 + x_1**3/2",
    show_default=True,
    help="What it learns: a polynomial in x_0, x_1, …, or teacher:SEED.",
)
@click.option(
    "--init-scale", type=float, default=0.1, show_default=True, help="Size ε of the initial weights."
)
@click.option("--t-end", type=float, default=3.0, show_default=True, help="Training time.")
@click.option("--step", type=float, default=2e-3, show_default=True, metavar="η", help="Learning rate.")
@click.option("--batch", type=int, default=512, show_default=True, help="Batch size.")
@click.option("--seeds", type=int, default=8, show_default=True, help="Networks trained together.")
@opt.seed_option
@figure_output("own-network")
def own_network(
    network: str,
    target: str,
    init_scale: float,
    t_end: float,
    step: float,
    batch: int,
    seeds: int,
    seed: int,
    output: str,
) -> None:
    """A network of one's own: its loss and its weights, by theory and trained, from an expression."""

    def make() -> Figure:
        from dynamics.clock import Clock
        from dynamics.networks import NetworkProblem
        from empirical.polynomial import compare_network
        from figures.own_network import network_curves

        problem = NetworkProblem(network, target, init_scale=init_scale, seed=seed)
        steps = Clock(step).steps_until(t_end)
        comparison = compare_network(
            problem, steps=steps, step=step, batch=batch, seeds=seeds, seed=seed, progress=True
        )
        click.echo(comparison.summary())
        return network_curves(comparison)

    draw_into(output, make)


@click.command(
    "depth",
    cls=FigureCommand,
    epilog="Example: quadflow figure depth --quadratic 1,2 --linear 2,3 --steps 300",
)
@click.option(
    "--quadratic", default="1,2,3", show_default=True, metavar="ℓ,…", help="Numbers of quadratic layers."
)
@click.option("--linear", default="2,3,4", show_default=True, metavar="N,…", help="Numbers of linear layers.")
@click.option(
    "--steps", type=int, default=600, show_default=True, help="Steps until half of the target is learned."
)
@click.option("--batch", type=int, default=512, show_default=True, help="Batch size.")
@click.option("--seeds", type=int, default=4, show_default=True, help="Networks trained together.")
@opt.seed_option
@figure_output("depth")
def depth(quadratic: str, linear: str, steps: int, batch: int, seeds: int, seed: int, output: str) -> None:
    """How much longer deeper networks wait: plateaus against the size of the start, in closed form and trained."""

    def make() -> Figure:
        from empirical.experiments.depth import depth_curves
        from figures.depth import depth_figure

        layers = [parse_layers(name, text) for name, text in (("quadratic", quadratic), ("linear", linear))]
        return depth_figure(
            depth_curves(*layers, steps=steps, batch=batch, seeds=seeds, seed=seed, progress=True)
        )

    draw_into(output, make)


def parse_layers(name: str, text: str) -> list[int]:
    """Numbers of layers."""
    from dynamics.errors import ProblemError

    numbers = opt.parse_numbers(f"--{name}", text)
    if any(number != int(number) for number in numbers):
        raise ProblemError(f"`--{name}` is {text!r}, but must be whole numbers of layers, such as 1,2,3.")
    return [int(number) for number in numbers]


FIGURES = (own_network, depth)
