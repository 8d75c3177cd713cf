"""Worked examples in the help of commands, printed so that they can be copied into a shell."""

from __future__ import annotations

import shlex
from typing import Any

import click

from quadflow.groups import write_options
from quadflow.waiting import waiting

PREFIX = "Example: "


class Command(click.Command):
    """A command that shows its options in groups and, from its epilog, an example; a terminal sees that it works.

    The example is broken before options alone, with the backslash that a shell needs.
    """

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a terminal sees that it works."""
        with waiting(ctx.command_path):
            return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, group by group."""
        write_options(ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example below the options."""
        with formatter.section("Example"):
            for line in broken(
                " ".join(["quadflow", *map(shlex.quote, example_of(self))]), formatter.width - 2
            ):
                formatter.write(f"  {line}\n")


def example_of(command: click.Command) -> list[str]:
    """Arguments of `quadflow` in the worked example of a command."""
    return shlex.split((command.epilog or "").removeprefix(PREFIX))[1:]


def broken(call: str, width: int) -> list[str]:
    """Lines of a call, each but the last with a backslash; options stay with their values."""
    first, *others = call.split(" --")
    lines = [first]
    for option in others:
        if len(f"{lines[-1]} --{option} \\") <= width:
            lines[-1] += f" --{option}"
        else:
            lines.append(f"  --{option}")
    return [*(f"{line} \\" for line in lines[:-1]), lines[-1]]
