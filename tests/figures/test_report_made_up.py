"""What charts and tables of a report hold, number by number: made-up results."""

import math

import numpy as np
import pytest

pytest.importorskip("plotly", reason="plotly is not installed")

from figures import report_charts as charts
from figures.report_parts import Chart
from figures.report_sections import Table, section, together
from figures.report_tables import LARGEST_TABLE
from figures.style import PALETTE
from figures.web_page import DASHES, SYMBOLS

T = np.linspace(0, 4, 41)


def traces(figure):
    return figure.to_plotly_json()["data"]


def named(figure, name):
    (found,) = [t for t in traces(figure) if t.get("name") == name]
    return found


def layout(figure):
    return figure.to_plotly_json()["layout"]


def rows(found, title):
    (table,) = [p for p in found.parts if isinstance(p, Table) and p.title == title]
    return [[cell.text for cell in row] for row in table.rows]


def theory(modes=2, **more):
    values = np.outer(1 - np.exp(-T), 1 + np.arange(modes))
    return {"times": T.tolist(), "loss": (8 * np.exp(-T)).tolist(), "modes": values.tolist()} | more


def training(factors, modes=2):
    one = theory(modes)
    return {
        "times": one["times"],
        "loss": [(f * np.array(one["loss"])).tolist() for f in factors],
        "modes": [(f * np.array(one["modes"])).tolist() for f in factors],
    }


def test_band_of_networks():
    """Eleven networks, factors 0 … 1: deciles 0.1 and 0.9, drawn up and back; a single one has no band."""
    run = training(np.linspace(0, 1, 11))
    figure = charts.learning_chart(None, run)
    band = named(figure, "10–90 % of 11 networks")
    np.testing.assert_allclose(band["x"], [*T, *T[::-1]], rtol=1e-6)
    expected = [*(0.9 * 8 * np.exp(-T)), *(0.1 * 8 * np.exp(-T))[::-1]]
    np.testing.assert_allclose(band["y"], expected, rtol=1e-6)
    median = named(figure, "median network")
    np.testing.assert_allclose(median["y"], 4 * np.exp(-np.array(median["x"])), rtol=1e-5)
    modes = named(figure, "mode 2 (median)")
    np.testing.assert_allclose(modes["y"], 1 - np.exp(-np.array(modes["x"])), rtol=1e-5, atol=1e-7)
    alone = charts.learning_chart(None, training([1.0]))
    assert [t["name"] for t in traces(alone)] == ["trained network", "mode 1 (median)", "mode 2 (median)"]


def test_theory_and_networks_share_colours():
    """Dashes and open symbols in the order of the palette; names say which is which."""
    figure = charts.learning_chart(theory(), training([1.0, 2.0, 3.0]), [2.0, 1.0])
    names = [t["name"] for t in traces(figure)]
    assert names == [
        *("theory", "10–90 % of 3 networks", "median network"),
        *("mode 1", "mode 1, networks", "mode 2", "mode 2, networks"),
    ]
    for n in range(2):
        line, markers = named(figure, f"mode {n + 1}"), named(figure, f"mode {n + 1}, networks")
        assert (line["line"]["color"], line["line"]["dash"]) == (PALETTE[n], DASHES[n])
        assert (markers["marker"]["color"], markers["marker"]["symbol"]) == (PALETTE[n], f"{SYMBOLS[n]}-open")
        assert line["yaxis"] == markers["yaxis"] == "y2"
        np.testing.assert_allclose(
            markers["y"], 2 * (n + 1) * (1 - np.exp(-np.array(markers["x"]))), rtol=1e-5, atol=1e-7
        )
    assert named(figure, "theory")["line"]["dash"] == "solid"
    heights = [s["y0"] for s in layout(figure)["shapes"]]
    assert heights == [2, 1]  # the eigenvalues


def test_axes_of_the_learning_chart():
    """From the start to the end; the loss from e⁻⁴ × 8 to 8 with a fifth of a decade to spare, at most 8 decades."""
    shown = layout(charts.learning_chart(theory(), None))
    assert shown["xaxis"]["range"] == shown["xaxis2"]["range"] == [0, 4]
    low, high = np.log10([8 * np.exp(-4), 8])
    np.testing.assert_allclose(shown["yaxis"]["range"], [low - 0.2, high + 0.2])
    assert shown["yaxis"]["title"]["text"] == "loss"
    assert shown["yaxis2"]["title"]["text"] == "teacher modes"
    assert shown["xaxis2"]["title"]["text"] == "time of the flow"
    deep = theory() | {"loss": (10.0 ** (-5 * T)).tolist()}
    np.testing.assert_allclose(layout(charts.learning_chart(deep, None))["yaxis"]["range"], [-8.2, 0.2])
    nothing = theory() | {"loss": [0.0] * 41}
    np.testing.assert_allclose(layout(charts.learning_chart(nothing, None))["yaxis"]["range"], [-1.2, 0.2])


