"""A sweep holds what its runs gave, in one sitting or in several, and says what failed."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray

from dynamics import ProblemError, budget
from empirical.sweep import sweeping
from empirical.sweep.dataset import read_dataset
from empirical.sweep.grid import Axis, SweepPlan
from empirical.sweep.sweeping import finished_runs, pieces_path, run_sweep

sys.path.insert(0, str(Path(__file__).parent))
from sweep_functions import parabola

OPTIONS = {"t_end": 2.0}


def plan(kinds=("simulate",), x=(1.0, 2.0, 3.0), replicates=2, **options):
    return SweepPlan(kinds, OPTIONS | options, (Axis("x", x),), replicates, seed=4)


def sweep(path, given=None, evaluate=parabola, **how):
    return run_sweep(given or plan(), evaluate, path, workers=0, **how)


@pytest.mark.parametrize("suffix", ["nc", "zarr"])
def test_the_file_holds_every_number_with_its_labels(tmp_path, suffix):
    """Closed form of the runs: loss x t² at t = 0, 1, 2."""
    path = tmp_path / f"s.{suffix}"
    returned = sweep(path)
    data = read_dataset(path)
    xarray.testing.assert_identical(data, returned)
    assert data.simulate_loss.dims == ("x", "replicate", "simulate_time")
    for x in (1.0, 2.0, 3.0):
        for r in range(2):
            run = data.sel(x=x, replicate=r)
            np.testing.assert_array_equal(run.simulate_loss, x * np.array([0.0, 1.0, 4.0]))
            noise = np.random.default_rng(int(run.run_seed)).standard_normal(2)
            np.testing.assert_array_equal(run.simulate_noise, noise)
    np.testing.assert_array_equal(data.simulate_time, [0, 1, 2])
    assert data.simulate_loss.attrs["units"] == "squared output units"
    assert (data.simulate_status == "done").all()
    assert (data.simulate_end == "finished").all()


def test_parameters_seeds_and_versions_are_in_the_file(tmp_path):
    data = sweep(tmp_path / "s.nc")
    definition = json.loads(data.attrs["definition"])
    assert definition["options"] == OPTIONS
    assert definition["vary"] == [["x", [1.0, 2.0, 3.0]]]
    assert definition["seed"] == 4
    np.testing.assert_array_equal(data.run_seed, plan().seeds())
    (versions,) = json.loads(data.attrs["versions"])
    assert versions["numpy"] == np.__version__
    assert {"quadflow", "torch"} <= set(versions)


def test_sample_times_that_differ_are_a_variable(tmp_path):
    given = SweepPlan(("simulate",), {"x": 1.0}, (Axis("t_end", (1.0, 2.0)),))
    data = sweep(tmp_path / "s.nc", given)
    assert data.simulate_time.dims == ("t_end", "replicate", "simulate_sample")
    np.testing.assert_array_equal(data.simulate_time.sel(t_end=2.0, replicate=0), [0, 1, 2])


def test_arrays_of_different_lengths_are_padded(tmp_path):
    given = SweepPlan(("simulate",), {"x": 1.0}, (Axis("size", (1, 3)),))
    data = sweep(tmp_path / "s.nc", given)
    missing = data.simulate_noise.isnull().sel(replicate=0)
    assert missing.sel(size=1).values.tolist() == [False, True, True]
    assert not missing.sel(size=3).any()


def test_failed_runs_are_recorded_and_stop_nothing(tmp_path):
    data = sweep(tmp_path / "s.nc", plan(bad=1.0, broken=3.0))
    assert data.simulate_status.values[:, 0].tolist() == ["failed", "done", "failed"]
    first, second, third = data.simulate_reason.values[:, 0]
    assert first == "`x` is 1.0, which is refused."
    assert second == ""
    assert third == "ZeroDivisionError: of a kind nobody expected"
    assert data.simulate_loss.isnull().all(dim="simulate_time").values[:, 0].tolist() == [True, False, True]


def test_a_sweep_of_failures_is_still_a_file(tmp_path):
    data = sweep(tmp_path / "s.nc", plan(x=(1.0,), bad=1.0))
    assert (data.simulate_status == "failed").all()
    assert "simulate_loss" not in data


class Interrupted:
    """Computes `limit` runs, then is interrupted as by Ctrl-C; counts what it computes."""

    def __init__(self, limit):
        self.limit, self.seen = limit, []

    def __call__(self, run):
        if len(self.seen) == self.limit:
            raise KeyboardInterrupt
        self.seen.append(run.index)
        return parabola(run)


@pytest.mark.parametrize("suffix", ["nc", "zarr"])
def test_interrupted_and_resumed_is_uninterrupted(tmp_path, suffix):
    """Bit for bit, attributes included; no run is computed twice, none is lost."""
    whole = sweep(tmp_path / f"whole.{suffix}", plan(("simulate", "train")))
    path = tmp_path / f"s.{suffix}"
    computed = []
    for limit in (0, 1, 4):
        evaluate = Interrupted(limit)
        with pytest.raises(KeyboardInterrupt):
            sweep(path, plan(("simulate", "train")), evaluate, resume=True)
        computed += evaluate.seen
        assert finished_runs(plan(("simulate", "train")), path) == len(computed)
        assert not path.exists()
    rest = Interrupted(np.inf)
    resumed = sweep(path, plan(("simulate", "train")), rest, resume=True)
    assert sorted(computed + rest.seen) == list(range(12))
    xarray.testing.assert_identical(resumed, whole)
    for name in whole.variables:
        assert resumed[name].values.tobytes() == whole[name].values.tobytes() or whole[name].dtype == object
    assert not pieces_path(path).exists()


def test_resuming_a_finished_sweep_computes_nothing(tmp_path):
    whole = sweep(tmp_path / "s.nc")
    again = Interrupted(0)
    xarray.testing.assert_identical(sweep(tmp_path / "s.nc", evaluate=again, resume=True), whole)


def test_resume_refuses_another_sweep(tmp_path):
    sweep(tmp_path / "s.nc")
    with pytest.raises(ProblemError, match="differs in: replicates"):
        sweep(tmp_path / "s.nc", plan(replicates=3), resume=True)
    with pytest.raises(KeyboardInterrupt):
        sweep(tmp_path / "t.nc", evaluate=Interrupted(2))
    with pytest.raises(ProblemError, match="differs in: vary"):
        sweep(tmp_path / "t.nc", plan(x=(1.0, 5.0)), resume=True)
    assert finished_runs(plan(), tmp_path / "t.nc") == 2


def test_finished_runs_are_never_overwritten_unasked(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        sweep(tmp_path / "s.nc", evaluate=Interrupted(2))
    with pytest.raises(ProblemError, match="--resume"):
        sweep(tmp_path / "s.nc")
    assert finished_runs(plan(), tmp_path / "s.nc") == 2
    anew = Interrupted(1)
    with pytest.raises(KeyboardInterrupt):
        sweep(tmp_path / "s.nc", plan(replicates=1), anew, overwrite=True)
    assert anew.seen == [0]
    assert finished_runs(plan(replicates=1), tmp_path / "s.nc") == 1


@pytest.mark.parametrize("suffix", ["nc", "zarr"])
def test_a_finished_sweep_is_never_overwritten_unasked(tmp_path, suffix):
    path = tmp_path / f"s.{suffix}"
    old = sweep(path)
    none = Interrupted(0)
    with pytest.raises(ProblemError, match="`--overwrite` to replace it"):
        sweep(path, plan(replicates=1), none)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    xarray.testing.assert_identical(read_dataset(path), old)
    with pytest.raises(ProblemError, match="contradict"):
        sweep(path, overwrite=True, resume=True)
    new = sweep(path, plan(replicates=1), overwrite=True)
    assert new.sizes["replicate"] == 1
    xarray.testing.assert_identical(read_dataset(path), new)


class Killed(BaseException):
    """The end of a program in which nothing more is done."""


@pytest.mark.parametrize("suffix", ["nc", "zarr"])
@pytest.mark.parametrize("moment", ["write", "remove", "between"])
def test_nothing_is_left_behind_a_sweep_that_was_killed_and_resumed(tmp_path, monkeypatch, suffix, moment):
    """As after SIGKILL in the last transaction: a journal beside the pieces, which SQLite need not touch again."""
    path, pieces = tmp_path / f"s.{suffix}", tmp_path / f"s.{suffix}.pieces"

    def killed(*_):
        if moment == "between":
            pieces.unlink()
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(sweeping, "write_dataset" if moment == "write" else "remove_pieces", killed)
        sweep(path)
    assert (path.exists(), pieces.exists()) == (moment != "write", moment != "between")
    (tmp_path / f"{pieces.name}-journal").write_bytes(bytes(512))  # a header of zeros: nothing to play back
    sweep(path, evaluate=Interrupted(0), resume=True)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_an_earlier_file_moved_aside_by_a_killed_program_is_removed(tmp_path):
    """Killed between the two renamings that replace a folder: ``.s.zarr.old`` is there, ``s.zarr`` is not."""
    path = tmp_path / "s.zarr"
    sweep(path)
    path.rename(tmp_path / ".s.zarr.old")
    sweep(path)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_results_that_do_not_fit_are_refused_after_the_first_run(tmp_path, monkeypatch):
    """A parabola is 3 + 3 + 1 + 2 doubles and the text "finished", of 8 characters of 4 bytes."""
    one, seen = 9 * 8 + 8 * 4, Interrupted(np.inf)
    monkeypatch.setattr(budget, "LEAST", 0)
    monkeypatch.setattr(budget, "memory_budget", lambda: sweeping.COPIES * one * 6)
    sweep(tmp_path / "fits.nc")
    monkeypatch.setattr(budget, "memory_budget", lambda: sweeping.COPIES * one * 6 - 1)
    with pytest.raises(ProblemError, match="The result of 6 runs like the first would take about"):
        sweep(tmp_path / "s.nc", evaluate=seen)
    assert seen.seen == [0]


def test_sweeps_without_end_are_refused():
    with pytest.raises(ProblemError, match=r"3,000,000 runs, but at most 1,000,000"):
        plan(replicates=10**6)
    with pytest.raises(ProblemError, match=r"e\+18 runs"):
        plan(replicates=10**18)


@pytest.mark.parametrize("suffix", ["nc", "zarr"])
def test_an_earlier_file_is_there_until_the_new_one_is(tmp_path, suffix):
    path = tmp_path / f"s.{suffix}"
    old = sweep(path)
    with pytest.raises(KeyboardInterrupt):
        sweep(path, plan(replicates=1), Interrupted(1), overwrite=True)
    xarray.testing.assert_identical(read_dataset(path), old)
    new = sweep(path, plan(replicates=1), resume=True)
    xarray.testing.assert_identical(read_dataset(path), new)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_missing_libraries_are_named(tmp_path, monkeypatch):
    from empirical.sweep import dataset

    monkeypatch.setattr(dataset, "find_spec", lambda name: None if name == "zarr" else True)
    with pytest.raises(ProblemError, match=r"zarr, which is not installed: pip install 'quadflow\[sweep\]'"):
        sweep(tmp_path / "s.zarr")
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(ProblemError, match=r"quadflow\[cluster\]"):
        run_sweep(plan(), parabola, tmp_path / "s.nc")


def test_bad_files_are_refused(tmp_path):
    with pytest.raises(ProblemError, match=r"\.nc, \.zarr"):
        sweep(tmp_path / "s.csv")
    with pytest.raises(ProblemError, match="cannot be read"):
        read_dataset(tmp_path / "absent.nc")
    xarray.Dataset({"x": 1}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    with pytest.raises(ProblemError, match="not the result of a sweep"):
        read_dataset(tmp_path / "other.nc")
