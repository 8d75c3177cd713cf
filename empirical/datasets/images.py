"""Folders of images: one folder for each class, or CIFAR-10 in its binary layout.

Pillow suffices to read them and comes with matplotlib; torchvision would bind quadflow to one version of PyTorch.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.errors import ProblemError
from empirical.datasets.raw import Raw, Request

SUFFIXES = (".png", ".jpg", ".jpeg")
GREY, COLOUR = ("1", "L"), ("LA", "P", "RGB", "RGBA")  # Pillow's names; colours without their transparency
CIFAR_SHAPE = (3, 32, 32)
CIFAR_RECORD = 1 + 3 * 32 * 32  # bytes: the class, then red, green and blue, row by row
CIFAR_TRAIN, CIFAR_TEST, CIFAR_NAMES = "data_batch_*.bin", "test_batch.bin", "batches.meta.txt"
CIFAR_CLASSES = 10


def is_folder(data: str) -> bool:
    """Whether data name a folder; what no file can be called does not."""
    try:
        return bool(data) and Path(data).is_dir()
    except ValueError:
        return False


def read_folder(request: Request) -> Raw:
    """Images (channels, height, width) as rows of numbers from 0 to 1.

    Raises
    ------
    ProblemError
        If there are no classes, a file is no image, or images have different sizes and none is asked for.
    """
    request.refuse_target()
    folder = Path(request.data)
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise request.refusal(f"the folder cannot be read ({error.strerror})") from None
    names = {entry.name for entry in entries}
    if "data_batch_1" in names:
        raise request.refusal(
            "it holds CIFAR-10 pickled for Python, and reading that would run code from the files: take its binary"
            " version, data_batch_1.bin and so on"
        )
    if any(entry.match(CIFAR_TRAIN) for entry in entries):
        return read_cifar(request, folder)
    classes = [entry for entry in entries if entry.is_dir()]
    if not classes:
        raise request.refusal("the folder must hold one folder of images for each class")
    files = [_files(request, entry) for entry in classes]
    X, shape = _pixels(request, [file for of_class in files for file in of_class])
    y = np.repeat(np.arange(len(classes)), [len(of_class) for of_class in files])
    return Raw(X, y, tuple(entry.name for entry in classes), shape=shape)


def _files(request: Request, folder: Path) -> list[Path]:
    """Images of one class, in the order of their names."""
    found = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    other = next((entry.name for entry in found if entry.suffix.lower() not in SUFFIXES), None)
    if other is not None:
        raise request.refusal(f"{folder.name!r:.60} holds {other!r:.60}, which is neither PNG nor JPEG")
    if not found:
        raise request.refusal(f"{folder.name!r:.60} holds no images")
    return found


def _pixels(request: Request, files: list[Path]) -> tuple[Array, tuple[int, int, int]]:
    """Pixels (n, d), and the shape of each image: grey if all are."""
    modes, sizes = zip(*(_header(request, file) for file in files), strict=True)
    side = request.image_size
    if side is None and len(set(sizes)) > 1:
        other = next(i for i, size in enumerate(sizes) if size != sizes[0])
        (w, h), (v, g) = sizes[0], sizes[other]
        raise request.refusal(
            f"{files[0].name!r:.60} has {w} × {h} pixels and {files[other].name!r:.60} {v} × {g}: give `image_size`, to"
            " which all are brought"
        )
    mode, channels = ("L", 1) if set(modes) <= set(GREY) else ("RGB", 3)
    width, height = sizes[0] if side is None else (side, side)
    d = channels * width * height
    check_memory(f"{len(files)} images of {d} numbers", 8 * 4 * len(files) * d, "take a smaller `image_size`")
    X = np.empty((len(files), d))
    for row, file in zip(X, files, strict=True):
        image = _opened(request, file, lambda found: found.convert(mode).resize((width, height)))
        row[:] = (
            np.moveaxis(np.asarray(image, dtype=float).reshape(height, width, channels), -1, 0).ravel() / 255
        )
    return X, (channels, height, width)


def _header(request: Request, file: Path) -> tuple[str, tuple[int, int]]:
    """Mode and size of an image, its pixels left aside."""
    mode, size = _opened(request, file, lambda found: (found.mode, found.size))
    if mode not in (*GREY, *COLOUR):
        raise request.refusal(
            f"{file.name!r:.60} has pixels of the kind {mode}, but 8 bits of grey or of each colour are read"
        )
    return mode, size


def _opened(request: Request, file: Path, use: Any) -> Any:
    """What a function makes of an image; whatever Pillow says against it in one sentence."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=("PNG", "JPEG")) as image:
                return use(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise request.refusal(f"{file.name!r:.60} is no PNG or JPEG image that can be read") from None


def read_cifar(request: Request, folder: Path) -> Raw:
    """CIFAR-10 in its binary layout; the samples of test_batch.bin, if it is there, are those held out."""
    if request.image_size not in (None, CIFAR_SHAPE[1]):
        raise ProblemError(
            f"`image_size` is {request.image_size}, but {request.what} is CIFAR-10, of {CIFAR_SHAPE[1]}: leave it out."
        )
    train = [_records(request, file) for file in sorted(folder.glob(CIFAR_TRAIN))]
    test = [_records(request, file) for file in folder.glob(CIFAR_TEST)]
    records = np.concatenate([*train, *test])
    check_memory(f"{len(records)} images of CIFAR-10", 8 * 4 * records.size, "take fewer of its files")
    y = records[:, 0].astype(np.int64)
    if y.max() >= CIFAR_CLASSES:
        raise request.refusal(f"a record is of the class {y.max()}, but CIFAR-10 has {CIFAR_CLASSES}")
    held_out = np.arange(len(y)) >= sum(map(len, train)) if test else None
    return Raw(records[:, 1:] / 255, y, _names(folder), held_out, CIFAR_SHAPE)


def _records(request: Request, file: Path) -> NDArray[np.uint8]:
    """Records (n, 3073) of one file."""
    try:
        numbers = np.fromfile(file, dtype=np.uint8)
    except OSError as error:
        raise request.refusal(f"{file.name!r} cannot be read ({error.strerror})") from None
    if not len(numbers) or len(numbers) % CIFAR_RECORD:
        raise request.refusal(
            f"{file.name!r} has {len(numbers)} bytes, but records of CIFAR-10 have {CIFAR_RECORD} each"
        )
    return numbers.reshape(-1, CIFAR_RECORD)


def _names(folder: Path) -> tuple[str, ...]:
    """Names of the classes, from their file if it is there and holds ten."""
    try:
        lines = (folder / CIFAR_NAMES).read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        lines = []
    return tuple(lines) if len(lines) == CIFAR_CLASSES else tuple(map(str, range(CIFAR_CLASSES)))
