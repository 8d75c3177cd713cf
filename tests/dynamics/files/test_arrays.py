"""Arrays of NumPy come back to the last bit, and everything else is refused in one sentence."""

import io
import os
import struct

import numpy as np
import pytest

from dynamics import ProblemError
from dynamics.files.arrays import read_npy

NUMBERS = np.array([[1.5, -2.0, 3.0], [0.25, 4.0, 0.0]])


def saved(array, **options):
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def with_header(text, data=b"\0" * 72):
    header = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def claim(shape="(3, 3)", descr="'<f8'"):
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}"


@pytest.mark.parametrize("type_", ["<f8", ">f8", "<f4", ">f4", "f2", "g", "<i8", ">i4", "u1", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_type_of_real_numbers(type_, order):
    """The same numbers from every byte order, width and layout; np.save is NumPy's own writer."""
    array = np.asarray(np.abs(NUMBERS) if type_ in ("u1", "?") else NUMBERS, dtype=type_, order=order)
    read = read_npy(io.BytesIO(saved(array)), "M")
    assert read.dtype == np.float64
    np.testing.assert_array_equal(read, array.astype(float))


@pytest.mark.parametrize("shape", [(), (3,), (0, 3), (2, 1, 3)])
def test_every_shape(shape):
    assert read_npy(io.BytesIO(saved(np.ones(shape))), "M").shape == shape


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "header"),
        (b"no array", "header"),
        (saved(NUMBERS)[:50], "header"),
        (saved(NUMBERS)[:-1], "claims 48 bytes of numbers, but 47"),
        (saved(NUMBERS) + b"\0", "claims 48 bytes of numbers, but 49"),
        (with_header(claim("(1000000000, 1000000000)")), "claims 8000000000000000000 bytes"),
        (with_header(claim("(-3, -3)")), "shape (-3, -3)"),
        (with_header(claim("(-1, 9)")), "claims -72 bytes of numbers, but 72 are there"),
        (with_header(claim("(0, -1)"), b""), "shape (0, -1)"),
        (with_header(claim("(0, 10**30)"), b""), "header"),
        (with_header(claim(f"(0, {10**30})"), b""), "shape"),
        (with_header(claim("(3, 'x')")), "header"),
        (with_header(claim("[3, 3]")), "header"),
        (with_header(claim(descr="'zzz'")), "header"),
        (with_header("(" * 110), "header"),
        (with_header("[3]"), "header"),
        (with_header(claim().replace("'shape'", "'form'")), "header"),
        (b"\x93NUMPY\x09\x00" + saved(NUMBERS)[8:], "structured"),
        (saved(np.array([{}]), allow_pickle=True), "Python objects"),
        (with_header(claim("(9,)", "'|O'")), "Python objects"),
        (saved(np.array(["1", "2"])), "text"),
        (saved(np.array([b"1", b"2"])), "text"),
        (saved(np.zeros(3, "M8[s]")), "dates"),
        (saved(np.zeros(3, "m8[s]")), "durations"),
        (saved(np.zeros(3, [("x", float)])), "structured"),
        (saved(NUMBERS + 0j), "`.real`"),
    ],
)
def test_everything_else_is_refused(data, words):
    with pytest.raises(
        ProblemError, match=r"^`--teacher` 'M.npy' does not contain an array of numbers: "
    ) as error:
        read_npy(io.BytesIO(data), "`--teacher` 'M.npy'")
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.skipif(np.finfo(np.longdouble).max == np.finfo(float).max, reason="no longer numbers here")
def test_numbers_beyond_the_range_are_refused():
    """The longest type holds 1e4000, a double at most 1.8e308; infinity itself is a number of both."""
    with pytest.raises(ProblemError, match="beyond the range"):
        read_npy(io.BytesIO(saved(np.full(2, np.longdouble("1e4000")))), "M")
    assert np.isinf(read_npy(io.BytesIO(saved(np.full(2, np.inf, np.longdouble))), "M")).all()


def test_no_more_is_allocated_than_the_machine_has(monkeypatch):
    monkeypatch.setattr("dynamics.files.arrays.physical_memory", lambda: 47.0)
    with pytest.raises(ProblemError, match="more than the memory of this machine"):
        read_npy(io.BytesIO(saved(NUMBERS)), "M")


def test_files_that_cannot_be_opened(tmp_path):
    """What a path can be beside a file: nothing, a folder, a loop, a pipe that nobody writes into, no name at all."""
    (tmp_path / "loop.npy").symlink_to("loop.npy")
    (tmp_path / "folder.npy").mkdir()
    os.mkfifo(tmp_path / "pipe.npy")
    for name, words in [
        ("absent.npy", "No such file"),
        ("loop.npy", "symbolic links"),
        ("folder.npy", "a folder"),
        ("pipe.npy", "no ordinary file"),
        ("nul\0.npy", "no file has such a name"),
        ("\ud800.npy", "no file has such a name"),
        ("x" * 300, "too long"),
    ]:
        with pytest.raises(ProblemError, match=r"^M cannot be read: .*\.$") as error:
            read_npy(tmp_path / name, "M")
        assert words in str(error.value)


def test_a_file_that_must_not_be_read(tmp_path, monkeypatch):
    """Permissions do not bind an administrator, so that the refusal of the system is played."""

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    np.save(tmp_path / "M.npy", NUMBERS)
    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(ProblemError, match="cannot be read: Permission denied"):
        read_npy(tmp_path / "M.npy", "M")
