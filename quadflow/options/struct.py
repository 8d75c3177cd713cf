"""Options as frozen structs: a field says what click is told, and a decorator collects the values.

A new option of a struct is one line; whoever is given the struct sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import Field, field, fields
from functools import reduce, wraps
from typing import Any, TypeVar

import click

from quadflow.groups import OWN, Option

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
T = TypeVar("T")


def option(*names: str, **settings: Any) -> Any:
    """A field that is an option: names (by default that of the field) and settings as for `click.option`."""
    default = settings.get("default", False if settings.get("is_flag") else None)
    return field(default=default, metadata={"names": names, "settings": settings})


def take(kind: type[Any], name: str) -> Decorator:
    """Give a command the options of a struct, and its function one argument that holds their values."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def collected(*positional: Any, **values: Any) -> Any:
            own = {f.name: values.pop(f.name) for f in fields(kind)}
            return function(*positional, **{name: kind(**own)}, **values)

        return declare(kind)(collected)

    return decorate


def declare(kind: type[Any]) -> Decorator:
    """The click options of a struct alone: the function is given each value by its own name."""
    return lambda function: reduce(
        lambda f, entry: _click_option(kind, entry)(f), reversed(fields(kind)), function
    )


def bundle(kind: type[Any], name: str) -> Decorator:
    """Put structs that a function is given into one whose fields they are."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def collected(*positional: Any, **values: Any) -> Any:
            own = {f.name: values.pop(f.name) for f in fields(kind)}
            return function(*positional, **{name: kind(**own)}, **values)

        return collected

    return decorate


def _click_option(kind: type[Any], entry: Field[Any]) -> Decorator:
    """Click's decorator of one field, in the group that it names, else in that of the struct where it is declared."""
    names = entry.metadata["names"] or (f"--{entry.name.replace('_', '-')}",)
    settings = {"group": group_of_field(kind, entry.name), **entry.metadata["settings"]}
    return click.option(*names, entry.name, cls=Option, **settings)


def group_of_field(kind: type[Any], name: str) -> str:
    """The `GROUP` of the first struct that has the field; that of the command where it has none."""
    owner = [base for base in kind.__mro__ if name in getattr(base, "__dataclass_fields__", ())][-1]
    return str(vars(owner).get("GROUP", OWN))


def pick(kind: type[T], values: Mapping[str, Any]) -> T:
    """A struct from some of many values; what is not among them has its default."""
    return kind(**{f.name: values[f.name] for f in fields(kind) if f.name in values})  # type: ignore[arg-type]


def given(struct: Any, *names: str) -> dict[str, Any]:
    """Fields of a struct by name, without those that nobody set: those are left to the defaults of what is called."""
    chosen = names or tuple(f.name for f in fields(struct))
    return {name: value for name in chosen if (value := getattr(struct, name)) is not None}
