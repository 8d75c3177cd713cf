"""Configurations: TOML files with the options of one command, by the names they have on the command line."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

import click

from dynamics.errors import ProblemError
from dynamics.suggestions import did_you_mean

COMMAND = "command"  # the key that says which command a file is for
UNCONFIGURED = ("config", "help")


def read_toml(path: str, what: str) -> dict[str, Any]:
    """Contents of a TOML file; `what` names it in errors."""
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ProblemError(f"{what} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProblemError(f"{what} is not valid TOML: {error}.") from None


def parameters(command: click.Command) -> dict[str, click.Parameter]:
    """Options and arguments of a command by their names in a file, in the order of its help."""
    named = {parameter_name(parameter): parameter for parameter in command.params}
    return {name: parameter for name, parameter in named.items() if name not in UNCONFIGURED}


def parameter_name(parameter: click.Parameter) -> str:
    """`init-scale` for the option `--init-scale`; the name of an argument."""
    return max(parameter.opts, key=len).lstrip("-")


def chosen_parameters(
    command: click.Command, values: Mapping[str, Any], what: str
) -> list[tuple[click.Parameter, Any]]:
    """The parameters that a file sets, with its values; refuses names that the command does not know."""
    known = parameters(command)
    chosen = []
    for key, value in values.items():
        name = key.replace("_", "-")
        if name not in known:
            raise ProblemError(
                f"{what} names the unknown option {key!r}.{did_you_mean(name, known)} Known are: "
                f"{', '.join(sorted(known))}."
            )
        if isinstance(value, dict):
            raise ProblemError(f"{what} has a table [{key}], but options stand on the top level.")
        chosen.append((known[name], value))
    return chosen


def as_option(value: Any) -> Any:
    """TOML lists such as [4, 2, 1] as the text that an option would have."""
    return ",".join(str(v) for v in value) if isinstance(value, list) else value


def takes_several(parameter: click.Parameter) -> bool:
    """Whether a parameter has a list of values."""
    return parameter.nargs == -1 or (isinstance(parameter, click.Option) and parameter.multiple)


def to_arguments(chosen: Iterable[tuple[click.Parameter, Any]]) -> tuple[list[str], list[str]]:
    """Options, and positional arguments, that one would type for these values."""
    options: list[str] = []
    positional: list[str] = []
    for parameter, value in chosen:
        name = parameter_name(parameter)
        several = value if takes_several(parameter) and isinstance(value, list) else [value]
        texts = [str(as_option(v)) for v in several]
        if isinstance(parameter, click.Argument):
            positional += texts
        elif isinstance(parameter, click.Option) and parameter.is_flag:
            if not isinstance(value, bool):
                raise ProblemError(f"`{name}` is {value!r}, but must be true or false.")
            options += [f"--{name}"] if value else []
        else:
            for text in texts:
                options += [f"--{name}", text]
    return options, positional
