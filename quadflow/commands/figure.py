"""`quadflow figure NAME`: the gallery, one subcommand per figure."""

from __future__ import annotations

import difflib
from typing import Any

import click

from quadflow.commands.compare import FIGURES, compare_options, run_comparison
from quadflow.options import parse_numbers
from quadflow.output import validate_output, write_figure


class Gallery(click.Group):
    """Names the figures when one is misspelt."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Figure by name."""
        found = super().get_command(ctx, name)
        if found is None:
            close = difflib.get_close_matches(name, self.commands, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise click.UsageError(f"No such figure {name!r}.{hint} Figures: {', '.join(self.commands)}.")
        return found


@click.group(cls=Gallery, invoke_without_command=True, no_args_is_help=False)
@click.option("--list", "list_figures", is_flag=True, help="List the figures.")
@click.pass_context
def command(ctx: click.Context, list_figures: bool) -> None:
    """Draw a figure of the gallery; each has defaults that show its point."""
    if list_figures:
        for name, figure in sorted(command.commands.items()):
            click.echo(f"{name:20} {figure.get_short_help_str(90)}")
    elif ctx.invoked_subcommand is None:
        raise click.UsageError(f"Which figure? One of: {', '.join(command.commands)}.")


# The demonstration: three modes, plateaus at 45.5, 8 and 1.25 with the drops between them.
LEARNING_CURVES = {
    "teacher": "4,2,1",
    "inputs": 6,
    "hidden": 8,
    "init_scale": 0.05,
    "seed": 3,
    "step": 5e-4,
    "t_end": 7.0,
    "batch": 512,
    "seeds": 8,
}


@command.command(
    "learning-curves",
    context_settings={"default_map": LEARNING_CURVES},
    epilog="Example: quadflow figure learning-curves --teacher 3,1,-2 --init-scale 0.03 --t-end 12 --output mine.pdf",
)
@compare_options
@click.option(
    "--output", metavar="PATH", default="learning-curves.png", show_default=True, help=".png, .pdf or .svg."
)
def learning_curves(output: str, **options: Any) -> int:
    """Loss and teacher modes: trained networks on the curves of the theory, with the plateau levels."""
    suffix = validate_output(output, FIGURES)
    assert suffix is not None
    if options["steps"] is not None:
        options["t_end"] = None  # a number of steps replaces the default end time
    comparison = run_comparison(options)
    from figures import learning_curves as draw

    write_figure(draw(comparison), output, suffix)
    click.echo(f"{comparison.summary()}\nwritten: {output}")
    return 0


@command.command(
    "phase-portrait",
    epilog="Example: quadflow figure phase-portrait --eigenvalue 1 --start -1,1.6 --start -1.2,1",
)
@click.option("--eigenvalue", type=float, default=1.0, show_default=True, help="λ of the teacher.")
@click.option("--activation", default="quadratic", show_default=True, help="quadratic or centred.")
@click.option(
    "--start", "starts", multiple=True, metavar="A,P", help="Initial state of a trajectory; repeat at will."
)
@click.option("--extent", type=float, default=2.0, show_default=True, help="Shown are |a|, |p| up to this.")
@click.option(
    "--output", metavar="PATH", default="phase-portrait.png", show_default=True, help=".png, .pdf or .svg."
)
def phase_portrait(
    eigenvalue: float, activation: str, starts: tuple[str, ...], extent: float, output: str
) -> int:
    """One mode in its phase plane (a, p): nullclines, fixed points, separatrix, and who fails to learn."""
    from dynamics.phase_plane import phase_plane
    from figures.phase_portrait import phase_portrait as draw

    suffix = validate_output(output, FIGURES)
    assert suffix is not None
    states = [parse_numbers("--start", start) for start in starts] or PORTRAIT_STARTS
    plane = phase_plane(eigenvalue, states, activation=activation, extent=extent)
    write_figure(draw(plane), output, suffix)
    click.echo(f"written: {output}")
    return 0


# on both sides of the separatrix, and one beyond the minima
PORTRAIT_STARTS = [[-1.0, 1.6], [-1.2, 1.0], [-0.5, 0.3], [0.1, -0.3], [-0.9, -1.4], [1.6, -1.8]]
