"""`quadflow invariance`: G-SGD does not see a rescaling of the weights, SGD does."""

from __future__ import annotations

from typing import Any

import click

from quadflow import options as opt
from quadflow.examples import Command
from quadflow.output import echo_result, to_json, validate_output, write_figure, write_text


@click.command(
    cls=Command, epilog="Example: quadflow invariance --inputs 6 --hidden 8 --outputs 2 --steps 300"
)
@click.option("--inputs", type=int, default=6, show_default=True, help="Input dimension.")
@click.option("--hidden", type=int, default=8, show_default=True, help="Units of every hidden layer.")
@click.option("--outputs", type=int, default=2, show_default=True, help="Outputs.")
@click.option("--layers", type=int, default=2, show_default=True, help="Layers of weights.")
@click.option("--activation", default="relu", show_default=True, help="A homogeneous activation, by name.")
@click.option("--steps", type=int, default=300, show_default=True, help="Training steps.")
@click.option("--step", type=float, help="Learning rate [default: a tenth of the largest stable one].")
@click.option("--batch", type=int, default=64, show_default=True, help="Fresh samples per step.")
@click.option("--spread", type=float, default=2.0, show_default=True, help="Largest factor of the rescaling.")
@opt.seed_option
@opt.output_option("Write the JSON object (.json) or the figure (.png, .pdf, .svg).")
@opt.json_option
def command(output: str | None, as_json: bool, **options: Any) -> None:
    """Train two copies of a bias-free network, one rescaled, by G-SGD and by SGD on the same data."""
    from empirical.experiments.invariance import invariance

    suffix = validate_output(output, ("json", "png", "pdf", "svg"))
    result = invariance(**options, progress=True)
    if output is not None and suffix == "json":
        write_text(output, to_json(result.to_dict()) + "\n")
    elif output is not None:
        from figures.invariance import invariance_figure as draw

        assert suffix is not None
        write_figure(draw(result), output, suffix)
    echo_result(result.to_dict(), result.summary, as_json)
