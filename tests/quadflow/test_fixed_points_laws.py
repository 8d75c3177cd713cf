"""`quadflow fixed-points` under other laws of the inputs and on data: keys, words, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from dynamics.stationary.subspaces.morse import COMPLETE, UNKNOWN
from dynamics.stationary.subspaces.points import NECESSARY

POINT = {
    *(
        "learned_modes",
        "rank",
        "learned_values",
        "residual_trace",
        "loss",
        "index",
        "nullity",
        "positive",
        "kind",
    ),
    *("feasible", "needed", "modes", "subspace", "W", "a", "hits"),
}
COUNT = {
    "rank",
    "critical_subspaces",
    "families",
    "indices",
    "euler",
    "euler_expected",
    "least",
    "closes",
    "complete",
}


def test_a_law_that_rotations_leave_alone_has_the_whole_catalogue(quadflow):
    """Sphere, d = 3: losses 3/5 of 0, 1.25, 5, 8, …; a search and a graph as for Gaussian inputs."""
    arguments = [
        "--teacher",
        "4,2,1",
        "--hidden",
        "3",
        "--distribution",
        "sphere",
        "--search",
        "20",
        "--graph",
    ]
    result = quadflow("fixed-points", *arguments, "--json").json
    losses = [p["loss"] for p in result["fixed_points"]]
    np.testing.assert_allclose(losses[:4], 0.6 * np.array([0, 1.25, 5, 8]), atol=1e-12)
    assert result["complete"] is True and result["warnings"] == []
    assert (
        result["search"]["unmatched"] == [] and result["search"]["matched"] == result["search"]["converged"]
    )
    assert result["problem"]["distribution"] == "sphere" and result["connections"]


def test_the_axes_and_what_lies_off_them(quadflow):
    """Uniform inputs, λ = (2, 1), one unit: two points off the axes, L = 2.9583, found and reported as such."""
    arguments = ["--teacher", "2,1", "--hidden", "1", "--distribution", "uniform"]
    alone = quadflow("fixed-points", *arguments, "--json").json
    assert alone["complete"] is False and alone["warnings"][0].startswith("complete on the axes only")
    minima = [(p["learned_modes"], p["kind"]) for p in alone["fixed_points"] if p["index"] == 0]
    assert minima == [([0], "minimum"), ([1], "spurious minimum")]
    result = quadflow("fixed-points", *arguments, "--search", "80", "--json").json
    assert result["complete"] is False
    assert result["warnings"] == ["2 points off the axes: found numerically, not in the catalogue", NECESSARY]
    off = result["search"]["unmatched"]
    assert [(p["kind"], p["index"]) for p in off] == [("saddle", 1)] * 2
    assert [p["loss"] for p in off] == pytest.approx([2.958333333] * 2)
    (count,) = result["search"]["certificate"]
    assert set(count) >= COUNT and count["verdict"] == COMPLETE and count["critical_subspaces"] == 4
    text = quadflow("fixed-points", *arguments, "--search", "80").out
    assert text.count("off the axes: loss 2.95833, index 1, saddle") == 2 and f"rank 1: {COMPLETE}" in text


def test_a_search_that_finds_nothing_off_the_axes(quadflow):
    arguments = ["--teacher", "2,1", "--hidden", "2", "--distribution", "independent:0.5", "--search", "40"]
    result = quadflow("fixed-points", *arguments, "--json").json
    assert result["complete"] is True
    assert result["warnings"] == ["the search found no point off the axes", NECESSARY]
    few = quadflow("fixed-points", *arguments[:-1], "2", "--json").json
    assert few["complete"] is False and any(UNKNOWN in warning for warning in few["warnings"])


def test_a_search_beside_the_lowest(quadflow):
    """Above the two points that are listed lie the other two, and two off the axes."""
    arguments = [
        "--teacher",
        "2,1",
        "--hidden",
        "2",
        "--distribution",
        "uniform",
        "--search",
        "60",
        "--lowest",
        "2",
    ]
    result = quadflow("fixed-points", *arguments, "--json").json
    assert result["warnings"][0] == "0 points off the axes, and 4 above those that are listed, were found"
    assert result["search"]["beyond"] == 4 and result["complete"] is False


def test_labels_on_data(quadflow, tmp_path, rng):
    """Forty samples: the search alone, each point with the keys of the catalogue, and a state that rests there."""
    path = tmp_path / "d.npz"
    X = rng.standard_normal((40, 2)) + 0.3
    y = X[:, 0] ** 2 - 0.4 * X[:, 1] ** 2 + 0.1 * rng.standard_normal(40)
    np.savez(path, X=X, y=y)
    refused = quadflow("fixed-points", "--data", path, "--hidden", "2")
    assert refused.status == 2 and "`--search N` looks for them numerically" in refused.err
    output = tmp_path / "points.json"
    arguments = ["--data", path, "--hidden", "2", "--search", "60", "--seed", "1"]
    result = quadflow("fixed-points", *arguments, "--json", "--output", output).json
    assert output.exists() and result["problem"]["data"] == str(path)
    assert result["complete"] is True and result["warnings"] == [NECESSARY]
    assert [c["verdict"] for c in result["search"]["certificate"]] == [COMPLETE] * 2
    assert result["count"] == len(result["fixed_points"]) and result["search"]["matched"] is None
    for point in result["fixed_points"]:
        assert set(point) >= POINT and point["modes"] is None
        W, a = np.array(point["W"]), np.array(point["a"])
        f = (X @ W.T) ** 2 @ a
        np.testing.assert_allclose((f - y) @ (X @ W.T) ** 2 / 40, 0, atol=1e-9)  # ∂L/∂a
        assert np.mean((f - y) ** 2) / 2 == pytest.approx(point["loss"], rel=1e-10)
    text = quadflow("fixed-points", *arguments).out
    assert f"rank 2: {COMPLETE}" in text and text.rstrip().endswith(NECESSARY)


def test_a_search_on_data_is_given_its_options(received, tmp_path, rng):
    path = tmp_path / "d.npz"
    np.savez(path, X=rng.standard_normal((9, 2)), y=np.arange(9.0))
    target = "dynamics.stationary.subspaces.points:find_stationary_points"
    arguments = ["--data", path, "--hidden", "3", "--search", "9", "--seed", "5"]
    (problem, *rest), given = received(target, "fixed-points", *arguments)
    assert problem.student.hidden == 3 and len(problem.data.X) == 9
    assert rest == [9, 5] and given == {"progress": True}


def test_where_forms_vanish_networks_are_searched(quadflow):
    """Signs: x_i² = 1, so that M is not determined; the search among networks says so."""
    arguments = [
        "--teacher",
        "2,1",
        "--hidden",
        "1",
        "--distribution",
        "rademacher",
        "--search",
        "6",
        "--json",
    ]
    result = quadflow("fixed-points", *arguments).json
    assert "certificate" not in result["search"]
    assert "vanish for all inputs" in result["warnings"][-1]
    gaussian = quadflow(
        "fixed-points", "--teacher", "2,1", "--hidden", "1", "--activation", "relu", "--search", "2"
    )
    assert "vanish for all inputs" not in gaussian.out


def test_formulas_with_the_excess_kurtosis(quadflow):
    """μ_0 = λ_0 + λ_1/(3 + κ) where mode 0 is learned."""
    arguments = ["--teacher", "2,1", "--symbolic", "--distribution", "independent:symbolic", "--json"]
    result = quadflow("fixed-points", *arguments).json
    assert result["distribution"] == "independent:symbolic"
    assert result["fixed_points"][1]["learned_values"] == ["lambda_0 + lambda_1/(kappa + 3)"]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--graph"], "connections are known only where all stationary points are listed"),
        (["--certify"], "proven only for Gaussian inputs"),
        (["--symbolic", "--distribution", "rademacher"], "some forms vanish for all inputs"),
    ],
)
def test_what_other_laws_do_not_have(quadflow, option, message):
    pytest.importorskip("flint")
    refused = quadflow("fixed-points", "--teacher", "2,1", "--distribution", "uniform", *option)
    assert refused.status == 2 and message in refused.err and refused.err.count("\n") == 1
