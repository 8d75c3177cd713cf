"""Every run is in one task, whose runs are alike; which ones follows from the plan alone."""

import pytest

from empirical.sweep.chunks import SHARES, Chunking
from empirical.sweep.grid import Axis, SweepPlan

AXES = (Axis("x", (1, 2, 3)), Axis("hidden", (2, 4)), Axis("z", (0, 1, 2, 3, 4)))


def plan(replicates=20, kinds=("simulate", "train")):
    return SweepPlan(kinds, {"a": 1}, AXES, replicates)


def test_one_by_one_by_default():
    chunks = list(Chunking().chunks(plan(2)))
    assert {len(chunk) for chunk in chunks} == {1}
    assert sorted(chunk[0].index for chunk in chunks) == list(range(len(plan(2))))


@pytest.mark.parametrize("most", [1, 7, 64, 10_000])
@pytest.mark.parametrize("alike", ["", "x", "x z", "x hidden z"])
def test_every_run_once(most, alike):
    given = plan()
    whole = {run.index: run for run in given.runs()}
    chunks = list(Chunking({"simulate": most}, set(alike.split())).chunks(given))
    assert sorted(run.index for chunk in chunks for run in chunk) == list(range(len(given)))
    assert all(whole[run.index] == run for chunk in chunks for run in chunk)
    for chunk in chunks:
        assert len({run.kind for run in chunk}) == 1
        assert len(chunk) <= (most if chunk[0].kind == "simulate" else 1)
        assert len(chunk) <= -(-len(given) // 2 // SHARES)  # so that there are enough tasks for all cores


def test_runs_of_a_task_are_alike_where_there_are_enough():
    """100 runs of each of the two sizes, in tasks of at most 30: four of 25 for each."""
    given = SweepPlan(("simulate",), {}, AXES[1:], 20)
    chunks = list(Chunking({"simulate": 30}, {"z"}).chunks(given))
    assert [len(chunk) for chunk in chunks] == [25] * 8
    assert all(len({run.options["hidden"] for run in chunk}) == 1 for chunk in chunks)


def test_small_blocks_share_a_task():
    """Ten grid points of which nothing may differ but the replicate, three of each: whole points only."""
    given = SweepPlan(("simulate",), {}, AXES[1:], 3)
    chunks = list(Chunking({"simulate": 8}).chunks(given))
    assert [len(chunk) for chunk in chunks] == [3] * 10
    many = SweepPlan(("simulate",), {}, AXES, 3)
    assert [len(chunk) for chunk in Chunking({"simulate": 8}).chunks(many)] == [6] * 15


def test_what_is_done_changes_nothing_else():
    given, chunking = plan(), Chunking({"simulate": 64, "train": 5}, {"x"})
    whole = list(chunking.chunks(given))
    done = {run.index for run in whole[0]} | {whole[1][0].index, whole[-1][-1].index}
    rest = list(chunking.chunks(given, done))
    expected = [[run for run in chunk if run.index not in done] for chunk in whole]
    assert rest == [chunk for chunk in expected if chunk]
