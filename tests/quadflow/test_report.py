"""`quadflow report`, and where a result says it comes from. The page itself is tested in tests/figures."""

import json
import re
import sys
from importlib.metadata import version

import numpy as np
import pytest

PROBLEM = ["--teacher", "4,2,1", "--hidden", "3"]
SIMULATE = ["simulate", *PROBLEM, "--t-end", "0.5", "--records", "9"]
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
    assert f"quadflow simulate {' '.join(PROBLEM)} --t-end 0.5 --records 9 --json" in text
    assert f"quadflow train {' '.join(PROBLEM)}" in text
    assert f"numpy {np.__version__}" in text
    for loss in ("45.5", "32", "8", "1.25"):
        assert cells(page).count(loss) >= 2


def test_an_npz_file_still_is_what_it_was(quadflow, tmp_path):
    """The added array disturbs nobody: `Trajectory.load` and `TrainingRun.load` read the file."""
    from dynamics.curves.trajectory import Trajectory
    from empirical.training_run import TrainingRun

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
    from quadflow.reports import atlas_of

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
    (tmp_path / "other.json").write_text('{"a": 1}')
    (tmp_path / "half.json").write_text('{"times": [0')
    (tmp_path / "text.npz").write_text("no arrays")
    np.savez(tmp_path / "weights.npz", W=np.ones((2, 2)), a=np.ones(2))
    before = sorted(tmp_path.iterdir())
    for arguments, words in [
        (["report"], "No run"),
        (["report", "missing.json"], "No such file"),
        (["report", "missing.npz"], "No such file"),
        (["report", "run.txt"], "must end in .json"),
        (["report", "list.json"], "not a JSON object, but a list"),
        (["report", "half.json"], "not a JSON object"),
        (
            ["report", "other.json"],
            "not a result as quadflow prints it: it says no command and has neither times with their loss",
        ),
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


RESULT = {
    "times": [0.0, 1.0],
    "loss": [2.0, 1.0],
    "modes": [[0.0], [1.0]],
    "stages": [{"start": 0.0, "end": 1.0, "loss": 2.0, "learned_modes": [], "predicted_loss": 2.0}],
    "conserved": {"initial": [1.0], "drift": [0.0]},
    "problem": {"inputs": 1, "hidden": 1, "outputs": 1, "activation": "quadratic", "covariance": "identity",
                "second_layer": "trainable", "eigenvalues": [1.0]},
    "fixed_points": [{"learned_modes": [0], "loss": 0.0, "learned_values": [1.0], "index": 0, "kind": "minimum"}],
    "jumps": [{"time": 1.0, "unit": 0, "learned_modes": [0], "loss_before": 2.0, "loss_after": 0.0}],
    "laws": ["a_0**2"],
    "grid": [{"x": 1.0, "kind": "simulate", "done": 1}],
    "median_curves": [{"x": 1.0, "kind": "simulate", "times": [0.0, 1.0], "loss": [1.0, None]}],
    "warnings": ["a note"],
    "versions": {"numpy": "2"},
    "command": "quadflow simulate",
}  # fmt: skip
WRONG = [
    None,
    True,
    -1,
    0.5,
    1e308,
    10**9,
    10**400,
    "x",
    "\ud800",
    [],
    [1],
    [None],
    [["x"]],
    {},
    {"a": 1},
    [{}],
]


def places(value, path=()):
    """Paths of everything inside a JSON value."""
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, entry in entries:
        yield (*path, key)
        yield from places(entry, (*path, key))


def with_value(path, value):
    """The result with another value in one place."""
    result = json.loads(json.dumps(RESULT))
    inner = result
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return result


def test_every_place_of_a_result_with_values_of_every_wrong_type(quadflow, tmp_path, monkeypatch):
    """A page, or one sentence: nothing else, whatever stands where. (Pages are put together, not written.)"""
    pytest.importorskip("plotly")
    monkeypatch.setattr("figures.report_page.render_page", lambda *_, **__: "page")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.json").write_text(json.dumps(RESULT))
    assert quadflow("report", "x.json").status == 0
    pages = refusals = 0
    for i, path in enumerate(places(RESULT)):
        for value in WRONG[i % 8 :: 8]:
            (tmp_path / "x.json").write_text(json.dumps(with_value(path, value)))
            result = quadflow("report", "x.json")
            pages += result.status == 0
            refusals += result.status == 2
            assert result.status == 0 or (result.status == 2 and result.err.count("\n") == 1), (path, value)
            assert "internal" not in result.err
    assert min(pages, refusals) > 20


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("times",), "abc", "`times` is 'abc', but must be a list"),
        (("loss", 1), {}, "`loss[1]` is {}, but must be a number"),
        (("problem", "inputs"), "<b>", "`problem.inputs` is '<b>', but must be a whole number"),
        (("fixed_points", 0), 3, "`fixed_points[0]` is 3, but must be an object"),
        (("warnings",), "hello", "`warnings` is 'hello', but must be a list"),
        (("versions", "numpy"), 2, "`versions.numpy` is 2, but must be a text"),
        (("command",), ["x"], "`command` is ['x'], but must be a text"),
        (
            ("problem", "eigenvalues", 0),
            True,
            "`problem.eigenvalues[0]` is True, but must be a finite number",
        ),
    ],
)
def test_the_place_that_is_wrong_is_named(path, value, words):
    from dynamics.errors import ProblemError
    from figures.report_input import validate_result

    with pytest.raises(ProblemError) as refused:
        validate_result(with_value(path, value), "x.json")
    assert str(refused.value) == f"The run 'x.json' is not a result as quadflow prints it: {words}" + (
        " ≥ 0." if "whole" in words else "."
    )


