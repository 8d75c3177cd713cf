"""`python -m benchmarks`: names, a folder of results, whatever was asked for."""

from importlib import import_module
from inspect import signature

import pytest

from benchmarks import __main__ as command
from benchmarks.report import Table
from benchmarks.table import BENCHMARKS, Benchmark


def one_table():
    """A benchmark that is done at once."""
    return [Table("catalogue", "(6) Catalogue", "", [{"modes": 2, "points": "all 4", "seconds": 0.1}])]


def another():
    """One that no panel shows."""
    return [Table("other", "Another", "", [{"seconds": 0.25}])]


@pytest.fixture
def quick(monkeypatch):
    """Two benchmarks that take no time, and one that must not run unless it is named."""
    table = {
        "catalogue": Benchmark(__name__, "one_table", "one"),
        "other": Benchmark(__name__, "another", "another"),
        "long": Benchmark(__name__, "missing", "minutes", by_name=True),
    }
    monkeypatch.setattr(command, "BENCHMARKS", table)
    monkeypatch.setattr(
        command, "import_module", lambda name: import_module(name.removeprefix("benchmarks."))
    )


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_name_is_a_function(name):
    """That takes the arguments of its line."""
    benchmark = BENCHMARKS[name]
    function = getattr(import_module(f"benchmarks.{benchmark.module}"), benchmark.function)
    signature(function).bind(*benchmark.arguments)


def test_the_list_names_all(capsys):
    command.main(["--list"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(BENCHMARKS)
    assert [line.split()[0] for line in lines if line.endswith("(only by name)")] == ["commands"]


def test_a_wrong_name_is_refused_with_those_there_are(capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(["large-7"])
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert "no benchmark large-7: choose from small, large-3" in error


@pytest.mark.parametrize(("names", "drawn"), [(["other"], False), (["catalogue"], True), ([], True)])
def test_some_into_a_new_folder(names, drawn, quick, tmp_path, capsys):
    """A figure of what is there, none of what no panel shows; nothing fails."""
    folder = tmp_path / "new" / "folder"
    command.main([*names, "--output", str(folder)])
    assert (folder / "results.png").exists() is drawn
    assert {path.name for path in folder.iterdir()} >= {"results.json", "results.md"}
    out = capsys.readouterr().out
    for name, title in {"catalogue": "## (6) Catalogue", "other": "## Another"}.items():
        assert (title in out) is (name in names or not names)


def test_what_was_there_is_drawn_again(quick, tmp_path):
    command.main(["catalogue", "--output", str(tmp_path)])
    (tmp_path / "results.png").unlink()
    command.main(["other", "--output", str(tmp_path)])
    assert (tmp_path / "results.png").exists()