def test_the_largest_modes_are_shown():
    """By eigenvalue where these are known, else by what the modes reached; six of them, in their order."""
    eight = theory(8)
    by_reach = [t["name"] for t in traces(charts.learning_chart(eight, None))][1:]
    assert by_reach == [f"mode {i}" for i in (3, 4, 5, 6, 7, 8)]
    eigenvalues = [8.0, 7, 6, 5, 1, 2, -9, 4]
    by_value = [t["name"] for t in traces(charts.learning_chart(eight, None, eigenvalues))][1:]
    assert by_value == [f"mode {i}" for i in (1, 2, 3, 4, 7, 8)]


def test_levels_of_plateaus():
    """Across the whole time, in the legend of none, left out where nothing is predicted."""
    stages = [
        {"predicted_loss": 0.123456789, "learned_modes": [0, 2]},
        {"predicted_loss": 0.0, "learned_modes": [0]},
        {"learned_modes": []},
    ]
    figure = charts.learning_chart(theory(stages=stages), None)
    (level,) = [t for t in traces(figure) if t["name"].startswith("level")]
    assert level["name"] == "level of {1, 3}: 0.12346"
    assert level["x"] == [0, 4]
    assert level["y"] == [0.123456789] * 2
    assert not level["showlegend"]


def test_error_bar_of_the_gap():
    """A band about zero, ± the error bar; parts that are not there are not drawn."""
    curves = {"flow": 8 * np.exp(-T), "discretised": 8 * np.exp(-T) + T, "error_bar": 0.5 + T}
    figure = charts.gap_chart(T, curves)
    band = named(figure, "error bar of the mean")
    np.testing.assert_allclose(band["x"], [*T, *T[::-1]], rtol=1e-6)
    np.testing.assert_allclose(band["y"], [*(0.5 + T), *-(0.5 + T)[::-1]], rtol=1e-6)
    np.testing.assert_allclose(named(figure, "discretisation")["y"], T, rtol=1e-6, atol=1e-6)
    assert len(traces(figure)) == 2
    assert layout(figure)["xaxis"]["range"] == [0, 4]
    assert [t["name"] for t in traces(charts.gap_chart(T, {"flow": T, "discretised": T}))] == [
        "discretisation"
    ]


def test_staircase_chart():
    """Steps at the jumps, and 15 % more time after the last."""
    jumps = [
        {"time": 2.0, "loss_before": 8.0, "loss_after": 3.0},
        {"time": 5.0, "loss_before": 3.0, "loss_after": 1.0},
    ]
    figure = charts.staircase_chart(jumps)
    (steps,) = traces(figure)
    assert steps["x"] == [0, 2, 5, 5.75]
    assert steps["y"] == [8, 3, 1, 1]
    assert steps["line"]["shape"] == "hv"
    assert layout(figure)["xaxis"]["range"] == [0, 5.75]


def test_atlas_chart():
    points = [
        {"kind": kind, "index": index, "loss": loss, "learned_modes": modes}
        for kind, index, loss, modes in (
            *(("saddle", 3, 8.0, [0]), ("minimum", 0, 0.0, [0, 1]), ("saddle", 2, 1.0, [1])),
            *(("other", None, 5.0, []), ("saddle", None, 6.0, [])),
        )
    ]
    figure = charts.atlas_chart(points)
    saddle, minimum = traces(figure)
    assert (saddle["x"], saddle["y"], saddle["text"]) == ([3, 2], [8, 1], ["{1}", "{2}"])
    assert (saddle["marker"]["symbol"], saddle["marker"]["color"]) == (SYMBOLS[0], PALETTE[0])
    assert (minimum["marker"]["symbol"], minimum["marker"]["color"]) == (SYMBOLS[1], PALETTE[1])
    assert layout(figure)["xaxis"]["title"]["text"] == "Morse index (descending directions)"


