"""Training runs of version 0.1, whose times were η × steps, in their files and in reports of them."""

import json

import numpy as np
import pytest

from dynamics import ProblemError
from empirical.training_run import TrainingRun

STEPS = np.array([0, 10, 20])


def old_file(path, result=None, **about):
    """What `TrainingRun.save` of version 0.1 wrote, of one network: η = 0.01."""
    rng = np.random.default_rng(1)
    about = {
        "format": "quadflow training run 1",
        "loss_measured": "exactly from the weights",
        "step": 0.01,
    } | about
    arrays = {"loss": rng.random((1, 3)), "modes": rng.random((1, 3, 2)), "conserved": rng.random((1, 3, 2))}
    arrays |= {"A": rng.random((1, 3, 1, 2)), "steps": STEPS, "times": 0.01 * STEPS}
    more = {} if result is None else {"result": np.array(json.dumps(result))}
    np.savez(path, about=json.dumps(about), **arrays, **more)
    return path


@pytest.mark.parametrize(
    ("about", "beta"),
    [
        ({"momentum": 0.75, "optimizer": "sgd"}, 0.75),
        ({"momentum": 0.0}, 0.0),
        ({}, 0.0),
        ({"optimizer": "gsgd"}, 0.0),
    ],
)
def test_times_become_those_of_the_flow(tmp_path, about, beta):
    """η × steps/(1 − β); a loop of one's own that says no momentum has none."""
    run = TrainingRun.load(old_file(tmp_path / "x.npz", **about))
    np.testing.assert_allclose(run.times, 0.01 * STEPS / (1 - beta), rtol=1e-15)
    assert run.steps.tolist() == STEPS.tolist()
    assert run.about == {"step": 0.01} | about
    run.save(tmp_path / "y.npz")
    np.testing.assert_array_equal(TrainingRun.load(tmp_path / "y.npz").times, run.times)


def test_an_unknown_optimiser_is_refused(tmp_path):
    with pytest.raises(ProblemError, match=r"x\.npz' is of version 0\.1.*does not say the momentum"):
        TrainingRun.load(old_file(tmp_path / "x.npz", optimizer="adam"))


def test_a_run_of_a_later_version_is_refused(tmp_path):
    with pytest.raises(ProblemError, match="written by a later one"):
        TrainingRun.load(old_file(tmp_path / "x.npz", format="quadflow training run 3"))


@pytest.mark.parametrize("suffix", ["json", "npz"])
def test_reports_of_old_runs(suffix, tmp_path, monkeypatch):
    """The last time of the page is 2 = 0.01 · 20/(1 − 0.9), from a command line or from what the file says."""
    pytest.importorskip("plotly")
    from quadflow.commands.report import read_result

    result = {"times": [0.0, 0.2], "loss": [[2.0, 1.0]], "modes": [[[0.0], [1.0]]]}
    monkeypatch.chdir(tmp_path)
    if suffix == "json":
        text = json.dumps(result | {"command": "quadflow train --optimizer momentum --step 0.01"})
        (tmp_path / "x.json").write_text(text)
    else:
        old_file("x.npz", result | {"command": "quadflow run x.toml"}, momentum=0.9, optimizer="momentum")
    assert read_result(f"x.{suffix}")["times"] == pytest.approx([0, 2])


def test_old_results_without_their_momentum_are_refused(quadflow, tmp_path, monkeypatch):
    """In one line, with exit status 2."""
    monkeypatch.chdir(tmp_path)
    result = {
        "times": [0.0, 0.2],
        "loss": [[2.0, 1.0]],
        "modes": [[[0.0], [1.0]]],
        "command": "quadflow run x.toml",
    }
    (tmp_path / "x.json").write_text(json.dumps(result))
    called = quadflow("report", "x.json")
    assert called.status == 2 and called.err.count("\n") == 1
    assert "'x.json' is of version 0.1" in called.err and "--momentum" in called.err
