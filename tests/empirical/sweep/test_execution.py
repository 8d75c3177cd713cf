"""Processes and clusters give the numbers of a loop, whatever happens to workers."""

import contextlib
import logging
import socket
import sys
from pathlib import Path

import dask
import numpy as np
import pytest
import xarray
from distributed import LocalCluster

from dynamics import ComputationError, ProblemError
from empirical.sweep import execution
from empirical.sweep.chunks import Chunking
from empirical.sweep.execution import execute
from empirical.sweep.grid import Axis, SweepPlan
from empirical.sweep.sweeping import finished_runs, pieces_path, run_sweep

sys.path.insert(0, str(Path(__file__).parent))  # also where worker processes look
from sweep_functions import Halving, asking, deadly, parabola, slow_parabola


def plan(x, replicates=2, **options):
    return SweepPlan(("simulate",), options, (Axis("x", x),), replicates)


@pytest.fixture
def cluster():
    """Two worker processes; a run that kills two workers is given up."""
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL
        ) as cluster,
    ):
        yield cluster


def test_worker_processes_give_the_numbers_of_a_loop(tmp_path):
    given = plan((1.0, 2.0, 3.0), bad=2.0)
    here = run_sweep(given, parabola, tmp_path / "here.nc", workers=0)
    there = run_sweep(given, parabola, tmp_path / "there.nc", workers=2)
    xarray.testing.assert_identical(there, here)
    assert (tmp_path / "there.nc").read_bytes() == (tmp_path / "here.nc").read_bytes()


def test_a_worker_killed_midway_changes_nothing(tmp_path, cluster):
    """The run x = 2 kills its worker with SIGKILL once, x = 1 always: the first is repeated, the second given up."""
    given = plan((1, 2, 3, 4, 5, 6), replicates=1, mark=str(tmp_path / "mark"))
    data = run_sweep(given, deadly, tmp_path / "s.nc", scheduler=cluster.scheduler_address)
    assert (tmp_path / "mark").exists()
    calm = run_sweep(given, parabola, tmp_path / "calm.nc", workers=0)
    assert (data.simulate_status.sel(x=1) == "failed").all()
    assert all("worker process died" in str(reason) for reason in data.simulate_reason.sel(x=1).values)
    rest = slice(2, None)
    for name in ("simulate_loss", "simulate_noise", "simulate_status", "run_seed"):
        ours, theirs = (np.asarray(d[name].sel(x=rest).values) for d in (data, calm))
        assert ours.tolist() == theirs.tolist()


def test_a_lost_cluster_leaves_finished_runs_and_says_so(tmp_path, cluster):
    given = plan(tuple(range(30)), pause=0.2)
    runs = execute(slow_parabola, ([run] for run in given.runs()), scheduler=cluster.scheduler_address)
    (first,) = next(runs)
    assert not first.reason
    cluster.close()
    with pytest.raises(ComputationError, match="connection to the scheduler is lost"):
        for _ in runs:
            pass


def test_no_scheduler_at_the_address(monkeypatch):
    monkeypatch.setattr("empirical.sweep.execution.CONNECT", 0.5)
    with pytest.raises(ProblemError, match="no Dask scheduler answers"):
        next(execute(parabola, [], scheduler="tcp://127.0.0.1:9"))
    with pytest.raises(ProblemError, match="no Dask scheduler answers"):
        next(execute(parabola, [], scheduler="gibberish://x"))
    assert logging.getLogger("distributed").level != logging.CRITICAL


def test_pieces_are_gone_only_when_the_file_is_there(tmp_path, monkeypatch):
    """A failure while writing the file loses nothing."""

    def fail(*_):
        raise ProblemError("disk full")

    monkeypatch.setattr("empirical.sweep.sweeping.write_dataset", fail)
    given = plan((1.0, 2.0))
    with pytest.raises(ProblemError, match="disk full"):
        run_sweep(given, parabola, tmp_path / "s.nc", workers=0)
    assert finished_runs(given, tmp_path / "s.nc") == 4
    monkeypatch.undo()
    run_sweep(given, None, tmp_path / "s.nc", workers=0, resume=True)
    assert not pieces_path(tmp_path / "s.nc").exists()


