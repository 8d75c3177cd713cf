"""What all figures of the gallery share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from quadflow.examples import Command
from quadflow.options import Decorator
from quadflow.output import validate_output, write_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "pdf", "svg")

# What is given, and the defaults of a figure that it replaces as a whole: they describe another thing of its kind
# (weights of one's own have their own size) or contradict it (two lengths of training).
REPLACES = {
    "init_file": ("inputs", "hidden", "outputs", "init", "init_scale", "second_layer"),
    "t_end": ("steps",),
    "steps": ("t_end",),
    "times": ("steps", "t_end"),
    "correction": ("sgd",),
    "data": ("teacher", "inputs", "outputs", "t_end", "step", "batch"),
}


class FigureCommand(Command):
    """A figure with defaults that show its point; what is given beats them as a whole, see `REPLACES`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Drop the defaults that given options replace, on the command line or in a configuration."""
        defaults, given = dict(ctx.default_map or {}), self._given(ctx, args)
        lost = {name for option in given for name in REPLACES.get(option, ())}
        if "teacher" in given and is_larger(given["teacher"], defaults.get("inputs")):
            lost.add("inputs")
        ctx.default_map = {name: value for name, value in defaults.items() if name not in lost}
        return super().parse_args(ctx, args)

    def _given(self, ctx: click.Context, args: list[str]) -> dict[str, Any]:
        """Options that somebody set, found by a trial without the defaults of the figure."""
        trial = click.Context(self, ctx.parent, ctx.info_name, resilient_parsing=True)  # silent about errors
        super().parse_args(trial, list(args))
        return {
            name: value
            for name, value in trial.params.items()
            if trial.get_parameter_source(name) is not ParameterSource.DEFAULT
        }


def is_larger(teacher: object, inputs: int | None) -> bool:
    """Whether a teacher has, or may have, more inputs than the default of a figure."""
    try:
        return inputs is not None and len([float(part) for part in str(teacher).split(",")]) > inputs
    except ValueError:  # a file or a power law
        return True


def figure_output(name: str) -> Decorator:
    """`--output` of a figure, by default NAME.png in the current folder."""
    return click.option(
        "--output", metavar="PATH", default=f"{name}.png", show_default=True, help=".png, .pdf or .svg."
    )


def draw_into(path: str, make: Callable[[], Figure]) -> None:
    """Check the file name, make the figure, write it, say so."""
    suffix = validate_output(path, FORMATS)
    assert suffix is not None
    write_figure(make(), path, suffix)
    click.echo(f"written: {path}")
