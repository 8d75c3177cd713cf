"""The rounding unit of a file: what the last digit of its largest number means."""

import numpy as np
import pytest

from dynamics.files.rounding import rounding_of_text, rounding_unit


@pytest.mark.parametrize("form", ["%.6f", "%.6g", "%.5e", "%.4f", "%.12g"])
def test_no_number_was_moved_by_more_than_half_the_unit(tmp_path, rng, form):
    """The file against the numbers that were written; and they were moved by more than a quarter of it."""
    M = rng.uniform(-1, 1, (20, 20)) * 7.3
    np.savetxt(tmp_path / "M.csv", M, form, delimiter=",")
    unit = rounding_unit(tmp_path / "M.csv")
    moved = np.abs(np.loadtxt(tmp_path / "M.csv", delimiter=",") - M).max()
    assert unit / 4 < moved <= unit / 2 * (1 + 1e-3)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f4"])
def test_floats_have_the_spacing_of_their_type(tmp_path, dtype):
    """1 ≤ largest entry < 2: the spacing there is the machine epsilon, by definition."""
    np.save(tmp_path / "M.npy", np.array([[1.5, 0.1], [0.1, 1.0]], dtype=dtype))
    assert rounding_unit(tmp_path / "M.npy") == np.finfo(np.dtype(dtype).newbyteorder("=")).eps


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("2,0.5\n0.5,1", 0.0),  # typed
        ("12000000;3\n3;5", 0.0),  # whole numbers
        ("1.0,100.0\n100.0,7.0", 0.0),
        ("# 1.23456789\n1,0.25\n0.25,1", 0.0),
        ("x,y\n1.2345,0\n0,1e-9", 1e-4),  # a head is no number
        ("1.2345e3 2e-4", 0.1),
        ("0.012345,0.1", 1e-5),
        (",0,100\n0,1.2345,0.5\n100,0.5,1", 1e-4),  # neither are names that are numbers
        ("0,1\n1.2345,0.5\n0.5,1", 1e-4),
        ("nan,inf", 0.0),
        ("", 0.0),
    ],
)
def test_units_of_texts(text, unit):
    """Read off by hand."""
    assert rounding_of_text(text) == pytest.approx(unit, rel=1e-12, abs=0)


def test_a_byte_order_mark_and_a_foreign_coding_do_no_harm(tmp_path):
    (tmp_path / "M.csv").write_bytes(b"\xef\xbb\xbf1.23456,2\n2,1\n")
    assert rounding_unit(tmp_path / "M.csv") == pytest.approx(1e-5)
    (tmp_path / "M.csv").write_bytes("1.23456,2 °\n2,1\n".encode("latin-1"))
    assert rounding_unit(tmp_path / "M.csv") == pytest.approx(1e-5)


@pytest.mark.parametrize("dtype", [int, bool, np.int8])
def test_whole_numbers_are_exact(tmp_path, dtype):
    np.save(tmp_path / "M.npy", np.eye(3, dtype=dtype))
    assert rounding_unit(tmp_path / "M.npy") == 0.0


@pytest.mark.parametrize(
    ("rows", "word", "unit"),
    [
        (4, "0.120", 1e-3),  # %.3f, of small numbers
        (4, "0.000", 0.0),  # of zeros nothing is known
        (3, "0.120", 0.0),  # few enough to be typed
        (4, "0.12", 0.0),  # correlations as people give them
    ],
)
def test_a_printed_matrix_of_short_numbers_is_rounded(rows, word, unit):
    text = "\n".join([",".join([word] * rows)] * rows)
    assert rounding_of_text(text) == pytest.approx(unit, rel=1e-12, abs=0)
    assert rounding_of_text(text + "\n0.5") == 0.0  # other decimals: typed