@pytest.mark.parametrize(
    "draw",
    [
        lambda: charts.learning_chart(theory(), None),
        lambda: charts.overlay_chart({"only": (T, T + 1)}),
        lambda: charts.staircase_chart([{"time": 2.0, "loss_before": 8.0, "loss_after": 3.0}]),
        lambda: charts.atlas_chart([{"kind": "saddle", "index": 1, "loss": 1.0, "learned_modes": [0]}]),
    ],
)
def test_even_a_single_curve_has_its_name_in_the_legend(draw):
    """Plotly leaves the legend out where there is one trace, unless told."""
    assert layout(draw())["showlegend"] is True


def test_runs_over_each_other():
    """A colour and dashes each; the axis is that of the longest; the legend gets a line for every two."""
    curves = {f"run {n}": (T * (n + 1), 8 * np.exp(-T)) for n in range(8)}
    figure = charts.overlay_chart(curves)
    assert [t["line"]["color"] for t in traces(figure)] == [*PALETTE, PALETTE[0]]
    assert [t["line"]["dash"] for t in traces(figure)] == [*DASHES, *DASHES[:2]]
    assert layout(figure)["xaxis"]["range"] == [0, 32]
    assert layout(figure)["margin"]["b"] == 62 + 4 * 22
    assert layout(figure)["height"] == 340 + 62 + 4 * 22
    assert layout(figure)["legend"]["y"] == pytest.approx(4 * 22 / (340 + 62 + 4 * 22))
    few = layout(charts.overlay_chart({"a": (T, T + 1)}))
    assert few["margin"]["b"] == 62 + 2 * 22


def test_markers_are_few_and_finite():
    """Forty along the curve, none where nothing was recorded."""
    run = training([1.0])
    run["loss"][0][10:20] = [None] * 10
    marks = named(charts.learning_chart(None, run), "trained network")
    assert None not in marks["y"]
    assert not any(0.95 < x < 1.95 for x in marks["x"])
    t = np.linspace(0, 1, 1001)
    long = {"times": t, "loss": [10.0**-t], "modes": [np.stack([t, t], axis=1)]}
    marks = named(charts.learning_chart(None, long), "trained network")
    assert len(marks["x"]) == 40
    np.testing.assert_allclose(np.diff(marks["x"]), 1 / 39, atol=1.1e-3)
    flat = {"times": t, "loss": [1 + 0 * t], "modes": [np.stack([t, t], axis=1)]}
    marks = named(charts.learning_chart(None, flat), "trained network")
    np.testing.assert_allclose(np.diff(marks["x"]), 1 / 39, atol=1.1e-3)


def test_numbers_have_seven_digits():
    line = named(charts.learning_chart(theory() | {"loss": [math.pi] * 40 + [math.nan]}, None), "theory")
    assert line["y"][0] == 3.141593
    assert line["y"][-1] is None


def test_titles_and_facts():
    """The word after the program's name; a sweep by its table; nested keys with their path."""
    assert section({"command": "quadflow staircase --teacher 2,1", "x": 1}, "s").title == "staircase"
    assert section({"command": "quadflow gap", "x": 1}, "s").title == "gap"
    assert section({"command": "quadflow", "x": 1}, "s").title == "result"
    assert section({"grid": [{"a": 1}], "median_curves": []}, "s").title == "sweep"
    facts = section(
        {
            **{"one_two": 1.23456789, "off": False, "nothing": None, "few": [1, 2.5], "none": []},
            **{"dozen": list(range(12)), "thirteen": list(range(13)), "maps": [{"a": 1}], "word": "x"},
            **{
                "mixed": [1, {"a": 1}],
                "deep": {"er": {"value": 3}},
                "command": "quadflow x",
                "versions": {},
                "warnings": [],
            },
        },
        "s",
    ).facts
    assert facts == {
        **{"one two": "1.23457", "off": "no", "nothing": "–", "few": "1, 2.5", "none": "none"},
        **{"dozen": "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11", "thirteen": "13 entries"},
        **{"word": "x", "mixed": "2 entries", "deep: er: value": "3"},
    }


