"""Options in groups, as help texts and the reference show them: what belongs together stands together.

A struct of options says in its `GROUP` where its options stand, a single option in `group=`; what says nothing is the
command's own and comes first.
"""

from __future__ import annotations

import re
from typing import Any

import click

OWN, PROBLEM, DATA, START, NEURONS = "Options", "Problem", "Data", "Start", "Neurons"
TIMES, THEORY, SOLVER, TRAINING, OPTIMISER = "Times", "Theory", "Integration", "Training", "Optimiser"
ENGINE, OUTPUT, LOOK, GENERAL = "Machine", "Output", "Look of the figure", "General"

# in the order in which they are shown
GROUPS = (
    OWN,
    PROBLEM,
    DATA,
    START,
    NEURONS,
    TIMES,
    THEORY,
    SOLVER,
    TRAINING,
    OPTIMISER,
    ENGINE,
    OUTPUT,
    LOOK,
    GENERAL,
)


SAID = re.compile(r"\[default: [^]]*\]")  # in the text of an option whose default is no value


class Option(click.Option):
    """An option that knows its group."""

    def __init__(self, *names: Any, group: str = OWN, **settings: Any) -> None:
        super().__init__(*names, **settings)
        self.group = group

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Names and text; a default that the text says in words gives way to one that a figure has set."""
        record, value = super().get_help_record(ctx), (ctx.default_map or {}).get(self.name)
        if record is None or value is None:
            return record
        names, text = record
        return names, text if self.show_default else SAID.sub(lambda _: f"[default: {value}]", text)


def group_of(parameter: click.Parameter) -> str:
    """The group of an option: its own, "General" for `--help`, else that of the command."""
    if isinstance(parameter, Option):
        return parameter.group
    return GENERAL if "--help" in parameter.opts else OWN


def option_groups(context: click.Context) -> list[tuple[str, list[click.Option]]]:
    """Groups of a command that have options, in the order of `GROUPS`, with these in the order of declaration."""
    options = (p for p in context.command.get_params(context) if isinstance(p, click.Option))
    shown = [option for option in options if option.get_help_record(context) is not None]
    found = [(group, [p for p in shown if group_of(p) == group]) for group in GROUPS]
    return [(group, options) for group, options in found if options]


def write_options(context: click.Context, formatter: click.HelpFormatter) -> None:
    """Every group under its title."""
    for group, options in option_groups(context):
        with formatter.section(group):
            records = (option.get_help_record(context) for option in options)
            formatter.write_dl([record for record in records if record is not None])
