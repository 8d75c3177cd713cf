"""What a report makes of the shape of a result: facts, tables and texts in words; equal points as one row."""

import numpy as np
import pytest

pytest.importorskip("plotly", reason="plotly is not installed")

from dynamics import ProblemError, Teacher
from dynamics.stationary import fixed_points
from figures.report_facts import facts_and_parts, text_of
from figures.report_input import validate_result
from figures.report_parts import Chart, Text
from figures.report_sections import section
from figures.report_tables import Table
from figures.report_words import COMMANDS, SIGNS, WORDS


def texts(table):
    return [[cell.text for cell in row] for row in table.rows]


def test_objects_in_a_list_are_a_table():
    """A column for each key of any of them, in words; sets and numbers of modes and units count from 1."""
    entries = [
        {"from": [], "to": [0, 2], "mode": 2, "growth_rate": 14.0, "generic": True},
        {"from": [0], "to": [0], "mode": 0, "growth_rate": None, "other_key": "x"},
    ]
    facts, (table,) = facts_and_parts({"connections": entries})
    assert facts == {}
    assert table.title == "Connections by gradient flow"
    assert table.columns == ("from", "to", "mode", "growth rate", "generic", "other key")
    assert texts(table) == [["∅", "{1, 3}", "3", "14", "yes", "–"], ["{1}", "{1}", "1", "–", "–", "x"]]
    assert [row[1].key for row in table.rows] == [2, 1]  # sorted by the size of the set
    assert table.rows[1][3].key == "–"


def test_objects_that_are_alike_are_rows():
    """With the same keys, beside each other, at any depth; a single one, or one with other keys, is facts."""
    values = {
        "hannet": {"loss": 0.5, "parameters": 3},
        "dense": {"loss": 0.25, "parameters": 7},
        "norm_growth": {"step": 0.1, "relative": 2.0},
        "stable_steps": {"heavy_ball": {"start": 1.0, "path": 2.0}, "adam": {"start": 3.0, "path": 4.0}},
    }
    facts, (table, inner) = facts_and_parts(values)
    growth = "growth of the norms by one step"
    assert facts == {f"{growth}: learning rate": "0.1", f"{growth}: relative": "2"}
    assert (table.title, table.columns) == ("Side by side", ("", "loss", "parameters"))
    assert texts(table) == [["HanNet", "0.5", "3"], ["dense network", "0.25", "7"]]
    assert inner.title == "Largest stable learning rate"
    assert texts(inner) == [["heavy_ball", "1", "2"], ["adam", "3", "4"]]  # names stay as they are


def test_long_texts_stand_alone():
    """Of several lines or 200 characters; equations by the names of what they are equations of."""
    facts, parts = facts_and_parts(
        {"tensor": "a\nb", "loss": "x" * 201, "objective": "x" * 200, "ode": {"w_0_0": "-a"}}
    )
    assert facts == {"objective: loss and weight decay": "x" * 200}
    assert parts[0] == Text("Equations without indices", "a\nb")
    assert parts[1] == Text("Loss", "x" * 201)
    assert (parts[2].title, texts(parts[2])) == ("Time derivatives under gradient flow", [["w_0_0", "-a"]])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([[1.0, -1.0]], "1, -1"),
        ([[0.5] * 4] * 3, ", ".join(["0.5"] * 12)),
        ([[0.5] * 5] * 3, "3 × 5 numbers"),
        ([[[0.5] * 5] * 3] * 2, "2 × 3 × 5 numbers"),
        ([0.5] * 13, "13 entries"),
        ([{"a": 1}], "1 entries"),
        ([], "none"),
        ({"positive": 1, "negative": None}, "positive 1, negative –"),
        ({}, "none"),
        (1234567.0, "1.23457e+06"),
        (True, "yes"),
    ],
)
def test_values_as_texts(value, text):
    assert text_of(value) == text


