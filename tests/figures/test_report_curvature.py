"""The Hessian in a report: every number that the command printed, under its name."""

import pytest

pytest.importorskip("plotly")

from dynamics.errors import ProblemError
from figures.report_curvature import curvature_parts
from figures.report_input import validate_result
from figures.report_sections import section

HESSIAN = {
    **{"times": [0.0, 1.0, 3.0], "loss": [3.0, 2.0, 1.0], "sharpness": [1.0, 5.0, 4.0]},
    **{"lowest_eigenvalue": [-2.0, -1.0, 0.0], "index": [3, 1, 0], "nullity": [0, 1, 2], "tolerance": 0.0254},
}


def test_chart():
    (chart,) = curvature_parts(HESSIAN)
    drawn = {t["name"]: (t["x"], t["y"], t["yaxis"]) for t in chart.figure["data"]}
    assert drawn == {
        "largest eigenvalue": (HESSIAN["times"], HESSIAN["sharpness"], "y"),
        "smallest eigenvalue": (HESSIAN["times"], HESSIAN["lowest_eigenvalue"], "y"),
        "index": (HESSIAN["times"], HESSIAN["index"], "y2"),
    }
    layout = chart.figure["layout"]
    assert layout["xaxis2"]["range"] == [0, 3]
    assert (layout["yaxis"]["title"]["text"], layout["yaxis2"]["title"]["text"]) == ("1 / time", "index")
    assert chart.timed
    assert chart.note.endswith("; the index is the number of those below −0.0254.")


def test_extremes_alone_have_no_index():
    (chart,) = curvature_parts(HESSIAN | {"index": None, "nullity": None})
    assert [t["name"] for t in chart.figure["data"]] == ["largest eigenvalue", "smallest eigenvalue"]
    assert chart.note == "Largest and smallest eigenvalue of the Hessian of the loss."


def test_its_place_in_a_report():
    """A part of its own, and no fact; nothing where it was not asked for."""
    result = {"command": "quadflow simulate --teacher 1", "times": [0, 1], "loss": [1, 0.5]}
    with_it = section(result | {"hessian": HESSIAN}, "a.json")
    assert "Hessian" in [part.title for part in with_it.parts]
    without = section(result | {"hessian": None}, "a.json")
    assert "Hessian" not in [part.title for part in without.parts]
    assert not any("essian" in name for name in {**with_it.facts, **without.facts})


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"sharpness": "much"}, "`hessian.sharpness` is 'much', but must be"),
        ({"tolerance": None}, "`hessian.tolerance` is None, but must be"),
        ({"index": [None, "one"]}, r"`hessian.index\[1\]` is 'one'"),
    ],
)
def test_what_is_no_hessian_is_refused(wrong, why):
    result = {"command": "quadflow simulate", "times": [0, 1], "loss": [1, 0.5], "hessian": HESSIAN}
    validate_result(result, "a.json")
    with pytest.raises(ProblemError, match=why):
        validate_result(result | {"hessian": HESSIAN | wrong}, "a.json")
    with pytest.raises(ProblemError, match="`hessian` is 3"):
        validate_result(result | {"hessian": 3}, "a.json")


def test_no_times_are_drawn_as_nothing():
    few = HESSIAN | {name: HESSIAN[name][:0] for name in ("times", "sharpness", "lowest_eigenvalue", "index")}
    assert curvature_parts(few)[0].figure["layout"]["xaxis"]["range"] == [0, 1]
