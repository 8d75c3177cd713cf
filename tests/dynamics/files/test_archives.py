"""Archives of arrays give back what was saved, or say in one sentence what is wrong with them."""

import io
import json
import zipfile

import numpy as np
import pytest

from dynamics import ProblemError
from dynamics.files import archives
from dynamics.files.archives import check_member, open_archive
from dynamics.files.arrays import Unusable

W, A = np.arange(6.0).reshape(2, 3), np.array([1.0, -1.0])


def archive(compressed=False, **arrays):
    stream = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(stream, **arrays)
    return stream.getvalue()


def read(data, name="W", axes=None):
    with open_archive(io.BytesIO(data), "it") as f:
        return f.numbers(name, axes)


def refusal(data, *arguments):
    with pytest.raises(ProblemError) as error:
        read(data, *arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("compressed", [False, True])
def test_damage_anywhere_is_refused_or_changes_nothing(compressed):
    """Cut off after every tenth byte, and every byte changed: never another error, never other numbers.

    The numbers carry a checksum, so that a change is refused or was in a date, a comment or a name of something else.
    """
    data = archive(compressed, W=W, a=A)
    cut = [data[:n] for n in range(0, len(data), 10)]
    flipped = [data[:n] + bytes([data[n] ^ 0xFF]) + data[n + 1 :] for n in range(len(data))]
    refused = 0
    for damaged in cut + flipped:
        try:
            np.testing.assert_array_equal(read(damaged), W)
        except ProblemError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > len(cut)


def test_several_axes_of_one_letter_are_equally_long():
    with open_archive(io.BytesIO(archive(W=W, a=A, b=np.ones(3))), "it") as f:
        np.testing.assert_array_equal(f.numbers("W", "Kd"), W)
        np.testing.assert_array_equal(f.numbers("a", "K"), A)
        with pytest.raises(ProblemError, match=r"'b' of shape \(3,\), but it must be \(K\) with K = 2"):
            f.numbers("b", "K")
        np.testing.assert_array_equal(f.numbers("b", "d"), np.ones(3))
    assert "must be (T)" in refusal(archive(W=W), "W", "T")
    assert "must be (d, d)" in refusal(archive(W=W), "W", "dd")


def test_names():
    data = archive(W=W)
    with open_archive(io.BytesIO(data), "it") as f:
        assert f.names == ("W",)
        assert "W" in f and "a" not in f
    assert "lacks the array 'a'; it holds 'W'" in refusal(data, "a")
    many = {f"x{n:02}": np.zeros(1) for n in range(30)}
    names = ", ".join(repr(name) for name in [*many][:20])
    assert refusal(archive(**many), "a").endswith(f"lacks the array 'a'; it holds {names}.")
    assert "no zip archive" in refusal(b"")
    assert "no zip archive" in refusal(b"PK\x03\x04" + bytes(200))


def test_what_no_zip_of_numpy_has():
    """Encrypted, of a method that nobody knows, a member twice, no array, marked as a folder, with another length."""
    data = archive(W=W)
    directory = data.find(b"PK\x01\x02")

    def patched(*changes):
        patch = bytearray(data)
        for place, value in changes:
            patch[place] = value
        return bytes(patch)

    assert "encrypted" in refusal(patched((6, 1), (directory + 8, 1)))
    assert "unknown method (99)" in refusal(patched((directory + 10, 99)))
    assert "marked as a folder" in refusal(patched((directory + 38, 0x10)))
    assert "but claims" in refusal(patched((directory + 24, data[directory + 24] ^ 1)))
    for members, words in [
        ([("W.npy", b"")], "header"),
        ([("W", b"hello")], "header"),
        ([("W.npy", b"x"), ("W", b"x")], "'W' twice"),
    ]:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as f:
            for name, content in members:
                f.writestr(name, content)
        assert words in refusal(stream.getvalue())


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch):
    """Zeros shrink by 1000: dense and large is a bomb, dense and small is a network that rests."""
    data = archive(compressed=True, W=np.zeros((300, 1000)))
    assert read(data).shape == (300, 1000)
    monkeypatch.setattr(archives, "LARGE", 2**20)
    noise = np.random.default_rng(0).standard_normal((300, 1000))
    np.testing.assert_array_equal(read(archive(compressed=True, W=noise)), noise)  # large and not dense
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("it was unpacked"))
    assert "would unpack from" in refusal(data)


