"""Commands under every law in the table of the inputs: each does its work, or says in one sentence what is missing."""

import numpy as np
import pytest

from dynamics.inputs.laws import FAMILIES, LAWS
from quadflow import options as opt
from quadflow.options.reading import build_problem

MEMBERS = {"student-t": "student-t:9", "independent": "independent:-0.5", "mixture": "mixture:m.npz"}
EVERY = [*LAWS, *(MEMBERS[name] for name in FAMILIES)]
NETWORK = ["--teacher", "2,1", "--inputs", "3", "--hidden", "2", "--init-scale", "0.3", "--seed", "1"]


@pytest.fixture(autouse=True)
def mixture(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parts = {"weights": [0.4, 0.6], "means": [[1.0, 0, 0], [0, -1, 0]], "covariances": [np.eye(3)] * 2}
    np.savez("m.npz", **parts)


@pytest.mark.parametrize("law", EVERY)
def test_theory_and_networks(quadflow, law):
    """Both sides of a comparison begin at one loss and name the law; their losses are of its inputs, exactly."""
    length = ["--steps", "5", "--step", "1e-3", "--records", "3", "--batch", "64"]
    found = quadflow("compare", *NETWORK, *length, "--distribution", law, "--dtype", "float64", "--json").json
    assert found["theory"]["problem"]["distribution"] == law.removesuffix(":m.npz")
    assert found["training"]["loss_measured"] == "exactly from the weights"
    assert found["training"]["loss"][0][0] == pytest.approx(found["theory"]["loss"][0], rel=1e-12)
    assert found["theory"]["test_loss"] is found["training"]["test_loss"] is None
    assert np.shape(found["theory"]["modes"]) == (3, 2)
    start = quadflow("diagnose", *NETWORK, "--distribution", law, "--no-follow", "--json").json
    assert start["conserved"] == pytest.approx(found["theory"]["conserved"]["initial"], rel=1e-12)


@pytest.mark.parametrize("law", EVERY)
def test_units_without_a_closed_loss(quadflow, law):
    """tanh: theory where it is known, else one sentence, and networks all the same, measured on a sample."""
    network = [*NETWORK, "--activation", "tanh", "--distribution", law]
    theory = quadflow("simulate", *network, "--t-end", "0.01", "--records", "2", "--json")
    trained = quadflow("train", *network, "--steps", "2", "--records", "2", "--batch", "8", "--json").json
    if theory.status:
        assert (theory.status, theory.out) == (2, "") and theory.err.count("\n") == 1
        assert "the gradient flow is known only for" in theory.err
        assert trained["loss_measured"] == "on a test sample of 16384"
    else:
        assert trained["loss_measured"] == "exactly from the weights"
    options = {"teacher": "2,1", "inputs": 3, "hidden": 2, "activation": "tanh", "distribution": law}
    problem = build_problem(opt.pick(opt.ProblemOptions, options))
    assert (theory.status == 0) == problem.law.knows(problem)
    assert theory.status or law != "uniform"
