"""The report: what its sections say, and the page in headless Chromium."""

import copy
import re

import numpy as np
import pytest

pytest.importorskip("plotly", reason="plotly is not installed")

from dynamics import ProblemError
from figures import report_charts as charts
from figures.report_page import report_page
from figures.report_parts import Chart
from figures.report_sections import Table, section, together

LARGEST_PAGE = 6_000_000  # bytes
TIMES = np.linspace(0, 4, 41)
PROBLEM = {
    "inputs": 2,
    "hidden": 2,
    "outputs": 1,
    "activation": "quadratic",
    "second_layer": "trainable",
    "covariance": "identity",
    "eigenvalues": [2.0, 1.0],
}


def curves(scale=1.0):
    """Made-up curves: loss e^{−t}, modes that grow to 2 and 1."""
    growth = 1 - np.exp(-TIMES)
    return {
        "times": TIMES.tolist(),
        "loss": (scale * np.exp(-TIMES)).tolist(),
        "modes": np.stack([2 * growth, growth], axis=1).tolist(),
    }


@pytest.fixture
def theory():
    stage = {"start": 0.0, "end": 0.5, "loss": 0.9, "learned_modes": [0], "predicted_loss": 0.875}
    conserved = {"initial": [0.1, -0.2], "drift": [1e-12, 3e-12]}
    return curves() | {"stages": [stage], "conserved": conserved, "problem": PROBLEM, "warnings": []}


@pytest.fixture
def training():
    """Five networks, factors 0.8 … 1.2 off the curve of the theory; one record is lost."""
    networks = [curves(scale) for scale in (0.8, 0.9, 1.0, 1.1, 1.2)]
    run = {
        "times": TIMES.tolist(),
        "loss": [n["loss"] for n in networks],
        "modes": [n["modes"] for n in networks],
    }
    run["loss"][4] = [None, *run["loss"][4][1:]]
    return run | {"conserved": {"initial": [0.1, -0.2], "drift": [1e-3, 2e-3]}}


@pytest.fixture
def comparison(theory, training):
    flow = np.array(theory["loss"])
    gap_curves = {
        "flow": flow.tolist(),
        "discretised": (flow + 0.01).tolist(),
        "on_data": (flow + 0.03).tolist(),
        "with_noise": (flow + 0.06).tolist(),
        "measured": (flow + 0.1).tolist(),
        "error_bar": [0.005] * len(flow),
    }
    return {
        "theory": theory,
        "training": training,
        "gap": {
            "discretisation": 0.01,
            "finite_data": 0.02,
            "sources": {"finite_data": "theory"},
            "curves": gap_curves,
        },
        "relative_error": {"loss_sup": 0.1, "modes_sup": 0.2},
        "warnings": ["a warning"],
        "command": "quadflow compare --teacher 2,1",
        "versions": {"quadflow": "0.1.0", "numpy": "2.0"},
    }


@pytest.fixture
def atlas():
    point = {"learned_modes": [0, 1], "learned_values": [2.0, 1.0], "loss": 0.0, "index": 0, "nullity": 3}
    saddle = {"learned_modes": [1], "learned_values": [1.5], "loss": 5.0, "index": 10, "nullity": 2}
    other = {"learned_modes": [0], "learned_values": [2.5], "loss": 1.25, "index": 9, "nullity": 2}
    kinds = ("global minimum", "saddle", "saddle")
    points = [
        p | {"kind": kind, "positive": 1} for p, kind in zip((point, saddle, other), kinds, strict=True)
    ]
    points.append(
        point
        | {"learned_modes": [], "loss": 7.5, "index": None, "nullity": None, "positive": None, "kind": None}
    )
    return {"count": 4, "fixed_points": points, "command": "quadflow fixed-points", "versions": {}}


def table(found, title):
    return next(part for part in found.parts if isinstance(part, Table) and part.title == title)


def texts(found, title):
    return [[cell.text for cell in row] for row in table(found, title).rows]


def trace(figure, name):
    return next(t for t in figure["data"] if t.get("name") == name)


def test_a_comparison_has_everything(comparison):
    """Facts, plateaus, gap, conserved quantities and origin; modes and units from 1."""
    found = section(comparison, "run.json")
    assert found.title == "compare"
    assert found.command == "quadflow compare --teacher 2,1"
    assert found.warnings == ["a warning"]
    assert found.facts["teacher eigenvalues"] == "2, 1"
    assert found.facts["hidden units K"] == "2"
    assert found.facts["deviation from theory: loss, largest over the largest loss"] == "0.1"
    assert texts(found, "Plateaus") == [["0", "0.5", "{1}", "0.9", "0.875"]]
    assert texts(found, "Gap between theory and practice") == [
        ["discretisation", "1.00%", ""],
        ["finite data", "2.00%", "theory"],
    ]
    assert texts(found, "Conserved quantities: theory") == [
        ["1", "0.1", "1.00e−12"],
        ["2", "−0.2", "3.00e−12"],
    ]
    assert texts(found, "Conserved quantities: networks")[1] == ["2", "−0.2", "2.00e−03"]
    assert [p.title for p in found.parts if isinstance(p, Chart)] == ["Learning curves", "Gap along training"]