def test_facts_of_a_problem():
    problem = {
        **{"inputs": 3, "hidden": 2, "outputs": 1, "activation": "relu", "second_layer": "fixed"},
        **{"second_layer_values": [[1.0, -1.0]], "covariance": "given", "eigenvalues": [2.0, 1.0]},
    }
    conserved = {"initial": [0.5, None], "drift": [1e-3, 2.0]}
    found = section(theory(problem=problem, conserved=conserved), "s")
    assert found.facts == {
        **{"teacher eigenvalues": "2, 1", "inputs d": "3", "hidden units K": "2", "outputs": "1"},
        **{"activation": "relu", "input covariance": "given", "second layer": "fixed: 1, -1"},
    }
    assert rows(found, "Conserved quantities: theory") == [["1", "0.5", "1.00e−03"], ["2", "–", "2.00e+00"]]
    (table,) = [p for p in found.parts if p.title.startswith("Conserved")]
    assert table.note == "c = ‖w‖² − Σ a² of each unit; no constant here."
    trained = section(
        theory(
            problem=problem | {"activation": "quadratic", "second_layer": "trainable"}, conserved=conserved
        ),
        "s",
    )
    (table,) = [p for p in trained.parts if p.title.startswith("Conserved")]
    assert table.note == "c = ‖w‖² − 2Σ a² of each unit, which gradient flow conserves."
    trainable = {"activation": "quadratic", "second_layer": "trainable"}
    for decay, shown in (([0.1, 0.2], "0.1, 0.2"), ([0.0, 0.2], "0, 0.2"), ([0.0, 0.0], None)):
        decayed = problem | trainable | {"weight_decay": decay}
        found = section(theory(problem=decayed, conserved=conserved), "s")
        assert found.facts.get("weight decay ρ_w, ρ_a") == shown
        (table,) = [p for p in found.parts if p.title.startswith("Conserved")]
        assert ("but for the weight decay" in table.note) == (shown is not None)
    assert not [p for p in section(theory(conserved=[1.0]), "s").parts if p.title.startswith("Conserved")]


def test_tables_are_sorted_by_numbers():
    """Sets by their size, missing numbers last, kinds by name, infeasible points after all of them."""
    point = {"learned_modes": [0, 1], "learned_values": [2.123456, 1.0], "loss": 1e-7, "kind": None}
    found = section({"fixed_points": [point]}, "s")
    (table,) = found.parts  # a single point without an index is not drawn
    assert [(cell.text, cell.key) for cell in table.rows[0]] == [
        *(("{1, 2}", 2), ("1e−07", 1e-7), ("2.1235, 1", 2)),
        *(("–", math.inf), ("–", math.inf), ("–", math.inf), ("not feasible", "~")),
    ]
    two = [point | {"index": i, "nullity": 0, "positive": 5, "kind": "saddle"} for i in (1, 2)]
    assert [p.title for p in section({"fixed_points": two[:1]}, "s").parts] == ["Stationary points"]
    assert len(section({"fixed_points": two}, "s").parts) == 2
    facts = section({"fixed_points": two, "origin": 1, "count": 3}, "s").facts
    assert facts == {"count": "3"}


def test_a_jump_without_a_unit():
    jump = {"time": 2.0, "unit": None, "learned_modes": [], "loss_before": 8.0, "loss_after": -3.0}
    assert rows(section({"jumps": [jump]}, "s"), "Predicted jumps") == [["2", "–", "∅", "8", "−3"]]


def test_long_tables_say_how_many_rows_they_leave_out():
    (table,) = section({"laws": ["a"] * (LARGEST_TABLE + 1)}, "s").parts
    assert len(table.rows) == LARGEST_TABLE
    assert table.note == (
        "Symbols as in `quadflow derive`: indices count from 0. The first 2000 of 2001 rows."
    )
    (table,) = section({"laws": ["a"] * LARGEST_TABLE}, "s").parts
    assert (len(table.rows), table.note[-7:]) == (LARGEST_TABLE, "from 0.")
    assert [cell.text for cell in table.rows[1]] == ["2", "a"]


def test_a_sweep():
    """Columns are all that any row has; curves are named by their kind and options."""
    grid = [{"init_scale": 0.1, "kind": "simulate"}, {"init_scale": 0.2, "succeed": None}]
    curve = {"kind": "train", "init_scale": 0.12345, "hidden": 3, "times": [0, 1], "loss": [2.0, 1.0]}
    found = section({"grid": grid, "median_curves": [curve]}, "s")
    chart, table = found.parts
    assert table.columns == ("init scale", "kind", "succeed")
    assert [[c.text for c in row] for row in table.rows] == [["0.1", "simulate", "–"], ["0.2", "–", "–"]]
    assert chart.figure["data"][0]["name"] == "train, init scale 0.123, hidden 3"
    assert chart.timed
    assert [p.title for p in section({"grid": grid, "median_curves": []}, "s").parts] == ["Grid"]


