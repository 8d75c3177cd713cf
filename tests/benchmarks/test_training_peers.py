"""All who train are given the same numbers and end at the same weights."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import bench_training, training_peers
from benchmarks.bench_training import CASES, Case, compared, contenders, distance
from benchmarks.solvers import COMPILED, INTERPRETED, OLD, OURS

SMALL = Case("small", 3, 4, 5, 8, 12)


@pytest.mark.parametrize(
    "case",
    [SMALL, replace(SMALL, momentum=0.9), replace(SMALL, samples=20, batch=0), replace(SMALL, networks=1)],
    ids=["fresh", "momentum", "a finite set", "one network"],
)
def test_the_same_weights(case):
    """To single precision: 12 steps of rounding 6e-8, relative to weights that move by some thousandths."""
    trained = {name: run() for name, run in contenders(case).items() if not name.startswith("JAX")}
    assert len(trained) == (9 if case.networks > 1 else 7)
    for name, weights in trained.items():
        assert weights[0].shape == (case.networks, 4, 5), name
        assert distance(case, trained["quadflow"], weights) < 1e-3, name
    W = trained["quadflow"][0]
    assert case.networks == 1 or np.abs(W[0] - W[1]).max() > 1e-5  # each sees data of its own


@pytest.mark.slow
def test_jax_trains_the_same_networks():
    """On numbers of its own: means over 512 networks agree within five standard errors of both."""
    pytest.importorskip("jax")
    job = replace(SMALL, networks=512, steps=40).job
    one, other = (run(job)[0] for run in (training_peers.by_hand, training_peers.jax_scan()))
    error = np.sqrt((one.var(0) + other.var(0)) / 512)
    assert np.abs(one.mean(0) - job.W).max() > 20 * error.max()  # they moved
    assert (np.abs(one.mean(0) - other.mean(0)) < 5 * error).all()


def test_rows_say_who_is_what(monkeypatch):
    monkeypatch.setattr(bench_training, "ROUNDS", 1)
    found = contenders(SMALL)
    monkeypatch.setattr(
        bench_training, "contenders", lambda case: {n: f for n, f in found.items() if not n.startswith("JAX")}
    )
    rows = {row["by"]: row for row in compared(SMALL)}
    assert rows["quadflow"]["time / quadflow"] == 1
    assert {row["kind"] for row in rows.values()} == {OURS, OLD, INTERPRETED}
    assert rows["version 0.1: module + SGD(foreach)"]["kind"] == OLD
    assert bench_training.kind_of("JAX: compiled loop") == COMPILED
    assert all(row["µs per step"] > 0 for row in rows.values())


def test_the_sizes_that_are_spoken_of_are_measured():
    sizes = {(case.networks, case.units, case.inputs, case.batch) for case in CASES}
    assert sizes >= {(1, 8, 6, 32), (32, 16, 64, 64)}
