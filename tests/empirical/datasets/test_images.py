"""Folders of images and CIFAR-10's binary files, made here byte by byte."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dynamics import ProblemError, budget
from empirical.datasets import load
from empirical.datasets.raw import Request
from empirical.datasets.sources import read
from empirical.studies.tasks import read_task


def save(path, pixels, mode=None):
    """An image of some pixels, its folder made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(pixels, dtype=np.uint8))
    (image if mode is None else image.convert(mode)).save(path)


@pytest.fixture
def folder(tmp_path):
    """Two classes, of two and one grey images of 3 × 2 pixels; hidden files that nobody asked for."""
    made = tmp_path / "shapes"
    for i, name in enumerate(("b/1.png", "b/0.png", "a/x.PNG")):
        save(made / name, 10 * i + np.arange(6).reshape(2, 3))
    (made / ".DS_Store").touch()
    (made / "a" / ".hidden").touch()
    return made


def raw(folder, **options):
    return read(Request(str(folder), **options))


def test_grey_images(folder):
    """Classes and files by name; pixels over 255, row by row."""
    found = raw(folder)
    assert found.classes == ("a", "b") and found.y.tolist() == [0, 1, 1]
    assert found.shape == (1, 2, 3) and found.held_out is None
    np.testing.assert_array_equal(255 * found.X, [np.arange(6) + 20, np.arange(6) + 10, np.arange(6)])


def test_one_image_in_colour_makes_all_of_them_so(folder):
    """Channel by channel; grey is the same in all three."""
    colours = np.arange(18).reshape(2, 3, 3)
    save(folder / "a" / "y.png", colours)
    found = raw(folder)
    assert found.shape == (3, 2, 3)
    np.testing.assert_array_equal(255 * found.X[1], np.moveaxis(colours, -1, 0).ravel())
    np.testing.assert_array_equal(255 * found.X[0], np.tile(np.arange(6) + 20, 3))


@pytest.mark.parametrize("mode", ["P", "RGBA", "LA"])
def test_palettes_and_transparency(folder, mode):
    """Three pixels of pure colours (or greys) keep theirs."""
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 0]]] * 2)
    pixels = pixels if mode != "LA" else np.repeat(pixels[..., :1], 3, -1)
    save(folder / "a" / "y.png", pixels, mode)
    np.testing.assert_array_equal(255 * raw(folder).X[1], np.moveaxis(pixels, -1, 0).ravel())


def test_jpeg_images(folder):
    """Of a constant image, whose compression loses nothing worth a step of grey or two."""
    save(folder / "a" / "y.jpeg", np.full((2, 3), 77))
    np.testing.assert_allclose(255 * raw(folder).X[1], 77, atol=2)


def test_sizes_that_differ_need_one_to_be_brought_to(folder):
    """A constant image stays constant, whatever its size."""
    save(folder / "a" / "y.png", np.full((7, 9), 51))
    with pytest.raises(ProblemError, match=r"'x\.PNG' has 3 × 2 pixels and 'y.png' 9 × 7: give `image_size`"):
        raw(folder)
    found = raw(folder, image_size=4)
    assert found.shape == (1, 4, 4)
    np.testing.assert_allclose(found.X[1], 0.2)


def test_a_folder_is_a_task_and_a_data_set(folder):
    """Of a study, as images or vectors; of the theory, two classes as −1 and +1."""
    for images, shape in ((True, (1, 2, 3)), (False, (6,))):
        task = read_task(str(folder), images=images)
        assert (task.shape, task.outputs, task.pixels) == (shape, 2, True)
    data = load(str(folder))
    assert data.X.shape == (3, 6) and sorted(data.Y.ravel().tolist()) == [-1, 1, 1]


