"""`--constraint sphere` through the commands: what each prints, what has no effect, what is refused."""

import numpy as np
import pytest

SPHERE = ["--teacher", "3,2,1,0.3", "--hidden", "3", "--constraint", "sphere"]


def test_simulate(quadflow, tmp_path):
    """Norms in the file are 1, the second layer is fixed, the minimum is the global one, levels are predicted."""
    run = quadflow("simulate", *SPHERE, "--json", "--output", tmp_path / "run.npz").json
    assert run["problem"]["constraint"] == "sphere" and run["problem"]["second_layer"] == "fixed"
    assert run["loss"][-1] == pytest.approx(3.09 + 3.3**2 / 2, abs=1e-6)
    assert run["minimum"]["kind"] == "global"
    assert run["stages"][-1]["predicted_loss"] == pytest.approx(8.535)
    assert not any("c_k" in warning for warning in run["warnings"])
    with np.load(tmp_path / "run.npz") as file:
        np.testing.assert_allclose(np.linalg.norm(file["W"], axis=-1), 1, rtol=1e-14)
    again = quadflow(
        "simulate", "--teacher", "3,2,1,0.3", "--hidden", "3", "--constraint", "none", "--json"
    ).json
    assert again["problem"]["constraint"] == "none" and again["problem"]["second_layer"] == "trainable"


def test_simulate_sgd(quadflow):
    """One unit: the exact step to second order; a warning says of which order the theory is."""
    sgd = ["--sgd", "--step", "0.00025", "--t-end", "3", "--json"]
    run = quadflow(
        "simulate", "--teacher", "1", "--inputs", "200", "--hidden", "1", "--constraint", "sphere", *sgd
    ).json
    assert run["modes"][-1][0] > 0.99
    assert any(w.startswith("on the sphere the mean is of leading order") for w in run["warnings"])
    free = quadflow("simulate", "--teacher", "1", "--inputs", "20", "--hidden", "1", *sgd).json
    assert not any("sphere" in warning for warning in free["warnings"])


def test_train_and_compare(quadflow):
    run = quadflow("train", *SPHERE, "--steps", "40", "--step", "0.01", "--json").json
    assert run["problem"]["constraint"] == "sphere" and run["conserved_drift"] < 1e-5
    found = quadflow("compare", *SPHERE, "--steps", "40", "--step", "0.01", "--seeds", "3", "--json").json
    assert found["relative_error"]["loss_sup"] < 0.2 and found["gap"]["discretisation"] is not None


def test_fixed_points(quadflow, tmp_path):
    """The contract's keys, groups beside them; a representative that `simulate` finds at rest."""
    path = tmp_path / "point.npz"
    found = quadflow("fixed-points", *SPHERE, "--search", "4", "--json").json
    assert found["count"] == 33 and found["complete"] and not found["search"]["unmatched"]
    first = found["fixed_points"][0]
    assert first["kind"] == "global minimum" and first["groups"][0]["multiplier"] == pytest.approx(1.0)
    assert {
        "learned_modes",
        "rank",
        "learned_values",
        "residual_trace",
        "loss",
        "index",
        "nullity",
        "positive",
    } <= set(first)
    quadflow("fixed-points", *SPHERE, "--representative", "0,1", "--output", path)
    still = quadflow("simulate", *SPHERE, "--init-file", path, "--t-end", "1", "--json").json
    assert still["loss"][-1] == pytest.approx(first["loss"], rel=1e-9)
    one = quadflow("fixed-points", *SPHERE, "--minima").out
    assert one.count("minimum") >= 1 and "saddle" not in one


def test_scope(quadflow):
    rows = {row["command"]: row for row in quadflow("scope", *SPHERE, "--json").json["scope"]}
    assert rows["simulate"]["status"] == rows["fixed-points"]["status"] == "exact"
    assert "leading order in the input dimension" in rows["simulate --sgd"]["reason"]
    assert rows["derive"]["reason"].startswith("`constraint` is 'sphere', but")
    one = ["--teacher", "1", "--inputs", "9", "--hidden", "1", "--constraint", "sphere"]
    rows = {row["command"]: row for row in quadflow("scope", *one, "--json").json["scope"]}
    assert rows["escape"]["status"] == "exact"