def test_text_in_a_file_is_text_in_the_page(quadflow, tmp_path):
    """Tags are escaped in the page itself and in its charts, where plotly would read them."""
    pytest.importorskip("plotly")
    evil = "<img src=x onerror=alert(1)></script><script>alert(1)</script>"
    result = {
        **RESULT,
        "command": f"quadflow simulate {evil}",
        "warnings": [evil],
        evil: evil,
        "laws": [evil],
        "versions": {evil: evil},
    }
    result["fixed_points"] = [{**RESULT["fixed_points"][0], "kind": evil}] * 2
    result["problem"] = {**RESULT["problem"], "activation": evil}
    result["median_curves"] = [{**RESULT["median_curves"][0], "kind": evil}]
    result["grid"] = [{"kind": evil, evil: evil}]
    path = tmp_path / "x.json"
    path.write_text(json.dumps(result))
    assert quadflow("report", path, "--output", tmp_path / "x.html").status == 0
    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert "alert(1)" in page
    assert evil not in page
    assert "<img src" not in page
    assert "\\u003cimg" not in page  # as JSON has it: plotly's own entities, not a tag
    assert "&lt;img" in page


def test_networks_that_diverged_are_drawn_without_a_warning(quadflow, tmp_path):
    """Warnings are errors here, as everywhere in the suite; null is what JSON has for NaN."""
    pytest.importorskip("plotly")
    result = {
        "format": "quadflow result 2",
        "times": [0.0, 1.0],
        "loss": [[1.0, None]],
        "modes": [[[1.0], [None]]],
        "problem": {"eigenvalues": [1.0]},
    }
    (tmp_path / "x.json").write_text(json.dumps(result))
    assert quadflow("report", tmp_path / "x.json", "--output", tmp_path / "x.html").status == 0


def test_stationary_points_are_not_sought_without_end():
    """A file may claim any size; without a catalogue the report does without."""
    from quadflow.reports import atlas_of

    problem = dict(RESULT["problem"])
    assert atlas_of(problem)
    assert atlas_of(problem | {"inputs": 10**9}) is None
    assert atlas_of(problem | {"eigenvalues": []}) is None
    del problem["second_layer"]
    assert atlas_of(problem) is None
