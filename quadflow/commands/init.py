"""`quadflow init`: a commented configuration, made from the options of a command."""

from __future__ import annotations

import inspect
import json
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from dynamics.errors import ProblemError
from quadflow.configuration import COMMAND, parameters, takes_several
from quadflow.examples import Command, example_of
from quadflow.options import json_option
from quadflow.output import echo_result, validate_output, write_text

WIDTH = 100
HELPERS = ("init", "run", "completion")  # commands that need no configuration


def complete_commands(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Names of commands, for the shell."""
    return [name for name in names(ctx.find_root()) if name.startswith(incomplete)]


@click.command(cls=Command, epilog="Example: quadflow init experiment.toml --command compare")
@click.argument("file", metavar="FILE.toml")
@click.option(
    "--command",
    "name",
    default="compare",
    show_default=True,
    shell_complete=complete_commands,
    help='The command that the file is for; a figure as "figure NAME".',
)
@click.option("--force", is_flag=True, help="Replace an existing file.")
@json_option
@click.pass_context
def command(ctx: click.Context, file: str, name: str, force: bool, as_json: bool) -> None:
    """Write a configuration with every option of a command, to be edited and run by `quadflow run`.

    The options of the command's worked example are set, all others stand there as comments.
    """
    validate_output(file, ("toml",), "FILE.toml")
    target = find_command(ctx.find_root(), name)
    if Path(file).exists() and not force:
        raise ProblemError(f"`FILE.toml` is {file!r}, which exists: `--force` replaces it.")
    write_text(file, template(target, " ".join(name.split()), file))
    result = {"output": file, "configures": " ".join(name.split()), "warnings": []}
    echo_result(result, lambda: f"written: {file}; edit it, then: quadflow run {shlex.quote(file)}", as_json)


def find_command(root: click.Context, name: str) -> click.Command:
    """The command of a name such as `compare` or `figure atlas`."""
    found, context = root.command, root
    name = " ".join(name.split())
    for word in name.split():
        if not isinstance(found, click.Group):
            raise ProblemError(f"{name!r:.60} is no command: {context.info_name!r} has no subcommands.")
        found = found.get_command(context, word) or found  # groups of ours refuse unknown names
        context = click.Context(found, info_name=word, parent=context)
    if isinstance(found, click.Group) or name in HELPERS:
        raise ProblemError(f"{name!r:.60} has no configuration; these have one: {', '.join(names(root))}.")
    return found


def names(root: click.Context) -> Iterator[str]:
    """Names of all commands that can be configured."""
    assert isinstance(root.command, click.Group)
    for name in root.command.list_commands(root):
        found = root.command.get_command(root, name)
        if isinstance(found, click.Group):
            yield from (f"{name} {figure}" for figure in found.list_commands(root))
        elif name not in HELPERS:
            yield name


def template(command: click.Command, name: str, file: str) -> str:
    """Contents of the configuration: the worked example, and every other option at its default."""
    defaults = command.make_context(name, [], resilient_parsing=True)
    example = command.make_context(name, example_of(command)[len(name.split()) :], resilient_parsing=True)
    about = inspect.cleandoc(command.help or "").split("\n\n")[0]
    lines = [
        *_comment(f"Configuration of `quadflow {name}`: {about}"),
        "#",
        *_comment(f"Run it with `quadflow run {file}`. Options that follow the file name win over the file."),
        *_comment(
            "What is set is a worked example. Remove the # before a name to set that option; the value shown is the"
            " default, or a placeholder in capitals where there is none. Paths are relative to the folder where"
            " you run."
        ),
        "",
        f"{COMMAND} = {toml_value(name)}",
    ]
    for key, parameter in parameters(command).items():
        lines += ["", *_comment(_explanation(parameter))]
        python_name = str(parameter.name)
        default = defaults.params.get(python_name)
        if example.get_parameter_source(python_name) is ParameterSource.COMMANDLINE:
            lines.append(f"{key} = {toml_value(example.params[python_name])}")
        elif default is None or default == ():
            lines.append(f"#{key} = {_blank(parameter)}")
        else:
            lines.append(f"#{key} = {toml_value(default)}")
    return "\n".join(lines) + "\n"


def toml_value(value: Any) -> str:
    """A value in TOML; text and truth values are written as in JSON."""
    if isinstance(value, tuple):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def _explanation(parameter: click.Parameter) -> str:
    """Help of an option, with its choices; an argument has none of its own."""
    text = (
        getattr(parameter, "help", None) or f"What the usage line of --help calls {_placeholder(parameter)}."
    )
    if isinstance(parameter.type, click.Choice):
        text += f" One of: {', '.join(parameter.type.choices)}."
    return text


def _blank(parameter: click.Parameter) -> str:
    """What stands where a value is missing: text to be replaced; for a number, no TOML until it is."""
    if isinstance(parameter.type, click.Choice):
        return toml_value(parameter.type.choices[0])
    name = _placeholder(parameter)
    if isinstance(parameter.type, click.types.IntParamType | click.types.FloatParamType):
        return name
    return toml_value((name,)) if takes_several(parameter) else toml_value(name)


def _placeholder(parameter: click.Parameter) -> str:
    return parameter.metavar or parameter.type.name.upper()


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
