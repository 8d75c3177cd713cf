"""`quadflow study` and `quadflow figure study`: from one command to table, file, figure and report; refusals."""

import json
import time

import numpy as np
import pytest

from empirical.studies.findings import read_findings

SMALL = ["--data", "wine", "--quick", "--epochs", "1", "--workers", "0"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_one_command_gives_table_file_figure_and_report(quadflow, folder):
    """All of them say the same; the figure of the file is that of the command."""
    result = quadflow(
        "study", "gsgd", *SMALL, "--seed", "3", "--json", "--figure", "f.svg", "--report", "r.html"
    ).json
    found = read_findings("study-gsgd.nc")
    assert found.study.settings.seed == 3
    assert [r["model"] for r in result["results"]] == [*found.study.labels]
    assert [r["mean"] for r in result["results"]] == [r.mean for r in found.results]
    assert result["data"] == "wine" and result["output"] == "study-gsgd.nc"
    assert result["budget"]["epochs"] == 1
    assert {"model", "parameters", "rate", "mean", "standard_error", "collapsed", "seeds"} <= result[
        "results"
    ][0].keys()
    page = (folder / "r.html").read_text()
    for text in ("Contenders", "G-SGD, rescaled start", "Differences", "test accuracy, %"):
        assert text in page
    assert quadflow("figure", "study", "study-gsgd.nc", "--output", "again.svg").status == 0
    assert "learning rate" in (folder / "f.svg").read_text() or (folder / "f.svg").stat().st_size > 10_000
    assert (folder / "again.svg").stat().st_size == (folder / "f.svg").stat().st_size


def test_the_table_is_that_of_the_file(quadflow, folder):
    text = quadflow("study", "relinear", *SMALL, "--output", "r.nc").out
    assert text == f"{read_findings('r.nc').summary()}\nwritten: r.nc\n"
    assert quadflow("study", "relinear", *SMALL, "--output", "r.nc", "--resume").out == text


def test_a_table_of_ones_own(quadflow, folder):
    """Labels are numbers: half the mean square error of labels of variance 1, here of a linear function."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3))
    np.savetxt("t.csv", np.column_stack([X, X @ [1, 2, 3]]), delimiter=",", header="a,b,c,y", comments="")
    options = [
        "--data",
        "t.csv",
        "--target",
        "y",
        "--quick",
        "--epochs",
        "30",
        "--seeds",
        "2",
        "--workers",
        "0",
    ]
    result = quadflow("study", "hannet", *options, "--json").json
    assert result["score"] == "loss"
    assert min(r["mean"] for r in result["results"]) < 0.1 < 0.5
    np.savetxt("t.csv", np.column_stack([X, X @ [3, 2, 1]]), delimiter=",", header="a,b,c,y", comments="")
    changed = quadflow("study", "hannet", *options, "--resume")
    assert changed.status == 2 and "differs in: files" in changed.err


def test_what_does_not_exist_is_null(quadflow, folder):
    """One replicate has no standard error, and its difference no interval."""
    result = quadflow("study", "gsgd", *SMALL, "--seeds", "1", "--json").json
    assert result["results"][0]["standard_error"] is None
    assert result["results"][0]["rebases"] is None and result["results"][1]["rebases"] is not None
    assert result["differences"][0]["interval"] == [None, None]
    assert result["differences"][0]["mean"] is not None


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["study", "hanet"], "`study` is 'hanet' (did you mean 'hannet'?)"),
        (["study", "gsgd", "--workers", "-1"], "`workers` is -1"),
        (["study", "gsgd", "--workers", "1", "--scheduler", "tcp://127.0.0.1:9"], "give one of them"),
        (["study", "gsgd", "--resume", "--overwrite", "--workers", "0"], "contradict each other"),
        (["study", "gsgd", "--output", "x.csv"], ".nc, .zarr"),
        (["study", "gsgd", "--figure", "x.gif"], "--figure"),
        (["study", "gsgd", "--network", "rnn"], "`network` is 'rnn'"),
        (["study", "gsgd", "--epochs", "0"], "`epochs` is 0"),
        (["study", "gsgd", "--seed", "-1"], "`seed` is -1"),
        (["study", "gsgd", "--data", "\x00"], "NUL"),
        (["study", "gsgd", "--data", "__import__('os').system('touch EXECUTED')"], "`data` is"),
        (["study", "gsgd", "--data", "digits", "--target", "y"], "`target` is 'y'"),
        (["study", "hannet", "--network", "cnn"], "needs images"),
        (["study", "gsgd", "--image-size", "8"], "is no folder of images"),
        (["sweep", "study", "--teacher", "2,1"], "must be some of: simulate, train, compare, diagnose."),
        (["figure", "study", "absent.nc"], "no such file"),
        (["figure", "study", "x.txt"], "must end in"),
    ],
)
def test_refusals(quadflow, folder, arguments, reason):
    """One sentence, status 2, nothing left behind."""
    result = quadflow(*arguments)
    assert (result.status, result.out) == (2, "")
    assert result.err.count("\n") == 1 and reason in result.err
    assert not list(folder.iterdir())


def test_the_file_of_a_sweep_is_no_study(quadflow, folder):
    sweep = ["sweep", "--teacher", "2,1", "--vary", "init-scale=0.1,0.2", "--t-end", "0.1", "--workers", "0"]
    assert quadflow(*sweep, "--output", "s.nc").status == 0
    result = quadflow("figure", "study", "s.nc")
    assert result.status == 2 and "'s.nc' is not the result of a study" in result.err


@pytest.mark.slow
@pytest.mark.parametrize("name", ["relinear", "gsgd", "hannet"])
def test_quick_studies_of_the_default_data_are_quick(quadflow, folder, name):
    """Less than 60 seconds of this process's time, which is what they take on an idle machine."""
    start = time.process_time()
    result = quadflow("study", name, "--quick", "--workers", "0", "--json")
    assert time.process_time() - start < 60
    printed = json.loads(result.out)
    assert all(r["seeds"] == 2 and r["collapsed"] <= 1 for r in printed["results"])
