"""Files of sweeps that are damaged, foreign or hostile are refused in one sentence, and never run anything."""

import json
import pickle
import shutil

import numpy as np
import pytest

from dynamics.curves.variables import Variable
from dynamics.errors import ProblemError
from empirical.sweep.checking import check_size, check_sweep
from empirical.sweep.dataset import assemble, read_dataset, write_dataset
from empirical.sweep.grid import Axis, SweepPlan
from empirical.sweep.store import Piece

xarray = pytest.importorskip("xarray")
pytest.importorskip("zarr")
pytest.importorskip("h5netcdf")


def dataset():
    """One varied option, two replicates, learning curves that share their times."""
    plan = SweepPlan(("simulate",), {"teacher": "2,1"}, (Axis("hidden", (1, 2)),), 2)
    values = {
        "time": Variable(("time",), np.arange(3.0)),
        "loss": Variable(("time",), np.ones(3)),
        "final_loss": Variable((), np.float64(1)),
        "end": Variable((), np.array("finished")),
    }
    return assemble(plan, [Piece(run.index, values) for run in plan.runs()])


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweeps")
    for name in ("s.nc", "s.zarr", "S.NC"):
        write_dataset(dataset(), folder / name)
    return folder


@pytest.mark.parametrize("name", ["s.nc", "s.zarr", "S.NC"])
def test_what_a_sweep_wrote_is_read(good, name):
    xarray.testing.assert_identical(read_dataset(good / name), dataset())


def refused(path, why):
    with pytest.raises(ProblemError, match=why) as error:
        read_dataset(path)
    assert str(error.value).startswith(repr(str(path)))
    assert len(str(error.value)) < len(str(path)) + 200


@pytest.mark.parametrize(
    "content", [b"", b"x", b"\x89HDF\r\n\x1a\n" + b"\7" * 300, np.random.default_rng(0).bytes(400)]
)
@pytest.mark.parametrize("suffix", ["nc", "zarr"])
def test_bytes_that_are_no_such_file(tmp_path, capfd, suffix, content):
    """Libraries that fail half-way would print a complaint of their own afterwards."""
    file = tmp_path / f"x.{suffix}"
    file.write_bytes(content)
    refused(file, "cannot be read: (it is damaged, or of another format|Not a directory)")
    assert capfd.readouterr().err == ""


def test_names_that_cannot_be_opened(tmp_path):
    for name in ("folder.nc", "folder.zarr"):
        (tmp_path / name).mkdir()
    refused(tmp_path / "folder.nc", "Is a directory")
    refused(tmp_path / "folder.zarr", "damaged, or of another format")
    refused(tmp_path / "absent.zarr", "there is no such file")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_truncated_files(good, tmp_path, share):
    data = (good / "s.nc").read_bytes()
    (tmp_path / "x.nc").write_bytes(data[: int(share * len(data))])
    refused(tmp_path / "x.nc", "damaged")


def test_flipped_bits_are_refused_or_harmless(good, tmp_path, capfd):
    """A flipped bit may lie where nobody looks; else the sentence comes, and nothing but the sentence."""
    data = (good / "s.nc").read_bytes()
    random = np.random.default_rng(5)
    refusals = 0
    for place in random.integers(len(data), size=10):
        flipped = bytearray(data)
        flipped[place] ^= 1 << random.integers(8)
        (tmp_path / "x.nc").write_bytes(flipped)
        try:
            read_dataset(tmp_path / "x.nc")
        except ProblemError:
            refusals += 1
    assert refusals > 0
    assert capfd.readouterr().err == ""