def test_one_global_minimum_is_one_row():
    """λ = (2, 1, 0, 0): {1, 2} with zero modes of the learned value 0 is {1, 2}; {1, 3}, μ₃ ≠ 0, is not {1}."""
    points = fixed_points(Teacher.from_eigenvalues([2, 1], 4), hidden=4).to_dict()["fixed_points"]
    assert sum(abs(point["loss"]) < 1e-12 for point in points) == 3
    found = section({"fixed_points": points}, "x.json")
    table = found.parts[0]
    rows = texts(table)
    assert [row[0] for row in rows if row[1] == "0"] == ["{1, 2}"]
    assert table.note == "Left out: 2 sets with further modes of the learned value 0, the same points."
    assert len(rows) == len(points) - 2
    assert {"{1}", "{1, 3}", "{1, 3, 4}"} <= {row[0] for row in rows}
    losses = [float(row[1]) for row in rows]
    assert losses.count(0) == 1
    decayed = fixed_points(Teacher.from_eigenvalues([2, 1]), hidden=2, weight_decay=0.1).to_dict()[
        "fixed_points"
    ]
    found = section({"fixed_points": decayed}, "x.json").parts[0]
    assert len(found.rows) == len(decayed)  # several units or other roots of the same set
    assert "units of each mode" in found.columns
    assert found.note == ""


def test_what_is_proved_is_said():
    """A column with the radius of the box, where points are certified."""
    point = {"learned_modes": [0], "learned_values": [1.0], "loss": 0.0, "index": 0, "kind": "saddle"}
    points = [
        point | {"certified": True, "radius": 1.5e-16},
        point | {"learned_modes": [1], "certified": False},
    ]
    table = section({"fixed_points": points}, "x.json").parts[0]
    assert table.columns[-1] == "proved within"
    assert [row[-1] for row in texts(table)] == ["1.5e−16", "–"]
    assert "proved within" not in section({"fixed_points": [point]}, "x.json").parts[0].columns


def test_roots_that_are_alike_are_one_row():
    """The global minimum was found by losses of 1e-31 and −1e-33: one row, found five times; index 1 is another one."""
    root = {"index": 0, "nullity": 3, "positive": 3, "kind": "global minimum", "learned_modes": [0, 1]}
    roots = [root | {"loss": 1e-31, "hits": 3}, root | {"loss": -1e-33, "hits": 2}]
    roots += [root | {"loss": 9.5, "index": 1, "kind": "saddle", "hits": 1}]
    search = {"starts": 6, "converged": 6, "roots": roots, "unmatched": []}
    found = section({"fixed_points": [], "search": search, "connections": []}, "x.json")
    table = next(part for part in found.parts if part.title == "Roots found")
    kind, hits = table.columns.index("kind"), table.columns.index("times found")
    assert [(row[kind], row[hits]) for row in texts(table)] == [("global minimum", "5"), ("saddle", "1")]
    (row,) = texts(next(part for part in found.parts if part.title == "Search"))
    assert row == ["6", "6", "none"]


def test_all_curves_of_a_result_without_modes():
    """Whatever is as long as the times, in words, and the median of networks that were trained for it."""
    times = [0.0, 1.0, 2.0]
    trained = {
        "times": [0.0, 2.0],
        "steps": [0, 9],
        "loss": [[3.0, 1.0], [5.0, None], [4.0, 2.0]],
        "seeds": 3,
    }
    result = {"times": times, "loss": [3.0, 2.0, 1.0], "gaussian": [3.0, None, 0.5], "spectrum": [1.0, 2.0]}
    found = section(result | {"steps": [0, 1, 2], "trained": trained, "rates": [1, 2]}, "x.json")
    (chart,) = [part for part in found.parts if isinstance(part, Chart)]
    drawn = {trace["name"]: trace["y"] for trace in chart.figure["data"]}
    assert drawn == {
        "loss": [3, 2, 1],
        "theory of Gaussian inputs": [3, None, 0.5],
        "median of trained networks": [4, 1.5],
    }
    assert found.facts == {
        **{"spectrum of the fourth moments": "1, 2", "trained networks: seeds": "3", "rates": "1, 2"},
    }