def test_learning_chart_shows_medians_and_levels(theory, training):
    """Lines go through the theory, markers through the median network (factor 1, where all are recorded)."""
    figure = charts.learning_chart(theory, training, [2.0, 1.0]).to_plotly_json()
    line = trace(figure, "theory")
    np.testing.assert_allclose(line["y"], np.exp(-TIMES), rtol=1e-6)
    markers = trace(figure, "median network")
    assert markers["mode"] == "markers" and line["mode"] == "lines"
    np.testing.assert_allclose(markers["y"][1:], np.exp(-np.array(markers["x"][1:])), rtol=1e-6)
    assert markers["y"][0] == pytest.approx(0.95)  # of 0.8, 0.9, 1, 1.1: the fifth is missing there
    band = trace(figure, "10–90 % of 5 networks")
    assert max(filter(None, band["y"])) > 1.05
    (level,) = (t for t in figure["data"] if str(t.get("name")).startswith("level"))
    assert level["y"] == [0.875, 0.875]
    assert level["name"] == "level of {1}: 0.875"
    dashes = [trace(figure, f"mode {i}")["line"]["dash"] for i in (1, 2)]
    assert len(set(dashes)) == 2  # told apart without colour
    assert figure["layout"]["yaxis"]["type"] == "log"


def test_gap_parts_are_differences_of_neighbours(comparison):
    """0.01, 0.02, 0.03, 0.04 by construction."""
    figure = charts.gap_chart(TIMES, comparison["gap"]["curves"]).to_plotly_json()
    for name, value in zip(charts.GAP_PARTS, (0.01, 0.02, 0.03, 0.04), strict=True):
        np.testing.assert_allclose(trace(figure, name)["y"], value, rtol=1e-5)


def test_the_atlas_is_a_table_and_a_chart(atlas):
    """Infeasible points have no index: they are listed, not drawn, and sorted last."""
    found = section(atlas, "atlas.json")
    rows = texts(found, "Stationary points")
    assert rows[1] == ["{2}", "5", "1.5", "10", "2", "1", "saddle"]
    assert rows[3] == ["∅", "7.5", "2, 1", "–", "–", "–", "not feasible"]
    assert table(found, "Stationary points").rows[3][3].key == np.inf
    (chart,) = (part for part in found.parts if isinstance(part, Chart))
    saddles = trace(chart.figure, "saddle")
    assert saddles["x"] == [10, 9] and saddles["y"] == [5.0, 1.25]
    assert len(chart.figure["data"]) == 2
    assert found.facts == {"count": "4"}


def test_other_results():
    """Staircase, laws, and whatever else a command prints."""
    jumps = [
        {"time": 2.0, "unit": 4, "learned_modes": [0], "loss_before": 8.0, "loss_after": 3.0},
        {"time": 5.0, "unit": 0, "learned_modes": [0, 2], "loss_before": 3.0, "loss_after": 1.0},
    ]
    found = section({"jumps": jumps, "end": "done"}, "s.json")
    assert texts(found, "Predicted jumps")[0] == ["2", "5", "{1}", "8", "3"]
    (chart,) = (part for part in found.parts if isinstance(part, Chart))
    assert chart.figure["data"][0]["y"] == [8.0, 3.0, 1.0, 1.0]
    assert section({"laws": ["w_0_0**2"]}, "l.json").parts[0].rows[0][1].text == "w_0_0**2"
    facts = section(
        {"verdict": "fails", "needed": {"positive": 3}, "many": list(range(99)), "on": True}, "d.json"
    ).facts
    assert facts == {"verdict": "fails", "units needed: positive": "3", "many": "99 entries", "on": "yes"}
    assert section({"jumps": []}, "s.json").parts[0].rows == ()
    (chart,) = section({"times": [0, 1], "loss": [2.0, 1.0]}, "n.json").parts
    assert chart.figure["data"][0]["y"] == [2.0, 1.0]


def test_several_runs_share_a_chart(theory, training):
    """Losses over each other, the networks' as medians; a single run has nothing to share."""
    chart = together({"a.json": theory, "b.json": training, "c.json": {"laws": []}})
    assert [t["name"] for t in chart.figure["data"]] == ["a.json", "b.json (median network)"]
    np.testing.assert_allclose(chart.figure["data"][1]["y"][1:], np.exp(-TIMES[1:]), rtol=1e-6)
    assert together({"a.json": theory}) is None


def test_a_thousand_samples_are_enough(theory):
    """A long run does not make a large page."""
    t = np.linspace(0, 1, 50_001)
    long = theory | {"times": t, "loss": 1 + t, "modes": np.stack([t, t], axis=1)}
    figure = charts.learning_chart(long, None).to_plotly_json()
    assert len(trace(figure, "theory")["x"]) == 1000
    assert trace(figure, "theory")["x"][-1] == 1


@pytest.mark.parametrize("broken", [{"fixed_points": [{}]}, {"times": [1], "loss": [1.0], "modes": 3}])
def test_a_strange_file_is_named(broken):
    with pytest.raises(ProblemError, match=r"'odd\.json' is not a result"):
        report_page({"odd.json": broken})


