"""`quadflow report`, and where a result says it comes from. The page itself is tested in tests/figures."""

import json
import re
import sys
from importlib.metadata import version

import numpy as np
import pytest

PROBLEM = ["--teacher", "4,2,1", "--hidden", "3"]
SIMULATE = ["simulate", *PROBLEM, "--t-end", "0.5", "--samples", "9"]
TRAIN = ["train", *PROBLEM, "--steps", "20", "--records", "5", "--seeds", "2"]


@pytest.fixture
def saved(quadflow, tmp_path):
    """Run a command and keep its JSON in a file."""
    pytest.importorskip("plotly")

    def save(name, *arguments):
        path = tmp_path / name
        path.write_text(json.dumps(quadflow(*arguments, "--json").json), encoding="utf-8")
        return path

    return save


def cells(page):
    """Texts of the table cells."""
    return re.findall(r"<td[^>]*>([^<]*)</td>", page.read_text(encoding="utf-8"))


def test_json_says_what_made_it(quadflow):
    """The command as it was typed, quoted for a shell, and the versions of what took part."""
    result = quadflow(
        "simulate", "--teacher", "4,2,1", "--t-end", "0.1", "--config", "/dev/null", "--json"
    ).json
    assert result["command"] == "quadflow simulate --teacher 4,2,1 --t-end 0.1 --config /dev/null --json"
    assert result["versions"]["quadflow"] == version("quadflow")
    assert result["versions"]["numpy"] == np.__version__
    assert result["problem"]["eigenvalues"] == [4.0, 2.0, 1.0]
    assert result["problem"]["hidden"] == 3
    result = quadflow("diagnose", "--teacher", "2,-1", "--hidden", "2", "--init", "balanced", "--json").json
    assert result["command"].startswith("quadflow diagnose --teacher 2,-1 ")


def test_conserved_quantities_of_every_unit(quadflow):
    """Initial values from the definition; the largest drift is the one that was printed before."""
    result = quadflow(*SIMULATE, "--init", "aligned", "--init-scale", "0.2", "--json").json
    assert result["conserved"]["initial"] == pytest.approx([0.04 - 2 * 0.04] * 3)
    assert max(result["conserved"]["drift"]) == result["conserved_drift"]
    result = quadflow(*TRAIN, "--json").json
    assert len(result["conserved"]["drift"]) == 3
    assert 0 < max(result["conserved"]["drift"]) <= result["conserved_drift"]


def test_a_report_of_several_files(quadflow, saved, tmp_path):
    """JSON and .npz side by side: both commands, and the stationary points of the problem (45.5, 8, 1.25, …)."""
    run = saved("run.json", *SIMULATE)
    quadflow(*TRAIN, "--output", tmp_path / "train.npz")
    page = tmp_path / "report.html"
    result = quadflow("report", run, tmp_path / "train.npz", "--output", page, "--json").json
    assert result["bytes"] == page.stat().st_size < 6_000_000
    text = page.read_text(encoding="utf-8")
    assert f"quadflow simulate {' '.join(PROBLEM)} --t-end 0.5 --samples 9 --json" in text
    assert f"quadflow train {' '.join(PROBLEM)}" in text
    assert f"numpy {np.__version__}" in text
    for loss in ("45.5", "32", "8", "1.25"):
        assert cells(page).count(loss) >= 2


def test_an_npz_file_still_is_what_it_was(quadflow, tmp_path):
    """The added array disturbs nobody: `Trajectory.load` and `TrainingRun.load` read the file."""
    from dynamics.trajectory import Trajectory
    from empirical.recorder import TrainingRun

    quadflow(*SIMULATE, "--output", tmp_path / "run.npz")
    quadflow(*TRAIN, "--output", tmp_path / "train.npz")
    assert Trajectory.load(tmp_path / "run.npz").times[-1] == 0.5
    assert TrainingRun.load(tmp_path / "train.npz").loss.shape == (2, 5)
    with np.load(tmp_path / "run.npz") as file:
        assert json.loads(str(file["result"]))["problem"]["inputs"] == 3


def test_files_saved_from_python(quadflow, tmp_path):
    """No command made them; curves and stationary points are there all the same."""
    pytest.importorskip("plotly")
    from dynamics import GradientFlow, Student, Teacher

    flow = GradientFlow(Teacher.from_eigenvalues([4, 2, 1]), Student.initialise(3, 3, seed=1))
    flow.integrate(t_end=0.5, samples=5).save(tmp_path / "run.npz")
    page = tmp_path / "report.html"
    assert quadflow("report", tmp_path / "run.npz", "--output", page).status == 0
    assert "45.5" in cells(page)
    assert "does not say which command" in page.read_text(encoding="utf-8")


