"""Pages of the commands: usage, help, options in the groups of `--help`, and the example; and their list, by task.

The commands come from the tables of `quadflow.cli`, groups and words from the options: nothing is listed twice.
"""

import inspect
from collections.abc import Iterator

import click

from plain_docstrings import escape
from quadflow.cli import TASKS, cli
from quadflow.groups import OWN, option_groups

FOLDER = "reference/generated"


def commands(
    group: click.Group = cli, path: str = "quadflow"
) -> Iterator[tuple[str, click.Context]]:
    """Every command with its full name; a group comes before its commands."""
    context = click.Context(group, info_name=path)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(
            command, info_name=f"{path} {name}", **command.context_settings
        )
        yield inner.info_name or name, inner
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


def command_pages() -> dict[str, str]:
    """File name → text of the page of every command, and the list to be included."""
    found = dict(commands())
    pages = {
        f"{file_name(name)}.rst": command_page(name, context)
        for name, context in found.items()
    }
    lines: list[str] = []
    for task, names in TASKS.items():
        lines += ["", task, "-" * len(task)]
        lines += overview(
            {f"quadflow {name}": found[f"quadflow {name}"] for name in names}
        )
    pages["commands.inc"] = "\n".join(lines)
    return pages


def command_page(name: str, context: click.Context) -> str:
    """Usage, help, options with the same words as `--help`, and the example."""
    command = context.command
    pieces = " ".join(command.collect_usage_pieces(context))
    lines = [name, "=" * len(name), "", f".. program:: {name}", "", "::", ""]
    lines += [f"   {name} {pieces}", ""]
    lines += [escape(line) for line in inspect.cleandoc(command.help or "").splitlines()]
    if command.epilog:
        example = command.epilog.replace("Example: ", "Example::\n\n   ", 1)
        lines += ["", escape(example).replace("\\", "")]
    lines.append("")
    if isinstance(command, click.Group):
        lines += overview(dict(commands(command, name)))
    for title, options in option_groups(context):
        described = [
            option
            for option in options
            if "--help" not in option.opts  # it leads to these very words
        ]
        if described:
            title = "Its own options" if title == OWN else title
            lines += [title, "-" * len(title), ""]
        for option in described:
            record = option.get_help_record(context)
            assert record is not None
            lines += [f".. option:: {record[0]}", ""]
            lines += [f"   {escape(' '.join(record[1].split()))}", ""]
    return "\n".join(lines)


def overview(found: dict[str, click.Context]) -> list[str]:
    """Commands, each with its sentence and a link to its page."""
    lines = ["", ".. list-table::", "   :widths: 30 70", ""]
    for name, context in found.items():
        help = escape(context.command.get_short_help_str(200))
        lines += [
            f"   * - :doc:`{name} </{FOLDER}/{file_name(name)}>`",
            f"     - {help}",
        ]
    return [
        *lines,
        "",
        ".. toctree::",
        "   :hidden:",
        "",
        *(f"   /{FOLDER}/{file_name(name)}" for name in found),
        "",
    ]


def file_name(command: str) -> str:
    """The page of a command, without suffix."""
    return command.replace(" ", "-")
