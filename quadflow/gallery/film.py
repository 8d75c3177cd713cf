"""Figures of the gallery that can be animated: `--output x.gif` and `x.mp4`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import click

from quadflow.gallery.common import (
    FILMS,
    FORMATS,
    current_look,
    draw_into,
    figure_output,
    finished,
)
from quadflow.groups import LOOK, Option
from quadflow.options import Decorator
from quadflow.options.ignored import note_without_effect
from quadflow.output import validate_output, write_file

FILM = "quadflow.film"  # where a context keeps what is said about the animation
RESOLUTIONS = 20.0, 300.0  # points per inch


@dataclass
class Film:
    """How an animation shall run: what was said on the command line."""

    seconds: float = 8.0
    frames_per_second: float = 20.0


def film_output(name: str) -> Decorator:
    """`--output` of a figure that can be animated, and the options of its look and of the animation."""

    def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(OPTIONS):
            function = option(function)
        return figure_output(name, ".png, .pdf or .svg; .gif or .mp4 to animate it.")(function)

    return decorated


def show_into(path: str, name: str, compute: Callable[[], Any]) -> None:
    """Draw a result of a figure of the table of animated ones, as a picture or as it happens; write it, say so."""
    suffix = validate_output(path, (*FORMATS, *FILMS))
    if suffix in FILMS:
        _film(path, name, compute)
    else:
        _draw(path, name, compute)


def _film(path: str, name: str, compute: Callable[[], Any]) -> None:
    """As it happens."""
    film: Film = click.get_current_context().meta.get(FILM) or Film()
    chosen = current_look()
    from dynamics.validation import validate_real
    from figures.animation.files import save_animation, validate_film
    from figures.animation.film import animate_drawn, count_frames
    from figures.animation.table import ANIMATED

    kind = validate_film(path)
    count_frames(film.seconds, film.frames_per_second)
    if chosen.dpi is not None:
        validate_real("dpi", chosen.dpi, positive=True, size=RESOLUTIONS)
    result = compute()
    figure = finished(lambda: ANIMATED[name]().draw(result), chosen)
    figure.set_dpi(chosen.dpi or figure.dpi)
    animation = animate_drawn(name, figure, result, **asdict(film))
    write_file(path, lambda file: save_animation(animation, file, kind, progress=True))
    click.echo(f"written: {path}")


def _draw(path: str, name: str, compute: Callable[[], Any]) -> None:
    """A picture that stands still."""

    def make() -> Any:
        from figures.animation.table import ANIMATED

        return ANIMATED[name]().draw(compute())

    draw_into(path, make)
    note_without_effect(["seconds", "frames_per_second"], "on a picture that stands still")


def _said(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Keep what an option says about the animation."""
    setattr(ctx.meta.setdefault(FILM, Film()), parameter.name or "", value)


OPTIONS = (
    click.option(
        "--seconds",
        cls=Option,
        group=LOOK,
        type=float,
        default=8.0,
        show_default=True,
        expose_value=False,
        callback=_said,
        help="Length of an animation (.gif, .mp4), at most 60; the last frame stays 2 seconds longer.",
    ),
    click.option(
        "--frames-per-second",
        cls=Option,
        group=LOOK,
        type=float,
        default=20.0,
        show_default=True,
        expose_value=False,
        callback=_said,
        help="Of an animation, at most 50; its resolution is 150 points per inch unless `--dpi` says another.",
    ),
)
