"""Tensors come out of checkpoints and safetensors as they went in, whatever harmless things lie beside them."""

import argparse
import pathlib
import sys
import types
import zipfile
from collections import defaultdict

import numpy as np
import pytest
import torch

from dynamics import ProblemError
from empirical.tensor_files import read_tensors, real_array

W = torch.arange(6.0).reshape(2, 3)


def test_what_loops_keep_beside_the_weights(tmp_path):
    """Numbers of NumPy, options of argparse, paths: PyTorch refuses them unless they are known to be harmless."""
    beside = {
        "loss": np.float64(0.5),
        "best": np.float32(0.25),
        "epoch": np.int64(3),
        "curve": np.ones(3),
        "arguments": argparse.Namespace(step=1e-3, seed=np.int32(1)),
        "more": types.SimpleNamespace(name="run"),
        "folder": pathlib.PurePosixPath("/runs"),
        "log": defaultdict(dict),
    }
    for key, value in beside.items():
        torch.save({"state_dict": {"W": W}, key: value}, tmp_path / "net.pt")
        tensors = read_tensors(tmp_path / "net.pt")
        assert list(tensors) == ["W"]
        np.testing.assert_array_equal(tensors["W"], W)


def test_arrays_of_numpy_in_a_checkpoint(tmp_path):
    """As some loops save them; a complex one stays complex, so that it is refused."""
    arrays = {
        "W": W.numpy().astype(">f8"),
        "n": np.arange(3, dtype=np.uint16),
        "z": np.ones(2) * 1j,
        "names": np.array("x"),
    }
    torch.save(arrays, tmp_path / "net.pt")
    tensors = read_tensors(tmp_path / "net.pt")
    assert list(tensors) == ["W", "n", "z"]
    np.testing.assert_array_equal(real_array("W", tensors["W"]), W)
    with pytest.raises(ProblemError, match="complex"):
        real_array("z", tensors["z"])


class Custom:
    """A class that a checkpoint could want to rebuild."""


def test_what_stands_beside_is_named(tmp_path):
    torch.save({"state_dict": {"W": W}, "own": Custom()}, tmp_path / "net.pt")
    with pytest.raises(ProblemError, match=r"\.Custom beside or instead of plain tensors"):
        read_tensors(tmp_path / "net.pt")


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int32, torch.bool]
)
def test_types_of_real_tensors(dtype, tmp_path):
    """Both containers, before and since PyTorch 1.6, and safetensors; the numbers fit into every type."""
    from safetensors.torch import save_file

    tensor = (W > 2).to(dtype) if dtype is torch.bool else W.to(dtype)
    torch.save({"W": tensor}, tmp_path / "new.pt")
    torch.save({"W": tensor}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    save_file({"W": tensor}, tmp_path / "other.safetensors")
    for name in ("new.pt", "old.pth", "other.safetensors"):
        array = real_array("W", read_tensors(tmp_path / name)["W"])
        assert array.dtype == np.float64
        np.testing.assert_array_equal(array, tensor.double())


def test_views_parameters_and_gradients():
    parameter = torch.nn.Parameter(W)
    array = real_array("W", parameter)
    array[:] = 0  # a copy
    assert parameter[1, 2].item() == 5
    np.testing.assert_array_equal(real_array("W", W.T), W.numpy().T)
    np.testing.assert_array_equal(real_array("W", W[:1].expand(4, 3)), np.tile(W[:1], (4, 1)))
    with pytest.raises(ProblemError, match="claims 1000000000000 entries, but stores 1"):
        real_array("W", torch.ones(1).expand(10**6, 10**6))


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_damage(suffix, tmp_path):
    """Cut off after every tenth byte, and every seventh byte changed.

    A zip archive has checksums, so that what is read after all are the numbers; safetensors has none, but its header is
    checked, so that at most the numbers differ.
    """
    from safetensors.torch import save_file

    path = tmp_path / f"net{suffix}"
    torch.save({"W": W}, path) if suffix == ".pt" else save_file({"W": W}, path)
    data = path.read_bytes()
    cut = [data[:n] for n in range(0, len(data), 10)]
    flipped = [data[:n] + bytes([data[n] ^ 0xFF]) + data[n + 1 :] for n in range(0, len(data), 7)]
    for damaged in [*cut, *flipped]:
        path.write_bytes(damaged)
        try:
            tensor = read_tensors(path)["W"]
        except (ProblemError, KeyError) as error:  # the name can be damaged in safetensors
            assert isinstance(error, ProblemError) or suffix != ".pt"
            assert len(str(error).splitlines()) == 1
        else:
            assert suffix != ".pt" or torch.equal(tensor, W)


def test_numbers_that_changed_on_disk(tmp_path):
    """PyTorch compares no checksums and reads memory of its own where a record is marked as a folder or shortened."""
    path = tmp_path / "net.pt"
    torch.save({"W": W}, path)
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
    number = data.find(W.numpy().tobytes())
    directory = data.find(b"PK\x01\x02")
    record = data.find(b"net/data/0", directory) - 46
    for place, bits, words in [
        (number, 1, "checksums"),
        (record + 38, 0x10, "folder"),
        (record + 24, 1, "claims"),
    ]:
        path.write_bytes(data[:place] + bytes([data[place] ^ bits]) + data[place + 1 :])
        with pytest.raises(ProblemError, match=words):
            read_tensors(path)
    torch.serialization.set_crc32_options(False)
    try:
        torch.save({"W": W}, path)
    finally:
        torch.serialization.set_crc32_options(True)
    assert torch.equal(read_tensors(path)["W"], W)


def test_without_the_library_of_safetensors(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ProblemError, match=r"net.safetensors can be read only with the package safetensors"):
        read_tensors(tmp_path / "net.safetensors")