def changed(change):
    data = dataset()
    return change(data) or data


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda d: d.attrs.update(title="other"), "not the result of a sweep"),
        (lambda d: d.attrs.pop("definition") and None, "how it was made"),
        (lambda d: d.attrs.update(definition="{"), "definition is not a JSON object"),
        (lambda d: d.attrs.update(definition="[" * 9000), "levels deep"),
        (lambda d: d.attrs.update(definition='{"options": {}, "kinds": []}'), "kinds are"),
        (lambda d: d.attrs.update(definition='{"options": {}, "kinds": [3]}'), "kinds are"),
        (lambda d: d.attrs.update(definition='{"options": {}, "kinds": ["dance"]}'), "kinds are"),
        (lambda d: d.attrs.update(definition='{"options": {}, "kinds": ["train", "x"]}'), "kinds are"),
        (lambda d: d.attrs.update(definition='{"options": {}, "kinds": [["train"]]}'), "kinds are"),
        (lambda d: d.attrs.update(definition='{"options": {}, "kinds": "train"}'), "kinds are"),
        (lambda d: d.attrs.update(definition='{"options": {}}'), "kinds are None"),
        (lambda d: d.attrs.update(definition='{"kinds": ["simulate"]}'), "no options"),
        (lambda d: d.attrs.update(definition='{"options": [], "kinds": ["simulate"]}'), "no options"),
        (lambda d: d.attrs.update(versions='{"numpy": "2"}'), "versions are no list"),
        (lambda d: d.attrs.update(versions="[3]"), "versions"),
        (lambda d: d.attrs.update(versions='[{"numpy": 2}]'), "versions"),
        (lambda d: d.attrs.update(versions=7), "how it was made"),
        (lambda d: d.drop_vars("run_seed"), "lacks the seeds"),
        (lambda d: d.drop_vars("replicate"), "lacks the seeds"),
        (lambda d: d.assign_coords(run_seed=d.run_seed.astype(float)), "whole numbers"),
        (lambda d: d.assign_coords(run_seed=d.run_seed.isel(replicate=0, drop=True)), "whole numbers"),
        (lambda d: d.assign_coords(hidden=[True, False]), "neither numbers nor texts"),
        (lambda d: d.drop_vars("hidden"), "values of 'hidden'"),
        (lambda d: d.assign_coords(hidden=[1, 1]), "twice"),
        (lambda d: d.drop_vars("simulate_status"), "lacks simulate_status"),
        (lambda d: d.drop_vars("simulate_reason"), "lacks simulate_reason"),
        (lambda d: d.assign(simulate_loss=d.simulate_loss.astype(int)), "no numbers"),
        (lambda d: d.assign(simulate_end=d.simulate_end.isel(hidden=0)), "does not belong to its runs"),
        (lambda d: d.assign(simulate_verdict=d.simulate_end.expand_dims("q", -1)), "one value for each run"),
        (lambda d: d.assign(simulate_status=d.simulate_final_loss), "no texts"),
        (lambda d: d.assign(simulate_final_loss=d.simulate_status), "no numbers"),
        (lambda d: d.assign(simulate_final_loss=d.simulate_loss), "one value for each run"),
        (lambda d: d.assign(simulate_loss=d.simulate_final_loss), "does not change in time"),
        (lambda d: d.assign(simulate_modes=("q", [1.0])), "does not belong to its runs"),
        (lambda d: d.drop_vars("simulate_time"), "lacks simulate_time"),
        (lambda d: d.isel(hidden=[]), "hidden"),
    ],
)
def test_sweeps_with_foreign_parts(tmp_path, change, why):
    """Each part that a report or a figure uses is missing or of another type, in a file that can be read."""
    changed(change).to_netcdf(tmp_path / "x.nc", engine="h5netcdf")
    refused(tmp_path / "x.nc", why)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.assign(simulate_final_loss=d.simulate_final_loss.expand_dims(network=2, axis=-1)),
        lambda d: d.assign(train_other=("q", [1])),  # belongs to no kind of this sweep
        lambda d: d.assign(simulate_loss=(("hidden", "replicate", "simulate_sample"), np.ones((2, 2, 3)))),
        lambda d: d.assign_coords(hidden=["one", "two"]),
        lambda d: d.assign_coords(hidden=[0.5, 1]),
    ],
)
def test_what_a_sweep_may_hold(change):
    """Losses of several networks; foreign variables that nobody reads; times of each run; options that are texts."""
    check_sweep(changed(change), "The data")


def test_a_column_of_objects_is_text_if_all_are():
    """Before it is a file, a data set may hold any objects: one that is no text among texts is refused."""
    data = dataset()
    mixed = data.simulate_status.astype(object).copy()
    mixed[0, 1] = 3
    check_sweep(data.assign(simulate_status=data.simulate_status.astype(object)), "The data")
    with pytest.raises(ProblemError, match="'simulate_status' holds no texts"):
        check_sweep(data.assign(simulate_status=mixed), "The data")


def test_the_memory_is_the_limit(monkeypatch):
    """Ten pages of a hundred bytes: as many fit, one number more does not."""
    monkeypatch.setattr("os.sysconf", {"SC_PHYS_PAGES": 10, "SC_PAGE_SIZE": 100}.__getitem__)
    check_size(xarray.Dataset({"x": ("i", np.zeros(125))}), "The file")
    with pytest.raises(
        ProblemError, match=r"The file needs 1.01e\+03 bytes of memory, but this machine has 1e\+03"
    ):
        check_size(xarray.Dataset({"x": ("i", np.zeros(126))}), "The file")


@pytest.mark.parametrize("place", ["filters", "compressor"])
def test_a_folder_that_asks_for_pickles_is_refused_before_it_is_opened(good, tmp_path, place):
    """Codecs are named in the file, and one of them runs whatever the file says."""

    class Mischief:
        def __reduce__(self):
            return open, (str(tmp_path / "executed"), "w")

    folder = tmp_path / "x.zarr"
    shutil.copytree(good / "s.zarr", folder)
    codec = {"id": "pickle", "protocol": 4}
    for file in (folder / ".zmetadata", folder / "simulate_reason" / ".zarray"):
        about = json.loads(file.read_text())
        array = about["metadata"]["simulate_reason/.zarray"] if "metadata" in about else about
        array[place] = [array["filters"][0], codec] if place == "filters" else codec
        file.write_text(json.dumps(about))
    (folder / "simulate_reason" / "0.0").write_bytes(pickle.dumps(Mischief()))
    refused(folder, "packed with 'pickle'")
    assert not (tmp_path / "executed").exists()


def test_more_numbers_than_the_memory_holds_are_refused():
    """Claimed by the shape alone: the numbers behind a broadcast take no room."""
    huge = xarray.Dataset({"x": (("i", "j"), np.broadcast_to(0.0, (10**7, 10**7)))})
    with pytest.raises(ProblemError, match=r"needs 8e\+14 bytes"):
        check_size(huge, "The file")
