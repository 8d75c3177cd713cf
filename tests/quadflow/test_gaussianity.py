"""`quadflow gaussianity`: its JSON, its text, and what it writes."""

import csv
import json

import numpy as np
import pytest

from dynamics.gaussian_theory.comparison import GaussianComparison
from quadflow.commands.gaussianity import CURVES

UNIFORM = "gaussianity --teacher 2,1 --hidden 2 --init-scale 0.4 --seed 1 --distribution uniform --t-end 1 --records 5"


@pytest.fixture
def answer(quadflow):
    return quadflow(*UNIFORM.split(), "--json").json


def test_json(answer):
    """Uniform coordinates, κ = −6/5, d = 2: γ = 1 + κ/4, spectrum [κ/2, 0], bound −κ/2; see `tests/dynamics/inputs`."""
    assert answer["gamma"] == pytest.approx(0.7, rel=1e-12)
    assert answer["spectrum"] == pytest.approx([-0.6, 0.0], abs=1e-12)
    assert answer["bound"] == pytest.approx(0.6, rel=1e-12)
    loss, gaussian, rescaled = (np.array(answer[name]) for name in ("loss", "gaussian", "rescaled"))
    assert answer["measured"] == pytest.approx(np.abs(gaussian - loss).max() / loss[0], rel=1e-12)
    assert answer["measured_rescaled"] == pytest.approx(np.abs(rescaled - loss).max() / loss[0], rel=1e-12)
    assert answer["dimension"] == 2 and answer["warnings"] == []
    assert answer["trained"] is None and answer["training"] is None
    assert len(answer["times"]) == len(answer["at_same_weights"]) == len(loss)
    assert answer["problem"]["inputs"] == 2


def test_text(quadflow, answer):
    text = quadflow(*UNIFORM.split()).out
    assert text.splitlines()[:3] == [
        "inputs: 'uniform', 2 directions, 3 products of two inputs",
        "best scalar fit of the fourth moment to the Gaussian one: γ = 0.7",
        "at the same weights the loss is 0.4 to 1 times the Gaussian one: |L − L_G| ≤ 0.6 L_G",
    ]
    assert text.splitlines()[-1] == f"would the Gaussian theory have done? {answer['answer']}"


def test_what_is_relative_to_zero_is_null(quadflow, tmp_path):
    """From the teacher itself nothing is learned: units e_1, e_2 of second layer 1."""
    start = tmp_path / "start.npz"
    np.savez(start, W=np.eye(2), a=np.ones(2))
    found = quadflow(*f"{UNIFORM} --teacher 1,1 --init-file {start} --json".split()).json
    assert found["loss"][0] == 0 and found["gaussian"][-1] == 0
    assert found["measured"] is None and found["measured_rescaled"] is None
    assert "the initial loss is zero: what would be relative to it is null" in found["warnings"]


def test_a_data_set_with_labels(quadflow, tmp_path):
    """y = x² with a rare x: γ = E x⁴/3(E x²)², and ½E y² − (E yx²)²/6(E x²)² < 0 is the least loss, γ E x⁴ > E y²."""
    x = np.array([1.0, 0, 0, 0, 0.1])
    np.savez(tmp_path / "rare.npz", X=x[:, None], y=x**2)
    found = quadflow(
        *("gaussianity", "--data", tmp_path / "rare.npz", "--hidden", 1, "--t-end", 0.5, "--json")
    ).json
    assert found["gamma"] == pytest.approx(np.mean(x**4) / 3 / np.mean(x**2) ** 2, rel=1e-12)
    assert any("the least loss of the Gaussian theory is negative" in text for text in found["warnings"])
    assert found["problem"]["inputs"] == 1


def test_networks(quadflow, tmp_path):
    """Their largest deviation is that of their mean from the curve beside it, also in the table and the text."""
    networks = [
        *UNIFORM.split(),
        "--seeds",
        3,
        "--step",
        0.05,
        "--batch",
        16,
        "--output",
        tmp_path / "found.csv",
    ]
    found = quadflow(*networks, "--json").json
    mean = np.mean(found["training"]["loss"], axis=0)
    np.testing.assert_array_equal(found["training"]["times"], found["times"])
    far = np.abs(mean - found["loss"]).max() / found["loss"][0]
    assert found["trained"] == pytest.approx(far, rel=1e-12)
    with (tmp_path / "found.csv").open() as file:
        head, *rows = csv.reader(file)
    assert head[-1] == "trained"
    np.testing.assert_allclose([float(row[-1]) for row in rows], mean, rtol=1e-14)
    text = quadflow(*networks[:-1], tmp_path / "found.png").out
    assert text.endswith(f"3 trained networks: mean within {100 * far:.3g} % of the exact flow\n")
    assert (tmp_path / "found.png").stat().st_size > 1000


def test_what_belongs_to_networks(quadflow):
    """A learning rate without them has no effect; without an end they would be trained for ever."""
    assert "`--step` and `--batch` have no effect unless networks are trained" in (
        quadflow(*UNIFORM.split(), "--step", 0.1, "--batch", 3).err
    )
    endless = quadflow("gaussianity", "--teacher", "2,1", "--seeds", 3)
    assert endless.status == 2 and endless.err.startswith("quadflow: `--t-end` is missing")


def test_files(quadflow, answer, tmp_path):
    """The same curves in every format; figures are those of `tests/figures`."""
    for suffix in ("json", "csv", "npz", "svg"):
        assert quadflow(*UNIFORM.split(), "--output", tmp_path / f"found.{suffix}").status == 0
    stored = json.loads((tmp_path / "found.json").read_text())
    assert stored["loss"] == answer["loss"]
    with (tmp_path / "found.csv").open() as file:
        head, *rows = csv.reader(file)
    assert head == ["time", "loss", "gaussian", "rescaled", "at_same_weights"]
    expected = np.array([answer[name] for name in CURVES]).T
    np.testing.assert_array_equal(np.array(rows, dtype=float), expected)
    again = GaussianComparison.load(tmp_path / "found.npz")
    np.testing.assert_array_equal(again.rescaled, answer["rescaled"])
    assert "<svg" in (tmp_path / "found.svg").read_text()


def test_refused(quadflow):
    """Units of which the fourth moment is not all, and a law without one."""
    relu = quadflow(*UNIFORM.split(), "--distribution", "gaussian", "--activation", "relu")
    assert (relu.status, relu.err) == (
        2,
        "quadflow: `activation` is 'relu', but what Gaussian inputs would have given is known only for quadratic and"
        " centred units.\n",
    )
    heavy = quadflow(*UNIFORM.split(), "--distribution", "student-t:4")
    assert heavy.status == 2 and "moments are infinite" in heavy.err
