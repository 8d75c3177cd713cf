"""Commands on a data set and under laws of the inputs: what they print and write of it."""

import csv
import json
import shlex

import numpy as np
import pytest

from dynamics import Problem
from dynamics.curves.trajectory import Trajectory
from dynamics.curves.units import NO_TEACHER, NOT_CONSERVED
from empirical.training_run import TrainingRun
from oracles.sample_losses import sample_loss, skewed_samples
from quadflow import options as opt
from quadflow.options.reading import build_problem

PHI = {"quadratic": np.square, "tanh": np.tanh}
HELD_OUT = ["--data", "d.npz", "--split", "0.2", "--hidden", "2", "--init-scale", "0.5", "--seed", "3"]
SHORT = ["--steps", "20", "--step", "2e-3", "--records", "3", "--batch", "10", "--seeds", "2"]


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    X, y = skewed_samples(40, 3)
    np.savez("d.npz", X=X, y=y)


def problem() -> Problem:
    options = {"data": "d.npz", "split": 0.2, "hidden": 2, "init_scale": 0.5, "seed": 3}
    return build_problem(opt.pick(opt.ProblemOptions, options))


@pytest.mark.parametrize("name", PHI)
def test_simulate(quadflow, name):
    """Both losses from W(t), a(t) of the file; null modes and overlaps, and why; the problem names the data."""
    call = ["simulate", *HELD_OUT, "--activation", name, "--t-end", "1", "--records", "3", "--json"]
    found = quadflow(*call, "--output", "t.npz").json
    data, saved = problem().data, Trajectory.load("t.npz")
    for key, X, Y in (("loss", data.X, data.Y), ("test_loss", data.X_test, data.Y_test)):
        np.testing.assert_allclose(found[key], sample_loss(saved.W, saved.A, X, Y, PHI[name]), rtol=1e-10)
    assert (len(data.X), len(data.X_test)) == (32, 8)
    assert found["modes"] is found["overlaps"] is None and np.shape(found["norms"]) == (3, 2)
    assert found["warnings"] == ([NO_TEACHER] if name == "quadratic" else [NO_TEACHER, NOT_CONSERVED])
    assert found["problem"]["data"] == "d.npz" and "distribution" not in found["problem"]
    assert found["problem"]["eigenvalues"] == []
    again = quadflow(*call).json
    assert {k: again[k] for k in ("loss", "test_loss")} == {k: found[k] for k in ("loss", "test_loss")}


