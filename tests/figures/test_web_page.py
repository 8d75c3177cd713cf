"""The page that reports and explorer share: its styles, its templates, and what it needs."""

import re
import sys
from pathlib import Path

import pytest

pytest.importorskip("plotly", reason="plotly is not installed")

import figures
from dynamics import ProblemError
from figures.report_page import report_page
from figures.style import LINES, MARKERS
from figures.web_page import DASHES, SYMBOLS, _without_source_map, require_report_extra

WEB = Path(figures.__file__).parent / "web"
RESULTS = {"a.json": {"times": [0.0, 1.0], "loss": [2.0, 1.0]}, "b.json": {"verdict": "<b>fails</b>"}}


def test_every_line_and_marker_has_its_counterpart_on_a_page():
    assert len(set(DASHES)) == len(DASHES) == len(LINES)
    assert len(set(SYMBOLS)) == len(SYMBOLS) == len(MARKERS)


def test_a_page_is_one_document():
    """From its first character to its last; texts are escaped; nothing is asked of the network."""
    page = report_page(RESULTS)
    assert page.startswith("<!DOCTYPE html>\n<html")
    assert page.rstrip().endswith("</html>")
    assert "&lt;b&gt;fails" in page and "<b>fails" not in page
    assert "\n//# sourceMappingURL" not in page
    assert "plotly.js v" in page


def test_source_maps_are_left_out():
    """A line of its own, wherever it stands; the same words inside of a line stay."""
    script = "a = 1\n//# sourceMappingURL=x.map\nb = '//# sourceMappingURL=y'\n//# sourceMappingURL=z"
    assert _without_source_map(script) == "a = 1\n\nb = '//# sourceMappingURL=y'\n"


def callee(script, at):
    """What is called where an argument begins at a place of a script; "" within brackets that are no call."""
    depth = 0
    while depth >= 0:
        at -= 1
        depth += (script[at] in ")]}") - (script[at] in "([{")
    return re.search(r"[\w.]*$", script[:at]).group() if script[at] == "(" else ""


def test_no_list_of_any_length_becomes_arguments():
    """`Math.max(...list)` and `push(...list)` fail beyond some 100 000 entries: only pairs are spread into calls."""
    of_pairs = {"", "line", "readNumber", "numberFrom"}
    scripts = sorted(WEB.glob("*.js"))
    assert len(scripts) > 10
    for path in scripts:
        script = re.sub(r"(?s:/\*.*?\*/)|// .*", "", path.read_text(encoding="utf-8"))
        for match in re.finditer(r"\.\.\.(?=[\w\[(])", script):
            assert callee(script, match.start()) in of_pairs, (
                path.name,
                script[match.start() - 40 : match.end() + 40],
            )
        assert ".apply(" not in script


@pytest.mark.parametrize("package", ["plotly", "jinja2"])
def test_what_is_not_installed_is_named(package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ProblemError, match=f"need {package}, which is not installed: pip install 'quadflow"):
        require_report_extra()
