"""`quadflow figure NAME`: the gallery, one subcommand per figure."""

from __future__ import annotations

import click

from dynamics.suggestions import did_you_mean
from quadflow.gallery import (
    activations,
    companions,
    conservation,
    curves,
    escape,
    gaussianity,
    losses,
    networks,
    neuron,
    practice,
    published,
    saddles,
    sample_size,
    spectrum,
    study,
    sweep,
)
from quadflow.gallery.durations import durations, in_steps

LONGEST_HELP = 200  # characters of the first sentence of a figure


class Gallery(click.Group):
    """Names the figures when one is misspelt."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Figure by name."""
        found = super().get_command(ctx, name)
        if found is None:
            hint = did_you_mean(name, self.commands)
            raise click.UsageError(f"No such figure {name!r}.{hint} Figures: {', '.join(self.commands)}.")
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """All figures with their first sentence in full."""
        with formatter.section("Figures"):
            formatter.write_dl(
                [(name, c.get_short_help_str(LONGEST_HELP)) for name, c in sorted(self.commands.items())]
            )


@click.group(cls=Gallery, invoke_without_command=True, no_args_is_help=False)
@click.option(
    "--list",
    "list_figures",
    is_flag=True,
    help="List the figures, with the time that each takes with its defaults on two cores.",
)
@click.pass_context
def command(ctx: click.Context, list_figures: bool) -> None:
    """Draw a figure of the gallery; each has defaults that show its point."""
    if list_figures:
        taken = durations()
        for name, figure in sorted(command.commands.items()):
            long = in_steps(taken[name]) if name in taken else ""
            click.echo(f"{name:20} {long:>5}  {figure.get_short_help_str(LONGEST_HELP)}")
    elif ctx.invoked_subcommand is None:
        raise click.UsageError(f"Which figure? One of: {', '.join(command.commands)}.")


# the modules of the gallery: one line each
for module in (
    curves,
    saddles,
    sample_size,
    spectrum,
    activations,
    losses,
    companions,
    conservation,
    networks,
    neuron,
    practice,
    escape,
    gaussianity,
    sweep,
    study,
    published,
):
    for figure in module.FIGURES:
        command.add_command(figure)