def test_a_sweep_says_which_curves_are_not_drawn():
    """Two of three points have a curve; what is only diagnosed has no loss to draw."""
    rows = [{"hidden": K, "kind": "train", "final_loss": 1.0} for K in (2, 4, 8)]
    grid = [*rows, {"hidden": 2, "kind": "diagnose", "succeed": 3}]
    curves = [{"kind": "train", "hidden": K, "times": [0], "loss": [2.0]} for K in (2, 8)]
    chart, table = section({"grid": grid, "median_curves": curves}, "s").parts
    assert chart.note == "Curves of 2 of 3 grid points; the table says of which."
    assert table.columns[-1] == "curve"
    assert [row[-1].text for row in table.rows] == ["drawn", "not drawn", "drawn", "–"]
    assert table.note == (
        "Final losses are medians over replicates and networks."
        " “succeed” counts the runs that are diagnosed to succeed."
    )
    chart, table = section({"grid": [rows[0], rows[2]], "median_curves": curves}, "s").parts
    assert (chart.note, table.columns[-1]) == ("", "final loss")
    (table,) = section({"grid": rows, "median_curves": []}, "s").parts
    assert table.note.endswith("networks. No curves are drawn: the runs do not share their times.")


def test_plateaus():
    stage = {"start": 1.0, "end": 2.5, "loss": 0.5, "learned_modes": [1]}
    found = section(theory(stages=[stage]), "s")
    assert rows(found, "Plateaus") == [["1", "2.5", "{2}", "0.5", "–"]]
    assert not [p for p in section(theory(), "s").parts if isinstance(p, Table)]
    (chart,) = section(theory(), "s").parts
    assert chart.timed and chart.note.startswith("Lines: theory. Dotted")
    (chart,) = section(training([1.0]), "s").parts
    assert chart.note.startswith("Markers: trained networks, median over seeds.")


def test_all_runs_together():
    """Two sides of a comparison are two curves; medians of an even number of networks lie between the middle two."""
    both = {"theory": theory(), "training": training([1.0, 2.0, 3.0, 8.0])}
    chart = together({"a": both, "b": {"laws": []}})
    assert isinstance(chart, Chart) and chart.timed
    first, second = chart.figure["data"]
    assert (first["name"], second["name"]) == ("a (theory)", "a (median network)")
    np.testing.assert_allclose(second["y"], 2.5 * 8 * np.exp(-T), rtol=1e-6)
    assert together({"a": both}) is None
    assert together({"a": {"theory": "x"}, "b": {"training": "y"}}) is None  # one side alone is no comparison
    assert together({"a": theory(), "b": {"laws": []}}) is None
    lost = training([1.0, 2.0])
    lost["loss"][0][3] = lost["loss"][1][3] = None
    assert together({"a": lost, "b": theory()}).figure["data"][0]["y"][3] is None


def test_modes_are_called_by_their_numbers():
    """λ = 2, −1 in five dimensions: the second one is the fifth (numbers count from 0, names from 1)."""
    problem = {"inputs": 5, "outputs": 1, "eigenvalues": [2.0, -1.0]}
    found = section(theory(problem=problem), "x")
    (chart,) = [part for part in found.parts if isinstance(part, Chart)]
    assert [t["name"] for t in chart.figure["data"] if t.get("name", "").startswith("mode")] == [
        "mode 1",
        "mode 5",
    ]


def test_without_modes_overlaps_and_norms_are_shown():
    """Null modes: the best |cosine| of two units with each direction, and norms unit by unit.

    Networks at their medians; no c_k, and no column of learned modes.
    """
    norms = np.outer(1 + T, [3.0, 1.0])
    overlaps = np.exp(-T)[:, None, None] * np.array([[-0.4, 0.1], [0.2, -0.2]])
    stages = [{"start": 0, "end": 1, "loss": 8.0, "learned_modes": []}]
    without = {"modes": None, "conserved": None}
    ours = (
        theory(modes=1) | without | {"norms": norms.tolist(), "overlaps": overlaps.tolist(), "stages": stages}
    )
    run = training([1.0, 2.0, 3.0], 1) | without
    run |= {"norms": [(f * norms).tolist() for f in (1, 2, 3)]}
    run |= {"overlaps": [(f * overlaps).tolist() for f in (1, 2, 2.5)]}
    figure = charts.learning_chart(ours, run)
    for k, factor in ((1, 3.0), (2, 1.0)):
        line, markers = named(figure, f"norm of unit {k}"), named(figure, f"norm of unit {k}, networks")
        np.testing.assert_allclose(line["y"], factor * (1 + np.array(line["x"])), rtol=1e-6)
        np.testing.assert_allclose(markers["y"], 2 * factor * (1 + np.array(markers["x"])), rtol=1e-6)
        assert line["yaxis"] == markers["yaxis"] == "y3"
    for m, factor in ((1, 0.4), (2, 0.2)):
        line, markers = named(figure, f"overlap with v{m}"), named(figure, f"overlap with v{m}, networks")
        np.testing.assert_allclose(line["y"], factor * np.exp(-np.array(line["x"])), rtol=1e-6)
        np.testing.assert_allclose(markers["y"], 2 * factor * np.exp(-np.array(markers["x"])), rtol=1e-6)
        assert line["yaxis"] == markers["yaxis"] == "y2"
    titles = [layout(figure)[axis]["title"]["text"] for axis in ("yaxis2", "yaxis3", "xaxis3")]
    assert titles == ["largest overlap", "norms of the units", "time of the flow"]
    alone = charts.learning_chart(None, run)  # networks without a theory
    assert named(alone, "overlap with v1, networks") and named(alone, "norm of unit 2, networks")
    found = section(ours, "x")
    assert not any(isinstance(part, Table) and "Conserved" in part.title for part in found.parts)
    (plateaus,) = [part for part in found.parts if isinstance(part, Table) and part.title == "Plateaus"]
    assert [*plateaus.columns] == ["from t", "to t", "loss", "predicted loss"]
    assert not {"norms", "overlaps"} & found.facts.keys()


