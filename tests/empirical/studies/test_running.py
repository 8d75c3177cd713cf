"""Studies that are carried out: pairs, budgets, files, and what survives a kill."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray

from dynamics import ProblemError
from empirical.collapsed import collapse_reason
from empirical.module_training import TrainingPlan, train_module
from empirical.studies.contenders import sgd
from empirical.studies.evaluation import _variables, evaluate
from empirical.studies.findings import read_findings, run_study
from empirical.studies.study import Settings
from empirical.studies.table import STUDIES, find_study, settings_of
from empirical.studies.tasks import read_task
from empirical.sweep.dataset import read_dataset
from empirical.sweep.grid import Run

SMALL = {"data": "wine", "quick": True, "epochs": 1, "seeds": 2, "batch": 64}


def run_of(name, label, rate, seed, settings):
    study = find_study(name, settings)
    (run,) = (
        run
        for run in study.plan().runs()
        if (run.options["model"], run.options["rate"]) == (label, rate) and run.options["seed"] == seed
    )
    return run


def test_all_contenders_of_a_replicate_have_the_same_seed():
    """And with it split, batches and start; replicates have others."""
    runs = list(find_study("gsgd", Settings("digits", seeds=3)).plan().runs())
    seeds = {}
    for run in runs:
        seeds.setdefault((run.options["model"], run.options["rate"]), []).append(run.options["seed"])
    (one,) = {tuple(found) for found in seeds.values()}
    assert len(set(one)) == 3 and len(seeds) == 4 * 7


def test_a_training_is_what_its_seed_says():
    """SGD of the study of path values, repeated by hand: split, start and batches by the seed of the run."""
    settings = Settings("wine", epochs=2, batch=16, seeds=1)
    study = find_study("gsgd", settings)
    seed = int(study.plan().seeds().ravel()[0])
    found = evaluate(run_of("gsgd", "SGD", 0.1, seed, settings))
    task = read_task("wine")
    module = study.contender("SGD").build(task.shape, task.outputs, seed)
    again = train_module(
        module, sgd(0.1), task.splits(seed), TrainingPlan(2, 16, "cross-entropy", seed, records=2)
    )
    for i, split in enumerate(("train", "validation", "test")):
        assert found[f"{split}_loss"].array == again.loss[i, -1]
        assert found[f"{split}_accuracy"].array == again.accuracy[i, -1]
    steps = 2 * -(-107 // 16)  # of 178 samples 36 are held out twice
    assert found["steps"].array == steps and found["parameters"].array == again.parameters
    assert found["step"].array == 0.1


def test_every_contender_makes_the_same_number_of_steps(tmp_path):
    for name in STUDIES:
        found = run_study(find_study(name, Settings(**SMALL)), tmp_path / f"{name}.nc", workers=0)
        assert {result.steps for result in found.results} == {2}  # 106 samples in batches of 64


def test_failed_trainings_have_no_scores():
    """A rate of 10⁸ sends SGD to infinity."""
    task = read_task("wine")
    study = find_study("gsgd", Settings("wine"))
    splits = task.splits(0)
    module = study.contender("SGD").build(task.shape, task.outputs, 0)
    run = train_module(module, sgd(1e8), splits, TrainingPlan(3, 16, records=2))
    found = _variables(run, 1e8, splits.train)
    assert run.failure and found["failed"].array == found["collapsed"].array == 1
    parts = [f"{part}_{what}" for part in ("train", "validation", "test") for what in ("loss", "accuracy")]
    assert np.isnan([found[name].array for name in parts]).all()


def test_a_run_at_chance_has_collapsed_though_it_did_not_fail():
    """A network that cannot learn, of weight zero before its outputs, held there by a rate of nearly zero."""
    task = read_task("wine")
    splits = task.splits(0)
    module = find_study("gsgd").contender("SGD").build(task.shape, task.outputs, 0)
    torch.nn.init.zeros_(module[-1].weight)
    run = train_module(module, sgd(1e-12), splits, TrainingPlan(1, 16, records=2))
    found = _variables(run, 1e-12, splits.train)
    assert not run.failure and "at chance" in collapse_reason(run, splits.train)
    assert (found["failed"].array, found["collapsed"].array) == (0, 1)


def test_changes_of_basis_and_gradients_are_kept():
    """Of G-SGD alone, and of the study of Han layers: at three moments, for all eight hidden layers."""
    settings = Settings("wine", epochs=4, batch=8, seeds=1)
    seed = int(find_study("gsgd", settings).plan().seeds().ravel()[0])
    assert evaluate(run_of("gsgd", "G-SGD", 0.01, seed, settings))["rebases"].array > 0
    assert "rebases" not in evaluate(run_of("gsgd", "SGD", 0.01, seed, settings))
    gradients = evaluate(run_of("hannet", "HanNet 6", 1.0, seed, settings))["gradients"].array
    assert gradients.shape == (3, 8)
    np.testing.assert_allclose(gradients[0], 1, rtol=1e-5)  # orthogonal dense layers of width 6
    assert np.ptp(gradients[-1]) > 0.01


def test_a_study_is_resumed_where_it_was_left(tmp_path):
    """Bit for bit what an undisturbed one is; and its findings are read from the file alone."""
    study = find_study("relinear", Settings(**SMALL))
    whole = run_study(study, tmp_path / "whole.nc", workers=0)
    with pytest.raises(ProblemError, match="exists"):
        run_study(study, tmp_path / "whole.nc", workers=0)
    code = f"""
