"""Whole commands are run one after the other, and their times are those of their processes."""

import json
import subprocess
import sys

from benchmarks import bench_commands
from benchmarks.bench_commands import commands, figure_names, measured, run
from benchmarks.readme import README, chains


def test_time_and_status_of_a_command(tmp_path):
    """An error is a status of 2; a command that works is no faster than its process."""
    row = run(["nonsense"], tmp_path)
    assert row["exit status"] == 2
    row = run(["--version"], tmp_path)
    assert row["exit status"] == 0
    assert 0.01 < row["processor [s]"] < row["wall [s]"] * 4
    assert row["memory [MB]"] > 5


def test_commands_have_the_cores_that_users_have(tmp_path, monkeypatch):
    """What the other benchmarks set for one thread is not handed on; what the user set is."""
    seen: list[dict[str, str]] = []
    start = subprocess.Popen

    def popen(words, **options):
        seen.append(options["env"])
        return start([sys.executable, "-c", ""], **options)

    monkeypatch.setattr(bench_commands.subprocess, "Popen", popen)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    run([], tmp_path)
    assert "OMP_NUM_THREADS" not in seen[0]
    assert seen[0]["OPENBLAS_NUM_THREADS"] == "3"


def test_later_commands_read_what_earlier_ones_wrote(monkeypatch, tmp_path):
    """In order and in one folder; the table has the longest first."""
    seen: list[tuple[list[str], object]] = []
    times = iter([1.0, 3.0, 2.0])

    def fake(words, folder):
        seen.append((words, folder))
        return {"processor [s]": next(times)}

    monkeypatch.setattr(bench_commands, "run", fake)
    rows = measured(["a --x 'b c'", "d", "e"], tmp_path)
    assert seen == [(["a", "--x", "b c"], tmp_path), (["d"], tmp_path), (["e"], tmp_path)]
    assert [row["command"] for row in rows] == ["quadflow d", "quadflow e", "quadflow a --x 'b c'"]


def test_every_command_of_the_readme_and_every_figure(monkeypatch):
    """The figures are those of the command line."""
    monkeypatch.setattr(
        bench_commands, "measured", lambda lines, folder: [{"command": line} for line in lines]
    )
    readme, figures = commands()
    shown = README.read_text().replace("\\\n", " ").count("\n    $ quadflow ")
    assert len(readme.rows) == shown > 20
    listed = subprocess.run(
        [sys.executable, "-m", "quadflow", "figure", "--list"], capture_output=True, text=True, check=True
    )
    names = [line.split()[0] for line in listed.stdout.splitlines()]
    assert [row["command"] for row in figures.rows] == [f"figure {name}" for name in names] != []
    assert figure_names() == names
    json.dumps([readme.rows, figures.rows])


def test_commands_that_need_each_other_are_a_chain():
    text = (
        "Text\n\n    $ quadflow train --output run.npz\n    one line\n    another\n\n"
        "    $ quadflow derive\n    equations\n\n    $ quadflow report \\\n        run.npz\n    report\n"
    )
    assert chains(text) == [
        [("train --output run.npz", "one line\nanother"), ("report run.npz", "report")],
        [("derive", "equations")],
    ]
