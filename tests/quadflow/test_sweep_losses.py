"""Sweeps over flips, biases and losses: flows and verdicts are those of the same problems built here."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher, diagnose
from empirical.sweep.dataset import read_dataset

TEACHER = ["--teacher", "2,-1,0.5", "--hidden", "3", "--init-scale", "0.3", "--t-end", "2", "--records", "5"]


def start(run, **how) -> Problem:
    student = Student.initialise(3, 3, scale=0.3, seed=int(run.run_seed))
    return Problem(Teacher.from_eigenvalues([2, -1, 0.5]), student, **how)


def test_flips_and_biases_are_varied(quadflow, tmp_path):
    path = tmp_path / "s.nc"
    grid = ["--loss", "logistic", "--vary", "flip=0,0.2", "--vary", "bias=0.4,trainable:0.4"]
    call = ["sweep", "simulate", "diagnose", *TEACHER, *grid, "--workers", "0", "--output", path, "--json"]
    assert quadflow(*call).json["done"] == 8  # four flows and four verdicts
    data = read_dataset(path)
    for flip in (0.0, 0.2):
        for bias in ("0.4", "trainable:0.4"):
            run = data.sel(flip=flip, bias=bias, replicate=0)
            problem = start(run, loss="logistic", flip=flip, bias=bias)
            flow = GradientFlow(problem).integrate(times=run.simulate_time.values)
            np.testing.assert_allclose(run.simulate_loss, flow.loss, rtol=1e-6)
            verdict = diagnose(problem)
            assert str(run.diagnose_verdict.values) == verdict.verdict
            expected = np.nan if verdict.predicted_loss is None else verdict.predicted_loss
            assert float(run.diagnose_predicted_loss) == pytest.approx(expected, rel=1e-6, nan_ok=True)


def test_losses_are_varied(quadflow, tmp_path):
    path = tmp_path / "s.nc"
    names = ("square", "log-cosh", "huber:1")
    grid = ["--vary", f"loss={','.join(names)}"]
    call = ["sweep", "simulate", *TEACHER, *grid, "--workers", "0", "--output", path, "--json"]
    assert quadflow(*call).json["done"] == 3
    data = read_dataset(path)
    for name in names:
        run = data.sel(loss=name, replicate=0)
        flow = GradientFlow(start(run, loss=name)).integrate(times=run.simulate_time.values)
        np.testing.assert_allclose(run.simulate_loss, flow.loss, rtol=1e-6)
