"""The ends of a call: exit status and the one line of every error, whole numbers, notes, versions."""

import platform
import sys
import warnings

import click
import pytest

from dynamics.errors import ComputationError, ProblemError
from quadflow import cli
from quadflow.notes import note, notes, print_notes
from quadflow.options.click_options import WholeNumber
from quadflow.versions import OPTIONAL, REQUIRED, version_option, version_text


def abort(cause):
    error = click.Abort()
    error.__cause__ = cause
    return error


LONG = "ValueError: " + "x" * 288  # 300 characters
HINT = "please report it; with QUADFLOW_TRACEBACK=1 set, it prints what a report needs."


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (ProblemError("wrong"), 2, "wrong"),
        (click.UsageError("wrong"), 2, "wrong"),
        (click.BadParameter("wrong", param_hint="--x"), 2, "Invalid value for --x: wrong"),
        (ComputationError("failed"), 1, "failed"),
        (MemoryError("8 TiB"), 1, "Not enough memory: 8 TiB"),
        (MemoryError(), 1, "Not enough memory."),
        (KeyboardInterrupt(), 130, "Interrupted."),
        (abort(None), 130, "Interrupted."),
        (abort(EOFError("ends")), 1, f"internal error (EOFError: ends): {HINT}"),
        (OSError(5, "Broken", "x.npz"), 1, "'x.npz' cannot be read or written: Broken."),
        (OSError("odd"), 1, "Standard output cannot be read or written: odd."),
        (BrokenPipeError(), 1, None),
        (SystemExit(3), 3, None),
        (SystemExit("text"), 1, None),
        (SystemExit(None), 1, None),
        (ValueError("x" * 289), 1, f"internal error ({LONG}): {HINT}"),
        (ValueError("x" * 288), 1, f"internal error ({LONG}): {HINT}"),
    ],
)
def test_every_end_of_a_call(monkeypatch, capsys, error, status, line):
    monkeypatch.delenv("QUADFLOW_TRACEBACK", raising=False)

    def main(*_, **__):
        raise error

    monkeypatch.setattr(cli.cli, "main", main)
    assert cli.run([]) == status
    assert capsys.readouterr().err == ("" if line is None else f"quadflow: {line}\n")


@pytest.mark.parametrize(("returned", "status"), [(None, 0), (0, 0), (2, 2), ("text", 0)])
def test_a_call_that_ends_well(monkeypatch, returned, status):
    """What the shell typed is what runs, and what results name."""
    seen = []

    def main(given, **how):
        seen.append((given, how))
        return returned

    monkeypatch.setattr(cli.cli, "main", main)
    monkeypatch.setattr(sys, "argv", ["/usr/bin/quadflow", "figure", "atlas"])
    assert cli.run() == status
    typed = ["figure", "atlas"]
    assert seen == [(typed, {"prog_name": "quadflow", "standalone_mode": False, "obj": typed})]
    assert cli.run(("run", "x.toml")) == status
    assert seen[1][0] == ["run", "x.toml"]


def test_one_nul_is_enough(capsys):
    assert cli.run(["simulate", "a\0b", "c"]) == 2
    assert capsys.readouterr().err.startswith("quadflow: An argument contains a NUL character")


@pytest.mark.parametrize(
    ("status", "failure", "end"),
    [
        (0, None, 0),
        (2, None, 2),
        (0, OSError(28, "Full"), 1),
        (2, OSError(28, "Full"), 2),
        (1, OSError(28, "Full"), 1),
    ],
)
def test_what_could_not_be_written_at_the_end(monkeypatch, capsys, status, failure, end):
    """It is told where nothing else was wrong."""
    monkeypatch.setattr(cli, "run", lambda _: status)
    monkeypatch.setattr(cli, "degrade_streams", lambda: None)
    monkeypatch.setattr(cli, "close_streams", lambda: failure)
    with warnings.catch_warnings(), pytest.raises(SystemExit) as exit_:
        cli.main([])
    assert exit_.value.code == end
    told = failure is not None and status == 0
    assert capsys.readouterr().err == (
        "quadflow: Standard output cannot be read or written: Full.\n" if told else ""
    )


@pytest.mark.parametrize(("asked", "silent"), [([], True), (["error"], False)])
def test_warnings_of_libraries_are_for_developers(monkeypatch, asked, silent):
    """Who asks Python for warnings, with -W, gets them."""

    def run(_):
        try:
            warnings.warn("of a library", stacklevel=1)
        except UserWarning:
            return 5
        return 0

    monkeypatch.setattr(cli, "run", run)
    monkeypatch.setattr(cli, "degrade_streams", lambda: None)
    monkeypatch.setattr(cli, "close_streams", lambda: None)
    monkeypatch.setattr(sys, "warnoptions", asked)
    with warnings.catch_warnings(), pytest.raises(SystemExit) as exit_:
        warnings.simplefilter("error")
        cli.main([])
    assert exit_.value.code == (0 if silent else 5)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7", 7), (" -7 ", -7), (7, 7), ("9223372036854775807", 2**63 - 1), ("-9223372036854775807", 1 - 2**63),
        ("+0000000000000000007", 7), ("9223372036854775808", None), ("-9223372036854775808", None), (2**63, None),
        ("0" * 20 + "7", None), ("9" * 5000, None), ("-" + "9" * 20, None),
    ],
)  # fmt: skip
def test_whole_numbers(text, number):
    """Below 2⁶³ in size; of more than 20 characters they are not even read."""
    option = click.Option(["--hidden"], type=WholeNumber())
    if number is not None:
        assert option.type.convert(text, option, None) == number
    else:
        with pytest.raises(click.BadParameter) as refused:
            option.type.convert(text, option, None)
        assert refused.value.message == "a whole number must be below 2^63 in size."
        assert refused.value.param is option
    with pytest.raises(click.BadParameter, match="is not a valid integer"):
        option.type.convert("x" * 21, option, None)


def test_notes_are_said_once(capsys):
    """In the order in which they came; outside the command line nobody is told."""
    note(["nobody"])
    assert notes() == []
    print_notes()
    assert capsys.readouterr().err == ""
    with click.Context(click.Command("x")):
        note(["a", "b", "a"])
        note(["b", "c"])
        assert notes() == ["a", "b", "c"]
        print_notes()
    assert capsys.readouterr() == ("", "quadflow: note: a; b; c.\n")


def test_versions_stand_in_columns():
    lines = version_text().split("\n")
    names = ["quadflow", "python", *REQUIRED, *OPTIONAL, "platform"]
    width = max(map(len, names))
    assert [line[:width].strip() for line in lines] == names
    assert all(line[width : width + 2] == "  " and line[width + 2] != " " for line in lines)
    assert lines[-1].endswith(platform.platform())


def test_versions_are_shown_to_who_asks(capsys):
    """Not while the shell completes a line; and the rest of the line is not looked at."""

    @click.command()
    @version_option
    @click.option("--hidden", type=int, required=True)
    def command(**given):
        click.echo(f"ran {given}")

    assert command.main(["--hidden", "x", "--version"], standalone_mode=False) == 0
    assert capsys.readouterr().out == version_text() + "\n"
    command.main(["--hidden", "3"], standalone_mode=False)
    assert capsys.readouterr().out == "ran {'hidden': 3}\n"
    command.make_context("x", ["--version"], resilient_parsing=True)
    assert capsys.readouterr().out == ""
