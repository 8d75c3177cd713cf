"""Notes about the input: what was changed in it so that it could be used, said once.

They are printed when a command has succeeded, in one line on standard error, and stand among the warnings of its JSON.
Outside the command line nobody is told: in Python the notes are attributes of teacher and problem.
"""

from __future__ import annotations

from collections.abc import Iterable

import click

KEY = "quadflow.notes"


def note(sentences: Iterable[str]) -> None:
    """Remember sentences for the end of the running command, each once."""
    kept = notes()
    kept += [sentence for sentence in dict.fromkeys(sentences) if sentence not in kept]


def notes() -> list[str]:
    """The notes so far of the running command, to be added to."""
    context = click.get_current_context(silent=True)
    found: list[str] = [] if context is None else context.meta.setdefault(KEY, [])
    return found


def print_notes() -> None:
    """All of them in one line on standard error, if there are any."""
    if notes():
        click.echo(f"quadflow: note: {'; '.join(notes())}.", err=True)
