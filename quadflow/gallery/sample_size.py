"""Figure of the gallery about the number of samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from quadflow import options as opt
from quadflow.examples import Command
from quadflow.gallery.common import draw_into, figure_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@click.command(
    "sample-size",
    cls=Command,
    epilog="Example: quadflow figure sample-size --kappa 1 --decays 0,0.5 --alphas 0.4,0.6 "
    "--clean-alphas none --seeds 2",
)
@click.option(
    "--kappa",
    type=float,
    default=0.5,
    show_default=True,
    help="κ* of the Marchenko–Pastur teacher, with label noise.",
)
@click.option(
    "--label-noise",
    type=float,
    default=0.5,
    show_default=True,
    metavar="Δ",
    help="Variance of the label noise.",
)
@click.option(
    "--decays", default="0,0.3,1.2", show_default=True, metavar="ℓ,…", help="Orders of the weight decay."
)
@click.option(
    "--alphas", default="0.15,0.22,0.3,0.4,0.55,0.75", show_default=True, help="n/d² of the networks."
)
@click.option("--clean-kappa", type=float, default=0.2, show_default=True, help="κ* without label noise.")
@click.option(
    "--clean-alphas",
    default="0.15,0.22,0.3,0.38",
    show_default=True,
    help="n/d² of the networks without label noise; none: leave them out.",
)
@click.option(
    "--inputs", type=int, default=30, show_default=True, metavar="D", help="d and K of the networks."
)
@click.option("--points", type=int, default=31, show_default=True, help="Values of n/d² of each line.")
@click.option("--seeds", type=int, default=4, show_default=True, help="Data sets of each kind.")
@opt.seed_option
@figure_output("sample-size")
def sample_size(
    kappa: float,
    label_noise: float,
    decays: str,
    alphas: str,
    clean_kappa: float,
    clean_alphas: str,
    inputs: int,
    points: int,
    seeds: int,
    seed: int,
    output: str,
) -> None:
    """Test error against the number of samples over d²: double descent, weight decay, recovery of the teacher."""

    def make() -> Figure:
        from empirical.experiments.sample_size import sample_size_curves
        from figures.sample_size import sample_size_figure

        curves = sample_size_curves(
            kappa,
            label_noise,
            opt.parse_numbers("--decays", decays),
            clean_kappa=clean_kappa,
            inputs=inputs,
            alphas=opt.parse_numbers("--alphas", alphas),
            clean_alphas=[] if clean_alphas == "none" else opt.parse_numbers("--clean-alphas", clean_alphas),
            points=points,
            seeds=seeds,
            seed=seed,
            progress=True,
        )
        click.echo(curves.summary())
        return sample_size_figure(curves)

    draw_into(output, make)


FIGURES = (sample_size,)
