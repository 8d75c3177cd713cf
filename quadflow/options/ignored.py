"""Options that somebody gives and that have no effect: said in a note, once the command has succeeded."""

from __future__ import annotations

from collections.abc import Iterable

import click
from click.core import ParameterSource

from quadflow.notes import note

CONFIGURED = "quadflow.configured"  # in the meta of a context: parameters that its --config sets
DRAWN = ("init", "init_scale")  # what initial weights are drawn by


def given(names: Iterable[str]) -> list[str]:
    """Those of the options that were given to the running command, on the command line or in a configuration."""
    context = click.get_current_context(silent=True)
    if context is None:
        return []
    configured = context.meta.get(CONFIGURED, ())
    typed = ParameterSource.COMMANDLINE
    return [name for name in names if name in configured or context.get_parameter_source(name) is typed]


def note_without_effect(names: Iterable[str], why: str) -> None:
    """Say of options that were given that they have no effect, and why: "beside `--init-file`"."""
    options = [f"`--{name.replace('_', '-')}`" for name in given(names)]
    if options:
        *most, last = options
        subject = f"{', '.join(most)} and {last} have" if most else f"{last} has"
        note([f"{subject} no effect {why}"])