def test_panels_of_the_learning_chart():
    """58 and 42 % of the height but for a gap of 6 %; one axis of time; widths, and names of both axes."""
    shown = charts.learning_chart(theory(), training([1.0, 3.0]), [2.0, 1.0])
    found = layout(shown)
    np.testing.assert_allclose(found["yaxis2"]["domain"], [0, 0.42 * 0.94])
    np.testing.assert_allclose(found["yaxis"]["domain"], [0.42 * 0.94 + 0.06, 1])
    assert found["xaxis"]["matches"] == "x2"
    assert {s["yref"] for s in found["shapes"]} == {"y2"}
    assert {(s["line"]["color"], s["line"]["dash"], s["line"]["width"]) for s in found["shapes"]} == {
        (PALETTE[0], "dot", 1),
        (PALETTE[1], "dot", 1),
    }
    assert {s["opacity"] for s in found["shapes"]} == {0.6}
    assert found["height"] == 520 + 62 + 2 * 22
    assert found["margin"] == {"l": 68, "r": 16, "t": 34, "b": 62 + 2 * 22}
    assert found["legend"]["x"] == 0
    assert found["yaxis"]["exponentformat"] == "power"
    widths = {t["name"]: t["line"]["width"] for t in traces(shown) if t.get("mode") == "lines"}
    assert widths == {"theory": 2.5, "mode 1": 2, "mode 2": 2}
    for t in traces(shown):
        upper = t["name"].startswith(("theory", "10–90", "median"))
        assert (t["xaxis"], t["yaxis"]) == (("x", "y") if upper else ("x2", "y2"))
        if t.get("mode") == "markers":
            assert (t["marker"]["size"], t["marker"]["line"]["width"]) == (7, 1.5)
    band = named(shown, "10–90 % of 2 networks")
    assert (band["line"]["width"], band["fill"], band["hoverinfo"]) == (0, "toself", "skip")
    assert named(shown, "median network")["marker"]["color"] == PALETTE[1]
    assert named(shown, "median network")["marker"]["symbol"] == f"{SYMBOLS[0]}-open"


def test_levels_are_thin():
    stages = [{"predicted_loss": 0.5, "learned_modes": [0]}]
    (level,) = [t for t in traces(charts.learning_chart(theory(stages=stages), None)) if "level" in t["name"]]
    assert level["line"] == {"color": "gray", "width": 1, "dash": "dot"}
    assert (level["mode"], level["xaxis"], level["yaxis"]) == ("lines", "x", "y")


def test_markers_stand_where_the_axis_shows_the_curve():
    """A loss that falls by eighty decades: the axis shows eight, and most of the forty markers are there."""
    t = np.linspace(0, 1, 4001)
    for start in (1.0, 1e-12, 1e9):
        steep = {"times": t, "loss": [start * 10.0 ** (-80 * t)], "modes": [np.stack([t, t], axis=1)]}
        marks = named(charts.learning_chart(None, steep), "trained network")
        inside = [x for x in marks["x"] if x <= 0.1]
        assert len(inside) == pytest.approx(40 * np.hypot(0.1, 1) / (np.hypot(0.1, 1) + 0.9), abs=1.5)
    for dead in ([0.0] * 41, [None] * 41):
        run = training([1.0]) | {"loss": [dead]}
        marks = named(charts.learning_chart(None, run), "trained network")
        assert set(marks["y"] or ()) <= {0.0}