def test_the_objective_is_drawn_beside_the_loss():
    times = [0.0, 1.0]
    result = {"times": times, "loss": [2.0, 1.0], "modes": [[0.0], [1.0]], "objective": [2.5, 1.5]}
    found = section(result, "x.json")
    curve = next(
        trace for trace in found.parts[0].figure["data"] if trace["name"] == "theory, with weight decay"
    )
    np.testing.assert_allclose(curve["y"], [2.5, 1.5])
    assert found.facts == {}


def test_titles_without_a_command():
    """By what the result holds; stationary points that are added to a run do not make it a catalogue."""
    curve = {"times": [0.0, 1.0], "loss": [2.0, 1.0], "modes": [[0.0], [1.0]]}
    networks = {"times": [0.0, 1.0], "loss": [[2.0, 1.0]], "modes": [[[0.0], [1.0]]]}
    assert section(curve | {"fixed_points": []}, "x").title == "simulate"
    assert section(networks, "x").title == "train"
    assert section({"theory": curve, "training": networks}, "x").title == "compare"
    assert section({"ode": {"w": "-w"}}, "x").title == "derive"
    assert section({"verdict": "fails", "command": "quadflow scope"}, "x").title == "scope"
    assert set(SIGNS.values()) <= COMMANDS.keys()
    assert section({"verdict": "fails"}, "x").about == COMMANDS["diagnose"]


def test_words_are_words():
    """No two keys have words that a reader could not tell from a key."""
    assert all("_" not in words for words in WORDS.values())
    assert all(words == words.strip() for words in [*WORDS.values(), *COMMANDS.values()])


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (
            {"name": "x", "version": "1"},
            "it says no command and has neither times with their loss nor one of theory, fixed_points",
        ),
        ({}, "it says no command"),
        ({"versions": {"numpy": "2"}}, "it says no command"),
        (
            {"command": "npm run build", "times": [1.0]},
            "`command` is 'npm run build', but must be one of quadflow",
        ),
        (
            {"command": "quadflow frobnicate", "x": 1},
            "`command` is 'quadflow frobnicate', but results are those of",
        ),
        (
            {"command": "quadflow report a.json", "output": "r.html", "bytes": 3, "runs": []},
            "but results are those of",
        ),
        (
            {"command": "quadflow explore", "output": "e.html", "bytes": 3, "warnings": []},
            "nothing but its origin",
        ),
        (
            {"command": "quadflow simulate", "versions": {}, "format": "quadflow result 2"},
            "nothing but its origin",
        ),
    ],
)
def test_what_is_no_result_is_refused(result, why):
    """Other programs' JSON, unknown commands, and notes that a page was written: one sentence each."""
    with pytest.raises(ProblemError) as refused:
        validate_result(result, "x.json")
    told = str(refused.value)
    assert told.startswith("The run 'x.json' is not a result as quadflow prints it: ")
    assert why in told
    assert "\n" not in told
    assert len(told) < 400


@pytest.mark.parametrize("sign", ["theory", *SIGNS])
def test_results_that_do_not_say_their_command(sign):
    """As older files, and those saved from Python."""
    value = {"fixed_points": [], "jumps": [], "laws": []}.get(sign, {"a": "b"})
    validate_result({sign: value}, "x.json")


def test_tables_and_charts_of_stationary_points_stand_last():
    """What a command says itself comes before the points that the report adds."""
    point = {"learned_modes": [0], "learned_values": [1.0], "loss": 0.0, "index": 0, "kind": "saddle"}
    found = section({"fixed_points": [point], "schedules": [{"name": "wsd"}], "origin": point}, "x.json")
    assert [part.title for part in found.parts if isinstance(part, Table)] == [
        "Schedules",
        "Stationary points",
    ]
    assert found.facts == {}
