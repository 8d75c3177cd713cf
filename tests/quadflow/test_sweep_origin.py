"""What a sweep says of itself: how a range was understood, and in its file the command that made it."""

import json
import shlex
from itertools import pairwise

import click
import pytest

from empirical.sweep.dataset import read_dataset, write_dataset
from quadflow.commands.sweep import command
from quadflow.notes import KEY
from quadflow.sweeps.plan import parse_axis

GRID = ["--teacher", "2,1", "--vary", "init-scale=0.2,0.4", "--replicates", "2"]


def made(quadflow, output):
    """Make a sweep; its command as it was typed."""
    arguments = ["sweep", "simulate", *GRID, "--t-end", "0.1", "--records", "3", "--workers", "0"]
    arguments += ["--output", str(output)]
    assert quadflow(*arguments).status == 0
    return shlex.join(["quadflow", *arguments])


@pytest.mark.parametrize("suffix", ["zarr", "nc"])
def test_the_file_keeps_the_command_that_made_it(quadflow, tmp_path, suffix):
    """As it was typed, with the options that follow from it."""
    typed = made(quadflow, tmp_path / f"s.{suffix}")
    kept = read_dataset(tmp_path / f"s.{suffix}").attrs
    assert kept["command"] == typed
    assert json.loads(kept["definition"])["options"]["t_end"] == 0.1


def test_report_and_figure_show_the_command(quadflow, tmp_path):
    """They do without it in old files, and print none of the characters that no terminal should get."""
    pytest.importorskip("plotly")
    output, page = tmp_path / "s.nc", tmp_path / "report.html"
    typed = made(quadflow, output)
    kept = read_dataset(output).drop_encoding()
    unknown = "the file does not say which command"
    for said, shown in ((typed, typed), (None, unknown), ("a\nb\x1b", "a?b?")):
        kept.attrs.pop("command", None)
        write_dataset(kept.assign_attrs({} if said is None else {"command": said}), output)
        drawn = quadflow("figure", "sweep", output, "--output", tmp_path / "x.png")
        assert drawn.out.splitlines()[0] == f"made by: {shown}"
        assert quadflow("report", output, "--output", page).status == 0
        text = page.read_text(encoding="utf-8")
        assert ("does not say which command" in text) == (said is None)
        assert said != typed or "--vary init-scale=0.2,0.4" in text
    write_dataset(kept.assign_attrs(command=3), output)
    assert "its command is no text" in quadflow("report", output, "--output", page).err


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            "hidden=2:12:2",
            "2:12:2` means 2 values, 2 and 12: the third number is their count; steps of 2 are 2:12:6",
        ),
        ("hidden=0:10:1", "means 1 value, 0: the third number is their count; steps of 1 are 0:10:11"),
        ("hidden=1:10:3", "means 3 values: the third number is their count; steps of 3 are 1:10:4"),
        ("t-end=12:2:5", "means 5 values: the third number is their count; steps of 5 are 12:2:3"),
        (
            "hidden=2:12:4",
            "hidden=2:12:4` is rounded to whole numbers: those of 2, 3, 6, 11 values need no rounding",
        ),
        ("hidden=0:60:7", None),
        ("hidden=0:60:8", "those of 2, 3, 4, 5, 6, 7 … values need no rounding"),
        ("hidden=2:12:6", None),
        ("hidden=2:12:3", None),
        ("hidden=2:8:3", None),  # whole by itself: 2, 5, 8
        ("hidden=2:12:2:log", None),
        ("hidden=3:3:1", None),
        ("hidden=1:2:5", "those of 2 values need no rounding"),
        ("hidden=1:3:2", None),  # the step would give 1 and 3 as well
        ("t-end=0:1:3", None),
        ("t-end=0.5:10.5:2", None),
        ("t-end=0:1e300:2", None),
    ],
)
def test_what_is_said_of_a_range(values, words):
    """Of 2:12:2 that it is 2 and 12; nothing of ranges that nobody could mean otherwise. Counted by hand."""
    with click.Context(command, resilient_parsing=True) as context:
        parse_axis(values, command, {"hidden", "t_end"})
        found = context.meta.get(KEY, [])
    assert len(found) == (words is not None)
    assert words is None or words in found[0]
    if found and "steps of" in found[0]:  # what is proposed has steps of that size
        with click.Context(command, resilient_parsing=True):
            name, _, number = values.partition("=")
            proposed = parse_axis(
                f"{name}={found[0].rpartition(' ')[2]}", command, {"hidden", "t_end"}
            ).values
        assert {abs(b - a) for a, b in pairwise(proposed)} == {int(number.rpartition(":")[2])}


def test_a_range_that_looks_like_a_step_is_run_and_noted(quadflow, tmp_path):
    arguments = [
        "--teacher",
        "2,1",
        "--vary",
        "hidden=2:6:2",
        "--t-end",
        "0.1",
        "--records",
        "3",
        "--workers",
        "0",
    ]
    done = quadflow("sweep", "simulate", *arguments, "--output", tmp_path / "s.nc", "--json")
    assert done.json["dimensions"]["hidden"] == 2
    assert "2 values, 2 and 6" in done.err and "2 values, 2 and 6" in done.json["warnings"][0]
