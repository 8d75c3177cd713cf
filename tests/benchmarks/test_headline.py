"""One line for each task: ratios to the best peer of each kind, those that are lost too."""

import pytest

from benchmarks.files import read_results, write_results
from benchmarks.formulations import GRAM, REDUCED, TEXTBOOK
from benchmarks.headline import GIVEN_OURS, LINES, headline
from benchmarks.report import Table
from benchmarks.solvers import COMPILED, INTERPRETED, OLD, OURS, PLAIN


def solver(name, kind, given, seconds):
    return {"solver": name, "kind": kind, "given": given, "seconds": seconds}


TRAJECTORY = Table(
    "trajectory large R = 3",
    "(1) One large trajectory: d = 100",
    "",
    [
        solver("quadflow Tsit5", OURS, "–", 2.0),
        solver("quadflow DOP853", OURS, "–", 3.0),
        solver("quadflow Tsit5, NumPy", PLAIN, "–", 4.0),
        solver("version 0.1", OLD, "–", 5.0),
        solver("solve_ivp RK45", INTERPRETED, TEXTBOOK, 8.0),
        solver("solve_ivp DOP853", INTERPRETED, TEXTBOOK, 9.0),
        solver("diffrax Tsit5", COMPILED, TEXTBOOK, 6.0),
        solver("diffrax Dopri8", COMPILED, REDUCED, 3.0),
        solver("diffrax Tsit5", COMPILED, GRAM, 1.0),
    ],
)
ENSEMBLE = Table(
    "initial conditions, single mode",
    "(2) 10 starts",
    "",
    [
        {"engine": name, "kind": kind, "cores": cores, "ms per trajectory": ms}
        for name, kind, cores, ms in (
            ("quadflow", OURS, 1, 1.0),
            ("quadflow", OURS, 2, 0.5),
            ("quadflow, without heyoka", PLAIN, 1, 10.0),
            ("loop", INTERPRETED, 1, 20.0),
            ("loop, joblib", INTERPRETED, 2, 15.0),
            ("heyoka", COMPILED, 1, 0.9),
        )
    ],
)


def test_the_best_peer_of_each_kind_is_named_with_its_ratio():
    fast, plain = headline([TRAJECTORY]).rows
    assert fast == {
        "task": "One large trajectory: d = 100",
        INTERPRETED: "4 × solve_ivp RK45",
        COMPILED: "3 × diffrax Tsit5",
        GIVEN_OURS: "0.5 × diffrax Tsit5",
        OLD: "2.5",
    }
    assert plain["task"].endswith("NumPy and SciPy alone")
    assert plain[COMPILED] == "1.5 × diffrax Tsit5"


def test_as_many_cores_are_compared():
    one, plain, two = headline([ENSEMBLE]).rows
    assert one == {
        "task": "10 starts, 1 core",
        INTERPRETED: "20 × loop",
        COMPILED: "0.9 × heyoka",
        GIVEN_OURS: None,
        OLD: None,
    }
    assert plain[INTERPRETED] == "2 × loop"
    assert (two["task"], two[INTERPRETED]) == ("10 starts, 2 cores", "30 × loop, joblib")


def test_derivations_count_by_their_largest_task():
    rows = [
        {"K": 1, "d": 2, "quadflow [s]": 1.0, "SymPy expand [s]": 9.0, "SymPy rings [s]": 3.0},
        {"K": 4, "d": 4, "quadflow [s]": 1.0, "SymPy expand [s]": None, "SymPy rings [s]": 0.75},
    ]
    (row,) = headline([Table("derivation", "", "", rows)]).rows
    assert row["task"] == "derivation of the equations, K = 4, d = 4"
    assert row[INTERPRETED] == "0.75 × SymPy rings"


def test_training_and_inputs_have_lines():
    training = [
        {"task": "one", "by": name, "kind": kind, "µs per step": us}
        for name, kind, us in (
            ("quadflow", OURS, 10.0),
            ("JAX", COMPILED, 5.0),
            ("version 0.1: x", OLD, 40.0),
        )
    ]
    textbook = "textbook solve_ivp DOP853 [s]"
    inputs = [
        {"inputs d": 300, "everything [s]": 1.0, textbook: 12.0},
        {"inputs d": 1000, "everything [s]": 1.0, textbook: None},
    ]
    step, trajectory = headline([Table("training", "", "", training), Table("inputs", "", "", inputs)]).rows
    assert (step["task"], step[COMPILED], step[OLD]) == ("training step: one", "0.5 × JAX", "4")
    assert trajectory["task"].startswith("trajectory in 300 inputs")
    assert trajectory[INTERPRETED] == "12 × solve_ivp DOP853"


def test_the_default_tolerance_is_compared_with_version_01():
    seconds = {"quadflow [s]": 2.0, "with numba [s]": 1.0, "NumPy alone [s]": 2.0, "version 0.1 [s]": 3.0}
    for numba, ratio in ((1.0, "3"), (None, "1.5")):
        row = {"problem": "large", **seconds, "with numba [s]": numba}
        assert [found[OLD] for found in headline([Table("default", "", "", [row])]).rows] == [ratio, "1.5"]


def test_tables_without_peers_have_no_headline():
    assert headline([]) is None
    assert headline([Table("catalogue", "", "", [{"seconds": 1.0}])]) is None


def test_results_begin_with_the_headline_and_keep_earlier_ones(tmp_path):
    write_results([TRAJECTORY], {"date": "2026-01-01"}, tmp_path)
    catalogue = Table("catalogue", "(6) Catalogue", "Note.", [{"seconds": 0.5, "points": None}])
    work = Table("work-precision large R = 3", "(1) Work", "", [{"error": float("inf")}])
    write_results([catalogue, work], {"date": "2026-02-02"}, tmp_path)
    text = (tmp_path / "results.md").read_text()
    titles = [line for line in text.splitlines() if line.startswith("## ")]
    assert titles[0] == "## In short"
    assert titles[1:3] == ["## (1) One large trajectory: d = 100", "## (6) Catalogue"]
    assert "4 × solve_ivp RK45" in text
    assert "Note. Measured on 2026-02-02." in text
    assert "Measured on 2026-01-01." in text
    assert "Published, not measured here" in text
    names = [table.name for table in read_results(tmp_path)]
    assert names == ["work-precision large R = 3", TRAJECTORY.name, "catalogue"]  # by the numbers in titles
    assert read_results(tmp_path)[0].rows == [{"error": None}]


@pytest.mark.parametrize("start", LINES)
def test_the_kept_results_have_a_line_for_every_task(start):
    """Those that this project shows; each table of the kind has lines with a ratio."""
    from benchmarks import __main__ as main

    kept = read_results(main.RESULTS)
    tables = [table for table in kept if table.name.startswith(start)]
    assert tables
    for table in tables:
        for row in LINES[start](table):
            assert any(row[kind] for kind in (INTERPRETED, COMPILED, GIVEN_OURS, OLD))