def test_axes_of_the_other_charts():
    jumps = [{"time": 2.0, "loss_before": 8.0, "loss_after": 3.0}]
    points = [
        {"kind": f"kind {n} <b>'", "index": n, "loss": float(n), "learned_modes": [n]} for n in range(8)
    ]
    gap = charts.gap_chart(T, {"flow": T, "discretised": T + 1, "on_data": T + 3, "error_bar": T})
    time = "time of the flow"
    for figure, names, height in (
        (charts.staircase_chart(jumps), (time, "loss"), 320),
        (charts.atlas_chart(points), ("Morse index (descending directions)", "loss"), 320),
        (charts.overlay_chart({"a": (T, T + 1)}), (time, "loss"), 340),
        (gap, (time, "part of the loss"), 320),
    ):
        found = layout(figure)
        assert (found["xaxis"]["title"]["text"], found["yaxis"]["title"]["text"]) == names
        assert found["height"] == height + 62 + 2 * 22
        assert not {"xaxis2", "yaxis2"} & found.keys()  # one panel
    (steps,) = traces(charts.staircase_chart(jumps))
    assert (steps["line"]["width"], steps["mode"], steps["name"]) == (2.5, "lines", "predicted loss")
    kinds = traces(charts.atlas_chart(points))
    assert [t["marker"]["color"] for t in kinds] == [*PALETTE, PALETTE[0]]
    assert [t["marker"]["symbol"] for t in kinds] == [*SYMBOLS, *SYMBOLS[:2]]
    assert [t["name"] for t in kinds] == [f"kind {n} &lt;b&gt;'" for n in range(8)]
    band, first, second = traces(gap)
    assert band["line"]["width"] == 0
    assert [(t["line"]["color"], t["line"]["dash"], t["line"]["width"]) for t in (first, second)] == [
        (PALETTE[n], DASHES[n], 2) for n in range(2)
    ]
    seven = layout(charts.overlay_chart({f"<{n}>": (T, T + 1) for n in range(7)}))
    assert seven["margin"]["b"] == 62 + 4 * 22
    (trace,) = traces(charts.overlay_chart({"<i>'": ([0, 1], [0.0, None])}))
    assert (trace["name"], trace["y"], trace["line"]["width"]) == ("&lt;i&gt;'", [0.0, None], 2)
    (only,) = traces(charts.gap_chart(T, {"discretised": T, "on_data": T}))
    assert only["name"] == "finite data"  # parts of which one curve is unknown are not drawn


JUMPS = [{"time": 2.0, "unit": 0, "learned_modes": [0], "loss_before": 8.0, "loss_after": 3.0}]
POINTS = [
    {"learned_modes": [0], "learned_values": [1.0], "loss": 1.0, "index": n, "kind": "saddle"} for n in (0, 1)
]


@pytest.mark.parametrize(
    ("result", "charts_shown"),
    [
        (theory(), {"Learning curves": True}),
        ({"times": [0.0, 1.0], "loss": [2.0, 1.0]}, {"Learning curve": True}),
        (
            {
                "theory": theory(),
                "training": training([1.0]),
                "gap": {"curves": {"flow": T, "discretised": T}},
            },
            {"Learning curves": True, "Gap along training": True},
        ),
        ({"theory": theory(), "training": training([1.0]), "gap": {}}, {"Learning curves": True}),
        ({"gap": {"curves": {"flow": T, "discretised": T}}}, {}),  # without times
        ({"jumps": JUMPS}, {"Staircase": True}),
        ({"fixed_points": POINTS}, {"Loss against Morse index": False}),
        ({"laws": ["a"]}, {}),
    ],
)
def test_what_has_an_axis_of_time_can_be_logarithmic(result, charts_shown):
    found = section(result, "s")
    assert {part.title: part.timed for part in found.parts if isinstance(part, Chart)} == charts_shown
    assert not found.facts


