"""`quadflow run`: the command that a configuration describes."""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

from dynamics.errors import ProblemError
from quadflow.commands.init import find_command
from quadflow.configuration import COMMAND, chosen_parameters, to_arguments
from quadflow.examples import Command
from quadflow.options import complete_files


@click.command(
    cls=Command,
    context_settings={"ignore_unknown_options": True},
    epilog="Example: quadflow run experiment.toml --seed 7 --json",
)
@click.argument("file", metavar="FILE.toml", shell_complete=complete_files)
@click.argument("overrides", nargs=-1, type=click.UNPROCESSED, metavar="[OPTIONS OF THE COMMAND]…")
@click.pass_context
def command(ctx: click.Context, file: str, overrides: tuple[str, ...]) -> Any:
    """Run the command that a configuration (see `quadflow init`) describes; options given here win over it."""
    root = ctx.find_root()
    assert isinstance(root.command, click.Group)
    arguments = command_line(root, file, overrides)
    root.obj = arguments  # results name the command in full: it repeats them without the file
    name, *rest = arguments
    target = root.command.get_command(root, name)
    assert target is not None
    with target.make_context(name, rest, parent=root) as context:
        return target.invoke(context)


def command_line(root: click.Context, file: str, overrides: tuple[str, ...]) -> list[str]:
    """What one would type instead: the command, the options of the file that are not overridden, the others."""
    from dynamics.files.documents import read_toml

    what = f"The configuration {file!r}"
    values = read_toml(file, what)
    name = values.pop(COMMAND, None)
    if not isinstance(name, str):
        raise ProblemError(f'{what} does not say which command to run: give it a line {COMMAND} = "compare".')
    target = find_command(root, name)
    given = target.make_context(name, [*overrides], resilient_parsing=True)
    options, positional = to_arguments(
        (parameter, value)
        for parameter, value in chosen_parameters(target, values, what)
        if given.get_parameter_source(str(parameter.name)) is not ParameterSource.COMMANDLINE
    )
    guard = ["--"] if any(text.startswith("-") for text in positional) else []
    return [*name.split(), *options, *overrides, *guard, *positional]