def test_tables_and_figures(quadflow):
    """A column of the test loss beside the loss, the same numbers as printed, then norms; no overlaps."""
    found = quadflow(
        "simulate", *HELD_OUT, "--t-end", "1", "--records", "3", "--output", "t.csv", "--json"
    ).json
    with open("t.csv", newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["time", "loss", "test_loss", "norm_1", "norm_2"]
    assert [float(row[2]) for row in rows] == found["test_loss"]
    assert [float(row[4]) for row in rows] == [norms[1] for norms in found["norms"]]
    assert quadflow("simulate", *HELD_OUT, "--t-end", "1", "--output", "t.svg").status == 0
    with open("t.svg") as file:
        assert "held out" in file.read()


def test_without_samples_held_out_it_is_null(quadflow):
    """On a data set that keeps all, and under laws: null in JSON, no column in tables."""
    for more in (["--data", "d.npz", "--hidden", "2"], ["--teacher", "2,1", "--distribution", "sphere"]):
        found = quadflow(
            "simulate", *more, "--t-end", "0.1", "--records", "2", "--output", "t.csv", "--json"
        ).json
        assert found["test_loss"] is None
        with open("t.csv") as file:
            assert "test_loss" not in file.readline()


def test_train(quadflow):
    """Losses of both kinds, network by network, from the weights of the file; what has no teacher is null."""
    found = quadflow("train", *HELD_OUT, *SHORT, "--output", "r.npz", "--json").json
    data, saved = problem().data, TrainingRun.load("r.npz")
    for key, X, Y in (("loss", data.X, data.Y), ("test_loss", data.X_test, data.Y_test)):
        np.testing.assert_allclose(found[key], sample_loss(saved.W, saved.A, X, Y), rtol=1e-10)
    assert found["loss_measured"] == "on all 32 samples to train on, and on the 8 held out"
    assert found["modes"] is found["overlaps"] is None and NO_TEACHER in found["warnings"]
    under_law = "--inputs 2 --activation tanh --distribution uniform --steps 2 --records 2 --json"
    measured = quadflow("train", "--teacher", "1", *shlex.split(under_law)).json
    assert measured["loss_measured"] == "on a test sample of 16384" and measured["test_loss"] is None


def test_compare_and_its_report(quadflow):
    """Both sides hold both losses; nothing of the gap is finite data; the page shows what was held out."""
    pytest.importorskip("plotly")
    found = quadflow("compare", *HELD_OUT, *SHORT, "--report", "r.html", "--output", "c.png", "--json").json
    shapes = [np.shape(found[side]["test_loss"]) for side in ("theory", "training")]
    assert shapes == [(3,), (2, 3)]
    assert found["gap"]["finite_data"] == 0
    assert found["gap"]["sources"]["finite_data"] == "none: theory and networks on one data set"
    assert found["relative_error"]["modes_sup"] is None and found["relative_error"]["overlaps_sup"] is None
    with open("r.html") as file:
        page = file.read()
    assert "median network, held out" in page and "theory, held out" in page
    assert "Stationary points" not in page  # of Gaussian inputs, which these are not
    with open("c.json", "w") as file:
        json.dump(found, file)
    assert quadflow("report", "c.json", "--output", "again.html").status == 0
    law = "--distribution uniform --t-end 0.1 --step 1e-2 --records 3 --report u.html"
    assert quadflow("compare", "--teacher", "2,1", *shlex.split(law)).status == 0
    with open("u.html") as file:
        assert "Stationary points" not in file.read()


def test_sweeps_keep_it(quadflow):
    """Of theory and networks, by time; NaN in no place."""
    xarray = pytest.importorskip("xarray")
    swept = ["sweep", "simulate", "train", *HELD_OUT, *SHORT, "--vary", "init-scale=0.3,0.5"]
    assert quadflow(*swept, "--t-end", "0.04", "--workers", "0", "--output", "s.nc").status == 0
    with xarray.open_dataset("s.nc", engine="h5netcdf") as found:
        assert found["simulate_test_loss"].dims == ("init_scale", "replicate", "simulate_time")
        assert found["train_test_loss"].dims == ("init_scale", "replicate", "network", "train_time")
        assert np.isfinite(found["simulate_test_loss"].values).all()
        assert found["simulate_final_test_loss"].dims == found["simulate_final_loss"].dims
        np.testing.assert_array_equal(
            found["train_final_test_loss"].values, found["train_test_loss"].values[..., -1]
        )


def test_diagnose_says_what_it_can(quadflow):
    """c_k and frozen signs hold on any inputs (c = ‖w‖² − 2a² by hand); the verdict is of Gaussian ones."""
    found = quadflow("diagnose", *HELD_OUT, "--json").json
    student = problem().student
    c = np.sum(student.W**2, axis=1) - 2 * student.A[0] ** 2
    np.testing.assert_allclose(found["conserved"], c, rtol=1e-12)
    assert found["verdict"] == "undecided"


def test_labels_and_law_beside_the_data(quadflow):
    """One sentence for what a data set brings itself."""
    noise = quadflow("train", *HELD_OUT, *SHORT, "--label-noise", "0.1")
    assert (noise.status, noise.err.count("\n")) == (2, 1)
    assert "`label_noise` is 0.1, but `data` brings its labels." in noise.err
    kinked = quadflow("simulate", *HELD_OUT, "--activation", "relu")
    assert kinked.status == 2 and "`t_end` is missing" in kinked.err
