"""`quadflow fixed-points` and `quadflow staircase`: the numbers of theory section 3, keys, bad input."""

import json

import numpy as np
import pytest

KEYS = {
    *("learned_modes", "rank", "learned_values", "residual_trace", "loss", "index", "nullity", "positive"),
    *("kind", "feasible"),
}


def test_levels_of_the_example(quadflow):
    """λ = (4, 2, 1): 45.5, 32, 25.333…, 20, 8, 5, 1.25, 0."""
    result = quadflow("fixed-points", "--teacher", "4,2,1", "--hidden", "3", "--json").json
    assert result["count"] == 8
    losses = [p["loss"] for p in result["fixed_points"]]
    np.testing.assert_allclose(losses, [0, 1.25, 5, 8, 20, 76 / 3, 32, 45.5], atol=1e-12)
    for point in result["fixed_points"]:
        assert set(point) >= KEYS
        assert point["index"] + point["nullity"] + point["positive"] == 12


def test_a_spurious_minimum_is_reported_with_its_reason(quadflow):
    """λ = (2, −1.9), one unit: {1} at 4.8133… and {2} at 5.3333…, both stable."""
    result = quadflow("fixed-points", "--teacher", "2,-1.9", "--hidden", "1", "--json").json
    by_set = {tuple(p["learned_modes"]): p for p in result["fixed_points"]}
    assert by_set[(0,)]["loss"] == pytest.approx(1.9**2 * 4 / 3)
    assert by_set[(1,)]["loss"] == pytest.approx(16 / 3)
    assert by_set[(0,)]["index"] == by_set[(1,)]["index"] == 0
    assert by_set[(1,)]["kind"] == "spurious minimum"
    text = quadflow("fixed-points", "--teacher", "2,-1.9", "--hidden", "1").out
    assert "spurious minimum" in text
    assert "positive a" in text


def test_search_certificates_and_graph(quadflow):
    pytest.importorskip("flint")
    arguments = ["--teacher", "2,1", "--hidden", "2", "--search", "30", "--certify", "--graph", "--json"]
    result = quadflow("fixed-points", *arguments).json
    search = result["search"]
    assert search["starts"] == 30
    assert search["matched"] == search["converged"] > 20
    assert search["unmatched"] == []
    assert all(p["certified"] and p["radius"] < 1e-12 for p in result["fixed_points"])
    edges = {(tuple(e["from"]), tuple(e["to"])) for e in result["connections"]}
    assert {((), (0,)), ((0,), (0, 1))} <= edges


def test_connections_of_spare_units_of_either_sign_are_explained(quadflow):
    """What the table calls a minimum for want of a negative unit, a connection leaves: one sentence between them."""
    arguments = ["fixed-points", "--teacher", "3.1,0.8,-1.4", "--hidden", "4"]
    lines = quadflow(*arguments, "--graph").out.splitlines()
    (said,) = [n for n, line in enumerate(lines) if "of either sign" in line]
    assert said < lines.index("{0, 1} → {0–2}") and "{0, 1} is a spurious minimum there" in lines[said]
    assert quadflow(*arguments, "--graph", "--json").json["warnings"] == [lines[said]]
    for other in (["--graph", "--signs", "+,+,+,+"], []):
        assert "of either sign" not in quadflow(*arguments, *other).out


def test_lowest_of_many(quadflow):
    arguments = ["--teacher", "power-law:1:40", "--hidden", "45", "--lowest", "3", "--json"]
    result = quadflow("fixed-points", *arguments).json
    assert result["count"] == 3
    assert result["fixed_points"][0]["loss"] == pytest.approx(0, abs=1e-12)


def test_a_representative_is_a_fixed_point(quadflow, tmp_path):
    """Started there, the flow stays there: loss 20 of {2, 3} for λ = (4, 2, 1)."""
    path = tmp_path / "saddle.npz"
    written = quadflow(
        "fixed-points", "--teacher", "4,2,1", "--hidden", "3", "--representative", "1,2", "--output", path
    )
    assert written.status == 0
    result = quadflow(
        "simulate", "--teacher", "4,2,1", "--init-file", path, "--times", "0,0.1", "--json"
    ).json
    np.testing.assert_allclose(result["loss"], 20, rtol=1e-10)