import os, signal
from empirical.studies import evaluation, findings
from empirical.studies.study import Settings
from empirical.studies.table import find_study
left = [4]
def evaluate(run):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return evaluation.evaluate(run)
findings.evaluate = evaluate
findings.run_study(find_study("relinear", Settings(**{SMALL!r})), {str(tmp_path / "s.nc")!r}, workers=0)
"""
    killed = subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[3])
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / "s.nc.pieces").exists() and not (tmp_path / "s.nc").exists()
    resumed = run_study(study, tmp_path / "s.nc", workers=0, resume=True)
    assert_same_file(tmp_path / "s.nc", tmp_path / "whole.nc")
    assert resumed.summary() == whole.summary() == read_findings(tmp_path / "s.nc").summary()
    other = find_study("relinear", Settings(**(SMALL | {"epochs": 2})))
    with pytest.raises(ProblemError, match="differs in: epochs"):
        run_study(other, tmp_path / "s.nc", workers=0, resume=True)


def assert_same_file(one, two):
    """Every number, bit for bit."""
    first, second = read_dataset(one), read_dataset(two)
    xarray.testing.assert_identical(first, second)
    for name in second.variables:
        assert (
            first[name].values.tobytes() == second[name].values.tobytes() or second[name].dtype.kind in "OT"
        )


@pytest.mark.slow
def test_processes_compute_the_same_as_one_and_survive_a_kill(tmp_path):
    """Two workers of Dask, the whole program killed with them in the middle, and continued."""
    arguments = [sys.executable, "-m", "quadflow", "study", "relinear", "--data", "wine", "--quick"]
    arguments += ["--epochs", "3", "--seeds", "4", "--workers", "2", "--output", str(tmp_path / "s.nc")]
    pieces = tmp_path / "s.nc.pieces"
    process = subprocess.Popen(
        [*arguments, "--resume"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd=Path(__file__).parents[3],
    )
    deadline = time.monotonic() + 100
    while process.poll() is None and time.monotonic() < deadline:
        if pieces.exists() and pieces.stat().st_size > 20_000:
            break
        time.sleep(0.01)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    study = find_study("relinear", settings_of("relinear", data="wine", quick=True, epochs=3, seeds=4))
    run_study(study, tmp_path / "whole.nc", workers=0)
    run_study(study, tmp_path / "s.nc", workers=2, resume=True)
    assert_same_file(tmp_path / "s.nc", tmp_path / "whole.nc")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"data": "diabetes", "network": "cnn"}, "a convolutional network needs images"),
        ({"data": "digits", "network": "rnn"}, "`network` is 'rnn'"),
        ({"data": "digits", "epochs": 0}, "`epochs` is 0"),
        ({"data": "digits", "image_size": 0}, "`image_size` is 0"),
        ({"data": "nothing"}, "`data` is 'nothing'"),
    ],
)
def test_what_no_training_could_do_is_refused_before_any(settings, reason, tmp_path):
    with pytest.raises(ProblemError, match=reason):
        run_study(find_study("relinear", Settings(**settings)), tmp_path / "s.nc", workers=0)
    assert not list(tmp_path.iterdir())


def test_settings_that_are_left_out():
    """Quick ones are few but for what is asked for."""
    assert settings_of("hannet") == Settings("diabetes")
    assert settings_of("gsgd", epochs=None, seeds=4) == Settings("digits", seeds=4)
    quick = settings_of("relinear", quick=True, seeds=5)
    assert (quick.epochs, quick.seeds, quick.quick) == (3, 5, True)
    with pytest.raises(ProblemError, match="`study` is 'hanet'"):
        settings_of("hanet")


def test_runs_carry_everything_that_a_worker_needs():
    """Text and numbers only."""
    run = next(iter(find_study("gsgd", Settings("digits", seeds=1)).plan().runs()))
    assert isinstance(run, Run) and run.kind == "study"
    assert {type(value) for value in run.options.values()} <= {str, int, float, bool, type(None)}
