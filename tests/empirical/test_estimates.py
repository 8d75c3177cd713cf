"""Estimates of memory, counted here by hand to the last byte; see the test of the same name in `dynamics`."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest

from dynamics import ProblemError, budget
from empirical.exits import train_exits
from empirical.experiments.escape import one_unit
from empirical.experiments.invariance import invariance
from empirical.hannet.check import check_hannet
from empirical.trainer import record_steps


def compare_twins(batch):
    """One step of networks with 20 · (30 + 20 + 4) = 1080 weights and 30 + 20 + 20 + 4 = 74 units."""
    invariance(30, 20, 4, layers=3, activation="abs", steps=1, step=1e-6, batch=batch)


TWINS = "Networks of 3 layers of weights with 1080 weights, on batches of"
ESTIMATES = {
    # of each weight four times its Jacobian, of 4 outputs of every sample, and 40 numbers; of each unit 8 a sample
    "twins": (
        lambda: compare_twins(50),
        f"{TWINS} 50,",
        8 * (1080 * (4 * 50 * 4 + 40) + 8 * 50 * 74) + 3 * 10_000,
    ),
    # the Jacobian, by which the step is found, of 256 samples at most
    "twins on a large batch": (
        lambda: compare_twins(1000),
        f"{TWINS} 1000,",
        8 * (1080 * (4 * 256 * 4 + 40) + 8 * 1000 * 74) + 3 * 10_000,
    ),
    # of each layer a matrix, six numbers for each unit and sample, and the module
    "Han layers": (
        lambda: check_hannet(5, 7, samples=3, repeats=1, steps=1),
        "A stack of 5 layers of width 7",
        5 * (8 * (7 * 7 + 6 * 7 * 3) + 10_000),
    ),
    # of each network weights, and a step of four arrays of their size and of two batches, in single precision
    "exits": (
        lambda: train_exits(one_unit("quadratic", 5), step=0.1, t_end=0.1, batch=2, seeds=3),
        "Training 3 networks of 5 inputs",
        4 * 4 * 3 * (5 + 2 * 2),
    ),
    # numbers of steps as they are spaced, rounded, as whole numbers, and sorted
    "records": (lambda: record_steps(100, 50), "Recording 50 times", 4 * 8 * 50),
    "a record of every step": (lambda: record_steps(100, 500), "Recording 101 times", 4 * 8 * 101),
    "records in the logarithm": (lambda: record_steps(9, 50, True), "Spacing 50 records", 4 * 8 * 50),
}


@pytest.mark.parametrize("name", ESTIMATES)
def test_estimate(name, monkeypatch):
    """As much is no reason to refuse, a number less is."""
    call, what, nbytes = ESTIMATES[name]
    monkeypatch.setattr(budget, "LEAST", 0)
    monkeypatch.setattr(budget, "memory_budget", lambda: nbytes)
    call()
    monkeypatch.setattr(budget, "memory_budget", lambda: np.nextafter(nbytes, 0))
    with pytest.raises(ProblemError, match="would take about") as caught:
        call()
    assert str(caught.value).startswith(f"{what} would take")


LIMITS = {
    "gap_account.LONGEST_MODIFIED": "30,000",
    "theories.SPREAD_UNKNOWNS": "80",
    "recorder.LARGEST_KEPT_WEIGHTS": "20,000,000",
    "sweep.grid.LARGEST_SWEEP": "1,000,000",
    "training.FOLLOWED": "20,000",
}


@pytest.mark.parametrize("limit", LIMITS)
def test_limits_are_those_that_are_written_down(limit):
    """Tests of what happens beyond put smaller numbers in their place: these are the real ones."""
    module, _, constant = f"empirical.{limit}".rpartition(".")
    assert f"{getattr(import_module(module), constant):,}" == LIMITS[limit]