def test_symbolic_catalogue(quadflow, tmp_path):
    path = tmp_path / "points.tex"
    result = quadflow("fixed-points", "--teacher", "2,1", "--symbolic", "--output", path, "--json").json
    assert result["count"] == 4
    assert path.read_text().count("\\[") == 4


def test_staircase(quadflow, tmp_path):
    """Heights 45.5 → 8 → 1.25 → 0, times increasing."""
    path = tmp_path / "stairs.json"
    arguments = ["--teacher", "4,2,1", "--hidden", "6", "--init-scale", "1e-3", "--seed", "1"]
    result = quadflow("staircase", *arguments, "--output", path, "--json").json
    jumps = result["jumps"]
    np.testing.assert_allclose([j["loss_before"] for j in jumps], [45.5, 8, 1.25])
    np.testing.assert_allclose([j["loss_after"] for j in jumps], [8, 1.25, 0], atol=1e-12)
    assert [j["learned_modes"] for j in jumps] == [[0], [0, 1], [0, 1, 2]]
    assert (np.diff([j["time"] for j in jumps]) > 0).all()
    assert path.exists()


@pytest.mark.parametrize("name", ["atlas", "saddle-graph", "staircase"])
def test_figures(quadflow, tmp_path, name):
    path = tmp_path / f"{name}.png"
    quick = {
        "atlas": ["--search", "20"],
        "saddle-graph": ["--init-scale", "0.2", "--t-end", "2"],
        "staircase": ["--init-scale", "0.1", "--seeds", "2"],
    }
    assert quadflow("figure", name, *quick[name], "--output", path).status == 0
    assert path.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fixed-points"], "missing"),
        (["fixed-points", "--teacher", "2,1", "--signs", "+,?"], "one of"),
        (["fixed-points", "--teacher", "2,1", "--signs", "+"], "2 hidden units"),
        (["fixed-points", "--teacher", "2,1", "--outputs", "2"], "one output"),
        (["fixed-points", "--teacher", "2,1", "--lowest", "0"], "at least 1"),
        (["fixed-points", "--teacher", "2,1", "--search", "0"], "at least 1"),
        (["fixed-points", "--teacher", "2,1", "--representative", "0"], "need each other"),
        (["fixed-points", "--teacher", "power-law:1:40", "--hidden", "40"], "lowest"),
        (["fixed-points", "--teacher", "2,1", "--activation", "cubic"], "must be one of"),
        (["staircase", "--teacher", "2,1", "--outputs", "2"], "output"),
    ],
)
def test_bad_input(quadflow, arguments, words):
    result = quadflow(*arguments)
    assert result.status == 2
    assert words in result.err
    assert result.err.count("\n") == 1


def test_what_a_search_finds_is_written_and_reported(quadflow, monkeypatch, tmp_path):
    """Where there is no catalogue: the same object on paper, in the file and in the report, with its problem."""
    pytest.importorskip("plotly")
    monkeypatch.setattr(
        "dynamics.stationary.numerical.numerical_points",
        lambda problem, starts, seed, progress: {"starts": starts},
    )
    monkeypatch.setattr(
        "dynamics.stationary.numerical.describe_points", lambda result: f"{result['starts']} starts"
    )
    arguments = ["fixed-points", "--teacher", "2,1", "--activation", "abs", "--search", "7"]
    files = tmp_path / "x.json", tmp_path / "x.html"
    assert not quadflow(*arguments).err and not list(tmp_path.iterdir())
    printed = quadflow(*arguments, "--output", files[0], "--report", files[1])
    assert printed.out == "7 starts\n"
    written = json.loads(files[0].read_text())
    assert (written["starts"], written["problem"]["activation"]) == (7, "abs")
    assert "starts" in files[1].read_text()
    assert quadflow(*arguments, "--json").json["problem"] == written["problem"]


def test_formulas_are_written_in_the_language_of_their_suffix(quadflow, tmp_path):
    arguments = ["fixed-points", "--teacher", "2,1", "--symbolic"]
    words = quadflow(*arguments).out
    assert quadflow(*arguments, "--output", tmp_path / "x.tex").out == words
    latex = (tmp_path / "x.tex").read_text()
    assert latex.count("\\[ ") == 4 and latex.endswith("\\]\n")
    quadflow(*arguments, "--output", tmp_path / "x.json")
    assert json.loads((tmp_path / "x.json").read_text())["count"] == 4
