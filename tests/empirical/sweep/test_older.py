"""Sweeps of version 0.1: their times were η × steps, now they are η × steps/(1 − β), computed here by hand."""

import json

import numpy as np
import pytest

from dynamics import ProblemError
from dynamics.curves.variables import Variable
from empirical.sweep.dataset import assemble, read_dataset, write_dataset
from empirical.sweep.grid import Axis, SweepPlan
from empirical.sweep.pieces import Piece, unpack_one
from empirical.sweep.reading import quantity
from empirical.sweep.store import PieceStore

pytest.importorskip("xarray")
pytest.importorskip("h5netcdf")

TIMES = np.array([0.0, 0.5, 1.0])  # η × steps


def old(path, kinds=("train",), axes=(), own_times=False, **options):
    """File of a sweep as version 0.1 wrote it: loss 10 − 5 η × steps."""
    plan = SweepPlan(kinds, {"momentum": None, "optimizer": "sgd"} | options, axes, 2)
    pieces = []
    for run in plan.runs():
        times = TIMES * (1 + run.index) if own_times else TIMES
        values = {
            "time": Variable(("time",), times, "time", "learning rate × steps"),
            "loss": Variable(("time",), 10 - 5 * times),
            "time_reached": Variable((), times[-1], "time at which the run ended"),
        }
        pieces.append(Piece(run.index, values))
    dataset = assemble(plan, pieces)
    del dataset.attrs["format"]
    write_dataset(dataset, path)
    return path


@pytest.mark.parametrize("options", [{"momentum": 0.75}, {"momentum": 0.0}, {"optimizer": "momentum"}])
def test_one_momentum_for_all(tmp_path, options):
    factor = {0.75: 4, 0.0: 1, None: 10}[options.get("momentum")]
    data = read_dataset(old(tmp_path / "x.nc", **options))
    np.testing.assert_allclose(data.train_time, factor * TIMES, rtol=1e-15)
    assert data.train_loss.dims == ("replicate", "train_time")
    np.testing.assert_allclose(data.train_time_reached, factor * np.ones(2))
    assert data.train_time.attrs["units"] == "time of the flow"
    assert data.attrs["format"] == "quadflow sweep 2"
    first, _, _ = quantity(data, "train_time_to_loss", below=7.5)
    np.testing.assert_allclose(first, factor * 0.5)


@pytest.mark.parametrize("own_times", [False, True])
def test_momentum_that_was_varied(tmp_path, own_times):
    """Runs that shared their η × steps have times of their own now, at β = 0, 0.5, 0.9 and two sizes."""
    axes = (Axis("hidden", (1, 2)), Axis("momentum", (0.0, 0.5, 0.9)))
    data = read_dataset(old(tmp_path / "x.nc", axes=axes, own_times=own_times))
    assert data.train_time.dims == ("hidden", "momentum", "replicate", "train_sample")
    number = 0
    for hidden in (1, 2):
        for beta in (0.0, 0.5, 0.9):
            for replicate in range(2):
                run = data.sel(hidden=hidden, momentum=beta, replicate=replicate)
                scale = (number + 1 if own_times else 1) / (1 - beta)
                np.testing.assert_allclose(run.train_time, scale * TIMES, rtol=1e-14)
                assert float(run.train_time_reached) == pytest.approx(scale, rel=1e-14)
                number += 1
    assert quantity(data, "train_time_to_loss", below=7.5)[0].dims == ("hidden", "momentum", "replicate")


def test_an_optimiser_that_was_varied(tmp_path):
    data = read_dataset(old(tmp_path / "x.nc", axes=(Axis("optimizer", ("sgd", "momentum")),)))
    np.testing.assert_allclose(data.train_time.sel(optimizer="sgd", replicate=1), TIMES)
    np.testing.assert_allclose(data.train_time.sel(optimizer="momentum", replicate=1), 10 * TIMES)


def test_flows_had_the_right_clock_already(tmp_path):
    data = read_dataset(old(tmp_path / "x.nc", kinds=("simulate", "compare"), momentum=0.5))
    np.testing.assert_array_equal(data.simulate_time, TIMES)
    np.testing.assert_array_equal(data.compare_time, 2 * TIMES)


def test_a_sweep_that_does_not_say_its_momentum_is_refused(tmp_path):
    path = old(tmp_path / "x.nc", optimizer="adam")
    with pytest.raises(ProblemError, match="does not say the momentum"):
        read_dataset(path)


def test_a_sweep_of_a_later_version_is_refused(tmp_path):
    plan = SweepPlan(("simulate",), {})
    dataset = assemble(
        plan, [Piece(0, {"loss": Variable(("time",), [1.0]), "time": Variable(("time",), [0.0])})]
    )
    write_dataset(dataset.assign_attrs(format="quadflow sweep 3"), tmp_path / "x.nc")
    with pytest.raises(ProblemError, match=r"quadflow sweep 3.*later"):
        read_dataset(tmp_path / "x.nc")


def test_an_interrupted_sweep_of_version_1_goes_on(tmp_path):
    """Its file is of the new format then; pieces said nothing of what their numbers mean."""
    path, definition = tmp_path / "x.pieces", SweepPlan(("simulate",), {}).definition()
    with PieceStore(path, definition) as store:
        store._db.execute("UPDATE about SET format = 'quadflow sweep pieces 1'")
    with PieceStore(path, definition) as store:
        store.add([Piece(0, {"loss": Variable((), 1.0)})])
        (found,) = store._db.execute("SELECT format FROM about").fetchone()
        assert found == "quadflow sweep pieces 2"
        assert store.finished() == {0}
    other = tmp_path / "y.pieces"
    with PieceStore(other, definition) as store:
        store._db.execute("UPDATE about SET format = ?", ("quadflow sweep pieces 9",))
    with pytest.raises(ProblemError, match="later one"):
        PieceStore(other, definition)


def test_pieces_without_meanings_are_read():
    """As version 0.1 stored them."""
    import io

    buffer = io.BytesIO()
    about = {"axes": {"loss": ["time"]}, "reason": "", "versions": {}}
    np.savez(buffer, about=np.array(json.dumps(about)), **{"value loss": np.ones(3)})
    (found,) = unpack_one(0, buffer.getvalue()).values.values()
    assert (found.dims, found.meaning, found.array.tolist()) == (("time",), "", [1, 1, 1])
