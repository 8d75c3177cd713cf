"""`quadflow reproduce`: published results beside ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dynamics.errors import ProblemError
from dynamics.words import counted
from quadflow import groups
from quadflow import options as opt
from quadflow.examples import Command
from quadflow.output import echo_result, to_json, validate_output, write_figure, write_text
from quadflow.streams import report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from empirical.published.entry import Entry
    from empirical.published.reproduction import Reproduction

PICTURES = ("png", "pdf", "svg")


@click.command(cls=Command, epilog="Example: quadflow reproduce erf-committee --json")
@click.argument("name", required=False)
@click.option("--list", "listed", is_flag=True, help="List them, with their sources, and compute nothing.")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--quick", is_flag=True, help="Few numbers of each, and little work: whether we agree at all.")
@click.option(
    "--output",
    cls=groups.Option,
    group=groups.OUTPUT,
    metavar="PATH",
    help="Write the JSON object (.json), or the figure of one result (.png, .pdf, .svg).",
)
@opt.json_option
@click.pass_context
def command(
    ctx: click.Context,
    name: str | None,
    listed: bool,
    everything: bool,
    quick: bool,
    output: str | None,
    as_json: bool,
) -> None:
    """Published numbers beside ours: stored data of public repositories, and abstracts.

    Each names its source, the call that computes ours and the tolerance with its reason. The exit status is 1 where a
    number of ours does not agree.
    """
    suffix = validate_output(output, ("json", *PICTURES))
    check_choice(name, listed, everything)
    entries = chosen(name)
    if listed:
        result: dict[str, Any] = {"entries": [described(entry) for entry in entries]}
        if output is not None:
            write_text(output, to_json(result) + "\n")
        echo_result(result, lambda: listing(entries), as_json)
        return
    check_figure(entries, suffix)
    from empirical.published.reproduction import reproduce_all

    found = reproduce_all(entries, quick, progress=True)
    failed = [one.entry.name for one in found if not one.agrees]
    result = {
        "results": [one.as_dict() for one in found],
        "agree": len(found) - len(failed),
        "disagree": len(failed),
        "seconds": sum(one.seconds for one in found),
    }
    if output is not None:
        write(found, output, suffix, result)
    echo_result(result, lambda: summary(found), as_json)
    if failed:
        ctx.exit(
            report(f"{counted(len(failed), 'published result')} not reproduced: {', '.join(failed)}.", 1)
        )


def check_choice(name: str | None, listed: bool, everything: bool) -> None:
    """Exactly one of a name, --list and --all."""
    if [name is not None, listed, everything].count(True) != 1:
        raise ProblemError("Give the name of a published result, `--all` or `--list`, one of them.")


def chosen(name: str | None) -> list[Entry]:
    """One published result, or all."""
    from empirical.published.table import all_entries, find_entry

    return all_entries() if name is None else [find_entry(name)]


def check_figure(entries: Sequence[Entry], suffix: str | None) -> None:
    """Refuse figures of what is no curve."""
    if suffix not in PICTURES:
        return
    from empirical.published.table import find_drawable

    if len(entries) != 1:
        raise ProblemError("`--output` names a figure, but only one result fits on it: give its name.")
    find_drawable(entries[0].name)


def write(found: Sequence[Reproduction], path: str, suffix: str | None, result: dict[str, Any]) -> None:
    """Write what was found in the format of the suffix."""
    if suffix == "json":
        write_text(path, to_json(result) + "\n")
    else:
        from figures.published import published_figure

        write_figure(published_figure(found[0]), path, str(suffix))


def described(entry: Entry) -> dict[str, Any]:
    """What an entry is, before anything is computed."""
    return {
        "name": entry.name,
        "claim": entry.claim,
        "source": str(entry.source),
        "read_as": entry.source.read_as,
        "numbers": sum(len(series.values) for series in entry.series),
        "reproduced_by": entry.command,
    }


def listing(entries: Sequence[Entry]) -> str:
    """Two lines for each."""
    return "\n".join(f"{e.name:24}{e.claim}\n{'':24}{e.source} ({e.source.read_as})" for e in entries)


def summary(found: Sequence[Reproduction]) -> str:
    """All about one, a line for each of several."""
    if len(found) == 1:
        return found[0].summary()
    failed = sum(not one.agrees for one in found)
    said = f"{len(found) - failed} of {counted(len(found), 'published result')} reproduced"
    return "\n".join([*(one.line() for one in found), said])
