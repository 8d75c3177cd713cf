"""Figure of the gallery about what a random start has to wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dynamics.errors import ProblemError
from quadflow import options as opt
from quadflow.examples import Command
from quadflow.gallery.common import draw_into, figure_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@click.command(
    "escape-times",
    cls=Command,
    epilog="Example: quadflow figure escape-times --activations relu,abs --largest 100,100 --rates 1,2",
)
@click.option(
    "--activations",
    default="hermite:2,hermite:3,hermite:4",
    show_default=True,
    help="Of student and teacher alike.",
)
@click.option(
    "--largest",
    default="896,112,28",
    show_default=True,
    metavar="D,…",
    help="For each, the largest d at which networks are trained; 0: none.",
)
@click.option(
    "--rates",
    default="0.05,0.1,0.15,0.2,0.25,0.4",
    show_default=True,
    metavar="ηd,…",
    help="Steps times d of one-pass SGD, with the first activation; none: no SGD.",
)
@click.option("--overlap", type=float, default=0.5, show_default=True, help="That is reached.")
@click.option(
    "--seeds", type=int, default=16, show_default=True, help="Networks for each d, four times as many by SGD."
)
@opt.seed_option
@click.option("--device", default="cpu", show_default=True, help="PyTorch device, such as cuda.")
@figure_output("escape-times")
def escape_times(
    activations: str,
    largest: str,
    rates: str,
    overlap: float,
    seeds: int,
    seed: int,
    device: str,
    output: str,
) -> None:
    """Time until one unit has learned something, against the input dimension and the step of SGD."""

    def make() -> Figure:
        from empirical.experiments.escape import escape_times as compute
        from figures.escape_times import escape_times_figure

        times = compute(
            split_names(activations),
            [whole("--largest", d) for d in opt.parse_numbers("--largest", largest)],
            [] if rates == "none" else opt.parse_numbers("--rates", rates),
            overlap=overlap,
            seeds=seeds,
            seed=seed,
            device=device,
            progress=True,
        )
        click.echo(times.summary())
        return escape_times_figure(times)

    draw_into(output, make)


def whole(option: str, number: float) -> int:
    """A whole number among those of an option."""
    if not number.is_integer():
        raise ProblemError(f"`{option}` names {number:g}, but must name whole numbers.")
    return int(number)


def split_names(text: str) -> list[str]:
    """Names of activations between commas; numbers go with the name before them, as in polynomial:0,1,0.5."""
    names: list[str] = []
    for part in (part.strip() for part in text.split(",")):
        if names and is_number(part):
            names[-1] += f",{part}"
        else:
            names.append(part)
    return names


def is_number(text: str) -> bool:
    """Whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


@click.command(
    "exit-times",
    cls=Command,
    epilog="Example: quadflow figure exit-times --inputs 200,600 --rate 0.04 --label-noise 1",
)
@click.option("--inputs", default="200,2000", show_default=True, metavar="D,…", help="Input dimensions d.")
@click.option(
    "--rate", type=float, default=0.05, show_default=True, metavar="ηd/B", help="Step times d over the batch."
)
@click.option(
    "--label-noise", type=float, default=0.0, show_default=True, help="Variance Δ of the label noise."
)
@click.option(
    "--activation",
    default="quadratic",
    show_default=True,
    metavar="SPEC",
    help="Of student and teacher alike, of information exponent 2.",
)
@click.option(
    "--overlap",
    type=float,
    default=0.5**0.5,
    show_default="√½: half of the loss",
    metavar="m",
    help="Cosine with the teacher that is reached.",
)
@click.option("--seeds", type=int, default=400, show_default=True, help="Networks of each dimension.")
@opt.seed_option
@figure_output("exit-times")
def exit_times(
    inputs: str,
    rate: float,
    label_noise: float,
    activation: str,
    overlap: float,
    seeds: int,
    seed: int,
    output: str,
) -> None:
    """How much the time to learn scatters over networks: trained ones beside the law, in two dimensions."""

    def make() -> Figure:
        from empirical.experiments.exit_times import exit_times as compute
        from figures.exit_times import exit_times_figure

        times = compute(
            [whole("--inputs", d) for d in opt.parse_numbers("--inputs", inputs)],
            rate,
            label_noise=label_noise,
            activation=activation,
            overlap=overlap,
            seeds=seeds,
            seed=seed,
            progress=True,
        )
        click.echo(times.summary())
        return exit_times_figure(times)

    draw_into(output, make)


FIGURES = (escape_times, exit_times)
