"""`quadflow fixed-points --weight-decay`: keys, order, search, certificates, minima, reports, what is refused."""

import json

import numpy as np
import pytest

ARGUMENTS = ["fixed-points", "--teacher", "4,2,1", "--weight-decay", "0.1"]


def test_points_in_the_order_of_the_objective(quadflow):
    """Theory 14.5: 63 aligned types beside the frames, four minima; R = L + (3/2) ρ_a Σ a² (14.4)."""
    result = quadflow(*ARGUMENTS, "--json").json
    points = result["fixed_points"]
    assert sum(not point["frame"] for point in points) == 63
    objectives = [point["objective"] for point in points]
    assert objectives == sorted(objectives)
    for point in points:
        layer = sum(block["units"] * block["a"] ** 2 for block in point["blocks"])
        assert point["objective"] == pytest.approx(point["loss"] + 0.15 * layer, rel=1e-12)
        assert len(point["branch"]) == len(point["units"]) == point["rank"]
    minima = [point["learned_modes"] for point in points if "minimum" in point["kind"]]
    assert minima == [[0, 1, 2], [0, 1], [0], []]
    assert result["problem"]["weight_decay"] == [0.1, 0.1]
    assert result["origin"]["objective"] == result["origin"]["loss"] == 45.5


def test_minima_alone(quadflow, tmp_path):
    path = tmp_path / "minima.json"
    run = quadflow(*ARGUMENTS, "--minima", "--output", path)
    assert run.out.count("spurious minimum") == 2 * 3 and "A trap" in run.out
    assert json.loads(path.read_text())["count"] == 4


def test_search_and_certificates(quadflow):
    pytest.importorskip("flint")
    arguments = ["fixed-points", "--teacher", "2,1", "--weight-decay", "0.1", "--search", "40", "--certify"]
    result = quadflow(*arguments, "--json").json
    assert result["search"]["matched"] == result["search"]["converged"] > 30
    assert result["search"]["unmatched"] == []
    assert all(root["objective"] >= root["loss"] for root in result["search"]["roots"])
    assert all(point["certified"] == (not point["frame"]) for point in result["fixed_points"])
    text = quadflow(*arguments).out
    families = sum(point["frame"] for point in result["fixed_points"])
    assert families == 1
    assert "not certified: 1 family of states in which units share modes" in text
    assert "not certified" not in quadflow(*arguments[:5], "--search", "5").out


def test_a_representative_rests(quadflow, tmp_path):
    """Started at a trap, the flow with the same decay stays there: {0, 1} at L = 1.25048."""
    path = tmp_path / "trap.npz"
    quadflow(*ARGUMENTS, "--representative", "0,1", "--output", path)
    end = ["--times", "0,3", "--json"]
    run = quadflow("simulate", "--teacher", "4,2,1", "--weight-decay", "0.1", "--init-file", path, *end).json
    np.testing.assert_allclose(run["loss"], 1.250484705, rtol=1e-8)


def test_a_fixed_second_layer(quadflow):
    """Theory 14.2: a = 1, ρ = 0.4."""
    result = quadflow(
        "fixed-points", "--teacher", "4,2,1", "--second-layer", "fixed", "--weight-decay", "0.4", "--json"
    ).json
    best = result["fixed_points"][0]
    np.testing.assert_allclose([best["loss"], best["objective"]], [0.012, 1.388])
    assert best["branch"] is None and best["units"] == [3, 3, 3]


def test_the_report_has_the_objective(quadflow, tmp_path):
    pytest.importorskip("plotly")
    path = tmp_path / "points.html"
    quadflow(*ARGUMENTS, "--minima", "--report", path)
    page = path.read_text()
    assert "objective" in page and "1.6597" in page


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--signs", "+,+,+"], "with weight decay every spare unit rests at the origin"),
        (["--graph"], "connections are known only without weight decay"),
        (["--symbolic"], "`--symbolic` knows only points without weight decay"),
        (["--minima", "--search", "5"], "leave out `--minima`"),
        (["--hidden", "30"], "more than 20000 types of points"),
    ],
)
def test_what_is_refused(quadflow, more, words):
    run = quadflow(*ARGUMENTS, *more)
    assert run.status == 2
    assert words in run.err and run.err.count("\n") == 1


def test_decay_of_one_layer_is_left_to_the_search(quadflow):
    run = quadflow("fixed-points", "--teacher", "2,1", "--weight-decay", "0,0.1")
    assert run.status == 2
    assert "no unit rests anywhere but where it adds nothing" in run.err and "`--search N`" in run.err
    found = quadflow(
        "fixed-points", "--teacher", "2,1", "--weight-decay", "0,0.1", "--search", "10", "--json"
    ).json
    assert all(point["learned_modes"] == [] for point in found["fixed_points"])
    refused = quadflow(
        "fixed-points", "--teacher", "2,1", "--weight-decay", "0,0.1", "--search", "9", "--minima"
    )
    assert "`--minima` needs the catalogue" in refused.err