def test_a_file_that_does_not_say_what_made_it(quadflow, tmp_path):
    """The command that reads it is not named in its stead."""
    pytest.importorskip("plotly")
    (tmp_path / "old.json").write_text('{"verdict": "fails"}')
    page = tmp_path / "report.html"
    assert quadflow("report", tmp_path / "old.json", "--output", page).status == 0
    text = page.read_text(encoding="utf-8")
    assert "does not say which command" in text
    assert "quadflow report --" not in text


def test_reports_beside_a_result(quadflow, tmp_path):
    """`--report` of fixed-points and compare; what is printed stays what it was."""
    pytest.importorskip("plotly")
    page = tmp_path / "atlas.html"
    printed = quadflow("fixed-points", *PROBLEM, "--report", page)
    assert printed.out == quadflow("fixed-points", *PROBLEM).out
    assert {"45.5", "8", "global minimum"} <= set(cells(page))
    training = ["--steps", "40", "--step", "1e-3", "--records", "5", "--seeds", "2", "--init-scale", "0.3"]
    result = quadflow("compare", *PROBLEM, *training, "--report", tmp_path / "compare.html", "--json")
    assert result.status == 0
    text = (tmp_path / "compare.html").read_text(encoding="utf-8")
    assert "Gap between theory and practice" in text
    assert "--init-scale 0.3" in text


@pytest.mark.parametrize(
    ("eigenvalues", "expected"),
    [
        ({"activation": "relu"}, None),
        ({"covariance": "given"}, None),
        ({"outputs": 2}, None),
        ({"second_layer": "fixed", "second_layer_values": [[1.0, -1.0]]}, None),
        ({}, 4),
        (
            {"inputs": 4},
            8,
        ),  # the zero eigenvalue is there twice: 2 · 2 · 3 sets, 4 of them of more modes than units
        ({"inputs": 3, "eigenvalues": [1.0, 1.0, 1.0]}, 4),  # 0 … 3 copies
    ],
)
def test_stationary_points_are_added_where_they_are_known(eigenvalues, expected):
    from quadflow.commands.report import atlas_of

    problem = {
        **{"inputs": 2, "hidden": 2, "outputs": 1, "activation": "quadratic"},
        **{"second_layer": "trainable", "covariance": "identity", "eigenvalues": [2.0, 1.0]},
    }
    found = atlas_of(problem | eigenvalues)
    assert (found and len(found["fixed_points"])) == expected


def test_refusals_are_one_line(quadflow, tmp_path, monkeypatch):
    pytest.importorskip("plotly")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "half.json").write_text('{"times": [0')
    (tmp_path / "text.npz").write_text("no arrays")
    np.savez(tmp_path / "weights.npz", W=np.ones((2, 2)), a=np.ones(2))
    before = sorted(tmp_path.iterdir())
    for arguments, words in [
        (["report"], "No run"),
        (["report", "missing.json"], "No such file"),
        (["report", "missing.npz"], "No such file"),
        (["report", "run.txt"], "must end in .json"),
        (["report", "list.json"], "not a JSON object"),
        (["report", "half.json"], "not a JSON object"),
        (["report", "text.npz"], "no zip archive"),
        (["report", "weights.npz"], "not written by simulate or train"),
        (["report", "list.json", "--output", "report.pdf"], "must end in: html"),
        (["fixed-points", *PROBLEM, "--report", "x.pdf"], "`--report` is 'x.pdf'"),
        (["fixed-points", *PROBLEM, "--symbolic", "--report", "x.html"], "does not go with it"),
    ]:
        result = quadflow(*arguments)
        assert (result.status, result.out) == (2, ""), arguments
        assert words in result.err
        assert result.err.count("\n") == 1
    monkeypatch.setitem(sys.modules, "plotly", None)
    result = quadflow("fixed-points", *PROBLEM, "--report", "x.html")
    assert result.status == 2
    assert "pip install 'quadflow[report]'" in result.err
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_named_twice_is_shown_twice():
    from quadflow.commands.report import short_names

    assert short_names(("a/run.json", "b/other.npz")) == ["run.json", "other.npz"]
    assert short_names(("a/run.json", "b/run.json")) == ["a/run.json", "b/run.json"]
    assert short_names(("run.json", "run.json")) == ["run.json (1)", "run.json (2)"]