@pytest.fixture
def page(comparison, atlas, tmp_path):
    path = tmp_path / "report.html"
    times = np.linspace(0, 1, 20).tolist()
    curvature = {"times": times, "sharpness": times, "lowest_eigenvalue": times, "index": [1] * 20}
    hessian = {"hessian": curvature | {"tolerance": 0.1}}
    results = {"run.json": comparison, "atlas.json": atlas, "hessian.json": hessian}
    path.write_text(report_page(results), encoding="utf-8")
    return path


@pytest.fixture
def report(browser, page):
    """The page as it opens; at the end it must not have complained or asked for anything."""
    browser.open(page)
    yield browser
    assert browser.complaints() == []
    assert browser.requests() == []


def test_charts_are_drawn(report, page):
    """Overlay, learning curves, gap, atlas, Hessian: each a plot with as many curves as Python put into it."""
    drawn = report.run(
        "const plots = [...document.querySelectorAll('.plot')];"
        "return plots.map((p) => [p.data.length, p.querySelectorAll('.main-svg').length > 0])"
    )
    assert [n for n, _ in drawn] == report.run("return FIGURES.map((f) => f.data.length)")
    assert len(drawn) == 5
    assert all(svg for _, svg in drawn)
    assert page.stat().st_size < LARGEST_PAGE
    text = report.run("return document.body.textContent")
    assert "quadflow compare --teacher 2,1" in text
    assert "numpy 2.0" in text


def test_tables_sort_by_mouse_and_keyboard(report):
    """9 comes before 10 (numbers, not text), what is missing comes last; again: the other way."""
    from selenium.webdriver.common.keys import Keys

    atlas = "document.querySelector('[aria-label=\"Stationary points\"]')"
    column = f"return [...{atlas}.querySelectorAll('td:nth-child(4)')].map((c) => c.textContent)"
    report.run(f"{atlas}.querySelectorAll('button')[3].click()")
    assert report.run(column) == ["0", "9", "10", "–"]
    report.run(f"{atlas}.querySelectorAll('button')[3].focus()")
    report.press(Keys.ENTER)
    assert report.run(column) == ["–", "10", "9", "0"]
    assert report.run(f"return {atlas}.querySelectorAll('th')[3].getAttribute('aria-sort')") == "descending"
    report.run(f"{atlas}.querySelectorAll('button')[6].click()")
    kinds = f"return [...{atlas}.querySelectorAll('td:nth-child(7)')].map((c) => c.textContent)"
    assert report.run(kinds) == ["global minimum", "saddle", "saddle", "not feasible"]


def test_time_can_be_logarithmic(report):
    """Both axes of the learning curves follow the switch, and return to where they were."""
    axes = "const l = document.getElementById('chart-1').layout; return [l.xaxis.type, l.xaxis2.type, l.xaxis.range]"
    before = report.run(axes)
    assert before == ["linear", "linear", [0, 4]]
    box = report.driver.find_element("css selector", "[data-log-time='chart-1']")
    box.click()
    report.settle()
    assert report.run(axes)[:2] == ["log", "log"]
    box.click()
    report.settle()
    assert report.run(axes) == before


def test_no_button_sends_anything_away(report):
    """Plotly's usual tool bar can upload a chart; ours cannot."""
    titles = report.run("return [...document.querySelectorAll('.modebar-btn')].map((b) => b.dataset.title)")
    assert titles
    assert not [title for title in titles if re.search("share|cloud|edit", title, re.IGNORECASE)]


def test_dark_screens_and_phones(browser, page):
    """Black ink turns light where the page turns dark; nothing sticks out of a phone."""
    browser.open(page, browser.PHONE)
    assert browser.overflow() <= 0
    legends = browser.run(
        "return [...document.querySelectorAll('.plot')].map((plot) => ["
        " plot.querySelector('.legend').getBoundingClientRect().top,"
        " Math.max(...[...plot.querySelectorAll('.bglayer, .plot .xy')].map((p) => p.getBoundingClientRect().bottom))])"
    )
    assert all(top > bottom for top, bottom in legends)  # below the panels, which are narrow
    colour = "return document.getElementById('chart-1').data.find((t) => t.name === 'theory').line.color"
    light = browser.run(colour)
    browser.scheme("dark")
    browser.settle()
    assert browser.run(colour) != light
    assert browser.complaints() == []


def test_what_a_file_says_is_text(browser, comparison, tmp_path):
    """Names, commands and warnings with markup in them are shown, not run."""
    evil = "</script><script>window.hacked = true</script><img src=x onerror='window.hacked = true'>"
    hostile = copy.deepcopy(comparison) | {"command": evil, "warnings": [evil], "law": evil}
    hostile["versions"] = {evil: evil}
    path = tmp_path / "hostile.html"
    path.write_text(report_page({evil: hostile, "b": hostile}), encoding="utf-8")
    browser.open(path)
    assert browser.run("return window.hacked") is None
    assert browser.run("return document.querySelector('pre').textContent") == evil
    assert browser.run("return document.images.length") == 0
    assert browser.complaints() == []