def test_how_dense_a_large_array_may_be():
    """Up to 200 bytes out of every one, and not a byte more."""
    member = zipfile.ZipInfo("W.npy")
    member.compress_type, member.compress_size = zipfile.ZIP_DEFLATED, 2**22
    member.file_size = 200 * 2**22
    check_member(member)
    member.file_size += 1
    with pytest.raises(Unusable, match="would unpack from 4194304 to 838860801"):
        check_member(member)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (W + 0j, "`.real`"),
        (np.array("x"), "text"),
        (np.array([{}], dtype=object), "Python objects"),
        (np.zeros(2, "M8[s]"), "dates"),
    ],
)
def test_only_real_numbers(array, words):
    assert words in refusal(archive(W=array))


@pytest.mark.parametrize(
    "text",
    ["", "no JSON", "[1]", '"x"', "[" * 100_000, '{"a": ' * 900 + "1" + "}" * 900, '{"a": 1' + "0" * 5000 + "}",
     '{"a": "\\ud800"}', 3.0, ["{}"]],
)  # fmt: skip
def test_documents(text):
    with open_archive(io.BytesIO(archive(about=np.array(text))), "it") as f:
        if isinstance(text, str) and text.startswith('{"a": {'):  # deep, but Python reads it
            assert f.document("about")["a"]
            return
        with pytest.raises(
            ProblemError, match=r"^it (is damaged: its|cannot be used, because of its) array 'about' "
        ):
            f.document("about")


def test_parts_of_documents():
    about = {"on": True, "n": 3, "x": 0.5}
    with open_archive(io.BytesIO(archive(about=np.array(json.dumps(about)))), "it") as f:
        document = f.document("about")
        assert document == about
        assert f.part(document, "n", int) == 3
        assert f.part(document, "on", bool) is True
        for key, kind in [("on", int), ("on", (int, float)), ("n", str), ("missing", dict), ("x", int)]:
            with pytest.raises(ProblemError, match=f"it is damaged: '{key}'"):
                f.part(document, key, kind)


@pytest.mark.parametrize("code", [b"\xff\xff\xff\x7f", b"\x00\x00\x11\x00", b"\x00\xd8\x00\x00"])
def test_text_that_is_no_unicode(code):
    """Beyond the last code point, and a lone surrogate, in an archive whose checksums fit."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive(about=np.array("ab")))) as old,
        zipfile.ZipFile(stream, "w") as new,
    ):
        new.writestr("about.npy", old.read("about.npy").replace(b"a\0\0\0b", code + b"b"))
    with (
        open_archive(io.BytesIO(stream.getvalue()), "it") as f,
        pytest.raises(ProblemError, match="no Unicode"),
    ):
        f.text("about")


def test_whole_numbers_texts_and_folders():
    """Steps and messages come back as what they are, or are refused; a folder holds its own arrays only."""
    data = archive(n=np.array([0, 3]), x=np.array([0.5, 1]), big=np.array([2.0**63, 0]), t=np.array(["a", "β"]),
                   **{"part/W": W, "party": A})  # fmt: skip
    with open_archive(io.BytesIO(data), "it") as f:
        n = f.whole_numbers("n", ("time",))
        assert n.dtype == np.int64 and n.tolist() == [0, 3]
        for name in ("x", "big"):
            with pytest.raises(ProblemError, match=f"'{name}' holds other than whole numbers"):
                f.whole_numbers(name)
        assert f.texts("t", ("time",)) == ("a", "β")
        with pytest.raises(ProblemError, match="'n' holds no texts"):
            f.texts("n", ("time",))
        with pytest.raises(ProblemError, match=r"must be \(time, unit\)"):
            f.numbers("x", ("time", "unit"))
        part = f.folder("part")
        assert part.names == ("W",)
        np.testing.assert_array_equal(part.numbers("W"), W)
        with pytest.raises(ProblemError, match="'t' of shape"):
            f.texts("t", ("time", "unit"))