def broken(folder):
    (folder / "a" / "z.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))


def disguised(folder):
    save(folder / "a" / "z.gif", np.ones((2, 3)))
    (folder / "a" / "z.gif").rename(folder / "a" / "z.png")


def other(folder):
    (folder / "a" / "notes.txt").touch()


def without_images(folder):
    (folder / "c").mkdir()


def deep(folder):
    Image.fromarray(np.ones((2, 3), dtype=np.uint16)).save(folder / "a" / "z.png")


def bomb(folder):
    """A header that claims 10⁵ × 10⁵ pixels."""
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 10**5, 10**5, 8, 0, 0, 0, 0)
    end = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")
    (folder / "a" / "z.png").write_bytes(b"\x89PNG\r\n\x1a\n" + end)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (broken, "'z.png' is no PNG or JPEG image"),
        (disguised, "'z.png' is no PNG or JPEG image"),
        (bomb, "'z.png' is no PNG or JPEG image"),
        (other, "'a' holds 'notes.txt', which is neither PNG nor JPEG"),
        (without_images, "'c' holds no images"),
        (deep, "'z.png' has pixels of the kind I"),
    ],
)
def test_what_is_no_image_is_refused(folder, spoil, reason):
    spoil(folder)
    with pytest.raises(ProblemError, match=reason):
        raw(folder)


def test_folders_without_classes_are_refused(tmp_path):
    save(tmp_path / "x.png", np.ones((2, 3)))
    with pytest.raises(ProblemError, match="must hold one folder of images for each class"):
        raw(tmp_path)


def test_images_that_do_not_fit_are_refused_before_they_are_read(folder, monkeypatch):
    monkeypatch.setattr(budget, "LEAST", 0)
    monkeypatch.setattr(budget, "memory_budget", lambda: 3 * 6 * 32 - 1)
    with pytest.raises(ProblemError, match="3 images of 6 numbers would take about"):
        raw(folder)


def records(rng, count):
    """Classes and pixels of CIFAR-10, as its binary version has them."""
    return np.column_stack([np.arange(count) % 10, rng.integers(0, 256, (count, 3072))]).astype(np.uint8)


@pytest.fixture
def cifar(tmp_path, rng):
    """Two batches to train on, one to test on, and the names."""
    parts = [records(rng, n) for n in (4, 3, 2)]
    for name, part in zip(("data_batch_1.bin", "data_batch_2.bin", "test_batch.bin"), parts, strict=True):
        part.tofile(tmp_path / name)
    (tmp_path / "batches.meta.txt").write_text("".join(f"class{i}\n" for i in range(10)) + "\n")
    return tmp_path, np.concatenate(parts)


def test_cifar_in_its_binary_layout(cifar):
    path, all_records = cifar
    found = raw(path)
    np.testing.assert_array_equal(found.y, all_records[:, 0])
    np.testing.assert_array_equal(found.X, all_records[:, 1:] / 255)
    assert found.shape == (3, 32, 32) and found.classes[3] == "class3"
    assert found.held_out.tolist() == 7 * [False] + 2 * [True]
    task = read_task(str(path), images=True)
    assert task.shape == (3, 32, 32)
    assert task.held_out.sum() == 2
    (path / "test_batch.bin").unlink()
    (path / "batches.meta.txt").unlink()
    assert raw(path).held_out is None and raw(path).classes[3] == "3"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: (path / "data_batch_2.bin").write_bytes(bytes(3072)), "has 3072 bytes, but records"),
        (lambda path: (path / "data_batch_2.bin").write_bytes(b""), "has 0 bytes, but records"),
        (lambda path: (path / "test_batch.bin").write_bytes(b"\x0a" + bytes(3072)), "is of the class 10"),
    ],
)
def test_damaged_batches_are_refused(cifar, spoil, reason):
    spoil(cifar[0])
    with pytest.raises(ProblemError, match=reason):
        raw(cifar[0])


def test_cifar_has_its_size(cifar):
    with pytest.raises(ProblemError, match=r"`image_size` is 16, but .* is CIFAR-10, of 32"):
        raw(cifar[0], image_size=16)


class Mischief:
    """What unpickling would run."""

    def __reduce__(self):
        return Path.touch, (Path("EXECUTED"),)


def test_the_pickled_layout_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data_batch_1").write_bytes(pickle.dumps(Mischief()))
    with pytest.raises(ProblemError, match="would run code from the files: take its binary version"):
        raw(tmp_path)
    assert not Path("EXECUTED").exists()
