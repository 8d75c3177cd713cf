"""The console script: the table of commands, and how errors reach people."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import click

from dynamics.errors import ComputationError, ProblemError

# command → module of quadflow.commands; modules import numpy, torch and sympy only when they run
COMMANDS = {
    "derive": "derive",
    "simulate": "simulate",
    "train": "train",
    "compare": "compare",
    "fixed-points": "fixed_points",
    "staircase": "staircase",
    "conserved": "conserved",
    "diagnose": "diagnose",
    "invariance": "invariance",
    "hannet": "hannet",
    "figure": "figure",
}


class Commands(click.Group):
    """Loads the commands from the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import the module of a command."""
        if name not in COMMANDS:
            close = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise click.UsageError(f"No such command {name!r}.{hint} Commands: {', '.join(COMMANDS)}.")
        module = import_module(f"quadflow.commands.{COMMANDS[name]}")
        command = module.command
        assert isinstance(command, click.Command)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="quadflow")
def cli() -> None:
    """Learning dynamics of two-layer quadratic networks, from symbolic theory to trained networks.

    Every command prints an answer for people, or with --json one JSON object; try COMMAND --help.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; exit status 0, 1 (a computation failed), 2 (bad input) or 130 (interrupted)."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status; every error is one line on standard error."""
    try:
        status = cli.main(arguments, prog_name="quadflow", standalone_mode=False)
    except (click.ClickException, ProblemError) as error:
        return _report(error.format_message() if isinstance(error, click.ClickException) else str(error), 2)
    except ComputationError as error:
        return _report(str(error), 1)
    except MemoryError as error:
        return _report(f"Not enough memory: {error}", 1)
    except (KeyboardInterrupt, click.Abort):
        return _report("Interrupted.", 130)
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone; Python would complain about it once more at exit
        return 1
    return status if isinstance(status, int) else 0


def _report(message: str, status: int) -> int:
    click.echo("quadflow: " + " ".join(message.split()), err=True)
    return status