def test_two_sweeps_run_beside_each_other(tmp_path):
    """Dask's usual port is taken, as by another sweep: no warning (they are errors here), and the runs are done."""
    with socket.socket() as other:
        with contextlib.suppress(OSError):  # taken already, which will do as well
            other.bind(("", 8787))
            other.listen()
        data = run_sweep(plan((1.0, 2.0)), parabola, tmp_path / "s.nc", workers=2)
    assert (data.simulate_status == "done").all()


CHUNKS = Chunking({"simulate": 5}, {"x"})


def test_runs_of_a_task_have_their_work_done_together(tmp_path, monkeypatch):
    """Forty runs in tasks of five: eight launches, eight writes; the one that fails, fails alone."""
    writes, own = [], execution.evaluate_safely
    monkeypatch.setattr("empirical.sweep.execution.evaluate_safely", lambda *a: writes.append(1) or own(*a))
    monkeypatch.setattr(Halving, "launches", [])
    given = plan(tuple(range(20)))
    data = run_sweep(given, asking, tmp_path / "s.nc", chunking=CHUNKS, workers=0)
    assert Halving.launches == [5] * 8
    assert len(writes) == 8
    half = data.simulate_final_loss
    np.testing.assert_array_equal(
        half.isel(replicate=0).values, [x / 2 if x != 13 else np.nan for x in range(20)]
    )
    assert set(data.simulate_reason.sel(x=13).values) == {"13 is unlucky."}
    one_by_one = run_sweep(given, asking, tmp_path / "t.nc", workers=0)
    xarray.testing.assert_identical(data, one_by_one)
    assert (tmp_path / "s.nc").read_bytes() == (tmp_path / "t.nc").read_bytes()


def test_a_task_is_one_write(tmp_path, monkeypatch):
    from empirical.sweep.store import PieceStore

    writes, own = [], PieceStore.add
    monkeypatch.setattr(
        PieceStore, "add", lambda store, pieces: writes.append(len(pieces)) or own(store, pieces)
    )
    run_sweep(plan(tuple(range(20))), asking, tmp_path / "s.nc", chunking=CHUNKS, workers=0)
    assert writes == [5] * 8


def test_workers_are_given_tasks(tmp_path, cluster):
    """The same file from two processes as from a loop."""
    given = plan(tuple(range(8)))
    run_sweep(given, asking, tmp_path / "s.nc", chunking=CHUNKS, scheduler=cluster.scheduler_address)
    run_sweep(given, asking, tmp_path / "t.nc", workers=0)
    assert (tmp_path / "s.nc").read_bytes() == (tmp_path / "t.nc").read_bytes()


def test_a_task_that_takes_long_hands_in_what_it_has(monkeypatch):
    """With no time at all: one run, and the rest in tasks as large. What works together stays together."""
    monkeypatch.setattr(execution, "SECONDS", 0.0)
    monkeypatch.setattr(Halving, "launches", [])
    runs = list(plan((1.0, 2.0, 3.0)).runs())
    handed_in = list(execute(parabola, [runs], workers=0))
    assert [len(pieces) for pieces in handed_in] == [1] * 6
    assert sorted(pieces[0].index for pieces in handed_in) == list(range(6))
    (together,) = execute(asking, [runs], workers=0)
    assert len(together) == 6
    assert Halving.launches == [6]


@pytest.mark.slow
def test_of_a_task_that_kills_its_worker_all_but_one_run_are_saved(tmp_path, cluster):
    """x = 1 always kills: the runs of its task are tried alone then."""
    given = plan((1, 3, 4), replicates=1, mark=str(tmp_path / "mark"))
    pieces = [
        piece
        for found in execute(deadly, [list(given.runs())], scheduler=cluster.scheduler_address)
        for piece in found
    ]
    reasons = {piece.index: piece.reason for piece in pieces}
    assert "worker process died" in reasons[0]
    assert (reasons[1], reasons[2]) == ("", "")
