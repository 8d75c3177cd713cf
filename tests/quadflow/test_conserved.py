"""`quadflow conserved`: counts of the table in theory section 2, laws that parse, bad input."""

import json

import numpy as np
import pytest
import sympy


@pytest.mark.parametrize(
    ("arguments", "parameters", "count"),
    [
        (["--inputs", "2", "--hidden", "2"], 6, 2),  # K
        (["--inputs", "1", "--hidden", "3"], 6, 5),  # 2K − 1
        (["--inputs", "2", "--hidden", "3", "--second-layer-values", "1,1,1"], 6, 2),  # d(K − d)
        (["--inputs", "3", "--hidden", "3", "--second-layer-values", "1,1,-1"], 9, 2),  # n₊n₋
        (
            ["--inputs", "2", "--hidden", "2", "--second-layer-values", "1,2"],
            4,
            0,
        ),  # distinct absolute values
        (["--model", "linear", "--inputs", "3", "--hidden", "2", "--outputs", "2"], 10, 3),  # r(r + 1)/2
        (["--model", "relu", "--inputs", "3", "--hidden", "4"], 16, 4),  # hidden units
        (["--model", "bilinear", "--output-weight", "no", "--inputs", "3", "--hidden", "2"], 12, 4),  # p²
        (["--network", "a*(w*x_0)**2"], 2, 1),
        (["--activation", "leaky-relu:0.1"], 6, 2),  # hidden units, as of every homogeneous activation
        (["--activation", "relu2", "--outputs", "2"], 8, 2),
        (["--activation", "polynomial:0,0,0,2"], 6, 2),
        (["--activation", "centred"], 6, 2),
        (["--activation", "linear", "--inputs", "3", "--outputs", "2"], 10, 3),
        (["--activation", "polynomial:0,1,0.5"], 6, 0),  # of no kind whatever: the algebra has full rank
        (["--activation", "hermite:3"], 6, 0),
        (["--activation", "relu2", "--second-layer", "fixed"], 4, 0),
    ],
)
def test_counts(quadflow, arguments, parameters, count):
    result = quadflow("conserved", *arguments, "--json").json
    assert result["parameters"] == parameters
    assert result["count"] == len(result["laws"]) == count
    assert result["lie_algebra_dimension"] == parameters - count
    assert result["exact"] is True


def test_laws_parse_as_sympy(quadflow):
    (law,) = quadflow("conserved", "--inputs", "2", "--hidden", "1", "--json").json["laws"]
    w0, w1, a = sympy.symbols("w_0_0 w_0_1 a_0")
    ratio = sympy.simplify(sympy.sympify(law) / (w0**2 + w1**2 - 2 * a**2))
    assert ratio.is_number


def test_in_words_and_to_a_file(quadflow, tmp_path):
    path = tmp_path / "laws.json"
    result = quadflow("conserved", "--hidden", "1", "--teacher", "2,1", "--output", path)
    assert "1 independent law" in result.out
    assert "special to this teacher: none" in result.out
    assert path.exists()


def test_what_becomes_of_laws_under_decay(quadflow):
    """Balances fall as e^{−2ρt}, the clock grows as e^{ρt}, ratios of equal fixed units stay (theory, 14.1)."""
    result = quadflow("conserved", "--inputs", "1", "--hidden", "2", "--weight-decay", "0.25", "--json").json
    assert [law["rate"] for law in result["decayed_laws"]] == pytest.approx([0.5, 0.5, -0.25])
    assert [law["law"] for law in result["decayed_laws"]] == result["laws"]
    fixed = ["--inputs", "1", "--hidden", "2", "--second-layer-values", "1,1", "--weight-decay", "0.25"]
    (law,) = quadflow("conserved", *fixed, "--json").json["decayed_laws"]
    assert (law["rate"], law["constant"]) == (0, law["law"])
    words = quadflow("conserved", *fixed).out
    assert "with weight decay, instead" in words
    assert words.rstrip().endswith("stays")
    assert "decayed_laws" not in quadflow("conserved", "--hidden", "1", "--json").json


def test_layers_that_decay_differently(quadflow):
    """No equation of its own: ḣ = −2ρ_w‖w‖² + 4ρ_aa² in the weights."""
    given = ["conserved", "--inputs", "1", "--hidden", "1", "--weight-decay", "0.25,0.5"]
    (law,) = quadflow(*given, "--json").json["decayed_laws"]
    w, a = sympy.symbols("w_0_0 a_0")
    assert law["rate"] is law["constant"] is None
    ratio = sympy.sympify(law["law"]).coeff(w**2)
    assert sympy.expand(sympy.sympify(law["velocity"]) - ratio * (-0.5 * w**2 + 2.0 * a**2)) == 0
    assert "d/dt (" in quadflow(*given).out