def test_what_has_no_effect_is_said(quadflow, tmp_path):
    """The size of the start; weights of other norms in a file."""
    said = quadflow("simulate", *SPHERE, "--init-scale", "0.5", "--t-end", "0.1").err
    assert "`--init-scale` has no effect beside `--constraint`" in said
    np.savez(tmp_path / "w.npz", W=2 * np.eye(3, 4), a=np.ones(3))
    said = quadflow("simulate", *SPHERE, "--init-file", tmp_path / "w.npz", "--t-end", "0.1").err
    assert "`--init-file` has units of other norms than 1: they are put on the sphere" in said
    np.savez(tmp_path / "w.npz", W=np.eye(3, 4), a=np.ones(3))
    assert (
        "put on" not in quadflow("simulate", *SPHERE, "--init-file", tmp_path / "w.npz", "--t-end", "0.1").err
    )


@pytest.mark.parametrize(
    ("command", "more", "message"),
    [
        ("simulate", ["--second-layer", "trainable"], "the second layer is trainable: fix it"),
        (
            "simulate",
            ["--weight-decay", "0.1"],
            "`weight_decay` is 0.1,0, but `constraint` 'sphere' keeps the norms",
        ),
        (
            "simulate",
            ["--hessian", "--t-end", "1"],
            "second derivatives over all weights is known only for weights",
        ),
        (
            "simulate",
            ["--optimizer", "adam", "--step", "0.1"],
            "another optimiser than gradient descent is known only",
        ),
        (
            "simulate",
            ["--correction", "modified", "--step", "0.1"],
            "the flow of a finite step is known only",
        ),
        ("simulate", ["--mean-field"], "`--hidden` is 3, but `--mean-field`"),
        ("derive", [], "this is known only for weights without a constraint"),
        ("derive", ["--format", "tensor"], "this is known only for weights without a constraint"),
        (
            "staircase",
            [],
            "the prediction of plateaus and jumps is known only for weights without a constraint",
        ),
        ("gaussianity", [], "what Gaussian inputs would have given is known only for"),
        ("schedule", [], "the mean dynamics of SGD is known only for weights without a constraint"),
        ("fixed-points", ["--symbolic"], "this is known only for weights without a constraint"),
        ("fixed-points", ["--certify"], "points are proven only without a constraint"),
        ("fixed-points", ["--graph"], "connections are known only without a constraint"),
        (
            "figure stability",
            ["--t-end", "0.1"],
            "second derivatives over all weights is known only for weights",
        ),
        ("figure atlas", [], "this is known only for weights without a constraint"),
    ],
)
def test_what_is_refused(quadflow, command, more, message):
    """In one sentence, with exit status 2."""
    result = quadflow(*command.split(), *SPHERE, *more)
    assert (result.status, result.out) == (2, "") and result.err.count("\n") == 1
    assert message in result.err


def test_the_figure(quadflow, tmp_path):
    """Small: a file, and a line for each dimension with its p-value."""
    out = quadflow(
        "figure", "exit-times", "--inputs", "20,40", "--seeds", "20", "--output", tmp_path / "f.png"
    ).out
    assert out.count("Kolmogorov–Smirnov p = ") == 2 and (tmp_path / "f.png").exists()
    refused = quadflow("figure", "exit-times", "--rate", "0.2")
    assert refused.status == 2 and "There is no law of the exit time" in refused.err


def test_a_search_beside_a_list_of_the_lowest(quadflow):
    """Of 33 levels three are listed: what ends above them is counted, and said not to be compared."""
    options = ["fixed-points", *SPHERE, "--lowest", "3", "--search", "8"]
    text, search = quadflow(*options).out, quadflow(*options, "--json").json["search"]
    rest = sum(root["hits"] for root in search["roots"] if root["learned_modes"] is None)
    assert search["beyond"] and not search["unmatched"]
    said = f"{search['matched']} on the levels that are listed, {rest} on {search['beyond']} point"
    assert said in text and "above them, which are not compared" in text
    assert rest == search["converged"] - search["matched"]
