"""Whole commands are run one after the other, and their times are those of their processes."""

import json
import subprocess
import sys

from benchmarks import bench_commands
from benchmarks.bench_commands import commands, figure_names, measured, run
from benchmarks.shown_commands import PAGES, all_chains, blocks_before, chains, python_blocks


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


def test_every_command_that_pages_show_and_every_figure(monkeypatch):
    """Each once; the figures are those of the command line."""
    monkeypatch.setattr(
        bench_commands, "measured", lambda lines, folder: [{"command": line} for line in lines]
    )
    monkeypatch.setattr(bench_commands, "blocks_before", lambda chain: [])
    readme, figures = commands()
    shown = {
        " ".join(line.split())
        for page in PAGES
        for line in page.read_text().replace("\\\n", " ").splitlines()
        if line.startswith("    $ quadflow ")
    }
    assert len(readme.rows) == len(shown) > 25
    assert {f"$ quadflow {row['command']}" for row in readme.rows} == shown
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


def test_commands_that_read_what_python_wrote():
    """The README's own matrix: its block writes the file, its command reads it; other commands need no block."""
    needs = {chain[0][0]: blocks_before(chain) for chain in all_chains()}
    (block,) = needs.pop("figure learning-curves --teacher M.csv --output mine.png")
    assert 'np.savetxt("M.csv"' in block
    assert set(map(tuple, needs.values())) == {()}


def test_blocks_of_python_in_both_languages():
    markdown = "Text\n\n```python\nx = 1\n\nfor _ in x:\n    y\n```\n\n```console\n$ z\n```\n"
    directive = "Text\n\n.. python::\n\n   x = 1\n\n   for _ in x:\n       y\n\nText\n\n.. shell::\n\n   z\n"
    for text in (markdown, directive):
        assert [block.strip() for block in python_blocks(text)] == ["x = 1\n\nfor _ in x:\n    y"]
