"""Configurations: TOML files with the options of one command, by the names they have on the command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click

from dynamics.errors import ProblemError
from dynamics.suggestions import did_you_mean

COMMAND = "command"  # the key that says which command a file is for
UNCONFIGURED = ("config", "help")

Typed = bool | str | list[str]  # what one would type: a flag or not, a text, or several of them


def parameters(command: click.Command) -> dict[str, click.Parameter]:
    """Options and arguments of a command by their names in a file, in the order of its help."""
    named = {parameter_name(parameter): parameter for parameter in command.params}
    return {name: parameter for name, parameter in named.items() if name not in UNCONFIGURED}


def parameter_name(parameter: click.Parameter) -> str:
    """`init-scale` for the option `--init-scale`; the name of an argument."""
    return max(parameter.opts, key=len).lstrip("-")


def chosen_parameters(
    command: click.Command, values: Mapping[str, Any], what: str
) -> list[tuple[click.Parameter, Typed]]:
    """The parameters that a file sets, with what one would type for its values.

    Raises
    ------
    ProblemError
        If the command does not know a name, a name stands there twice, or a value is not of the option's type.
    """
    known = parameters(command)
    chosen: dict[str, tuple[click.Parameter, Typed]] = {}
    for key, value in values.items():
        name = key.replace("_", "-")
        if name not in known:
            raise ProblemError(
                f"{what} names the unknown option {key!r:.60}.{did_you_mean(name[:60], known)} Known are: "
                f"{', '.join(sorted(known))}."
            )
        if isinstance(value, dict):
            raise ProblemError(f"{what} has a table [{key}], but options stand on the top level.")
        if name in chosen:
            raise ProblemError(f"{what} sets {name!r} twice: once with - and once with _ in its name.")
        chosen[name] = known[name], _typed(known[name], value, what)
    return list(chosen.values())


def takes_several(parameter: click.Parameter) -> bool:
    """Whether a parameter has a list of values."""
    return parameter.nargs == -1 or (isinstance(parameter, click.Option) and parameter.multiple)


def to_arguments(chosen: Iterable[tuple[click.Parameter, Typed]]) -> tuple[list[str], list[str]]:
    """Options, and positional arguments, that one would type for these values."""
    options: list[str] = []
    positional: list[str] = []
    for parameter, value in chosen:
        name = parameter_name(parameter)
        if isinstance(value, bool):
            options += [f"--{name}"] if value else []
            continue
        for text in [value] if isinstance(value, str) else value:
            if isinstance(parameter, click.Argument):
                positional.append(text)
            else:
                options += [f"--{name}", text]
    return options, positional


def _typed(parameter: click.Parameter, value: Any, what: str) -> Typed:
    """What one would type for a value of a file; a truth value is never a number, a number never a flag."""
    if isinstance(parameter, click.Option) and parameter.is_flag:
        if not isinstance(value, bool):
            raise _mistyped(parameter, value, what, "true or false")
        return value
    if takes_several(parameter):
        return [_text(parameter, v, what) for v in (value if isinstance(value, list) else [value])]
    return _text(parameter, value, what)


def _text(parameter: click.Parameter, value: Any, what: str) -> str:
    """One value as text; a list such as [4, 2, 1] as "4,2,1" where the option takes text."""
    kind = parameter.type
    types: tuple[type, ...]
    if isinstance(kind, click.types.IntParamType):
        allowed, types = "a whole number", (int,)
    elif isinstance(kind, click.types.FloatParamType):
        allowed, types = "a number", (int, float)
    elif isinstance(kind, click.Choice):
        allowed, types = f"one of: {', '.join(kind.choices)}", ()
    else:
        allowed, types = "a text, a number or a list of numbers", (int, float)
        if isinstance(value, list) and value and not any(isinstance(v, list) for v in value):
            return ",".join(_text(parameter, v, what) for v in value)
    if type(value) in types:  # `True` is an `int` for isinstance, but not for people
        return str(value)
    if not isinstance(value, str):
        raise _mistyped(parameter, value, what, allowed)
    if "\0" in value:
        raise _mistyped(parameter, value, what, "without NUL characters")
    return value


def _mistyped(parameter: click.Parameter, value: Any, what: str, allowed: str) -> ProblemError:
    shown = {True: "true", False: "false"}[value] if isinstance(value, bool) else f"{value!r}"
    if not isinstance(value, bool | int | float | str | list):
        shown = f"the date or time {value}"
    shown = shown if len(shown) <= 60 else f"{shown[:60]}…"
    return ProblemError(f"{what} sets `{parameter_name(parameter)}` to {shown}, but it must be {allowed}.")
