"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from dynamics.errors import ProblemError
from quadflow import groups
from quadflow.configuration import COMMAND, chosen_parameters
from quadflow.options.ignored import CONFIGURED

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
Completion = Callable[[click.Context, click.Parameter, str], list[str]]


def together(*options: Decorator) -> Decorator:
    """Several options as one decorator, in reading order."""
    return lambda function: reduce(lambda f, option: option(f), reversed(options), function)


def refuses(*names: str) -> Callable[[click.Command], click.Command]:
    """Leave options that a command always refuses out of its help; who gives one still reads the reason."""

    def decorate(command: click.Command) -> click.Command:
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.name in names:
                parameter.hidden = True
        return command

    return decorate


LIMIT = 2**63  # of whole numbers: neither NumPy nor PyTorch counts further


class WholeNumber(click.types.IntParamType):
    """Whole numbers below 2⁶³ in size."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; a longer one is not even read, and not repeated in the message."""
        text = value.strip() if isinstance(value, str) else ""
        long = len(text) > 20 and text.lstrip("+-").isdigit()
        number = LIMIT if long else super().convert(value, param, ctx)
        if abs(number) >= LIMIT:
            self.fail("a whole number must be below 2^63 in size.", param, ctx)
        return int(number)


def limit_counts(command: click.Command) -> None:
    """Make every option of the type `int` a `WholeNumber`, in subcommands as well."""
    for parameter in command.params:
        if parameter.type is click.INT:
            parameter.type = WholeNumber()
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            limit_counts(inner)


def load_config(ctx: click.Context, _: click.Parameter, path: str | None) -> None:
    """Make a TOML file the default of the command's options; the command line wins."""
    if path is None:
        return
    from dynamics.files.documents import read_toml

    what = f"`--config` {path!r}"
    values = read_toml(path, what)
    name = values.pop(COMMAND, None)  # in files of `quadflow init`
    words = ctx.command_path.split()[1:]
    if name is not None and str(name).split() != words:
        raise ProblemError(f"{what} is for the command {str(name)!r}, but this is {' '.join(words)!r}.")
    defaults = {
        str(parameter.name): value for parameter, value in chosen_parameters(ctx.command, values, what)
    }
    ctx.meta[CONFIGURED] = [*defaults]
    ctx.default_map = {**(ctx.default_map or {}), **defaults}


def complete_files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Leave the completion of file names to the shell."""
    return [CompletionItem(incomplete, type="file")]


def complete_from(module: str, table: str) -> Completion:
    """Completion of the names in a table, which is imported only when the shell asks."""

    def complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
        return [name for name in getattr(import_module(module), table) if name.startswith(incomplete)]

    return complete


def listed(names: Iterable[str]) -> str:
    """Names in a sentence: a, b or c."""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


config_option = click.option(
    "--config",
    cls=groups.Option,
    group=groups.GENERAL,
    metavar="FILE.toml",
    shell_complete=complete_files,
    is_eager=True,
    expose_value=False,
    callback=load_config,
    help="Options by the same names in a TOML file; the command line wins.",
)
json_option = click.option(
    "--json", "as_json", cls=groups.Option, group=groups.OUTPUT, is_flag=True, help="Print one JSON object."
)
seed_option = click.option(
    "--seed", type=int, default=0, show_default=True, help="Seed of every random number."
)


def tensors_option(file: str) -> Decorator:
    """`--init-tensors` for the option that names the file."""
    return click.option(
        "--init-tensors",
        metavar="W_NAME[,A_NAME]",
        help=f"Names of W and of the second layer in {file} [default: found by name or shape].",
    )


def output_option(what: str) -> Decorator:
    """`--output` with a help text that says what is written."""
    return click.option(
        "--output",
        cls=groups.Option,
        group=groups.OUTPUT,
        metavar="PATH",
        shell_complete=complete_files,
        help=what,
    )


def parse_numbers(option: str, text: str) -> list[float]:
    """Comma-separated numbers."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise ProblemError(f"`{option}` is {text!r}, but must be numbers separated by commas.") from None
