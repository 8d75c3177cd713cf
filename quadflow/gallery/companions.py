"""Figures of the gallery about G-SGD and HanNets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from quadflow import options as opt
from quadflow.examples import Command
from quadflow.gallery.common import draw_into, figure_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@click.command(
    "invariance", cls=Command, epilog="Example: quadflow figure invariance --layers 3 --activation leaky-relu"
)
@click.option("--inputs", type=int, default=6, show_default=True, help="Input dimension.")
@click.option("--hidden", type=int, default=8, show_default=True, help="Units of every hidden layer.")
@click.option("--outputs", type=int, default=2, show_default=True, help="Outputs.")
@click.option("--layers", type=int, default=2, show_default=True, help="Layers of weights.")
@click.option("--activation", default="relu", show_default=True, help="A homogeneous activation, by name.")
@click.option("--steps", type=int, default=300, show_default=True, help="Training steps.")
@click.option("--spread", type=float, default=2.0, show_default=True, help="Largest factor of the rescaling.")
@opt.seed_option
@figure_output("invariance")
def invariance(output: str, **options: Any) -> None:
    """Two copies of a network, one rescaled: G-SGD keeps them together to rounding, SGD takes them apart."""

    def make() -> Figure:
        from empirical.experiments.invariance import invariance as compute
        from figures.invariance import invariance_figure as draw

        return draw(compute(**options, progress=True))

    draw_into(output, make)


@click.command(
    "hannet", cls=Command, epilog="Example: quadflow figure hannet --layers 200 --output gradients.pdf"
)
@click.option("--layers", type=int, default=100, show_default=True, help="Depth of the stacks.")
@click.option("--width", type=int, default=30, show_default=True, help="Their width.")
@opt.seed_option
@figure_output("hannet")
def hannet(layers: int, width: int, seed: int, output: str) -> None:
    """Gradient norms through depth: Han layers keep them at 1, ReLU layers let them decay."""

    def make() -> Figure:
        from empirical.hannet.check import check_hannet
        from figures.hannet import gradient_norms

        return gradient_norms(check_hannet(layers, width, seed=seed))

    draw_into(output, make)


FIGURES = (invariance, hannet)
