"""What all figures of the gallery share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from dynamics.errors import ProblemError
from quadflow.examples import Command
from quadflow.groups import LOOK as LOOK_GROUP
from quadflow.groups import OUTPUT, Option
from quadflow.options import Decorator
from quadflow.output import validate_output, write_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "pdf", "svg")
FILMS = ("gif", "mp4")

# What is given, and the defaults of a figure that it replaces as a whole: they describe another thing of its kind
# (weights of one's own have their own size) or contradict it (two lengths of training).
REPLACES = {
    **dict.fromkeys(("init_order", "init_form"), ("inputs", "hidden", "init", "init_scale")),
    "mean_field": ("hidden", "init"),
    "init_file": ("inputs", "hidden", "outputs", "init", "init_scale", "second_layer"),
    "t_end": ("steps",),
    "steps": ("t_end",),
    "times": ("steps", "t_end"),
    "correction": ("sgd",),
    "loss": ("bias",),
    "data": ("teacher", "inputs", "outputs", "t_end", "step", "batch", "bias"),
}


class FigureCommand(Command):
    """A figure with defaults that show its point; what is given beats them as a whole, see `REPLACES`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Drop the defaults that given options replace, on the command line or in a configuration."""
        defaults, given = dict(ctx.default_map or {}), self._given(ctx, args)
        # what is given as it would be by default replaces nothing
        others = [name for name, value in given.items() if name not in defaults or value != defaults[name]]
        lost = {name for option in others for name in REPLACES.get(option, ())}
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


LOOK = "quadflow.look"  # where a context keeps what is said about the look of its figure


@dataclass
class Look:
    """How a figure shall look: what was said on the command line."""

    size: tuple[float, float] | None = None
    title: str | None = None
    xscale: str | None = None
    style: str = "paper"
    dpi: float | None = None


def figure_output(name: str, formats: str = ".png, .pdf or .svg.") -> Decorator:
    """`--output` of a figure, by default NAME.png in the current folder, and the options of its look."""

    def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(LOOK_OPTIONS):
            function = option(function)
        return click.option(
            "--output",
            cls=Option,
            group=OUTPUT,
            metavar="PATH",
            default=f"{name}.png",
            show_default=True,
            help=formats,
        )(function)

    return decorated


def draw_into(path: str, make: Callable[[], Figure]) -> None:
    """Check the file name, make the figure in the look that was asked for, write it, say so."""
    if suffix_of(path) in FILMS:
        from figures.animation.table import ANIMATED

        *most, last = ANIMATED
        raise ProblemError(
            f"`--output` is {path!r}, but only {', '.join(most)} and {last} can be animated: its name must end in: "
            f"{', '.join(FORMATS)}."
        )
    suffix = validate_output(path, FORMATS)
    assert suffix is not None
    chosen = current_look()
    from dynamics.validation import validate_real

    dpi = None if chosen.dpi is None else validate_real("dpi", chosen.dpi, positive=True, size=RESOLUTIONS)
    figure = finished(make, chosen)
    write_figure(figure, path, suffix, dpi)
    click.echo(f"written: {path}")


def finished(make: Callable[[], Figure], chosen: Look) -> Figure:
    """Make a figure in the look that was asked for."""
    from dynamics.progress import stage
    from figures.finishing import finish, fit_labels
    from figures.look import look
    from figures.style import paper

    with look(chosen.style, chosen.size):
        figure = make()
        with paper(), stage("laying out the figure"):
            finish(figure, chosen.title, chosen.xscale)
            # at its own size every figure was looked at
            if chosen.size is not None or chosen.style == "slides":
                fit_labels(figure)
    return figure


def current_look() -> Look:
    """What was said about the look of the figure of the running command."""
    return click.get_current_context().meta.get(LOOK) or Look()


def suffix_of(path: str) -> str:
    """What a file name ends in, small letters."""
    return Path(path).suffix.lower().lstrip(".")


def _said(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Keep what an option says about the look."""
    setattr(ctx.meta.setdefault(LOOK, Look()), parameter.name or "", value)


class Size(click.ParamType):
    """Width and height in inches, as 7x3."""

    name = "WxH"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float]:
        """Two numbers."""
        parts = str(value).lower().split("x")
        try:
            width, height = map(float, parts)
        except ValueError:
            width = height = 0.0
        if not (SMALLEST <= width <= LARGEST and SMALLEST <= height <= LARGEST):
            self.fail(
                f"{value!r} is no size: give width and height in inches, {SMALLEST:g} to {LARGEST:g}, as 7x3.",
                param,
                ctx,
            )
        return width, height


SMALLEST, LARGEST = 1.0, 40.0  # inches
RESOLUTIONS = 20.0, 1200.0  # points per inch
LOOK_OPTIONS = (
    click.option(
        "--size",
        cls=Option,
        group=LOOK_GROUP,
        type=Size(),
        metavar="7x3",
        expose_value=False,
        callback=_said,
        help="Width and height in inches.",
    ),
    click.option(
        "--title",
        cls=Option,
        group=LOOK_GROUP,
        metavar="TEXT",
        expose_value=False,
        callback=_said,
        help="Title above the figure.",
    ),
    click.option(
        "--xscale",
        cls=Option,
        group=LOOK_GROUP,
        type=click.Choice(("linear", "log")),
        expose_value=False,
        callback=_said,
        help="Scale of time axes.",
    ),
    click.option(
        "--style",
        cls=Option,
        group=LOOK_GROUP,
        type=click.Choice(("paper", "slides", "dark")),
        default="paper",
        show_default=True,
        expose_value=False,
        callback=_said,
        help="For a column of a paper, slides, or a dark page.",
    ),
    click.option(
        "--dpi",
        cls=Option,
        group=LOOK_GROUP,
        type=float,
        expose_value=False,
        callback=_said,
        help="Points per inch of a PNG, 20 to 1200 [default: 300].",
    ),
)