def test_along_a_flow_and_a_trained_run(quadflow, tmp_path, monkeypatch):
    """The flow keeps the exact law to its tolerance; without the option the rates are found."""
    monkeypatch.chdir(tmp_path)
    problem = [
        "--teacher",
        "2,1",
        "--hidden",
        "2",
        "--seed",
        "1",
        "--weight-decay",
        "0.2",
        "--init-scale",
        "0.6",
    ]
    quadflow("simulate", *problem, "--t-end", "1", "--output", "flow.npz")
    result = quadflow("conserved", "--infer", "flow.npz", "--weight-decay", "0.2", "--json").json
    assert result["laws"] == []
    assert [law["rate"] for law in result["decaying"]] == pytest.approx([0.4, 0.4], rel=1e-3)
    for law in result["decayed_laws"]:
        assert law["rate"] == pytest.approx(0.4)
        assert law["deviation"] < 1e-9
        assert law["end"][0] == pytest.approx(law["start"][0] * np.exp(-0.4), abs=1e-8)
    words = quadflow("conserved", "--infer", "flow.npz", "--weight-decay", "0.2").out
    assert "2 decaying, not conserved" in words
    assert "under this decay (‖w_0‖² − 2a_0²) e^(0.4t): kept to" in words


def test_inferred_laws_go_into_a_file(quadflow, tmp_path, monkeypatch):
    """As they are printed with --json."""
    monkeypatch.chdir(tmp_path)
    quadflow("simulate", "--teacher", "2,1", "--hidden", "2", "--t-end", "1", "--output", "flow.npz")
    told = quadflow("conserved", "--infer", "flow.npz", "--output", "laws.json", "--json").json
    assert told["count"] == 2
    assert json.loads((tmp_path / "laws.json").read_text()) == told


def test_along_records_with_unequal_decay(quadflow, tmp_path, monkeypatch):
    """The integral by the records: its uncertainty is said, and covers the deviation."""
    monkeypatch.chdir(tmp_path)
    problem = ["--teacher", "2,1", "--hidden", "2", "--seed", "1", "--init-scale", "0.6"]
    decay = ["--weight-decay", "0.2,0.5"]
    quadflow("simulate", *problem, *decay, "--t-end", "1", "--records", "400", "--output", "flow.npz")
    result = quadflow("conserved", "--infer", "flow.npz", *decay, "--json").json
    for law in result["decayed_laws"]:
        assert law["deviation"] < law["uncertainty"] < 1e-5
        assert abs(law["end"][0] - law["start"][0]) > 1e-3
    assert "known to ±" in quadflow("conserved", "--infer", "flow.npz", *decay).out


def test_a_single_state_says_nothing(quadflow, tmp_path):
    np.savez(tmp_path / "one.npz", W=np.ones((2, 3)), a=np.ones(2))
    for decay in ((), ("--weight-decay", "0.1")):
        result = quadflow("conserved", "--infer", tmp_path / "one.npz", *decay)
        assert result.status == 2 and len(result.err.splitlines()) == 1
        assert "internal" not in result.err


def test_laws_of_decay_need_times(quadflow, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("weights.npz", W=np.random.default_rng(0).normal(size=(5, 2, 2)), a=np.ones((5, 2)))
    result = quadflow("conserved", "--infer", "weights.npz", "--weight-decay", "0.1")
    assert result.status == 2
    assert "have no times" in result.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--weight-decay", "-1"], "not be negative"),
        (["--weight-decay", "1,2,3"], "one rate"),
        (["--weight-decay", "0.1,0.2", "--second-layer-values", "1,1"], "no second layer"),
        (["--model", "cubic"], "quadratic, linear"),
        (["--hidden", "0"], "at least 1"),
        (["--inputs", "0"], "at least 1"),
        (["--second-layer-values", "1,x"], "commas"),
        (["--second-layer-values", "1,1,1"], "second_layer"),
        (["--output-weight", "no"], "no such option"),
        (["--network", "1++"], "rules of arithmetic"),
        (["--network", "a*x_0\0"], "NUL"),
        (["--network", "a*w"], "inputs x_0"),
        (["--network", "a*sin(x_0)"], "polynomial"),
        (["--network", "a*x_0", "--model", "relu"], "one of them"),
        (["--teacher", "2,1", "--outputs", "2"], "one output"),
    ],
)
def test_bad_input(quadflow, arguments, words):
    result = quadflow("conserved", *arguments)
    assert result.status == 2
    assert words in result.err
    assert result.err.count("\n") == 1


def test_no_law_of_a_unit_where_the_activation_is_not_homogeneous(quadflow):
    """Theory, section 9.1; what is not known is null, and a sentence says so."""
    result = quadflow(
        "conserved", "--activation", "gelu", "--inputs", "3", "--hidden", "4", "--outputs", "2", "--json"
    ).json
    assert result["parameters"] == 4 * (3 + 2)
    assert result["laws"] == []
    assert result["exact"] is False
    assert result["count"] is result["lie_algebra_dimension"] is None
    (warning,) = result["warnings"]
    assert "'gelu' is not homogeneous" in warning and "mix units is not known" in warning
    fixed = quadflow("conserved", "--activation", "tanh", "--second-layer", "fixed")
    assert fixed.out.startswith("4 parameters\n") and "not homogeneous" in fixed.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "relu"], "`--model` and `--activation` both name the network"),
        (["--network", "a*x_0"], "`--activation` and `--network` both name the network"),
        (["--teacher", "2,1"], "looks for special laws of a `--model`"),
        (["--output-weight", "no"], "is one of bilinear units"),
        (["--inputs", "1"], "needs at least 2"),
    ],
)
def test_what_an_activation_does_not_go_with(quadflow, arguments, message):
    result = quadflow("conserved", "--activation", "relu2", *arguments)
    assert result.status == 2
    assert message in result.err
