"""The console script: the table of commands, and how errors reach people."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import click

from dynamics.errors import ComputationError, ProblemError
from dynamics.suggestions import did_you_mean
from quadflow.versions import version_option

# command → module of quadflow.commands; modules import numpy, torch and sympy only when they run
COMMANDS = {
    "derive": "derive",
    "simulate": "simulate",
    "train": "train",
    "compare": "compare",
    "sweep": "sweep",
    "fixed-points": "fixed_points",
    "staircase": "staircase",
    "conserved": "conserved",
    "diagnose": "diagnose",
    "invariance": "invariance",
    "hannet": "hannet",
    "neuron": "neuron",
    "figure": "figure",
    "report": "report",
    "explore": "explore",
    "init": "init",
    "run": "run",
    "completion": "completion",
}


class Commands(click.Group):
    """Loads the commands from the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import the module of a command."""
        if name not in COMMANDS:
            hint = did_you_mean(name, COMMANDS)
            raise click.UsageError(f"No such command {name!r}.{hint} Commands: {', '.join(COMMANDS)}.")
        module = import_module(f"quadflow.commands.{COMMANDS[name]}")
        command = module.command
        assert isinstance(command, click.Command)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@version_option
def cli() -> None:
    """Learning dynamics of two-layer quadratic networks, from symbolic theory to trained networks.

    Every command prints an answer for people, or with --json one JSON object; try COMMAND --help.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; exit status 0, 1 (a computation failed), 2 (bad input) or 130 (interrupted)."""
    if not sys.warnoptions:  # what people should know, results say; warnings of libraries are for developers
        warnings.simplefilter("ignore")
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status; every error is one line on standard error."""
    given = sys.argv[1:] if arguments is None else [*arguments]
    try:
        status = cli.main(given, prog_name="quadflow", standalone_mode=False, obj=given)
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
    colour = False if os.environ.get("NO_COLOR") else None  # None: on a terminal only
    prefix = click.style("quadflow:", fg="red", bold=True)
    click.echo(f"{prefix} {' '.join(message.split())}", err=True, color=colour)
    return status
