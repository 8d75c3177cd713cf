"""`quadflow sample-size`: keys and numbers, files, what is refused."""

import csv
import json

import numpy as np
import pytest

from dynamics.sample_size.atoms import Atoms
from dynamics.sample_size.equations import Regression
from dynamics.sample_size.prediction import SampleSize

ROW = "sample-size --teacher marchenko-pastur:2 --alpha 0.5 --weight-decay-order 0.4 --label-noise 1"


def test_json_has_the_keys_and_numbers(quadflow):
    """A row of the design document; thresholds of κ* = 2: ½ without noise."""
    result = quadflow(*ROW.split(), "--bayes", "--json")
    assert (result.status, result.err) == (0, "")
    found = result.json
    keys = {"alpha", "mse", "training_error", "rank_fraction", "trace", "bayes", "thresholds"}
    assert found.keys() >= keys
    assert found["alpha"] == [0.5]
    assert found["mse"] == [pytest.approx(0.6519, abs=6e-5)]
    assert found["training_error"] == [pytest.approx(0.3007, abs=6e-5)]
    assert found["rank_fraction"] == [pytest.approx(0.601, abs=6e-4)]
    assert found["bayes"][0] < found["mse"][0]
    assert found["thresholds"]["recovery"] is None is found["thresholds"]["bayes"]
    assert "label noise" in found["threshold_reasons"]["recovery"]
    clean = quadflow("sample-size", "--teacher", "marchenko-pastur:2", "--alpha", "0.3", "--json").json
    assert clean["thresholds"]["recovery"] == 0.5 == clean["thresholds"]["bayes"]
    assert (found["conjectural"], found["heuristic"], found["warnings"]) == (False, False, [])


def test_eigenvalues_are_those_of_m_star(quadflow, tmp_path):
    """S* = √d M*: as a list, a matrix with any axes, and a power law; the MSE is that of M̂ in squared outputs."""
    lam, rng = np.array([2.0, 1.0, 0.5, 0.0]), np.random.default_rng(0)
    Q = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    np.save(tmp_path / "m.npy", (Q * lam) @ Q.T)
    expected = Regression(Atoms(2 * lam), 0.3, 0.2).solve(0.6)
    for teacher in ("2,1,0.5,0", str(tmp_path / "m.npy")):
        result = quadflow(
            *["sample-size", "--teacher", teacher, "--alpha", "0.6", "--weight-decay-order", "0.3"],
            *["--label-noise", "0.2", "--json"],
        )
        assert result.json["mse"] == [pytest.approx(expected.mse, rel=1e-9)]
        assert result.json["trace"] == [pytest.approx(expected.trace, rel=1e-9)]
    power = quadflow(
        "sample-size", "--teacher", "power-law:1:4", "--alpha", "0.6", "--label-noise", "0.2", "--json"
    )
    law = Atoms(2 / np.arange(1, 5))
    assert power.json["mse"] == [pytest.approx(Regression(law, 0, 0.2).solve(0.6).mse, rel=1e-9)]


def test_files_hold_the_same(quadflow, tmp_path):
    printed = quadflow(*ROW.split(), "--best-decay", "--json").json
    for suffix in ("json", "csv", "npz", "svg"):
        path = tmp_path / f"s.{suffix}"
        assert quadflow(*ROW.split(), "--best-decay", "--output", path).status == 0
    assert json.loads((tmp_path / "s.json").read_text())["mse"] == printed["mse"]
    (row,) = csv.DictReader((tmp_path / "s.csv").read_text().splitlines())
    assert {name: float(value) for name, value in row.items()} == {
        name: printed[name][0]
        for name in ("alpha", "mse", "training_error", "rank_fraction", "trace", "best_decay", "best_mse")
    }
    assert SampleSize.load(tmp_path / "s.npz").mse.tolist() == printed["mse"]
    assert "<svg" in (tmp_path / "s.svg").read_text()[:2000]


def test_what_is_a_conjecture_or_heuristic_says_so(quadflow):
    words = "sample-size --teacher marchenko-pastur:2 --alpha 0.5 --label-noise 1"
    narrow = quadflow(*words.split(), "--width", "0.3", "--json").json
    assert narrow["conjectural"] and "conjecture" in narrow["warnings"][0]
    assert narrow["thresholds"]["interpolation"] is None
    finite = quadflow(*words.split(), "--inputs", "30", "--json").json
    assert finite["heuristic"] and finite["inputs"] == 30
    assert "heuristic" in quadflow(*words.split(), "--inputs", "30").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("", "`--teacher` is missing"),
        ("--teacher marchenko-pastur:x", "must be marchenko-pastur:KAPPA"),
        ("--teacher marchenko-pastur:1e9", "must lie between 0.001 and 1000"),
        ("--teacher marchenko-pastur:1 --rank 2", "`--rank` says how a matrix in a file is read"),
        ("--teacher 1,-2", "`--teacher` has the eigenvalue -2"),
        ("--teacher 0,0", "`teacher` is zero"),
        ("--teacher 1 --alpha 0", "`alpha` is 0, but must be positive"),
        ("--teacher 1 --alpha 0.1:1", "`--alpha` is '0.1:1', but must be A1,A2,… or LOW:HIGH:COUNT"),
        ("--teacher 1 --alpha 0:1:1", "a grid has 2 to 10000 values"),
        ("--teacher 1 --alpha nan:1:3", "`alpha` is nan"),
        ("--teacher 1 --activation relu", "`activation` is 'relu'"),
        ("--teacher 1 --activation quadratic --width 0.5", "raw units are known only from a width of 1 on"),
        ("--teacher 1 --activation quadratic --best-decay", "Raw units have no best weight decay"),
        ("--teacher 1 --weight-decay-order -1", "`weight_decay_order` is -1"),
        ("--teacher 1 --label-noise -1", "`label_noise` is -1"),
    ],
)
def test_refusals(quadflow, arguments, words):
    """One sentence, status 2, nothing printed."""
    result = quadflow("sample-size", *arguments.split())
    assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)
    assert words in result.err


def test_a_teacher_of_many_outputs_is_refused(quadflow, tmp_path):
    np.savez(tmp_path / "t.npz", V=np.eye(2), b=np.ones((2, 2)))
    result = quadflow("sample-size", "--teacher", tmp_path / "t.npz")
    assert result.status == 2
    assert "has 2 outputs, but this is known only for one" in result.err


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ((), set()),
        (("--label-noise", "0.5"), {"recovery", "bayes"}),
        (("--width", "0.5"), {"interpolation", "recovery"}),
        (("--width", "0.5", "--label-noise", "0.5"), {"interpolation", "recovery", "bayes"}),
    ],
)
def test_every_threshold_that_is_null_says_why(quadflow, options, missing):
    """In JSON under the same name, in text on its line; the help of --label-noise says it before."""
    call = ("sample-size", "--teacher", "marchenko-pastur:0.5", "--alpha", "0.3", *options)
    found, text = quadflow(*call, "--json").json, quadflow(*call).out
    assert {name for name, value in found["thresholds"].items() if value is None} == missing
    assert found["threshold_reasons"].keys() == missing
    for name, reason in found["threshold_reasons"].items():
        assert len(reason.split()) > 4
        assert any(line.split()[:2] == [name, "none"] and line.endswith(reason) for line in text.splitlines())
    assert "null in JSON" in " ".join(quadflow("sample-size", "--help").out.split())
