"""The figure of the benchmarks shows what has been measured, however little that is."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from benchmarks import figure
from benchmarks.figure import PANELS, draw
from benchmarks.files import read_results
from benchmarks.report import Table

RESULTS = Path(figure.__file__).with_name("results")


@pytest.fixture
def drawn(monkeypatch):
    """The figures that are saved."""
    kept: list[Figure] = []
    save = figure.save_figure
    monkeypatch.setattr(figure, "save_figure", lambda made, path: (kept.append(made), save(made, path)))
    return kept


@pytest.mark.parametrize("panel", range(len(PANELS)))
def test_each_benchmark_alone_is_drawn_in_its_panel(panel, drawn, tmp_path):
    """As `python -m benchmarks NAME --output EMPTY` does: the kept results of one panel, and no others."""
    names, _ = PANELS[panel]
    tables = [table for table in read_results(RESULTS) if table.name in names]
    assert draw(tables, tmp_path / "results.png")
    assert (tmp_path / "results.png").stat().st_size > 1000
    shown = [axes.axison and axes.has_data() for axes in drawn[0].axes]
    assert shown == [n == panel for n in range(len(PANELS))]


def test_what_belongs_into_no_panel_makes_no_figure(tmp_path):
    """Derivations have a table alone; a table may be empty too."""
    for tables in ([], [Table("derivation", "", "", [{"seconds": 1.0}])], [Table("inputs", "", "", [])]):
        assert not draw(tables, tmp_path / "results.png")
    assert not list(tmp_path.iterdir())


def test_the_catalogue_is_drawn_from_its_rows(drawn, tmp_path):
    rows = [
        {"modes": 2, "points": "all 4", "seconds": 0.1},
        {"modes": 5, "points": "all 32", "seconds": 0.2},
        {"modes": 200, "points": "lowest 10", "seconds": 0.3},
    ]
    draw([Table("catalogue", "", "", rows)], tmp_path / "results.png")
    every, lowest = drawn[0].axes[-1].lines
    np.testing.assert_array_equal(every.get_xydata(), [[2, 0.1], [5, 0.2]])
    np.testing.assert_array_equal(lowest.get_xydata(), [[200, 0.3]])
