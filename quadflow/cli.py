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
from quadflow.notes import print_notes
from quadflow.options import limit_counts
from quadflow.streams import close_streams, degrade_streams, report
from quadflow.versions import version_option

TRACEBACK = "QUADFLOW_TRACEBACK"  # environment variable: unforeseen errors print where they happened
LONGEST_ERROR = 300  # characters of an unforeseen error
LONGEST_HELP = 200  # characters of the first sentence of a command

# task → command → module of quadflow.commands; modules import numpy, torch and sympy only when they run
TASKS = {
    "Theory": {
        "derive": "derive",
        "simulate": "simulate",
        "schedule": "schedule",
        "fixed-points": "fixed_points",
        "staircase": "staircase",
        "escape": "escape",
        "sample-size": "sample_size",
        "conserved": "conserved",
        "diagnose": "diagnose",
        "gaussianity": "gaussianity",
        "scope": "scope",
    },
    "Trained networks": {"train": "train", "compare": "compare", "sweep": "sweep"},
    "Results": {"figure": "figure", "report": "report", "explore": "explore", "reproduce": "reproduce"},
    "Companion systems": {
        "study": "study",
        "invariance": "invariance",
        "hannet": "hannet",
        "neuron": "neuron",
    },
    "Configuration": {"init": "init", "run": "run", "completion": "completion"},
}
COMMANDS = {name: module for commands in TASKS.values() for name, module in commands.items()}


class Commands(click.Group):
    """Loads the commands from the table, and lists them by task."""

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
        limit_counts(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """A section for each task, with the first sentence of every command in full."""
        for task, names in TASKS.items():
            with formatter.section(task):
                found = [(name, self.get_command(ctx, name)) for name in names]
                formatter.write_dl(
                    [(n, c.get_short_help_str(LONGEST_HELP)) for n, c in found if c is not None]
                )


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@version_option
def cli() -> None:
    """Learning dynamics of two-layer quadratic networks, from symbolic theory to trained networks.

    Every command prints an answer for people, or with --json one JSON object; try COMMAND --help.
    """


@cli.result_callback()
def finish(_: object) -> None:
    """After a command that has succeeded: what people should know of their input."""
    print_notes()


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; exit status 0, 1 (a computation failed), 2 (bad input) or 130 (interrupted)."""
    if not sys.warnoptions:  # what people should know, results say; warnings of libraries are for developers
        warnings.simplefilter("ignore")
    degrade_streams()
    status = run(arguments)
    failure = close_streams()
    if failure is not None and status == 0:
        status = report_os_error(failure)
    sys.exit(status)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status; every error is one line on standard error."""
    given = sys.argv[1:] if arguments is None else [*arguments]
    if any("\0" in text for text in given):
        return report("An argument contains a NUL character, which neither names nor numbers have.", 2)
    try:
        status = cli.main(given, prog_name="quadflow", standalone_mode=False, obj=given)
    except (click.ClickException, ProblemError) as error:
        return report(error.format_message() if isinstance(error, click.ClickException) else str(error), 2)
    except ComputationError as error:
        return report(str(error), 1)
    except MemoryError as error:
        return report(f"Not enough memory: {error}" if str(error) else "Not enough memory.", 1)
    except KeyboardInterrupt:
        return report("Interrupted.", 130)
    except click.Abort as error:  # click's word for Ctrl-C, but also for a file that ends too early
        if isinstance(error.__cause__, EOFError):
            return _report_internal(error.__cause__)
        return report("Interrupted.", 130)
    except OSError as error:
        return report_os_error(error)
    except SystemExit as error:  # click's way out where the reader of a pipe has gone
        return error.code if isinstance(error.code, int) else 1
    except Exception as error:  # whatever nobody foresaw: people get one line, not a traceback
        return _report_internal(error)
    # commands return nothing, click's way out of --help a status
    return status if isinstance(status, int) else 0


def report_os_error(error: OSError) -> int:
    """One line about a file, or standard output, that cannot be read or written; none if nobody reads it."""
    if isinstance(error, BrokenPipeError):
        return 1
    what = "Standard output" if error.filename is None else repr(str(error.filename))
    return report(f"{what} cannot be read or written: {error.strerror or error}.", 1)


def _report_internal(error: BaseException) -> int:
    """One line about an error that nobody foresaw; its traceback for those who ask for it."""
    if os.environ.get(TRACEBACK):
        import traceback

        traceback.print_exception(error)
    what = f"{type(error).__name__}: {error}"[:LONGEST_ERROR]
    hint = f"with {TRACEBACK}=1 set, it prints what a report needs"
    return report(f"internal error ({what}): please report it; {hint}.", 1)