def test_the_problem_is_that_of_the_result_or_of_its_sides():
    problem = {"inputs": 7, "eigenvalues": [2.0, 1.0]}
    other = {"inputs": 8, "eigenvalues": [2.0, 1.0]}
    for result, inputs in (
        ({"problem": problem, "theory": theory(problem=other), "training": training([1.0])}, "7"),
        ({"theory": theory(problem=problem), "training": training([1.0]) | {"problem": other}}, "7"),
        ({"theory": theory(), "training": training([1.0]) | {"problem": problem}}, "7"),
        (theory(problem=problem), "7"),
        (training([1.0]) | {"problem": problem}, "7"),
        ({"problem": problem}, "7"),
    ):
        found = section(result, "s")
        assert found.facts == {"teacher eigenvalues": "2, 1", "inputs d": inputs, "second layer": ""}
        if found.parts:
            shapes = found.parts[0].figure["layout"]["shapes"]
            assert [s["y0"] for s in shapes] == [2, 1]
    assert section({"problem": None, "x": 1}, "s").facts == {"x": "1"}
    assert section({"problem": {"inputs": 3}}, "s").facts["teacher eigenvalues"] == "none"


def test_both_sides_have_their_constants():
    """Networks' constants beside those of the theory; what is said of curves, and of the gap."""
    conserved = {"initial": [0.5], "drift": [1e-3]}
    both = {
        "theory": theory(conserved=conserved),
        "training": training([1.0]) | {"conserved": conserved},
        "gap": {"noise_floor": 0.5, "rest": None, "sources": {"noise_floor": "a formula"}, "text": "x"},
    }
    found = section(both, "s")
    titles = [part.title for part in found.parts]
    assert titles == [
        *("Learning curves", "Gap between theory and practice"),
        *("Conserved quantities: theory", "Conserved quantities: networks"),
    ]
    assert rows(found, "Gap between theory and practice") == [
        ["noise floor", "50.00%", "a formula"],
        ["rest", "–", ""],
    ]
    assert found.parts[0].note == (
        "Lines: theory. Markers: trained networks, median over seeds. Dotted: eigenvalues of the teacher, and levels "
        "of the plateaus passed. Click a name in the legend to hide its curve; drag to zoom, double-click to go back."
    )
    assert found.parts[1].note == (
        "Largest deviation from the gradient flow along training, in per cent of the initial loss."
    )


def test_commands_versions_and_warnings_have_their_own_place():
    about = {
        "command": "quadflow diagnose --x",
        "versions": {"numpy": "2"},
        "warnings": ["a"],
        "verdict": "y",
    }
    found = section(about, "file")
    assert (found.title, found.source, found.command) == ("diagnose", "file", "quadflow diagnose --x")
    assert (found.versions, found.warnings, found.facts) == ({"numpy": "2"}, ["a"], {"verdict": "y"})
    bare = section({}, "file")
    assert (bare.title, bare.command, bare.versions, list(bare.warnings)) == ("result", "", {}, [])


def test_medians_of_networks_over_each_other():
    """Times of their own; of an odd number the middle; two runs are needed for one chart."""
    run = training([1.0, 5.0, 2.0])
    chart = together({"a": run, "b": theory()})
    first, second = chart.figure["data"]
    assert (first["name"], second["name"]) == ("a (median network)", "b")
    np.testing.assert_allclose(first["y"], 2 * 8 * np.exp(-T), rtol=1e-6)
    both = {"theory": theory(), "training": training([1.0]) | {"times": (2 * T).tolist()}}
    assert together({"a": both, "b": {}}).figure["data"][1]["x"][-1] == 8
    assert together({"a": {"times": [], "loss": [], "modes": []}, "b": {}}) is None


def test_tables_of_a_study():
    """Accuracies in per cent; what is missing is a dash; an interval from end to end."""
    result = {"study": "gsgd", "score": "accuracy", "data": "digits"}
    entry = {"model": "SGD", "parameters": 7, "steps": 10, "rate": 0.1, "mean": 0.5, "standard_error": None}
    entry |= {"collapsed": 0.25, "seeds": 4, "rebases": None}
    gap = {"first": "G-SGD", "second": "SGD", "mean": -0.02, "interval": [-0.03, -0.01], "pairs": 4}
    result |= {"results": [entry], "differences": [gap | {"decided": True}]}
    contenders, differences = section(result, "s").parts
    assert [cell.text for cell in contenders.rows[0]] == [
        "SGD",
        "7",
        "10",
        "0.1",
        "50",
        "–",
        "0.25",
        "4",
        "–",
    ]
    assert contenders.columns[4] == "test accuracy, %"
    assert [cell.text for cell in differences.rows[0]] == ["G-SGD − SGD", "−2", "−3", "−1", "4", "yes"]
    loss = section(result | {"score": "loss"}, "s").parts[0]
    assert (loss.columns[4], loss.rows[0][4].text) == ("½ mean square test error", "0.5")
    assert "data" in section(result, "s").facts
